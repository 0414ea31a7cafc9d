// The runner: order, skipping, missing facts, undo; and the plan that ships.
#include "plan/runner.h"

#include <set>

#include "../fake_host.h"
#include "../test.h"
#include "base/text.h"
#include "plan/join_plan.h"
#include "plan/state.h"

using namespace kubejoin;
using namespace kubejoin::plan;

namespace {

// What the phases below did, in order; what is in `failing` fails.
std::vector<std::string> g_did;
std::string g_failing;

template <char Name>
Status act(Context&) {
  g_did.push_back(std::string("run ") + Name);
  if (g_failing == std::string(1, Name)) return fail(Kind::machine, "test.failed", std::string("phase ") + Name);
  return {};
}
template <char Name>
void take_back(Context&) {
  g_did.push_back(std::string("undo ") + Name);
}

constexpr Phase kPhases[] = {
    {"a", "preflight", "first", kNothing, kFit, act<'a'>, take_back<'a'>},
    {"b", "", "second", kFit, kTrust, act<'b'>, nullptr},
    {"c", "kubelet-start", "third", kTrust, kCluster, act<'c'>, take_back<'c'>},
    {"d", "kubelet-start", "fourth", kCluster, kIdentity, act<'d'>, take_back<'d'>},
};

struct Ear : Observer {
  void phase_started(const Phase& phase, int index, int count) override {
    heard.push_back(std::string(phase.name) + " " + std::to_string(index) + "/" + std::to_string(count));
  }
  void phase_ended(const Phase& phase, Millis, const Error* error, std::string_view skipped) override {
    heard.push_back(std::string(phase.name) + (error != nullptr ? " " + error->id : skipped.empty() ? " ok" : " skipped"));
  }
  void note(std::string_view) override {}
  void waiting(std::string_view) override {}
  void retrying(const Error&, int, Millis) override {}
  void warning(const Error&) override {}
  void detail(std::string_view) override {}
  void milestone(std::string_view) override {}
  std::vector<std::string> heard;
};

struct Walk {
  Outcome outcome;
  std::string did, heard;
  bool has_bearer = true;
};
Walk walk(const std::string& failing, const std::vector<std::string>& skip) {
  g_did.clear();
  g_failing = failing;
  FakeHost host;
  JoinState state{config::JoinConfig()};
  state.bearer = Secret("abcdef.0123456789abcdef");
  Ear ear;
  Context context{host, state, ear};
  Walk walked{run(kPhases, context, skip), join(g_did, ", "), "", false};
  walked.heard = join(ear.heard, ", ");
  walked.has_bearer = !state.bearer.empty();
  return walked;
}

}  // namespace

static_assert(is_ordered(kPhases));
constexpr Phase kUnordered[] = {kPhases[1], kPhases[0]};
static_assert(!is_ordered(kUnordered));

TEST_CASE("the runner walks, stops at a failure, and takes back what began, newest first") {
  const struct {
    const char* failing;
    std::vector<std::string> skip;
    const char *did, *heard, *failed_phase, *id;
  } kRows[] = {
      {"", {}, "run a, run b, run c, run d", "a 1/4, a ok, b 2/4, b ok, c 3/4, c ok, d 4/4, d ok", "", "ok"},
      {"a", {}, "run a, undo a", "a 1/4, a test.failed", "a", "test.failed"},
      {"b", {}, "run a, run b, undo a", "a 1/4, a ok, b 2/4, b test.failed", "b", "test.failed"},
      {"d", {}, "run a, run b, run c, run d, undo d, undo c, undo a", "a 1/4, a ok, b 2/4, b ok, c 3/4, c ok, d 4/4, d test.failed", "d", "test.failed"},
      // Preflight proves and gives nothing that is used.
      {"", {"preflight"}, "run b, run c, run d", "a skipped, b 2/4, b ok, c 3/4, c ok, d 4/4, d ok", "", "ok"},
      {"", {"a"}, "run b, run c, run d", "a skipped, b 2/4, b ok, c 3/4, c ok, d 4/4, d ok", "", "ok"},
      // kubeadm's name covers all of ours.
      {"", {"kubelet-start"}, "run a, run b", "a 1/4, a ok, b 2/4, b ok, c skipped, d skipped", "", "ok"},
      {"", {"d", "check-etcd"}, "run a, run b, run c", "a 1/4, a ok, b 2/4, b ok, c 3/4, c ok, d skipped", "", "ok"},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.heard);
    const Walk walked = walk(row.failing, row.skip);
    CHECK(walked.did == row.did);
    CHECK(walked.heard == row.heard);
    CHECK(walked.outcome.failed_phase == row.failed_phase);
    CHECK(id_of(walked.outcome.status) == row.id);
    CHECK_FALSE(walked.has_bearer);  // on every way out
  }
}

