// JoinConfig: everything a join needs to know, as plain structs with every default filled in.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"

namespace kubejoin::config {

using std::chrono::milliseconds;

struct Arg {  // of the kubelet: --name=value
  std::string name;
  std::string value;
  enum class Merge { replace, append, prepend } merge = Merge::replace;  // kubeadm.k8s.io/v1 mergeMethod
};

struct Taint {
  std::string key;
  std::string value;
  std::string effect;
};

// Defaults: kubeadm v1beta4 (1.37, apis/kubeadm/v1beta4/defaults.go).
struct Timeouts {
  milliseconds discovery{5 * 60'000};
  milliseconds tls_bootstrap{5 * 60'000};
  milliseconds kubelet_health_check{4 * 60'000};
  milliseconds kubernetes_api_call{60'000};
};

struct TokenDiscovery {
  Secret token;                             // "abcdef.0123456789abcdef"
  std::vector<std::string> endpoints;       // host:port; several are raced (v1alpha1)
  std::vector<std::string> ca_cert_hashes;  // "sha256:<hex>", lower case
  bool unsafe_skip_ca_verification = false;
};

struct FileDiscovery {
  std::string kubeconfig_path;  // absolute path or https URL
};

enum class BootstrapBy { kubejoin, kubelet };
enum class WaitFor { identity, registered, ready };

// Our own kind, kubejoin/v1alpha1 FirstBoot (design.md §5).
struct FirstBoot {
  std::string token_from;  // "credential:NAME", "file:PATH", "https://…", "metadata:PATH"; empty: the document's token
  std::map<std::string, std::string> labels;
  std::string node_ip;       // literal or empty
  std::string node_ip_cidr;  // choose the address of ours inside it
  std::string provider_id;
  BootstrapBy bootstrap_by = BootstrapBy::kubejoin;
  WaitFor wait_for = WaitFor::registered;
  milliseconds wait_timeout{10 * 60'000};
  milliseconds start_jitter{0};
  std::string sentinel;                      // path written on success only
  bool apply_kubelet_configuration = false;  // a KubeletConfiguration in the same user-data is the last patch
  bool event = true;                         // one Event on the Node when it has joined
};

struct JoinConfig {
  std::optional<TokenDiscovery> token_discovery;
  std::optional<FileDiscovery> file_discovery;
  Secret tls_bootstrap_token;

  std::string node_name;         // normalised: trimmed, lower case
  bool node_name_given = false;  // by the user, not the host name
  std::string cri_socket;        // "unix:///run/…"; empty: detect
  std::vector<Taint> taints;
  std::vector<Arg> kubelet_extra_args;  // in the user's order
  std::string ca_cert_path = "/etc/kubernetes/pki/ca.crt";
  std::vector<std::string> ignore_preflight_errors;  // lower case
  std::vector<std::string> skip_phases;
  std::string patches_directory;
  std::map<std::string, bool> feature_gates;  // v1alpha1…v1alpha3
  std::string cluster_name;                   // v1alpha1/2; empty: the cluster's own
  bool dry_run = false;
  Timeouts timeouts;
  FirstBoot first_boot;
  std::string kubelet_patch;  // YAML of a KubeletConfiguration document in the user-data, when it is to be applied

  // Files that the same user-data lays on this machine, by path: read where discovery or patches name one that nobody has written
  // yet.
  std::map<std::string, Secret> carried;

  std::string declared_version;  // of the user's document: "v1beta3"; empty when built from flags
};

// kubelet_extra_args and what FirstBoot's node adds: --node-labels (beside the user's own), --node-ip, --provider-id.
std::vector<Arg> effective_kubelet_args(const JoinConfig& config);

}  // namespace kubejoin::config
