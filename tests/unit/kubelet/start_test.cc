// The kubelet's service on machines of every kind, and its Node.
#include "../cli/world.h"
#include "plan/join_plan.h"
#include "plan/state.h"
#include "report/progress.h"

using namespace kubejoin;

namespace {

constexpr const char* kWants = "/etc/systemd/system/multi-user.target.wants/kubelet.service";

struct Started {
  std::string outcome, ran, warned;
};
Started start(FakeHost& host) {
  plan::JoinState state{config::JoinConfig()};
  report::Progress progress(host, {.journald = true, .quiet = true}, nullptr, host.monotonic());
  plan::Context context{host, state, progress};
  Started started;
  const Status status = kubelet::start(context);
  started.outcome = id_of(status);
  for (const std::string& touch : host.touches)
    if (touch.starts_with("run ")) started.ran += (started.ran.empty() ? "" : "; ") + touch.substr(4);
  for (const Error& warning : progress.warnings()) started.warned += warning.id;
  return started;
}

}  // namespace

TEST_CASE("kubelet::start") {
  const CommandResult ok{}, refused{.status = 1, .err = "Unit kubelet.service is masked.\x1b[2J\n"};
  const struct {
    const char* what;
    std::set<std::string> programs;
    bool enabled;
    CommandResult enable, restart;
    const char *outcome, *ran, *warned;
  } kRows[] = {
      {"systemd, not enabled", {"systemctl"}, false, ok, ok, "ok", "systemctl enable kubelet; systemctl restart --no-block kubelet", ""},
      {"systemd, enabled", {"systemctl"}, true, ok, ok, "ok", "systemctl restart --no-block kubelet", ""},
      {"systemd that does not enable", {"systemctl"}, false, refused, ok, "ok", "systemctl enable kubelet; systemctl restart --no-block kubelet", "kubelet.enable"},
      {"systemd that does not start", {"systemctl"}, true, ok, refused, "kubelet.start", "systemctl restart --no-block kubelet", ""},
      {"OpenRC", {"rc-service"}, false, ok, ok, "ok", "rc-service kubelet restart", ""},
      {"both: systemd", {"systemctl", "rc-service"}, true, ok, ok, "ok", "systemctl restart --no-block kubelet", ""},
      {"neither", {}, false, ok, ok, "ok", "", "kubelet.no-init-system"},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    FakeHost host;
    host.programs = row.programs;
    if (row.enabled) host.put_link(kWants, "/usr/lib/systemd/system/kubelet.service");
    host.answer_command("systemctl enable kubelet", row.enable);
    host.answer_command("systemctl restart --no-block kubelet", row.restart);
    const Started started = start(host);
    CHECK(started.outcome == row.outcome);
    CHECK(started.ran == row.ran);
    CHECK(started.warned == row.warned);
  }
}

TEST_CASE("a kubelet service that does not start says why, escaped, and what to look at") {
  FakeHost host;
  host.answer_command("systemctl", CommandResult{.status = 4, .err = "bad\x1b[31m abcdef.0123456789abcdef\n"});
  host.programs = {"systemctl"};
  plan::JoinState state{config::JoinConfig()};
  report::Progress progress(host, {.journald = true, .quiet = true}, nullptr, host.monotonic());
  plan::Context context{host, state, progress};
  const Status status = kubelet::start(context);
  REQUIRE(id_of(status) == "kubelet.start");
  CHECK(status.error().message.find("status 4") != std::string::npos);
  CHECK(status.error().message.find("bad\\x1b[31m abcdef.") != std::string::npos);
  CHECK(status.error().message.find(kTestSecret) == std::string::npos);
  CHECK(status.error().hint.find("journalctl -xeu kubelet") != std::string::npos);
}

TEST_CASE("the Node: which session watches it, and how it is finished") {
  for (const char* release : {"1.20", "1.37"}) {
    CAPTURE(release);
    World w(release);
    REQUIRE(shown(join(w.host, w.config).result) == "ok");
    const HttpOptions& node_session = w.host.sessions.back();
    CHECK(node_session.trust == HttpOptions::Trust::given);
    CHECK(node_session.ca_pem == w.cluster.ca.pem());
    CHECK(node_session.client_cert_pem.starts_with("-----BEGIN CERTIFICATE-----"));
    CHECK(node_session.client_cert_pem.find("PRIVATE KEY") == std::string::npos);
    if (std::string(release) == "1.20")
      CHECK(w.cluster.patches == std::vector<std::string>{R"({"metadata":{"annotations":{"kubeadm.alpha.kubernetes.io/cri-socket":"/run/containerd/containerd.sock"}}})"});
    else
      CHECK(w.cluster.patches.empty());  // NodeLocalCRISocket: the socket is in the node's own configuration
    CHECK(w.host.count_touches("POST https://10.0.0.1:6443/api/v1/namespaces/default/events") == 1);
  }
}

TEST_CASE("the Node: waiting is as long as was asked for") {
  using config::WaitFor;
  const struct {
    const char* what;
    WaitFor wait;
    bool registers, ready;
    const char* id;
    int node_requests;
  } kRows[] = {
      {"identity: nobody is asked", WaitFor::identity, false, false, "ok", 0},
      {"registered", WaitFor::registered, true, false, "ok", 1},
      {"ready", WaitFor::ready, true, true, "ok", 1},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    World w;
    w.config.first_boot.wait_for = row.wait;
    w.cluster.kubelet_registers = row.registers;
    w.cluster.node_is_ready = row.ready;
    CHECK(shown(join(w.host, w.config).result) == (std::string(row.id) == "ok" ? "ok" : row.id));
    CHECK(w.host.count_touches("GET https://10.0.0.1:6443/api/v1/nodes?") == row.node_requests);
  }
}

TEST_CASE("the annotation is written in spite of conflicts, and a refusal is told") {
  World w("1.20");
  w.cluster.instead["PATCH /api/v1/nodes/node1"] = {{.status = 409}, {.status = 503}, {.status = 0}};
  CHECK(shown(join(w.host, w.config).result) == "ok");
  CHECK(w.cluster.patches.size() == 1);

  World refused("1.20");
  refused.cluster.instead["PATCH /api/v1/nodes/node1"] = {{.status = 403}};
  const ToldJoin told = join(refused.host, refused.config);
  REQUIRE(told.result.error.has_value());
  CHECK(told.result.error->id == "http.forbidden");
  CHECK(told.result.error->kind == Kind::refused);
}
