// The Node: watched with its own certificate until it is registered or Ready, then finished.
#include <algorithm>

#include "base/retry.h"
#include "base/text.h"
#include "plan/join_plan.h"
#include "plan/state.h"

namespace kubejoin::kubelet {
namespace {

using plan::Context;
using plan::JoinState;

// How long a watch may stay silent before the kubelet itself is asked whether it lives, and what is kept for that at the end.
constexpr Millis kSlice{10'000}, kLastLook{100};
constexpr Millis kSlowKubelet{40'000};  // kubeadm's initial timeout: from then on it is told that the kubelet is not healthy

constexpr char kLookAtKubelet[] = "systemctl status kubelet; journalctl -xeu kubelet";

// With bootstrap.by: kubelet, the kubelet makes its own certificate; its kubeconfig and the link appear in these places.
Status adopt_kubelets_identity(Context& context) {
  Host& host = context.host;
  const plan::Limit limit(context, context.state.config.timeouts.tls_bootstrap);
  context.observer.waiting("the kubelet to perform the TLS bootstrap");
  Status status = host.wait_for_path(plan::kKubeletConf, context.deadline);
  if (status) status = host.wait_for_path(plan::kClientPem, context.deadline);
  CHECK_OK(host.remove(plan::kBootstrapConf));
  if (status) return {};
  if (status.error().id == "wait.timeout")
    return fail(Kind::unavailable, "bootstrap.kubelet-timeout", "the kubelet has no certificate after " + format_duration(context.state.config.timeouts.tls_bootstrap),
                "is its request waiting? kubectl get csr; " + std::string(kLookAtKubelet));
  return status;
}

Status open_session(Context& context) {
  JoinState& state = context.state;
  TRY(auto pem, context.host.read(plan::kClientPem, 256 << 10));
  const std::size_t key = pem.rfind("-----BEGIN EC PRIVATE KEY");
  if (key == std::string::npos) return fail(Kind::machine, "kubelet.client-pem", std::string(plan::kClientPem) + " holds no key");
  HttpOptions options;
  options.trust = HttpOptions::Trust::given;
  options.ca_pem = state.ca_pem;
  options.client_cert_pem = pem.substr(0, key);
  options.client_key_pem = Secret(pem.substr(key));
  wipe(pem);
  state.node_api = context.host.open_http(std::move(options));
  return {};
}

Status healthy(Context& context) {
  const auto url = kube::kubelet_health_url(context.state.kubelet_config);
  if (!url) return {};
  HttpOptions options;
  options.use_proxy = false;
  HttpRequest request;
  request.url = *url;
  request.timeout = Millis{2'000};
  request.deadline = context.deadline;
  auto answer = expect_ok(context.host.open_http(std::move(options))->run_one(std::move(request)), "ask the kubelet for its health");
  if (!answer) return tl::unexpected(std::move(answer).error());
  return {};
}

class NodeWatch {
 public:
  NodeWatch(Context& context, bool until_ready) : context_(context), until_ready_(until_ready) {}

  // True when the Node is where it is wanted; false when the watch ended before; an Error.
  Result<bool> run(Millis timeout) {
    JoinState& state = context_.state;
    HttpRequest request;
    request.url = state.endpoint + kube::node_watch_path(state.node_name(), "", static_cast<int>(timeout.count() / 1000) + 1);
    request.timeout = timeout;
    request.deadline = context_.deadline;
    request.stream = true;
    request.on_line = [this](std::string_view line) { return on_event(line); };
    outcome_ = false;
    auto answer = state.node_api->run_one(std::move(request));
    if (!outcome_ || *outcome_) return outcome_;
    if (!answer && answer.error().id == "http.timeout") return false;
    auto ok = expect_ok(std::move(answer), "watch Node " + quoted(state.node_name()));
    if (!ok) return tl::unexpected(std::move(ok).error());
    return false;
  }
  bool registered() const { return registered_; }

 private:
  Flow on_event(std::string_view line) {
    auto event = kube::parse_watch_event(line);
    if (!event) {
      outcome_ = tl::unexpected(std::move(event).error());
      return Flow::stop;
    }
    if (event->type != "ADDED" && event->type != "MODIFIED") return Flow::go_on;
    auto node = kube::parse_node(event->object);
    if (!node) {
      outcome_ = tl::unexpected(std::move(node).error());
      return Flow::stop;
    }
    if (node->name != context_.state.node_name()) return Flow::go_on;
    if (!registered_) {
      registered_ = true;
      context_.observer.milestone("registered");
      if (until_ready_ && !node->ready) context_.observer.waiting("Node " + node->name + " to become Ready");
    }
    context_.state.node_uid = node->uid;
    // kubeadm's annotation used to wait for the label that the kubelet sets with the Node.
    if (until_ready_ && !node->ready) return Flow::go_on;
    if (node->ready) context_.observer.milestone("ready");
    outcome_ = true;
    return Flow::stop;
  }

  Context& context_;
  bool until_ready_;
  bool registered_ = false;
  Result<bool> outcome_ = false;
};

// Until the Node is where it is wanted, within context.deadline. A kubelet that is not healthy after timeouts.kubeletHealthCheck is waited
// for no longer.
Status wait_for_node(Context& context) {
  JoinState& state = context.state;
  Host& host = context.host;
  const auto& wish = state.config.first_boot;
  const Instant started = host.monotonic(), healthy_by = started + state.config.timeouts.kubelet_health_check;
  const auto left_until = [&](Instant end) { return std::chrono::ceil<Millis>(end - host.monotonic()); };
  const auto waited = [&] { return format_duration(std::chrono::duration_cast<Millis>(host.monotonic() - started)); };
  context.observer.waiting("the kubelet to register Node " + state.node_name());
  NodeWatch watch(context, wish.wait_for == config::WaitFor::ready);
  Status health;
  for (int attempt = 1; left_until(context.deadline) > Millis{0} && !host.terminating(); ++attempt) {
    const bool is_last = left_until(context.deadline) <= kSlice + kLastLook;
    Millis slice = is_last ? std::max(left_until(context.deadline) - kLastLook, Millis{1}) : kSlice;
    if (!watch.registered() && left_until(healthy_by) > Millis{0}) slice = std::min(slice, left_until(healthy_by));
    auto there = watch.run(slice);
    if (there && *there) {
      context.observer.waiting("");
      return {};
    }
    if (!there && there.error().kind != Kind::unavailable) return tl::unexpected(std::move(there).error());
    const bool is_slow = host.monotonic() >= std::min(healthy_by, started + kSlowKubelet);
    const bool is_over = left_until(context.deadline) <= kLastLook;
    if (!watch.registered() && (is_slow || is_over)) {
      health = healthy(context);
      if (!health && left_until(healthy_by) <= Millis{0})
        return fail(Kind::machine, "kubelet.unhealthy", "the kubelet is not running or not healthy after " + waited() + ": " + health.error().message, kLookAtKubelet);
      if (!health) context.observer.waiting("the kubelet, which is not healthy: " + health.error().message);
    }
    if (there && is_over) host.sleep_until(context.deadline);
    if (there) continue;
    const auto delay = next_delay(host, {.deadline = context.deadline}, attempt, there.error());
    if (!delay && host.terminating()) return terminated();
    if (!delay) return tl::unexpected(exhausted(host, std::move(there).error(), attempt, started));
    context.observer.retrying(there.error(), attempt, *delay);
    host.sleep_until(host.monotonic() + *delay);
  }
  if (host.terminating()) return terminated();
  if (watch.registered())
    return fail(Kind::unavailable, "node.not-ready", "Node " + state.node_name() + " is registered but not Ready after " + waited(),
                "kubectl describe node " + state.node_name() + "; is a CNI plugin installed?");
  return fail(Kind::unavailable, "node.not-registered", "the kubelet has not registered Node " + state.node_name() + " after " + waited() +
                  (health ? "" : "; it is not running or not healthy: " + health.error().message), kLookAtKubelet);
}

// Who gives kubeletHealthCheck alone means that, where it is longer than what is usual.
Millis patience(const config::JoinConfig& config) {
  const auto& wish = config.first_boot;
  const bool is_default = wish.wait_for != config::WaitFor::ready && wish.wait_timeout == config::FirstBoot().wait_timeout;
  return is_default ? std::max(wish.wait_timeout, config.timeouts.kubelet_health_check) : wish.wait_timeout;
}

Status patch(Context& context, const std::string& body, std::string_view doing) {
  JoinState& state = context.state;
  const plan::Limit limit(context, state.config.timeouts.kubernetes_api_call);
  const RetryPolicy policy{.deadline = context.deadline};
  return retry<void>(context.host, policy, [&]() -> Status {
    HttpRequest request;
    request.method = "PATCH";
    request.url = state.endpoint + kube::node_path(state.node_name());
    request.headers = {{"Content-Type", std::string(kube::kNodePatchType)}};
    request.body = body;
    request.deadline = context.deadline;
    auto ok = expect_ok(state.node_api->run_one(std::move(request)), doing);
    if (!ok && ok.error().id == "http.conflict") ok.error().kind = Kind::unavailable;
    if (!ok) return tl::unexpected(std::move(ok).error());
    return {};
  });
}

// kubeadm's Node patch behind DynamicKubeletConfig, in the shape that 1.11 to 1.23 take, and in that of 1.9 and 1.10
// (test/e2e_node/dynamic_kubelet_config_test.go of each).
Status set_config_source(Context& context) {
  const JoinState& state = context.state;
  if (!state.is_dynamic()) return {};
  const std::string map = R"("namespace":"kube-system","name":")" + state.kubelet_config_map + "\"";
  const bool is_old = state.cluster.minor() != 0 && state.cluster.minor() < 11;
  const std::string body = is_old ? R"({"spec":{"configSource":{"configMapRef":{)" + map + R"(,"uid":")" + state.kubelet_config_uid + "\"}}}}"
                                  : R"({"spec":{"configSource":{"configMap":{)" + map + R"(,"kubeletConfigKey":"kubelet"}}}})";
  auto patched = patch(context, body, "set the Node's spec.configSource");
  if (!patched && patched.error().kind == Kind::refused) {
    patched.error().id = "node.config-source-refused";
    patched.error().hint = "the admission plugin NodeRestriction forbids it to nodes; an administrator can patch the Node, or drop the gate";
  }
  return patched;
}

// Tells `kubectl describe node` when and how fast it joined. Never fails a join.
void send_event(Context& context) {
  JoinState& state = context.state;
  if (!state.config.first_boot.event) return;
  HttpRequest request;
  request.method = "POST";
  request.url = state.endpoint + kube::node_events_path();
  request.headers = {{"Content-Type", "application/json"}};
  request.timeout = std::min(Millis{2'000}, state.config.timeouts.kubernetes_api_call);
  request.deadline = context.deadline;
  request.body = kube::node_event(state.node_name(), state.node_uid, "Joined", "kubejoin " KUBEJOIN_VERSION " joined this node to the cluster in " +
                                      format_duration(std::chrono::duration_cast<Millis>(context.host.monotonic() - state.started)),
                                  context.host.now());
  (void)state.node_api->run_one(std::move(request));
}

}  // namespace

Status finish_node(Context& context) {
  JoinState& state = context.state;
  if (state.config.dry_run) return {};  // no kubelet was started that could register
  if (state.config.first_boot.bootstrap_by == config::BootstrapBy::kubelet)
    CHECK_OK(adopt_kubelets_identity(context));
  if (state.config.first_boot.wait_for == config::WaitFor::identity) return {};
  const plan::Limit limit(context, patience(state.config));
  CHECK_OK(open_session(context));
  CHECK_OK(wait_for_node(context));
  if (!kube::node_local_cri_socket(state.kubelet_minor, state.cluster.minor(), state.cluster.feature_gates))
    CHECK_OK(patch(context, kube::node_patch({}, {{std::string(kube::kCriSocketAnnotation), state.cri_socket}}), "write the CRI socket annotation"));
  CHECK_OK(set_config_source(context));
  send_event(context);
  return {};
}

}  // namespace kubejoin::kubelet
