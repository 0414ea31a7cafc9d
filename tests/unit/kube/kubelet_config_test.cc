// The kubelet's files: byte for byte those of real joins, and every era of arguments and defaults.
#include "kube/kubelet_config.h"

#include "golden.h"
#include "kube/objects.h"

using namespace kubejoin;
using namespace kubejoin::kube;

namespace {

using Merge = KubeletFlag::Merge;
constexpr const char* kContainerd = "unix:///run/containerd/containerd.sock";

std::string config_map(const std::string& file) { return parse_config_map(golden(file))->data.at("kubelet"); }

KubeletDefaults defaults_of(const std::string& release) {
  const auto cluster = parse_cluster_configuration(
      parse_config_map(golden(release + "/kubeadm-config.configmap.json"))->data.at("ClusterConfiguration"));
  REQUIRE(cluster);
  KubeletDefaults defaults;
  defaults.cluster_minor = cluster->minor();
  defaults.service_subnet = cluster->service_subnet;
  defaults.dns_domain = cluster->dns_domain;
  defaults.certificates_dir = cluster->certificates_dir;
  return defaults;
}

KubeletSituation situation(int minor) {
  KubeletSituation here;
  here.kubelet_minor = here.cluster_minor = minor;
  here.cri_socket = kContainerd;
  here.cri_socket_is_node_local = node_local_cri_socket(minor, minor, {});
  here.node_name = here.hostname = "node1";
  here.image_repository = "registry.k8s.io";
  return here;
}

std::string arguments(const KubeletSituation& here, std::vector<KubeletFlag> user = {}) {
  const std::string env = kubeadm_flags_env(kubelet_flags(here, user));
  REQUIRE(env.starts_with("KUBELET_KUBEADM_ARGS=\""));
  REQUIRE(env.ends_with("\"\n"));
  return env.substr(22, env.size() - 24);
}

}  // namespace

TEST_CASE("kube kubelet files are byte for byte those of real joins") {
  KubeletSituation old = situation(20);
  old.cri_socket = "/run/containerd/containerd.sock";
  old.hostname = "build-host";
  CHECK(kubeadm_flags_env(kubelet_flags(old, {})) == golden("1.20/kubeadm-flags.env"));

  KubeletSituation current = situation(37);
  current.hostname = "build-host";
  CHECK(kubeadm_flags_env(kubelet_flags(current, {})) == golden("1.37/kubeadm-flags.env"));
  CHECK(kubeadm_flags_env({}) == "KUBELET_KUBEADM_ARGS=\"\"\n");
  CHECK(instance_config(kContainerd) == golden("1.37/instance-config.yaml"));

  CHECK(*complete_kubelet_config(config_map("1.20/kubelet-config-1.20.configmap.json"), defaults_of("1.20")) ==
        golden("1.20/var-lib-kubelet-config.yaml"));
  KubeletDefaults defaults = defaults_of("1.37");
  defaults.node_local_cri_socket = kContainerd;
  CHECK(*complete_kubelet_config(config_map("1.37/kubelet-config.configmap.json"), defaults) ==
        golden("1.37/var-lib-kubelet-config.yaml"));
}

TEST_CASE("kube::kubelet_config_map_names") {
  using Names = std::vector<std::string>;
  CHECK(kubelet_config_map_names(0) == Names{"kubelet-config"});
  CHECK(kubelet_config_map_names(9) == Names{"kubelet-base-config-1.9"});
  CHECK(kubelet_config_map_names(10) == Names{"kubelet-base-config-1.9"});
  CHECK(kubelet_config_map_names(11) == Names{"kubelet-config-1.11", "kubelet-config"});
  CHECK(kubelet_config_map_names(23) == Names{"kubelet-config-1.23", "kubelet-config"});
  CHECK(kubelet_config_map_names(24) == Names{"kubelet-config", "kubelet-config-1.24"});
  CHECK(kubelet_config_map_names(37) == Names{"kubelet-config", "kubelet-config-1.37"});
}

TEST_CASE("kube::node_local_cri_socket") {
  const std::map<std::string, bool> none, on{{"NodeLocalCRISocket", true}}, off{{"NodeLocalCRISocket", false}};
  const struct {
    int kubelet, cluster;
    const std::map<std::string, bool>& gates;
    bool expected;
  } kRows[] = {
      {31, 31, on, false},  {32, 32, none, false}, {32, 32, on, true},   {33, 33, none, false}, {34, 34, none, true},
      {35, 35, off, false}, {36, 36, off, true},   {37, 37, none, true}, {34, 37, none, true},  {26, 34, none, false},
      {0, 0, none, true},   {0, 33, none, false},  {33, 0, none, false},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.kubelet);
    CAPTURE(row.cluster);
    CHECK(node_local_cri_socket(row.kubelet, row.cluster, row.gates) == row.expected);
  }
}

