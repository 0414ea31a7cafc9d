// The one file that includes curl. curl's own verification is off; ours runs inside the handshake, for every
// connection, with the same curl options throughout a session, so that a connection made before trust was known can go
// on carrying requests after it was proven.
#include "base/curl_session.h"

#include <curl/curl.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>

#include "base/text.h"
#include "base/tls.h"

namespace kubejoin {
namespace {

constexpr std::string_view kHandshakeAlert = ":0A000410:";  // OpenSSL's number of the alert handshake_failure
constexpr std::size_t kMaxHeaderBytes = 64 << 10;
constexpr long kConnectTimeoutMs = 10'000;
constexpr long kFirstPrivilegedPort = 600, kPrivilegedPorts = 424;
constexpr long kKeepAliveSeconds = 20;  // a watch must learn of a dead connection before its own end
constexpr int kWaitMs = 60'000;

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct SlistDeleter {
  void operator()(curl_slist* list) const {
    for (curl_slist* item = list; item != nullptr; item = item->next)
      OPENSSL_cleanse(item->data, std::strlen(item->data));  // a bearer may be among them
    curl_slist_free_all(list);
  }
};
struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

using Clock = std::chrono::steady_clock;

bool is_https(std::string_view url) { return lower(url.substr(0, 8)) == "https://"; }

// One part of a URL as curl itself reads it, so that what is verified is what is connected to; empty when there is
// none.
std::string url_part(const std::string& url, CURLUPart part) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parts(curl_url(), &curl_url_cleanup);
  char* value = nullptr;
  std::string text;
  if (curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
      curl_url_get(parts.get(), part, &value, CURLU_DEFAULT_PORT) == CURLUE_OK)
    text = value;
  curl_free(value);
  return text;
}

std::string host_of(const std::string& url) {
  std::string host = url_part(url, CURLUPART_HOST);
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

std::string origin_of(const std::string& url) {
  return lower(url_part(url, CURLUPART_SCHEME) + "://" + url_part(url, CURLUPART_HOST) + ":" +
               url_part(url, CURLUPART_PORT));
}

// One exchange in flight.
struct Transfer {
  const HttpRequest* request = nullptr;
  std::unique_ptr<curl_slist, SlistDeleter> headers;
  std::unique_ptr<CURL, EasyDeleter> easy;
  HttpResponse response;
  std::size_t header_bytes = 0;
  std::array<char, CURL_ERROR_SIZE> reason{};  // curl's own words, with OpenSSL's
  std::string line;  // of a stream, incomplete
  std::optional<Error> error;
  std::string redirect;  // where a 3xx points, absolute
  Flow flow = Flow::go_on;
  bool done = false;
  std::chrono::milliseconds given{0};  // for the exchange
  std::optional<Clock::time_point> slow_at;  // when on_slow is due

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
      if (end == rest.npos) break;
      rest.remove_prefix(end + 1);
      if (!give_line()) return CURL_WRITEFUNC_ERROR;
    }
    return bytes.size();
  }

  // Whether the handler wants more.
  bool give_line() {
    const std::string whole = std::exchange(line, {});
    if (whole.empty() || !request->on_line || request->on_line(whole) == Flow::go_on) return true;
    flow = Flow::stop;
    response.stopped = true;
    return false;
  }

  std::size_t too_large() {
    error = fail(Kind::untrusted, "http.too-large",
                 "the answer of " + shown_url(request->url) + " is larger than " + std::to_string(request->max_bytes) +
                     " bytes",
                 "is this the right server?")
                .value();
    return CURL_WRITEFUNC_ERROR;
  }

  void take_header(std::string_view text) {
    if (text.starts_with("HTTP/")) response.headers.clear();  // a new header after a 100 or a proxy's CONNECT
    header_bytes += text.size();
    const auto colon = text.find(':');
    if (colon == text.npos || header_bytes > kMaxHeaderBytes) return;
    response.headers[lower(trim(text.substr(0, colon)))] = std::string(trim(text.substr(colon + 1)));
  }
};

