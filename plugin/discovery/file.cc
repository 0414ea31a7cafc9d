// File discovery: a kubeconfig that reached the machine by a way that the user trusts.
#include "base/clock.h"
#include "base/text.h"
#include "discovery/modes.h"

namespace kubejoin::discovery {
namespace {

constexpr std::size_t kMaxKubeconfig = 1 << 20;

bool is_url(const std::string& path) { return path.rfind("https://", 0) == 0; }

// Asks until there is an answer, or the phase ends.
Result<HttpResponse> ask(plan::Context& context, HttpSession& session, const HttpRequest& request, std::string_view doing, std::optional<Millis>* ret_behind = nullptr) {
  Host& host = context.host;
  const RetryPolicy policy{.deadline = context.deadline};
  return in_due_time<HttpResponse>(context, request.url, [&] {
    return retry<HttpResponse>(
        host, policy,
        [&] {
          auto answer = session.run_one(request);
          if (answer && ret_behind != nullptr) *ret_behind = clock::behind(host, *answer);
          return expect_ok(std::move(answer), doing);
        },
        [&](const RetryEvent& event) { context.observer.retrying(event.error, event.attempt, event.delay); });
  });
}

Result<std::string> fetch(plan::Context& context, const std::string& url) {
  Host& host = context.host;
  context.observer.waiting(printable(url));
  auto session = host.open_http({.trust = HttpOptions::Trust::host, .https_redirects = 5});
  HttpRequest request;
  request.url = url;
  request.deadline = context.deadline;
  request.max_bytes = kMaxKubeconfig;
  TRY(auto answer, ask(context, *session, request, "fetch the discovery kubeconfig over HTTPS"));
  return std::move(answer.body);
}

// A path that a kubeconfig names, relative to the folder of the file, as client-go's loader has it.
Result<std::string> read_beside(plan::Context& context, const std::string& kubeconfig, const std::string& path) {
  if (is_url(kubeconfig))
    return fail(Kind::untrusted, "discovery.file-reference", "the downloaded kubeconfig refers to the local file " + quoted(path),
                "embed the data: kubectl config view --flatten");
  const std::string folder = kubeconfig.substr(0, kubeconfig.rfind('/') + 1);
  return plan::read_named(context, path.front() == '/' ? path : folder + path, kMaxKubeconfig);
}

}  // namespace

Result<Trusted> by_file(plan::Context& context, const config::FileDiscovery& how) {
  Host& host = context.host;
  const std::string& path = how.kubeconfig_path;
  auto text = is_url(path) ? fetch(context, path) : plan::read_named(context, path, kMaxKubeconfig);
  if (!text) return within("read the discovery file", std::move(text).error());
  TRY(const auto kubeconfig, kube::parse_kubeconfig(*text, path));
  wipe(*text);

  const auto* cluster = kubeconfig.cluster();
  if (cluster == nullptr || cluster->server.empty())
    return fail(Kind::invalid, "discovery.kubeconfig", quoted(path) + " names no cluster with a server",
                "make it on the control plane: kubectl -n kube-public get cm cluster-info -o jsonpath='{.data.kubeconfig}'");
  if (cluster->insecure)
    return fail(Kind::untrusted, "discovery.insecure", quoted(path) + " asks for insecure-skip-tls-verify", "embed the cluster's CA instead");
  if (cluster->server.rfind("https://", 0) != 0)
    return fail(Kind::untrusted, "discovery.not-https", "the server " + quoted(cluster->server) + " is not an https URL");

  Trusted found;
  found.endpoint = cluster->server;
  while (!found.endpoint.empty() && found.endpoint.back() == '/') found.endpoint.pop_back();
  found.server = cluster->server;
  found.cluster_name = cluster->name;
  found.ca_pem = cluster->ca_data;
  if (found.ca_pem.empty() && !cluster->ca_file.empty()) {
    TRY(found.ca_pem, read_beside(context, path, cluster->ca_file));
  }

  // What is no certificate at all is told when the server's are held against it.
  if (const auto bundle = kube::parse_certificates(found.ca_pem)) CHECK_OK(kube::check_keys(*bundle));

  HttpOptions options;
  options.trust = found.ca_pem.empty() ? HttpOptions::Trust::host : HttpOptions::Trust::given;
  options.ca_pem = found.ca_pem;
  if (const auto* user = kubeconfig.user(); user != nullptr && context.state.config.tls_bootstrap_token.empty()) {
    if (user->exec || user->auth_provider)
      return fail(Kind::invalid, "discovery.exec", quoted(path) + " gets its credentials from another program", "embed a token or a client certificate");
    found.token = user->token;
    if (found.token.empty() && !user->token_file.empty()) {
      TRY(auto token, read_beside(context, path, user->token_file));
      found.token = Secret(std::string(trim(token)));
      wipe(token);
    }
    options.client_cert_pem = user->client_certificate_data;
    options.client_key_pem = user->client_key_data;
    if (options.client_cert_pem.empty() && !user->client_certificate.empty()) {
      TRY(options.client_cert_pem, read_beside(context, path, user->client_certificate));
    }
    if (options.client_key_pem.empty() && !user->client_key.empty()) {
      TRY(auto key, read_beside(context, path, user->client_key));
      options.client_key_pem = Secret(std::move(key));
    }
    found.client_certificate = !options.client_cert_pem.empty() && !options.client_key_pem.empty();
  }
  options.http1 = kHttp1;
  found.api = host.open_http(std::move(options));

  context.observer.waiting("the API server " + printable(found.endpoint));
  auto cluster_info = ask(context, *found.api, cluster_info_request(context, found.endpoint), "read the cluster-info ConfigMap", &found.clock_behind);
  if (!cluster_info) {
    // A refusal came over a connection that was verified: the server is the cluster's, and that is all that is asked here.
    if (cluster_info.error().kind != Kind::refused && cluster_info.error().id != "http.not-found") return tl::unexpected(std::move(cluster_info).error());
    context.observer.detail("cluster-info is not public; the TLS certificate is valid, so proceeding");
  } else if (found.ca_pem.empty()) {
    TRY(const auto map, kube::parse_config_map(cluster_info->body));
    if (const auto it = map.data.find("kubeconfig"); it != map.data.end()) {
      TRY(const auto published, kube::parse_kubeconfig(it->second, "cluster-info"));
      if (const auto* c = published.cluster(); c != nullptr) found.ca_pem = c->ca_data;
    }
  }
  if (found.ca_pem.empty())
    return fail(Kind::invalid, "discovery.no-ca", quoted(path) + " holds no CA and cluster-info gives none", "add certificate-authority-data");
  TRY(const auto bundle, kube::parse_certificates(found.ca_pem));
  CHECK_OK(kube::check_keys(bundle));
  context.observer.milestone("cluster-info");
  return found;
}

}  // namespace kubejoin::discovery
