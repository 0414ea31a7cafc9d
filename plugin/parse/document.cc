// Values and documents: finding, placing, building, and writing as JSON.
#include "parse/document.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/secret.h"
#include "parse/utf8.h"

namespace kubejoin::parse {
namespace {

// A line longer than this (minified JSON, a base64 blob) helps nobody and may hold anything.
constexpr std::size_t kLongestShownLine = 240;

std::string_view line_of(std::string_view text, int line) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (int n = 1; n < line; ++n) {
    const auto end = text.find('\n');
    if (end == text.npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

// Editors count characters, yaml-cpp bytes.
int characters_before(std::string_view line, int column) {
  const auto end = std::min(line.size(), static_cast<std::size_t>(std::max(column, 1)) - 1);
  const auto continuation = std::count_if(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(end),
                                          [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; });
  return column - static_cast<int>(continuation);
}

void write_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const char c = text[0];
    if (length > 1) {
      out += text.substr(0, length);
    } else if (length == 0) {
      out += "\\ufffd";  // !!binary content has no other form in JSON
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[c & 15];
    } else {
      out += c;
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

// 0x1F and 0o17, which JSON does not know; "" when it does not fit 64 bits.
std::string decimal(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return error == std::errc() && end == digits.data() + digits.size() ? std::to_string(value) : std::string();
}

// A number as JSON spells it: "+07" is 7, ".5" is 0.5, "1." is 1.0. "" when JSON has no spelling (.inf, 1e999).
std::string json_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::string out;
  if (text.starts_with("0x") || text.starts_with("0o")) {
    out = decimal(text.substr(2), text[1] == 'x' ? 16 : 8);
    if (out.empty()) return {};
  } else {
    const auto whole_end = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto first = std::min(text.find_first_not_of('0'), whole_end);
    out = first == whole_end ? "0" : std::string(text.substr(first, whole_end - first));
    text.remove_prefix(whole_end);
    if (text.starts_with('.')) {
      const auto fraction_end = std::min(text.find_first_not_of("0123456789", 1), text.size());
      out += fraction_end == 1 ? ".0" : text.substr(0, fraction_end);
      text.remove_prefix(fraction_end);
    }
    out += text;  // the exponent
    double value = 0;
    const auto [end, error] = std::from_chars(out.data(), out.data() + out.size(), value);
    if (error != std::errc() || end != out.data() + out.size()) return {};
  }
  return negative ? "-" + out : out;
}

void write_json(std::string& out, const Value& value) {
  const char* separator = "";
  switch (value.type) {
    case Type::null:
      out += "null";
      return;
    case Type::boolean:
      out += value.boolean ? "true" : "false";
      return;
    case Type::string:
      write_string(out, value.text);
      return;
    case Type::integer:
    case Type::number:
      if (const std::string number = json_number(value.text); !number.empty())
        out += number;
      else
        write_string(out, value.text);
      return;
    case Type::list:
      out += '[';
      for (const Value& item : value.items) {
        out += separator;
        write_json(out, item);
        separator = ",";
      }
      out += ']';
      return;
    case Type::map:
      out += '{';
      for (const Value::Member& member : value.members) {
        out += separator;
        write_string(out, member.key);
        out += ':';
        write_json(out, member.value);
        separator = ",";
      }
      out += '}';
      return;
  }
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  const auto member = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; });
  return member == members.end() ? nullptr : &member->value;
}

const Value* Value::at(std::string_view json_pointer) const {
  const Value* here = this;
  while (!json_pointer.empty()) {
    if (json_pointer[0] != '/') return nullptr;
    json_pointer.remove_prefix(1);
    std::string step;
    for (; !json_pointer.empty() && json_pointer[0] != '/'; json_pointer.remove_prefix(1)) {
      const bool escaped = json_pointer.starts_with("~0") || json_pointer.starts_with("~1");
      step += !escaped ? json_pointer[0] : json_pointer[1] == '0' ? '~' : '/';
      if (escaped) json_pointer.remove_prefix(1);
    }
    if (here->type == Type::list) {
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
      const bool leading_zero = step.size() > 1 && step[0] == '0';
      if (error != std::errc() || end != step.data() + step.size() || leading_zero || index >= here->items.size())
        return nullptr;
      here = &here->items[index];
    } else if (here = here->find(step); !here) {
      return nullptr;
    }
  }
  return here;
}

std::string Value::string_or(std::string_view key, std::string_view otherwise) const {
  const Value* value = find(key);
  const bool scalar = value && value->type != Type::null && value->type != Type::list && value->type != Type::map;
  return scalar ? value->text : std::string(otherwise);
}

Place Document::place(Mark mark, bool secret) const {
  Place place{.file = source->file, .part = source->part, .line = 0, .column = 0, .text = {}};
  if (mark.line <= 0) return place;
  const std::string_view line = line_of(source->text, mark.line);
  place.line = mark.line + source->first_line - 1;
  if (mark.column > 0) place.column = characters_before(line, mark.column) + source->first_column - 1;
  // Shown under the outer file's column, so with the outer file's indentation.
  if (!secret && !line.empty() && line.size() <= kLongestShownLine)
    place.text = std::string(static_cast<std::size_t>(source->first_column - 1), ' ') + without_tokens(line);
  return place;
}

std::string to_json(const Value& value) {
  std::string out;
  write_json(out, value);
  return out;
}

Value make_string(std::string text) {
  Value value;
  value.type = Type::string;
  value.text = std::move(text);
  return value;
}

Value make_bool(bool boolean) {
  Value value;
  value.type = Type::boolean;
  value.boolean = boolean;
  value.text = boolean ? "true" : "false";
  return value;
}

Value make_integer(long long integer) {
  Value value;
  value.type = Type::integer;
  value.text = std::to_string(integer);
  return value;
}

Value make_map() {
  Value value;
  value.type = Type::map;
  return value;
}

Value make_list() {
  Value value;
  value.type = Type::list;
  return value;
}

Value& set(Value& map, std::string_view key, Value value) {
  for (Value::Member& member : map.members)
    if (member.key == key) return member.value = std::move(value);
  map.members.push_back({std::string(key), {}, std::move(value)});
  return map.members.back().value;
}

}  // namespace kubejoin::parse
