// User-data as a whole: what boot and validate both go by, and the configuration with its origins.
#include "config/user_data.h"

#include "base/text.h"
#include "loading.h"
#include "parse/path.h"

using namespace kubejoin;
using namespace kubejoin::config;

namespace {

UserData read(const std::string& text, const parse::Variables* variables = nullptr) {
  return read_user_data(text, "user-data", variables, {}, {.hostname = "host-1"});
}

const std::string kJoin =
    "apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery:\n  bootstrapToken:\n    token: "
    "abcdef.0123456789abcdef\n    apiServerEndpoint: 192.0.2.10:6443\n    caCertHashes: [" +
    std::string(kPin) + "]\n";

}  // namespace

TEST_CASE("config::read_user_data tells the envelope's mistakes and the documents' at once, by place") {
  const UserData both = read(
      "#cloud-config\nwrite_files:\n- path: /a\n  content: |\n    apiVersion: kubeadm.k8s.io/v1beta4\n    kind: "
      "JoinConfiguration\n    discovery:\n      file: {kubeConfigPath: relative}\n- path: /b\n  content: |\n    "
      "apiVersion: kubejoin/v1alpha1\n    kind: [FirstBoot\n- path: /c\n  content: |\n    apiVersion: "
      "kubejoin/v1alpha1\n    kind: FirstBoot\n    wait: {for: Ready}\n");
  INFO(whole_text(both.loaded.errors));
  CHECK(ids(both.loaded.errors) == "config.kubeconfig-path yaml.unclosed schema.enum");
  // The document that could not be read may have been the one that is missed.
  const UserData broken = read("kubeadm.k8s.io/v1beta4: {\n---\napiVersion: kubejoin/v1alpha1\nkind: FirstBoot\n");
  CHECK(ids(broken.loaded.errors) == "yaml.unclosed");
  CHECK(read("#!/bin/sh\ntrue\n").documents.empty());
  CHECK(read("#!/bin/sh\ntrue\n").loaded.errors.empty());
}

TEST_CASE("config::read_user_data says why it is not concerned") {
  using Why = Unconcerned::Why;
  const std::string v1beta4 = "apiVersion: kubeadm.k8s.io/v1beta4\n";
  struct Row {
    std::string text;
    Why why;
    std::string sentence;
  };
  const Row kRows[] = {
      {"#!/bin/sh\ntrue\n", Why::no_document, "holds no document for kubejoin; it looks like a shell script, which cloud-init runs"},
      {"", Why::no_document, "is empty"},
      {"hello", Why::no_document, "holds no document for kubejoin"},
      {v1beta4 + "kind: InitConfiguration\n", Why::for_others, "is for a control plane: InitConfiguration (line 1)"},
      {v1beta4 + "kind: ClusterConfiguration\nnonsense: 1\n", Why::for_others, "is for a control plane: ClusterConfiguration (line 1)"},
      {kJoin + "controlPlane: {}\nnonsense: 1\n", Why::for_others, "is for a control plane: JoinConfiguration with controlPlane (line 8)"},
      {"apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\n", Why::for_others, "is for nodeadm (Amazon EKS): NodeConfig (line 1)"},
      {"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n", Why::for_others, "is for the kubelet or kube-proxy: KubeletConfiguration (line 1)"},
      {"#include\nhttps://a/b\nhttps://a/c\n", Why::not_read, "holds no document for kubejoin as far as it was read: #include comes from https://a/b, which is not read here, and 1 more"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.text);
    const UserData data = read(row.text);
    CHECK(ids(data.loaded.errors) == "");
    CHECK(data.documents.empty());
    REQUIRE(data.unconcerned);
    CHECK(data.unconcerned->why == row.why);
    CHECK(data.unconcerned->sentence() == row.sentence);
  }
  // A worker's document beside a control plane's is a worker's.
  CHECK(!read(kJoin + "---\n" + v1beta4 + "kind: ClusterConfiguration\n").unconcerned);
  CHECK(!read(kJoin).unconcerned);
}

