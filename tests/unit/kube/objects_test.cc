// API objects: those of real clusters, every state of a CSR, and what a hostile server could send.
#include "kube/objects.h"

#include "golden.h"

using namespace kubejoin;
using namespace kubejoin::kube;

namespace {

std::string csr_with(const std::string& status) {
  return R"({"kind":"CertificateSigningRequest","metadata":{"name":"n","uid":"u","resourceVersion":"7"},"spec":{"request":"cg=="},"status":)" +
         status + "}";
}

std::string nested(int levels) {
  std::string text = R"({"kind":"ConfigMap","x":)";
  for (int i = 0; i < levels; ++i) text += R"({"a":)";
  text += "1";
  return text + std::string(static_cast<std::size_t>(levels) + 1, '}');
}

}  // namespace

TEST_CASE("kube::parse_config_map on real ones") {
  CHECK(parse_config_map(golden("1.20/kubelet-config-1.20.configmap.json"))->data.at("kubelet") ==
        golden("1.20/var-lib-kubelet-config.yaml"));
  CHECK(parse_config_map(golden("1.37/cluster-info.json"))->data.size() == 2);
  CHECK(parse_config_map(R"({"kind":"ConfigMap"})")->data.empty());
  CHECK(parse_config_map(R"({"kind":"ConfigMap","data":null})")->data.empty());
  CHECK(parse_config_map("{\"kind\":\"ConfigMap\",\"data\":{\"a\":\"\\u0000b\"}}")->data.at("a") ==
        std::string("\0b", 2));
}

