// What the ConfigMaps of a kubeadm cluster look like, a release at a time (the shapes of tests/golden).
#pragma once

#include <string>

namespace kubejoin::standin {

struct ClusterFacts {
  std::string endpoint;            // "127.0.0.1:6443"
  std::string kubernetes_version;  // "v1.37.2"
  int healthz_port = 10248;
};

struct Release {
  std::string_view name;  // "1.37"
  std::string_view kubernetes_version;
  std::string_view kubelet_config_map;  // its name
  bool has_csr_v1beta1;
  bool takes_two_usages;                               // approves without "key encipherment"
  std::string (*kubeadm_config)(const ClusterFacts&);  // data of the ConfigMaps, as JSON
  std::string (*kubelet_config)(const ClusterFacts&);
  std::string (*cluster_info)(const std::string& server, const std::string& ca_base64,
                              const std::string& cluster_name);  // YAML
};

const Release* find_release(std::string_view name);

}  // namespace kubejoin::standin
