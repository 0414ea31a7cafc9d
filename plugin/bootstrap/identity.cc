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

// One round on the one connection: [POST ∥] watch [∥ GET kubelet-config]. The CSR's name is known before the object exists, so the
// watch is opened beside the POST and no event can be missed between them.
class Round {
 public:
  Round(Context& context, const std::string& csr_pem) : context_(context), csr_pem_(csr_pem) {}

  // The certificate; an empty text when the watch ended without a decision (watch again); an Error.
  Result<std::string> run(bool create, Millis timeout) {
    JoinState& state = context_.state;
    const std::string api = api_version(state.cluster);
    decision_.reset();
    config_settled_ = !state.kubelet_config.empty() || !state.has_kubelet_config();
    std::vector<HttpRequest> requests;

    HttpRequest watch = api_request(context_, "GET", kube::csr_watch_path(api, state.csr_name, "", static_cast<int>(timeout.count() / 1000) + 1));
    watch.stream = true;
    watch.timeout = timeout;
    watch.on_line = [this](std::string_view line) { return on_event(line); };
    requests.push_back(std::move(watch));
    if (create) {
      HttpRequest post = api_request(context_, "POST", kube::csr_collection_path(api));
      post.headers.emplace_back("Content-Type", "application/json");
      post.timeout = std::min(post.timeout, timeout);
      post.body = kube::csr_object(state.csr_name, csr_pem_, api);
      post.on_done = [this](const Result<HttpResponse>& answer) { return on_created(answer); };
      requests.push_back(std::move(post));
    }
    if (!config_settled_) {
      HttpRequest get = kubelet_config_request(context_, 0);
      get.timeout = std::min(get.timeout, timeout);
      get.on_done = [this](const Result<HttpResponse>& answer) {
        if (!answer && answer.error().id == "http.cancelled") return Flow::stop;
        (void)take_kubelet_config(context_, answer);  // a failure is found, and named, by fetch_kubelet_config
        config_settled_ = true;
        return settled();
      };
      requests.push_back(std::move(get));
    }

    auto answers = state.api->run(std::move(requests));
    if (decision_) return *std::move(decision_);
    if (answers[0] ? answers[0]->status / 100 == 2 : answers[0].error().id == "http.timeout") return std::string();
    auto refused = expect_ok(explain_refusal(std::move(answers[0]), context_), "watch the certificate signing request");
    return tl::unexpected(std::move(refused).error());
  }
  bool created() const { return created_; }
  bool approved() const { return approved_; }

 private:
  // The batch ends with the decision, but not before the kubelet's configuration has arrived.
  Flow settled() const { return decision_ && (config_settled_ || !*decision_) ? Flow::stop : Flow::go_on; }

  Flow decide(Result<std::string> decision) {
    if (!decision_) decision_ = std::move(decision);
    return settled();
  }

  Flow on_event(std::string_view line) {
    if (decision_) return settled();
    auto event = kube::parse_watch_event(line);
    if (!event) return decide(tl::unexpected(std::move(event).error()));
    if (event->type == "BOOKMARK") return Flow::go_on;
    auto csr = kube::parse_csr(event->object);
    if (!csr) return decide(tl::unexpected(std::move(csr).error()));
    if (csr->name != context_.state.csr_name) return Flow::go_on;
    if (event->type == "DELETED" || (!uid_.empty() && csr->uid != uid_))
      return decide(fail(Kind::refused, "bootstrap.csr-deleted", "certificate signing request " + csr->name + " was deleted while it was pending", "join again"));
    uid_ = csr->uid;
    created_ = true;
    if (auto ours = kube::check_compatible(*csr, *context_.state.identity, context_.state.node_name()); !ours)
      return decide(tl::unexpected(std::move(ours).error()));
    auto verdict = judge(*csr);
    if (!verdict || !verdict->empty()) {
      context_.observer.milestone("csr-decided");
      return decide(std::move(verdict));
    }
    if (csr->state == kube::Csr::State::pending && !told_) {
      told_ = true;
      context_.observer.milestone("csr-created");
      context_.observer.waiting("approval of " + csr->name + " (kubectl certificate approve " + csr->name + ")");
    }
    approved_ = csr->state == kube::Csr::State::approved;
    if (approved_) context_.observer.waiting("the signer of " + csr->name + ", which is approved (does kube-controller-manager run?)");
    return Flow::go_on;
  }

