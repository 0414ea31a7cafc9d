// Fuzzes cloud-config, and holds it to its promise: a line that an error shows is the line of the user's own file.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "base/secret.h"
#include "base/text.h"
#include "parse/envelope.h"

namespace {

using namespace kubejoin;
using namespace kubejoin::parse;

void check_place(const Place& place, const std::vector<std::string>& lines) {
  if (place.text.empty() || place.part.find("decoded") != std::string::npos) return;
  std::string line = place.line >= 1 && place.line <= static_cast<int>(lines.size())
                         ? lines[static_cast<std::size_t>(place.line - 1)]
                         : "";
  if (line.ends_with('\r')) line.pop_back();
  // A byte order mark in front of an inner text is skipped.
  const std::string whole = without_tokens(replace_all(line, "\xEF\xBB\xBF", "")), shown = replace_all(place.text, "\xEF\xBB\xBF", "");
  if (whole == shown) return;
  // Of a text on one line with its key or dash, blanks stand for what is before it.
  const std::string_view inner = trim(shown);
  if (shown.starts_with(' ') && whole.find(inner) != std::string::npos) return;
  std::fprintf(stderr, "line %d is \"%s\", shown is \"%s\" (%s)\n", place.line, line.c_str(), place.text.c_str(),
               place.part.c_str());
  std::abort();
}

void check_places(const Document& document, const Value& value, const std::vector<std::string>& lines) {
  check_place(document.place(value.mark), lines);
  for (const Value& item : value.items) check_places(document, item, lines);
  for (const Value::Member& member : value.members) {
    check_place(document.place(member.mark), lines);
    check_places(document, member.value, lines);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = "#cloud-config\n" + std::string(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> lines = split(text, '\n');
  const Unwrapped unwrapped =
      unwrap(text, "user-data", nullptr, {.bytes = 1 << 16, .depth = 32, .nodes = 5000, .scalar = 1 << 14});
  for (const Error& error : unwrapped.errors) check_place(error.place, lines);
  for (const Error& error : unwrapped.warnings) check_place(error.place, lines);
  for (const Document& document : unwrapped.documents) check_places(document, document.root, lines);
  return 0;
}
