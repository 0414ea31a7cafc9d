// Small text tools: splitting, showing, encoding, durations, dates, names and addresses.
#include "base/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

#include "base/secret.h"

namespace kubejoin {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Length of the well-formed UTF-8 sequence that `text` starts with (RFC 3629: no overlong forms, no surrogates), or 0.
std::size_t utf8_length(std::string_view text, std::uint32_t* ret_code) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = at(0);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : (lead & 0xF0) == 0xE0       ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  constexpr std::uint8_t kLeadBits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t code = lead & kLeadBits[length];
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (at(i) & 0x3Fu);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
  *ret_code = code;
  return length;
}

// Controls (C0, DEL, C1) drive a terminal; line separators and bidirectional overrides make a text look like another.
bool is_deceptive(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

std::string escaped(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += "\\x" + hex({&c, 1});
  return out;
}

constexpr std::string_view kBase64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64UrlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> kBase64Values = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kBase64Alphabet.size(); ++i)
    values[static_cast<std::uint8_t>(kBase64Alphabet[i])] = static_cast<std::int8_t>(i);
  return values;
}();

std::string encode64(std::string_view bytes, std::string_view alphabet, bool padded) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? static_cast<std::uint8_t>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k <= count; ++k) out += alphabet[group >> (18 - 6 * k) & 0x3F];
    if (padded) out.append(3 - count, '=');
  }
  return out;
}

// Optimal string alignment distance, given up as soon as it must exceed `limit`.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    if (*std::min_element(row.begin(), row.end()) > limit) return limit + 1;
  }
  return row[b.size()];
}

// Nanoseconds of a unit of time.Duration, 0 for none; the longer names first, for "ms" starts with "m".
struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};
constexpr Unit kUnits[] = {
    {"ns", 1},         {"us", 1'000},        {"µs", 1'000} /* U+00B5 */, {"μs", 1'000} /* U+03BC */,
    {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000},      {"h", 3'600'000'000'000},
};

std::string_view take_while(std::string_view& text, bool (*wanted)(char)) {
  std::size_t n = 0;
  while (n < text.size() && wanted(text[n])) ++n;
  const std::string_view taken = text.substr(0, n);
  text.remove_prefix(n);
  return taken;
}

// Digits as a number; nothing when they are none, something else, or above `most`.
std::optional<std::uint64_t> parse_digits(std::string_view text, std::uint64_t most) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (!is_digit(c) || digit > most || value > (most - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == text.npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (&part != parts.data()) out += separator;
    out += part;
  }
  return out;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  if (from.empty()) return text;
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::string printable(std::string_view text, std::size_t limit) {
  constexpr std::string_view kCut = "…";
  const std::string safe = without_tokens(text);
  std::string_view rest = safe;
  std::string out;
  std::size_t fits_with_cut = 0;  // the longest prefix of `out` that leaves room for the ellipsis
  while (!rest.empty()) {
    std::uint32_t code = 0;
    const std::size_t length = utf8_length(rest, &code);
    const std::string_view piece = rest.substr(0, std::max<std::size_t>(length, 1));
    const std::string shown = length == 0 || is_deceptive(code) ? escaped(piece) : std::string(piece);
    if (out.size() + shown.size() > limit) {
      out.resize(fits_with_cut);
      if (limit >= kCut.size()) out += kCut;
      return out;
    }
    out += shown;
    if (out.size() + kCut.size() <= limit) fits_with_cut = out.size();
    rest.remove_prefix(piece.size());
  }
  return out;
}

std::string quoted(std::string_view text, std::size_t limit) { return '"' + printable(text, limit) + '"'; }

std::string base64(std::string_view bytes) { return encode64(bytes, kBase64Alphabet, true); }
std::string base64url(std::string_view bytes) { return encode64(bytes, kBase64UrlAlphabet, false); }

std::optional<std::string> base64_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t group = 0;
  std::size_t digits = 0, padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int value = kBase64Values[static_cast<std::uint8_t>(c)];
    if (value < 0 || padding > 0) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(value);
    if (++digits % 4 != 0) continue;
    for (const int shift : {16, 8, 0}) out += static_cast<char>(group >> shift & 0xFF);
  }
  const std::size_t left = digits % 4;
  if (left == 1 || (padding > 0 && (padding > 2 || left + padding != 4))) return std::nullopt;
  if (left == 2) out += static_cast<char>(group >> 4 & 0xFF);
  if (left == 3) {
    out += static_cast<char>(group >> 10 & 0xFF);
    out += static_cast<char>(group >> 2 & 0xFF);
  }
  return out;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += kDigits[static_cast<std::uint8_t>(c) >> 4];
    out += kDigits[static_cast<std::uint8_t>(c) & 0x0F];
  }
  return out;
}