TEST_CASE("kube::kubelet_flags of every era") {
  const std::string endpoint = std::string("--container-runtime-endpoint=") + kContainerd;
  const struct {
    int minor;
    std::string expected;
  } kRows[] = {
      {11, "--container-runtime=remote " + endpoint},
      {20, "--container-runtime=remote " + endpoint},
      {21, "--container-runtime=remote " + endpoint + " --pod-infra-container-image=registry.k8s.io/pause:3.4.1"},
      {24, "--container-runtime=remote " + endpoint + " --pod-infra-container-image=registry.k8s.io/pause:3.7"},
      {25, "--container-runtime=remote " + endpoint + " --pod-infra-container-image=registry.k8s.io/pause:3.8"},
      {26, endpoint + " --pod-infra-container-image=registry.k8s.io/pause:3.9"},
      {30, endpoint + " --pod-infra-container-image=registry.k8s.io/pause:3.9"},
      {33, endpoint + " --pod-infra-container-image=registry.k8s.io/pause:3.10"},
      {34, "--pod-infra-container-image=registry.k8s.io/pause:3.10.1"},
      {35, ""},
      {37, ""},
      {0, ""},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.minor);
    CHECK(arguments(situation(row.minor)) == row.expected);
  }
}

TEST_CASE("kube::kubelet_flags for dockershim") {
  KubeletSituation here = situation(20);
  for (const char* socket : {"/var/run/dockershim.sock", "unix:///var/run/dockershim.sock"}) {
    here.cri_socket = socket;
    CHECK(arguments(here) == "--network-plugin=cni --pod-infra-container-image=registry.k8s.io/pause:3.2");
  }
  here.image_repository.clear();
  CHECK(arguments(here) == "--network-plugin=cni");
  // Decided by the kubelet, not by the cluster: dockershim left it in 1.24.
  here.kubelet_minor = 23;
  here.cluster_minor = 24;
  CHECK(arguments(here) == "--network-plugin=cni");
  here.kubelet_minor = 24;
  CHECK(arguments(here) == "--container-runtime=remote --container-runtime-endpoint=unix:///var/run/dockershim.sock");
}

TEST_CASE("kube::kubelet_flags on name and taints") {
  KubeletSituation here = situation(37);
  here.hostname = " NODE1\n";
  CHECK(arguments(here) == "");
  here.node_name = "worker-1";
  CHECK(arguments(here) == "--hostname-override=worker-1");
  here.taints = {"foo=bar:baz", "key=val:eff", "dedicated:NoSchedule"};
  CHECK(arguments(here) ==
        "--hostname-override=worker-1 --register-with-taints=foo=bar:baz,key=val:eff,dedicated:NoSchedule");
  CHECK(arguments(here, {{"hostname-override", "mine"}}) ==
        "--register-with-taints=foo=bar:baz,key=val:eff,dedicated:NoSchedule --hostname-override=mine");
}

