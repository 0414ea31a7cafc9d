// Writing YAML as Go's sigs.k8s.io/yaml prints it, so that files compare byte for byte with kubeadm's.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/text.h"
#include "parse/document.h"

namespace kubejoin::parse {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

std::string_view skip_digits(std::string_view text) {
  while (!text.empty() && (digit(text[0]) || text[0] == '_')) text.remove_prefix(1);
  return text;
}

// Every number that YAML 1.1, YAML 1.2 or Go's strconv reads: 1_000, 0x1f, 0b1, 1.5e3, .5, .inf, 190:20:30 and dates.
bool looks_like_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::string small = lower(text);
  if (small == ".inf" || small == ".nan") return true;
  if (text.empty() || !(digit(text[0]) || (text[0] == '.' && text.size() > 1 && digit(text[1])))) return false;
  if (small.size() > 2 && small[0] == '0' && (small[1] == 'x' || small[1] == 'o' || small[1] == 'b'))
    return small.find_first_not_of("0123456789abcdef_", 2) == small.npos;

  std::string_view rest = skip_digits(text);
  const auto whole = text.size() - rest.size();
  if (whole == 4 && rest.starts_with('-')) {  // 2001-12-14, with or without a time
    for (int part = 0; part < 2 && rest.starts_with('-'); ++part) rest = skip_digits(rest.substr(1));
    return rest.empty() || rest[0] == 'T' || rest[0] == 't' || rest[0] == ' ';
  }
  if (rest.starts_with(':')) {  // base 60
    while (rest.size() > 1 && rest[0] == ':' && digit(rest[1])) rest = skip_digits(rest.substr(1));
    if (rest.starts_with('.')) rest = skip_digits(rest.substr(1));
    return rest.empty();
  }
  if (rest.starts_with('.')) rest = skip_digits(rest.substr(1));
  if (!rest.empty() && (rest[0] == 'e' || rest[0] == 'E')) {
    rest.remove_prefix(1);
    if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) rest.remove_prefix(1);
    if (rest.empty()) return false;
    rest = skip_digits(rest);
  }
  return rest.empty();
}

bool looks_like_another_type(std::string_view text) {
  static constexpr std::array<std::string_view, 14> kWords = {"",   "~",   "null", "true", "false", "yes", "no",
                                                              "on", "off", "y",    "n",    "<<",    "=",   ".nan"};
  return std::find(kWords.begin(), kWords.end(), lower(text)) != kWords.end() || looks_like_number(text);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// C1 controls, LS, PS and the byte order mark: readers refuse them or take them for a line break. The code point, or 0.
unsigned odd_character(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
  if (text.size() >= 2 && at(0) == 0xC2 && at(1) <= 0x9F) return at(1);
  if (text.starts_with("\xE2\x80\xA8") || text.starts_with("\xE2\x80\xA9")) return 0x2028 + at(2) - 0xA8;
  return text.starts_with("\xEF\xBB\xBF") ? 0xFEFF : 0;
}

// What libyaml's emitter (and Go's port of it) decides about a text before it chooses a style.
struct Shape {
  bool plain = true;    // no quotes needed in block context
  bool single = true;   // single quotes can hold it
  bool literal = true;  // a `|` block can hold it
};

Shape shape_of(std::string_view text) {
  const auto blank = [&](std::size_t i) { return i >= text.size() || text[i] == ' ' || text[i] == '\n'; };
  Shape shape;
  if (text.empty()) return {false, true, false};
  if (text.starts_with("---") || text.starts_with("...")) shape.plain = false;
  if (std::string_view("#,[]{}&*!|>'\"%@`").find(text[0]) != std::string_view::npos) shape.plain = false;
  if (std::string_view("-?:").find(text[0]) != std::string_view::npos && blank(1)) shape.plain = false;
  if (blank(0) || blank(text.size() - 1)) shape.plain = false;
  if (text.back() == ' ') shape.literal = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == ':' && blank(i + 1)) || (c == '#' && i > 0 && blank(i - 1))) shape.plain = false;
    if (c == '\n') shape.plain = false;
    if (c == '\n' && i + 1 < text.size() && text[i + 1] == ' ') shape.single = false;
    const bool space_before_break = c == ' ' && i + 1 < text.size() && text[i + 1] == '\n';
    if (space_before_break || (is_control(c) && c != '\n') || odd_character(text.substr(i)) != 0)
      return {false, false, false};
  }
  return shape;
}

std::string double_quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (const unsigned odd = odd_character(text.substr(i)); odd != 0) {
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) out += kHex[odd >> shift & 15];
      i += odd < 0x100 ? 1 : 2;  // the rest of its bytes
    } else if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (c == '\n' || c == '\t' || c == '\r') {
      (out += '\\') += c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
    } else if (is_control(c)) {
      ((out += "\\x") += kHex[static_cast<unsigned char>(c) >> 4]) += kHex[c & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string literal(std::string_view text, std::size_t indent) {
  std::string out = "|";
  if (text[0] == ' ' || text[0] == '\n') out += '2';
  if (!text.ends_with('\n'))
    out += '-';
  else if (text.size() == 1 || text[text.size() - 2] == '\n')
    out += '+';
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (const std::string& line : split(text, '\n')) {
    out += '\n';
    if (!line.empty()) out += std::string(indent, ' ') + line;
  }
  return out;
}

std::string string_text(std::string_view text, std::size_t indent, bool key) {
  const Shape shape = shape_of(text);
  if (text.find('\n') != text.npos) return shape.literal && !key ? literal(text, indent + 2) : double_quoted(text);
  if (looks_like_another_type(text)) return double_quoted(text);
  if (shape.plain) return std::string(text);
  return shape.single ? "'" + replace_all(std::string(text), "'", "''") + "'" : double_quoted(text);
}

std::string scalar_text(const Value& value, std::size_t indent) {
  switch (value.type) {
    case Type::null:
      return "null";
    case Type::boolean:
      return value.boolean ? "true" : "false";
    case Type::list:
      return "[]";
    case Type::map:
      return "{}";
    case Type::string:
      return string_text(value.text, indent, false);
    case Type::integer:
    case Type::number:
      break;
  }
  return value.text;
}

bool is_block(const Value& value) { return !value.items.empty() || !value.members.empty(); }

// The first entry stands where the cursor is; `indent` is for the others.
void write_block(std::string& out, const Value& value, std::size_t indent) {
  std::string margin;
  for (const Value& item : value.items) {
    out += margin + "- ";
    if (is_block(item))
      write_block(out, item, indent + 2);
    else
      out += scalar_text(item, indent) + "\n";
    margin = std::string(indent, ' ');
  }
  for (const Value::Member& member : value.members) {
    out += margin + string_text(member.key, indent, true) + ":";
    if (is_block(member.value)) {
      const std::size_t inner = member.value.type == Type::list ? indent : indent + 2;
      out += "\n" + std::string(inner, ' ');
      write_block(out, member.value, inner);
    } else {
      out += " " + scalar_text(member.value, indent) + "\n";
    }
    margin = std::string(indent, ' ');
  }
}

}  // namespace

std::string to_yaml(const Value& value) {
  std::string out;
  if (is_block(value))
    write_block(out, value, 0);
  else
    out = scalar_text(value, 0) + "\n";
  return out;
}

}  // namespace kubejoin::parse
