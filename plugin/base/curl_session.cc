// The one file that includes curl. curl's own verification is off; ours runs inside the handshake, for every connection, with the same curl
// options throughout a session, so that a connection made before trust was known can go on carrying requests after it was proven.
#include "base/curl_session.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include <curl/curl.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/text.h"
#include "base/tls.h"

namespace kubejoin {
namespace {

constexpr std::size_t kMaxChain = 16, kMaxChainBytes = 128 << 10, kMaxHeaderBytes = 64 << 10;
constexpr long kConnectTimeoutMs = 10'000;

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct SlistDeleter {
  void operator()(curl_slist* list) const {
    for (curl_slist* item = list; item != nullptr; item = item->next) OPENSSL_cleanse(item->data, std::strlen(item->data));  // a bearer may be among them
    curl_slist_free_all(list);
  }
};

std::string host_of(const std::string& url) {
  CURLU* parts = curl_url();
  char* host = nullptr;
  std::string name;
  if (curl_url_set(parts, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK && curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) name = host;
  curl_free(host);
  curl_url_cleanup(parts);
  if (name.size() > 2 && name.front() == '[') name = name.substr(1, name.size() - 2);
  return name;
}

// One exchange in flight.
struct Transfer {
  const HttpRequest* request = nullptr;
  std::unique_ptr<CURL, EasyDeleter> easy;
  std::unique_ptr<curl_slist, SlistDeleter> headers;
  HttpResponse response;
  std::size_t header_bytes = 0;
  std::string line;  // of a stream, incomplete
  std::optional<Error> error;
  Flow flow = Flow::go_on;
  bool done = false;

  bool streams() const { return request->stream && response.status / 100 == 2; }

  std::size_t take(std::string_view bytes) {
    if (!streams()) {
      if (response.body.size() + bytes.size() > request->max_bytes) return too_large();
      response.body += bytes;
      return bytes.size();
    }
    for (std::string_view rest = bytes; !rest.empty();) {
      const auto end = rest.find('\n');
      line += rest.substr(0, end);
      if (line.size() > request->max_bytes) return too_large();
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
      const std::string whole = std::exchange(line, {});
      if (!whole.empty() && request->on_line && request->on_line(whole) == Flow::stop) {
        flow = Flow::stop;
        response.stopped = true;
        return CURL_WRITEFUNC_ERROR;
      }
    }
    return bytes.size();
  }

  std::size_t too_large() {
    error = fail(Kind::machine, "http.too-large", "the answer of " + quoted(request->url) + " is larger than " + std::to_string(request->max_bytes) + " bytes").value();
    return CURL_WRITEFUNC_ERROR;
  }

  void take_header(std::string_view text) {
    if (text.rfind("HTTP/", 0) == 0) response.headers.clear();  // after a 100 or a proxy's CONNECT
    header_bytes += text.size();
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || header_bytes > kMaxHeaderBytes) return;
    response.headers[lower(trim(text.substr(0, colon)))] = std::string(trim(text.substr(colon + 1)));
  }
};

class CurlSession : public HttpSession {
 public:
  CurlSession(HttpOptions options, int wake_fd) : options_(std::move(options)), wake_fd_(wake_fd), multi_(curl_multi_init()) {
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  }
  ~CurlSession() override { curl_multi_cleanup(multi_); }
  CurlSession(const CurlSession&) = delete;
  CurlSession& operator=(const CurlSession&) = delete;

  std::vector<Result<HttpResponse>> run(std::vector<HttpRequest> requests) override {
    auto answers = run_once(requests);
    // Redirects are followed here and not by curl: from https to https, without the bearer, and the new host is verified as itself.
    for (int hop = 0; hop < options_.https_redirects && requests.size() == 1 && answers[0] && answers[0]->status / 100 == 3; ++hop) {
      const auto location = answers[0]->headers.find("location");
      if (location == answers[0]->headers.end() || location->second.rfind("https://", 0) != 0) break;
      requests[0].url = location->second;
      requests[0].bearer = Secret();
      answers = run_once(requests);
    }
    return answers;
  }

  Status trust(std::string_view ca_pem) override {
    TRY(auto store, tls::make_store(ca_pem));
    if (auto proven = tls::verify(peer_, store.get(), host_); !proven) {
      curl_multi_cleanup(multi_);  // closes the connection
      multi_ = curl_multi_init();
      return proven;
    }
    store_ = std::move(store);
    options_.trust = HttpOptions::Trust::given;
    return {};
  }

  const PeerChain& peer() const override { return peer_; }
  int connections() const override { return connections_; }

