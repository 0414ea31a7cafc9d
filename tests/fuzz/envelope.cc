// Fuzzes unwrap(): gzip, base64, MIME, templates, cloud-config and bare documents, in any nesting.
#include <cstdint>
#include <cstdlib>

#include "parse/envelope.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kubejoin::parse;
  static const Variables kVariables = {
      {"v1.local_hostname", "node-1"}, {"ds.meta_data.local-hostname", "node-1.example"}, {"v1.region", "it's #1: {{"}};
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const Variables* variables : {&kVariables, static_cast<const Variables*>(nullptr)}) {
    const Unwrapped unwrapped =
        unwrap(bytes, "user-data", variables, {.bytes = 1 << 16, .depth = 32, .nodes = 5000, .scalar = 1 << 14});
    for (const auto& list : {unwrapped.errors, unwrapped.warnings, unwrapped.unread})
      for (const auto& error : list)
        if (error.kind != kubejoin::Kind::invalid || error.id.empty() || error.message.empty() ||
            error.place.file != "user-data")
          std::abort();
    for (const Document& document : unwrapped.documents)
      if (document.root.type != Type::map || document.place(document.root.mark).line < 1) std::abort();
  }
  return 0;
}