std::optional<std::string> hex_decode(std::string_view text) {
  const auto value = [](char c) {
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = value(text[i]), low = value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

std::optional<std::string> did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  constexpr std::size_t kLongest = 128;  // a longer word is no misspelling, and must not cost time
  if (word.size() > kLongest) return std::nullopt;
  std::optional<std::string> nearest;
  std::size_t best = std::min<std::size_t>(3, word.size());
  for (const std::string& candidate : candidates) {
    const std::size_t distance = lower(candidate) == lower(word)
                                     ? std::min<std::size_t>(1, edit_distance(word, candidate, 0))
                                     : edit_distance(word, candidate, 2);
    if (distance >= best) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::milliseconds(0);
  if (text.empty()) return std::nullopt;
  std::uint64_t total = 0;
  while (!text.empty()) {
    const std::string_view whole = take_while(text, is_digit);
    std::string_view fraction;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      fraction = take_while(text, is_digit);
    }
    if (whole.empty() && fraction.empty()) return std::nullopt;
    const std::string_view name = take_while(text, [](char c) { return c != '.' && !is_digit(c); });
    const Unit* unit =
        std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& u) { return u.name == name; });
    if (unit == std::end(kUnits)) return std::nullopt;

    const auto count = whole.empty() ? 0 : parse_digits(whole, kMost / unit->nanoseconds);
    if (!count) return std::nullopt;
    std::uint64_t nanoseconds = *count * unit->nanoseconds;
    std::uint64_t scale = unit->nanoseconds;
    for (const char digit : fraction) nanoseconds += static_cast<std::uint64_t>(digit - '0') * (scale /= 10);
    if (nanoseconds > kMost - total) return std::nullopt;
    total += nanoseconds;
  }
  const auto milliseconds = static_cast<std::int64_t>(total / 1'000'000);
  return std::chrono::milliseconds(negative ? -milliseconds : milliseconds);
}

std::string format_duration(std::chrono::milliseconds duration) {
  const bool negative = duration.count() < 0;
  const std::uint64_t total =
      negative ? 0 - static_cast<std::uint64_t>(duration.count()) : static_cast<std::uint64_t>(duration.count());
  if (total == 0) return "0s";
  std::string out = negative ? "-" : "";
  if (total < 1000) return out + std::to_string(total) + "ms";
  const std::uint64_t hours = total / 3'600'000, minutes = total / 60'000 % 60, seconds = total / 1000 % 60;
  if (hours > 0) out += std::to_string(hours) + "h";
  if (hours > 0 || minutes > 0) out += std::to_string(minutes) + "m";
  out += std::to_string(seconds);
  if (total % 1000 != 0) {
    std::string thousandths = std::to_string(1000 + total % 1000).substr(1);
    thousandths.erase(thousandths.find_last_not_of('0') + 1);
    out += "." + thousandths;
  }
  return out + "s";
}

std::string rfc3339(std::chrono::system_clock::time_point when) {
  using namespace std::chrono;
  const auto day = floor<days>(when);
  const year_month_day date(day);
  const auto in_day = floor<milliseconds>(when - day).count();
  char out[40];
  std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(in_day / 3'600'000), static_cast<int>(in_day / 60'000 % 60),
                static_cast<int>(in_day / 1000 % 60), static_cast<int>(in_day % 1000));
  return out;
}

std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text) {
  using namespace std::chrono;
  // "Sun, 06 Nov 1994 08:49:37 GMT": every field has its column. The name of the day says nothing that the date does
  // not.
  constexpr std::string_view kForm = "ddd, 00 mmm 0000 00:00:00 GMT";
  if (text.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool fits = kForm[i] == '0' ? is_digit(text[i]) : kForm[i] == 'd' || kForm[i] == 'm' || kForm[i] == text[i];
    if (!fits) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t size) {
    return static_cast<int>(*parse_digits(text.substr(at, size), 9999));
  };
  const auto* name = std::find(std::begin(kMonths), std::end(kMonths), text.substr(8, 3));
  if (name == std::end(kMonths)) return std::nullopt;
  const year_month_day date(year(number(12, 4)), month(static_cast<unsigned>(name - kMonths) + 1),
                            std::chrono::day(static_cast<unsigned>(number(5, 2))));
  const int hour = number(17, 2), minute = number(20, 2), second = number(23, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;  // 60: a leap second
  return sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return std::nullopt;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != host.npos) {
    return std::nullopt;  // an IPv6 address without brackets
  }
  const auto port = parse_digits(text.substr(colon + 1), 65535);
  if (host.empty() || host.find_first_of("[]") != host.npos || !port || *port == 0) return std::nullopt;
  return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

bool is_ipv4(std::string_view text) {
  in_addr address{};
  return text.find('\0') == text.npos && inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

bool is_ipv6(std::string_view text) {
  in6_addr address{};
  return text.find('\0') == text.npos && inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

bool is_dns1123_subdomain(std::string_view text) {
  constexpr std::size_t kLongest = 253;
  if (text.size() > kLongest) return false;
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c); };
  for (const std::string& label : split(text, '.')) {
    const bool ok = !label.empty() && alphanumeric(label.front()) && alphanumeric(label.back()) &&
                    std::all_of(label.begin(), label.end(), [&](char c) { return alphanumeric(c) || c == '-'; });
    if (!ok) return false;
  }
  return true;
}

}  // namespace kubejoin
