// What can go wrong between a node and its cluster (kubeadm's own table of failures and what became of it in its releases): each
// row with the error's id and kind, what it tells to do next, the time within which it ends, and how often the server was asked.
#include "../kube/golden.h"
#include "plan/journal.h"
#include "plan/state.h"
#include "world.h"

using namespace kubejoin;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr const char* kInfo = "GET /api/v1/namespaces/kube-public/configmaps/cluster-info";
constexpr const char* kKubeadm = "GET /api/v1/namespaces/kube-system/configmaps/kubeadm-config";
constexpr const char* kKubelet = "GET /api/v1/namespaces/kube-system/configmaps/kubelet-config";
constexpr const char* kPost = "POST /apis/certificates.k8s.io/v1/certificatesigningrequests";
constexpr const char* kWatch = "GET /apis/certificates.k8s.io/v1/certificatesigningrequests";
constexpr const char* kNode = "GET /api/v1/nodes/node1";

using Answer = FakeHost::Answer;
const Answer kAsUsual{.status = 0};

Error broken(Kind kind, const char* id) { return fail(kind, id, "the test wants it so", "hint of the transport").value(); }
Answer fails(const char* id) { return {.error = broken(Kind::unavailable, id)}; }
Answer data_map(const std::string& key, const std::string& value) {
  return {.body = R"({"kind":"ConfigMap","metadata":{"name":"x"},"data":{")" + key + R"(":")" + value + "\"}}"};
}

// `id` "" is a join that succeeds all the same.
struct Row {
  const char* what;
  void (*arrange)(World& w);
  const char* id;
  Kind kind;
  const char* hint;
  Millis least, most;          // on the fake clock
  int min_requests, max_requests;  // to the API server
};

const Authority& stranger() {
  static const Authority authority("kubernetes");
  return authority;
}

constexpr Millis kAtOnce{1'000}, kGrace{21'000}, kDiscovery = minutes(5), kBootstrap = minutes(5), kCall = minutes(1);
constexpr Kind kUnused = Kind::internal;

