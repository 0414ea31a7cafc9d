// The runner: one loop over the table, one loop back over what began.
#include "plan/runner.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "plan/state.h"

namespace kubejoin::plan {
namespace {

// kubeadm join's other phases, of 1.14 to 1.38 (cmd/phases/join): a worker passes through them without effect, so skipping one is no mistake.
constexpr std::array<std::string_view, 14> kControlPlanePhases = {
    "control-plane-prepare", "control-plane-prepare/all", "control-plane-prepare/download-certs", "control-plane-prepare/certs",
    "control-plane-prepare/kubeconfig", "control-plane-prepare/control-plane", "check-etcd", "etcd-join", "control-plane-join",
    "control-plane-join/all", "control-plane-join/etcd", "control-plane-join/update-status", "control-plane-join/mark-control-plane",
    "wait-control-plane"};

// What is there without us where the phase that gives it is left out: a machine that nobody judged, a kubelet that somebody else starts.
constexpr Facts kNotOursAlone = kFit | kKubeletRuns;

bool is_called(const Phase& phase, std::string_view name) { return !name.empty() && (name == phase.name || name == phase.upstream); }

bool is_skipped(const Phase& phase, std::span<const std::string> skip) {
  return std::any_of(skip.begin(), skip.end(), [&](const std::string& name) { return is_called(phase, name); });
}

Millis since(Host& host, Instant start) { return std::chrono::duration_cast<Millis>(host.monotonic() - start); }

}  // namespace

std::vector<std::string> phase_names(std::span<const Phase> phases) {
  std::vector<std::string> names(kControlPlanePhases.begin(), kControlPlanePhases.end());
  for (const Phase& phase : phases)
    for (const std::string_view name : {phase.name, phase.upstream})
      if (!name.empty()) names.emplace_back(name);
  return names;
}

bool is_control_plane_phase(std::string_view name) {
  return std::find(kControlPlanePhases.begin(), kControlPlanePhases.end(), name) != kControlPlanePhases.end();
}

std::size_t count_up_to(std::span<const Phase> phases, std::string_view name) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < phases.size(); ++i)
    if (is_called(phases[i], name)) count = i + 1;
  return count;
}

Status judge_skipped(std::span<const Phase> phases, std::span<const std::string> skip) {
  for (const std::string& name : skip)
    if (!name.empty() && count_up_to(phases, name) == 0 && !is_control_plane_phase(name))
      return fail(Kind::usage, "usage.phase", "invalid phase name: " + printable(name), "kubejoin join phase list");
  Facts given = kNothing;
  for (const Phase& phase : phases) {
    if (is_skipped(phase, skip)) {
      given |= phase.gives & kNotOursAlone;
      continue;
    }
    for (const Phase& giver : phases) {
      if ((giver.gives & phase.needs & ~given) == 0) continue;
      const std::string ours(phase.name), left_out(giver.name);
      return fail(Kind::usage, "plan.missing-fact", "phase " + ours + " needs " + std::string(name_of(static_cast<Fact>(giver.gives))) + ", which the skipped phase " + left_out + " would have given",
                  "skip " + ours + " too, or leave " + left_out + " in: kubejoin join phase list");
    }
    given |= phase.gives;
  }
  return {};
}

Outcome run(std::span<const Phase> phases, Context& context, std::span<const std::string> skip) {
  Outcome outcome;
  std::vector<const Phase*> begun;
  const int count = static_cast<int>(phases.size());
  int index = 0;
  for (const Phase& phase : phases) {
    ++index;
    const Instant start = context.host.monotonic();
    std::string skipped;
    if (is_skipped(phase, skip)) {
      skipped = "asked for";
    } else {
      context.observer.phase_started(phase, index, count);
      begun.push_back(&phase);
      outcome.status = phase.run(context);
      if (outcome.status) outcome.given |= phase.gives;
    }
    const Error* error = outcome.status ? nullptr : &outcome.status.error();
    context.observer.phase_ended(phase, since(context.host, start), error, skipped);
    outcome.timings.push_back({phase.name, since(context.host, start), skipped});
    if (error != nullptr) {
      outcome.failed_phase = phase.name;
      for (auto it = begun.rbegin(); it != begun.rend(); ++it)
        if ((*it)->undo != nullptr) (*it)->undo(context);
      break;
    }
  }
  context.state.bearer = Secret();
  return outcome;
}

std::string JoinState::node_name() const {
  std::string name = config.node_name;
  for (const config::Arg& arg : config.kubelet_extra_args)
    if (arg.name == "hostname-override") name = lower(trim(arg.value));
  return name;
}

bool JoinState::is_dynamic() const {
  const auto gate = config.feature_gates.find("DynamicKubeletConfig");
  return gate != config.feature_gates.end() && gate->second;
}
bool JoinState::has_kubelet_config() const { return cluster.minor() == 0 || cluster.minor() >= 11 || is_dynamic(); }

// One that kubejoin installed, or, where it is left to the kubelet, the kubelet.
bool JoinState::has_identity(Host& host) const {
  return !certificate.empty() || (config.first_boot.bootstrap_by == config::BootstrapBy::kubelet && host.stat(kKubeletConf));
}

int baked_kubelet_minor(Host& host, JoinState& state) {
  if (state.kubelet_minor != 0) return state.kubelet_minor;
  if (const auto baked = host.read("/usr/lib/kubejoin/kubelet-version", 256)) {
    if (const auto version = kube::parse_kubelet_version(*baked)) state.kubelet_minor = version->minor;
  }
  return state.kubelet_minor;
}

int ask_kubelet_minor(Host& host, JoinState& state) {
  if (baked_kubelet_minor(host, state) != 0) return state.kubelet_minor;
  const auto asked = host.run({.argv = {"kubelet", "--version"}, .timeout = Millis{20'000}, .changes_nothing = true});
  if (!asked) return 0;
  if (const auto version = kube::parse_kubelet_version(asked->out)) state.kubelet_minor = version->minor;
  return state.kubelet_minor;
}

Result<std::string> read_named(Context& context, const std::string& path, std::size_t max_bytes) {
  auto text = context.host.read(path, max_bytes);
  const auto& carried = context.state.config.carried;
  const auto held = carried.find(path);
  if (text || text.error().id != "file.absent" || held == carried.end()) return text;
  context.observer.detail(printable(path) + " is not written yet: read from the user-data");
  return std::string(held->second.expose());
}

Result<std::vector<std::string>> list_named(Context& context, const std::string& folder) {
  auto names = context.host.list(folder);
  if (!names && names.error().id != "file.absent") return names;
  const std::string prefix = folder + (folder.ends_with('/') ? "" : "/");
  std::set<std::string> all;
  if (names) all.insert(names->begin(), names->end());
  for (const auto& [path, text] : context.state.config.carried)
    if (path.starts_with(prefix) && path.find('/', prefix.size()) == path.npos) all.insert(path.substr(prefix.size()));
  if (!names && all.empty()) return names;
  return std::vector<std::string>(all.begin(), all.end());
}

Status write_file(Context& context, const std::string& path, std::string_view content, unsigned mode) {
  CHECK_OK(context.host.write(path, content, mode));
  context.state.written.push_back(path);
  context.observer.note("wrote " + path);
  return {};
}

}  // namespace kubejoin::plan
