// Token discovery: cluster-info, signed by the token, its CA pinned by the user, its connection verified by that CA.
#include "base/text.h"
#include "discovery/modes.h"

namespace kubejoin::discovery {
namespace {

constexpr char kNewToken[] = "on the control plane: kubeadm token create --print-join-command";

// The signed text of cluster-info, or why there is none.
Result<std::string> signed_text(const kube::ConfigMap& cluster_info, const kube::Token& token) {
  const auto text = cluster_info.data.find("kubeconfig");
  if (text == cluster_info.data.end() || text->second.empty())
    return fail(Kind::untrusted, "discovery.no-kubeconfig", "cluster-info has no kubeconfig: this API server is not set up for bootstrap tokens",
                "is this the API server of a kubeadm cluster? Otherwise use --discovery-file");
  const auto jws = cluster_info.data.find("jws-kubeconfig-" + token.id);
  if (jws == cluster_info.data.end())
    return fail(Kind::refused, "discovery.token-unknown", "could not find a JWS signature in the cluster-info ConfigMap for token ID " + quoted(token.id),
                "the token does not exist or has expired; " + std::string(kNewToken));
  if (!kube::jws_verify(text->second, jws->second, token))
    return fail(Kind::untrusted, "discovery.jws-mismatch",
                "failed to verify JWS signature of received cluster info object, can't trust this API Server",
                "the token's secret part is not the cluster's, or somebody answers in its place; " + std::string(kNewToken));
  return text->second;
}

// What an answer other than cluster-info means. 401 and 403 here: somebody closed cluster-info to the public.
Result<kube::ConfigMap> read_cluster_info(Result<HttpResponse> answer) {
  auto ok = expect_ok(std::move(answer), "read the cluster-info ConfigMap");
  if (!ok) {
    Error error = std::move(ok).error();
    if (error.kind == Kind::refused) {
      error.id = "discovery.cluster-info-closed";
      error.hint = "cluster-info is not public on this cluster: use --discovery-file with --tls-bootstrap-token";
    } else if (error.id == "http.not-found") {
      error.kind = Kind::refused;
      error.id = "discovery.no-cluster-info";
      error.hint = "is this the API server of a kubeadm cluster? Otherwise use --discovery-file";
    }
    return tl::unexpected(std::move(error));
  }
  return kube::parse_config_map(ok->body);
}

// What is wrong with the cluster's own text is no mistake of the user's: there is nothing here that could be trusted.
tl::unexpected<Error> untrusted(Error error) {
  error.kind = Kind::untrusted;
  return tl::unexpected<Error>(std::move(error));
}

// Everything that an answer to the request for cluster-info can prove; the connection it came over is not judged here.
Result<Trusted> prove(const config::TokenDiscovery& how, const kube::Token& token, const std::string& endpoint, Result<HttpResponse> answer) {
  TRY(const auto cluster_info, read_cluster_info(std::move(answer)));
  TRY(const auto text, signed_text(cluster_info, token));
  auto parsed = kube::parse_kubeconfig(text, "cluster-info");
  if (!parsed) return untrusted(std::move(parsed).error());
  const kube::Kubeconfig& kubeconfig = *parsed;
  if (kubeconfig.clusters.size() != 1)
    return fail(Kind::untrusted, "discovery.kubeconfig",
                "expected the kubeconfig file in the cluster-info ConfigMap to have a single cluster, but it had " +
                    std::to_string(kubeconfig.clusters.size()),
                "write it anew on the control plane: kubeadm init phase bootstrap-token");
  const auto& cluster = kubeconfig.clusters.front();
  auto bundle = kube::parse_certificates(cluster.ca_data);
  if (!bundle) return within("read the cluster CA found in cluster-info", untrusted(std::move(bundle).error()).value());
  if (!how.ca_cert_hashes.empty()) CHECK_OK(kube::check_pins(*bundle, how.ca_cert_hashes));
  CHECK_OK(kube::check_keys(*bundle));
  Trusted found;
  found.endpoint = endpoint;
  found.ca_pem = cluster.ca_data;
  found.server = cluster.server;
  found.cluster_name = cluster.name;
  return found;
}

// Takes out those who answered and are not the cluster.
void leave_out_untrusted(plan::Context& context, Contenders& contenders, const std::vector<std::optional<Error>>& failures) {
  std::vector<std::string> left;
  for (std::size_t i = 0; i < contenders.endpoints.size(); ++i) {
    if (!failures[i] || failures[i]->kind != Kind::untrusted) {
      left.push_back(contenders.endpoints[i]);
      continue;
    }
    contenders.untrusted = failures[i];
    if (contenders.endpoints.size() > 1) {
      contenders.untrusted->message = "API server " + printable(contenders.endpoints[i]) + ": " + failures[i]->message;
      context.observer.warning(*contenders.untrusted);
    }
  }
  contenders.endpoints = std::move(left);
}

}  // namespace

Result<Trusted> by_token(plan::Context& context, const config::TokenDiscovery& how, Contenders& contenders) {
  const auto token = kube::parse_token(how.token);
  if (!token) return fail(Kind::invalid, "config.token", "the bootstrap token is invalid", "it looks like abcdef.0123456789abcdef");
  if (how.ca_cert_hashes.empty()) context.observer.detail("no pin was given: only the token's 80 bits prove the CA");

  while (!contenders.endpoints.empty()) {
    const std::size_t count = contenders.endpoints.size();
    context.observer.waiting("the API server " + join(contenders.endpoints, ", "));
    auto api = context.host.open_http({.trust = HttpOptions::Trust::pending, .http1 = kHttp1});
    std::vector<std::optional<Error>> failures(count);
    std::optional<std::size_t> winner;
    Trusted found;
    std::vector<HttpRequest> race;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string endpoint = "https://" + contenders.endpoints[i];
      race.push_back(cluster_info_request(context, endpoint));
      race.back().start_after = kStagger * static_cast<int>(i);
      race.back().on_done = [&, i, endpoint](const Result<HttpResponse>& answer) {
        if (winner) return Flow::stop;
        auto proven = prove(how, *token, endpoint, answer);
        if (!proven) {
          failures[i] = std::move(proven).error();
          return Flow::go_on;
        }
        found = *std::move(proven);
        found.clock_behind = clock::behind(context.host, *answer);
        winner = i;
        return Flow::stop;
      };
    }
    auto answers = api->run(std::move(race));
    if (winner) {
      context.observer.milestone("cluster-info");
      // The chain and the name that this very connection presented, against the bundle that token and pin have just proven.
      Status verified = api->trust(found.ca_pem, found.endpoint);
      if (verified) {
        leave_out_untrusted(context, contenders, failures);  // a liar is told of, even if it did not win
        found.api = std::move(api);
        return found;
      }
      if (verified.error().kind != Kind::untrusted) return tl::unexpected(std::move(verified).error());
      failures[*winner] = std::move(verified).error();
    }
    // The error of those who may yet prove themselves: a refusal says more than silence.
    const Error* telling = nullptr;
    for (std::size_t i = 0; i < count; ++i) {
      if (!winner && !failures[i] && !answers[i]) failures[i] = std::move(answers[i]).error();
      if (!failures[i] || failures[i]->kind == Kind::untrusted) continue;
      if (telling == nullptr || telling->kind == Kind::unavailable) telling = &*failures[i];
    }
    leave_out_untrusted(context, contenders, failures);
    if (!winner && telling != nullptr) return tl::unexpected(*telling);
    // A winner whose connection was turned down cut the others off: they race again.
  }
  return tl::unexpected(*contenders.untrusted);
}

}  // namespace kubejoin::discovery
