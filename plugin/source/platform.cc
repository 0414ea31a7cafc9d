// Instance data, encodings and the words of the kernel command line, for the platforms' files.
#include "source/platform.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace kubejoin::source {
namespace {

// Where platforms put user-data and vendor data inside their metadata (DigitalOcean, Vultr, Azure, Oracle, GCE).
constexpr std::array<std::string_view, 6> kUserDataKeys = {"user_data", "userdata", "vendor_data", "vendordata", "customdata", "startup_script"};

constexpr std::size_t kMaxValues = 4096;

std::string underscored(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

}  // namespace

std::string Metadata::get(std::string_view name) const {
  const std::string wanted = underscored(name);
  for (const auto& [key, value] : values)
    if (key == wanted) return value;
  return {};
}

void put(Metadata& metadata, const std::string& name, std::string value) {
  std::string key = underscored(name);
  const auto place = std::lower_bound(metadata.values.begin(), metadata.values.end(), key,
                                      [](const auto& pair, const std::string& wanted) { return pair.first < wanted; });
  const bool taken = place != metadata.values.end() && place->first == key;
  if (!value.empty() && !taken && metadata.values.size() < kMaxValues) metadata.values.insert(place, {std::move(key), std::move(value)});
}

void put_tree(Metadata& metadata, const std::string& name, const parse::Value& tree) {
  for (const auto& member : tree.members) {
    const std::string key = underscored(lower(member.key));
    if (std::find(kUserDataKeys.begin(), kUserDataKeys.end(), key) == kUserDataKeys.end())
      put_tree(metadata, name + "." + member.key, member.value);
  }
  for (std::size_t i = 0; i < tree.items.size(); ++i) put_tree(metadata, name + "." + std::to_string(i), tree.items[i]);
  if (tree.type != parse::Type::null) put(metadata, name, tree.text);
}

void put_platform(Metadata& metadata, std::string_view cloud_name, std::string_view platform) {
  put(metadata, "v1.cloud_name", std::string(cloud_name));
  put(metadata, "v1.platform", std::string(platform));
}

Result<parse::Value> read_tree(std::string text, const std::string& where) {
  auto yaml = parse::read_yaml(std::make_shared<const parse::Source>(parse::Source{.file = where, .part = {}, .text = std::move(text)}),
                               {.bytes = kMaxMetadata, .depth = 32, .nodes = 20'000, .scalar = kMaxMetadata});
  if (yaml.errors.empty() && yaml.documents.empty()) return parse::make_map();
  // A proxy's page may well be a YAML scalar.
  const bool is_tree = yaml.errors.empty() && (yaml.documents.front().root.type == parse::Type::map || yaml.documents.front().root.type == parse::Type::list);
  if (!is_tree)
    return fail(Kind::unavailable, "source.metadata", "unable to read the metadata of " + where + ": it is no JSON and no YAML",
                "something between this machine and its metadata service may answer in its place");
  return std::move(yaml.documents.front().root);
}

std::string scalar_at(const parse::Value& tree, std::string_view pointer) {
  const parse::Value* value = tree.at(pointer);
  return value == nullptr || value->type == parse::Type::null ? std::string() : value->text;
}

Result<std::string> decoded(std::string_view text, const std::string& where) {
  auto bytes = base64_decode(trim(text));
  if (!bytes) return fail(Kind::invalid, "source.base64", "the user-data of " + where + " is not the base64 that it has to be there");
  return std::move(*bytes);
}

std::vector<std::string> words_of(std::string_view command_line) {
  std::vector<std::string> words;
  bool in_word = false, in_quotes = false;
  for (const char c : command_line) {
    if (c == '"') in_quotes = !in_quotes;
    const bool gap = !in_quotes && (c == ' ' || c == '\t' || c == '\n');
    if (!gap && !in_word) words.emplace_back();
    in_word = !gap;
    if (in_word && c != '"') words.back() += c;
  }
  return words;
}

bool has_word(const Evidence& evidence, std::string_view word) {
  const auto words = words_of(evidence.kernel_command_line);
  return std::find(words.begin(), words.end(), word) != words.end();
}

Result<Fetched> from_file(Host& host, const std::string& path) {
  Fetched fetched;
  fetched.origin = path;
  auto bytes = host.read(path, kMaxUserData);
  if (!bytes && bytes.error().id != "file.absent") return tl::unexpected(std::move(bytes).error());
  if (bytes) fetched.user_data = std::move(*bytes);
  return fetched;
}

bool exists(Host& host, const std::string& path) { return host.stat(path).has_value(); }

std::string sha256_hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  // Fails on lack of memory alone; an empty digest then equals none.
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) != 1) size = 0;
  return hex({reinterpret_cast<const char*>(digest), size});
}

}  // namespace kubejoin::source