  // 409: ours, of an earlier attempt; the watch shows it and check_compatible() proves it.
  Flow on_created(const Result<HttpResponse>& answer) {
    if (answer && (answer->status / 100 == 2 || answer->status == 409)) {
      created_ = true;
      return Flow::go_on;
    }
    if (!answer && answer.error().id == "http.cancelled") return Flow::stop;
    auto refused = expect_ok(explain_refusal(answer, context_), "create the certificate signing request");
    return decide(tl::unexpected(std::move(refused).error()));
  }

  Context& context_;
  const std::string& csr_pem_;
  std::optional<Result<std::string>> decision_;
  bool config_settled_ = false;
  bool told_ = false;
  bool created_ = false;
  bool approved_ = false;
  std::string uid_;
};

// Rounds until a decision, a permanent error or the deadline.
Result<std::string> request_certificate(Context& context) {
  JoinState& state = context.state;
  Host& host = context.host;
  CHECK_OK(prepare_key(context));
  TRY(const std::string csr_pem, kube::make_csr(*state.identity, state.node_name()));
  state.csr_name = kube::csr_name(state.identity->spki_der, state.node_name(), kube::kNodeUsages);
  context.observer.milestone("csr-sent");

  const RetryPolicy policy{.deadline = host.monotonic() + state.config.timeouts.tls_bootstrap};
  const Instant started = host.monotonic();
  Round round(context, csr_pem);
  bool create = true;
  std::optional<Error> last;  // what the cluster said; a round that the deadline cuts short says nothing
  int attempt = 1;
  for (;; ++attempt) {
    const Instant began = host.monotonic();
    const auto left = std::chrono::duration_cast<Millis>(policy.deadline - began);
    if (left <= Millis{0} || host.terminating()) break;
    auto certificate = round.run(create, left);
    if (certificate && !certificate->empty()) return certificate;
    if (!certificate && certificate.error().kind != Kind::unavailable) return certificate;
    create = !certificate;  // after a transport failure nobody knows whether the POST arrived; a second one answers 409
    Error why = certificate ? Error{.kind = Kind::unavailable, .id = "bootstrap.watch-ended", .message = "the watch ended"} : certificate.error();
    if (!certificate) last = why;
    if (certificate && host.monotonic() - began > policy.first) continue;
    const auto delay = next_delay(host, policy, attempt, why);
    if (!delay && !certificate) return tl::unexpected(exhausted(host, std::move(why), attempt, started));
    if (!delay) break;
    context.observer.retrying(why, attempt, *delay);
    host.sleep_until(host.monotonic() + *delay);
  }
  if (last && !round.created()) return tl::unexpected(exhausted(host, *std::move(last), attempt, started));
  if (round.approved())
    return fail(Kind::unavailable, "bootstrap.csr-unsigned",
                "certificate signing request " + state.csr_name + " is approved, but nobody has signed it after " + format_duration(state.config.timeouts.tls_bootstrap),
                "is kube-controller-manager running, with --cluster-signing-cert-file and --cluster-signing-key-file?");
  return fail(Kind::unavailable, "bootstrap.csr-pending",
              "certificate signing request " + state.csr_name + " is still pending after " + format_duration(state.config.timeouts.tls_bootstrap),
              "kubectl certificate approve " + state.csr_name + ", or see why nothing approves it: kubectl describe csr " + state.csr_name);
}

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
  if (!context.host.stat(state.config.ca_cert_path)) CHECK_OK(plan::write_file(context, state.config.ca_cert_path, state.ca_pem, 0644));
  if (state.config.first_boot.bootstrap_by == config::BootstrapBy::kubelet) {
    const std::string cluster = state.config.cluster_name.empty() ? state.cluster.cluster_name : state.config.cluster_name;
    std::string conf = kube::bootstrap_kubeconfig(cluster, state.server, state.ca_pem, state.bearer, state.cluster.minor());
    Status written = plan::write_file(context, plan::kBootstrapConf, conf, 0600);
    wipe(conf);
    CHECK_OK(std::move(written));
    return fetch_kubelet_config(context);
  }
  if (state.config.dry_run) {
    CHECK_OK(rehearse(context));
  } else if (const auto earlier = adopt_certificate(context)) {
    CHECK_OK(install(context, *earlier));
  } else {
    auto certificate = request_certificate(context);
    context.observer.waiting("");
    if (!certificate) return tl::unexpected(std::move(certificate).error());
    CHECK_OK(kube::check_issued(*certificate, *state.identity, state.node_name(), state.ca_pem, context.host.now()));
    TRY(const std::string path, store(context, *certificate));
    CHECK_OK(install(context, path));
  }
  return fetch_kubelet_config(context);
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
