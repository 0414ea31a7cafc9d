// The version table, its one-step upgrades, and the examples that people copy.
#include <fstream>
#include <iterator>
#include <memory>

#include "../test.h"
#include "base/text.h"
#include "schema/schema.h"

using namespace kubejoin;
using schema::find_version;
using schema::upgrade;

namespace {

parse::Document read(const std::string& yaml) {
  auto source = std::make_shared<parse::Source>();
  source->file = "join.yaml";
  source->text = yaml;
  parse::Yaml documents = parse::read_yaml(source);
  REQUIRE(documents.errors.empty());
  REQUIRE(documents.documents.size() == 1);
  return documents.documents[0];
}

std::string newest(const std::string& version, const std::string& fields) {
  const std::string kind = version == "v1alpha1" || version == "v1alpha2" ? "NodeConfiguration" : "JoinConfiguration";
  const auto document = read("apiVersion: kubeadm.k8s.io/" + version + "\nkind: " + kind + "\n" + fields);
  const schema::Version* from = find_version(document.api_version(), document.kind());
  REQUIRE(from);
  REQUIRE(schema::check(document, *from, {}).errors.empty());
  parse::Value root = upgrade(document, *from).root;
  REQUIRE(root.members.size() >= 2);
  root.members.erase(root.members.begin(), root.members.begin() + 2);  // apiVersion and kind are the user's
  return parse::to_json(root);
}

}  // namespace

TEST_CASE("schema::versions") {
  CHECK(schema::versions().size() == 9);
  CHECK(find_version("kubeadm.k8s.io/v1alpha1", "NodeConfiguration")->name == "v1alpha1");
  CHECK(find_version("kubeadm.k8s.io/v1beta4", "JoinConfiguration")->note == "");
  CHECK((find_version("kubeadm.k8s.io/v1", "JoinConfiguration")->upgrade == nullptr));
  CHECK((find_version("kubejoin/v1alpha1", "FirstBoot")->upgrade == nullptr));
  CHECK_FALSE(find_version("kubeadm.k8s.io/v1alpha1", "JoinConfiguration"));
  CHECK_FALSE(find_version("kubeadm.k8s.io/v1beta5", "JoinConfiguration"));
  CHECK_FALSE(find_version("", ""));
}

TEST_CASE("schema::upgrade") {
  struct Row {
    const char* version;
    const char* fields;
    const char* newest;
  };
  const Row rows[] = {
      // v1alpha1: names move into nodeRegistration, the flat discovery becomes a tree.
      {"v1alpha1", "nodeName: n\ncriSocket: /s",
       R"({"nodeRegistration":{"name":"n","criSocket":"/s"},"discovery":{}})"},
      {"v1alpha1",
       "discoveryToken: abcdef.0123456789abcdef\ndiscoveryTokenAPIServers: "
       "['a:1']\ndiscoveryTokenUnsafeSkipCAVerification: true",
       R"({"discovery":{"bootstrapToken":{"token":"abcdef.0123456789abcdef","apiServerEndpoint":"a:1","unsafeSkipCAVerification":true}}})"},
      {"v1alpha1", "discoveryTokenAPIServers: ['a:1', 'b:1']\ndiscoveryTimeout: 1m",
       R"({"discovery":{"bootstrapToken":{"apiServerEndpoint":["a:1","b:1"]}},"timeouts":{"discovery":"1m"}})"},
      {"v1alpha1", "clusterName: c\nfeatureGates: {CoreDNS: true}\ncaCertPath: /ca.crt",
       R"({"clusterName":"c","featureGates":{"CoreDNS":true},"caCertPath":"/ca.crt","discovery":{}})"},
      // `token` fills what is empty; with a file it is no discovery token.
      {"v1alpha1", "token: abcdef.0123456789abcdef",
       R"({"discovery":{"bootstrapToken":{"token":"abcdef.0123456789abcdef"},"tlsBootstrapToken":"abcdef.0123456789abcdef"}})"},
      {"v1alpha1", "token: abcdef.0123456789abcdef\ntlsBootstrapToken: fedcba.0123456789abcdef",
       R"({"discovery":{"bootstrapToken":{"token":"abcdef.0123456789abcdef"},"tlsBootstrapToken":"fedcba.0123456789abcdef"}})"},
      {"v1alpha1", "token: abcdef.0123456789abcdef\ndiscoveryFile: /f",
       R"({"discovery":{"file":{"kubeConfigPath":"/f"},"tlsBootstrapToken":"abcdef.0123456789abcdef"}})"},
      {"v1alpha1", "discoveryFile: /f\ndiscoveryToken: abcdef.0123456789abcdef",
       R"({"discovery":{"bootstrapToken":{"token":"abcdef.0123456789abcdef"},"file":{"kubeConfigPath":"/f"}}})"},
      // A dump of kubeadm 1.10 says everything, empty or not.
      {"v1alpha1",
       "discoveryFile: /f\ndiscoveryToken: ''\ndiscoveryTokenAPIServers: ['a:1']\ndiscoveryTokenCACertHashes: "
       "[]\ntoken: ''\ndiscoveryTokenUnsafeSkipCAVerification: false",
       R"({"discovery":{"file":{"kubeConfigPath":"/f"}}})"},
      {"v1alpha1", "discoveryFile: \nnodeName: null", R"({"discovery":{}})"},
      // v1alpha2, v1alpha3: a control plane stays visible, what belongs to none goes.
      {"v1alpha2", "controlPlane: true\nadvertiseAddress: 1.2.3.4\nbindPort: 6443",
       R"({"discovery":{},"controlPlane":{"localAPIEndpoint":{"advertiseAddress":"1.2.3.4","bindPort":6443}}})"},
      {"v1alpha3", "controlPlane: false\napiEndpoint: {advertiseAddress: '', bindPort: 0}", R"({"discovery":{}})"},
      {"v1alpha2", "nodeRegistration: {name: n, kubeletExtraArgs: {v: '4', a: b}}",
       R"({"nodeRegistration":{"name":"n","kubeletExtraArgs":[{"name":"a","value":"b"},{"name":"v","value":"4"}]},"discovery":{}})"},
      // v1beta3 to v1beta4: the timeout moves, arguments become a sorted list.
      {"v1beta1", "discovery: {file: {kubeConfigPath: /f}, timeout: 3m}",
       R"({"discovery":{"file":{"kubeConfigPath":"/f"}},"timeouts":{"discovery":"3m"}})"},
      {"v1beta3", "discovery: {}\nnodeRegistration: {kubeletExtraArgs: {}}",
       R"({"discovery":{},"nodeRegistration":{"kubeletExtraArgs":[]}})"},
      {"v1beta4", "discovery: {}\nnodeRegistration: {kubeletExtraArgs: [{name: v, value: '4'}, {name: a, value: b}]}",
       R"({"discovery":{},"nodeRegistration":{"kubeletExtraArgs":[{"name":"v","value":"4"},{"name":"a","value":"b"}]}})"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.version);
    CAPTURE(row.fields);
    CHECK(newest(row.version, row.fields) == std::string(row.newest));
  }
}

