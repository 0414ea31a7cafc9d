// What the platforms' files share: the kernel's words, instance data, encodings. Each ends with its row, which source.cc lists.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "parse/document.h"
#include "source/source.h"

namespace kubejoin::source {

constexpr std::size_t kMaxUserData = 1 << 20;   // the largest platform's limit is 256 KiB (GCE, Azure: 64 KiB)
constexpr std::size_t kMaxMetadata = 1 << 20;

// Sets `name` unless the value is empty. Of two values for one name the first stands.
void put(Metadata& metadata, const std::string& name, std::string value);
// All scalars of a tree, below `name`. Keys that hold user-data or vendor data are left out.
void put_tree(Metadata& metadata, const std::string& name, const parse::Value& tree);
// The two names by which cloud-init knows a platform: v1.cloud_name and v1.platform.
void put_platform(Metadata& metadata, std::string_view cloud_name, std::string_view platform);

// Metadata in JSON or YAML. `where` is named in the error, Kind::unavailable "source.metadata": the text itself is not, it may
// hold user-data. An empty text is an empty map.
Result<parse::Value> read_tree(std::string text, const std::string& where);
// The scalar at a JSON pointer, or "".
std::string scalar_at(const parse::Value& tree, std::string_view pointer);

// Base64 where the platform's protocol says base64; Kind::invalid "source.base64" when it is none.
Result<std::string> decoded(std::string_view text, const std::string& where);

// The kernel command line's words, quotes removed as the kernel understands them.
std::vector<std::string> words_of(std::string_view command_line);
bool has_word(const Evidence& evidence, std::string_view word);

// A source that one Host::read answers: what is absent is "the user gave none".
Result<Fetched> from_file(Host& host, const std::string& path);
bool exists(Host& host, const std::string& path);

// SHA-256 in lower case hexadecimal.
std::string sha256_hex(std::string_view bytes);

}  // namespace kubejoin::source
