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
    {"b", "discovery", "second", kFit, kTrust, act<'b'>, nullptr},
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
      // What is skipped gives nothing.
      {"", {"b"}, "run a, undo a", "a 1/4, a ok, b skipped, c 3/4, c plan.missing-fact", "c", "plan.missing-fact"},
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
  const auto names = phase_names(kJoinPlan);
  const auto known = [&](std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  for (const char* name : {"preflight", "discovery", "cluster-config", "tls-bootstrap", "kubelet-config", "kubelet-start", "node", "kubelet-wait-bootstrap",
                           "control-plane-prepare", "control-plane-prepare/certs", "check-etcd", "etcd-join", "control-plane-join", "control-plane-join/etcd", "wait-control-plane"})
    CHECK_MESSAGE(known(name), name);
  for (const char* name : {"", "preflights", "init", "Preflight", "control-plane", "addon/kube-proxy", "control-plane-join/certs"}) CHECK_MESSAGE(!known(name), name);
}

TEST_CASE("what can be skipped together is known before anything runs, and as the run has it") {
  CHECK(can_skip(kJoinPlan, {}));
  const std::vector<std::string> fine[] = {{"preflight"}, {"kubelet-wait-bootstrap"}, {"check-etcd"}, {"kubelet-start", "kubelet-wait-bootstrap"}};
  for (const auto& skip : fine) CHECK_MESSAGE(can_skip(kJoinPlan, skip), skip.front());
  for (const char* name : {"discovery", "cluster-config", "tls-bootstrap"}) {
    const std::vector<std::string> skip{name};
    CHECK_MESSAGE(can_skip(kJoinPlan, skip).error().id == "plan.missing-fact", name);
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
