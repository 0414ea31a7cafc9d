// Fuzzes everything between YAML and JoinConfig: schemas, upgrades, rules. Whatever is said is one printable line, at a
// place, without a secret.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "config/load.h"
#include "parse/document.h"

namespace {

using namespace kubejoin;

// What no message of ours contains; the seeds have it in token fields.
constexpr char kCanary[] = "OPEN+SESAME";

// Texts of token fields that stand nowhere else in the document.
void collect_secrets(const parse::Value& value, const std::string& text, std::vector<std::string>& into) {
  for (const parse::Value& item : value.items) collect_secrets(item, text, into);
  for (const parse::Value::Member& member : value.members) {
    const std::string& secret = member.value.text;
    const bool named = member.key == "token" || member.key == "tlsBootstrapToken" || member.key == "discoveryToken";
    const auto at = text.find(secret);
    const bool marked = secret.find(kCanary) != secret.npos && at != text.npos;
    if (named && marked && text.find(secret, at + 1) == text.npos) into.push_back(secret);
    collect_secrets(member.value, text, into);
  }
}

void require(bool fine, const char* what, const Error& error) {
  if (fine) return;
  std::fprintf(stderr, "%s: [%s] %s\nhint: %s\nline: %s\n", what, error.id.c_str(), error.message.c_str(),
               error.hint.c_str(), error.place.text.c_str());
  std::abort();
}

void check(const std::vector<Error>& errors, const std::vector<std::string>& secrets) {
  for (const Error& error : errors) {
    require(error.kind == Kind::invalid && !error.id.empty() && !error.message.empty(), "incomplete", error);
    require(error.message.find('\n') == std::string::npos && error.hint.find('\n') == std::string::npos,
            "more than one line", error);
    require(!error.place.file.empty() && (error.place.line == 0) == (error.place.column == 0), "nowhere", error);
    for (const std::string& secret : secrets)
      for (const std::string* shown : {&error.message, &error.hint, &error.place.text})
        require(shown->find(secret) == std::string::npos, "a secret", error);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto source = std::make_shared<parse::Source>();
  source->file = "fuzz";
  source->text.assign(reinterpret_cast<const char*>(data), size);
  const parse::Yaml yaml = parse::read_yaml(source, {.bytes = 1 << 16, .depth = 32, .nodes = 5000, .scalar = 1 << 14});
  std::vector<std::string> secrets;
  for (const parse::Document& document : yaml.documents) collect_secrets(document.root, source->text, secrets);
  for (const bool strict : {true, false}) {
    const config::Loaded loaded =
        config::load(yaml.documents, {}, {.hostname = "host", .working_directory = "/", .templates = !strict}, strict);
    check(loaded.errors, secrets);
    check(loaded.warnings, secrets);
    if (loaded.errors.empty() && !loaded.config.token_discovery && !loaded.config.file_discovery) std::abort();
    (void)config::effective_kubelet_args(loaded.config);
  }
  return 0;
}
