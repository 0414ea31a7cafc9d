// A whole join to each release from 1.9 on: what is asked for under which name, what is written, what the Node is given.
#include "../cli/world.h"
#include "plan/state.h"

using namespace kubejoin;

namespace {

constexpr const char* kSocket = "unix:///run/containerd/containerd.sock";

std::string arguments(World& w) {
  const std::string env = w.host.content(plan::kFlagsEnv);
  REQUIRE(env.starts_with("KUBELET_KUBEADM_ARGS=\""));
  return replace_all(env.substr(22, env.size() - 24), kSocket, "SOCKET");
}

bool asked_for(const World& w, const std::string& path) { return w.host.touched("GET https://10.0.0.1:6443" + path); }

// What changed in a release; a release that is not named is as the one before it.
struct Row {
  int from;
  const char* kubelet_config_map;  // "" : none, the kubelet has its arguments alone
  const char* csr_api;
  const char* arguments;
  bool instance_config;            // and no annotation
};
constexpr Row kReleases[] = {
    {9, "", "certificates.k8s.io/v1beta1", "--container-runtime=remote --container-runtime-endpoint=SOCKET --hostname-override=node1", false},
    {11, "kubelet-config-1.N", "certificates.k8s.io/v1beta1", "--container-runtime=remote --container-runtime-endpoint=SOCKET --hostname-override=node1", false},
    {19, "kubelet-config-1.N", "certificates.k8s.io/v1", "--container-runtime=remote --container-runtime-endpoint=SOCKET --hostname-override=node1", false},
    {21, "kubelet-config-1.N", "certificates.k8s.io/v1", "--container-runtime=remote --container-runtime-endpoint=SOCKET --hostname-override=node1 --pod-infra-container-image=registry.k8s.io/pause:3.4.1", false},
    {22, "kubelet-config-1.N", "certificates.k8s.io/v1", "--container-runtime=remote --container-runtime-endpoint=SOCKET --hostname-override=node1 --pod-infra-container-image=registry.k8s.io/pause:3.5", false},
    {23, "kubelet-config-1.N", "certificates.k8s.io/v1", "--container-runtime=remote --container-runtime-endpoint=SOCKET --hostname-override=node1 --pod-infra-container-image=registry.k8s.io/pause:3.6", false},
    {24, "kubelet-config", "certificates.k8s.io/v1", "--container-runtime=remote --container-runtime-endpoint=SOCKET --hostname-override=node1 --pod-infra-container-image=registry.k8s.io/pause:3.7", false},
    {25, "kubelet-config", "certificates.k8s.io/v1", "--container-runtime=remote --container-runtime-endpoint=SOCKET --hostname-override=node1 --pod-infra-container-image=registry.k8s.io/pause:3.8", false},
    {26, "kubelet-config", "certificates.k8s.io/v1", "--container-runtime-endpoint=SOCKET --hostname-override=node1 --pod-infra-container-image=registry.k8s.io/pause:3.9", false},
    {31, "kubelet-config", "certificates.k8s.io/v1", "--container-runtime-endpoint=SOCKET --hostname-override=node1 --pod-infra-container-image=registry.k8s.io/pause:3.10", false},
    {34, "kubelet-config", "certificates.k8s.io/v1", "--hostname-override=node1 --pod-infra-container-image=registry.k8s.io/pause:3.10.1", true},
    {35, "kubelet-config", "certificates.k8s.io/v1", "--hostname-override=node1", true},
};

}  // namespace

