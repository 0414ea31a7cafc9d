// Kubeconfigs: written byte for byte as real clusters have them, read with their credentials, refused when they are not
// what they seem.
#include "kube/kubeconfig.h"

#include "base/text.h"
#include "golden.h"
#include "kube/objects.h"
#include "parse/document.h"

using namespace kubejoin;
using namespace kubejoin::kube;

namespace {

const std::string kServer = "https://127.0.0.1:6443";
const Secret kToken("abcdef.0123456789abcdef");

std::string user_document(const std::string& user_yaml) {
  return "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nusers:\n- name: u\n  user: " +
         user_yaml + "\n";
}

}  // namespace

TEST_CASE("kube kubeconfigs are byte for byte those of kubeadm and the kubelet") {
  const std::string pem_path = "/var/lib/kubelet/pki/kubelet-client-current.pem";
  const std::string ca20 = golden("1.20/ca.crt"), ca37 = golden("1.37/ca.crt");
  CHECK(bootstrap_kubeconfig("kubernetes", kServer, ca20, kToken, 20) == golden("1.20/bootstrap-kubelet.conf"));
  CHECK(bootstrap_kubeconfig("kubernetes", kServer, ca37, kToken, 37) == golden("1.37/bootstrap-kubelet.conf"));
  CHECK(bootstrap_kubeconfig("kubernetes", kServer, ca37, kToken) == golden("1.37/bootstrap-kubelet.conf"));
  CHECK(kubelet_kubeconfig(kServer, ca20, pem_path, 20) == golden("1.20/kubelet.conf"));
  CHECK(kubelet_kubeconfig(kServer, ca37, pem_path, 37) == golden("1.37/kubelet.conf"));
  CHECK(kubelet_kubeconfig(kServer, ca37, pem_path, 33).find("\npreferences: {}\n") != std::string::npos);
  CHECK(kubelet_kubeconfig(kServer, ca37, pem_path, 34).find("preferences") == std::string::npos);
}

TEST_CASE("kube kubeconfigs quote what a reader would take for another type") {
  for (const char* token :
       {"123456.1234567890123456", "123456.12345678901e2345", "123456.e123456789012345", "12e456.0000000000000000",
        "000000.0000000000000000", "0x1234.0000000000000000", "abcdef.0123456789abcdef"}) {
    CAPTURE(token);
    const std::string yaml = bootstrap_kubeconfig("12345", kServer, "pem", Secret(token));
    CHECK(yaml.find("name: \"12345\"\n") != std::string::npos);
    const auto read = parse_kubeconfig(yaml, "test");
    REQUIRE(read);
    REQUIRE(read->user() != nullptr);
    CHECK(read->user()->token.expose() == token);
    REQUIRE(read->cluster() != nullptr);
    CHECK(read->cluster()->name == "12345");
    CHECK(read->cluster()->ca_data == "pem");
  }
  CHECK(bootstrap_kubeconfig("k", kServer, "", Secret("123456.1234567890123456"))
            .find("token: \"123456.1234567890123456\"\n") != std::string::npos);
  CHECK(bootstrap_kubeconfig("k", kServer, "", Secret("123456.e123456789012345"))
            .find("token: \"123456.e123456789012345\"\n") != std::string::npos);

  // A name that would end its line must not add another.
  const auto read = parse_kubeconfig(bootstrap_kubeconfig("a\n  name: b", "https://x: #y", "", kToken), "test");
  REQUIRE(read);
  CHECK(read->clusters.at(0).name == "a\n  name: b");
  CHECK(read->clusters.at(0).server == "https://x: #y");
  // The context keeps its name when the cluster has another (kubeadm, cmd/join.go).
  CHECK(read->current_context == "tls-bootstrap-token-user@kubernetes");
}

TEST_CASE("kube::parse_kubeconfig on real ones") {
  const auto map = parse_config_map(golden("1.37/cluster-info.json"));
  REQUIRE(map);
  const auto info = parse_kubeconfig(map->data.at("kubeconfig"), "ConfigMap cluster-info");
  REQUIRE(info);
  REQUIRE(info->cluster() != nullptr);
  CHECK(info->cluster()->name == "");
  CHECK(info->cluster()->server == kServer);
  CHECK(info->cluster()->ca_data == golden("1.37/ca.crt"));
  CHECK(info->user() == nullptr);

  const auto upstream = parse_kubeconfig(golden("upstream/cluster-info.kubeconfig"), "test");
  REQUIRE(upstream);
  CHECK(upstream->cluster()->name == "somecluster");
  CHECK(upstream->cluster()->server == "https://127.0.0.1");
  CHECK(upstream->user() == nullptr);

  const auto kubelet = parse_kubeconfig(golden("1.20/kubelet.conf"), "test");
  REQUIRE(kubelet);
  CHECK(kubelet->user()->client_key == "/var/lib/kubelet/pki/kubelet-client-current.pem");
  CHECK(kubelet->user()->has_credentials());
  CHECK(kubelet->cluster()->name == "default-cluster");
}

