// cloud-config: merged over all parts; the files that write_files would write, what would be run, and the documents under our own key.
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
  static constexpr std::pair<std::string_view, Packing> kPackings[] = {
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
  const std::string small = lower(trim(encoding));
  for (const auto& [name, packing] : kPackings)
    if (small == name) return packing;
  return {};
}

bool is_true(const Value* value) {  // cloudinit/util.py, translate_bool(), of what PyYAML (YAML 1.1) read
  if (!value) return false;
  const std::string text = lower(trim(value->text));
  return value->type == Type::boolean ? value->boolean : text == "yes" || text == "on" || text == "true" || text == "1";
}

// ---- cloudinit/mergers ------------------------------------------------------------------------------------

struct Merger {
  std::string name;
  std::vector<std::string> options;
  bool has(std::string_view option) const { return std::find(options.begin(), options.end(), option) != options.end(); }
};

// "list(append)+dict(no_replace, recurse_list)+str()"; nothing when cloud-init would refuse it.
std::optional<std::vector<Merger>> mergers_of(std::string_view text) {
  std::vector<Merger> mergers;
  for (const std::string& word : split(text, '+')) {
    const std::string one = replace_all(lower(trim(word)), "-", "_");
    if (one.empty()) continue;
    const auto open = one.find('(');
    if (open == one.npos || !one.ends_with(')')) return {};
    Merger merger{one.substr(0, open), {}};
    for (const std::string& option : split(std::string_view(one).substr(open + 1, one.size() - open - 2), ','))
      if (!trim(option).empty()) merger.options.emplace_back(trim(option));
    mergers.push_back(std::move(merger));
  }
  return mergers;
}

// The same of the key merge_how: a text, or a list of {name, settings} or [name, setting…].
std::optional<std::vector<Merger>> mergers_of(const Value& value) {
  if (value.type == Type::string) return mergers_of(std::string_view(value.text));
  std::vector<Merger> mergers;
  for (const Value& item : value.items) {
    Merger merger;
    const bool named = item.type == Type::map;
    if (!named && item.items.empty()) return {};
    merger.name = replace_all(std::string(trim(named ? item.string_or("name", "") : item.items.front().text)), "-", "_");
    const Value* settings = named ? item.find("settings") : &item;
    if (!settings) return {};
    for (const Value& setting : settings->items)
      if (named || &setting != &settings->items.front()) merger.options.push_back(setting.text);
    mergers.push_back(std::move(merger));
  }
  return mergers;
}

// How a part's value of a key meets an earlier part's.
enum class Meeting { replaces, gives_way, is_appended, is_prepended, replaces_by_index };

class Merging {
 public:
  // Nothing when cloud-init refuses the part for it.
  static std::optional<Merging> of(const CloudConfig& part) {
    const Value* how = part.document.root.find("merge_how");
    if (!how || how->type == Type::null) how = part.document.root.find("merge_type");
    auto mergers = how && how->type != Type::null ? mergers_of(*how) : std::vector<Merger>();
    const auto more = mergers_of(part.merge_type);
    if (!mergers || !more) return {};
    mergers->insert(mergers->end(), more->begin(), more->end());
    if (mergers->empty()) mergers = mergers_of("dict(replace)+list()+str()");
    Merging merging;
    for (const Merger& merger : *mergers) {
      if (merger.name != "dict" && merger.name != "list" && merger.name != "str") return {};
      auto& place = merger.name == "dict" ? merging.dict_ : merging.list_;
      if (merger.name != "str" && !place) place = merger;
    }
    if (!merging.dict_) return {};  // nothing is merged at all
    return merging;
  }

  Meeting of_lists(const Value& later) const {
    if (dict_->has("replace")) return Meeting::replaces;
    const bool recurses = dict_->has("recurse_array") || dict_->has("recurse_list");
    if (later.type != Type::list || !recurses || !list_) return Meeting::gives_way;
    if (list_->has("append")) return Meeting::is_appended;
    if (list_->has("prepend")) return Meeting::is_prepended;
    return list_->has("no_replace") && !list_->has("replace") ? Meeting::gives_way : Meeting::replaces_by_index;
  }

 private:
  std::optional<Merger> dict_, list_;
};

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

