// Which addresses this machine has, as the kernel tells: no netlink, so that a root without one can be looked at, too.
#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "preflight/checks.h"

namespace kubejoin::preflight {

std::string canonical_address(std::string_view text) {
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> shown{};
  const std::string address(text);
  for (const int family : {AF_INET, AF_INET6})
    if (inet_pton(family, address.c_str(), bytes.data()) == 1 && inet_ntop(family, bytes.data(), shown.data(), shown.size()) != nullptr) return shown.data();
  return {};
}

// proc(5): /proc/net/fib_trie has "|-- ADDRESS" and below it "/32 host LOCAL" for one of ours; each line of if_inet6 begins with 32 digits.
std::vector<std::string> own_addresses(Host& host) {
  std::vector<std::string> all;
  std::string last;
  for (const std::string& line : split(host.read("/proc/net/fib_trie", 4 << 20).value_or(""), '\n')) {
    if (const std::size_t at = line.find("|-- "); at != line.npos) last = trim(std::string_view(line).substr(at + 4));
    if (line.find("/32 host LOCAL") == line.npos || last.starts_with("127.") || last.empty()) continue;
    if (std::find(all.begin(), all.end(), last) == all.end()) all.push_back(last);  // the kernel lists it in two tables
  }
  for (const std::string& line : split(host.read("/proc/net/if_inet6", 1 << 20).value_or(""), '\n')) {
    if (line.size() < 32) continue;
    std::string text;
    for (std::size_t i = 0; i < 32; i += 4) text += (i == 0 ? "" : ":") + line.substr(i, 4);
    if (const std::string address = canonical_address(text); !address.empty() && address != "::1") all.push_back(address);
  }
  return all;
}

}  // namespace kubejoin::preflight
