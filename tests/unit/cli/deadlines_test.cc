// Every phase keeps its deadline, whatever the other side does instead of answering: it ends then, neither later nor earlier.
#include "world.h"

using namespace kubejoin;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

using Answer = FakeHost::Answer;

constexpr const char* kInfo = "GET /api/v1/namespaces/kube-public/configmaps/cluster-info";
constexpr const char* kDownload = "https://user-data.example/conf";

Answer fails(const char* id) { return {.error = fail(Kind::unavailable, id, "the test wants it so").value()}; }

struct Silence {
  const char* what;
  Answer answer;
};
const Silence kSilences[] = {
    {"never accepts, or never answers", {.hangs = true}},
    {"drips a byte a second", {.takes = hours(100)}},
    {"opens and closes", fails("tls.handshake")},
    {"a closed port", fails("http.unreachable")},
    {"503 for ever", {.status = 503}},
    {"Retry-After beyond the deadline", {.status = 429, .headers = {{"retry-after", "3600"}}}},
};

void by_file(World& w, const std::string& path) {
  w.config.token_discovery.reset();
  w.config.file_discovery = config::FileDiscovery{path};
  w.host.put("/discovery.conf", "apiVersion: v1\nkind: Config\nclusters:\n- name: ''\n  cluster: {server: 'https://10.0.0.1:6443', certificate-authority-data: " +
                                    base64(w.cluster.ca.pem()) + "}\n");
}

// What is silent, and whose time runs.
struct Wait {
  const char *what, *phase;
  void (*arrange)(World& w, Millis limit, const Answer& silence);
};
const Wait kWaits[] = {
    {"discovery by token", "discovery", [](World& w, Millis limit, const Answer& silence) {
       w.config.timeouts.discovery = limit;
       w.cluster.instead[kInfo] = {silence};
     }},
    {"discovery by token, several API servers", "discovery", [](World& w, Millis limit, const Answer& silence) {
       w.config.timeouts.discovery = limit;
       w.config.token_discovery->endpoints = {"10.0.0.9:6443", w.cluster.endpoint};
       w.cluster.instead[kInfo] = {silence};
     }},
    {"discovery by file", "discovery", [](World& w, Millis limit, const Answer& silence) {
       w.config.timeouts.discovery = limit;
       by_file(w, "/discovery.conf");
       w.cluster.instead[kInfo] = {silence};
     }},
    {"discovery by URL", "discovery", [](World& w, Millis limit, const Answer& silence) {
       w.config.timeouts.discovery = limit;
       by_file(w, kDownload);
       w.host.answer(std::string("GET ") + kDownload, silence);
     }},
    {"kubeadm-config", "cluster-config", [](World& w, Millis limit, const Answer& silence) {
       w.config.timeouts.kubernetes_api_call = limit;
       w.cluster.instead["GET /api/v1/namespaces/kube-system/configmaps/kubeadm-config"] = {silence};
     }},
    {"the node's name", "cluster-config", [](World& w, Millis limit, const Answer& silence) {
       w.config.timeouts.kubernetes_api_call = limit;
       w.cluster.instead["GET /api/v1/nodes/node1"] = {silence};
     }},
    {"the request's POST", "tls-bootstrap", [](World& w, Millis limit, const Answer& silence) {
       w.config.timeouts.tls_bootstrap = limit;
       w.cluster.instead["POST /apis/certificates.k8s.io/v1/certificatesigningrequests"] = {silence};
     }},
    {"the request's watch", "tls-bootstrap", [](World& w, Millis limit, const Answer& silence) {
       w.config.timeouts.tls_bootstrap = limit;
       w.cluster.instead["GET /apis/certificates.k8s.io/v1/certificatesigningrequests"] = {silence};
     }},
    {"kubelet-config: a call within the bootstrap", "tls-bootstrap", [](World& w, Millis limit, const Answer& silence) {
       w.config.timeouts.kubernetes_api_call = limit;
       w.config.timeouts.tls_bootstrap = hours(10);
       w.cluster.instead["GET /api/v1/namespaces/kube-system/configmaps/kubelet-config"] = {silence};
     }},
    {"kubelet-config: the bootstrap's time is shorter", "tls-bootstrap", [](World& w, Millis limit, const Answer& silence) {
       w.config.timeouts.kubernetes_api_call = hours(10);
       w.config.timeouts.tls_bootstrap = limit;
       w.cluster.instead["GET /api/v1/namespaces/kube-system/configmaps/kubelet-config"] = {silence};
     }},
    {"the Node's watch", "node", [](World& w, Millis limit, const Answer& silence) {
       w.config.first_boot.wait_timeout = limit;
       w.cluster.instead["GET /api/v1/nodes"] = {silence};
     }},
    {"a kubelet that is not there", "node", [](World& w, Millis limit, const Answer& silence) {
       w.config.first_boot.wait_timeout = hours(10);
       w.config.timeouts.kubelet_health_check = limit;
       w.cluster.kubelet_registers = false;
       w.host.answer("GET http://127.0.0.1:10248/healthz", silence.takes > Millis{0} || silence.hangs ? fails("http.unreachable") : silence);
     }},
};

}  // namespace

TEST_CASE("deadlines: every phase ends at its own, whatever the silence") {
  for (const Wait& wait : kWaits) {
    for (const Silence& silence : kSilences) {
      for (const Millis limit : {Millis(seconds(1)), Millis(seconds(5)), Millis(seconds(90)), Millis(hours(2))}) {
        // Hours of attempts a few seconds apart are the same again, a thousand times.
        if (limit > Millis(hours(1)) && !silence.answer.hangs && silence.answer.headers.empty()) continue;
        CAPTURE(wait.what);
        CAPTURE(silence.what);
        CAPTURE(format_duration(limit));
        World w;
        wait.arrange(w, limit, silence.answer);
        const ToldJoin told = join(w.host, w.config);
        REQUIRE(told.result.error.has_value());
        CHECK(told.result.phase == wait.phase);
        const bool is_dead = told.result.error->id == "kubelet.unhealthy";  // which the machine itself says
        CHECK(told.result.error->kind == (is_dead ? Kind::machine : Kind::unavailable));
        const auto& timings = told.result.timings;
        REQUIRE_FALSE(timings.empty());
        const Millis took = timings.back().took;
        CHECK_MESSAGE((took >= limit && took <= limit + Millis{200}), format_duration(took), " ", shown(told.result));
      }
    }
  }
}

TEST_CASE("deadlines: people hear of a wait for approval when it is one") {
  for (const Millis takes : {Millis{0}, Millis{900}, Millis{1'100}}) {
    CAPTURE(format_duration(takes));
    World w;
    const std::string watch = "GET /apis/certificates.k8s.io/v1/certificatesigningrequests";
    w.host.on_request = [inner = w.host.on_request, takes](const HttpRequest& request) {
      Answer answer = inner(request);
      if (request.method == "GET" && request.url.find("certificatesigningrequests") != std::string::npos) answer.takes = takes, answer.hangs = false;
      return answer;
    };
    const ToldJoin told = join(w.host, w.config);
    CHECK(shown(told.result) == "ok");
    CHECK((told.printed.find("waiting for approval") != std::string::npos) == (takes > Millis{1'000}));
  }
}