class CurlSession : public HttpSession {
 public:
  CurlSession(HttpOptions options, int wake_fd) : options_(std::move(options)), wake_fd_(wake_fd) { open_multi(); }
  CurlSession(const CurlSession&) = delete;
  CurlSession& operator=(const CurlSession&) = delete;

  std::vector<Result<HttpResponse>> run(std::vector<HttpRequest> requests) override {
    if (options_.https_redirects <= 0 || requests.size() != 1) return run_once(requests);
    return run_with_redirects(std::move(requests));
  }

  Status trust(std::string_view ca_pem, const std::string& url) override {
    TRY(auto store, tls::make_store(ca_pem));
    const std::string origin = origin_of(url);
    if (auto proven = tls::verify(seen_[origin], store.get(), host_of(url)); !proven) {
      seen_.clear();
      open_multi();  // closes the connections
      return proven;
    }
    origin_ = origin;
    store_ = std::move(store);
    options_.trust = HttpOptions::Trust::given;
    limit_connections();
    return {};
  }

  const PeerChain& peer() const override { return peer_; }
  int connections() const override { return connections_; }

 private:
  // Owned by the SSL_CTX of one connection: the name it is verified by.
  struct Judge {
    CurlSession* session;
    std::string host, origin;
  };

  void open_multi() {
    multi_.reset(curl_multi_init());
    curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    limit_connections();
  }

