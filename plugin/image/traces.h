// The one table of what an image may not carry: `seal` takes away what it finds, `verify` fails on what it finds, so the two cannot disagree.
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

// A row. `paths`, separated by blanks: `*` within a component; "/x/**" is every file with content below /x, whose folders stay;
// "~/" is the home of root and of every person. Or `find`, where a path does not say enough; or `look`, which is shown every text file.
struct Trace {
  std::string_view name;      // stable: scripts and --keep use it
  std::string_view sentence;  // what it is
  std::string_view paths{};
  void (*find)(Image& image, const Trace& trace, Search& search) = nullptr;
  std::vector<Spot> (*look)(std::string_view text) = nullptr;
  bool offline_only = false;  // below /run: not in a machine that is running
};
std::span<const Trace> traces();

// Looks; changes nothing. Links are found, never followed out of the root or out of a person's home.
Search find_traces(Image& image);

// Shows the files of the image to every row that looks (secrets.cc, which also says what it takes for a secret and what not).
void search_files(Image& image, Search& search);
std::vector<Spot> look_for_tokens(std::string_view text);
std::vector<Spot> look_for_private_keys(std::string_view text);

// Paths that match a pattern of the table, sorted. Failures other than absence go to `problems`.
std::vector<std::string> expand(Host& host, std::string_view pattern, std::vector<Error>& problems);

// A program of the image, run in it: as it is, or by chroot(8).
Result<CommandResult> run_in(Image& image, std::vector<std::string> argv, Millis timeout);
// The first of the image's usual folders of programs that holds `name`; nothing when none does.
std::optional<std::string> program_in(Image& image, const std::string& name);
inline constexpr char kKubeletVersionPath[] = "/usr/lib/kubejoin/kubelet-version";

}  // namespace kubejoin::image
