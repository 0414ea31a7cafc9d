// Reading YAML: yaml-cpp's events become Values; marks, duplicate keys, tags, aliases and every limit are decided here.
#include <algorithm>
#include <array>
#include <istream>
#include <map>
#include <optional>
#include <streambuf>
#include <unordered_map>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/text.h"
#include "parse/document.h"
#include "parse/utf8.h"

namespace kubejoin::parse {
namespace {

constexpr std::size_t kMostErrors = 50;
constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

constexpr const char* kNoKey = "expected \"key: value\"";
constexpr const char* kNoKeyHint = "a \":\" is missing, or a quote";
constexpr const char* kTemplateMessage = "{{ … }} or {% … %} in a text that is no template";
constexpr const char* kTemplateHint =
    "make \"## template: jinja\" the first line and quote the value: '{{ v1.local_hostname }}'";

// Ends the reading of a document from within yaml-cpp; the error is already recorded.
struct Stop {};

// ---- Scalars: YAML 1.2 core schema (§10.3.2) ----------------------------------------------------

bool all_of(std::string_view text, std::string_view alphabet) {
  return !text.empty() && text.find_first_not_of(alphabet) == text.npos;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_integer(std::string_view text) {
  if (text.starts_with("0o")) return all_of(text.substr(2), "01234567");
  if (text.starts_with("0x")) return all_of(text.substr(2), "0123456789abcdefABCDEF");
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return all_of(text, "0123456789");
}

bool is_number(std::string_view text) {
  if (is_one_of(text, {".nan", ".NaN", ".NAN"})) return true;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (is_one_of(text, {".inf", ".Inf", ".INF"})) return true;
  const auto skip_digits = [&] {
    const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(end);
    return end;
  };
  auto digits = skip_digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits += skip_digits();
  }
  if (digits == 0) return false;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (skip_digits() == 0) return false;
  }
  return text.empty();
}

bool is_boolean(std::string_view text) { return is_one_of(text, {"true", "True", "TRUE", "false", "False", "FALSE"}); }

bool is_null(std::string_view text) { return is_one_of(text, {"", "~", "null", "Null", "NULL"}); }

Type core_type(std::string_view text) {
  if (is_null(text)) return Type::null;
  if (is_boolean(text)) return Type::boolean;
  if (is_integer(text)) return Type::integer;
  return is_number(text) ? Type::number : Type::string;
}

// ---- The text before yaml-cpp sees it -----------------------------------------------------------

// One document of a text: `---` at the start of a line ends a document whatever surrounds it, so that a broken one
// does not hide the mistakes of the next, and content after the end of a document is noticed.
struct Chunk {
  std::size_t begin = 0;
  std::size_t end = 0;
  int first_line = 1;
  int directive_line = 0;  // of a %DIRECTIVE behind content, where none can be
};

std::vector<Chunk> split_documents(std::string_view text) {
  std::vector<Chunk> chunks;
  const std::size_t begin = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  Chunk chunk{begin, begin};
  bool content = false;
  const auto close = [&](std::size_t end) {
    chunk.end = end;
    if (content) chunks.push_back(chunk);
    content = false;
  };
  int line = 1;
  for (std::size_t at = begin; at < text.size(); ++line) {
    const auto next = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string_view here = text.substr(at, next - at);
    const bool marker = here.size() < 4 || std::string_view(" \t\r\n").find(here[3]) != std::string_view::npos;
    if (marker && here.starts_with("---")) {
      if (content) {
        close(at);
        chunk = {at, at, line, 0};
      }
      content = true;
    } else if (marker && here.starts_with("...")) {
      close(at);
      chunk = {next, next, line + 1, 0};
    } else if (content && here.starts_with('%')) {
      chunk.directive_line = line;
    } else if (!content && !here.starts_with('%')) {
      const std::string_view words = trim(here);
      content = !words.empty() && words[0] != '#';
    }
    at = next;
  }
  close(text.size());
  return chunks;
}

// Feeds yaml-cpp and watches what it hoards: while it does not know whether a flow collection is a key, it keeps
// every token of it, so a text of nothing but brackets would cost 200 bytes of memory for each of them.
class Feed : public std::streambuf {
 public:
  explicit Feed(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // streambuf's interface; nothing is ever written
    setg(begin, begin, begin + text.size());
  }
  void drained() { hoard_ = 0; }  // an event came out
  bool exhausted() const { return hoard_ > kMostHoarded; }