TEST_CASE("config::read_user_data judges the joinConfiguration of Cluster API's templates in place") {
  const auto judged = [](const std::string& version, const std::string& kind, const std::string& before, const std::string& join) {
    const UserData data = read("apiVersion: bootstrap.cluster.x-k8s.io/" + version + "\nkind: " + kind + "\nspec:\n" + before + join);
    CHECK(data.unconcerned.has_value());
    CHECK(ids(data.loaded.errors) == "");
    std::string all;
    for (const Error& e : data.in_templates.errors) all += std::to_string(e.place.line) + " " + e.id + "\n";
    return all;
  };
  const std::string node = "    nodeRegistration:\n      name: '{{ ds.meta_data.local_hostname }}'\n      imagePullSerial: true\n";
  CHECK(judged("v1beta1", "KubeadmConfig", "  joinConfiguration:\n", node + "      kubeletExtraArgs: {v: '4'}\n") == "");
  CHECK(judged("v1beta1", "KubeadmConfig", "  joinConfiguration:\n", node + "      kubeletExtraArgs: {v: 4}\n      criSokcet: x\n") == "8 schema.type\n9 schema.unknown-field\n");
  CHECK(judged("v1beta2", "KubeadmConfigTemplate", "  template:\n    spec:\n      joinConfiguration:\n",
               "        timeouts: {discoverySeconds: 3}\n        nodeRegistration:\n          kubeletExtraArgs: [{name: v, vlaue: '4'}]\n") == "9 schema.unknown-field\n");
}

TEST_CASE("config::read_user_data carries the files that a join may name") {
  const std::string files = "#cloud-config\nwrite_files:\n- {path: /a.conf, content: x}\n- path: /j\n  content: |\n    apiVersion: kubeadm.k8s.io/v1beta4\n    kind: JoinConfiguration\n    discovery: ";
  CHECK(read(files + "{file: {kubeConfigPath: /a.conf}}\n").loaded.config.carried.at("/a.conf").expose() == "x");
  CHECK(read(files + "{bootstrapToken: {token: abcdef.0123456789abcdef, apiServerEndpoint: 'a:1', unsafeSkipCAVerification: true}}\n").loaded.config.carried.empty());
}

TEST_CASE("config::read_user_data of several files: each mistake is told of its own file, in their order") {
  const std::string first = "# a site\n" + replace_all(kJoin, "caCertHashes", "caCertHash"), second = "apiVersion: kubejoin/v1alpha1\nkind: FirstBoot\nwait: {for: Ready}\n";
  const std::string third = "#cloud-config\nwrite_files:\n- path: /x\n  content: |\n    apiVersion: kubejoin/v1alpha1\n    kind: [FirstBoot\n";
  const TextFile files[] = {{"/etc/b.yaml", first}, {"/run/a.yaml", second}, {"/etc/c.yaml", third}, {"/etc/d.yaml", "no: [document"}, {"/etc/e.yaml", "# nothing\n\n"}};
  const UserData wrong = read_user_data(files, nullptr, {}, {.hostname = "host-1"});
  INFO(whole_text(wrong.loaded.errors));
  std::string places;
  for (const Error& e : wrong.loaded.errors) places += e.place.file + ":" + std::to_string(e.place.line) + " " + e.id + "\n";
  CHECK(places == "/etc/b.yaml:8 schema.unknown-field\n/run/a.yaml:3 schema.enum\n/etc/c.yaml:6 yaml.unclosed\n/etc/d.yaml:0 config.no-document\n");
  // What is good in itself is one configuration.
  const TextFile good[] = {{"/etc/b.yaml", kJoin}, {"/run/a.yaml", "apiVersion: kubejoin/v1alpha1\nkind: FirstBoot\nwait: {for: ready}"}};
  const UserData both = read_user_data(good, nullptr, {}, {.hostname = "host-1"});
  CHECK(ids(both.loaded.errors) == "");
  CHECK(both.loaded.config.first_boot.wait_for == WaitFor::ready);
  CHECK(both.loaded.config.token_discovery->endpoints.front() == "192.0.2.10:6443");
  CHECK(both.documents.size() == 2);
}

TEST_CASE("config::read_user_data resolves templates only with an instance's names") {
  const std::string text = "## template: jinja\n" + kJoin + "nodeRegistration: {name: '{{ v1.local_hostname }}'}\n";
  const parse::Variables variables = {{"v1.local_hostname", "ip-10-0-0-7"}};
  CHECK(read(text, &variables).loaded.config.node_name == "ip-10-0-0-7");
  CHECK(read(text).loaded.errors.empty());
  const parse::Variables none;
  CHECK(ids(read(text, &none).loaded.errors) == "jinja.unknown-name");
  // Jinja comes first, and does not know that YAML doubles a quote: cloud-init refuses it, too.
  const UserData doubled =
      read("## template: jinja\n" + kJoin + "nodeRegistration: {name: '{{ ds.meta_data.name | default(''x'') }}'}\n");
  REQUIRE(ids(doubled.loaded.errors) == "jinja.unsupported");
  CHECK(doubled.loaded.errors[0].hint.find("default(\"x\")") != std::string::npos);
}

