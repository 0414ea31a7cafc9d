// The envelope's mistakes do not hide the documents': both are told at once.
#include "config/user_data.h"

#include <algorithm>

namespace kubejoin::config {
namespace {

// Lines of a text that was encoded are its own, not the file's: such errors come after, in the order they were found.
bool has_line_of_file(const Place& place) { return place.line > 0 && place.part.find("decoded") == std::string::npos; }

void sort_by_place(std::vector<Error>& errors) {
  const auto key = [](const Error& e) {
    return has_line_of_file(e.place) ? std::tuple(0, e.place.line, e.place.column) : std::tuple(1, 0, 0);
  };
  std::stable_sort(errors.begin(), errors.end(), [&](const Error& a, const Error& b) { return key(a) < key(b); });
}

void prepend(std::vector<Error> first, std::vector<Error>& rest) {
  std::move(rest.begin(), rest.end(), std::back_inserter(first));
  rest = std::move(first);
  sort_by_place(rest);
}

}  // namespace

UserData read_user_data(std::string_view bytes, const std::string& file, const parse::Variables* variables,
                        const Flags& flags, Surroundings surroundings) {
  parse::Unwrapped unwrapped = parse::unwrap(bytes, file, variables);
  UserData read;
  read.documents = std::move(unwrapped.documents);
  // An expression that could not be evaluated was told as such, and stands where a value would.
  const auto of_template = [](const Error& e) { return e.id.starts_with("jinja."); };
  surroundings.templates = !variables || std::any_of(unwrapped.errors.begin(), unwrapped.errors.end(), of_template);
  if (!read.documents.empty()) {
    read.loaded = load(read.documents, flags, surroundings, true);
    // The join document may be the one that could not be read.
    if (!unwrapped.errors.empty())
      std::erase_if(read.loaded.errors, [](const Error& e) { return e.id == "config.no-document"; });
  }
  prepend(std::move(unwrapped.errors), read.loaded.errors);
  prepend(std::move(unwrapped.warnings), read.loaded.warnings);
  return read;
}

}  // namespace kubejoin::config