 protected:
  std::streamsize xsgetn(char* into, std::streamsize size) override {
    const auto count = std::min<std::ptrdiff_t>(size, egptr() - gptr());
    for (const char c : std::string_view(gptr(), static_cast<std::size_t>(count)))
      hoard_ += kWeight[static_cast<unsigned char>(c)];
    if (exhausted()) throw Stop{};
    std::copy_n(gptr(), count, into);
    setg(eback(), gptr() + count, egptr());
    return count;
  }

 private:
  static constexpr std::size_t kMostHoarded = 1 << 20;
  static constexpr std::array<unsigned char, 256> kWeight = [] {
    std::array<unsigned char, 256> weight{};
    weight['['] = weight['{'] = 4;
    weight[','] = weight['!'] = weight['&'] = weight['?'] = weight[':'] = 1;
    return weight;
  }();
  std::size_t hoard_ = 0;
};

// Words beside which a value is not shown when a line is quoted because of its syntax: nobody knows yet what it holds.
bool may_hold_secret(std::string_view line) {
  static constexpr std::array<std::string_view, 8> kWords = {"token",  "secret",     "passw", "key",
                                                             "bearer", "credential", "auth",  "private"};
  const std::string small = lower(line);
  std::size_t run = 0;  // of base64
  for (const char c : small) {
    run = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=' ? run + 1 : 0;
    if (run >= 40) return true;
  }
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return small.find(word) != small.npos; });
}

// ---- Events to values ---------------------------------------------------------------------------

struct Budget {
  std::size_t nodes = 0;
  std::size_t bytes = 0;
};

// Reads one document; a new one for each.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::shared_ptr<const Source> source, const Limits& limits, Budget& budget, Yaml& yaml)
      : document_{std::move(source), {}}, limits_(limits), budget_(budget), yaml_(yaml), errors_(yaml.errors) {}

  // Nothing when the document is empty or has errors.
  std::optional<Document> read(const Chunk& chunk);

  void report(Mark mark, std::string_view id, std::string message, std::string hint = {});

 private:
  using Style = YAML::EmitterStyle::value;
  struct Frame {
    Value value;
    bool flow = false;
    std::size_t offset = 0;
    YAML::anchor_t anchor = 0;
    std::optional<Value::Member> pending;        // a key that waits for its value
    std::vector<Value::Member> merged;           // from "<<", for the keys that the map lacks
    std::unordered_map<std::string, std::size_t> known;  // where in `members` a key is, once there are many
  };

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override { finished_ = true; }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& scalar) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Style style) override {
    open(Type::list, mark, tag, anchor, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Style style) override {
    open(Type::map, mark, tag, anchor, style);
  }
  void OnMapEnd() override { close(); }

  void open(Type type, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Style style);
  void close();
  void add(Value value, YAML::anchor_t anchor);
  void add_key(Frame& frame, Value key);
  Value::Member* same_key(Frame& frame, const Value::Member& member);
  void replace(Value::Member& earlier, Value::Member later);
  void merge(Frame& frame, const Value& value);
  Value resolve(Mark mark, const std::string& tag, const std::string& scalar);
  void check_quotes(Mark mark, std::size_t offset);
  void charge(const Value& value);
  void spend(std::size_t nodes, std::size_t bytes, Mark mark);

  [[noreturn]] void stop(Mark mark, std::string_view id, std::string message, std::string hint = {}) {
    report(mark, id, std::move(message), std::move(hint));
    throw Stop{};
  }
  void explain(const YAML::Exception& exception);
  void explain_colon(Mark mark, std::size_t offset);
  void explain_block(Mark mark, std::size_t offset, bool in_list);
  void explain_flow(Mark mark, std::size_t offset, bool closing);

  const std::string& text() const { return document_.source->text; }
  Mark mark_of(const YAML::Mark& mark) const { return {mark.line + chunk_.first_line, mark.column + 1}; }
  std::size_t offset_of(const YAML::Mark& mark) const {
    return std::min(chunk_.begin + static_cast<std::size_t>(std::max(mark.pos, 0)), chunk_.end);
  }
  std::string user_line(int line) const { return "line " + std::to_string(line + document_.source->first_line - 1); }

  Document document_;
  const Limits& limits_;
  Budget& budget_;
  Yaml& yaml_;
  std::vector<Error>& errors_;
  Chunk chunk_;
  Feed* feed_ = nullptr;
  bool finished_ = false;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, Value> anchors_;
  Mark quote_;  // where the last quoted scalar opened, and the line of its end
  int quote_end_line_ = 0;
};

