// Findings of preflight, told together.
#include "plan/findings.h"

#include <algorithm>

#include "plan/join_plan.h"
#include "plan/state.h"

namespace kubejoin::plan {

namespace {

bool is_of(const Finding& finding, int minor) { return minor == 0 ? finding.until == kNever : finding.from <= minor && minor < finding.until; }

// As the kubelet reads it: its arguments have the last word.
Result<kube::KubeletChoices> choices_to_write(Context& context) {
  TRY(const std::string config, kubelet::config_to_write(context));
  kube::KubeletChoices choices = kube::kubelet_choices(config);
  for (const config::Arg& arg : config::effective_kubelet_args(context.state.config)) {
    if (arg.name == "cgroup-driver") choices.cgroup_driver = arg.value;
    if (arg.name == "fail-cgroupv1") choices.fail_cgroup_v1 = arg.value != "false";
  }
  return choices;
}

}  // namespace

Status settle(Context& context, std::vector<Finding> findings, int minor) {
  std::vector<Error> fatal;
  for (Finding& finding : findings) {
    if (!is_of(finding, minor)) continue;
    if (finding.fatal) fatal.push_back(std::move(finding.error));
    else context.observer.warning(finding.error);
  }
  if (fatal.empty()) return {};
  Error all = fatal.front();
  if (fatal.size() > 1) {
    all.id = "preflight.failed";
    all.message = "some fatal errors occurred";
    all.hint = "mend them, or pass --ignore-preflight-errors=... to make a check non-fatal";
  }
  for (const Error& one : fatal)
    all.causes.push_back("[ERROR " + one.id.substr(sizeof("preflight.") - 1) + "]: " + one.message + (one.hint.empty() ? "" : " (" + one.hint + ")"));
  return tl::unexpected(std::move(all));
}

Status settle_held(Context& context, const std::function<Status()>& read) {
  JoinState& state = context.state;
  const int cluster = state.cluster.minor();
  std::vector<Finding> by_release = std::move(state.held);
  state.held.clear();
  const auto first = std::stable_partition(by_release.begin(), by_release.end(), [](const Finding& f) { return !f.matters; });
  std::vector<Finding> by_config(std::make_move_iterator(first), std::make_move_iterator(by_release.end()));
  by_release.erase(first, by_release.end());
  CHECK_OK(settle(context, std::move(by_release), cluster));

  // A kubelet's own release decides; while it is not known, those that the cluster may have (version skew policy). Asking it costs.
  if (!state.has_kubelet_config()) by_config.clear();
  const int newest = state.kubelet_minor != 0 ? state.kubelet_minor : cluster, oldest = state.kubelet_minor != 0 || cluster == 0 ? newest : cluster - 3;
  std::erase_if(by_config, [&](const Finding& f) { return !is_of(f, newest) && !is_of(f, oldest) && (f.from <= oldest || f.from > newest); });
  if (by_config.empty()) return {};
  CHECK_OK(read());
  TRY(const kube::KubeletChoices choices, choices_to_write(context));
  std::erase_if(by_config, [&](const Finding& f) { return !f.matters(choices); });
  const bool hangs_on_release = std::any_of(by_config.begin(), by_config.end(), [](const Finding& f) { return f.from != 0 || f.until != kNever; });
  const int asked = hangs_on_release ? ask_kubelet_minor(context.host, state) : state.kubelet_minor;
  return settle(context, std::move(by_config), asked != 0 ? asked : cluster);
}

}  // namespace kubejoin::plan
