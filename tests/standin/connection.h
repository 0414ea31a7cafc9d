// Connection: an accepted socket, its TLS, and HTTP/1.1 or HTTP/2 (as ALPN has it) on top.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "exchange.h"
#include "loop.h"

namespace kubejoin::standin {

// Turns bytes into exchanges and answers into bytes.
class Protocol {
 public:
  virtual ~Protocol() = default;
  virtual bool take(std::string_view bytes) = 0;  // false: not this protocol; the connection is closed
  virtual std::string bytes_to_send() = 0;
  virtual bool is_finished() const = 0;  // when all was sent, the connection is closed
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Takes `fd` and `ssl`. `failed` is told why a handshake went wrong.
  Connection(Loop& loop, int fd, SSL* ssl, int number, Handler handler, std::function<void(const std::string&)> failed);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();
  void start();  // without TLS: HTTP/2 with prior knowledge (gRPC) on a unix socket, else HTTP/1.1

  // For the protocols.
  void deliver(std::shared_ptr<Exchange> exchange);
  void flush();           // sends what the protocol has to send
  void close(bool hard);  // hard: TCP reset instead of an orderly end
  bool is_open() const { return fd_ >= 0; }

 private:
  void on_ready();
  bool handshake();
  int transfer(bool writing, char* data, std::size_t size);  // bytes, 0 for "later", -1 for the end
  void wait_for(short events);

  Loop& loop_;
  int fd_;
  SSL* ssl_;
  Handler handler_;
  std::function<void(const std::string&)> failed_;
  Peer peer_;
  std::unique_ptr<Protocol> protocol_;
  std::string out_;
  bool in_take_ = false;
};

std::unique_ptr<Protocol> make_http1(std::weak_ptr<Connection> connection);
std::unique_ptr<Protocol> make_http2(std::weak_ptr<Connection> connection);

}  // namespace kubejoin::standin