TEST_CASE("kube::kubelet_flags merges the user's") {
  KubeletSituation old = situation(20), current = situation(37);
  old.node_name = current.node_name = "worker";
  const std::vector<KubeletFlag> user = {
      {"v", "4"}, {"node-labels", "a=b"}, {"hostname-override", ""}, {"alpha", ""}, {"v", "2"}};
  CHECK(arguments(old, user) ==
        "--alpha= --container-runtime=remote --container-runtime-endpoint=unix:///run/containerd/containerd.sock "
        "--hostname-override= --node-labels=a=b --v=2 --v=4");
  CHECK(arguments(current, user) == "--v=4 --node-labels=a=b --hostname-override= --alpha= --v=2");

  KubeletSituation sorted = situation(31), kept = situation(32);
  sorted.image_repository = kept.image_repository = "";
  CHECK(arguments(sorted, {{"v", "4"}, {"a", "1"}}) ==
        "--a=1 --container-runtime-endpoint=unix:///run/containerd/containerd.sock --v=4");
  CHECK(arguments(kept, {{"v", "4"}, {"a", "1"}}) ==
        "--container-runtime-endpoint=unix:///run/containerd/containerd.sock --v=4 --a=1");

  // kubeadm.k8s.io/v1 mergeMethod: without an argument of ours of that name it has no effect; of several, the last one
  // decides.
  current.taints = {"a=b:NoSchedule"};
  CHECK(arguments(current, {{"register-with-taints", ",c:NoExecute", Merge::append}}) ==
        "--hostname-override=worker --register-with-taints=a=b:NoSchedule,c:NoExecute");
  CHECK(arguments(current, {{"hostname-override", "x-", Merge::prepend}}) ==
        "--hostname-override=x-worker --register-with-taints=a=b:NoSchedule");
  CHECK(arguments(current, {{"v", "4", Merge::append}}) ==
        "--hostname-override=worker --register-with-taints=a=b:NoSchedule");
  CHECK(arguments(current, {{"hostname-override", "y", Merge::append}, {"hostname-override", "z"}}) ==
        "--register-with-taints=a=b:NoSchedule --hostname-override=z");

  CHECK(kubeadm_flags_env(std::vector<KubeletFlag>{{"a", "b c"}, {"d", "e"}}) == "KUBELET_KUBEADM_ARGS=\"'--a=b c' --d=e\"\n");
}

TEST_CASE("kube::complete_kubelet_config adds what is absent") {
  const std::string head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
  KubeletDefaults defaults;
  defaults.cluster_minor = 30;
  defaults.service_subnet = "172.20.0.0/16,fd00::/108";
  defaults.systemd_resolved = true;
  CHECK(*complete_kubelet_config(head, defaults) ==
        "apiVersion: kubelet.config.k8s.io/v1beta1\n"
        "authentication:\n"
        "  anonymous:\n"
        "    enabled: false\n"
        "  webhook:\n"
        "    enabled: true\n"
        "  x509:\n"
        "    clientCAFile: /etc/kubernetes/pki/ca.crt\n"
        "authorization:\n"
        "  mode: Webhook\n"
        "cgroupDriver: systemd\n"
        "clusterDNS:\n"
        "- 172.20.0.10\n"
        "clusterDomain: cluster.local\n"
        "healthzBindAddress: 127.0.0.1\n"
        "healthzPort: 10248\n"
        "kind: KubeletConfiguration\n"
        "resolvConf: /run/systemd/resolve/resolv.conf\n"
        "rotateCertificates: true\n"
        "staticPodPath: /etc/kubernetes/manifests\n");

  // What is there stays, null and "" are not there, and rotateCertificates is forced.
  const auto config =
      complete_kubelet_config(head +
                                  "staticPodPath: ''\nclusterDNS: [169.254.20.10]\nclusterDomain: "
                                  "corp.example\nhealthzPort: 0\nhealthzBindAddress: null\nrotateCertificates: false\n"
                                  "authentication: {anonymous: {enabled: true}, x509: null}\nauthorization: {mode: "
                                  "AlwaysAllow}\ncgroupDriver: cgroupfs\nresolvConf: /x\nunknownToUs: {a: [1, two]}\n",
                              defaults);
  REQUIRE(config);
  CHECK(*config ==
        "apiVersion: kubelet.config.k8s.io/v1beta1\n"
        "authentication:\n"
        "  anonymous:\n"
        "    enabled: true\n"
        "  webhook:\n"
        "    enabled: true\n"
        "  x509:\n"
        "    clientCAFile: /etc/kubernetes/pki/ca.crt\n"
        "authorization:\n"
        "  mode: AlwaysAllow\n"
        "cgroupDriver: cgroupfs\n"
        "clusterDNS:\n"
        "- 169.254.20.10\n"
        "clusterDomain: corp.example\n"
        "healthzBindAddress: 127.0.0.1\n"
        "healthzPort: 0\n"
        "kind: KubeletConfiguration\n"
        "resolvConf: /x\n"
        "rotateCertificates: true\n"
        "staticPodPath: /etc/kubernetes/manifests\n"
        "unknownToUs:\n"
        "  a:\n"
        "  - 1\n"
        "  - two\n");

  defaults.cluster_minor = 21;
  CHECK(complete_kubelet_config(head, defaults)->find("cgroupDriver") == std::string::npos);
  // Go reads YAML 1.1: a word that was a boolean stays one when the file is written anew.
  CHECK(complete_kubelet_config(head + "failSwapOn: no\n", defaults)->find("\nfailSwapOn: false\n") !=
        std::string::npos);
}

