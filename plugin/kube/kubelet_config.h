// What the kubelet is given: its configuration file, its arguments, its place in the cluster's ConfigMaps.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/patch.h"

namespace kubejoin::kube {

// Releases are minors of 1.x; 0 is unknown and taken for the newest. The facts below were read in
// kubeadm 1.20.2, 1.24.17, 1.25.16, 1.26.15, 1.31.14 to 1.35.4 and 1.37.2 (cmd/kubeadm/app/phases/kubelet,
// componentconfigs, util/arguments.go).

// ConfigMaps of kube-system that may hold the KubeletConfiguration under the key "kubelet", likeliest first.
std::vector<std::string> kubelet_config_map_names(int cluster_minor);
inline constexpr std::string_view kKubeletConfigKey = "kubelet";

// Whether the runtime's socket goes into instance-config.yaml and config.yaml instead of an argument and a Node
// annotation: kubeadm's gate NodeLocalCRISocket (alpha in 1.32, on from 1.34), where the kubelet knows the field
// (1.27).
bool node_local_cri_socket(int kubelet_minor, int cluster_minor,
                           const std::map<std::string, bool>& cluster_feature_gates);
std::string instance_config(const std::string& cri_socket);

// ---- arguments ----

struct KubeletFlag {
  std::string name, value;  // --name=value
  // With our argument of that name; append and prepend have no effect without one (kubeadm.k8s.io/v1 mergeMethod).
  enum class Merge { replace, append, prepend } merge = Merge::replace;
  friend bool operator==(const KubeletFlag&, const KubeletFlag&) = default;
};
struct KubeletSituation {
  int kubelet_minor = 0, cluster_minor = 0;
  std::string cri_socket;
  bool cri_socket_is_node_local = false;  // see node_local_cri_socket()
  std::string node_name, hostname;
  std::string image_repository;     // of the ClusterConfiguration
  std::vector<std::string> taints;  // "key=value:Effect", "key:Effect"
};
// Ours and the user's, merged and in the order of the cluster's kubeadm: all sorted up to 1.31, then ours sorted and
// the user's behind.
std::vector<KubeletFlag> kubelet_flags(const KubeletSituation& situation, std::span<const KubeletFlag> user);
// /var/lib/kubelet/kubeadm-flags.env: KUBELET_KUBEADM_ARGS="--a=b --c=d" and a line feed (environment_line()).
std::string kubeadm_flags_env(std::span<const KubeletFlag> flags);

// ---- configuration ----

struct KubeletDefaults {
  int cluster_minor = 0;
  std::string service_subnet, dns_domain, certificates_dir;  // of the ClusterConfiguration; empty: kubeadm's defaults
  bool systemd_resolved = false;                             // active on this machine: resolvConf leads past its stub
  std::string node_local_cri_socket;                         // empty unless node_local_cri_socket()
};
// /var/lib/kubelet/config.yaml: the ConfigMap's KubeletConfiguration, what kubeadm would default where it says nothing,
// the patches in their order, and last the node's own socket. When all that changes nothing, the very bytes that came
// in; else YAML with sorted keys. Fails with Kind::invalid "kubelet.config" or "kubelet.patch".
Result<std::string> complete_kubelet_config(const std::string& config_map_yaml, const KubeletDefaults& defaults,
                                            std::span<const PatchFile> patches = {});

// What of a KubeletConfiguration decides whether this machine is fit for it. A text that cannot be read has none of it.
struct KubeletChoices {
  std::optional<bool> fail_cgroup_v1;           // unset: true from 1.35 on
  std::string cgroup_driver = "cgroupfs";       // the kubelet's own default
  std::optional<bool> cgroup_driver_from_cri;   // the gate KubeletCgroupDriverFromCRI
};
KubeletChoices kubelet_choices(const std::string& config_yaml);

// The cluster DNS server: the tenth address of the first service subnet, 10.96.0.10 when that has none.
std::string cluster_dns_address(std::string_view service_subnets);

// Where the kubelet of this config.yaml answers its health check, or nothing when that is off (healthzPort 0). A field
// that is absent or a text that cannot be read stands for the defaults.
std::optional<std::string> kubelet_health_url(const std::string& config_yaml);

}  // namespace kubejoin::kube
