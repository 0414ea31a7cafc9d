// The two ways to learn whom to trust, and what they have in common.
#pragma once

#include "base/clock.h"
#include "base/retry.h"
#include "plan/state.h"

namespace kubejoin::discovery {

// What a way of discovery found; the session is verified against `ca_pem` and was opened to `endpoint`.
struct Trusted {
  std::unique_ptr<HttpSession> api;
  std::string endpoint;      // "https://host:port"
  std::string server;        // what cluster-info or the file names
  std::string ca_pem;
  std::string cluster_name;
  Secret token;              // credentials of a discovery file; empty with token discovery
  bool client_certificate = false;  // the session authenticates by itself
  std::optional<Millis> clock_behind;  // this machine's, by the API server's Date
};

// The API servers of a token discovery, each host:port.
struct Contenders {
  std::vector<std::string> endpoints{};
  std::optional<Error> untrusted{};  // why the last one that is not asked any more was left out
};

// kubeadm app/discovery/token: cluster-info over a connection that is not verified yet and carries no secret; JWS; pins; then the
// same connection is verified against the bundle. Several endpoints race, as they did up to kubeadm 1.12: the first that proves
// itself wins. One that proves to be another cluster's leaves the race, and its error is the answer when nobody is left.
Result<Trusted> by_token(plan::Context& context, const config::TokenDiscovery& how, Contenders& contenders);

// kubeadm app/discovery/{file,https}: a kubeconfig from disk or over verified HTTPS; cluster-info is read as a check, and fills in
// the CA when the file has none.
Result<Trusted> by_file(plan::Context& context, const config::FileDiscovery& how);

// GET of kube-public/cluster-info without credentials.
HttpRequest cluster_info_request(const plan::Context& context, const std::string& endpoint);

// The one connection speaks HTTP/1.1: an API server from 1.29 on closes an HTTP/2 connection after a request without credentials
// (UnauthenticatedHTTP2DOSMitigation), and cluster-info is read by such a request.
inline constexpr bool kHttp1 = true;

// Makes `attempt` again, and `attempt` may itself be patient, while the clock stands in the way of the certificate that `url`'s server shows
// (clock::is_right_now): for kPatience at most.
template <class T>
Result<T> in_due_time(plan::Context& context, const std::string& url, const std::function<Result<T>()>& attempt) {
  const Instant ends = std::min(context.host.monotonic() + clock::kPatience, context.deadline);
  for (;;) {
    Result<T> result = attempt();
    if (result || !clock::is_right_now(context.host, url, ends, result.error(), [&](const std::string& what) { context.observer.waiting(what); })) return result;
  }
}

// For answers that a control plane in the middle of its start gives and a finished one does not (401, 403, 404, no signature yet):
// how long discovery goes on asking. A control plane signs a new token within a second.
inline constexpr Millis kStartupGrace{15'000};

// What an endpoint may take before the next one is asked as well (RFC 8305 §5).
inline constexpr Millis kStagger{250};

}  // namespace kubejoin::discovery
