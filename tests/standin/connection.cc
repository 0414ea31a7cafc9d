// Non-blocking TLS over a socket.
#include "connection.h"

#include <cerrno>

#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

namespace kubejoin::standin {
namespace {

std::string last_tls_error() {
  const unsigned long code = ERR_get_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return reason != nullptr ? reason : "closed by the client";
}

}  // namespace

Connection::Connection(Loop& loop, int fd, SSL* ssl, int number, Handler handler,
                       std::function<void(const std::string&)> failed)
    : loop_(loop), fd_(fd), ssl_(ssl), handler_(std::move(handler)), failed_(std::move(failed)) {
  peer_.connection = number;
}

Connection::~Connection() {
  X509_free(peer_.certificate);
  SSL_free(ssl_);
}

void Connection::start() {
  if (ssl_ == nullptr) {
    int family = 0;
    socklen_t size = sizeof family;
    (void)::getsockopt(fd_, SOL_SOCKET, SO_DOMAIN, &family, &size);
    protocol_ = family == AF_UNIX ? make_http2(weak_from_this()) : make_http1(weak_from_this());
  }
  wait_for(POLLIN);
}

void Connection::deliver(std::shared_ptr<Exchange> exchange) {
  exchange->peer = peer_;
  handler_(std::move(exchange));
}

void Connection::wait_for(short events) {
  loop_.watch(fd_, events, [self = shared_from_this()](short) { self->on_ready(); });
}

bool Connection::handshake() {
  const int done = SSL_accept(ssl_);
  if (done != 1) {
    const int why = SSL_get_error(ssl_, done);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
      wait_for(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
      return false;
    }
    failed_(last_tls_error());
    close(true);
    return false;
  }
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  const bool http2 = std::string_view(reinterpret_cast<const char*>(name), size) == "h2";
  peer_.protocol = http2 ? "h2" : "http/1.1";
  peer_.resumed = SSL_session_reused(ssl_) == 1;
  peer_.certificate = SSL_get1_peer_certificate(ssl_);
  protocol_ = http2 ? make_http2(weak_from_this()) : make_http1(weak_from_this());
  return true;
}

int Connection::transfer(bool writing, char* data, std::size_t size) {
  if (ssl_ == nullptr) {
    const ssize_t n = writing ? ::send(fd_, data, size, MSG_NOSIGNAL) : ::recv(fd_, data, size, 0);
    if (n > 0) return static_cast<int>(n);
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
  }
  const int n = writing ? SSL_write(ssl_, data, static_cast<int>(size)) : SSL_read(ssl_, data, static_cast<int>(size));
  if (n > 0) return n;
  const int why = SSL_get_error(ssl_, n);
  ERR_clear_error();
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

void Connection::on_ready() {
  const auto self = shared_from_this();
  if (!protocol_ && !handshake()) return;
  char buffer[1 << 14];
  int n = 0;
  while (is_open() && (n = transfer(false, buffer, sizeof buffer)) > 0) {
    in_take_ = true;
    const bool understood = protocol_->take({buffer, static_cast<std::size_t>(n)});
    in_take_ = false;
    if (!understood) return close(false);
  }
  if (!is_open()) return;
  if (n < 0) return close(false);
  flush();
}

void Connection::flush() {
  if (!is_open() || !protocol_ || in_take_) return;
  for (;;) {
    if (out_.empty()) out_ = protocol_->bytes_to_send();
    if (out_.empty()) break;
    const int n = transfer(true, out_.data(), out_.size());
    if (n < 0) return close(false);
    if (n == 0) break;
    out_.erase(0, static_cast<std::size_t>(n));
  }
  if (out_.empty() && protocol_->is_finished()) return close(false);
  wait_for(out_.empty() ? POLLIN : POLLIN | POLLOUT);
}

void Connection::close(bool hard) {
  if (!is_open()) return;
  loop_.forget(fd_);
  if (hard) {
    const linger reset{1, 0};
    (void)::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  } else if (ssl_ != nullptr && protocol_) {
    (void)SSL_shutdown(ssl_);
  }
  (void)::close(fd_);
  fd_ = -1;
}

}  // namespace kubejoin::standin