  // While trust is pending, `seen_` must hold the chain of *the* open connection to an origin: there is never a second
  // one that trust() would not have seen. Afterwards HTTP/2 still shares one, but HTTP/1.1 may not let a watch hold up all else.
  void limit_connections() {
    curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS,
                      options_.trust == HttpOptions::Trust::pending ? 1L : 0L);
  }

  // Redirects are followed here and not by curl: from https to https, and what is addressed to one origin does not go
  // to another.
  std::vector<Result<HttpResponse>> run_with_redirects(std::vector<HttpRequest> requests) {
    HttpRequest& request = requests.front();
    const auto on_done = std::exchange(request.on_done, {});  // hears of the last answer only
    auto answers = run_once(requests);
    for (int hop = 0;
         hop < options_.https_redirects && request.method == "GET" && is_https(request.url) && is_https(redirect_);
         ++hop) {
      if (origin_of(redirect_) != origin_of(request.url)) {
        request.bearer = Secret();
        std::erase_if(request.headers, [](const auto& header) { return lower(header.first) != "accept"; });
      }
      request.url = redirect_;
      answers = run_once(requests);
    }
    if (on_done) (void)on_done(answers.front());
    return answers;
  }

  std::vector<Result<HttpResponse>> run_once(const std::vector<HttpRequest>& requests) {
    std::vector<Result<HttpResponse>> answers;
    if (auto ready = prepare(requests); !ready) {
      answers.assign(requests.size(), tl::unexpected(ready.error()));
      return answers;
    }
    std::vector<std::unique_ptr<Transfer>> transfers;
    transfers.reserve(requests.size());
    for (const HttpRequest& request : requests) transfers.push_back(start(request));
    drive(transfers);
    redirect_.clear();
    for (auto& transfer : transfers) {
      count_connections(*transfer);
      curl_multi_remove_handle(multi_.get(), transfer->easy.get());
      redirect_ = transfer->redirect;
      if (transfer->error)
        answers.emplace_back(tl::unexpected(*std::move(transfer->error)));
      else
        answers.emplace_back(std::move(transfer->response));
    }
    return answers;
  }

  Status prepare(const std::vector<HttpRequest>& requests) {
    const bool is_pending = options_.trust == HttpOptions::Trust::pending;
    refusals_.clear();
    bool any_https = false;
    for (const HttpRequest& request : requests) {
      any_https = any_https || is_https(request.url);
      if (!request.bearer.empty() && (is_pending || !is_https(request.url)))
        return fail(Kind::internal, "http.unverified",
                    "a secret was about to be sent over a connection that is not verified");
      // Connections to other origins may still be open, and nobody has verified them.
      if (is_pending ? !is_https(request.url) : !origin_.empty() && origin_of(request.url) != origin_)
        return fail(Kind::internal, "http.origin",
                    "a session that proves one https server was asked for another, " + shown_url(request.url));
    }
    if (store_ || is_pending || !any_https) return {};
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
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer.get());
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reason.data());
    set_request(*transfer);
    set_connection(easy, is_https(request.url));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlSession::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlSession::on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer.get());
    return transfer;
  }

  static void set_request(Transfer& transfer) {
    const HttpRequest& request = *transfer.request;
    CURL* easy = transfer.easy.get();
    curl_slist* headers = nullptr;
    const auto add = [&](const std::string& header) { headers = curl_slist_append(headers, header.c_str()); };
    for (const auto& [name, value] : request.headers) add(name + ": " + value);
    if (!request.bearer.empty()) {
      std::string header = "Authorization: Bearer " + std::string(request.bearer.expose());
      add(header);
      wipe(header);
    }
    add("Expect:");  // no round trip before a body
    transfer.headers.reset(headers);

    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "kubejoin/" KUBEJOIN_VERSION);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    if (request.method == "HEAD") curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    }
  }

  // The time of an exchange runs from its own start.
  static void set_time(Transfer& transfer) {
    const HttpRequest& request = *transfer.request;
    const Clock::time_point now = Clock::now();
    transfer.given = request.time_left(now);
    if (request.on_slow) transfer.slow_at = now + request.slow_after;
    const long timeout = std::max<long>(1, static_cast<long>(transfer.given.count()));  // curl's 0 is "for ever"
    curl_easy_setopt(transfer.easy.get(), CURLOPT_TIMEOUT_MS, timeout);
    curl_easy_setopt(transfer.easy.get(), CURLOPT_CONNECTTIMEOUT_MS, std::min(kConnectTimeoutMs, timeout));
  }

  // The same for all requests of a session: curl reuses a connection only for equal options.
  void set_connection(CURL* easy, bool with_tls) {
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, kKeepAliveSeconds);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, kKeepAliveSeconds);
    const auto version = options_.h2c                   ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                         : with_tls && !options_.http1 ? CURL_HTTP_VERSION_2TLS
                                                       : CURL_HTTP_VERSION_1_1;
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(version));
    if (!options_.use_proxy) curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (options_.privileged_port) {
      curl_easy_setopt(easy, CURLOPT_LOCALPORT, kFirstPrivilegedPort);
      curl_easy_setopt(easy, CURLOPT_LOCALPORTRANGE, kPrivilegedPorts);
    }
    if (!options_.unix_socket.empty()) curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options_.unix_socket.c_str());
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);  // ours runs in the handshake: see on_certificate
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);  // a resumed session would not be verified
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &CurlSession::on_context);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
  }

  // Until each transfer is done, or a handler or a signal ends the batch.
  void drive(std::vector<std::unique_ptr<Transfer>>& transfers) {
    const Clock::time_point began = Clock::now();
    std::size_t started = 0;
    for (;;) {
      start_due(transfers, began, started);
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      bool stop = false;
      int queued = 0;
      while (CURLMsg* message = curl_multi_info_read(multi_.get(), &queued)) {
        if (message->msg != CURLMSG_DONE) continue;
        Transfer* transfer = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        finish(*transfer, message->data.result);
        stop = stop || transfer->flow == Flow::stop;
      }
      if (stop) return abandon(transfers, "http.cancelled", "the request was not needed any more");
      if (running == 0 && started == transfers.size()) return;
      if (running == 0) continue;
      tell_slow(transfers);
      curl_waitfd wake{wake_fd_, CURL_WAIT_POLLIN, 0};
      curl_multi_poll(multi_.get(), &wake, wake_fd_ >= 0 ? 1 : 0, until_next(transfers, began, started), nullptr);
      if ((wake.revents & CURL_WAIT_POLLIN) != 0)
        return abandon(transfers, "signal.terminated", "interrupted by a signal");
    }
  }

  // Those whose time has come; the next one also when all before it are done.
  void start_due(const std::vector<std::unique_ptr<Transfer>>& transfers, Clock::time_point began,
                 std::size_t& started) {
    const auto is_done = [](const auto& transfer) { return transfer->done; };
    for (; started < transfers.size(); ++started) {
      const auto here = transfers.begin() + static_cast<std::ptrdiff_t>(started);
      if (Clock::now() - began < (*here)->request->start_after && !std::all_of(transfers.begin(), here, is_done)) return;
      set_time(**here);
      curl_multi_add_handle(multi_.get(), (*here)->easy.get());
    }
  }

  static void tell_slow(const std::vector<std::unique_ptr<Transfer>>& transfers) {
    for (const auto& transfer : transfers) {
      if (transfer->done || !transfer->slow_at || Clock::now() < *transfer->slow_at) continue;
      transfer->slow_at.reset();
      transfer->request->on_slow();
    }
  }

  static int until_next(const std::vector<std::unique_ptr<Transfer>>& transfers, Clock::time_point began,
                        std::size_t started) {
    Clock::time_point due = Clock::now() + std::chrono::milliseconds(kWaitMs);
    if (started < transfers.size()) due = std::min(due, began + transfers[started]->request->start_after);
    for (const auto& transfer : transfers)
      if (!transfer->done && transfer->slow_at) due = std::min(due, *transfer->slow_at);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now()).count();
    return static_cast<int>(std::max<long>(static_cast<long>(left), 0));
  }

  static void abandon(std::vector<std::unique_ptr<Transfer>>& transfers, std::string_view id, const std::string& why) {
    for (auto& transfer : transfers) {
      if (!transfer->done) transfer->error = fail(Kind::unavailable, id, why).value();
    }
  }

  void finish(Transfer& transfer, CURLcode code) {
    CURL* easy = transfer.easy.get();
    transfer.done = true;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);
    const char* redirect = nullptr;
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &redirect);
    if (redirect != nullptr) transfer.redirect = redirect;
    if (code == CURLE_OK && transfer.streams()) (void)transfer.give_line();  // one that no line feed ended
    if (code != CURLE_OK && !transfer.error && !transfer.response.stopped) transfer.error = error_of(code, transfer);
    if (!transfer.request->on_done) return;
    const Result<HttpResponse> answer = transfer.error ? Result<HttpResponse>(tl::unexpected(*transfer.error))
                                                       : Result<HttpResponse>(transfer.response);
    if (transfer.request->on_done(answer) == Flow::stop) transfer.flow = Flow::stop;
  }

  void count_connections(const Transfer& transfer) {
    long connects = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_NUM_CONNECTS, &connects);
    connections_ += static_cast<int>(connects);
  }

  Error error_of(CURLcode code, const Transfer& transfer) const {
    const std::string& url = transfer.request->url;
    const std::string where = shown_url(url);
    const std::string why = curl_easy_strerror(code);
    const auto unavailable = [](std::string_view id, const std::string& message, const std::string& hint = {}) {
      return fail(Kind::unavailable, id, message, hint).value();
    };
    if (const auto refusal = refusals_.find(host_of(url));
        refusal != refusals_.end() && code != CURLE_OPERATION_TIMEDOUT)
      return refusal->second;
    switch (code) {
      case CURLE_COULDNT_RESOLVE_HOST:
        return unavailable("http.dns", "unable to resolve " + quoted(host_of(url)),
                           "check the name, /etc/resolv.conf and /etc/hosts");
      case CURLE_COULDNT_RESOLVE_PROXY:
        return unavailable("http.dns", "unable to resolve the proxy on the way to " + where,
                           "check HTTPS_PROXY and HTTP_PROXY, or add the host to NO_PROXY");
      case CURLE_OPERATION_TIMEDOUT:
        return unavailable("http.timeout",
                           "no answer from " + where + " in " + format_duration(transfer.given),
                           "check routes, security groups and firewalls on the way");
      case CURLE_COULDNT_CONNECT: {
        long number = 0;
        curl_easy_getinfo(transfer.easy.get(), CURLINFO_OS_ERRNO, &number);
        const std::string reason =
            number != 0 ? std::strerror(static_cast<int>(number)) : "connection refused or unreachable";
        return unavailable("http.unreachable", "unable to connect to " + where + ": " + reason,
                           "is the address right, and does the server run?");
      }
      case CURLE_GOT_NOTHING:
      case CURLE_SEND_ERROR:
      case CURLE_RECV_ERROR:
      case CURLE_PARTIAL_FILE:
        return unavailable("http.unreachable", "the connection to " + where + " broke: " + why);
      case CURLE_SSL_CONNECT_ERROR:
        return unavailable("tls.handshake", "the TLS handshake with " + where + " failed: " + why,
                           std::string_view(transfer.reason.data()).find(kHandshakeAlert) != std::string_view::npos
                               ? "the server and kubejoin have no cipher or kind of key in common; one whose certificate has an ML-DSA key (kubeadm 1.38 can make such) cannot be joined by this program"
                               : "does the server speak TLS 1.2 or later on this port?");
      case CURLE_SSL_CERTPROBLEM:
        return fail(Kind::machine, "tls.client-certificate",
                    "the client certificate and its key cannot be used with " + where)
            .value();
      default:
        return unavailable("http.protocol", "the exchange with " + where + " failed: " + why);
    }
  }

  static std::size_t on_body(char* data, std::size_t one, std::size_t size, void* user) {
    auto* transfer = static_cast<Transfer*>(user);
    long status = 0;
    curl_easy_getinfo(transfer->easy.get(), CURLINFO_RESPONSE_CODE, &status);
    transfer->response.status = static_cast<int>(status);
    return transfer->take({data, one * size});
  }

  static std::size_t on_header(char* data, std::size_t one, std::size_t size, void* user) {
    static_cast<Transfer*>(user)->take_header({data, one * size});
    return one * size;
  }

  static CURLcode on_context(CURL* easy, void* context, void* user) {
    auto* self = static_cast<CurlSession*>(user);
    auto* ssl = static_cast<SSL_CTX*>(context);
    const char* url = "";
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    auto judge = std::make_unique<Judge>(Judge{self, host_of(url), origin_of(url)});
    if (SSL_CTX_set_ex_data(ssl, judge_index(), judge.get()) != 1) return CURLE_OUT_OF_MEMORY;
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(ssl, &CurlSession::on_certificate, judge.release());
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    const HttpOptions& options = self->options_;
    const bool ok = options.client_cert_pem.empty() ||
                    tls::use_identity(ssl, options.client_cert_pem, options.client_key_pem.expose());
    return ok ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
  }

  static int judge_index() {
    static const int index = SSL_CTX_get_ex_new_index(
        0, nullptr, nullptr, nullptr,
        [](void*, void* judge, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Judge*>(judge); });
    return index;
  }

  // In the middle of the handshake, before anything of ours is sent over the connection.
  static int on_certificate(X509_STORE_CTX* handshake, void* user) {
    const auto* judge = static_cast<const Judge*>(user);
    CurlSession& self = *judge->session;
    self.peer_ = tls::presented_chain(handshake);
    if (self.options_.trust == HttpOptions::Trust::pending) {
      self.seen_[judge->origin] = self.peer_;
    } else {
      if (auto proven = tls::verify(self.peer_, self.store_.get(), judge->host); !proven) {
        self.refusals_[judge->host] = std::move(proven).error();
        X509_STORE_CTX_set_error(handshake, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
      }
    }
    X509_STORE_CTX_set_error(handshake, X509_V_OK);
    return 1;
  }

  HttpOptions options_;
  int wake_fd_;
  tls::Store store_;
  std::string origin_;                     // the one that trust() proved
  std::map<std::string, PeerChain> seen_;  // by origin, while nobody is trusted
  PeerChain peer_;                         // of the last handshake
  std::map<std::string, Error> refusals_;  // by host: why a certificate was turned down
  std::string redirect_;
  int connections_ = 0;
  std::unique_ptr<CURLM, MultiDeleter> multi_;  // last, for its connections use the rest
};

}  // namespace

std::unique_ptr<HttpSession> make_curl_session(HttpOptions options, int wake_fd) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  return std::make_unique<CurlSession>(std::move(options), wake_fd);
}

}  // namespace kubejoin