void Builder::report(Mark mark, std::string_view id, std::string message, std::string hint) {
  if (errors_.size() >= kMostErrors) throw Stop{};
  Error error = fail(Kind::invalid, id, std::move(message), std::move(hint)).value();
  error.place = document_.place(mark);
  if (may_hold_secret(error.place.text)) error.place.text.clear();
  errors_.push_back(std::move(error));
}

std::optional<Document> Builder::read(const Chunk& chunk) {
  chunk_ = chunk;
  const auto errors_before = errors_.size();
  Feed feed(std::string_view(text()).substr(chunk.begin, chunk.end - chunk.begin));
  feed_ = &feed;
  try {
    try {
      std::istream stream(&feed);
      YAML::Parser parser(stream);
      while (parser.HandleNextDocument(*this)) {
      }
      if (chunk.directive_line > quote_end_line_)
        report({chunk.directive_line, 1}, "yaml.syntax", "a directive inside a document",
               "quote a value that begins with %");
    } catch (const YAML::Exception& exception) {
      explain(exception);
    } catch (const Stop&) {
      if (feed.exhausted())
        report({chunk.first_line, 1}, "yaml.too-many-nodes", "more than " + std::to_string(limits_.nodes) + " values");
    }
  } catch (const Stop&) {  // more errors than anyone reads
  }
  feed_ = nullptr;
  if (errors_.size() != errors_before || document_.root.type == Type::null) return {};
  return std::move(document_);
}

void Builder::spend(std::size_t nodes, std::size_t bytes, Mark mark) {
  budget_.nodes += nodes;
  budget_.bytes += bytes;
  if (budget_.nodes > limits_.nodes)
    stop(mark, "yaml.too-many-nodes", "more than " + std::to_string(limits_.nodes) + " values, aliases expanded");
  if (budget_.bytes > 2 * limits_.bytes)  // escapes may grow a text by half; the rest is for aliases
    stop(mark, "yaml.too-large", "more than " + std::to_string(2 * limits_.bytes) + " bytes, aliases expanded");
}

// What a copy of the value costs.
void Builder::charge(const Value& value) {
  spend(1, value.text.size(), value.mark);
  for (const Value& item : value.items) charge(item);
  for (const Value::Member& member : value.members) {
    spend(1, member.key.size(), member.mark);
    charge(member.value);
  }
}

void Builder::OnDocumentStart(const YAML::Mark& mark) {
  feed_->drained();
  if (finished_)
    stop(mark_of(mark), "yaml.syntax", "unexpected text after the end of the document",
         "separate documents with a line that is ---");
}

void Builder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto offset = offset_of(mark);
  Value value;
  value.mark = mark_of(mark);
  value.plain = true;
  for (const std::string_view word : {"~", "null", "Null", "NULL"})
    if (text().compare(offset, word.size(), word) == 0) value.text = word;
  // yaml-cpp marks an absent value with whatever comes next, which may be lines below; its key or its dash says more.
  if (value.text.empty() && !stack_.empty()) {
    const Frame& frame = stack_.back();
    if (frame.pending) {
      const Mark key = frame.pending->mark;
      // At the end of a text yaml-cpp takes a lone word for a key.
      if (!frame.flow && value.mark.line == key.line && value.mark.column == key.column)
        stop(key, "yaml.syntax", kNoKey, kNoKeyHint);
      value.mark = key;
    } else if (const auto dash = text().find_last_not_of(" \t\r\n", offset == 0 ? 0 : offset - 1);
               frame.value.type == Type::list && !frame.flow && dash != std::string::npos && dash >= frame.offset &&
               text()[dash] == '-') {
      const auto lines = std::count(text().begin() + static_cast<std::ptrdiff_t>(dash),
                                    text().begin() + static_cast<std::ptrdiff_t>(offset), '\n');
      value.mark.line -= static_cast<int>(lines);
      value.mark.column = static_cast<int>(dash - text().find_last_of('\n', dash));
    }
  }
  add(std::move(value), anchor);
}

void Builder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) stop(mark_of(mark), "yaml.alias", "an alias inside its own anchor");
  charge(found->second);
  add(found->second, 0);
}

