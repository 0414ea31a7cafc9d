// HTTP as the rest of the program sees it: sessions with a trust policy, requests with limits, answers.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace kubejoin {

// What a handler says about the batch its request belongs to (HttpSession::run).
enum class Flow { go_on, stop };

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string>
      headers{};         // names in lower case; trailers (grpc-status) too; of a repeated one the last
  std::string body{};    // empty for a streamed answer
  bool stopped = false;  // a handler said stop before the answer was complete
  std::optional<std::chrono::milliseconds> retry_after() const;  // Retry-After, seconds or date against Date
};

struct HttpRequest {
  std::string method = "GET";
  std::string url{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  Secret bearer{};                            // "Authorization: Bearer …"; never on an unverified connection
  std::chrono::milliseconds timeout{10'000};  // for the whole exchange, connecting included
  // When it ends at the latest, whatever `timeout` says: the end of what it is a part of.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::size_t max_bytes = 4 << 20;            // body or stream line; more is "http.too-large"
  bool stream = false;                        // body lines go to on_line, nothing is kept
  std::function<Flow(std::string_view line)>
      on_line{};  // with stream, status 2xx; stop ends this and the rest of the batch
  std::function<Flow(const Result<HttpResponse>& answer)>
      on_done{};  // may stop the rest of the batch; not called for what was cancelled
  // Of a batch: sent this long after run() began, or as soon as every request before it is done. A batch whose requests
  // start one after the other is a race: the first handler to say stop ends it. Ascending within a batch.
  std::chrono::milliseconds start_after{0};
  // Called once, when the exchange has taken so long: an answer that is usually quick is being waited for.
  std::chrono::milliseconds slow_after{1'000};
  std::function<void()> on_slow{};
  // A read whatever its method (a gRPC query, a metadata session token): it is sent in a dry run too.
  bool changes_nothing = false;

  // What is left for an exchange that begins at `now`; never negative.
  std::chrono::milliseconds time_left(std::chrono::steady_clock::time_point now) const;
};

// Whom a session believes, and how it connects. No redirect is ever followed unless `https_redirects` > 0, then only
// from https to https and for a request that is alone in its run(); neither the bearer nor a header but Accept goes to
// another origin.
struct HttpOptions {
  enum class Trust {
    host,     // the machine's CA bundle (base/http.cc lists where it is looked for), SSL_CERT_FILE first
    given,    // ca_pem alone
    pending,  // nobody yet: requests with a bearer are refused ("http.unverified") until trust() succeeded
  };
  Trust trust = Trust::host;
  std::string ca_pem{};
  std::string client_cert_pem{};  // both or none
  Secret client_key_pem{};
  std::string unix_socket{};  // path; then plain HTTP/2 with prior knowledge (gRPC) when h2c is set
  bool h2c = false;
  bool http1 = false;      // HTTP/1.1, though the server may offer more
  bool use_proxy = true;  // HTTPS_PROXY, NO_PROXY…; false for link-local and loopback
  bool privileged_port = false;  // connect from a port below 1024, which root alone can
  int https_redirects = 0;
};

// What the server showed, for errors and logs.
struct PeerChain {
  std::vector<std::string> der;  // leaf first, as presented
};

// A connection is kept open for the next request; where HTTP/2 was agreed on, requests of one batch share it. Not thread-safe.
class HttpSession {
 public:
  virtual ~HttpSession() = default;

  // Sends all requests at once and returns when each is answered, failed, or stopped by a handler; answers are in
  // request order. A transport failure is Kind::unavailable ("http.unreachable", "http.timeout", "http.dns",
  // "http.protocol", and "tls.handshake" when TLS broke off before a certificate was judged), a TLS failure
  // Kind::untrusted ("tls.untrusted", "tls.name", "tls.expired", "tls.not-yet-valid"). What a stop left unfinished is
  // "http.cancelled". Any HTTP status is a success here. Handlers must not call the session.
  virtual std::vector<Result<HttpResponse>> run(std::vector<HttpRequest> requests) = 0;

  // A pending session talks https alone, over one connection at a time to each origin. Pending -> given: verifies the
  // chain and the name that the open connection to the origin of `url` presented against `ca_pem` (Kind::untrusted
  // otherwise, and every connection is closed). From then on the session talks to that origin alone ("http.origin"
  // otherwise), and every later connection is verified from its start.
  virtual Status trust(std::string_view ca_pem, const std::string& url) = 0;

  virtual const PeerChain& peer() const = 0;  // of the last handshake

  // Connections opened so far: the bench and the tests count them.
  virtual int connections() const = 0;

  Result<HttpResponse> run_one(HttpRequest request);
};

// A URL for people: without user, query and fragment, where credentials stand (a signed URL), and printable.
std::string shown_url(std::string_view url);

// 2xx or the Error that a Kubernetes API answer means: 401 refused, 403 refused, 404 invalid "http.not-found",
// 409 "http.conflict", 429/5xx unavailable (with retry_after), 3xx untrusted "http.redirect", else machine.
// The Status object's message is shown through printable(). `doing`: "read ConfigMap kube-system/kubeadm-config".
Result<HttpResponse> expect_ok(Result<HttpResponse> answer, std::string_view doing);

}  // namespace kubejoin