TEST_CASE("config::explain shows every value with its origin, and no secret") {
  const UserData given = read(
      kJoin + "  tlsBootstrapToken: fedcba.fedcba9876543210\nnodeRegistration:\n  name: Worker-1\n  taints: [{key: a, "
              "value: b, effect: NoExecute}, {key: c, effect: NoSchedule}]\n  kubeletExtraArgs: [{name: v, value: "
              "'4'}]\n---\napiVersion: kubejoin/v1alpha1\nkind: FirstBoot\ntoken: {from: "
              "'https://u:OPENSESAME@vault.example.com/t?sig=OPENSESAME'}\nnode: {labels: {zone: a}}\nwait: {for: ready, "
              "timeout: 15m}\n");
  INFO(whole_text(given.loaded.errors));
  REQUIRE(given.loaded.errors.empty());
  const std::string text = explain(given.loaded);
  INFO(text);
  const auto says = [&](const std::string& path, const std::string& value, const std::string& origin) {
    CAPTURE(path);
    const auto at = text.find(path + ": " + value + " ");
    REQUIRE(at != std::string::npos);
    CHECK(text.substr(at, text.find('\n', at) - at).ends_with(" # " + origin));
  };
  says("discovery.bootstrapToken.token", "abcdef.…", "user-data line 5");
  says("discovery.bootstrapToken.apiServerEndpoint", "192.0.2.10:6443", "user-data line 6");
  says("discovery.bootstrapToken.unsafeSkipCAVerification", "false", "default");
  says("discovery.tlsBootstrapToken", "fedcba.…", "user-data line 8");
  says("nodeRegistration.name", "worker-1", "user-data line 10");
  says("nodeRegistration.taints", "[a=b:NoExecute, c:NoSchedule]", "user-data line 11");
  says("nodeRegistration.kubeletExtraArgs", "[v=4]", "user-data line 12");
  says("caCertPath", "/etc/kubernetes/pki/ca.crt", "default");
  says("timeouts.tlsBootstrap", "5m0s", "default");
  says("FirstBoot.token.from", "https://vault.example.com/t", "user-data line 16");
  says("FirstBoot.node.labels", "[zone=a]", "user-data line 17");
  says("FirstBoot.wait.for", "ready", "user-data line 18");
  says("FirstBoot.wait.timeout", "15m0s", "user-data line 18");
  says("FirstBoot.start.jitter", "0s", "default");
  for (const char* secret : {"OPENSESAME", "0123456789abcdef ", "fedcba9876543210"})
    CHECK(text.find(secret) == std::string::npos);
}

TEST_CASE("config::explain knows every field that has an origin") {
  const std::string first_boot = "---\n" + read_file("schemas/examples/firstboot-v1alpha1.yaml");
  for (const char* version : {"v1alpha1", "v1alpha2", "v1alpha3", "v1beta1", "v1beta2", "v1beta3", "v1beta4", "v1"}) {
    CAPTURE(version);
    const std::string join = read_file("schemas/examples/" + std::string(version) + ".yaml");
    std::string beside = first_boot;
    if (const std::string ip = "  ip:\n    cidr: 10.0.0.0/8\n"; join.find("node-ip") != join.npos) {
      REQUIRE(beside.find(ip) != beside.npos);  // an address is said once
      beside.erase(beside.find(ip), ip.size());
    }
    const UserData given = read(join + beside);
    INFO(whole_text(given.loaded.errors));
    REQUIRE(given.loaded.errors.empty());
    CHECK(explain(given.loaded).find(": ?") == std::string::npos);
    CHECK(explain(given.loaded).find("nodeRegistration.name: ") != std::string::npos);
  }
}

TEST_CASE("parse::path_at finds the field of a place") {
  const auto documents = documents_of(
      "apiVersion: a\ndiscovery:\n  bootstrapToken:\n    token: x\nnodeRegistration:\n  taints:\n  - effect: y\n    "
      "key: z\n");
  const auto at = [&](int line, int column, bool outermost = false) {
    return parse::path_at(documents[0], {.file = "join.yaml", .line = line, .column = column}, outermost);
  };
  CHECK(at(4, 12) == "discovery.bootstrapToken.token");
  CHECK(at(4, 5) == "discovery.bootstrapToken.token");
  CHECK(at(3, 3) == "discovery.bootstrapToken");
  CHECK(at(7, 5) == "nodeRegistration.taints[0].effect");
  CHECK(at(7, 5, true) == "nodeRegistration.taints[0]");
  CHECK(at(8, 10) == "nodeRegistration.taints[0].key");
  CHECK(at(1, 1, true) == "");
  CHECK(at(1, 1) == "apiVersion");
  CHECK(at(9, 9) == "");
  CHECK(parse::path_at(documents[0], {.file = "other.yaml", .line = 4, .column = 12}, false) == "");
}