// One cloud-config, and what is read of it.
struct Part {
  explicit Part(const CloudConfig& c) : config(&c), blocks(c.document) {}
  const CloudConfig* config;
  Blocks blocks;
  const Document& document() const { return config->document; }
  std::string where(Mark mark) const {
    const Place place = document().place(mark, true);
    return (place.part.empty() ? "" : place.part + ", ") + "line " + std::to_string(place.line);
  }
};

// An entry of a key that is merged: write_files[2] of the second part.
struct Item {
  const Part* part = nullptr;
  const Value* value = nullptr;
  std::size_t index = 0;
};

class Reader {
 public:
  Reader(std::span<const CloudConfig> configs, Allowance& allowance) : allowance_(allowance) {
    parts_.reserve(configs.size());
    for (const CloudConfig& config : configs) parts_.emplace_back(config);
  }

  Carried read() {
    for (const Part& part : parts_) merge(part);
    // cc_write_files_deferred comes after all others.
    for (const bool deferred : {false, true})
      for (const Item& item : items_["write_files"])
        if (is_true(item.value->find("defer")) == deferred) read_file(item);
    for (const Item& item : items_["kubejoin"]) read_ours(item);
    for (const char* key : {"bootcmd", "runcmd"})
      for (const Item& item : items_[key]) read_command(item, key);
    for (const Part& part : parts_) {
      if (!part.document().root.find("kubejoin")) suggest_key(part);
      refuse_stray_document(part);
      tell_of_duplicates(part);
    }
    for (const Lost& lost : lost_) tell_of_lost(lost);
    return std::move(carried_);
  }

 private:
  struct Lost {
    std::string key;
    Item item;
    std::string by;  // what replaced it
    const char* hint;
  };

  static Error error(const Part& part, const Value& value, std::string_view id, std::string message,
                     std::string hint = {}) {
    return error_at(part, value.mark, true, id, std::move(message), std::move(hint));  // a content may hold anything: its line is not shown
  }
  static Error error_at(const Part& part, Mark mark, bool secret, std::string_view id, std::string message,
                        std::string hint = {}) {
    Error e = fail(Kind::invalid, id, std::move(message), std::move(hint)).value();
    e.place = part.document().place(mark, secret);
    return e;
  }
  static void tell(std::vector<Error>& list, Error e) {
    if (list.size() < kMostErrors) list.push_back(std::move(e));
  }
  // What cannot be decoded is our affair when the path says so.
  void unreadable(const std::string& path, Error e) {
    tell(path.find("kube") != path.npos ? carried_.told.damaged : carried_.told.unread, std::move(e));
  }

  // ---- all parts into one ----
  void merge(const Part& part) {
    const Value& root = part.document().root;
    const auto merging = Merging::of(*part.config);
    if (!merging) {
      const Value* how = root.find("merge_how") ? root.find("merge_how") : root.find("merge_type");
      tell(carried_.told.warnings, error(part, how ? *how : root, "cloud-config.merge", "cloud-init passes this cloud-config over: it cannot merge it so",
                                         "merge_how: 'list(append)+dict(recurse_array)+str()'"));
    }
    for (const Value::Member& member : root.members) {
      const bool mergeable = member.key == "write_files" || member.key == "kubejoin" || member.key == "runcmd" || member.key == "bootcmd";
      if (!mergeable) continue;
      std::vector<Item> more = items_of(part, member);
      if (!merging) {
        lose(member.key, more, "its cloud-config is passed over for its merge_how", "");
        continue;
      }
      const auto [place, fresh] = items_.emplace(member.key, std::vector<Item>());
      if (fresh)
        place->second = std::move(more);
      else
        join_items(member, *merging, part, std::move(more), place->second);
    }
  }

  // Of a list; our own key may hold one document without a list.
  std::vector<Item> items_of(const Part& part, const Value::Member& member) {
    const Value& value = member.value;
    std::vector<Item> items;
    if (value.type == Type::list) {
      for (std::size_t i = 0; i < value.items.size(); ++i) items.push_back({&part, &value.items[i], i});
    } else if (member.key == "kubejoin") {
      items.push_back({&part, &value, std::string::npos});
    } else if (member.key == "write_files" && value.type != Type::null) {
      const bool ours = holds_ours(value);
      tell(ours ? carried_.told.errors : carried_.told.warnings,
           error(part, value, "cloud-config.write-files", "write_files must be a list", "begin each file with \"- path:\""));
    }
    return items;
  }