TEST_CASE("a join to each release from 1.9 to 1.38") {
  for (int minor = 9; minor <= 38; ++minor) {
    CAPTURE(minor);
    const Row* row = nullptr;
    for (const Row& r : kReleases)
      if (r.from <= minor) row = &r;
    World w;
    w.cluster.pretend(minor);
    w.cluster.attach(w.host);
    const ToldJoin told = join(w.host, w.config);
    REQUIRE_MESSAGE(shown(told.result) == "ok", told.printed);

    const std::string map = replace_all(row->kubelet_config_map, "N", std::to_string(minor));
    CHECK(w.host.stat(plan::kKubeletConfig).has_value() == !map.empty());
    if (!map.empty()) CHECK(asked_for(w, kube::config_map_path(map)));
    CHECK(w.host.touched("POST https://10.0.0.1:6443" + kube::csr_collection_path(row->csr_api)));
    // Before 1.12 the image repository is not known, and the pause image's flag is not due either.
    CHECK(arguments(w) == row->arguments);
    CHECK(w.host.stat(plan::kInstanceConfig).has_value() == row->instance_config);
    CHECK(w.cluster.patches.size() == (row->instance_config ? 0U : 1U));
    CHECK(asked_for(w, kube::version_path()) == (minor < 12));
    // client-go 0.34 leaves "preferences: {}" out.
    CHECK((w.host.content(plan::kKubeletConf).find("preferences: {}\n") != std::string::npos) == (minor < 34));
    if (!map.empty()) {
      const std::string& config = w.host.content(plan::kKubeletConfig);
      CHECK(config.find("rotateCertificates: true") != std::string::npos);
      CHECK((config.find("containerRuntimeEndpoint: " + std::string(kSocket)) != std::string::npos) == row->instance_config);
    }
  }
}

TEST_CASE("DynamicKubeletConfig: from 1.9 to 1.23 with the Node's patch of the time, from 1.24 on refused before anything is made") {
  const struct {
    int minor;
    const char *map, *patch;
  } kRows[] = {
      {9, "kubelet-base-config-1.9", R"({"spec":{"configSource":{"configMapRef":{"namespace":"kube-system","name":"kubelet-base-config-1.9","uid":")"},
      {10, "kubelet-base-config-1.9", R"({"spec":{"configSource":{"configMapRef":{"namespace":"kube-system","name":"kubelet-base-config-1.9","uid":")"},
      {11, "kubelet-config-1.11", R"({"spec":{"configSource":{"configMap":{"namespace":"kube-system","name":"kubelet-config-1.11","kubeletConfigKey":"kubelet"}}}})"},
      {20, "kubelet-config-1.20", R"({"spec":{"configSource":{"configMap":{"namespace":"kube-system","name":"kubelet-config-1.20","kubeletConfigKey":"kubelet"}}}})"},
      {23, "kubelet-config-1.23", R"({"spec":{"configSource":{"configMap":{"namespace":"kube-system","name":"kubelet-config-1.23","kubeletConfigKey":"kubelet"}}}})"},
      {24, nullptr, nullptr},
      {38, nullptr, nullptr},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.minor);
    World w;
    w.cluster.pretend(row.minor);
    w.cluster.attach(w.host);
    w.config.feature_gates["DynamicKubeletConfig"] = true;
    const ToldJoin told = join(w.host, w.config);
    if (row.map == nullptr) {
      REQUIRE(told.result.error.has_value());
      CHECK(told.result.error->id == "config.dynamic-kubelet-config");
      CHECK(told.result.error->kind == Kind::invalid);
      CHECK(w.host.files.size() == w.before.size() + 2);  // the two records of the result
      continue;
    }
    REQUIRE(shown(told.result) == "ok");
    CHECK(asked_for(w, kube::config_map_path(row.map)));
    CHECK(w.host.content(plan::kDynamicConfig) == w.host.content(plan::kKubeletConfig));
    CHECK(w.host.content(plan::kFlagsEnv).find("--dynamic-config-dir=/var/lib/kubelet/config/dynamic") != std::string::npos);
    REQUIRE(w.cluster.patches.size() == 2);
    CHECK_MESSAGE(w.cluster.patches[1].starts_with(row.patch), w.cluster.patches[1]);
    CHECK(w.cluster.patches[1].find("\"uid\":\"\"") == std::string::npos);
  }
}

TEST_CASE("an old kubelet joins a current cluster with the arguments that it knows") {
  const struct {
    const char *version, *arguments;
  } kRows[] = {
      {"v1.37.2", "--hostname-override=node1"},
      {"v1.34.1", "--hostname-override=node1 --pod-infra-container-image=registry.k8s.io/pause:3.10.1"},
      {"v1.26.0", "--container-runtime-endpoint=SOCKET --hostname-override=node1 --pod-infra-container-image=registry.k8s.io/pause:3.9"},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.version);
    World w;
    w.host.put("/usr/lib/kubejoin/kubelet-version", "Kubernetes " + std::string(row.version) + "\n");
    REQUIRE(shown(join(w.host, w.config).result) == "ok");
    CHECK(arguments(w) == row.arguments);
  }
}