const Row kMatrix[] = {
    // ---- discovery: the API server is not there ----
    {"nothing listens", [](World& w) { w.config.token_discovery->endpoints = {"10.0.0.9:6443"}; },
     "http.unreachable", Kind::unavailable, "is the address right", kDiscovery - seconds(10), kDiscovery, 60, 300},
    {"its name does not resolve", [](World& w) { w.cluster.instead[kInfo] = {fails("http.dns")}; },
     "http.dns", Kind::unavailable, "hint of the transport", kDiscovery - seconds(10), kDiscovery, 60, 300},
    {"it takes the connection and says nothing", [](World& w) { w.cluster.instead[kInfo] = {{.hangs = true}}; },
     "http.timeout", Kind::unavailable, "try again", kDiscovery, kDiscovery + Millis(200), 20, 32},
    {"it comes up after three failures", [](World& w) { w.cluster.instead[kInfo] = {fails("http.unreachable"), fails("http.unreachable"), fails("tls.handshake"), kAsUsual}; },
     "", kUnused, "", Millis(0), seconds(5), 10, 12},
    {"a proxy's page in its place", [](World& w) { w.cluster.instead[kInfo] = {{.body = "<html>503</html>"}}; },
     "kube.object", Kind::unavailable, "did not come from a Kubernetes API server", kDiscovery - seconds(10), kDiscovery, 60, 300},
    {"a key there twice", [](World& w) { w.cluster.instead[kInfo] = {{.body = R"({"kind":"ConfigMap","kind":"ConfigMap"})"}}; },
     "kube.object", Kind::unavailable, "damaged on its way", kDiscovery - seconds(10), kDiscovery, 60, 300},
    {"an answer without end", [](World& w) { w.cluster.instead[kInfo] = {{.body = std::string(2 << 20, 'x')}}; },
     "http.too-large", Kind::untrusted, "is this the right server", Millis(0), kAtOnce, 1, 1},
    {"a redirect", [](World& w) { w.cluster.instead[kInfo] = {{.status = 307, .headers = {{"location", "http://10.0.0.1/"}}}}; },
     "http.redirect", Kind::untrusted, "give the server's own address", Millis(0), kAtOnce, 1, 1},

    // ---- discovery: the API server is not ours ----
    {"its certificate is not of the pinned CA", [](World& w) { w.host.distrust = broken(Kind::untrusted, "tls.untrusted"); },
     "tls.untrusted", Kind::untrusted, "hint of the transport", Millis(0), kAtOnce, 1, 1},
    {"its certificate is for another name", [](World& w) { w.host.distrust = broken(Kind::untrusted, "tls.name"); },
     "tls.name", Kind::untrusted, "hint of the transport", Millis(0), kAtOnce, 1, 1},
    {"its certificate has expired, or the clock is wrong", [](World& w) { w.host.distrust = broken(Kind::untrusted, "tls.expired"); },
     "tls.expired", Kind::untrusted, "hint of the transport", Millis(0), kAtOnce, 2, 2},
    {"the secret half of the token is wrong", [](World& w) { w.cluster.signs_with = "abcdef.fedcba9876543210"; },
     "discovery.jws-mismatch", Kind::untrusted, "kubeadm token create", Millis(0), kAtOnce, 1, 1},
    {"the pin is another CA's", [](World& w) { w.config.token_discovery->ca_cert_hashes = {stranger().pin()}; },
     "discovery.pin-mismatch", Kind::untrusted, "caCertHashes", Millis(0), kAtOnce, 1, 1},
    {"the second pin fits", [](World& w) { w.config.token_discovery->ca_cert_hashes.insert(w.config.token_discovery->ca_cert_hashes.begin(), stranger().pin()); },
     "", kUnused, "", Millis(0), kAtOnce, 7, 8},
    {"the pinned CA is the bundle's second", [](World& w) { w.cluster.ca_in_cluster_info = stranger().pem() + w.cluster.ca.pem(); },
     "", kUnused, "", Millis(0), kAtOnce, 7, 8},

    // ---- discovery: the cluster does not know us ----
    {"the token is unknown or has expired", [](World& w) { w.cluster.signs_with = "zzzzzz.0123456789abcdef"; },
     "discovery.token-unknown", Kind::refused, "kubeadm token create", seconds(10), kGrace, 4, 40},
    {"cluster-info is closed (403)", [](World& w) { w.cluster.instead[kInfo] = {{.status = 403}}; },
     "discovery.cluster-info-closed", Kind::refused, "--discovery-file", seconds(10), kGrace, 4, 40},
    {"cluster-info is closed (401)", [](World& w) { w.cluster.instead[kInfo] = {{.status = 401}}; },
     "discovery.cluster-info-closed", Kind::refused, "--discovery-file", seconds(10), kGrace, 4, 40},
    {"there is no cluster-info", [](World& w) { w.cluster.instead[kInfo] = {{.status = 404}}; },
     "discovery.no-cluster-info", Kind::refused, "kubeadm cluster", seconds(10), kGrace, 4, 40},
    {"cluster-info has no kubeconfig", [](World& w) { w.cluster.instead[kInfo] = {data_map("jws-kubeconfig-abcdef", "x")}; },
     "discovery.no-kubeconfig", Kind::untrusted, "--discovery-file", Millis(0), kAtOnce, 1, 1},
    {"the signature comes after a moment", [](World& w) { w.cluster.instead[kInfo] = {data_map("kubeconfig", "x"), data_map("kubeconfig", "x"), kAsUsual}; },
     "", kUnused, "", Millis(0), seconds(3), 9, 10},

    // ---- the cluster's configuration ----
    {"the token may sign but not authenticate", [](World& w) { w.cluster.knows = "other0.0123456789abcdef"; },
     "cluster.unauthorized", Kind::refused, "may sign cluster-info but not authenticate", Millis(0), kAtOnce, 2, 2},
    {"the token lacks its group", [](World& w) { w.cluster.instead[kKubeadm] = {{.status = 403}}; },
     "cluster.forbidden", Kind::refused, "default-node-token", Millis(0), kAtOnce, 3, 3},
    {"kubeadm-config is missing", [](World& w) { w.cluster.instead[kKubeadm] = {{.status = 404}}; },
     "cluster.config-missing", Kind::invalid, "upload-config kubeadm", Millis(0), kAtOnce, 3, 3},
    {"kubeadm-config cannot be read", [](World& w) { w.cluster.instead[kKubeadm] = {data_map("ClusterConfiguration", "- a list")}; },
     "kube.cluster-configuration", Kind::invalid, "kubectl -n kube-system get configmap kubeadm-config", Millis(0), kAtOnce, 2, 2},
    {"kubeadm-config is empty", [](World& w) { w.cluster.instead[kKubeadm] = {data_map("other", "x")}; },
     "cluster.config-missing", Kind::unavailable, "upload-config kubeadm", kCall - seconds(10), kCall, 10, 200},
    {"kubelet-config is missing", [](World& w) { w.cluster.instead[kKubelet] = {{.status = 404}}; },
     "cluster.config-missing", Kind::invalid, "upload-config kubelet", Millis(0), seconds(2), 6, 10},
    {"kubelet-config may not be read", [](World& w) { w.cluster.instead[kKubelet] = {{.status = 403}}; },
     "cluster.config-missing", Kind::refused, "upload-config kubelet", Millis(0), seconds(2), 6, 10},
    {"the API server is overloaded for good", [](World& w) { w.cluster.instead[kKubeadm] = {{.status = 503}}; },
     "http.unavailable", Kind::unavailable, "try again", kCall - seconds(10), kCall, 10, 200},
    {"the API server asks to wait ten seconds, once", [](World& w) { w.cluster.instead[kKubeadm] = {{.status = 429, .headers = {{"retry-after", "10"}}}, kAsUsual}; },
     "", kUnused, "", seconds(10), seconds(11), 9, 10},
    {"the network blinks in the middle of every call", [](World& w) {
       for (const char* call : {kKubeadm, kKubelet, kNode, kPost, kWatch}) w.cluster.instead[call] = {fails("http.unreachable"), kAsUsual};
     }, "", kUnused, "", Millis(0), seconds(10), 8, 30},
    {"the server that cluster-info names is not there", [](World& w) { w.cluster.server = "https://192.0.2.1:6443"; },
     "", kUnused, "", Millis(0), kAtOnce, 7, 8},

    // ---- the node's name ----
    {"a Node of that name is Ready", [](World& w) { w.cluster.node_exists_ready = true; },
     "node.exists-ready", Kind::unfit, "kubectl delete node node1", Millis(0), kAtOnce, 3, 3},
    {"a Node of that name is not Ready", [](World& w) {
       w.cluster.instead[kNode] = {{.body = R"({"kind":"Node","metadata":{"name":"node1"},"status":{"conditions":[{"type":"Ready","status":"Unknown"}]}})"}};
     }, "", kUnused, "", Millis(0), kAtOnce, 7, 8},

    // ---- the certificate ----
    {"nobody approves the request", [](World& w) { w.cluster.decision = FakeCluster::Decision::pending; },
     "bootstrap.csr-pending", Kind::unavailable, "kubectl certificate approve node-csr-", kBootstrap, kBootstrap + seconds(5), 6, 8},
    {"the request is denied", [](World& w) { w.cluster.decision = FakeCluster::Decision::denied; },
     "bootstrap.csr-denied", Kind::refused, "kubectl describe csr", Millis(0), kAtOnce, 6, 6},
    {"the signer fails", [](World& w) { w.cluster.decision = FakeCluster::Decision::failed; },
     "bootstrap.csr-failed", Kind::refused, "kube-controller-manager", Millis(0), kAtOnce, 6, 6},
    {"the request may not be made", [](World& w) { w.cluster.instead[kPost] = {{.status = 403}}; },
     "cluster.forbidden", Kind::refused, "default-node-token", Millis(0), kAtOnce, 4, 6},
    {"the request is another's", [](World& w) { w.cluster.foreign_request = *kube::make_csr(*kube::make_identity(), "node1"); },
     "bootstrap.csr-incompatible", Kind::untrusted, "kubectl delete csr", Millis(0), kAtOnce, 5, 5},
    {"the certificate is of another CA", [](World& w) { w.cluster.issuer = &stranger(); },
     "bootstrap.certificate", Kind::untrusted, "look at the cluster's signer", Millis(0), kAtOnce, 6, 6},
    {"the certificate is another node's", [](World& w) { w.cluster.certificate.common_name = "system:node:node2"; },
     "bootstrap.certificate", Kind::untrusted, "look at the cluster's signer", Millis(0), kAtOnce, 6, 6},
    {"the certificate is a server's", [](World& w) { w.cluster.certificate.usage = "serverAuth"; },
     "bootstrap.certificate", Kind::untrusted, "look at the cluster's signer", Millis(0), kAtOnce, 6, 6},
    {"this clock is an hour behind the signer's", [](World& w) { w.cluster.certificate.from = w.host.wall + minutes(55); },
     "bootstrap.certificate", Kind::untrusted, "compare the clocks", Millis(0), kAtOnce, 6, 6},

    // ---- the kubelet and its Node ----
    {"the kubelet's service does not start", [](World& w) {
       w.host.answer_command("systemctl restart --no-block kubelet", CommandResult{.status = 1, .err = "Unit kubelet.service is masked."});
     }, "kubelet.start", Kind::machine, "journalctl -xeu kubelet", Millis(0), kAtOnce, 6, 6},
    {"the kubelet dies", [](World& w) {
       w.cluster.kubelet_registers = false;
       w.host.answer("GET http://127.0.0.1:10248/healthz", fails("http.unreachable"));
     }, "kubelet.unhealthy", Kind::machine, "journalctl -xeu kubelet", minutes(4), minutes(4) + Millis(200), 20, 40},
    {"the kubelet lives and does not register", [](World& w) { w.cluster.kubelet_registers = false; },
     "node.not-registered", Kind::unavailable, "journalctl -xeu kubelet", minutes(10), minutes(10) + seconds(10), 30, 120},
    {"the Node does not become Ready", [](World& w) {
       w.config.first_boot.wait_for = config::WaitFor::ready;
       w.config.first_boot.wait_timeout = minutes(3);
     }, "node.not-ready", Kind::unavailable, "CNI plugin", minutes(3), minutes(3) + seconds(10), 10, 60},
};