TEST_CASE("schema::upgrade keeps marks") {
  const auto document = read(
      "apiVersion: kubeadm.k8s.io/v1alpha1\nkind: NodeConfiguration\ntoken: abcdef.0123456789abcdef\nnodeName: n\n");
  const auto newest = upgrade(document, *find_version(document.api_version(), document.kind()));
  CHECK(newest.root.at("/nodeRegistration/name")->mark.line == 4);
  CHECK(newest.root.at("/nodeRegistration/name")->mark.column == 11);
  CHECK(newest.root.at("/discovery/bootstrapToken/token")->mark.line == 3);
  CHECK(newest.root.at("/discovery/tlsBootstrapToken")->mark.line == 3);
  CHECK(newest.root.at("/discovery")->mark.line == 1);
}

TEST_CASE("schema::spelling") {
  const auto spell = [](const char* version, const char* path) {
    for (const schema::Version& v : schema::versions())
      if (v.name == version) return schema::spelling(v, path);
    return std::string("no such version");
  };
  CHECK(spell("v1alpha1", "discovery.bootstrapToken.token") == "discoveryToken");
  CHECK(spell("v1alpha1", "discovery.bootstrapToken.caCertHashes[2]") == "discoveryTokenCACertHashes[2]");
  CHECK(spell("v1alpha1", "nodeRegistration.name") == "nodeName");
  CHECK(spell("v1alpha2", "nodeRegistration.name") == "nodeRegistration.name");
  CHECK(spell("v1alpha3", "timeouts.discovery") == "discoveryTimeout");
  CHECK(spell("v1beta3", "timeouts.discovery") == "discovery.timeout");
  CHECK(spell("v1beta4", "timeouts.discovery") == "timeouts.discovery");
  CHECK(spell("v1beta4", "discovery.bootstrapToken.token") == "discovery.bootstrapToken.token");
  CHECK(spell("v1alpha1", "nodeRegistration.names") == "nodeRegistration.names");
  CHECK(spell("firstboot-v1alpha1", "node.name") == "node.name");
}

namespace {

// Fields of a schema that do not stand in the value.
void collect_absent(const schema::Version& version, const parse::Value& schema, const parse::Value& value,
                    const std::string& path, std::vector<std::string>& into) {
  const parse::Value* properties = schema.find("properties");
  if (!properties) return;
  for (const auto& property : properties->members) {
    const std::string here = path + "/" + property.key;
    const parse::Value* inner = value.find(property.key);
    if (!inner)
      into.push_back(here);
    else if (inner->type == parse::Type::list && !inner->items.empty() && property.value.find("items"))
      collect_absent(version, *property.value.find("items"), inner->items[0], here, into);
    else if (inner->type == parse::Type::map)
      collect_absent(version, property.value, *inner, here, into);
  }
}

}  // namespace

TEST_CASE("schemas/examples are valid and show every field of a worker") {
  for (const schema::Version& version : schema::versions()) {
    CAPTURE(version.name);
    std::ifstream file("schemas/examples/" + std::string(version.name) + ".yaml");
    REQUIRE(file);
    const auto document = read({std::istreambuf_iterator<char>(file), {}});
    CHECK(find_version(document.api_version(), document.kind()) == &version);
    const auto verdict = schema::check(document, version, {});
    for (const auto* list : {&verdict.errors, &verdict.unknown_fields, &verdict.warnings})
      for (const Error& error : *list) FAIL_CHECK(error.message);

    std::vector<std::string> absent;
    const auto schema = read(std::string(schema::schema_text(version)));
    collect_absent(version, schema.root, document.root, "", absent);
    std::erase_if(absent, [](const std::string& path) {
      return path.starts_with("/controlPlane") || path.ends_with("/timeAdded") || path.ends_with("/taints/value") ||
             path == "/advertiseAddress" || path == "/discovery/file" || path == "/discoveryFile" ||
             path.starts_with("/featureGates/");
    });
    if (version.name == "v1") continue;  // shows what is new in it
    CHECK(join(absent, " ") == "");
  }
}
