// Fuzzes the Ignition reader: configs, data: URLs, gzip, merged configs.
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "parse/layers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kubejoin::parse;
  auto source = std::make_shared<Source>();
  source->file = "user-data";
  source->text.assign(reinterpret_cast<const char*>(data), size);
  for (const Document& document :
       read_yaml(source, {.bytes = 1 << 16, .depth = 32, .nodes = 5000, .scalar = 1 << 14}).documents) {
    Allowance allowance{1 << 20};
    const Carried carried = read_ignition(document, allowance);
    for (const auto& list : {carried.told.errors, carried.told.damaged, carried.told.unread, carried.told.warnings})
      for (const auto& error : list)
        if (error.place.line < 1 || !error.place.text.empty()) std::abort();
    if (!carried.documents.empty() || !carried.texts.empty()) std::abort();
  }
  unwrap(source->text, "user-data", nullptr);
  return 0;
}