int api_requests(const World& w) {
  return static_cast<int>(std::count_if(w.host.requests.begin(), w.host.requests.end(), [](const HttpRequest& r) { return r.url.starts_with("https://"); }));
}

}  // namespace

TEST_CASE("the failure matrix") {
  for (const Row& row : kMatrix) {
    CAPTURE(row.what);
    World w;
    row.arrange(w);
    const Instant began = w.host.instant;
    const ToldJoin told = join(w.host, w.config);
    const auto took = std::chrono::duration_cast<Millis>(w.host.instant - began);
    CAPTURE(told.printed);
    CHECK_MESSAGE((took >= row.least && took <= row.most), format_duration(took));
    CHECK_MESSAGE((api_requests(w) >= row.min_requests && api_requests(w) <= row.max_requests), api_requests(w));
    CHECK(shown(leaks(w, told.printed)) == "");
    if (*row.id == '\0') {
      CHECK(shown(told.result) == "ok");
      continue;
    }
    REQUIRE(told.result.error.has_value());
    const Error& error = *told.result.error;
    CHECK(error.id == row.id);
    CHECK(error.kind == row.kind);
    CHECK(cli::exit_status_of(told.result) == exit_status(row.kind));
    CHECK_MESSAGE(error.hint.find(row.hint) != std::string::npos, error.hint);
    // The same to machines and to people.
    CHECK(w.host.content(report::kResultPath).find("\"id\":\"" + error.id + "\"") != std::string::npos);
    CHECK(told.printed.find("[" + error.id + "]") != std::string::npos);
    CHECK(told.printed.find("hint: ") != std::string::npos);
    // What a failure leaves: nothing of ours, or an identity that the next run goes on with.
    const bool has_identity = w.host.stat(plan::kClientPem).has_value();
    CHECK(w.host.stat(plan::kJournal).has_value() == has_identity);
    CHECK(w.host.stat("/etc/kubernetes/pki/ca.crt").has_value() == has_identity);
    CHECK_FALSE(w.host.stat(plan::kClientKeyTmp));
    CHECK_FALSE(w.host.stat(plan::kBootstrapConf));
    CHECK_FALSE(w.host.stat(report::kStatusPath));
  }
}

