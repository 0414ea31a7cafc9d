// User-data: from the bytes that a platform hands out to a JoinConfig, with every mistake on the way. What `boot` does and
// what `validate` says is this one function.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"
#include "parse/envelope.h"

namespace kubejoin::config {

struct UserData {
  std::vector<parse::Document> documents;  // empty without errors: the user-data is none of our affair
  Loaded loaded;                           // mistakes of the envelope are among its errors and warnings, by place
};

// `variables` as parse::unwrap() takes them; without any, names in templates stay unresolved and texts that hold one are
// not judged. Unknown fields are errors where `strict`.
UserData read_user_data(std::string_view bytes, const std::string& file, const parse::Variables* variables,
                        const Flags& flags, Surroundings surroundings, bool strict = true);

// The same of several files, each a text of its own in whatever form it has. Mistakes are told file by file.
struct TextFile {
  std::string path;
  std::string_view bytes;
};
UserData read_user_data(std::span<const TextFile> files, const parse::Variables* variables, const Flags& flags,
                        Surroundings surroundings, bool strict = true);

// The configuration as it will be used, one line a field: its value and where that came from ("user-data line 7",
// "default"). No secret is in it.
std::string explain(const Loaded& loaded);

}  // namespace kubejoin::config
