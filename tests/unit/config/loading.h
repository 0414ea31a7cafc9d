// What the tests of config share: YAML in, Loaded out, and short words for what it says.
#pragma once

#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "../test.h"
#include "config/load.h"

namespace kubejoin::config {

inline constexpr char kToken[] = "abcdef.0123456789abcdef";
inline constexpr char kOtherToken[] = "defghi.0123456789defghi";
inline constexpr char kPin[] = "sha256:8dca61852aa6fea3a8c70ca5429a7aa560676bd3925d1f67f7a34d1ee5671fa4";

inline std::vector<parse::Document> documents_of(const std::string& yaml, const std::string& file = "join.yaml") {
  auto source = std::make_shared<parse::Source>();
  source->file = file;
  source->text = yaml;
  parse::Yaml read = parse::read_yaml(source);
  for (const Error& error : read.errors) FAIL(error.message);
  return std::move(read.documents);
}

inline Loaded load_yaml(const std::string& yaml, const Flags& flags = {}, bool strict = true,
                        const Surroundings& surroundings = {"host-1"}) {
  return load(documents_of(yaml), flags, surroundings, strict);
}

inline Loaded load_flags(const Flags& flags) { return load({}, flags, {"host-1"}, false); }

inline std::string read_file(const std::string& path) {
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Everything that a person could see of it.
inline std::string whole_text(const Error& e) {
  std::string place = e.place.file + (e.place.part.empty() ? "" : " (" + e.place.part + ")");
  if (e.place.line > 0) place += ":" + std::to_string(e.place.line) + ":" + std::to_string(e.place.column);
  return place + ": " + e.message + " [" + e.id + "]\n" + (e.place.text.empty() ? "" : "  | " + e.place.text + "\n") +
         (e.hint.empty() ? "" : "  hint: " + e.hint + "\n");
}

inline std::string whole_text(const std::vector<Error>& errors) {
  std::string text;
  for (const Error& error : errors) text += whole_text(error);
  return text;
}

inline std::string ids(const std::vector<Error>& errors) {
  std::string text;
  for (const Error& error : errors) text += (text.empty() ? "" : " ") + error.id;
  return text;
}

inline std::string origin_of(const Loaded& loaded, std::string_view path) {
  for (const auto& [name, origin] : loaded.origins)
    if (name == path) return origin;
  return "";
}

}  // namespace kubejoin::config
