// Discovery: from what the user gave to a connection that is proven to lead to the user's cluster.
#include "base/text.h"
#include "discovery/modes.h"
#include "plan/join_plan.h"
#include "plan/state.h"

namespace kubejoin::discovery {
namespace {

using plan::Context;

// These end a join, but a control plane that is just being made passes through them.
bool may_heal(const Error& error) {
  return error.id == "discovery.token-unknown" || error.id == "discovery.cluster-info-closed" || error.id == "discovery.no-cluster-info";
}

// A token that is bound late may have been replaced where it comes from since it was read (the launch template is older than
// the token): a cluster that does not know it is asked again, with what is there now.
void renew_token(Context& context) {
  plan::JoinState& state = context.state;
  const auto token = state.reread_token(context.deadline);
  if (!token) return;  // the one in hand may still come to be known
  Secret& ours = state.config.token_discovery->token;
  if (state.config.tls_bootstrap_token == ours) state.config.tls_bootstrap_token = *token;
  ours = *token;
}

Result<Trusted> by_any_endpoint(Context& context, const config::TokenDiscovery& how) {
  Host& host = context.host;
  const RetryPolicy policy{.deadline = context.deadline};
  Contenders contenders{.endpoints = how.endpoints};
  std::optional<Instant> healing_ends;
  auto found = retry<Trusted>(
      host, policy,
      [&]() -> Result<Trusted> {
        auto attempt = by_token(context, how, contenders);
        if (attempt || !may_heal(attempt.error())) return attempt;
        if (attempt.error().id == "discovery.token-unknown" && context.state.reread_token) {
          renew_token(context);
          attempt.error().kind = Kind::unavailable;
          return attempt;
        }
        if (!healing_ends) healing_ends = host.monotonic() + kStartupGrace;
        if (host.monotonic() < *healing_ends) attempt.error().kind = Kind::unavailable;
        return attempt;
      },
      [&](const RetryEvent& event) { context.observer.retrying(event.error, event.attempt, event.delay); });
  if (!found && may_heal(found.error())) found.error().kind = Kind::refused;
  // Silence of the others explains less than what one of them said.
  if (!found && found.error().kind == Kind::unavailable && contenders.untrusted) return tl::unexpected(*contenders.untrusted);
  return found;
}

// kube-controller-manager dates a certificate back by this much (pkg/controller/certificates/signer/ca_provider.go): a clock that is
// further behind does not take the node's own certificate for valid.
constexpr Millis kBackdated{300'000};

// The cluster is proven. A clock that is far behind its API server's Date is waited for, as the join would fail at its certificate; one that
// stays so, or is far ahead, is told of.
Status mind_the_clock(Context& context, Millis behind) {
  Host& host = context.host;
  const Instant ends = std::min(host.monotonic() + clock::kPatience, context.deadline);
  while (behind > kBackdated && !clock::is_synchronised(host)) {
    context.observer.waiting("the clock to be set: it is " + clock::said(behind) + " the API server's Date");
    const auto moved = clock::wait_until_set(host, clock::offset(host), ends);
    if (!moved && moved.error().id != "wait.timeout") return tl::unexpected(moved.error());
    if (!moved) break;
    behind -= *moved;
  }
  context.observer.waiting("");
  if (std::chrono::abs(behind) > kBackdated) context.observer.warning(clock::skew(host, behind, "the API server's", "certificates may seem invalid to the one or the other"));
  return {};
}

}  // namespace

HttpRequest cluster_info_request(const Context& context, const std::string& endpoint) {
  HttpRequest request;
  request.deadline = context.deadline;
  request.url = endpoint + kube::cluster_info_path();
  request.max_bytes = 1 << 20;
  return request;
}

Status establish_trust(Context& context) {
  plan::JoinState& state = context.state;
  const config::JoinConfig& config = state.config;
  const plan::Limit limit(context, config.timeouts.discovery);
  auto found = config.file_discovery ? by_file(context, *config.file_discovery)
                                     : in_due_time<Trusted>(context, "https://" + config.token_discovery->endpoints.front(),
                                                            [&] { return by_any_endpoint(context, *config.token_discovery); });
  context.observer.waiting("");
  if (!found) return tl::unexpected(std::move(found).error());

  if (found->clock_behind) CHECK_OK(mind_the_clock(context, *found->clock_behind));

  state.api = std::move(found->api);
  state.endpoint = found->endpoint;
  state.server = found->server.empty() ? found->endpoint : found->server;
  state.ca_pem = found->ca_pem;
  state.discovered_cluster_name = found->cluster_name;
  // An explicit bootstrap token beats whatever credentials a discovery file carries (kubeadm app/discovery/discovery.go).
  if (!config.tls_bootstrap_token.empty()) {
    state.bearer = config.tls_bootstrap_token;
  } else if (!found->token.empty()) {
    state.bearer = found->token;
  } else if (!found->client_certificate) {
    return fail(Kind::invalid, "discovery.no-credentials", "the discovery file holds no credentials and no bootstrap token was given",
                "add --tls-bootstrap-token (discovery.tlsBootstrapToken), or credentials to the file");
  }
  context.observer.milestone("trusted");
  context.observer.note("the cluster's CA is proven; API server " + printable(state.server));
  return {};
}

}  // namespace kubejoin::discovery
