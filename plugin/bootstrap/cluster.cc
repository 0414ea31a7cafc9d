// The cluster's configuration, and whether our name is free.
#include "base/retry.h"
#include "base/text.h"
#include "bootstrap/api.h"
#include "plan/join_plan.h"

namespace kubejoin::bootstrap {
namespace {

using plan::Context;

Status check_name_is_free(Context& context, Result<HttpResponse> answer) {
  const std::string name = context.state.node_name();
  auto ok = expect_ok(std::move(answer), "get Node " + quoted(name));
  if (!ok) {
    if (ok.error().id == "http.not-found") return {};
    // Before 1.18 kubeadm did not grant it (kubeadm:get-nodes); the kubelet will take the Node over, as it did then.
    if (ok.error().kind == Kind::refused && context.state.cluster.minor() != 0 && context.state.cluster.minor() < 18) return {};
    return tl::unexpected(std::move(ok).error());
  }
  TRY(const auto node, kube::parse_node(ok->body));
  // Our own kubelet's, which a run that was killed had started.
  if (node.ready && adopt_certificate(context)) return {};
  if (node.ready)
    return fail(Kind::unfit, "node.exists-ready",
                "a Node with name " + quoted(name) + " and status \"Ready\" already exists in the cluster. "
                "You must delete the existing Node or change the name of this new joining Node",
                "kubectl delete node " + name + ", or --node-name (nodeRegistration.name)");
  context.observer.detail("Node " + name + " exists and is not Ready: taking it over");
  return {};
}

// kubeadm lets bootstrap tokens read kubeadm-config since 1.12; before, a worker's join did without. The server says how old it is.
bool is_older_than_1_12(Context& context) {
  auto answer = expect_ok(context.state.api->run_one(api_request(context, "GET", kube::version_path())), "ask for the version");
  if (!answer) return false;
  const auto version = kube::parse_server_version(answer->body);
  if (!version) return false;
  kube::ClusterConfiguration cluster;
  cluster.kubernetes_version = *version;
  if (cluster.minor() >= 12) return false;
  context.state.cluster = std::move(cluster);
  return true;
}

Status read_kubeadm_config(Context& context, Result<HttpResponse> answer) {
  const bool closed = answer && (answer->status == 403 || answer->status == 404);
  if (closed && is_older_than_1_12(context)) return {};
  auto ok = expect_ok(explain_refusal(std::move(answer), context), "fetch the kubeadm-config ConfigMap");
  if (!ok) {
    Error error = std::move(ok).error();
    if (error.id == "http.not-found") {
      error.id = "cluster.config-missing";
      error.hint = "was this cluster made by kubeadm? kubeadm init phase upload-config kubeadm writes the ConfigMap";
    }
    return tl::unexpected(std::move(error));
  }
  TRY(const auto map, kube::parse_config_map(ok->body));
  auto text = map.data.find("ClusterConfiguration");
  if (text == map.data.end()) text = map.data.find("MasterConfiguration");  // up to 1.11
  if (text == map.data.end())
    return fail(Kind::unavailable, "cluster.config-missing", "the kubeadm-config ConfigMap has no ClusterConfiguration",
                "kubeadm init phase upload-config kubeadm writes it");
  TRY(context.state.cluster, kube::parse_cluster_configuration(text->second));
  if (context.state.cluster.minor() >= 24 && context.state.is_dynamic())
    return fail(Kind::invalid, "config.dynamic-kubelet-config",
                "feature gate DynamicKubeletConfig: Kubernetes " + printable(context.state.cluster.kubernetes_version) + " has no dynamic kubelet configuration",
                "remove the gate; it was dropped in 1.24");
  return {};
}

}  // namespace

Status with_token(Context& context, const std::function<Status()>& attempt) {
  bool reread = false;
  const plan::Limit limit(context, context.state.config.timeouts.kubernetes_api_call);
  const RetryPolicy policy{.deadline = context.deadline};
  return retry<void>(
      context.host, policy,
      [&]() -> Status {
        Status status = attempt();
        // Only "who are you?" is cured by another token, and only when it has changed since.
        if (status || status.error().id != "cluster.unauthorized" || !context.state.reread_token) return status;
        auto token = context.state.reread_token(context.deadline);
        if (!token) return status;
        if (*token == context.state.bearer && reread) {
          status.error().kind = Kind::unavailable;  // the place may be refreshed any moment: ask again until the deadline
          return status;
        }
        reread = true;
        context.state.bearer = *token;
        status.error().kind = Kind::unavailable;
        return status;
      },
      [&](const RetryEvent& event) { context.observer.retrying(event.error, event.attempt, event.delay); });
}

HttpRequest api_request(const Context& context, std::string method, const std::string& path) {
  HttpRequest request;
  request.method = std::move(method);
  request.url = context.state.endpoint + path;
  request.bearer = context.state.bearer;
  request.deadline = context.deadline;
  request.headers = {{"Accept", "application/json"}};
  return request;
}

Result<HttpResponse> explain_refusal(Result<HttpResponse> answer, const Context& context) {
  if (!answer || (answer->status != 401 && answer->status != 403)) return answer;
  const bool unknown = answer->status == 401;
  Error e = std::move(expect_ok(std::move(answer), "use the bootstrap token")).error();
  const auto token = kube::parse_token(context.state.bearer);
  const std::string name = token ? "token " + quoted(token->id) : "the credentials";
  e.id = unknown ? "cluster.unauthorized" : "cluster.forbidden";
  e.hint = unknown ? name + " may sign cluster-info but not authenticate, or has just expired: kubeadm token create --print-join-command"
                   : name + " lacks the group system:bootstrappers:kubeadm:default-node-token: kubeadm token create --groups ...";
  return tl::unexpected(std::move(e));
}

HttpRequest kubelet_config_request(Context& context, std::size_t candidate) {
  context.state.kubelet_config_map = kube::kubelet_config_map_names(context.state.cluster.minor())[candidate];
  return api_request(context, "GET", kube::config_map_path(context.state.kubelet_config_map));
}

Status take_kubelet_config(Context& context, Result<HttpResponse> answer) {
  TRY(auto ok, expect_ok(std::move(answer), "fetch the " + context.state.kubelet_config_map + " ConfigMap"));
  TRY(const auto map, kube::parse_config_map(ok.body));
  const auto text = map.data.find("kubelet");
  if (text == map.data.end() || text->second.empty())
    return fail(Kind::unavailable, "cluster.config-missing", "the " + context.state.kubelet_config_map + " ConfigMap has no key kubelet",
                "kubeadm init phase upload-config kubelet writes it");
  context.state.kubelet_config = text->second;
  context.state.kubelet_config_uid = map.uid;
  return {};
}

// The ConfigMap has had several names. Access is granted by name, so one that does not exist answers 403 as well as 404.
Status fetch_kubelet_config(Context& context) {
  if (!context.state.kubelet_config.empty() || !context.state.has_kubelet_config()) return {};
  const std::size_t count = kube::kubelet_config_map_names(context.state.cluster.minor()).size();
  return with_token(context, [&]() -> Status {
    Status first;
    for (std::size_t i = 0; i < count; ++i) {
      Status status = take_kubelet_config(context, context.state.api->run_one(kubelet_config_request(context, i)));
      if (status || (status.error().kind != Kind::refused && status.error().id != "http.not-found")) return status;
      if (i == 0) first = std::move(status);
    }
    first.error().id = "cluster.config-missing";
    first.error().hint = "kubeadm init phase upload-config kubelet writes the ConfigMap and lets bootstrap tokens read it";
    return first;
  });
}

Status read_cluster(Context& context) {
  plan::JoinState& state = context.state;
  context.observer.note("Reading configuration from the cluster...");
  CHECK_OK(with_token(context, [&]() -> Status {
    CHECK_OK(read_kubeadm_config(context, state.api->run_one(api_request(context, "GET", kube::config_map_path("kubeadm-config")))));
    return check_name_is_free(context, state.api->run_one(api_request(context, "GET", kube::node_path(state.node_name()))));
  }));
  CHECK_OK(plan::settle_held(context, [&] { return fetch_kubelet_config(context); }));
  context.observer.milestone("cluster-config");
  return {};
}

}  // namespace kubejoin::bootstrap