 private:
  std::vector<Result<HttpResponse>> run_once(const std::vector<HttpRequest>& requests) {
    std::vector<Result<HttpResponse>> answers;
    if (auto ready = prepare(requests); !ready) {
      for (std::size_t i = 0; i < requests.size(); ++i) answers.emplace_back(tl::unexpected(ready.error()));
      return answers;
    }
    std::vector<std::unique_ptr<Transfer>> transfers;
    for (const HttpRequest& request : requests) {
      transfers.push_back(start(request));
      curl_multi_add_handle(multi_, transfers.back()->easy.get());
    }
    drive(transfers);
    for (auto& transfer : transfers) {
      curl_multi_remove_handle(multi_, transfer->easy.get());
      if (transfer->error) answers.emplace_back(tl::unexpected(*std::move(transfer->error)));
      else answers.emplace_back(std::move(transfer->response));
    }
    return answers;
  }

  Status prepare(const std::vector<HttpRequest>& requests) {
    host_ = host_of(requests.front().url);
    for (const HttpRequest& request : requests) {
      const bool is_verified = options_.trust != HttpOptions::Trust::pending && request.url.rfind("https://", 0) == 0;
      if (!request.bearer.empty() && !is_verified)
        return fail(Kind::internal, "http.unverified", "a secret was about to be sent over a connection that is not verified");
    }
    if (store_ || options_.trust == HttpOptions::Trust::pending || requests.front().url.rfind("https://", 0) != 0) return {};
    std::string pem = options_.ca_pem;
    if (options_.trust == HttpOptions::Trust::host) {
      TRY(pem, tls::host_ca_bundle());
    }
    TRY(store_, tls::make_store(pem));
    return {};
  }