TEST_CASE("kube::parse_config_map refuses") {
  const std::string wide = R"({"kind":"ConfigMap","data":{"a":")" + std::string(4 << 20, 'x') + "\"}}";
  const struct {
    const char* what;
    std::string json;
    const char* says;
  } kRows[] = {
      {"nothing", "", "not JSON"},
      {"an HTML page", "<html>503</html>", "not JSON"},
      {"a list", "[]", "kind is \"\""},
      {"a Status", R"({"kind":"Status","code":404})", "kind is \"Status\""},
      {"a duplicate key", R"({"kind":"ConfigMap","data":{"kubeconfig":"good","kubeconfig":"bad"}})",
       "\"kubeconfig\" is there twice"},
      {"a duplicate by escape", R"({"kind":"ConfigMap","data":{"a":"1","\u0061":"2"}})", "twice"},
      {"a duplicate far below", R"({"kind":"ConfigMap","metadata":{"x":[{"y":1,"y":2}]}})", "twice"},
      {"a number as data", R"({"kind":"ConfigMap","data":{"a":1}})", "other than text"},
      {"a list as data", R"({"kind":"ConfigMap","data":[]})", "other than text"},
      {"deep nesting", nested(64), "64 levels"},
      {"very deep nesting", nested(500'000), "64 levels"},
      {"deep lists", std::string(1'000'000, '['), "64 levels"},
      {"more than 4 MiB", wide, "4 MiB"},
      {"something behind it", R"({"kind":"ConfigMap"} x)", "not JSON"},
      {"a NUL byte", std::string("{\"kind\":\"ConfigMap\"}\0", 21), "NUL"},
      {"a control character", "{\"kind\":\"ConfigMap\",\"a\":\"\x01\"}", "not JSON"},
      {"broken UTF-8", "{\"kind\":\"ConfigMap\",\"a\":\"\xC3\x28\"}", "not JSON"},
      {"cut short", R"({"kind":"ConfigMap","data":{"a":"b)", "not JSON"},
      {"a comment", R"({"kind":"ConfigMap" /* x */})", "not JSON"},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    const auto map = parse_config_map(row.json);
    REQUIRE_FALSE(map);
    CHECK(map.error().id == "kube.object");
    CHECK(map.error().kind == Kind::unavailable);
    CHECK(map.error().message.find(row.says) != std::string::npos);
    CHECK(map.error().message.size() < 400);
  }
  CHECK(parse_config_map(nested(62)));
}

TEST_CASE("kube::parse_node") {
  for (const char* release : {"1.20", "1.37"}) {
    CAPTURE(release);
    const auto node = parse_node(golden(std::string(release) + "/node1.node.json"));
    REQUIRE(node);
    CHECK(node->name == "node1");
    CHECK(node->uid.size() == 36);
    CHECK(node->labels.at("kubernetes.io/hostname") == "node1");
    CHECK(node->annotations.at("node.alpha.kubernetes.io/ttl") == "0");
  }
  const auto ready = [](const std::string& conditions) {
    return parse_node(R"({"kind":"Node","metadata":{"name":"a"},"status":{"conditions":)" + conditions + "}}")->ready;
  };
  CHECK(ready(R"([{"type":"MemoryPressure","status":"False"},{"type":"Ready","status":"True"}])"));
  CHECK_FALSE(ready(R"([{"type":"Ready","status":"Unknown"}])"));
  CHECK_FALSE(ready(R"([{"type":"Ready","status":"False"}])"));
  CHECK_FALSE(ready(R"([{"type":"Ready"}])"));
  CHECK_FALSE(ready("[1,null,[]]"));
  CHECK_FALSE(ready("[]"));
  CHECK_FALSE(ready("{}"));
  CHECK_FALSE(parse_node(R"({"kind":"Node","metadata":{}})"));
  CHECK_FALSE(parse_node(R"({"kind":"Node","metadata":{"name":"a","labels":{"x":1}}})"));
}

TEST_CASE("kube::parse_csr on real ones") {
  for (const char* file : {"1.20/csr-issued.v1.json", "1.20/csr-issued.v1beta1.json", "1.37/csr-issued.v1.json"}) {
    CAPTURE(file);
    const auto csr = parse_csr(golden(file));
    REQUIRE(csr);
    CHECK(csr->state == Csr::State::issued);
    CHECK(csr->reason == "AutoApproved");
    CHECK(csr->signer_name == "kubernetes.io/kube-apiserver-client-kubelet");
    CHECK(csr->username == "system:bootstrap:abcdef");
    CHECK(csr->request.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"));
    CHECK(csr->certificate.starts_with("-----BEGIN CERTIFICATE-----\n"));
  }
  CHECK(parse_csr(golden("1.37/csr-issued.v1.json"))->resource_version == "1126");
}

TEST_CASE("kube::parse_csr tells the states apart") {
  using State = Csr::State;
  const struct {
    const char* status;
    State state;
    const char* reason;
  } kRows[] = {
      {"null", State::pending, ""},
      {"{}", State::pending, ""},
      {R"({"certificate":"Yw=="})", State::pending, ""},
      {R"({"conditions":[{"type":"Approved","status":"True","reason":"R"}]})", State::approved, "R"},
      {R"({"conditions":[{"type":"Approved","status":"False","reason":"R"}]})", State::approved,
       "R"},  // types count, not their status
      {R"({"conditions":[{"type":"Approved","reason":"R"}],"certificate":"Yw=="})", State::issued, "R"},
      {R"({"conditions":[{"type":"Approved","reason":"A"},{"type":"Denied","reason":"D"}],"certificate":"Yw=="})",
       State::denied, "D"},
      {R"({"conditions":[{"type":"Approved","reason":"A"},{"type":"Failed","reason":"F"}]})", State::failed, "F"},
      {R"({"conditions":[{"type":"Other","reason":"O"}]})", State::pending, ""},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.status);
    const auto csr = parse_csr(csr_with(row.status));
    REQUIRE(csr);
    CHECK(csr->state == row.state);
    CHECK(csr->reason == row.reason);
    CHECK(csr->certificate == (row.state == State::issued ? "c" : ""));
    CHECK(csr->request == "r");
    CHECK(csr->resource_version == "7");
  }
  CHECK_FALSE(parse_csr(csr_with(R"({"certificate":"!"})")));
  CHECK_FALSE(parse_csr(R"({"kind":"CertificateSigningRequest","metadata":{"name":"n"}})"));
}

TEST_CASE("kube::parse_watch_event") {
  const auto event = parse_watch_event(R"({"type":"MODIFIED","object":)" + csr_with("{}") + "}");
  REQUIRE(event);
  CHECK(event->type == "MODIFIED");
  CHECK(parse_csr(event->object)->name == "n");
  CHECK(parse_watch_event(R"({"type":"BOOKMARK","object":{"kind":"Node"}})")->object == R"({"kind":"Node"})");

  const struct {
    const char* line;
    const char* id;
    Kind kind;
  } kRows[] = {
      {R"({"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old resource version"}})",
       "kube.watch-expired", Kind::unavailable},
      {R"({"type":"ERROR","object":{"kind":"Status","code":403,"message":"forbidden"}})", "kube.watch", Kind::refused},
      {R"({"type":"ERROR","object":{"kind":"Status","code":401}})", "kube.watch", Kind::refused},
      {R"({"type":"ERROR","object":{"kind":"Status","code":429}})", "kube.watch", Kind::unavailable},
      {R"({"type":"ERROR","object":{"kind":"Status","code":500}})", "kube.watch", Kind::unavailable},
      {R"({"type":"ERROR","object":{"kind":"Status","code":400}})", "kube.watch", Kind::machine},
      {R"({"type":"ERROR","object":{"code":"x"}})", "kube.watch", Kind::unavailable},
      {R"({"type":"GONE","object":{}})", "kube.object", Kind::unavailable},
      {R"({"type":"ADDED"})", "kube.object", Kind::unavailable},
      {R"({"type":"ADDED","object":[]})", "kube.object", Kind::unavailable},
      {R"({"type":"ADDED","object":{},"object":{}})", "kube.object", Kind::unavailable},
      {"", "kube.object", Kind::unavailable},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.line);
    const auto error = parse_watch_event(row.line);
    REQUIRE_FALSE(error);
    CHECK(error.error().id == row.id);
    CHECK(error.error().kind == row.kind);
  }
}