void Builder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       const std::string& scalar) {
  const Mark at = mark_of(mark);
  if (scalar.size() > limits_.scalar)
    stop(at, "yaml.too-large", "a text of more than " + std::to_string(limits_.scalar) + " bytes");
  std::size_t offset = offset_of(mark);
  while (offset < chunk_.end &&
         (text()[offset] == '!' || text()[offset] == '&')) {  // its tag and anchor stand before it
    offset = std::min(text().find_first_of(" \t\r\n", offset), chunk_.end);
    offset = std::min(text().find_first_not_of(" \t\r\n", offset), chunk_.end);
  }
  if (tag != "?" && offset < chunk_.end && (text()[offset] == '"' || text()[offset] == '\'')) check_quotes(at, offset);
  add(resolve(at, tag, scalar), anchor);
}

// yaml-cpp takes a quoted scalar that never ends when the text ends with a line break, and turns \N and \_ into bytes
// that are no UTF-8.
void Builder::check_quotes(Mark mark, std::size_t offset) {
  const char quote = text()[offset];
  int line = mark.line;
  std::size_t i = offset + 1;
  for (; i < chunk_.end; ++i) {
    const char c = text()[i];
    const char next = i + 1 < chunk_.end ? text()[i + 1] : '\n';
    if (c == '\n') ++line;
    if (quote == '"' && c == '\\') {
      if (next == 'N' || next == '_')
        report(mark, "yaml.escape", std::string("the escape \\") + next + " is not supported",
               "write \\u0085 or \\u00a0");
      if (next != '\n') ++i;
    } else if (c == quote && quote == '\'' && next == quote) {
      ++i;
    } else if (c == quote) {
      break;
    }
  }
  if (i >= chunk_.end)
    stop(mark, "yaml.unclosed", std::string("the ") + quote + " that opens here is never closed",
         std::string("add the closing ") + quote);
  quote_ = mark;
  quote_end_line_ = line;
}

Value Builder::resolve(Mark mark, const std::string& tag, const std::string& scalar) {
  Value value;
  value.mark = mark;
  value.text = scalar;
  value.type = Type::string;
  bool fits = true;
  const std::string_view name = tag.starts_with(kCoreTag) ? std::string_view(tag).substr(kCoreTag.size()) : "";
  if (tag == "?") {
    value.plain = true;
    value.type = core_type(scalar);
  } else if (name == "int") {
    value.type = Type::integer;
    fits = is_integer(scalar);
  } else if (name == "float") {
    value.type = Type::number;
    fits = is_integer(scalar) || is_number(scalar);
  } else if (name == "bool") {
    value.type = Type::boolean;
    fits = is_boolean(scalar);
  } else if (name == "null") {
    value.type = Type::null;
    fits = is_null(scalar);
  } else if (name == "binary") {
    auto bytes = base64_decode(scalar);
    fits = bytes.has_value();
    if (fits) value.text = std::move(*bytes);
  } else if (name != "str" && tag != "!") {
    report(mark, "yaml.tag", "unknown tag " + quoted(tag), "remove it; a text that begins with ! needs quotes");
  }
  if (!fits)
    report(mark, "yaml.tag", "what follows the tag !!" + std::string(name) + " is not of that type",
           "remove the tag, or mend the value");
  value.boolean = value.type == Type::boolean && (scalar.starts_with('t') || scalar.starts_with('T'));
  return value;
}

