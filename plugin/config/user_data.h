// User-data: from the bytes that a platform hands out to a JoinConfig, with every mistake on the way. What `boot` does and
// what `validate` says is this one function.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/command_line.h"
#include "config/load.h"
#include "parse/envelope.h"

namespace kubejoin::config {

// Why there is nothing to join with, though nothing is wrong.
struct Unconcerned {
  enum class Why {
    for_others,   // "a control plane: InitConfiguration"
    not_read,     // what may hold a document stands elsewhere, or cannot be decoded
    no_document,  // nothing of ours, nothing that is known: "a shell script, which cloud-init runs"
  } why = Why::no_document;
  std::string what;
  std::string hint;
  Place place;
  bool joins_control_plane = false;  // a JoinConfiguration with controlPlane
  std::string sentence() const;  // "is for a control plane: …", to follow "the user-data of ec2"
};

struct UserData {
  std::vector<parse::Document> documents;  // empty without errors: the user-data is none of our affair
  Loaded loaded;                           // mistakes of the envelope are among its errors and warnings, by place
  std::optional<Unconcerned> unconcerned;  // set when `documents` is empty and there are no errors
  // Of Cluster API's templates, whose joinConfiguration becomes a document: what is wrong in it. Nothing that a boot goes by.
  Loaded in_templates;
  CommandLines commands;                   // joins that the user-data runs by itself: whatever is wrong with them, the machine's shell runs them
};

// `variables` as parse::unwrap() takes them; without any, names in templates stay unresolved and texts that hold one are
// not judged. Unknown fields are errors where `strict`. `local_file` as
// parse::unwrap() takes it.
UserData read_user_data(std::string_view bytes, const std::string& file, const parse::Variables* variables,
                        const Flags& flags, Surroundings surroundings, bool strict = true,
                        const parse::LocalFile& local_file = {});

// The same of several files, each a text of its own in whatever form it has. Mistakes are told file by file.
struct TextFile {
  std::string path;
  std::string_view bytes;
};
UserData read_user_data(std::span<const TextFile> files, const parse::Variables* variables, const Flags& flags,
                        Surroundings surroundings, bool strict = true,
                        const parse::LocalFile& local_file = {});

// The configuration as it will be used, one line a field: its value and where that came from ("user-data line 7",
// "default"). No secret is in it.
std::string explain(const Loaded& loaded);

}  // namespace kubejoin::config