TEST_CASE("kube::parse_cluster_configuration") {
  const auto of = [](const std::string& release) {
    return *parse_cluster_configuration(
        parse_config_map(golden(release + "/kubeadm-config.configmap.json"))->data.at("ClusterConfiguration"));
  };
  const ClusterConfiguration old = of("1.20"), current = of("1.37");
  CHECK(old.minor() == 20);
  CHECK(old.image_repository == "k8s.gcr.io");
  CHECK(current.minor() == 37);
  CHECK(current.kubernetes_version == "v1.37.2");
  CHECK(current.image_repository == "registry.k8s.io");
  CHECK(current.cluster_name == "kubernetes");
  CHECK(current.service_subnet == "10.96.0.0/12");
  CHECK(current.dns_domain == "cluster.local");
  CHECK(current.certificates_dir == "/etc/kubernetes/pki");
  CHECK(current.feature_gates.empty());

  const auto sparse = parse_cluster_configuration(
      "kind: ClusterConfiguration\nclusterName: ''\nfeatureGates: {NodeLocalCRISocket: true, X: false}\n");
  REQUIRE(sparse);
  CHECK(sparse->cluster_name == "kubernetes");
  CHECK(sparse->minor() == 0);
  CHECK(sparse->feature_gates.at("NodeLocalCRISocket"));
  CHECK_FALSE(sparse->feature_gates.at("X"));
  CHECK(parse_cluster_configuration("networking:\nkubernetesVersion: ci/v1.38.0-alpha.1+abc\n")->minor() == 38);

  for (const char* yaml : {"", "- a\n", "a: 1\na: 2\n", "a: 1\n---\nb: 2\n", "clusterName: 1.5\n",
                           "featureGates: {A: perhaps}\n", "networking: {dnsDomain: {}}\n"}) {
    CAPTURE(yaml);
    const auto refused = parse_cluster_configuration(yaml);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().id == "kube.cluster-configuration");
  }
}