void Builder::open(Type type, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Style style) {
  feed_->drained();
  if (stack_.size() >= limits_.depth)
    stop(mark_of(mark), "yaml.too-deep", "nested deeper than " + std::to_string(limits_.depth) + " levels");
  if (!is_one_of(tag, {"?", "!", type == Type::map ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq"}))
    report(mark_of(mark), "yaml.tag", "unknown tag " + quoted(tag), "remove it");
  Frame& frame = stack_.emplace_back();
  frame.value.type = type;
  frame.value.mark = mark_of(mark);
  frame.flow = style == YAML::EmitterStyle::Flow;
  frame.offset = offset_of(mark);
  frame.anchor = anchor;
}

void Builder::close() {
  Frame frame = std::move(stack_.back());
  stack_.pop_back();
  for (Value::Member& member : frame.merged)
    if (same_key(frame, member) == nullptr) frame.value.members.push_back(std::move(member));
  add(std::move(frame.value), frame.anchor);
}

void Builder::add(Value value, YAML::anchor_t anchor) {
  feed_->drained();
  spend(1, value.text.size(), value.mark);
  if (anchor != 0) {
    charge(value);
    anchors_[anchor] = value;
  }
  if (stack_.empty()) {
    document_.root = std::move(value);
    return;
  }
  Frame& frame = stack_.back();
  if (frame.value.type == Type::list) {
    frame.value.items.push_back(std::move(value));
  } else if (!frame.pending) {
    add_key(frame, std::move(value));
  } else if (Value::Member& member = *frame.pending; member.key == "<<" && member.value.plain) {
    merge(frame, value);
    frame.pending.reset();
  } else {
    member.value = std::move(value);
    if (Value::Member* earlier = same_key(frame, member))
      replace(*earlier, std::move(member));
    else
      frame.value.members.push_back(std::move(member));
    frame.pending.reset();
  }
}

void Builder::add_key(Frame& frame, Value key) {
  if (frame.flow && text().compare(frame.offset, 2, "{{") == 0)
    stop(frame.value.mark, "yaml.template", kTemplateMessage, kTemplateHint);
  if (key.type == Type::map || key.type == Type::list)
    report(key.mark, "yaml.key",
           key.type == Type::map ? "a key must be a text, not a map" : "a key must be a text, not a list");
  if (key.type == Type::null)
    report(key.mark, "yaml.key",
           key.text.empty() ? "a key is missing before the \":\"" : "a key must be a text, not null", "quote the key");
  frame.pending = {std::move(key.text), key.mark, {}};
  frame.pending->value.plain = key.plain;
}

// The member of the map that has the key already, or nullptr; then the caller appends it.
Value::Member* Builder::same_key(Frame& frame, const Value::Member& member) {
  constexpr std::size_t kMany = 16;
  auto& members = frame.value.members;
  if (members.size() < kMany) {
    const auto same =
        std::find_if(members.begin(), members.end(), [&](const auto& other) { return other.key == member.key; });
    return same == members.end() ? nullptr : &*same;
  }
  if (frame.known.empty())
    for (std::size_t i = 0; i < members.size(); ++i) frame.known.emplace(members[i].key, i);
  const auto [place, fresh] = frame.known.emplace(member.key, members.size());
  return fresh ? nullptr : &members[place->second];
}

void Builder::replace(Value::Member& earlier, Value::Member later) {
  constexpr std::size_t kMost = 50;
  const std::string message =
      "duplicate key " + quoted(later.key, 80) + " (first on " + user_line(earlier.mark.line) + ")";
  if (!limits_.last_wins) return report(later.mark, "yaml.duplicate-key", message, "remove one of them");
  std::swap(earlier, later);
  if (yaml_.replaced.size() >= kMost) return;
  Error warning = fail(Kind::invalid, "yaml.duplicate-key", message, "the last one counts: write the key once").value();
  warning.place = document_.place(earlier.mark);
  const auto& top = stack_.front().pending;
  yaml_.replaced.push_back({std::move(later), earlier.mark, top && top->mark.line > 0 ? top->mark : earlier.mark, std::move(warning)});
}

// YAML 1.1's merge key, which kubeadm's and cloud-init's readers follow: a map or a list of maps, earlier ones first.
void Builder::merge(Frame& frame, const Value& value) {
  if (value.type == Type::map) frame.merged.insert(frame.merged.end(), value.members.begin(), value.members.end());
  const bool maps = value.type == Type::list && std::all_of(value.items.begin(), value.items.end(),
                                                            [](const Value& item) { return item.type == Type::map; });
  if (maps)
    for (const Value& item : value.items)
      frame.merged.insert(frame.merged.end(), item.members.begin(), item.members.end());
  else if (value.type != Type::map)
    report(frame.pending->mark, "yaml.merge", "\"<<\" merges maps, and this is none",
           "quote the key if it is meant as a text");
}

// ---- yaml-cpp's complaints in the user's words --------------------------------------------------

struct Line {
  std::string_view text;  // without its end
  std::size_t indent = 0;
  std::size_t begin = 0;
  std::string_view words() const { return trim(text); }
};

Line line_at(std::string_view text, std::size_t offset) {
  Line line;
  const auto before = offset == 0 ? text.npos : text.find_last_of('\n', offset - 1);
  line.begin = before == text.npos ? 0 : before + 1;
  line.text = text.substr(line.begin, text.find('\n', line.begin) - line.begin);
  line.indent = std::min(line.text.find_first_not_of(" \t"), line.text.size());
  return line;
}

bool has_key(std::string_view words) { return words.find(": ") != words.npos || words.ends_with(':'); }

void Builder::explain(const YAML::Exception& exception) {
  namespace Msg = YAML::ErrorMsg;
  const std::string& message = exception.msg;
  const auto offset = exception.mark.is_null() ? chunk_.begin : offset_of(exception.mark);
  const Mark mark = exception.mark.is_null() ? Mark{chunk_.first_line, 1} : mark_of(exception.mark);
  const Line line = line_at(text(), offset);
  const std::string at = offset < chunk_.end
                             ? quoted(std::string_view(text()).substr(offset, utf8_length(text().substr(offset, 4))))
                             : "the end";

  if (const auto tab = line.text.substr(0, line.indent).find('\t'); tab != std::string_view::npos)
    return report({mark.line, static_cast<int>(tab) + 1}, "yaml.tab", "a tab in the indentation", "indent with spaces");
  if (line.text.find("{{") != std::string_view::npos || line.text.find("{%") != std::string_view::npos)
    return report(mark, "yaml.template", kTemplateMessage, kTemplateHint);
  if (message == Msg::EOF_IN_SCALAR) {
    // Without a final line break yaml-cpp notices, but forgets where the quote opened: a second reading, with one,
    // tells.
    auto closed = std::make_shared<Source>(*document_.source);
    closed->text = closed->text.substr(0, chunk_.end) + "\n";
    Budget budget;
    Builder(closed, limits_, budget, yaml_).read({chunk_.begin, chunk_.end + 1, chunk_.first_line, 0});
    return;
  }
  if (message == Msg::MAP_VALUE) return explain_colon(mark, offset);
  if (message == Msg::END_OF_MAP || message == Msg::END_OF_SEQ)
    return explain_block(mark, offset, message == Msg::END_OF_SEQ);
  if (message == Msg::END_OF_MAP_FLOW || message == Msg::END_OF_SEQ_FLOW) return explain_flow(mark, offset, false);
  if (message == Msg::FLOW_END) return explain_flow(mark, offset, true);
  if (message == Msg::BLOCK_ENTRY)
    return report(mark, "yaml.syntax", "a list item cannot begin here", "begin it on a line of its own");
  if (message == Msg::MAP_KEY) return report(mark, "yaml.syntax", "a key cannot begin here");
  if (message == Msg::UNKNOWN_TOKEN)
    return report(mark, "yaml.syntax", "a value cannot begin with " + at, "quote the value");
  if (message == Msg::UNKNOWN_ANCHOR)
    return report(mark, "yaml.alias", "an alias without its anchor", "quote the value if the * belongs to it");
  if (message == Msg::CHAR_IN_BLOCK)
    return report(mark, "yaml.syntax", "text on the line of a | or >", "begin the text on the next line");
  if (message.starts_with(Msg::INVALID_ESCAPE))
    return report(mark, "yaml.escape",
                  "unknown escape " + quoted("\\" + message.substr(std::string_view(Msg::INVALID_ESCAPE).size())) +
                      " in double quotes",
                  "write \\\\ for a backslash, or use single quotes");
  if (message.starts_with(Msg::INVALID_UNICODE) || message == Msg::INVALID_HEX)
    return report(mark, "yaml.escape", "a broken \\x, \\u or \\U escape in double quotes",
                  "write the character itself");
  report(mark, "yaml.syntax", "unable to read this as YAML: " + printable(message));
}

// "illegal map value": a colon where no key can be.
void Builder::explain_colon(Mark mark, std::size_t offset) {
  const Line line = line_at(text(), offset);
  if (has_key(line.text.substr(0, offset - line.begin)))
    return report(mark, "yaml.syntax", "a second \":\" in one line",
                  "quote the value, or begin the map on the next line");
  Line previous = line;
  Mark above{mark.line, 1};
  do {
    if (previous.begin <= chunk_.begin) return report(mark, "yaml.syntax", "unexpected \":\"");
    previous = line_at(text(), previous.begin - 1);
    --above.line;
  } while (previous.words().empty() || previous.words()[0] == '#');
  above.column = static_cast<int>(previous.indent) + 1;
  if (line.indent > previous.indent)
    return report({mark.line, static_cast<int>(line.indent) + 1}, "yaml.indentation",
                  "this line is deeper than " + user_line(above.line) + ", which has its value already",
                  "indent it like " + user_line(above.line));
  if (const auto colon = previous.text.find(':'); colon != std::string_view::npos)
    return report({above.line, static_cast<int>(colon) + 1}, "yaml.syntax", "a space is missing after the \":\"");
  report(above, "yaml.syntax", kNoKey, kNoKeyHint);
}

// "end of map not found": a block collection meets what is neither its next entry nor its end.
void Builder::explain_block(Mark mark, std::size_t offset, bool in_list) {
  const Line line = line_at(text(), offset);
  const auto column = offset - line.begin;
  if (column > line.indent && quote_end_line_ == mark.line && quote_.line < mark.line)
    return report(quote_, "yaml.unclosed",
                  "the quote that opens here ends on " + user_line(mark.line) + ", where more text follows",
                  "close it where it should end");
  if (column > line.indent) {
    const bool apostrophe = line.text[column - 1] == '\'' && quote_end_line_ == mark.line;
    return report(mark, "yaml.syntax", "unexpected text after the value",
                  apostrophe ? "write '' for a ' inside single quotes" : "quote the whole value");
  }
  if (in_list) return report(mark, "yaml.indentation", "expected another \"- \" of the list", "check the indentation");
  if (line.words().starts_with("- "))
    return report(mark, "yaml.indentation", "a list item where a key is expected", "check the indentation");
  if (has_key(line.words()))
    return report(mark, "yaml.indentation", "the indentation fits no line above",
                  "indent it like the keys it belongs to");
  report(mark, "yaml.syntax", kNoKey, kNoKeyHint);
}

void Builder::explain_flow(Mark mark, std::size_t offset, bool closing) {
  const bool open = !stack_.empty() && stack_.back().flow;
  const std::string here = offset < chunk_.end ? quoted(std::string_view(text()).substr(offset, 1)) : "the end";
  if (!open) return report(mark, "yaml.syntax", closing ? here + " closes nothing" : "unexpected " + here);
  const Frame& frame = stack_.back();
  const std::string bracket = frame.value.type == Type::map ? "{" : "[";
  const bool same_line = frame.value.mark.line == mark.line;
  const std::string where = same_line ? "" : " of " + user_line(frame.value.mark.line);
  if (closing) return report(mark, "yaml.syntax", here + " does not close the " + bracket + where);
  report(same_line ? mark : frame.value.mark, "yaml.unclosed",
         "the " + bracket + where + " is not closed, or a \",\" is missing before " +
             (same_line ? here : user_line(mark.line)));
}

}  // namespace

Yaml read_yaml(std::shared_ptr<const Source> source, const Limits& limits) {
  Yaml yaml;
  Budget budget;
  const std::string& text = source->text;
  const auto refuse = [&](std::size_t offset, std::string_view id, std::string message, std::string hint = {}) {
    const auto before = std::string_view(text).substr(0, offset);
    const auto line_start = before.find_last_of('\n') + 1;  // npos + 1 is 0
    const Mark mark{static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
                    static_cast<int>(offset - line_start) + 1};
    Builder(source, limits, budget, yaml).report(mark, id, std::move(message), std::move(hint));
    return yaml;
  };
  if (text.size() > limits.bytes)
    return refuse(0, "yaml.too-large",
                  "the document has " + std::to_string(text.size()) + " bytes, more than the " +
                      std::to_string(limits.bytes) + " that are read");
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return refuse(0, "yaml.encoding", "the text is UTF-16", "save it as UTF-8");
  if (const auto bad = find_unprintable(text); bad != text.npos)
    return refuse(bad, "yaml.encoding",
                  static_cast<unsigned char>(text[bad]) < 0x20
                      ? "a control character (0x" + hex(text.substr(bad, 1)) + ")"
                      : "a byte that is not UTF-8 (0x" + hex(text.substr(bad, 1)) + ")",
                  "save the text as UTF-8");

  for (const Chunk& chunk : split_documents(text)) {
    if (auto document = Builder(source, limits, budget, yaml).read(chunk))
      yaml.documents.push_back(std::move(*document));
    if (yaml.errors.size() >= kMostErrors || budget.nodes > limits.nodes) break;
  }
  if (!yaml.errors.empty()) yaml.documents.clear();
  return yaml;
}

}  // namespace kubejoin::parse
