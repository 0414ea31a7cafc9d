// JoinState: what the phases know; the one place where they meet.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/join_config.h"
#include "kube/kube.h"
#include "plan/findings.h"
#include "plan/journal.h"
#include "plan/phase.h"

namespace kubejoin::plan {

// Where things stand on a node (kubeadm app/constants/constants.go, kubelet's defaults).
inline constexpr char kKubeletConf[] = "/etc/kubernetes/kubelet.conf";
inline constexpr char kBootstrapConf[] = "/etc/kubernetes/bootstrap-kubelet.conf";
inline constexpr char kPki[] = "/var/lib/kubelet/pki";
inline constexpr char kClientPem[] = "/var/lib/kubelet/pki/kubelet-client-current.pem";
inline constexpr char kClientKeyTmp[] = "/var/lib/kubelet/pki/kubelet-client.key.tmp";
inline constexpr char kKubeletConfig[] = "/var/lib/kubelet/config.yaml";
inline constexpr char kInstanceConfig[] = "/var/lib/kubelet/instance-config.yaml";
inline constexpr char kFlagsEnv[] = "/var/lib/kubelet/kubeadm-flags.env";
inline constexpr char kDynamicConfig[] = "/var/lib/kubelet/config/init/kubelet";
inline constexpr char kDynamicConfigDir[] = "/var/lib/kubelet/config/dynamic";

struct JoinState {
  explicit JoinState(config::JoinConfig c) : config(std::move(c)) {}

  config::JoinConfig config;

  std::vector<kube::PatchFile> patches;  // of patches.directory

  // preflight
  std::string cri_socket;         // "unix:///run/containerd/containerd.sock"
  int kubelet_minor = 0;          // of the local kubelet; 0 while nobody had to ask, or it does not tell
  bool preflight_alone = false;   // `join phase preflight`: no cluster will tell its release
  std::vector<Finding> held;      // matters or not by the cluster's release: settled when that is known

  // discovery
  std::unique_ptr<HttpSession> api;  // verified; carries the bootstrap credential
  std::string endpoint;           // "https://host:port" that was proven
  std::string server;             // what kubelet.conf shall say: cluster-info's server
  std::string ca_pem;             // the proven bundle
  Secret bearer;                  // bootstrap token, or empty when a client certificate is used
  std::string discovered_cluster_name;
  // Reads a late-bound token again after the API server refused the one in hand; empty when there is no other place to look.
  std::function<Result<Secret>(Instant deadline)> reread_token;

  // cluster
  kube::ClusterConfiguration cluster;
  std::string kubelet_config;     // YAML of the kubelet-config ConfigMap
  std::string kubelet_config_map; // the name it was found under
  std::string kubelet_config_uid; // of that ConfigMap

  // bootstrap
  std::optional<kube::Identity> identity;
  std::string certificate;        // PEM, issued and checked
  std::string csr_name;

  // node
  std::unique_ptr<HttpSession> node_api;  // with the node's own certificate
  std::string node_uid;

  Instant started{};              // of the run
  bool resumable = false;         // `boot`: what a next run can use survives a failure
  Journal journal;                // files that are ours: an earlier run that was cut off left them
  std::vector<std::string> written;  // files that this run made, oldest first

  // kubeadm up to 1.10 left the kubelet to its arguments, but behind the gate DynamicKubeletConfig (spec §5.3, §7).
  bool has_kubelet_config() const;
  bool is_dynamic() const;

  // Is there an identity that outlives a failure, for the next run to go on with?
  bool has_identity(Host& host) const;

  // The name the kubelet registers: hostname-override among the extra arguments beats nodeRegistration.name (spec §2.6).
  std::string node_name() const;
};

// The minor release of the local kubelet, asked once: what a verified image says of it, else `kubelet --version`, which costs more than
// most of a join and so is for those who cannot do without. 0: it does not tell.
int ask_kubelet_minor(Host& host, JoinState& state);
// The same, if it is known or costs nothing to know.
int baked_kubelet_minor(Host& host, JoinState& state);

// A file that the user names, or the names in a folder: on the disk, else what the user-data carries (config::JoinConfig::carried).
Result<std::string> read_named(Context& context, const std::string& path, std::size_t max_bytes);
Result<std::vector<std::string>> list_named(Context& context, const std::string& folder);

// Writes through the host, tells the observer, remembers the path.
Status write_file(Context& context, const std::string& path, std::string_view content, unsigned mode);

}  // namespace kubejoin::plan