  std::unique_ptr<Transfer> start(const HttpRequest& request) {
    auto transfer = std::make_unique<Transfer>();
    transfer->request = &request;
    transfer->easy.reset(curl_easy_init());
    CURL* easy = transfer->easy.get();
    curl_slist* headers = nullptr;
    const auto add = [&](const std::string& header) { headers = curl_slist_append(headers, header.c_str()); };
    for (const auto& [name, value] : request.headers) add(name + ": " + value);
    if (!request.bearer.empty()) {
      std::string header = "Authorization: Bearer " + std::string(request.bearer.expose());
      add(header);
      wipe(header);
    }
    add("Expect:");
    transfer->headers.reset(headers);

    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer.get());
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "kubejoin/" KUBEJOIN_VERSION);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    }
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, std::min<long>(kConnectTimeoutMs, static_cast<long>(request.timeout.count())));
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(options_.h2c ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : CURL_HTTP_VERSION_2TLS));
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    if (!options_.use_proxy) curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (!options_.unix_socket.empty()) curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options_.unix_socket.c_str());
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);  // ours runs in the handshake: see on_handshake
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);  // a resumed session would not be verified
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &CurlSession::on_context);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlSession::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlSession::on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer.get());
    return transfer;
  }

  // Until each transfer is done, or a handler or a signal ends the batch.
  void drive(std::vector<std::unique_ptr<Transfer>>& transfers) {
    int running = 1;
    bool stop = false;
    while (!stop) {
      curl_multi_perform(multi_, &running);
      int queued = 0;
      while (CURLMsg* message = curl_multi_info_read(multi_, &queued)) {
        if (message->msg != CURLMSG_DONE) continue;
        Transfer* transfer = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        finish(*transfer, message->data.result);
        stop = stop || transfer->flow == Flow::stop;
      }
      if (running == 0 || stop) break;
      curl_waitfd wake{wake_fd_, CURL_WAIT_POLLIN, 0};
      curl_multi_poll(multi_, &wake, wake_fd_ >= 0 ? 1 : 0, 60'000, nullptr);
      if ((wake.revents & CURL_WAIT_POLLIN) != 0) {
        for (auto& transfer : transfers)
          if (!transfer->done) transfer->error = fail(Kind::unavailable, "signal.terminated", "interrupted by a signal").value();
        return;
      }
    }
    for (auto& transfer : transfers)
      if (!transfer->done) transfer->error = fail(Kind::unavailable, "http.cancelled", "not needed any more").value();
  }

  void finish(Transfer& transfer, CURLcode code) {
    transfer.done = true;
    long status = 0, connects = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_NUM_CONNECTS, &connects);
    transfer.response.status = static_cast<int>(status);
    connections_ += static_cast<int>(connects);
    if (code != CURLE_OK && !transfer.error && !transfer.response.stopped) transfer.error = error_of(code, *transfer.request);
    if (code == CURLE_OK && transfer.streams() && !transfer.line.empty() && transfer.request->on_line) (void)transfer.request->on_line(transfer.line);
    if (!transfer.request->on_done) return;
    const Result<HttpResponse> answer = transfer.error ? Result<HttpResponse>(tl::unexpected(*transfer.error)) : Result<HttpResponse>(transfer.response);
    if (transfer.request->on_done(answer) == Flow::stop) transfer.flow = Flow::stop;
  }

  Error error_of(CURLcode code, const HttpRequest& request) {
    const std::string where = quoted(request.url);
    const std::string why = curl_easy_strerror(code);
    switch (code) {
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CONNECT_ERROR:
        if (tls_error_) return *std::exchange(tls_error_, std::nullopt);
        return fail(Kind::unavailable, "http.tls", "the TLS handshake with " + where + " failed: " + why).value();
      case CURLE_COULDNT_RESOLVE_HOST:
      case CURLE_COULDNT_RESOLVE_PROXY:
        return fail(Kind::unavailable, "http.dns", "unable to resolve " + quoted(host_), "check the name, /etc/resolv.conf and /etc/hosts").value();
      case CURLE_OPERATION_TIMEDOUT:
        return fail(Kind::unavailable, "http.timeout", "no answer from " + where + " in " + format_duration(request.timeout), "check routes and firewalls on the way").value();
      case CURLE_COULDNT_CONNECT:
        return fail(Kind::unavailable, "http.unreachable", "unable to connect to " + where + ": connection refused or unreachable", "is the address right, and does the server run?").value();
      default:
        return fail(Kind::unavailable, "http.transport", "the exchange with " + where + " failed: " + why).value();
    }
  }

  static std::size_t on_body(char* data, std::size_t one, std::size_t size, void* user) {
    auto* transfer = static_cast<Transfer*>(user);
    if (transfer->response.status == 0) {
      long status = 0;
      curl_easy_getinfo(transfer->easy.get(), CURLINFO_RESPONSE_CODE, &status);
      transfer->response.status = static_cast<int>(status);
    }
    return transfer->take({data, one * size});
  }

  static std::size_t on_header(char* data, std::size_t one, std::size_t size, void* user) {
    static_cast<Transfer*>(user)->take_header({data, one * size});
    return one * size;
  }

  static CURLcode on_context(CURL*, void* context, void* user) {
    auto* self = static_cast<CurlSession*>(user);
    auto* ssl = static_cast<SSL_CTX*>(context);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(ssl, &CurlSession::on_handshake, self);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    return self->use_client_certificate(ssl) ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
  }

  bool use_client_certificate(SSL_CTX* ssl) {
    if (options_.client_cert_pem.empty()) return true;
    const auto read = [](std::string_view pem) { return BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())); };
    BIO* certificates = read(options_.client_cert_pem);
    bool ok = true;
    for (int i = 0; X509* certificate = PEM_read_bio_X509(certificates, nullptr, nullptr, nullptr); ++i) {
      ok = ok && (i == 0 ? SSL_CTX_use_certificate(ssl, certificate) : SSL_CTX_add1_chain_cert(ssl, certificate)) == 1;
      X509_free(certificate);
    }
    BIO_free(certificates);
    BIO* keys = read(options_.client_key_pem.expose());
    EVP_PKEY* key = PEM_read_bio_PrivateKey(keys, nullptr, nullptr, nullptr);
    BIO_free(keys);
    ok = ok && key != nullptr && SSL_CTX_use_PrivateKey(ssl, key) == 1;
    EVP_PKEY_free(key);
    return ok;
  }

  // In the middle of the handshake, before anything of ours is sent over the connection.
  static int on_handshake(X509_STORE_CTX* context, void* user) {
    auto* self = static_cast<CurlSession*>(user);
    PeerChain chain;
    std::size_t bytes = 0;
    const auto add = [&](X509* certificate) {
      unsigned char* der = nullptr;
      const int size = i2d_X509(certificate, &der);
      if (size > 0) chain.der.emplace_back(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
      OPENSSL_free(der);
      bytes += size > 0 ? static_cast<std::size_t>(size) : 0;
    };
    X509* leaf = X509_STORE_CTX_get0_cert(context);
    add(leaf);
    STACK_OF(X509)* presented = X509_STORE_CTX_get0_untrusted(context);
    for (int i = 0; i < sk_X509_num(presented) && chain.der.size() < kMaxChain && bytes < kMaxChainBytes; ++i)
      if (X509* one = sk_X509_value(presented, i); X509_cmp(one, leaf) != 0) add(one);
    self->peer_ = std::move(chain);
    if (self->options_.trust == HttpOptions::Trust::pending) {
      X509_STORE_CTX_set_error(context, X509_V_OK);
      return 1;
    }
    auto proven = tls::verify(self->peer_, self->store_.get(), self->host_);
    if (proven) {
      X509_STORE_CTX_set_error(context, X509_V_OK);
      return 1;
    }
    self->tls_error_ = std::move(proven).error();
    X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }

  HttpOptions options_;
  int wake_fd_;
  CURLM* multi_;
  tls::Store store_;
  PeerChain peer_;
  std::string host_;
  std::optional<Error> tls_error_;
  int connections_ = 0;
};

}  // namespace

std::unique_ptr<HttpSession> make_curl_session(HttpOptions options, int wake_fd) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  return std::make_unique<CurlSession>(std::move(options), wake_fd);
}

}  // namespace kubejoin
