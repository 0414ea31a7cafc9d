// One thread a connection; HTTP/2 by nghttp2, HTTP/1.1 by hand.
#include "test_server.h"

#include <arpa/inet.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "../test.h"
#include "base/text.h"

namespace kubejoin {

namespace {

struct Free {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(SSL* p) const { SSL_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Owned<BIO> reading(const std::string& text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}
Owned<X509> certificate_of(const std::string& pem) {
  return Owned<X509>(PEM_read_bio_X509(reading(pem).get(), nullptr, nullptr, nullptr));
}
Owned<EVP_PKEY> key_of(const std::string& pem) {
  return Owned<EVP_PKEY>(PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, nullptr, nullptr));
}

void extend(X509* certificate, int nid, const std::string& value) {
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  REQUIRE(extension != nullptr);
  X509_add_ext(certificate, extension.get(), -1);
}

Identity make(const std::string& name, const Identity* issuer, const LeafWish& wish) {
  static long serial = 1;
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const Owned<X509> certificate(X509_new());
  X509* c = certificate.get();
  X509_set_version(c, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(c), serial++);
  X509_gmtime_adj(X509_getm_notBefore(c), wish.valid_from);
  X509_gmtime_adj(X509_getm_notAfter(c), wish.valid_to);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(c, key.get());
  const Owned<X509> issuer_certificate = issuer != nullptr ? certificate_of(issuer->certificate) : nullptr;
  X509_set_issuer_name(c, X509_get_subject_name(issuer != nullptr ? issuer_certificate.get() : c));
  extend(c, NID_basic_constraints, issuer != nullptr ? "critical,CA:FALSE" : "critical,CA:TRUE");
  extend(c, NID_key_usage, issuer != nullptr ? "critical,digitalSignature" : "critical,keyCertSign");
  if (issuer != nullptr) extend(c, NID_ext_key_usage, "serverAuth,clientAuth");
  if (issuer != nullptr && !wish.names.empty()) extend(c, NID_subject_alt_name, wish.names);
  const Owned<EVP_PKEY> issuer_key = issuer != nullptr ? key_of(issuer->key) : nullptr;
  REQUIRE(X509_sign(c, issuer != nullptr ? issuer_key.get() : key.get(), EVP_sha256()) > 0);

  const Owned<BIO> certificate_pem(BIO_new(BIO_s_mem())), key_pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(certificate_pem.get(), c);
  PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {text_of(certificate_pem.get()), text_of(key_pem.get())};
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
                    void* with_http2) {
  static const unsigned char kHttp2[] = "\x02h2\x08http/1.1", kHttp1[] = "\x08http/1.1";
  const bool http2 = *static_cast<bool*>(with_http2);
  const int result =
      SSL_select_next_proto(const_cast<unsigned char**>(out), out_size, http2 ? kHttp2 : kHttp1,
                            static_cast<unsigned>(http2 ? sizeof kHttp2 : sizeof kHttp1) - 1, in, in_size);
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

Identity make_ca(const std::string& name) { return make(name, nullptr, {}); }
Identity make_leaf(const Identity& ca, const LeafWish& wish) { return make("kube-apiserver", &ca, wish); }

// The bytes of one connection.
struct TestServer::Link {
  int fd = -1;
  int number = 0;
  Owned<SSL> ssl;

  int read(char* into, int size) {
    return ssl ? SSL_read(ssl.get(), into, size)
               : static_cast<int>(::recv(fd, into, static_cast<std::size_t>(size), 0));
  }
  bool write(std::string_view bytes) {
    if (bytes.empty()) return true;
    const auto size = static_cast<int>(bytes.size());
    return (ssl ? SSL_write(ssl.get(), bytes.data(), size)
                : static_cast<int>(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL))) == size;
  }
};

// ---- HTTP/2
// -----------------------------------------------------------------------------------------------------------

struct Http2 {
  struct Stream {
    Seen seen;
    Reply reply;
    std::size_t sent = 0;
    bool waits = false;
  };
  TestServer& server;
  TestServer::Link& link;
  nghttp2_session* session = nullptr;
  std::map<int, Stream> streams;

  static Http2& self(void* user) { return *static_cast<Http2*>(user); }