TEST_CASE("names of phases: ours, kubeadm's, and those of control planes") {
  const struct {
    const char* name;
    std::size_t up_to;  // 0: none of a worker's
  } kNames[] = {{"preflight", 1},     {"discovery", 2},   {"cluster-config", 3}, {"tls-bootstrap", 4},
                {"kubelet-config", 5}, {"kubelet-run", 6}, {"kubelet-start", 6},  {"node", 7}, {"kubelet-wait-bootstrap", 7}};
  for (const auto& row : kNames) {
    CHECK_MESSAGE(count_up_to(kJoinPlan, row.name) == row.up_to, row.name);
    CHECK_MESSAGE(!is_control_plane_phase(row.name), row.name);
  }
  for (const char* name : {"control-plane-prepare", "control-plane-prepare/certs", "check-etcd", "etcd-join", "control-plane-join", "control-plane-join/etcd",
                           "control-plane-join/update-status", "wait-control-plane"}) {
    CHECK_MESSAGE(is_control_plane_phase(name), name);
    CHECK_MESSAGE(count_up_to(kJoinPlan, name) == 0, name);
  }
  // Neither ours nor any kubeadm join's: init's, a parent that has no such child, other writings.
  for (const char* name : {"", "preflights", "init", "Preflight", "control-plane", "addon/kube-proxy", "kubelet-start/config", "control-plane-join/nonsense"}) {
    CHECK_MESSAGE(count_up_to(kJoinPlan, name) == 0, name);
    CHECK_MESSAGE(!is_control_plane_phase(name), name);
  }
}

TEST_CASE("what may be skipped is known before anything is done") {
  const struct {
    std::vector<std::string> skip;
    const char *id, *says;
  } kRows[] = {
      {{}, "ok", ""},
      {{"preflight", "", "check-etcd", "control-plane-join/etcd"}, "ok", ""},
      {{"node"}, "ok", ""},
      {{"kubelet-wait-bootstrap"}, "ok", ""},
      // Somebody else starts the kubelet.
      {{"kubelet-run"}, "ok", ""},
      {{"kubelet-start", "node"}, "ok", ""},
      {{"kubelet-config", "kubelet-run"}, "ok", ""},
      {{"discovery", "cluster-config", "kubelet-start", "node"}, "ok", ""},
      {{"addon/kube-proxy"}, "usage.phase", "invalid phase name: addon/kube-proxy"},
      {{"discovery"}, "plan.missing-fact", "phase cluster-config needs a proven cluster, which the skipped phase discovery would have given"},
      {{"cluster-config"}, "plan.missing-fact", "phase tls-bootstrap needs the cluster's configuration"},
      {{"tls-bootstrap"}, "plan.missing-fact", "phase kubelet-config needs the node's certificate, which the skipped phase tls-bootstrap"},
      {{"kubelet-config"}, "plan.missing-fact", "phase kubelet-run needs the files that the kubelet reads"},
      {{"kubelet-start"}, "plan.missing-fact", "phase node needs the node's certificate"},
  };
  for (const auto& row : kRows) {
    CAPTURE(join(row.skip, ","));
    const Status judged = judge_skipped(kJoinPlan, row.skip);
    CHECK(id_of(judged) == row.id);
    if (!judged) CHECK(judged.error().message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("every phase of the plan says what it does, needs what was given, and comes once") {
  std::set<std::string_view> names;
  for (const Phase& phase : kJoinPlan) {
    CHECK(names.insert(phase.name).second);
    CHECK(phase.sentence.size() > 20);
    CHECK_FALSE(phase.sentence.ends_with('.'));
    CHECK((phase.run != nullptr));
    CHECK(phase.gives != 0);
  }
}

TEST_CASE("the name that the kubelet registers") {
  config::JoinConfig config;
  config.node_name = "node1";
  CHECK(JoinState(config).node_name() == "node1");
  config.kubelet_extra_args = {{"hostname-override", " Other.Example "}, {"v", "2"}};
  CHECK(JoinState(config).node_name() == "other.example");
  config.kubelet_extra_args.push_back({"hostname-override", "last"});
  CHECK(JoinState(config).node_name() == "last");
}