  void join_items(const Value::Member& member, const Merging& merging, const Part& part, std::vector<Item> more, std::vector<Item>& items) {
    static constexpr const char* kAppend = "to keep both, give the later cloud-config: merge_how: 'list(append)+dict(recurse_array)+str()'";
    const std::string by = member.key + " of " + part.where(member.mark) + " replaces it";
    switch (merging.of_lists(member.value)) {
      case Meeting::replaces:
        lose(member.key, items, by, kAppend);
        items = std::move(more);
        break;
      case Meeting::gives_way:
        lose(member.key, more, "an earlier cloud-config has the key " + member.key + " already", kAppend);
        break;
      case Meeting::is_appended:
        items.insert(items.end(), more.begin(), more.end());
        break;
      case Meeting::is_prepended:
        items.insert(items.begin(), more.begin(), more.end());
        break;
      case Meeting::replaces_by_index:
        for (std::size_t i = 0; i < more.size(); ++i) {
          if (i < items.size()) std::swap(items[i], more[i]);
          lose(member.key, std::span<const Item>(&more[i], 1), i < items.size() ? by : "the earlier list is shorter", kAppend);
        }
    }
  }

  void lose(const std::string& key, std::span<const Item> items, const std::string& by, const char* hint) {
    constexpr std::size_t kMost = 1000;
    if (key != "write_files" && key != "kubejoin") return;
    for (const Item& item : items)
      if (lost_.size() < kMost) lost_.push_back({key, item, by, hint});
  }

  // Does a text in it, decoded or not, claim to be ours?
  static bool holds_ours(const Value& value) {
    if (claims_to_be_ours(value.text)) return true;
    if (const Value* encoding = value.find("encoding"); encoding && packing_of(encoding->text) == Packing::base64)
      if (const auto decoded = decode_base64_leniently(value.string_or("content", "")); decoded && claims_to_be_ours(decoded->bytes)) return true;
    if (const Value* version = value.find("apiVersion"); version && claims_to_be_ours("apiVersion: " + version->text)) return true;
    return std::any_of(value.items.begin(), value.items.end(), holds_ours) ||
           std::any_of(value.members.begin(), value.members.end(), [](const Value::Member& m) { return holds_ours(m.value); });
  }

  void tell_of_lost(const Lost& lost) {
    if (!holds_ours(*lost.item.value)) return;
    const std::string name = name_of(lost.key, lost.item);
    tell(carried_.told.unread, error(*lost.item.part, *lost.item.value, "cloud-config.lost",
                                     "the document of " + name + " is lost in cloud-init's merge: " + lost.by, lost.hint));
  }

  // PyYAML lets the last one win, without a word; below our own key a document is judged as strictly as anywhere.
  void tell_of_duplicates(const Part& part) {
    const auto& members = part.document().root.members;
    const auto ours = std::find_if(members.begin(), members.end(), [](const auto& m) { return m.key == "kubejoin"; });
    const auto same = [](Mark a, Mark b) { return a.line == b.line && a.column == b.column; };
    for (const Yaml::Replaced& replaced : part.config->replaced) {
      const bool strict = ours != members.end() && same(replaced.top, ours->mark) && !same(replaced.by, ours->mark);
      tell(strict ? carried_.told.errors : carried_.told.warnings, replaced.warning);
      if (strict || !holds_ours(replaced.earlier.value)) continue;
      Error lost = replaced.warning;
      lost.id = "cloud-config.lost";
      lost.message = "a document of ours is lost below the first key " + quoted(replaced.earlier.key, 80) + ": " + part.where(replaced.by) + " has the key again, and the last one counts";
      lost.hint = "write the key once, with all of its entries";
      lost.place = part.document().place(replaced.earlier.mark);
      tell(carried_.told.unread, std::move(lost));
    }
  }

  static std::string name_of(std::string_view key, const Item& item) {
    return std::string(key) + (item.index == std::string::npos ? "" : "[" + std::to_string(item.index) + "]");
  }

  // The text below "content: |" was not indented: its keys have become the cloud-config's own.
  void refuse_stray_document(const Part& part) {
    const auto& members = part.document().root.members;
    const auto version = std::find_if(members.begin(), members.end(), [](const Value::Member& m) { return m.key == "apiVersion"; });
    const std::string api_version = part.document().api_version();
    if (version == members.end() || (!api_version.starts_with("kubeadm.k8s.io/") && !api_version.starts_with("kubejoin/"))) return;
    tell(carried_.told.errors, error_at(part, version->mark, false, "cloud-config.indentation",
                                        "a document of " + quoted(api_version, 40) + " stands among the keys of the cloud-config",
                                        "indent all of it below the \"content: |\" of its write_files entry, or below the key kubejoin"));
  }

