// Ignition: the files of storage.files whose content is in the config itself.
#include <algorithm>
#include <map>
#include <optional>

#include "base/text.h"
#include "parse/layers.h"

namespace kubejoin::parse {
namespace {

constexpr std::size_t kMostErrors = 50;

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto plain = std::min(text.find('%'), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto byte = hex_decode(text.substr(1, 2));
    if (!byte || byte->size() != 1) return {};
    out += *byte;
    text.remove_prefix(3);
  }
  return out;
}

// The bytes of a data: URL (RFC 2397); nothing when it is damaged.
std::optional<std::string> decode_data_url(std::string_view url) {
  const auto comma = url.find(',');
  if (comma == url.npos) return {};
  auto data = percent_decode(url.substr(comma + 1));
  if (!data || !lower(url.substr(0, comma)).ends_with(";base64")) return data;
  std::replace(data->begin(), data->end(), '-', '+');
  std::replace(data->begin(), data->end(), '_', '/');
  return base64_decode(*data);
}

class Reader {
 public:
  Reader(const Document& document, Allowance& allowance) : document_(document), allowance_(allowance) {}

  Carried read() {
    warn_of_version();
    if (const Value* files = document_.root.at("/storage/files"); files && files->type == Type::list)
      for (std::size_t i = 0; i < files->items.size(); ++i)
        read_file(files->items[i], "storage.files[" + std::to_string(i) + "]");
    // Other configs, given in place: merge and replace in 3.x, append and replace in 2.x.
    for (const char* list : {"merge", "append"})
      if (const Value* configs = document_.root.at(std::string("/ignition/config/") + list);
          configs && configs->type == Type::list)
        for (std::size_t i = 0; i < configs->items.size(); ++i)
          read_config(configs->items[i], std::string("ignition.config.") + list + "[" + std::to_string(i) + "]");
    if (const Value* config = document_.root.at("/ignition/config/replace"))
      read_config(*config, "ignition.config.replace");
    return std::move(carried_);
  }

 private:
  // What a version of tomorrow means by its fields is not known; that Ignition itself refuses it is.
  void warn_of_version() {
    const Value* version = document_.root.at("/ignition/version");
    if (!version || version->text.starts_with("2.") || version->text.starts_with("3.")) return;
    carried_.told.warnings.push_back(
        fail(Kind::invalid, "ignition.version", "unknown version " + quoted(version->text, 40) + " of Ignition's config", "kubejoin reads 2.x and 3.x").value());
    carried_.told.warnings.back().place = document_.place(version->mark, true);
  }

  void read_config(const Value& resource, const std::string& name) {
    if (auto source = unpack(resource, name, "")) carried_.configs.push_back({name, "", std::move(source)});
  }

  void read_file(const Value& entry, const std::string& name) {
    const std::string path = entry.string_or("path", "");
    const Value* append = entry.find("append");  // 3.x: a list of contents; 2.x: a boolean
    if (const Value* contents = entry.find("contents")) add(path, name, *contents, append && append->boolean);
    if (append && append->type == Type::list)
      for (std::size_t i = 0; i < append->items.size(); ++i)
        add(path, name + ".append[" + std::to_string(i) + "]", append->items[i], true);
  }

  void add(const std::string& path, const std::string& name, const Value& resource, bool append) {
    auto source = unpack(resource, name, path);
    if (!source) return;
    const auto [place, fresh] = by_path_.emplace(path, carried_.files.size());
    if (fresh) return carried_.files.push_back({name, path, std::move(source)});
    File& earlier = carried_.files[place->second];
    if (append)
      earlier.source->text += source->text;
    else
      earlier = {name, path, std::move(source)};
  }

  std::shared_ptr<Source> unpack(const Value& resource, const std::string& name, const std::string& path) {
    const Value* url = resource.find("source");
    if (!url || url->type != Type::string || url->text.empty()) return {};
    const auto refuse = [&](std::string_view id, std::string message, std::string hint) {
      auto& list = path.find("kube") != path.npos ? carried_.told.damaged : carried_.told.unread;
      if (list.size() >= kMostErrors) return nullptr;
      Error e = fail(Kind::invalid, id, std::move(message), std::move(hint)).value();
      e.place = document_.place(url->mark, true);
      list.push_back(std::move(e));
      return nullptr;
    };
    if (!lower(url->text.substr(0, 5)).starts_with("data:")) {
      if (carried_.pointers.size() < kMostErrors)
        carried_.pointers.push_back({path.empty() ? name : name + " (" + printable(path, 80) + ")", url->text, path, document_.place(url->mark, true)});
      return {};
    }
    auto bytes = decode_data_url(url->text);
    if (!bytes)
      return refuse("ignition.source", "unable to decode " + name + ": its data: URL is damaged",
                    "data:;base64,… or data:,… with % escapes");
    const std::string compression = resource.string_or("compression", "");
    if (compression == "gzip") {
      auto unpacked = gunzip(*bytes, allowance_);
      if (!unpacked)
        return refuse(unpacked.error().id, "unable to read " + name + ": " + unpacked.error().message,
                      unpacked.error().hint);
      bytes = std::move(*unpacked);
    } else if (!compression.empty()) {
      return refuse("ignition.compression", "unknown compression " + quoted(compression, 40) + " of " + name,
                    "use gzip, or none");
    }
    auto source = std::make_shared<Source>();
    source->file = document_.source->file;
    source->part = part_within(document_.source->part, name + ", decoded");
    source->text = std::move(*bytes);
    return source;
  }

  const Document& document_;
  Allowance& allowance_;
  Carried carried_;
  std::map<std::string, std::size_t> by_path_;
};

}  // namespace

Carried read_ignition(const Document& document, Allowance& allowance) { return Reader(document, allowance).read(); }

}  // namespace kubejoin::parse
