// The texts, from real clusters; what differs from cluster to cluster is filled in.
#include "release.h"

#include "json.h"

namespace kubejoin::standin {
namespace {

std::string data(const char* key, std::string_view yaml, const ClusterFacts& facts) {
  std::string text(yaml);
  const auto replace = [&](const std::string& name, const std::string& value) {
    for (std::size_t at = 0; (at = text.find(name, at)) != text.npos; at += value.size())
      text.replace(at, name.size(), value);
  };
  replace("$endpoint", facts.endpoint);
  replace("$version", facts.kubernetes_version);
  replace("$healthz", std::to_string(facts.healthz_port));
  return fill(R"("$key":"$text")", {{"key", key}, {"text", text}});
}

std::string kubeadm_config_120(const ClusterFacts& facts) {
  return data("ClusterConfiguration", R"(apiServer:
  certSANs:
  - 127.0.0.1
  - localhost
  timeoutForControlPlane: 4m0s
apiVersion: kubeadm.k8s.io/v1beta2
certificatesDir: /etc/kubernetes/pki
clusterName: kubernetes
controlPlaneEndpoint: $endpoint
controllerManager: {}
dns:
  type: CoreDNS
etcd:
  local:
    dataDir: /var/lib/etcd
imageRepository: k8s.gcr.io
kind: ClusterConfiguration
kubernetesVersion: $version
networking:
  dnsDomain: cluster.local
  podSubnet: 10.244.0.0/16
  serviceSubnet: 10.96.0.0/12
scheduler: {}
)",
              facts) +
         "," +
         data("ClusterStatus", R"(apiEndpoints:
  cp:
    advertiseAddress: 10.99.0.1
    bindPort: 6443
apiVersion: kubeadm.k8s.io/v1beta2
kind: ClusterStatus
)",
              facts);
}

std::string kubelet_config_120(const ClusterFacts& facts) {
  return data("kubelet", R"(apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
cpuManagerReconcilePeriod: 0s
evictionPressureTransitionPeriod: 0s
fileCheckFrequency: 0s
healthzBindAddress: 127.0.0.1
healthzPort: $healthz
httpCheckFrequency: 0s
imageMinimumGCAge: 0s
kind: KubeletConfiguration
logging: {}
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
rotateCertificates: true
runtimeRequestTimeout: 0s
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
staticPodPath: /etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
syncFrequency: 0s
volumeStatsAggPeriod: 0s
)",
              facts);
}

std::string kubeadm_config_137(const ClusterFacts& facts) {
  return data("ClusterConfiguration", R"(apiServer:
  certSANs:
  - 127.0.0.1
  - localhost
apiVersion: kubeadm.k8s.io/v1beta4
caCertificateValidityPeriod: 87600h0m0s
certificateValidityPeriod: 8760h0m0s
certificatesDir: /etc/kubernetes/pki
clusterName: kubernetes
controlPlaneEndpoint: $endpoint
controllerManager: {}
dns: {}
encryptionAlgorithm: RSA-2048
etcd:
  local:
    dataDir: /var/lib/etcd
imageRepository: registry.k8s.io
kind: ClusterConfiguration
kubernetesVersion: $version
networking:
  dnsDomain: cluster.local
  podSubnet: 10.244.0.0/16
  serviceSubnet: 10.96.0.0/12
proxy: {}
scheduler: {}
)",
              facts);
}

std::string kubelet_config_137(const ClusterFacts& facts) {
  return data("kubelet", R"(apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
cgroupDriver: cgroupfs
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
containerRuntimeEndpoint: ""
cpuManagerReconcilePeriod: 0s
crashLoopBackOff: {}
evictionPressureTransitionPeriod: 0s
failCgroupV1: false
failSwapOn: false
fileCheckFrequency: 0s
healthzBindAddress: 127.0.0.1
healthzPort: $healthz
httpCheckFrequency: 0s
imageMaximumGCAge: 0s
imageMinimumGCAge: 0s
kind: KubeletConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
memorySwap: {}
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
rotateCertificates: true
runtimeRequestTimeout: 0s
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
staticPodPath: /etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
syncFrequency: 0s
volumeStatsAggPeriod: 0s
)",
              facts);
}

std::string cluster(const std::string& server, const std::string& ca_base64, const std::string& name) {
  return "- cluster:\n" + (ca_base64.empty() ? "" : "    certificate-authority-data: " + ca_base64 + "\n") +
         "    server: " + server + "\n  name: " + (name.empty() ? "\"\"" : name) + "\n";
}

// client-go dropped the empty `preferences` in between.
std::string cluster_info_120(const std::string& server, const std::string& ca_base64, const std::string& name) {
  return "apiVersion: v1\nclusters:\n" + cluster(server, ca_base64, name) +
         "contexts: null\ncurrent-context: \"\"\nkind: Config\npreferences: {}\nusers: null\n";
}
std::string cluster_info_137(const std::string& server, const std::string& ca_base64, const std::string& name) {
  return "apiVersion: v1\nclusters:\n" + cluster(server, ca_base64, name) +
         "contexts: null\ncurrent-context: \"\"\nkind: Config\nusers: null\n";
}

constexpr Release kReleases[] = {
    {"1.20", "v1.20.2", "kubelet-config-1.20", true, false, kubeadm_config_120, kubelet_config_120, cluster_info_120},
    {"1.37", "v1.37.2", "kubelet-config", false, true, kubeadm_config_137, kubelet_config_137, cluster_info_137},
};

}  // namespace

const Release* find_release(std::string_view name) {
  for (const Release& release : kReleases)
    if (release.name == name) return &release;
  return nullptr;
}

}  // namespace kubejoin::standin