  // ---- write_files ----
  void read_file(const Item& item) {
    const Part& part = *item.part;
    const Value& entry = *item.value;
    const std::string name = name_of("write_files", item);
    const std::string path = entry.string_or("path", "");
    const Value* content = entry.find("content");
    if (entry.type != Type::map)
      return tell(holds_ours(entry) ? carried_.told.errors : carried_.told.warnings,
                  error(part, entry, "cloud-config.write-files", name + " must be a map", "begin it with \"- path:\""));
    if (const Value* url = entry.find("source")) return point(part, name, path, *url);
    if (!content || content->type == Type::null) return suggest_content(part, entry);  // or an empty file
    if (content->type == Type::map || content->type == Type::list)
      return tell(holds_ours(entry) ? carried_.told.errors : carried_.told.unread,
                  error(part, *content, "cloud-config.content",
                        "the content of " + name + " must be a text, not a " +
                            (content->type == Type::map ? "map" : "list"),
                        "write \"content: |\" and begin the text on the next line"));
    auto source = unpack(part, entry, *content, path, name);
    if (!source) return;
    if (path.empty() && claims_to_be_ours(source->text))
      tell(carried_.told.warnings, error(part, entry, "cloud-config.path", name + " has no path: cloud-init does not write it", "give it a path"));

    // What the machine finds in the end: a later entry replaces an earlier one, or appends to it.
    const auto [place, fresh] = by_path_.emplace(path, carried_.files.size());
    if (fresh || path.empty()) return carried_.files.push_back({name, path, std::move(source)});
    File& earlier = carried_.files[place->second];
    if (is_true(entry.find("append"))) {
      earlier.source->text += source->text;
      earlier.source->part = part_within(part.document().source->part, earlier.name + " and what is appended, decoded");
      earlier.source->first_line = earlier.source->first_column = 1;
    } else {
      earlier = {name, path, std::move(source)};
    }
  }

  // cloud-init 24.3 and later: source: {uri: …, headers: …}.
  void point(const Part& part, const std::string& name, const std::string& path, const Value& url) {
    const std::string uri = url.string_or("uri", url.text);
    if (uri.empty() || carried_.pointers.size() >= kMostErrors) return;
    carried_.pointers.push_back({path.empty() ? name : name + " (" + printable(path, 80) + ")", uri, path, part.document().place(url.mark, true)});
  }

  // `contents:` of Ignition, `contnet:`.
  void suggest_content(const Part& part, const Value& entry) {
    static const std::vector<std::string> kContent = {"content"};
    const auto near = std::find_if(entry.members.begin(), entry.members.end(), [](const Value::Member& m) { return did_you_mean(lower(m.key), kContent).has_value(); });
    if (near == entry.members.end()) return;
    const bool ours = claims_to_be_ours(near->value.text);
    tell(ours ? carried_.told.errors : carried_.told.warnings,
         error_at(part, near->mark, false, "cloud-config.key", "unknown key " + quoted(near->key, 40) + " of write_files: the file will be empty", "did you mean content?"));
  }

