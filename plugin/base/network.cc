// Sockets, rtnetlink and c-ares: no getaddrinfo, which in a static program would load libraries of the machine.
#include "base/network.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <ares.h>
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

namespace kubejoin::network {
namespace {

struct Socket {
  int fd;
  Socket(int domain, int type, int protocol = 0) : fd(::socket(domain, type | SOCK_CLOEXEC, protocol)) {}
  ~Socket() {
    if (fd >= 0) (void)::close(fd);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
};

bool unix_address(const std::string& path, sockaddr_un& address, socklen_t& size) {
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path.front() == '@') address.sun_path[0] = '\0';
  size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (path.front() == '@' ? 0 : 1));
  return true;
}

// Asks the kernel as connect(2) would: a UDP socket's connect sends nothing, but fails where no route leads.
bool has_route(const std::string& address) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(9);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(9);
  if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    const Socket probe(AF_INET, SOCK_DGRAM);
    return ::connect(probe.fd, reinterpret_cast<sockaddr*>(&v4), sizeof v4) == 0;
  }
  if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    const Socket probe(AF_INET6, SOCK_DGRAM);
    return ::connect(probe.fd, reinterpret_cast<sockaddr*>(&v6), sizeof v6) == 0;
  }
  // A name needs DNS, and DNS a way out: any default route will do (192.0.2.1 and 2001:db8::1 are for documentation, RFC 5737 and 3849).
  return has_route("192.0.2.1") || has_route("2001:db8::1");
}

// /etc/hosts before DNS, as nsswitch.conf has it everywhere.
bool in_hosts_file(const std::string& name) {
  std::ifstream hosts("/etc/hosts");
  for (std::string line; std::getline(hosts, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    words >> word;
    while (words >> word)
      if (lower(word) == lower(name)) return true;
  }
  return false;
}

}  // namespace

Status can_listen(std::uint16_t port) {
  const Socket socket(AF_INET6, SOCK_STREAM);
  const int yes = 1;
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  int result = -1;
  if (socket.fd >= 0) {
    (void)::setsockopt(socket.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    result = ::bind(socket.fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    if (result == 0) result = ::listen(socket.fd, 1);
  } else {  // a machine without IPv6
    const Socket v4(AF_INET, SOCK_STREAM);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(port);
    (void)::setsockopt(v4.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    result = ::bind(v4.fd, reinterpret_cast<sockaddr*>(&any), sizeof any);
    if (result == 0) result = ::listen(v4.fd, 1);
  }
  if (result == 0) return {};
  return fail(Kind::unfit, errno == EADDRINUSE ? "net.port-in-use" : "net.listen", "unable to listen on port " + std::to_string(port) + ": " + std::strerror(errno));
}

Status can_connect_unix(const std::string& path) {
  const Socket socket(AF_UNIX, SOCK_STREAM);
  sockaddr_un address{};
  socklen_t size = 0;
  if (unix_address(path, address, size) && ::connect(socket.fd, reinterpret_cast<sockaddr*>(&address), size) == 0) return {};
  return fail(Kind::machine, "net.connect", "unable to connect to " + quoted(path) + ": " + std::strerror(errno));
}

Status send_datagram(const std::string& unix_path, std::string_view data) {
  const Socket socket(AF_UNIX, SOCK_DGRAM);
  sockaddr_un address{};
  socklen_t size = 0;
  if (unix_address(unix_path, address, size) &&
      ::sendto(socket.fd, data.data(), data.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), size) == static_cast<ssize_t>(data.size()))
    return {};
  return fail(Kind::machine, "net.send", "unable to send to " + quoted(unix_path) + ": " + std::strerror(errno));
}

bool resolves(const std::string& name, Millis timeout) {
  if (is_ipv4(name) || is_ipv6(name) || in_hosts_file(name)) return true;
  ares_channel channel{};
  ares_options options{};
  options.timeout = static_cast<int>(timeout.count());
  options.tries = 1;
  if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS || ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) != ARES_SUCCESS) return false;
  bool found = false;
  ares_gethostbyname(channel, name.c_str(), AF_UNSPEC, [](void* into, int status, int, hostent*) { *static_cast<bool*>(into) = status == ARES_SUCCESS; }, &found);
  const Instant deadline = std::chrono::steady_clock::now() + timeout;
  while (std::chrono::steady_clock::now() < deadline) {
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    const int bits = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
    pollfd fds[ARES_GETSOCK_MAXNUM];
    nfds_t count = 0;
    for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
      const bool readable = ARES_GETSOCK_READABLE(bits, i) != 0, writable = ARES_GETSOCK_WRITABLE(bits, i) != 0;
      if (readable || writable) fds[count++] = {sockets[i], static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0)), 0};
    }
    if (count == 0) break;
    const auto left = std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now()).count();
    (void)::poll(fds, count, static_cast<int>(std::max<long long>(left, 0)));
    for (nfds_t i = 0; i < count; ++i)
      ares_process_fd(channel, (fds[i].revents & POLLOUT) == 0 ? fds[i].fd : ARES_SOCKET_BAD, (fds[i].revents & POLLOUT) != 0 ? fds[i].fd : ARES_SOCKET_BAD);
    if (std::all_of(fds, fds + count, [](const pollfd& f) { return f.revents == 0; })) ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  }
  ares_destroy(channel);
  return found;
}

Status wait_for_route(const std::string& address, Instant deadline, int wake_fd) {
  // Subscribe first, ask second: a route that comes in between is not missed.
  const Socket events(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  sockaddr_nl groups{};
  groups.nl_family = AF_NETLINK;
  groups.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  const bool listens = events.fd >= 0 && ::bind(events.fd, reinterpret_cast<sockaddr*>(&groups), sizeof groups) == 0;
  for (;;) {
    if (has_route(address)) return {};
    const auto left = std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0 || !listens) return fail(Kind::unavailable, "net.no-route", "there is no route to " + quoted(address), "does this machine have its network? ip route");
    pollfd fds[2] = {{events.fd, POLLIN, 0}, {wake_fd, POLLIN, 0}};
    if (::poll(fds, 2, static_cast<int>(std::min<long long>(left, 3'600'000))) > 0 && fds[1].revents != 0)
      return fail(Kind::unavailable, "signal.terminated", "interrupted by a signal");
    char buffer[1 << 14];
    while (fds[0].revents != 0 && ::recv(events.fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0) {}
  }
}

}  // namespace kubejoin::network