TEST_CASE("kube::Kubeconfig chooses its cluster") {
  const auto chosen = [](const std::string& yaml) {
    const auto config = parse_kubeconfig(yaml, "test");
    REQUIRE(config);
    return config->cluster() != nullptr ? config->cluster()->server : "none";
  };
  const std::string two = "clusters: [{name: a, cluster: {server: A}}, {name: b, cluster: {server: B}}]\n";
  CHECK(chosen(two) == "none");
  CHECK(chosen(two + "current-context: c\ncontexts: [{name: c, context: {cluster: b}}]\n") == "B");
  CHECK(chosen(two + "current-context: c\ncontexts: [{name: c, context: {cluster: x}}]\n") == "none");
  CHECK(chosen(two + "current-context: x\ncontexts: [{name: c, context: {cluster: b}}]\n") == "none");
  CHECK(chosen("clusters: [{name: a, cluster: {server: A}}, {name: '', cluster: {server: U}}]\ncurrent-context: c\n"
               "contexts: [{name: c, context: {cluster: a}}]\n") == "U");
  CHECK(chosen("clusters: null\ncontexts: null\nusers: null\n") == "none");
  CHECK(chosen("{\"clusters\": [{\"name\": \"\", \"cluster\": {\"server\": \"J\"}}]}") == "J");
}

TEST_CASE("kube::Kubeconfig::User::has_credentials") {
  const struct {
    const char* user;
    bool expected;
  } kRows[] = {
      {"{token: abc}", true},
      {"{tokenFile: /t}", true},
      {"{username: u, password: p}", true},
      {"{client-certificate: /c, client-key: /k}", true},
      {"{client-certificate-data: QQ==, client-key-data: QQ==}", true},
      {"{client-certificate: /c, client-key-data: QQ==}", true},
      {"{exec: {apiVersion: client.authentication.k8s.io/v1, command: aws}}", true},
      {"{auth-provider: {name: oidc}}", true},
      {"{}", false},
      {"null", false},
      {"{username: u}", false},
      {"{password: p}", false},
      {"{client-certificate: /c}", false},
      {"{client-key: /k}", false},
      {"{exec: {}}", false},
      {"{auth-provider: {}}", false},
      {"{token: ''}", false},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.user);
    const auto config = parse_kubeconfig(user_document(row.user), "test");
    REQUIRE(config);
    REQUIRE(config->user() != nullptr);
    CHECK(config->user()->has_credentials() == row.expected);
  }
  for (const char* yaml :
       {"kind: Config\n", "current-context: c\n", "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n",
        "current-context: c\ncontexts: [{name: c, context: {user: x}}]\n"}) {
    CAPTURE(yaml);
    const auto config = parse_kubeconfig(yaml, "test");
    REQUIRE(config);
    CHECK(config->user() == nullptr);
  }
}

TEST_CASE("kube::parse_kubeconfig refuses") {
  const struct {
    const char* what;
    std::string yaml;
  } kRows[] = {
      {"an HTML page", "<html><body>404</body></html>\n"},
      {"nothing", ""},
      {"two documents", "kind: Config\n---\nkind: Config\n"},
      {"a list", "- a\n"},
      {"another kind", "kind: Pod\n"},
      {"another version", "apiVersion: v2\n"},
      {"a duplicate key", user_document("{token: abcdef.0123456789abcdef, token: b}")},
      {"a duplicate name", "clusters: [{name: a, cluster: {}}, {name: a, cluster: {}}]\n"},
      {"a number for a token", user_document("{token: 123456.1234567890123456}")},
      {"a number for a name", "clusters: [{name: 1, cluster: {}}]\n"},
      {"a map for a server", "clusters: [{name: a, cluster: {server: {}}}]\n"},
      {"text for a list", "clusters: a\n"},
      {"text for an entry", "clusters: [a]\n"},
      {"text for a cluster", "clusters: [{name: a, cluster: b}]\n"},
      {"text for a flag", "clusters: [{name: a, cluster: {insecure-skip-tls-verify: maybe}}]\n"},
      {"no base64", "clusters: [{name: a, cluster: {certificate-authority-data: '!!'}}]\n"},
      {"deep nesting", "clusters: " + std::string(5000, '[') + std::string(5000, ']') + "\n"},
      {"an alias bomb",
       "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d "
       "[*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
       "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"},
      {"control characters", "current-context: \"a\x01\"\n"},
      {"a NUL byte", std::string("current-context: a\0b\n", 21)},
      {"more than 1 MiB", "# " + std::string(1 << 20, 'x')},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    const auto config = parse_kubeconfig(row.yaml, "/etc/kubernetes/discovery.conf");
    REQUIRE_FALSE(config);
    CHECK(config.error().id == "discovery.kubeconfig");
    CHECK(config.error().kind == Kind::invalid);
    CHECK(config.error().place.file == "/etc/kubernetes/discovery.conf");
    CHECK(config.error().place.text.empty());
    CHECK(config.error().message.find("0123456789abcdef") == std::string::npos);
  }
  CHECK(parse_kubeconfig(user_document("{token: 123456.1234567890123456}"), "x").error().place.line == 5);
}
