// HTTP/1.1 (RFC 9112) as far as a client of an API server uses it: one request at a time, bodies with a length, answers
// chunked or not.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "connection.h"

namespace kubejoin::standin {
namespace {

constexpr std::size_t kMaxRequest = 1 << 20;

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 409:
      return "Conflict";
    default:
      return "Status";
  }
}

class Http1 : public Protocol {
 public:
  explicit Http1(std::weak_ptr<Connection> connection) : connection_(std::move(connection)) {}
  ~Http1() override;
  bool take(std::string_view bytes) override {
    in_ += bytes;
    return in_.size() <= kMaxRequest && next();
  }
  std::string bytes_to_send() override { return std::exchange(out_, {}); }
  bool is_finished() const override { return last_ && !current_; }

 private:
  friend class Http1Exchange;
  bool next();
  bool parse(Request& request, std::size_t head_end);

  std::weak_ptr<Connection> connection_;
  std::string in_, out_;
  class Http1Exchange* current_ = nullptr;  // being answered
  bool last_ = false;
};

class Http1Exchange : public Exchange {
 public:
  Http1Exchange(Http1& protocol, std::weak_ptr<Connection> connection)
      : protocol_(&protocol), connection_(std::move(connection)) {}
  ~Http1Exchange() override { reset(); }

  void head(int status, const Headers& headers, std::int64_t length) override {
    if (!protocol_) return;
    std::string& out = protocol_->out_;
    out += "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_of(status)) + "\r\n";
    for (const auto& [name, value] : headers) out += name + ": " + value + "\r\n";
    if (protocol_->last_) out += "Connection: close\r\n";
    chunked_ = length < 0;
    out += chunked_ ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: " + std::to_string(length) + "\r\n\r\n";
    flush();
  }
  void body(std::string_view bytes) override {
    if (!protocol_ || bytes.empty()) return;
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    if (chunked_) protocol_->out_ += size;
    protocol_->out_ += bytes;
    if (chunked_) protocol_->out_ += "\r\n";
    flush();
  }
  void end(const Headers&) override {
    if (!protocol_) return;
    if (chunked_) protocol_->out_ += "0\r\n\r\n";
    Http1* protocol = protocol_;
    detach();
    if (const auto connection = connection_.lock()) {
      (void)protocol->next();
      connection->flush();
    }
  }
  void reset() override {
    if (!protocol_) return;
    protocol_->last_ = true;
    detach();
    flush();
  }
  void drop() override {
    detach();
    if (const auto connection = connection_.lock()) connection->close(true);
  }
  void last() override {
    if (protocol_) protocol_->last_ = true;
  }
  bool is_open() const override {
    const auto connection = connection_.lock();
    return protocol_ && connection && connection->is_open();
  }
  void detach() {
    if (protocol_) protocol_->current_ = nullptr;
    protocol_ = nullptr;
  }

 private:
  void flush() {
    if (const auto connection = connection_.lock()) connection->flush();
  }
  Http1* protocol_;
  std::weak_ptr<Connection> connection_;
  bool chunked_ = false;
};

Http1::~Http1() {
  if (current_) current_->detach();
}

bool Http1::parse(Request& request, std::size_t head_end) {
  std::size_t at = in_.find("\r\n");
  const std::string line = in_.substr(0, at);
  const auto first = line.find(' '), second = line.rfind(' ');
  if (first == second || line.compare(second + 1, 5, "HTTP/") != 0) return false;
  request.method = line.substr(0, first);
  request.path = line.substr(first + 1, second - first - 1);
  if (const auto mark = request.path.find('?'); mark != std::string::npos) {
    request.query = request.path.substr(mark + 1);
    request.path.resize(mark);
  }
  while (at < head_end) {
    const std::size_t from = at + 2;
    at = in_.find("\r\n", from);
    const std::size_t colon = in_.find(':', from);
    if (colon >= at) return false;
    std::string name = in_.substr(from, colon - from);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::size_t value = in_.find_first_not_of(" \t", colon + 1);
    request.headers[name] = in_.substr(value, at - value);
  }
  return true;
}

bool Http1::next() {
  const auto head_end = in_.find("\r\n\r\n");
  if (current_ || last_ || head_end == std::string::npos) return true;
  const auto exchange = std::make_shared<Http1Exchange>(*this, connection_);
  if (!parse(exchange->request, head_end)) return exchange->detach(), false;
  const auto& headers = exchange->request.headers;
  const auto length = headers.find("content-length");
  const std::size_t size = length == headers.end() ? 0 : std::strtoul(length->second.c_str(), nullptr, 10);
  if (in_.size() < head_end + 4 + size) return exchange->detach(), true;
  exchange->request.body = in_.substr(head_end + 4, size);
  in_.erase(0, head_end + 4 + size);
  const auto wish = headers.find("connection");
  last_ = wish != headers.end() && wish->second == "close";
  current_ = exchange.get();
  if (const auto connection = connection_.lock()) connection->deliver(exchange);
  return true;
}

}  // namespace

std::unique_ptr<Protocol> make_http1(std::weak_ptr<Connection> connection) {
  return std::make_unique<Http1>(std::move(connection));
}

}  // namespace kubejoin::standin
