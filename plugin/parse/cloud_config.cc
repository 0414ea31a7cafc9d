// cloud-config: the files that write_files would write, and the documents under our own key.
#include <algorithm>
#include <map>
#include <optional>

#include "base/text.h"
#include "parse/layers.h"

namespace kubejoin::parse {
namespace {

constexpr std::size_t kMostErrors = 50;

enum class Packing { none, base64, gzip, gzip_in_base64 };

// cloudinit/config/cc_write_files.py, canonicalize_extraction().
std::optional<Packing> packing_of(std::string_view encoding) {
  static const std::map<std::string, Packing, std::less<>> kPackings = {
      {"", Packing::none},
      {"text/plain", Packing::none},
      {"b64", Packing::base64},
      {"base64", Packing::base64},
      {"gz", Packing::gzip},
      {"gzip", Packing::gzip},
      {"gz+b64", Packing::gzip_in_base64},
      {"gz+base64", Packing::gzip_in_base64},
      {"gzip+b64", Packing::gzip_in_base64},
      {"gzip+base64", Packing::gzip_in_base64},
  };
  const auto found = kPackings.find(lower(trim(encoding)));
  if (found == kPackings.end()) return {};
  return found->second;
}

bool is_true(const Value* value) {  // as Python's truth of what PyYAML (YAML 1.1) read
  if (!value) return false;
  const std::string text = lower(value->text);
  return value->type == Type::boolean ? value->boolean : text == "yes" || text == "on" || text == "true";
}

// Finds where a text stands in its file, so that an error inside it names the user's own line: the content of a literal block, and what is
// written on one line as it is.
class Blocks {
 public:
  explicit Blocks(const Document& document) : outer_(document.source) {
    std::string_view rest = outer_->text;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      lines_.push_back(rest.substr(0, end).ends_with('\r') ? rest.substr(0, end - 1) : rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  std::shared_ptr<Source> inner(const Value& value, std::string_view name) const {
    auto source = std::make_shared<Source>();
    source->file = outer_->file;
    source->part = part_within(outer_->part, name);
    source->text = value.text;
    if (const auto indent = indentation(value)) {
      source->first_line = outer_->first_line + value.mark.line;  // the block begins on the line after its |
      source->first_column = outer_->first_column + static_cast<int>(*indent);
    } else if (const auto column = column_on_line(value)) {
      source->first_line = outer_->first_line + value.mark.line - 1;
      source->first_column = outer_->first_column + *column;
    } else {
      source->part += ", decoded";
    }
    return source;
  }

 private:
  // How many characters stand before a text that is on one line without an escape.
  std::optional<int> column_on_line(const Value& value) const {
    constexpr std::size_t kLongest = 4096;  // of a line: characters are counted from its begin
    if (value.mark.line < 1 || static_cast<std::size_t>(value.mark.line) > lines_.size() || value.mark.column < 1) return {};
    const std::string_view line = lines_[static_cast<std::size_t>(value.mark.line) - 1];
    auto begin = static_cast<std::size_t>(value.mark.column) - 1;
    if (begin >= line.size() || line.size() > kLongest) return {};
    const bool quoted = !value.plain && (line[begin] == '"' || line[begin] == '\'');
    if (quoted) ++begin;
    if (!line.substr(begin).starts_with(value.text) || (quoted && line.substr(begin + value.text.size(), 1) != line.substr(begin - 1, 1))) return {};
    return static_cast<int>(std::count_if(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(begin), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  }

  // Of a literal block's content; nothing when the value was written in any other way. The first line tells how deep it
  // is, every line is compared: a place is either exact or not claimed.
  std::optional<std::size_t> indentation(const Value& value) const {
    std::optional<std::size_t> indent;
    auto at = static_cast<std::size_t>(value.mark.line);
    if (value.plain || value.mark.line < 1 || at > lines_.size() || lines_[at - 1].find('|') == std::string_view::npos)
      return {};
    for (std::string_view rest = value.text; !rest.empty(); ++at) {
      const auto end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      if (at >= lines_.size()) return trim(rest).empty() ? indent : std::nullopt;
      if (!line.empty()) {
        if (!lines_[at].ends_with(line)) return {};
        const auto depth = lines_[at].size() - line.size();
        if (indent.value_or(depth) != depth || lines_[at].find_first_not_of(' ') < depth) return {};
        indent = depth;
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return indent;
  }

  std::shared_ptr<const Source> outer_;
  std::vector<std::string_view> lines_;
};

class Reader {
 public:
  Reader(const Document& document, Allowance& allowance)
      : document_(document), allowance_(allowance), blocks_(document) {}

  Carried read() {
    if (const Value* files = document_.root.find("write_files")) read_files(*files);
    if (const Value* ours = document_.root.find("kubejoin"))
      read_ours(*ours, "kubejoin");
    else
      suggest_key();
    for (const char* key : {"bootcmd", "runcmd"})
      if (const Value* commands = document_.root.find(key)) read_commands(*commands, key);
    refuse_stray_document();
    return std::move(carried_);
  }

 private:
  // The text below "content: |" was not indented: its keys have become the cloud-config's own.
  void refuse_stray_document() {
    const auto& members = document_.root.members;
    const auto version = std::find_if(members.begin(), members.end(), [](const Value::Member& m) { return m.key == "apiVersion"; });
    const std::string api_version = document_.api_version();
    if (version == members.end() || (!api_version.starts_with("kubeadm.k8s.io/") && !api_version.starts_with("kubejoin/"))) return;
    Error e = error(version->value, "cloud-config.indentation",
                    "a document of " + quoted(api_version, 40) + " stands among the keys of the cloud-config",
                    "indent all of it below the \"content: |\" of its write_files entry, or below the key kubejoin");
    e.place = document_.place(version->mark);
    carried_.errors.push_back(std::move(e));
  }

  Error error(const Value& value, std::string_view id, std::string message, std::string hint = {}) const {
    Error e = fail(Kind::invalid, id, std::move(message), std::move(hint)).value();
    e.place = document_.place(value.mark, true);  // a content may hold anything: its line is not shown
    return e;
  }

  // What cannot be read is our affair when the path says so.
  void unreadable(const std::string& path, Error e) {
    (path.find("kube") != path.npos ? carried_.errors : carried_.doubts).push_back(std::move(e));
  }

  void read_files(const Value& files) {
    if (files.type == Type::null) return;
    if (files.type != Type::list) {
      carried_.errors.push_back(
          error(files, "cloud-config.write-files", "write_files must be a list", "begin each file with \"- path:\""));
      return;
    }
    for (std::size_t i = 0; i < files.items.size() && carried_.errors.size() + carried_.doubts.size() < kMostErrors;
         ++i)
      read_file(files.items[i], "write_files[" + std::to_string(i) + "]");
  }

  void read_file(const Value& entry, const std::string& name) {
    const std::string path = entry.string_or("path", "");
    const Value* content = entry.find("content");
    if (entry.type != Type::map)
      return carried_.doubts.push_back(
          error(entry, "cloud-config.write-files", name + " must be a map", "begin it with \"- path:\""));
    if (!content || content->type == Type::null) return;  // an empty file, or one from a URL
    if (content->type == Type::map || content->type == Type::list)
      return unreadable(path, error(*content, "cloud-config.content",
                                    "the content of " + name + " must be a text, not a " +
                                        (content->type == Type::map ? "map" : "list"),
                                    "write \"content: |\" and begin the text on the next line"));
    auto source = unpack(entry, *content, path, name);
    if (!source) return;

    // What the machine finds in the end: a later entry replaces an earlier one, or appends to it.
    const auto [place, fresh] = by_path_.emplace(path, carried_.files.size());
    if (fresh) return carried_.files.push_back({name, path, std::move(source)});
    File& earlier = carried_.files[place->second];
    if (is_true(entry.find("append"))) {
      earlier.source->text += source->text;
      earlier.source->part = part_within(document_.source->part, earlier.name + " and what is appended, decoded");
      earlier.source->first_line = earlier.source->first_column = 1;
    } else {
      earlier = {name, path, std::move(source)};
    }
  }

  std::shared_ptr<Source> unpack(const Value& entry, const Value& content, const std::string& path,
                                 const std::string& name) {
    const Value* encoding = entry.find("encoding");
    const auto packing = packing_of(encoding ? encoding->text : "");
    if (!packing) {
      static const std::vector<std::string> kKnown = {"b64",       "base64",   "gz",          "gzip",      "gz+b64",
                                                      "gz+base64", "gzip+b64", "gzip+base64", "text/plain"};
      const auto guess = did_you_mean(lower(encoding->text), kKnown);
      unreadable(path, error(*encoding, "cloud-config.encoding",
                             "unknown encoding " + quoted(encoding->text, 40) + " in " + name,
                             guess ? "did you mean " + *guess + "?" : "use one of " + join(kKnown, ", ")));
      return {};
    }
    auto source = blocks_.inner(content, name);
    if (*packing == Packing::none) return source;

    source->part = part_within(document_.source->part, name + ", decoded");
    source->first_line = source->first_column = 1;
    if (*packing != Packing::gzip) {
      std::string compact = content.text;
      std::erase_if(compact, [](char c) { return c == ' ' || c == '\t'; });
      auto bytes = base64_decode(compact);
      if (!bytes) {
        unreadable(path,
                   error(content, "cloud-config.base64", "unable to decode " + name + ": its content is no base64",
                         "make it with: base64 -w0 FILE"));
        return {};
      }
      source->text = std::move(*bytes);
    }
    if (*packing != Packing::base64) {
      auto bytes = gunzip(source->text, allowance_);
      if (!bytes) {
        unreadable(path, error(content, bytes.error().id, "unable to read " + name + ": " + bytes.error().message,
                               "make it with: gzip -c FILE | base64 -w0"));
        return {};
      }
      source->text = std::move(*bytes);
    }
    return source;
  }

  // cloudinit/util.py, shellify(): a text is a line of a shell script, a list is a command and its arguments.
  void read_commands(const Value& commands, const std::string& key) {
    constexpr std::size_t kMost = 1000;
    for (std::size_t i = 0; i < commands.items.size() && i < kMost; ++i) {
      const Value& command = commands.items[i];
      const std::string name = key + "[" + std::to_string(i) + "]";
      if (command.type == Type::string)
        carried_.scripts.push_back({name, blocks_.inner(command, name), {}});
      else if (command.type == Type::list)
        carried_.scripts.push_back({name, document_.source, command.items});
    }
  }

  // Our key holds a document, a list of them, or a text.
  void read_ours(const Value& value, const std::string& name) {
    if (value.type == Type::map) {
      carried_.documents.push_back({document_.source, value});
    } else if (value.type == Type::string) {
      carried_.texts.push_back({name, "", blocks_.inner(value, name)});
    } else if (value.type == Type::list && name == "kubejoin") {
      for (std::size_t i = 0; i < value.items.size() && carried_.errors.size() < kMostErrors; ++i)
        read_ours(value.items[i], name + "[" + std::to_string(i) + "]");
    } else {
      carried_.errors.push_back(
          error(value, "cloud-config.kubejoin", name + " must hold a document, a list of documents, or a text"));
    }
  }

  void suggest_key() {
    static const std::vector<std::string> kOurs = {"kubejoin"};
    const auto& members = document_.root.members;
    const auto near = std::find_if(members.begin(), members.end(), [](const Value::Member& member) {
      return did_you_mean(lower(member.key), kOurs).has_value();
    });
    if (near == members.end()) return;
    Error e = error(near->value, "cloud-config.key", "unknown key " + quoted(near->key, 40), "did you mean kubejoin?");
    e.place = document_.place(near->mark);
    carried_.warnings.push_back(std::move(e));
  }

  const Document& document_;
  Allowance& allowance_;
  const Blocks blocks_;
  Carried carried_;
  std::map<std::string, std::size_t> by_path_;
};

}  // namespace

Carried read_cloud_config(const Document& document, Allowance& allowance) { return Reader(document, allowance).read(); }

}  // namespace kubejoin::parse
