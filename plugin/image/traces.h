// The one table of what an image may not carry (table.cc): `seal` takes away what it finds, `verify` fails on what it finds, so the two cannot
// disagree.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/host.h"

namespace kubejoin::image {

// One thing that is in the image and should not be.
struct Finding {
  std::string check{};                   // the row's name
  std::string path{};
  int line = 0;                          // in a text file; 0: the whole of it
  std::string what{};                    // half a sentence; a token's id may be in it, never its secret
  std::optional<std::string> content{};  // what `seal` writes there; without it `seal` removes the path
  unsigned mode = 0644;                  // of `content`
  bool cuts = false;                     // `seal` takes line `line` out of the file, and leaves the rest as it is
};

// The image that is looked at: a folder of this machine, or the machine itself.
struct Image {
  Host& host;               // sees paths from the image's root
  std::string root = "/";   // where that is on this machine, to run the image's programs (chroot)
  std::vector<std::string> keep{};  // names of checks and patterns of paths that the user wants left alone
  bool is_live() const;     // systemd runs in it: /run is a memory of this boot, not a part of the image
  bool keeps(std::string_view check, std::string_view path = {}) const;
};

struct Search {
  std::vector<Finding> findings{};
  std::vector<Error> problems{};  // places that could not be looked into: nothing is proven about them
  std::vector<std::string> unsearched{};  // files too large to be searched for secrets
  int files_searched = 0;
};

// Where in a text a secret stands, and which.
struct Spot {
  std::size_t at = 0;
  std::string what{};
};

// What a row is about. An identity that clones share makes two machines one for somebody else; a secret is given to whoever gets the image;
// a trace tells of the machine that built it.
enum class Sort { identity, secret, trace };
std::string_view name_of(Sort sort);

// A row. `paths`, separated by blanks: `*` and `[…]` within a component; "/x/**" is every file with content below /x, whose folders stay;
// "~/" is the home of root and of every person. `find`, where a path does not say enough. `look` is shown texts: of the paths, line by line
// and without comments; without paths, every text file of the image as a whole.
struct Trace {
  std::string_view name;      // stable: scripts and --keep use it
  Sort sort;
  std::string_view sentence;  // what it is
  std::string_view anew{};    // who makes it anew on the clone; empty: nobody has to
  std::string_view paths{};
  void (*find)(Image& image, const Trace& trace, Search& search) = nullptr;
  std::vector<Spot> (*look)(std::string_view text) = nullptr;
  bool cuts = false;          // of what `look` finds, the line goes and not the file; in a file that is not the system's own, the file
  bool offline_only = false;  // below /run: not in a machine that is running
};
std::span<const Trace> traces();

// Looks; changes nothing. Links are found, never followed out of the root or out of a person's home.
Search find_traces(Image& image);

// Shows the files of the image to every row that looks (secrets.cc, which also says what it takes for a secret and what not).
void search_files(Image& image, Search& search);
std::vector<Spot> look_for_tokens(std::string_view text);
std::vector<Spot> look_for_private_keys(std::string_view text);
std::vector<Spot> look_for_passwords(std::string_view text);    // in a URL: scheme://user:password@host
std::vector<Spot> look_for_kubeconfigs(std::string_view text);  // with a credential in it

// Looks of one line of a configuration (lines.cc).
std::vector<Spot> look_for_address(std::string_view line);         // of a network card, "00:50:56:aa:bb:cc"
std::vector<Spot> look_for_card(std::string_view line);            // the settings that bind an interface to one: HWADDR=, UUID=, mac-address=
std::vector<Spot> look_for_registry_login(std::string_view line);  // of containerd's and others' TOML
std::vector<Spot> look_for_npm_login(std::string_view line);

// The lines of `path` that `look` has something to say of, as findings; comments are not shown to it.
void look_at_lines(Image& image, const Trace& trace, const std::string& path, Search& search);

// Paths that match a pattern of the table, sorted. Failures other than absence go to `problems`.
std::vector<std::string> expand(Host& host, std::string_view pattern, std::vector<Error>& problems);

// A program of the image, run in it: as it is, or by chroot(8).
Result<CommandResult> run_in(Image& image, std::vector<std::string> argv, Millis timeout);
// The first of the image's usual folders of programs that holds `name`; nothing when none does.
std::optional<std::string> program_in(Image& image, const std::string& name);
inline constexpr char kKubeletVersionPath[] = "/usr/lib/kubejoin/kubelet-version";

}  // namespace kubejoin::image
