// The node's identity: key made here, CSR, a watch until it is issued, denied or failed, the certificate checked and installed.
#include <ctime>

#include "base/retry.h"
#include "base/text.h"
#include "bootstrap/api.h"
#include "plan/join_plan.h"

namespace kubejoin::bootstrap {
namespace {

using plan::Context;
using plan::JoinState;

constexpr Millis kUsual{1'000};  // what a cluster takes to issue a certificate by itself, at most
constexpr std::size_t kMaxKey = 16 << 10, kMaxPem = 256 << 10;

// signerName and certificates.k8s.io/v1 came with 1.19; an unknown cluster is a current one.
std::string api_version(const kube::ClusterConfiguration& cluster) {
  return std::string(kube::kCsrApis[cluster.minor() != 0 && cluster.minor() < 19 ? 1 : 0]);
}

// The key of an interrupted join is used again, so that its CSR, which a person may be looking at, is ours still.
Status prepare_key(Context& context) {
  JoinState& state = context.state;
  if (context.host.stat(plan::kClientKeyTmp)) {
    TRY(auto pem, context.host.read(plan::kClientKeyTmp, kMaxKey));
    if (auto identity = kube::parse_identity(Secret(std::move(pem)))) {
      state.identity = *std::move(identity);
      context.observer.detail("using the key of an earlier attempt");
      return {};
    }
    context.observer.detail("the key of an earlier attempt is torn: making a new one");
  }
  TRY(state.identity, kube::make_identity());
  CHECK_OK(context.host.make_dirs("/var/lib/kubelet", 0700));  // as kubeadm makes it; a parent would be born with 0755
  CHECK_OK(context.host.make_dirs(plan::kPki, 0755));
  return context.host.write(plan::kClientKeyTmp, state.identity->key_pem.expose(), 0600);
}

std::string decision(const kube::Csr& csr) {
  std::string text;
  if (!csr.reason.empty()) text += ", reason: " + printable(csr.reason);
  if (!csr.message.empty()) text += ", message: " + printable(csr.message);
  return text;
}

// What a CSR that was seen on the watch means: a certificate, nothing yet, or the end.
Result<std::string> judge(const kube::Csr& csr) {
  switch (csr.state) {
    case kube::Csr::State::issued:
      return csr.certificate;
    case kube::Csr::State::denied:
      return fail(Kind::refused, "bootstrap.csr-denied", "certificate signing request " + csr.name + " is denied" + decision(csr),
                  "kubectl describe csr " + csr.name + "; then delete it and join again");
    case kube::Csr::State::failed:
      return fail(Kind::refused, "bootstrap.csr-failed", "certificate signing request " + csr.name + " failed" + decision(csr),
                  "the signer turned it down: look into the log of kube-controller-manager");
    case kube::Csr::State::pending:
    case kube::Csr::State::approved:
      break;
  }
  return std::string();
}

// One certificate signing request: created, then watched until it is decided. The calls follow one another on the one connection; the
// watch begins where the answer to the POST left off, so that nothing is missed in between.
class Request {
 public:
  explicit Request(Context& context)
      : context_(context), policy_{.deadline = context.deadline}, started_(context.host.monotonic()) {}

  // POST, until the cluster has it.
  Status create() {
    JoinState& state = context_.state;
    TRY(const std::string csr_pem, kube::make_csr(*state.identity, state.node_name()));
    state.csr_name = kube::csr_name(state.identity->spki_der, state.node_name(), kube::kNodeUsages);
    proven_ = csr_pem;
    context_.observer.milestone("csr-sent");
    const std::string api = api_version(state.cluster);
    return retry<void>(
        context_.host, policy_,
        [&]() -> Status {
          HttpRequest post = api_request(context_, "POST", kube::csr_collection_path(api));
          post.headers.emplace_back("Content-Type", "application/json");
          post.body = kube::csr_object(state.csr_name, csr_pem, api);
          auto answer = state.api->run_one(std::move(post));
          resource_version_.clear();
          // Ours, of an earlier attempt: a watch from no version shows it.
          if (answer && answer->status == 409) return {};
          TRY(const auto ok, expect_ok(explain_refusal(std::move(answer), context_), "create the certificate signing request"));
          if (const auto csr = kube::parse_csr(ok.body); csr && csr->name == state.csr_name) {
            resource_version_ = csr->resource_version;
            look_at(*csr);
          }
          return {};
        },
        [&](const RetryEvent& event) { context_.observer.retrying(event.error, event.attempt, event.delay); });
  }

  // The certificate, or why there will be none.
  Result<std::string> decided() {
    Host& host = context_.host;
    for (int attempt = 1; !decision_; ++attempt) {
      const Instant began = host.monotonic();
      if (left() <= Millis{0} || host.terminating()) return undecided();
      Status seen = watch();
      if (decision_) break;
      if (!seen && seen.error().kind != Kind::unavailable) return tl::unexpected(std::move(seen).error());
      if (seen && host.monotonic() - began > policy_.first) continue;
      Error why = seen ? Error{.kind = Kind::unavailable, .id = "bootstrap.watch-ended", .message = "the watch ended"} : seen.error();
      const auto delay = next_delay(host, policy_, attempt, why);
      if (!delay && !seen) return tl::unexpected(exhausted(host, std::move(why), attempt, started_));
      if (!delay) return undecided();
      context_.observer.retrying(why, attempt, *delay);
      host.sleep_until(host.monotonic() + *delay);
      if (!seen) CHECK_OK(create());  // nobody knows what became of it meanwhile; if it is there still, the answer is 409
    }
    return *std::move(decision_);
  }

 private:
  Millis left() const { return std::chrono::ceil<Millis>(policy_.deadline - context_.host.monotonic()); }

  // Until there is a decision or the server ends it; an error tells nothing of the request itself.
  Status watch() {
    const JoinState& state = context_.state;
    const Millis timeout = left();
    HttpRequest request = api_request(context_, "GET",
                                      kube::csr_watch_path(api_version(state.cluster), state.csr_name, std::exchange(resource_version_, {}),
                                                           static_cast<int>(timeout.count() / 1000) + 1));
    request.stream = true;
    request.timeout = timeout;
    request.slow_after = until_told();
    request.on_slow = [this] { tell(); };
    Status failure;
    request.on_line = [&](std::string_view line) {
      failure = on_event(line);
      return failure && !decision_ ? Flow::go_on : Flow::stop;
    };
    auto answer = state.api->run_one(std::move(request));
    if (!failure || decision_) return failure;
    if (answer ? answer->status / 100 == 2 : answer.error().id == "http.timeout") return {};
    return expect_ok(explain_refusal(std::move(answer), context_), "watch the certificate signing request").map([](const HttpResponse&) {});
  }

  Status on_event(std::string_view line) {
    TRY(const auto event, kube::parse_watch_event(line));
    if (event.type == "BOOKMARK") return {};
    TRY(const auto csr, kube::parse_csr(event.object));
    if (csr.name != context_.state.csr_name) return {};
    if (event.type == "DELETED" || (!uid_.empty() && csr.uid != uid_))
      decision_ = fail(Kind::refused, "bootstrap.csr-deleted", "certificate signing request " + csr.name + " was deleted while it was pending", "join again");
    else
      look_at(csr);
    return {};
  }

  void look_at(const kube::Csr& csr) {
    uid_ = csr.uid;
    // Each event repeats the request; reading and verifying one takes milliseconds.
    if (csr.request != proven_ || csr.signer_name != kube::kNodeSigner) {
      if (auto ours = kube::check_compatible(csr, *context_.state.identity, context_.state.node_name()); !ours) {
        decision_ = tl::unexpected(std::move(ours).error());
        return;
      }
      proven_ = csr.request;
    }
    auto verdict = judge(csr);
    if (!verdict || !verdict->empty()) {
      context_.observer.milestone("csr-decided");
      decision_ = std::move(verdict);
      return;
    }
    if (csr.state == kube::Csr::State::pending && !std::exchange(created_, true)) context_.observer.milestone("csr-created");
    const bool was_approved = std::exchange(approved_, csr.state == kube::Csr::State::approved);
    if (approved_ != was_approved && until_told() <= Millis{0}) tell();
  }

  // People hear of a wait when it is one.
  Millis until_told() const { return std::chrono::ceil<Millis>(started_ + kUsual - context_.host.monotonic()); }
  void tell() const {
    const std::string& name = context_.state.csr_name;
    context_.observer.waiting(approved_ ? "the signer of " + name + ", which is approved (does kube-controller-manager run?)"
                                        : "approval of " + name + " (kubectl certificate approve " + name + ")");
  }

  tl::unexpected<Error> undecided() const {
    if (context_.host.terminating()) return terminated();
    const std::string& name = context_.state.csr_name;
    const std::string waited = format_duration(context_.state.config.timeouts.tls_bootstrap);
    if (approved_)
      return fail(Kind::unavailable, "bootstrap.csr-unsigned", "certificate signing request " + name + " is approved, but nobody has signed it after " + waited,
                  "is kube-controller-manager running, with --cluster-signing-cert-file and --cluster-signing-key-file?");
    return fail(Kind::unavailable, "bootstrap.csr-pending", "certificate signing request " + name + " is still pending after " + waited,
                "kubectl certificate approve " + name + ", or see why nothing approves it: kubectl describe csr " + name);
  }

  Context& context_;
  const RetryPolicy policy_;
  const Instant started_;
  std::optional<Result<std::string>> decision_;
  std::string uid_, resource_version_;
  std::string proven_;  // PEM of a request that is known to be ours
  bool created_ = false;
  bool approved_ = false;
};

std::string dated_pem_path(WallTime now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::strftime(text, sizeof text, "/kubelet-client-%Y-%m-%d-%H-%M-%S.pem", &parts);
  return plan::kPki + std::string(text);
}

// As the kubelet's certificate store keeps it (client-go util/certificate/certificate_store.go): one file, certificates then key.
// Its path.
Result<std::string> store(Context& context, const std::string& certificate) {
  std::string both = certificate;
  if (!both.empty() && both.back() != '\n') both += '\n';
  both += context.state.identity->key_pem.expose();
  const std::string path = dated_pem_path(context.host.now());
  Status written = plan::write_file(context, path, both, 0600);
  wipe(both);
  CHECK_OK(std::move(written));
  context.state.certificate = certificate;
  return path;
}

// The link that names the current certificate, and the kubeconfig that names the link.
Status install(Context& context, const std::string& path) {
  JoinState& state = context.state;
  CHECK_OK(context.host.symlink(path, plan::kClientPem));
  CHECK_OK(plan::write_file(context, plan::kKubeletConf, kube::kubelet_kubeconfig(state.server, state.ca_pem, plan::kClientPem, state.cluster.minor()), 0600));
  CHECK_OK(context.host.remove(plan::kClientKeyTmp));
  context.observer.milestone("certificate-on-disk");
  return {};
}

// A dry run goes as far as can be told without a certificate: the request that would be sent, and what would be installed.
Status rehearse(Context& context) {
  JoinState& state = context.state;
  CHECK_OK(prepare_key(context));
  TRY(const std::string csr_pem, kube::make_csr(*state.identity, state.node_name()));
  const std::string api = api_version(state.cluster);
  HttpRequest post = api_request(context, "POST", kube::csr_collection_path(api));
  post.body = kube::csr_object(kube::csr_name(state.identity->spki_der, state.node_name(), kube::kNodeUsages), csr_pem, api);
  (void)state.api->run_one(std::move(post));
  CHECK_OK(context.host.symlink(dated_pem_path(context.host.now()), plan::kClientPem));
  return plan::write_file(context, plan::kKubeletConf, kube::kubelet_kubeconfig(state.server, state.ca_pem, plan::kClientPem, state.cluster.minor()), 0600);
}

}  // namespace

std::optional<std::string> adopt_certificate(Context& context) {
  JoinState& state = context.state;
  const auto names = context.host.list(plan::kPki);
  if (!names) return std::nullopt;
  for (auto name = names->rbegin(); name != names->rend(); ++name) {
    if (name->rfind("kubelet-client-2", 0) != 0) continue;  // a date; the link is -current
    const std::string path = plan::kPki + std::string("/") + *name;
    auto pem = context.host.read(path, kMaxPem);
    if (!pem) continue;
    auto identity = kube::parse_identity(Secret(*pem));
    const bool ours = identity && kube::check_issued(*pem, *identity, state.node_name(), state.ca_pem, context.host.now());
    if (ours) {
      state.identity = *std::move(identity);
      state.certificate = pem->substr(0, pem->rfind("-----BEGIN EC PRIVATE KEY"));
      context.observer.note("using the certificate of an earlier run");
    }
    wipe(*pem);
    if (ours) return path;
  }
  return std::nullopt;
}

Status obtain_identity(Context& context) {
  JoinState& state = context.state;
  const plan::Limit limit(context, state.config.timeouts.tls_bootstrap);
  std::optional<Request> request;
  if (state.config.first_boot.bootstrap_by == config::BootstrapBy::kubelet) {
    const std::string cluster = state.config.cluster_name.empty() ? state.cluster.cluster_name : state.config.cluster_name;
    std::string conf = kube::bootstrap_kubeconfig(cluster, state.server, state.ca_pem, state.bearer, state.cluster.minor());
    Status written = plan::write_file(context, plan::kBootstrapConf, conf, 0600);
    wipe(conf);
    CHECK_OK(std::move(written));
  } else if (state.config.dry_run) {
    CHECK_OK(rehearse(context));
  } else if (const auto earlier = adopt_certificate(context)) {
    CHECK_OK(install(context, *earlier));
  } else {
    CHECK_OK(prepare_key(context));
    // Else a power cut could leave the cluster with a request, to be approved by a person, for a key that nobody has.
    CHECK_OK(context.host.settle(plan::kClientKeyTmp));
    CHECK_OK(request.emplace(context).create());
  }
  // While the cluster issues: what else is needed from it, and the disk.
  CHECK_OK(fetch_kubelet_config(context));
  if (!context.host.stat(state.config.ca_cert_path)) CHECK_OK(plan::write_file(context, state.config.ca_cert_path, state.ca_pem, 0644));
  if (!request) return {};
  auto certificate = request->decided();
  context.observer.waiting("");
  if (!certificate) return tl::unexpected(std::move(certificate).error());
  CHECK_OK(kube::check_issued(*certificate, *state.identity, state.node_name(), state.ca_pem, context.host.now()));
  TRY(const std::string path, store(context, *certificate));
  return install(context, path);
}

// Nothing secret outlives a failure, except what a resumed boot continues with: the key whose CSR may still be approved. And nothing
// of ours does, when there is no identity to go on with: neither of this run nor of an earlier one that was killed.
void forget(Context& context) {
  JoinState& state = context.state;
  (void)context.host.remove(plan::kBootstrapConf);
  if (state.resumable || state.has_identity(context.host)) return;
  for (auto it = state.written.rbegin(); it != state.written.rend(); ++it) (void)context.host.remove(*it);
  for (const std::string& path : state.journal.files) (void)context.host.remove(path);
}

}  // namespace kubejoin::bootstrap