TEST_CASE("a signal between two requests is told as a signal, not as what had not come about by then") {
  for (const std::string after : {"/certificatesigningrequests", "/api/v1/nodes"}) {
    CAPTURE(after);
    World w;
    w.cluster.decision = after == "/api/v1/nodes" ? FakeCluster::Decision::issued : FakeCluster::Decision::pending;
    w.cluster.kubelet_registers = false;
    w.host.on_request = [&, inner = w.host.on_request](HttpRequest request) {
      const bool last = request.url.find(after) != std::string::npos && (request.method == "POST" || request.stream);
      Answer answer = inner(std::move(request));
      answer.hangs = false;
      w.host.is_terminating = last;
      return answer;
    };
    const ToldJoin told = join(w.host, w.config);
    REQUIRE(told.result.error.has_value());
    CHECK(told.result.error->id == "signal.terminated");
    CHECK(told.result.state == report::JoinResult::State::terminated);
  }
}

TEST_CASE("a signal ends every wait at once, says so, and a boot keeps what it goes on with") {
  for (const char* during : {kInfo, kKubeadm, kWatch}) {
    for (const bool resumable : {false, true}) {
      CAPTURE(during);
      CAPTURE(resumable);
      World w;
      Answer interrupted = fails("signal.terminated");
      interrupted.before = [&] { w.host.is_terminating = true; };
      w.cluster.instead[during] = {interrupted, kAsUsual};
      const ToldJoin told = join(w.host, w.config, resumable);
      REQUIRE(told.result.error.has_value());
      CHECK(told.result.state == report::JoinResult::State::terminated);
      CHECK(w.host.count_touches("sleep") == 0);
      CHECK(shown(leaks(w, told.printed)) == "");
      CHECK(w.host.stat(plan::kJournal).has_value() == resumable);
      CHECK(w.host.stat(plan::kClientKeyTmp).has_value() == (resumable && std::string(during) == kWatch));
      const auto first = w.cluster.csrs;
      w.host.is_terminating = false;
      CHECK(shown(join(w.host, w.config, resumable).result) == "ok");
      if (!first.empty()) CHECK((w.cluster.csrs.size() == 1) == resumable);  // the same key, the same request
    }
  }
}
