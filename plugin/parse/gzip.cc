// gzip, inflated with a limit, so that a small bomb stays small.
#include <zlib.h>

#include <algorithm>
#include <array>

#include "parse/layers.h"

namespace kubejoin::parse {
namespace {

struct Inflater {
  z_stream stream{};
  bool ready = inflateInit2(&stream, 15 + 16) == Z_OK;  // 16: with a gzip header
  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream); }
};

}  // namespace

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b\x08"); }

Result<std::string> gunzip(std::string_view bytes, Allowance& allowance) {
  Inflater inflater;
  z_stream& stream = inflater.stream;
  if (!inflater.ready) return fail(Kind::machine, "gzip.memory", "unable to unpack gzip data: out of memory");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib's interface; never written
  stream.avail_in = static_cast<uInt>(bytes.size());

  std::string out;
  std::array<char, 64 << 10> buffer;
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    const std::size_t count = buffer.size() - stream.avail_out;
    if (count > allowance.bytes)
      return fail(Kind::invalid, "gzip.too-large",
                  "the data is larger after unpacking than the 10 MiB that kubejoin reads",
                  "let the machine fetch large files itself");
    allowance.bytes -= count;
    out.append(buffer.data(), count);
    if (status == Z_STREAM_END) {
      const std::string_view rest = bytes.substr(bytes.size() - stream.avail_in);
      if (rest.find_first_not_of('\0') == rest.npos) return out;
      if (!is_gzip(rest))
        return fail(Kind::invalid, "gzip.broken", "unable to unpack gzip data: other data follows its end");
      inflateReset(&stream);
    } else if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && count == 0)) {
      return fail(Kind::invalid, "gzip.broken",
                  "unable to unpack gzip data: it is truncated after " + std::to_string(bytes.size()) + " bytes",
                  "the platform's size limit may have cut it off");
    } else if (status != Z_OK) {
      return fail(Kind::invalid, "gzip.broken",
                  std::string("unable to unpack gzip data: ") + (stream.msg ? stream.msg : "it is damaged"),
                  "compress it again, and pass it as binary, not as text");
    }
  }
}

}  // namespace kubejoin::parse
