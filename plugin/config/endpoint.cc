// The address of an API server: what Go would connect to, and a certificate could name.
#include <algorithm>

#include "base/text.h"
#include "config/rules.h"

namespace kubejoin::config {
namespace {

constexpr std::size_t kLongestName = 253, kLongestLabel = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

// Of an IPv4 address the kinds that nobody listens at.
std::string why_no_ipv4(std::string_view host) {
  const int first = std::atoi(std::string(host.substr(0, host.find('.'))).c_str());
  if (host == "0.0.0.0") return "it stands for every address of the machine that listens, and is none to connect to";
  return first >= 224 ? "no API server has a multicast or broadcast address" : "";
}

std::string why_no_ipv6(std::string_view host) {
  if (host.find('%') != host.npos || lower(host).starts_with("fe80:")) return "no certificate can name a link-local address, whose zone (%eth0) is another one on every machine";
  if (!is_ipv6(host)) return "it is no IPv6 address";
  if (host.find_first_not_of("0:") == host.npos) return "it stands for every address of the machine that listens, and is none to connect to";
  return lower(host).starts_with("ff") ? "no API server has a multicast address" : "";
}

// As Go's resolver and crypto/x509 take a name: in either case, with underscores, with or without the final dot.
std::string why_no_name(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > kLongestName) return "the name has more than 253 characters";
  for (const std::string& label : split(host, '.')) {
    const auto strange = std::find_if_not(label.begin(), label.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; });
    if (label.empty()) return "a label of the name is empty: a dot too many";
    if (label.size() > kLongestLabel) return "a label of the name has more than 63 characters";
    if (label.starts_with('-') || label.ends_with('-')) return "the label " + quoted(label) + " begins or ends with a dash";
    if (strange != label.end() && (*strange == ' ' || *strange == '\t')) return "white space is in the name";
    if (strange != label.end()) {
      const bool ascii = static_cast<unsigned char>(*strange) < 0x80;
      return "a host name has no " + (ascii ? quoted(std::string_view(&*strange, 1)) : "letters but a to z: write its form that begins with xn--");
    }
  }
  return "";
}

struct Parts {
  std::string_view host, port;
  bool bracketed = false;
};

// Go's net.SplitHostPort; nothing where there is no port, or an IPv6 address without brackets.
std::optional<Parts> split_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  Parts parts{text.substr(0, colon), text.substr(colon + 1)};
  parts.bracketed = parts.host.size() > 1 && parts.host.front() == '[' && parts.host.back() == ']';
  if (parts.bracketed) parts.host = parts.host.substr(1, parts.host.size() - 2);
  else if (parts.host.find(':') != parts.host.npos) return std::nullopt;
  return parts;
}

// A text that could be meant, where it stands alone; nothing that would be refused in turn is proposed.
std::string proposal(std::string_view text) { return !judge_endpoint(text) ? std::string(text) : ""; }

std::string first_of(std::initializer_list<std::string> proposals) {
  for (const std::string& one : proposals)
    if (!one.empty()) return "write " + one;
  return "it looks like 192.0.2.10:6443, cluster.example:6443 or [2001:db8::10]:6443";
}

std::string with_port(std::string_view host, std::string_view port = "6443") { return proposal(std::string(host) + ":" + std::string(port)); }

// "2001:db8::1:6443": is 6443 the port, or the end of the address?
std::string brackets_for(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view address = text.substr(0, colon), port = text.substr(colon + 1);
  const std::string split = "[" + std::string(address) + "]:" + std::string(port);
  const bool can_split = is_ipv6(address) && !proposal(split).empty();
  if (!is_ipv6(text)) return can_split ? "write " + split : first_of({});
  const std::string whole = "[" + std::string(text) + "]:6443";
  if (!can_split || port.size() < 3) return "write " + whole;
  return "write " + split + " if " + std::string(port) + " is the port; if it belongs to the address, say the port behind the bracket";
}

}  // namespace

std::string why_no_host(std::string_view host, bool bracketed) {
  if (host.empty()) return "there is no host";
  if (bracketed && is_ipv4(host)) return "brackets are for IPv6 addresses";
  if (bracketed) return why_no_ipv6(host);
  if (is_ipv4(host)) return why_no_ipv4(host);
  std::string why = why_no_name(host);
  // A name's last label is no number (RFC 3696 §2), so that an address was meant.
  const std::string_view dotless = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
  if (why.empty() && digits(dotless.substr(dotless.rfind('.') + 1))) why = "it looks like an IPv4 address, but is none: four numbers of 0 to 255, without leading zeros";
  return why;
}

Judgement judge_endpoint(std::string_view text) {
  const auto wrong = [&](const std::string& message, std::string hint) { return Wrong{"config.endpoint", message + ": " + quoted(text), std::move(hint)}; };
  if (const auto left = left_over(text, LeftOver::anywhere)) return placeholder(*left);
  if (trim(text) != text) return wrong("white space is around it", first_of({proposal(trim(text))}));
  if (const auto scheme = text.find("://"); scheme != text.npos) {
    const std::string_view rest = text.substr(scheme + 3), authority = rest.substr(0, rest.find('/'));
    return wrong("a URL stands where host:port is expected", first_of({proposal(authority), with_port(authority)}));
  }
  if (const auto comma = text.find_first_of(",; "); comma != text.npos && !proposal(text.substr(0, comma)).empty())
    return wrong("several stand in one text", "write one of them, that of a load balancer where there is one: " + std::string(text.substr(0, comma)));
  if (const auto slash = text.find('/'); slash != text.npos)
    return wrong("a path does not belong to host:port", first_of({proposal(text.substr(0, slash)), with_port(text.substr(0, slash))}));
  if (text.ends_with(']')) return wrong("missing port in address", first_of({with_port(text)}));
  const auto parts = split_host_port(text);
  if (!parts && std::count(text.begin(), text.end(), ':') > 1) return wrong("too many colons", brackets_for(text));
  if (!parts) return wrong("missing port in address", first_of({with_port(text)}));
  if (const std::string why = why_no_host(parts->host, parts->bracketed); !why.empty()) {
    const std::string host(trim(parts->host));
    const bool is_name = host.find(':') == host.npos;  // brackets are not all that is wrong with an address
    return wrong(why, first_of({is_name && (parts->bracketed || host != parts->host) ? with_port(host, parts->port) : ""}));
  }
  if (parse_host_port(text)) return {};
  const std::string host(text.substr(0, text.size() - parts->port.size() - 1));
  if (parts->port.empty()) return wrong("missing port in address", first_of({with_port(host)}));
  if (digits(parts->port)) return wrong("a port is a number of 1 to 65535", first_of({with_port(host)}));
  return wrong("the port is a number, not " + quoted(parts->port), first_of({parts->port == "https" ? with_port(host, "443") : with_port(host)}));
}

}  // namespace kubejoin::config
