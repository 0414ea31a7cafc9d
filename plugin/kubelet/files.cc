// Everything that the kubelet reads: its configuration, this node's part of it, its arguments.
#include <algorithm>

#include "base/text.h"
#include "config/load.h"
#include "plan/join_plan.h"
#include "plan/state.h"

namespace kubejoin::kubelet {
namespace {

using plan::Context;
using plan::JoinState;

// Asked only where the release of the kubelet can differ from the cluster's in a way that an argument would kill (spec §5.9): up to 1.23
// none does, as a kubelet is never newer than its cluster, and from 1.35 on none either.
int kubelet_minor(Context& context) {
  const int cluster = context.state.cluster.minor();
  int minor = plan::baked_kubelet_minor(context.host, context.state);
  if (minor == 0 && cluster >= 24 && cluster < 35) minor = plan::ask_kubelet_minor(context.host, context.state);
  return minor != 0 ? minor : cluster;
}

std::vector<kube::KubeletFlag> user_flags(const config::JoinConfig& config) {
  std::vector<kube::KubeletFlag> flags;
  for (const config::Arg& arg : config::effective_kubelet_args(config)) {
    const auto merge = arg.merge == config::Arg::Merge::append    ? kube::KubeletFlag::Merge::append
                       : arg.merge == config::Arg::Merge::prepend ? kube::KubeletFlag::Merge::prepend
                                                                  : kube::KubeletFlag::Merge::replace;
    flags.push_back({arg.name, arg.value, merge});
  }
  return flags;
}

std::vector<kube::PatchFile> patches_of(const JoinState& state) {
  std::vector<kube::PatchFile> patches;
  const config::JoinConfig& config = state.config;
  // kubeadm leaves the cluster's own folder in the configuration, where a kubelet that finds no CA ends at once.
  if (const std::string& cluster = state.cluster.certificates_dir; !cluster.empty() && config.ca_cert_path != cluster + "/ca.crt")
    patches.push_back({kube::PatchType::strategic, "caCertPath", "authentication: {x509: {clientCAFile: " + config.ca_cert_path + "}}"});
  patches.insert(patches.end(), state.patches.begin(), state.patches.end());
  if (!config.kubelet_patch.empty()) patches.push_back({kube::PatchType::strategic, "KubeletConfiguration of the user-data", config.kubelet_patch});
  return patches;
}

std::string taint_text(const config::Taint& taint) {
  return taint.key + (taint.value.empty() ? "" : "=" + taint.value) + ":" + taint.effect;
}

Result<std::string> completed(Context& context, bool node_local) {
  const JoinState& state = context.state;
  kube::KubeletDefaults defaults;
  defaults.cluster_minor = state.cluster.minor();
  defaults.service_subnet = state.cluster.service_subnet;
  defaults.dns_domain = state.cluster.dns_domain;
  defaults.certificates_dir = state.cluster.certificates_dir;
  // Its runtime folder is there exactly while systemd-resolved runs: no process has to be asked.
  defaults.systemd_resolved = context.host.stat("/run/systemd/resolve/resolv.conf").has_value();
  if (node_local) defaults.node_local_cri_socket = state.cri_socket;
  return kube::complete_kubelet_config(state.kubelet_config, defaults, patches_of(state));
}

// kubeadm 1.9 to 1.13 behind the gate DynamicKubeletConfig: the first configuration on disk as well, the rest through the Node (spec §7).
Status write_config(Context& context, bool node_local) {
  JoinState& state = context.state;
  TRY(state.kubelet_config, completed(context, node_local));
  CHECK_OK(plan::write_file(context, plan::kKubeletConfig, state.kubelet_config, 0644));
  return state.is_dynamic() ? plan::write_file(context, plan::kDynamicConfig, state.kubelet_config, 0644) : Status{};
}

Status write_arguments(Context& context, bool node_local) {
  JoinState& state = context.state;
  kube::KubeletSituation situation;
  situation.kubelet_minor = state.kubelet_minor;
  situation.cluster_minor = state.cluster.minor();
  situation.cri_socket = state.cri_socket;
  situation.cri_socket_is_node_local = node_local;
  situation.node_name = state.node_name();
  situation.hostname = lower(trim(context.host.hostname()));
  situation.image_repository = state.cluster.image_repository;
  for (const config::Taint& taint : state.config.taints) situation.taints.push_back(taint_text(taint));
  std::vector<kube::KubeletFlag> user = user_flags(state.config);
  if (state.is_dynamic()) user.push_back({"dynamic-config-dir", plan::kDynamicConfigDir});
  return plan::write_file(context, plan::kFlagsEnv, kube::kubeadm_flags_env(kube::kubelet_flags(situation, user)), 0644);
}

}  // namespace

Result<std::string> config_to_write(Context& context) { return completed(context, false); }

Status write_files(Context& context) {
  JoinState& state = context.state;
  CHECK_OK(context.host.make_dirs("/var/lib/kubelet", 0700));
  state.kubelet_minor = kubelet_minor(context);
  const bool node_local = kube::node_local_cri_socket(state.kubelet_minor, state.cluster.minor(), state.cluster.feature_gates);
  if (node_local) CHECK_OK(plan::write_file(context, plan::kInstanceConfig, kube::instance_config(state.cri_socket), 0644));
  if (state.has_kubelet_config()) CHECK_OK(write_config(context, node_local));
  CHECK_OK(write_arguments(context, node_local));
  context.observer.milestone("kubelet-configured");
  return {};
}

}  // namespace kubejoin::kubelet
