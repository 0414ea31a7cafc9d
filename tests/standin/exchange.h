// Exchange: one request and its answer, whatever the protocol below is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openssl/x509.h>

namespace kubejoin::standin {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method, path, query, body;
  std::map<std::string, std::string> headers{};  // names in lower case
  std::string line() const { return method + " " + path + (query.empty() ? "" : "?" + query); }
};

// The connection that a request came over.
struct Peer {
  int connection = 0;  // counted from 1
  std::string_view protocol = "http/1.1";
  bool resumed = false;         // the TLS session
  X509* certificate = nullptr;  // of the client; owned by the connection
};

// head(), then body() any number of times, then end(). Calls after the peer has gone do nothing.
class Exchange {
 public:
  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  // `length` < 0: unknown, as of a stream.
  virtual void head(int status, const Headers& headers, std::int64_t length) = 0;
  virtual void body(std::string_view bytes) = 0;
  virtual void end(const Headers& trailers = {}) = 0;
  virtual void reset() = 0;  // in the middle: RST_STREAM, or the connection closed
  virtual void drop() = 0;   // the whole connection, with a TCP reset
  virtual void last() = 0;   // no further request on this connection: GOAWAY, or Connection: close
  virtual bool is_open() const = 0;

  Request request;
  Peer peer;
};

using Handler = std::function<void(std::shared_ptr<Exchange>)>;

}  // namespace kubejoin::standin
