// A small real server for the HTTP tests: TLS or plain, HTTP/1.1 or HTTP/2, on loopback or a unix socket, with
// certificates made on the spot.
#pragma once

#include <openssl/ssl.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace kubejoin {

// A certificate and its key, as PEM.
struct Identity {
  std::string certificate, key;
};
struct LeafWish {
  std::string names = "DNS:localhost,IP:127.0.0.1";  // subjectAltName as OpenSSL writes it; empty: none
  long valid_from = -3600, valid_to = 3600;          // seconds from now
};
Identity make_ca(const std::string& name);
Identity make_leaf(const Identity& ca, const LeafWish& wish = {});

struct Seen {
  std::string method{}, path{}, body{};
  std::map<std::string, std::string> headers{};  // names in lower case
  int connection = 0;                            // counts from 1
};

struct Reply {
  int status = 200;
  std::map<std::string, std::string> headers{};
  std::string body{};
  std::map<std::string, std::string> trailers{};  // HTTP/2 only
  std::string after{};                            // the body is held back until a request for this path has arrived
  bool hangs = false;                             // the answer never ends
  bool silent = false;                            // there is no answer at all
};

class TestServer {
 public:
  struct Options {
    Identity identity{};  // empty: plain
    bool http2 = false;   // agreed by ALPN; without TLS with prior knowledge
    std::string unix_socket{};
    std::string client_ca{};  // ask for a client certificate of this CA
  };
  using Handler = std::function<Reply(const Seen&)>;

  TestServer(Options options, Handler handler);
  ~TestServer();  // ends every connection
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::string url(const std::string& path, const std::string& host = "127.0.0.1") const;
  std::vector<Seen> seen() const;
  int connections() const;
  void present(const Identity& identity);  // to connections from now on
  void drop_connections();                 // as a server that restarts

 private:
  struct Link;
  friend struct Http2;
  void accept_all();
  void serve(int fd, int number);
  void serve_http1(Link& link);
  Reply hear(const Seen& seen);  // records it and asks the handler
  bool has_arrived(const std::string& path) const;

  Options options_;
  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Seen> seen_;
  std::vector<int> open_fds_;
  bool stopping_ = false;
  int connections_ = 0;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace kubejoin
