// Fuzzes what looks for secrets and identity in the files of an image. A place that is told is in the text.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "image/traces.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const kubejoin::image::Trace& trace : kubejoin::image::traces()) {
    if (trace.look == nullptr) continue;
    for (const kubejoin::image::Spot& spot : trace.look(text))
      if (spot.at >= text.size() || spot.what.empty()) std::abort();
  }
  return 0;
}
