// Sockets and TLS contexts.
#include "server.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace kubejoin::standin {
namespace {

void accept_one(Listener& listener, int from, int& count) {
  const int fd = ::accept4(from, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  const int number = ++count, yes = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  SSL* ssl = nullptr;
  if (SSL_CTX* context = listener.context(number)) {
    ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    SSL_set_accept_state(ssl);
  }
  const auto log = [&listener, number](const std::string& why) {
    listener.log("conn=" + std::to_string(number) + " handshake failed: " + why);
  };
  const auto connection = std::make_shared<Connection>(listener.loop, fd, ssl, number, listener.handler, log);
  if (number <= listener.reset_first) {
    listener.log("conn=" + std::to_string(number) + " reset");
    connection->close(true);
  } else if (listener.never_handshake) {
    listener.log("conn=" + std::to_string(number) + " left alone");
    listener.loop.watch(fd, 0, [connection](short) { connection->close(true); });
  } else {
    connection->start();
  }
}

int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
                void* user) {
  const std::string_view ours =
      user != nullptr ? std::string_view("\x02h2\x08http/1.1") : std::string_view("\x08http/1.1");
  auto* chosen = const_cast<unsigned char**>(out);
  const int found = SSL_select_next_proto(chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                                          static_cast<unsigned>(ours.size()), in, in_size);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

// The socket, or -1.
template <class Address>
int listen_on(Listener& listener, const std::shared_ptr<int>& count, const Address& address) {
  const auto* general = reinterpret_cast<const sockaddr*>(&address);
  const int fd = ::socket(general->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int yes = 1;
  (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (fd < 0 || ::bind(fd, general, sizeof address) != 0 || ::listen(fd, 128) != 0) {
    const int why = errno;
    if (fd >= 0) (void)::close(fd);
    errno = why;
    return -1;
  }
  listener.loop.watch(fd, POLLIN, [&listener, fd, count](short) { accept_one(listener, fd, *count); });
  return fd;
}

}  // namespace

int listen_on_loopback(Listener& listener, int port) {
  const auto count = std::make_shared<int>(0);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  v4.sin_port = htons(static_cast<std::uint16_t>(port));
  const int fd = listen_on(listener, count, v4);
  if (fd < 0)
    throw std::runtime_error("unable to listen on 127.0.0.1:" + std::to_string(port) + ": " + std::strerror(errno));
  socklen_t size = sizeof v4;
  (void)::getsockname(fd, reinterpret_cast<sockaddr*>(&v4), &size);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  v6.sin6_port = v4.sin_port;
  (void)listen_on(listener, count, v6);  // a machine without IPv6 has none
  return ntohs(v4.sin_port);
}

void listen_on_unix_socket(Listener& listener, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (listen_on(listener, std::make_shared<int>(0), address) < 0)
    throw std::runtime_error("unable to listen on " + path + ": " + std::strerror(errno));
}

SSL_CTX* make_tls(const Pair& shown, const Pair& ca, bool http2) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  const unsigned char name[] = "standin";
  SSL_CTX_set_session_id_context(context, name, sizeof name);
  SSL_CTX_use_certificate(context, shown.certificate.get());
  SSL_CTX_use_PrivateKey(context, shown.key.get());
  SSL_CTX_add_client_CA(context, ca.certificate.get());
  // As kube-apiserver: any certificate gets through the handshake, and is judged when a request comes.
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  static char marker;
  SSL_CTX_set_alpn_select_cb(context, choose_alpn, http2 ? &marker : nullptr);
  return context;
}

}  // namespace kubejoin::standin