  static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* into, std::size_t size,
                           std::uint32_t* flags, nghttp2_data_source*, void* user) {
    Http2& me = self(user);
    Stream& stream = me.streams[id];
    const bool is_held = !stream.reply.after.empty() && !me.server.has_arrived(stream.reply.after);
    const std::size_t part = is_held ? 0 : std::min(size, stream.reply.body.size() - stream.sent);
    if (part == 0 && (is_held || stream.reply.hangs)) {
      stream.waits = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    std::memcpy(into, stream.reply.body.data() + stream.sent, part);
    stream.sent += part;
    if (stream.sent < stream.reply.body.size() || stream.reply.hangs) return static_cast<ssize_t>(part);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!stream.reply.trailers.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      std::vector<nghttp2_nv> fields = pairs(stream.reply.trailers);
      nghttp2_submit_trailer(session, id, fields.data(), fields.size());
    }
    return static_cast<ssize_t>(part);
  }

  static std::vector<nghttp2_nv> pairs(const std::map<std::string, std::string>& fields) {
    std::vector<nghttp2_nv> all;
    const auto bytes = [](const std::string& text) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    for (const auto& [name, value] : fields)
      all.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    return all;
  }

  void answer(int id) {
    Stream& stream = streams[id];
    stream.seen.connection = link.number;
    stream.reply = server.hear(stream.seen);
    if (stream.reply.silent) return;
    std::map<std::string, std::string> headers = stream.reply.headers;
    headers[":status"] = std::to_string(stream.reply.status);
    std::vector<nghttp2_nv> fields = pairs(headers);
    nghttp2_data_provider body{};
    body.read_callback = &read_body;
    nghttp2_submit_response(session, id, fields.data(), fields.size(), &body);
  }

  void serve() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
          const std::string key(reinterpret_cast<const char*>(name), name_size),
              text(reinterpret_cast<const char*>(value), value_size);
          Seen& seen = self(user).streams[frame->hd.stream_id].seen;
          (key == ":method" ? seen.method : key == ":path" ? seen.path : seen.headers[key]) = text;
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks,
        [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size, void* user) {
          self(user).streams[id].seen.body.append(reinterpret_cast<const char*>(data), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
          const bool is_request = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
          if (is_request && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) self(user).answer(frame->hd.stream_id);
          return 0;
        });
    nghttp2_session_server_new(&session, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
    char buffer[1 << 14];
    for (bool alive = true; alive;) {
      for (auto& [id, stream] : streams) {
        if (std::exchange(stream.waits, false)) nghttp2_session_resume_data(session, id);
      }
      const std::uint8_t* out = nullptr;
      for (ssize_t size = 0; alive && (size = nghttp2_session_mem_send(session, &out)) > 0;)
        alive = link.write({reinterpret_cast<const char*>(out), static_cast<std::size_t>(size)});
      const int size = alive ? link.read(buffer, sizeof buffer) : 0;
      alive = size > 0 && nghttp2_session_mem_recv(session, reinterpret_cast<std::uint8_t*>(buffer),
                                                   static_cast<std::size_t>(size)) == size;
    }
    nghttp2_session_del(session);
  }
};

// ---- HTTP/1.1
// ---------------------------------------------------------------------------------------------------------

void TestServer::serve_http1(Link& link) {
  std::string buffer;
  char part[4096];
  const auto read_until = [&](const std::function<bool()>& enough) {
    while (!enough()) {
      const int size = link.read(part, sizeof part);
      if (size <= 0) return false;
      buffer.append(part, static_cast<std::size_t>(size));
      if (buffer.front() < 'A' || buffer.front() > 'Z') return false;  // no method: a TLS client
    }
    return true;
  };
  while (read_until([&] { return buffer.find("\r\n\r\n") != buffer.npos; })) {
    const std::size_t end = buffer.find("\r\n\r\n");
    const std::vector<std::string> lines = split(replace_all(buffer.substr(0, end), "\r", ""), '\n');
    const std::vector<std::string> first = split(lines.front(), ' ');
    Seen seen{.method = first[0], .path = first[1], .connection = link.number};
    for (std::size_t i = 1; i < lines.size(); ++i)
      seen.headers[lower(lines[i].substr(0, lines[i].find(':')))] =
          trim(std::string_view(lines[i]).substr(lines[i].find(':') + 1));
    const std::size_t size = seen.headers.count("content-length") != 0 ? std::stoul(seen.headers["content-length"]) : 0;
    if (!read_until([&] { return buffer.size() >= end + 4 + size; })) return;
    seen.body = buffer.substr(end + 4, size);
    buffer.erase(0, end + 4 + size);

    const Reply reply = hear(seen);
    if (reply.silent) return (void)read_until([] { return false; });
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Whatever\r\n";
    for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
    const bool chunked = reply.hangs || !reply.after.empty();
    head += chunked ? "Transfer-Encoding: chunked\r\n\r\n"
                    : "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n";
    if (!link.write(head)) return;
    if (!reply.after.empty()) {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [&] {
        return stopping_ ||
               std::any_of(seen_.begin(), seen_.end(), [&](const Seen& s) { return s.path == reply.after; });
      });
    }
    char chunk[16];
    std::snprintf(chunk, sizeof chunk, "%zx\r\n", reply.body.size());
    if (!link.write(chunked && !reply.body.empty() ? chunk + reply.body + "\r\n" : reply.body)) return;
    if (reply.hangs) return (void)read_until([] { return false; });
    if (chunked && !link.write("0\r\n\r\n")) return;
  }
}

// ---- the server
// -------------------------------------------------------------------------------------------------------

TestServer::TestServer(Options options, Handler handler) : options_(std::move(options)), handler_(std::move(handler)) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  if (options_.unix_socket.empty()) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
  } else {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(options_.unix_socket.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, options_.unix_socket.data(), options_.unix_socket.size());
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  REQUIRE(::listen(listener_, 16) == 0);
  acceptor_ = std::thread([this] { accept_all(); });
}

