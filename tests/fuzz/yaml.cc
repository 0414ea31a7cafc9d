// Fuzzes the YAML reader: whatever it accepts must survive being written as JSON and as YAML and read again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "parse/document.h"
#include "parse/utf8.h"

namespace {

using namespace kubejoin::parse;

Yaml read(std::string text) {
  auto source = std::make_shared<Source>();
  source->file = "fuzz";
  source->text = std::move(text);
  return read_yaml(source, {.bytes = 1 << 16, .depth = 32, .nodes = 5000, .scalar = 1 << 14});
}

// !!binary may hold what no text can, and a key of more than 1024 characters is no YAML key.
bool writable(const Value& value) {
  if (value.text.size() > 4000) return false;
  for (const Value& item : value.items)
    if (!writable(item)) return false;
  for (const Value::Member& member : value.members)
    if (member.key.size() > 150 || !writable(member.value)) return false;
  return true;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void check_same(const std::string& written, const std::string& json, const char* how) {
  const Yaml again = read(written);
  if (again.errors.empty() && again.documents.size() == 1 && to_json(again.documents[0].root) == json) return;
  std::fprintf(stderr, "%s does not read back:\n%s\nas %s\n%s\n", how, written.c_str(), json.c_str(),
               again.errors.empty() ? to_json(again.documents.empty() ? Value() : again.documents[0].root).c_str()
                                    : again.errors[0].message.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Yaml yaml = read(text);
  if (!yaml.errors.empty() && !yaml.documents.empty()) std::abort();
  for (const auto& error : yaml.errors)
    if (error.kind != kubejoin::Kind::invalid || error.place.line < 1 || error.place.column < 1) std::abort();
  for (const Document& document : yaml.documents) {
    const std::string json = to_json(document.root);
    const std::string block = to_yaml(document.root);
    if (!writable(document.root) || !is_utf8(block) || json.size() > 30000) continue;
    check_same(json, json, "JSON");
    check_same(block, json, "YAML");
  }
  return 0;
}