TEST_CASE("kube::complete_kubelet_config patches before the node's own socket") {
  KubeletDefaults defaults = defaults_of("1.37");
  defaults.node_local_cri_socket = kContainerd;
  const std::string base = config_map("1.37/kubelet-config.configmap.json");
  const std::vector<PatchFile> patches = {
      {PatchType::strategic, "kubeletconfiguration.yaml",
       "maxPods: 50\nclusterDNS: [10.0.0.53]\ncontainerRuntimeEndpoint: unix:///elsewhere.sock\n"},
      {PatchType::json, "kubeletconfiguration1+json.json",
       R"([{"op":"replace","path":"/maxPods","value":60},{"op":"add","path":"/clusterDNS/-","value":"10.0.0.54"}])"},
      {PatchType::merge, "kubeletconfiguration2+merge.yaml", "logging: null\nfailSwapOn: yes\n"}};
  const auto config = complete_kubelet_config(base, defaults, patches);
  REQUIRE(config);
  CHECK(config->find("\nmaxPods: 60\n") != std::string::npos);
  CHECK(config->find("\nclusterDNS:\n- 10.0.0.53\n- 10.0.0.54\n") != std::string::npos);
  CHECK(config->find("\ncontainerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n") != std::string::npos);
  CHECK(config->find("\nfailSwapOn: true\n") != std::string::npos);
  CHECK(config->find("logging") == std::string::npos);
  CHECK(complete_kubelet_config(base, defaults,
                                std::vector<PatchFile>{{PatchType::json, "p", "[{op: replace, path: '', value: 1}]"}})
            .error()
            .id == "kubelet.config");
  CHECK(complete_kubelet_config(base, defaults,
                                std::vector<PatchFile>{{PatchType::json, "p", "[{op: remove, path: /x}]"}})
            .error()
            .id == "kubelet.patch");
}

TEST_CASE("kube::complete_kubelet_config refuses") {
  for (const std::string& yaml :
       {std::string(), std::string("kind: Pod\n"), std::string("- a\n"),
        std::string("kind: KubeletConfiguration\n---\nkind: KubeletConfiguration\n"),
        std::string("kind: KubeletConfiguration\na: 1\na: 2\n"),
        std::string("kind: KubeletConfiguration\nauthentication: yes please\n"),
        std::string("kind: KubeletConfiguration\nauthentication: {x509: [1]}\n"), std::string(1000, '[')}) {
    CAPTURE(yaml);
    const auto config = complete_kubelet_config(yaml, {});
    REQUIRE_FALSE(config);
    CHECK(config.error().id == "kubelet.config");
    CHECK(config.error().kind == Kind::invalid);
  }
}

TEST_CASE("kube::cluster_dns_address") {
  const struct {
    const char *subnets, *address;
  } kRows[] = {
      {"10.96.0.0/12", "10.96.0.10"},     {"10.96.5.7/12", "10.96.0.10"}, {"192.168.1.240/28", "192.168.1.250"},
      {"192.168.1.0/29", "10.96.0.10"},   {"fd00:1::/112", "fd00:1::a"},  {"fd00::/108,10.0.0.0/16", "fd00::a"},
      {" 172.20.0.0/16 ", "172.20.0.10"}, {"0.0.0.0/0", "0.0.0.10"},      {"", "10.96.0.10"},
      {"10.96.0.0", "10.96.0.10"},        {"10.96.0.0/33", "10.96.0.10"}, {"10.96.0.0/1x", "10.96.0.10"},
      {"ten/12", "10.96.0.10"},           {"10.0.0.0/-1", "10.96.0.10"},  {"::/129", "10.96.0.10"},
      {"10.0.0.0/", "10.96.0.10"},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.subnets);
    CHECK(cluster_dns_address(row.subnets) == row.address);
  }
}

TEST_CASE("kube::kubelet_health_url") {
  const std::string kind = "kind: KubeletConfiguration\n";
  CHECK(kubelet_health_url(golden("1.20/var-lib-kubelet-config.yaml")) == "http://127.0.0.1:10248/healthz");
  CHECK(kubelet_health_url(kind) == "http://127.0.0.1:10248/healthz");
  CHECK(kubelet_health_url(kind + "healthzPort: 99\nhealthzBindAddress: \"::1\"\n") == "http://[::1]:99/healthz");
  CHECK(kubelet_health_url(kind + "healthzPort: 0\n") == std::nullopt);
}