TestServer::~TestServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    arrived_.notify_all();
  }
  (void)::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  drop_connections();
  for (std::thread& thread : threads_) thread.join();
  (void)::close(listener_);
}

void TestServer::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard lock(mutex_);
    open_fds_.push_back(fd);
    threads_.emplace_back([this, fd, number = ++connections_] { serve(fd, number); });
  }
}

void TestServer::serve(int fd, int number) {
  Link link{fd, number, nullptr};
  bool ok = true, http2 = options_.http2;
  Options now;
  {
    const std::lock_guard lock(mutex_);
    now = options_;
  }
  if (!now.identity.certificate.empty()) {
    const Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context.get(), certificate_of(now.identity.certificate).get());
    SSL_CTX_use_PrivateKey(context.get(), key_of(now.identity.key).get());
    SSL_CTX_set_alpn_select_cb(context.get(), &choose_protocol, &now.http2);
    if (!now.client_ca.empty()) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), certificate_of(now.client_ca).get());
      SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    link.ssl.reset(SSL_new(context.get()));
    SSL_set_fd(link.ssl.get(), fd);
    ok = SSL_accept(link.ssl.get()) == 1;
    const unsigned char* agreed = nullptr;
    unsigned agreed_size = 0;
    SSL_get0_alpn_selected(link.ssl.get(), &agreed, &agreed_size);
    http2 = agreed_size == 2;
  }
  if (ok && http2) Http2{*this, link, nullptr, {}}.serve();
  if (ok && !http2) serve_http1(link);
  ERR_clear_error();
  const std::lock_guard lock(mutex_);
  std::erase(open_fds_, fd);
  (void)::close(fd);
}

Reply TestServer::hear(const Seen& seen) {
  {
    const std::lock_guard lock(mutex_);
    seen_.push_back(seen);
    arrived_.notify_all();
  }
  return handler_(seen);
}

bool TestServer::has_arrived(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(seen_.begin(), seen_.end(), [&](const Seen& s) { return s.path == path; });
}

std::string TestServer::url(const std::string& path, const std::string& host) const {
  return (options_.identity.certificate.empty() ? "http://" : "https://") + host + ":" + std::to_string(port_) + path;
}

std::vector<Seen> TestServer::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

int TestServer::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

void TestServer::present(const Identity& identity) {
  const std::lock_guard lock(mutex_);
  options_.identity = identity;
}

void TestServer::drop_connections() {
  const std::lock_guard lock(mutex_);
  for (const int fd : open_fds_) (void)::shutdown(fd, SHUT_RDWR);
}

}  // namespace kubejoin
