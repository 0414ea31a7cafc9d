// Small text tools that any program could use. Pure; no locale.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kubejoin {

std::string_view trim(std::string_view text);                           // ASCII white space on both sides
std::string lower(std::string_view text);                               // ASCII
std::vector<std::string> split(std::string_view text, char separator);  // "a,,b" has three parts; "" has one
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

// For people: at most `limit` bytes, control characters and invalid UTF-8 as \xNN, tokens without their secret half
// (see without_tokens). Everything that came from outside is shown through this.
std::string printable(std::string_view text, std::size_t limit = 256);
// printable() in double quotes. The overloads keep std::quoted, found by argument-dependent lookup, from winning.
std::string quoted(std::string_view text, std::size_t limit = 256);
inline std::string quoted(const std::string& text, std::size_t limit = 256) {
  return quoted(std::string_view(text), limit);
}
inline std::string quoted(const char* text, std::size_t limit = 256) { return quoted(std::string_view(text), limit); }
inline std::string quoted(std::string& text, std::size_t limit = 256) { return quoted(std::string_view(text), limit); }

// Base64. Standard alphabet, padded; decoding also takes line breaks and no padding, and answers nothing on any other
// byte.
std::string base64(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);
// RFC 4648 §5, without padding.
std::string base64url(std::string_view bytes);
std::string hex(std::string_view bytes);                       // lower case
std::optional<std::string> hex_decode(std::string_view text);  // either case

// Of `candidates`, the one nearest to `word` (Damerau-Levenshtein distance <= 2 and < word length), or nothing.
std::optional<std::string> did_you_mean(std::string_view word, std::span<const std::string> candidates);

// Go's time.Duration text ("5m0s", "1h30m", "250ms", "0"); nothing when it is none or does not fit.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::milliseconds duration);  // as Go prints it: "4m0s", "1.5s", "20ms"
// RFC 3339 in UTC with milliseconds: "2026-11-24T07:12:06.123Z".
std::string rfc3339(std::chrono::system_clock::time_point when);
// IMF-fixdate of an HTTP Date header (RFC 9110 §5.6.7).
std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text);

// "host:port" and "[v6]:port" as Go's net.SplitHostPort; nothing when the port is missing or the form is wrong.
struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};
std::optional<HostPort> parse_host_port(std::string_view text);
bool is_ipv4(std::string_view text);
bool is_ipv6(std::string_view text);
// RFC 1123 subdomain as Kubernetes wants it: lower case, <= 253, labels of [a-z0-9-].
bool is_dns1123_subdomain(std::string_view text);

}  // namespace kubejoin
