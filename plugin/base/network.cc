// Sockets, rtnetlink and c-ares: no getaddrinfo, which in a static program would load libraries of the machine.
#include "base/network.h"

#include <ares.h>
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/fd.h"
#include "base/text.h"

namespace kubejoin::network {
namespace {

Fd open_socket(int domain, int type, int protocol = 0) { return Fd(::socket(domain, type | SOCK_CLOEXEC, protocol)); }

// A path, or with '@' an abstract name, as an address.
bool unix_address(const std::string& path, sockaddr_un& address, socklen_t& size) {
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path.front() == '@') address.sun_path[0] = '\0';
  size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (path.front() == '@' ? 0 : 1));
  return true;
}

template <class Address>
const sockaddr* as_sockaddr(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Asks the kernel as connect(2) would: a UDP socket's connect sends nothing, but fails where no route leads or no
// source address is usable yet.
bool has_route(const std::string& address) {
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {}, .sin_zero = {}};
  sockaddr_in6 v6{
      .sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_flowinfo = 0, .sin6_addr = {}, .sin6_scope_id = 0};
  if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1)
    return ::connect(open_socket(AF_INET, SOCK_DGRAM).get(), as_sockaddr(v4), sizeof v4) == 0;
  if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1)
    return ::connect(open_socket(AF_INET6, SOCK_DGRAM).get(), as_sockaddr(v6), sizeof v6) == 0;
  // A name needs DNS, and DNS a way out: any default route will do (192.0.2.1 and 2001:db8::1 are for documentation,
  // RFC 5737 and 3849).
  return has_route("192.0.2.1") || has_route("2001:db8::1");
}

// 0 when a stream socket can listen on the port of every address, or why not.
int try_to_listen(int family, std::uint16_t port) {
  const Fd socket = open_socket(family, SOCK_STREAM);
  const int yes = 1, no = 0;
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
  sockaddr_in6 v6{
      .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_flowinfo = 0, .sin6_addr = {}, .sin6_scope_id = 0};
  if (!socket.ok()) return errno;
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes,
                     sizeof yes);  // or a connection of yesterday would be in the way
  if (family == AF_INET6)
    (void)::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);  // IPv4 too, whatever bindv6only says
  const int bound = family == AF_INET6 ? ::bind(socket.get(), as_sockaddr(v6), sizeof v6)
                                       : ::bind(socket.get(), as_sockaddr(v4), sizeof v4);
  return bound == 0 && ::listen(socket.get(), 1) == 0 ? 0 : errno;
}

}  // namespace

Status can_listen(std::uint16_t port) {
  int why = try_to_listen(AF_INET6, port);
  if (why == EAFNOSUPPORT) why = try_to_listen(AF_INET, port);  // a machine without IPv6
  if (why == 0) return {};
  return fail(Kind::unfit, why == EADDRINUSE ? "net.port-in-use" : "net.listen",
              "unable to listen on port " + std::to_string(port) + ": " + std::strerror(why));
}

Status can_connect_unix(const std::string& path) {
  sockaddr_un address{};
  socklen_t size = 0;
  if (!unix_address(path, address, size))
    return fail(Kind::machine, "net.connect", "unable to connect to " + quoted(path) + ": not a socket's path");
  const Fd socket =
      open_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK);  // a listener that accepts nobody does not hold us up
  if (::connect(socket.get(), as_sockaddr(address), size) == 0) return {};
  return fail(Kind::machine, "net.connect", "unable to connect to " + quoted(path) + ": " + std::strerror(errno));
}

Status send_datagram(const std::string& unix_path, std::string_view data) {
  sockaddr_un address{};
  socklen_t size = 0;
  if (!unix_address(unix_path, address, size))
    return fail(Kind::machine, "net.send", "unable to send to " + quoted(unix_path) + ": not a socket's path");
  const Fd socket = open_socket(AF_UNIX, SOCK_DGRAM);
  const timeval patience{.tv_sec = 5, .tv_usec = 0};  // with a receiver whose queue is full
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const ssize_t sent = ::sendto(socket.get(), data.data(), data.size(), MSG_NOSIGNAL, as_sockaddr(address), size);
  if (sent == static_cast<ssize_t>(data.size())) return {};
  return fail(Kind::machine, "net.send", "unable to send to " + quoted(unix_path) + ": " + std::strerror(errno));
}

bool resolves(const std::string& name, Millis timeout) {
  if (is_ipv4(name) || is_ipv6(name)) return true;
  // As curl's own lookups: c-ares reads /etc/hosts and /etc/resolv.conf. Two tries, as the first of two servers may be
  // dead.
  static const bool is_initialised = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
  ares_channel channel{};
  ares_options options{};
  options.timeout = static_cast<int>(std::max<Millis::rep>(timeout.count() / 4, 1));
  options.tries = 2;
  if (!is_initialised || ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) != ARES_SUCCESS)
    return false;
  bool found = false;
  const auto on_answer = [](void* into, int status, int, hostent*) {
    *static_cast<bool*>(into) = status == ARES_SUCCESS;
  };
  ares_gethostbyname(channel, name.c_str(), AF_UNSPEC, on_answer, &found);
  const Instant deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const Millis left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now());
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    const int bits = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
    if (bits == 0 || left <= Millis{0}) break;
    pollfd fds[ARES_GETSOCK_MAXNUM];
    nfds_t count = 0;
    for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
      const int events = (ARES_GETSOCK_READABLE(bits, i) ? POLLIN : 0) | (ARES_GETSOCK_WRITABLE(bits, i) ? POLLOUT : 0);
      if (events != 0) fds[count++] = {sockets[i], static_cast<short>(events), 0};
    }
    timeval next{}, most{.tv_sec = left.count() / 1000, .tv_usec = left.count() % 1000 * 1000};
    ares_timeout(channel, &most, &next);
    const int ready = ::poll(fds, count, static_cast<int>(next.tv_sec * 1000 + next.tv_usec / 1000 + 1));
    if (ready <= 0) ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // its own timeouts
    for (nfds_t i = 0; ready > 0 && i < count; ++i) {
      if (fds[i].revents == 0) continue;
      const bool writes = (fds[i].revents & POLLOUT) != 0;
      ares_process_fd(channel, writes ? ARES_SOCKET_BAD : fds[i].fd, writes ? fds[i].fd : ARES_SOCKET_BAD);
    }
  }
  ares_destroy(channel);  // an unanswered query is answered ARES_EDESTRUCTION here
  return found;
}

Status wait_for_route(const std::string& address, Instant deadline, int wake_fd) {
  // Subscribe first, ask second: a route that comes in between is not missed.
  const Fd events = open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  sockaddr_nl groups{};
  groups.nl_family = AF_NETLINK;
  groups.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  const bool hears = ::bind(events.get(), as_sockaddr(groups), sizeof groups) == 0;
  for (;;) {
    if (has_route(address)) return {};
    const Millis left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now());
    if (left <= Millis{0} || !hears)
      return fail(Kind::unavailable, "net.no-route",
                  "there is no route to " + (address.empty() ? "the network" : quoted(address)),
                  "does this machine have its network? ip route");
    pollfd fds[2] = {{events.get(), POLLIN, 0}, {wake_fd, POLLIN, 0}};
    const int ready = ::poll(fds, 2, static_cast<int>(std::min<Millis::rep>(left.count(), 3'600'000)));
    if (ready > 0 && fds[1].revents != 0) return terminated();
    char buffer[1 << 14];
    while (ready > 0 && ::recv(events.get(), buffer, sizeof buffer, MSG_DONTWAIT) > 0) {
    }
  }
}

}  // namespace kubejoin::network
