// Go's quoting, YAML 1.1 scalars and key order.
#include "kube/go.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "base/text.h"

namespace kubejoin::kube {
namespace {

using parse::Type, parse::Value;

struct Rune {
  std::uint32_t code = 0;  // the byte itself when it begins no valid UTF-8
  std::size_t size = 0;    // in bytes; 0 then
};

Rune first_rune(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const std::uint32_t lead = byte(0);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (size < 2) return {lead, size};
  std::uint32_t code = lead & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {lead, 0};
    code = code << 6 | (byte(i) & 0x3F);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLeast[size] || code > 0x10FFFF || surrogate) return {lead, 0};
  return {code, size};
}

// Not printable to Go: spaces but U+0020, controls, formats, private use (Unicode categories Z and C). Code points that
// no character has been given yet are not told apart; they are no kubelet argument.
bool prints(std::uint32_t code) {
  constexpr std::uint32_t kGaps[][2] = {
      {0x00, 0x1F},     {0x7F, 0xA0},     {0xAD, 0xAD},     {0x600, 0x605},   {0x61C, 0x61C},     {0x6DD, 0x6DD},
      {0x1680, 0x1680}, {0x180E, 0x180E}, {0x2000, 0x200F}, {0x2028, 0x202F}, {0x205F, 0x206F},   {0x3000, 0x3000},
      {0xE000, 0xF8FF}, {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE0000, 0xE00FF}, {0xF0000, 0x10FFFF}};
  return std::none_of(std::begin(kGaps), std::end(kGaps),
                      [&](const auto& gap) { return code >= gap[0] && code <= gap[1]; });
}

std::string hex_digits(std::uint32_t code, int count) {
  std::string digits;
  while (count-- > 0) digits += "0123456789abcdef"[code >> (4 * count) & 15];
  return digits;
}

std::string escaped(std::uint32_t code) {
  constexpr std::string_view kCodes = "\a\b\f\n\r\t\v\"\\", kLetters = "abfnrtv\"\\";
  const std::size_t named = code < 0x80 ? kCodes.find(static_cast<char>(code)) : kCodes.npos;
  if (named != kCodes.npos) return {'\\', kLetters[named]};
  return code < 0x20 || code == 0x7F ? "\\x" + hex_digits(code, 2)
         : code < 0x10000            ? "\\u" + hex_digits(code, 4)
                                     : "\\U" + hex_digits(code, 8);
}

}  // namespace

std::string go_quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Rune rune = first_rune(text);
    if (rune.size == 0)
      out += "\\x" + hex_digits(rune.code, 2);
    else if (prints(rune.code) && rune.code != '"' && rune.code != '\\')
      out += text.substr(0, rune.size);
    else
      out += escaped(rune.code);
    text.remove_prefix(std::max<std::size_t>(rune.size, 1));
  }
  return out + '"';
}

void as_go_reads(Value& value) {
  for (Value& item : value.items) as_go_reads(item);
  for (Value::Member& member : value.members) as_go_reads(member.value);
  if (value.type != Type::string || !value.plain) return;

  // Lower, capitalised and upper case are booleans; "yES" is not (gopkg.in/yaml.v2 resolve.go).
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    const std::string& text = value.text;
    const std::string small = lower(text);
    const bool cased = text == small ||
                       std::none_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; }) ||
                       (text[0] != small[0] && std::string_view(text).substr(1) == std::string_view(small).substr(1));
    return cased && std::find(words.begin(), words.end(), small) != words.end();
  };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (is_one_of({"y", "yes", "on", "n", "no", "off"})) {
    value = parse::make_bool(is_one_of({"y", "yes", "on"}));
  } else if (!value.text.empty() && is_digit(value.text[0]) &&
             std::all_of(value.text.begin(), value.text.end(), [&](char c) { return is_digit(c) || c == '_'; })) {
    value.text = replace_all(value.text, "_", "");
    value.type = Type::integer;
  }
}

void sort_keys(Value& value) {
  for (Value& item : value.items) sort_keys(item);
  for (Value::Member& member : value.members) sort_keys(member.value);
  std::sort(value.members.begin(), value.members.end(),
            [](const Value::Member& a, const Value::Member& b) { return a.key < b.key; });
}

}  // namespace kubejoin::kube
