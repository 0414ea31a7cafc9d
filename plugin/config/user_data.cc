// The envelope's mistakes do not hide the documents': both are told at once.
#include "config/user_data.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"

namespace kubejoin::config {
namespace {

// Lines of a text that was encoded are its own, not the file's: such errors come after, in the order they were found.
bool has_line_of_file(const Place& place) { return place.line > 0 && place.part.find("decoded") == std::string::npos; }

void sort_by_place(std::vector<Error>& errors, std::span<const TextFile> files) {
  const auto key = [&](const Error& e) {
    // What is of no file, as it is of them all, comes last.
    const auto file = std::find_if(files.begin(), files.end(), [&](const TextFile& f) { return f.path == e.place.file; }) - files.begin();
    return has_line_of_file(e.place) ? std::tuple(file, 0, e.place.line, e.place.column) : std::tuple(file, 1, 0, 0);
  };
  std::stable_sort(errors.begin(), errors.end(), [&](const Error& a, const Error& b) { return key(a) < key(b); });
}

// More than comments?
bool says_anything(std::string_view text) {
  const auto lines = split(text, '\n');
  return std::any_of(lines.begin(), lines.end(), [](const std::string& line) { return !trim(line).empty() && !trim(line).starts_with('#'); });
}

void append(std::vector<Error> more, std::vector<Error>& to) { std::move(more.begin(), more.end(), std::back_inserter(to)); }

}  // namespace

UserData read_user_data(std::string_view bytes, const std::string& file, const parse::Variables* variables,
                        const Flags& flags, Surroundings surroundings, bool strict) {
  const TextFile one{file, bytes};
  return read_user_data({&one, 1}, variables, flags, std::move(surroundings), strict);
}

UserData read_user_data(std::span<const TextFile> files, const parse::Variables* variables, const Flags& flags, Surroundings surroundings, bool strict) {
  UserData read;
  std::vector<Error> errors, warnings;
  for (const TextFile& file : files) {
    parse::Unwrapped unwrapped = parse::unwrap(file.bytes, file.path, variables);
    // Of one text we may want nothing, as it is for others, too. A file among several was put there for us.
    if (files.size() > 1 && unwrapped.documents.empty() && unwrapped.errors.empty() && says_anything(file.bytes)) {
      Error nothing = fail(Kind::invalid, "config.no-document", "no document that kubejoin reads was found",
                           "it looks for kubeadm.k8s.io JoinConfiguration and kubejoin/v1alpha1 FirstBoot: kubejoin validate " + printable(file.path)).value();
      nothing.place.file = file.path;
      errors.push_back(std::move(nothing));
    }
    std::move(unwrapped.documents.begin(), unwrapped.documents.end(), std::back_inserter(read.documents));
    append(std::move(unwrapped.errors), errors);
    append(std::move(unwrapped.warnings), warnings);
  }
  // An expression that could not be evaluated was told as such, and stands where a value would.
  const auto of_template = [](const Error& e) { return e.id.starts_with("jinja."); };
  surroundings.templates = !variables || std::any_of(errors.begin(), errors.end(), of_template);
  if (!read.documents.empty()) {
    read.loaded = load(read.documents, flags, surroundings, strict);
    // The join document may be the one that could not be read.
    if (!errors.empty())
      std::erase_if(read.loaded.errors, [](const Error& e) { return e.id == "config.no-document"; });
  }
  append(std::exchange(read.loaded.errors, {}), errors);
  append(std::exchange(read.loaded.warnings, {}), warnings);
  sort_by_place(errors, files);
  sort_by_place(warnings, files);
  read.loaded.errors = std::move(errors);
  read.loaded.warnings = std::move(warnings);
  return read;
}

}  // namespace kubejoin::config