  std::shared_ptr<Source> unpack(const Part& part, const Value& entry, const Value& content, const std::string& path,
                                 const std::string& name) {
    const std::string decoded_part = part_within(part.document().source->part, name + ", decoded");
    const Value* encoding = entry.find("encoding");
    const auto packing = packing_of(encoding ? encoding->text : "");
    auto source = part.blocks.inner(content, name);
    if (!packing) {  // cloud-init takes it as it is
      static const std::vector<std::string> kKnown = {"b64",       "base64",   "gz",          "gzip",      "gz+b64",
                                                      "gz+base64", "gzip+b64", "gzip+base64", "text/plain"};
      const auto guess = did_you_mean(lower(encoding->text), kKnown);
      const auto meant = decode_base64_leniently(source->text);
      const bool misread = path.find("kube") != path.npos && !claims_to_be_ours(source->text);
      tell(meant && claims_to_be_ours(meant->bytes) ? carried_.told.errors : misread ? carried_.told.damaged : carried_.told.warnings,
           error_at(part, encoding->mark, false, "cloud-config.encoding",
                    "unknown encoding " + quoted(encoding->text, 40) + " in " + name + ": the content is taken as it is",
                    guess ? "did you mean " + *guess + "?" : "use one of " + join(kKnown, ", ")));
      return source;
    }
    if (*packing == Packing::none) return source;

    source->part = decoded_part;
    source->first_line = source->first_column = 1;
    if (*packing != Packing::gzip) {
      auto bytes = decode_base64_leniently(content.text);
      const bool passed_over = bytes && bytes->culprit != std::string::npos;
      const std::string culprit = passed_over ? ": " + quoted(std::string_view(content.text).substr(bytes->culprit, 1)) + " is no part of it" : "";
      // What Python makes of a damaged text is of use only when it is still a text of ours.
      if (!bytes || (passed_over && *packing == Packing::base64 && !(bytes->padded && claims_to_be_ours(bytes->bytes)))) {
        unreadable(path, error(part, content, "cloud-config.base64", "unable to decode " + name + ": its content is no base64" + culprit,
                               "make it with: base64 -w0 FILE"));
        return {};
      }
      if (passed_over)
        tell(carried_.told.warnings, error(part, content, "cloud-config.base64", "the content of " + name + " is no clean base64" + culprit + ", and is passed over",
                                           "make it with: base64 -w0 FILE"));
      if (!bytes->padded)
        tell(carried_.told.warnings, error(part, content, "cloud-config.base64", "the base64 of " + name + " lacks its = at the end: cloud-init stops here, and writes neither this file nor the next ones",
                                           "make it with: base64 -w0 FILE"));
      source->text = std::move(bytes->bytes);
    }
    if (*packing != Packing::base64) {
      auto bytes = gunzip(source->text, allowance_);
      if (!bytes) {
        unreadable(path, error(part, content, bytes.error().id, "unable to read " + name + ": " + bytes.error().message,
                               "make it with: gzip -c FILE | base64 -w0"));
        return {};
      }
      source->text = std::move(*bytes);
    }
    return source;
  }

  // cloudinit/util.py, shellify(): a text is a line of a shell script, a list is a command and its arguments.
  void read_command(const Item& item, const std::string& key) {
    constexpr std::size_t kMost = 1000;
    if (carried_.scripts.size() >= kMost) return;
    const std::string name = name_of(key, item);
    if (item.value->type == Type::string)
      read_line(item, name);
    else if (item.value->type == Type::list)
      carried_.scripts.push_back({name, item.part->document().source, item.value->items});
  }

  void read_line(const Item& item, const std::string& name) {
    auto source = item.part->blocks.inner(*item.value, name);
    const bool moved = source->part.ends_with(", decoded");
    carried_.scripts.push_back(moved ? Script{name, item.part->document().source, {*item.value}, true} : Script{name, std::move(source), {}});
  }

  // Our key holds a document, a list of them, or a text.
  void read_ours(const Item& item) {
    const Value& value = *item.value;
    const std::string name = name_of("kubejoin", item);
    if (value.type == Type::map)
      carried_.documents.push_back({item.part->document().source, value});
    else if (value.type == Type::string)
      carried_.texts.push_back({name, "", item.part->blocks.inner(value, name)});
    else
      tell(carried_.told.errors, error(*item.part, value, "cloud-config.kubejoin", name + " must hold a document, a list of documents, or a text"));
  }

  void suggest_key(const Part& part) {
    static const std::vector<std::string> kOurs = {"kubejoin"};
    const auto& members = part.document().root.members;
    const auto near = std::find_if(members.begin(), members.end(), [](const Value::Member& member) {
      return did_you_mean(lower(member.key), kOurs).has_value();
    });
    if (near != members.end())
      tell(carried_.told.warnings, error_at(part, near->mark, false, "cloud-config.key", "unknown key " + quoted(near->key, 40), "did you mean kubejoin?"));
  }

  Allowance& allowance_;
  std::vector<Part> parts_;
  std::map<std::string, std::vector<Item>> items_;
  std::vector<Lost> lost_;
  Carried carried_;
  std::map<std::string, std::size_t> by_path_;
};

}  // namespace

Carried read_cloud_configs(std::span<const CloudConfig> parts, Allowance& allowance) {
  return Reader(parts, allowance).read();
}

}  // namespace kubejoin::parse
