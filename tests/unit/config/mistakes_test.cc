// What users get wrong, and what they are told: one mistake, one error, at its place, with what to write instead
// (spec/peers.md C: the threads behind most rows).
#include "loading.h"

using namespace kubejoin;
using namespace kubejoin::config;

#define PIN "sha256:8dca61852aa6fea3a8c70ca5429a7aa560676bd3925d1f67f7a34d1ee5671fa4"
#define HEAD(version, kind) "apiVersion: kubeadm.k8s.io/" version "\nkind: " kind "\n"
#define V1BETA4 HEAD("v1beta4", "JoinConfiguration")
#define V1BETA3 HEAD("v1beta3", "JoinConfiguration")
#define V1ALPHA1 HEAD("v1alpha1", "NodeConfiguration")
#define TOKEN "    token: abcdef.0123456789abcdef\n"
#define ENDPOINT "    apiServerEndpoint: 192.0.2.10:6443\n"
#define HASHES "    caCertHashes: [\"" PIN "\"]\n"
#define BOOT "discovery:\n  bootstrapToken:\n"
#define GOOD BOOT TOKEN ENDPOINT HASHES  // lines 3 to 7
#define FLAT                                                                                                          \
  "token: abcdef.0123456789abcdef\ndiscoveryTokenAPIServers: ['192.0.2.10:6443']\ndiscoveryTokenCACertHashes: ['" PIN \
  "']\n"                                                                                // lines 3 to 5
#define FIRSTBOOT V1BETA4 GOOD "---\napiVersion: kubejoin/v1alpha1\nkind: FirstBoot\n"  // the next line is 11

namespace {

struct Mistake {
  const char* name;
  const char* yaml;
  const char* id;
  int line, column;
  const char* says;  // part of "message; hint"
};

const Mistake kMistakes[] = {
    // ---- names of fields
    {"wrong case", V1BETA4 BOOT TOKEN "    apiserverEndpoint: 192.0.2.10:6443\n" HASHES, "schema.unknown-field", 6, 5,
     "unknown field \"apiserverEndpoint\" in discovery.bootstrapToken (did you mean \"apiServerEndpoint\"?)"},
    {"Go's case", V1BETA4 BOOT TOKEN "    APIServerEndpoint: 192.0.2.10:6443\n" HASHES, "schema.unknown-field", 6, 5,
     "did you mean \"apiServerEndpoint\"?"},
    {"a flag's spelling", V1BETA4 BOOT TOKEN ENDPOINT "    ca-cert-hashes: ['" PIN "']\n", "schema.unknown-field", 7, 5,
     "did you mean \"caCertHashes\"?"},
    {"misspelt token", V1BETA4 BOOT "    tokn: abcdef.0123456789abcdef\n" ENDPOINT HASHES, "schema.unknown-field", 5, 5,
     "did you mean \"token\"?"},
    {"kubespray#3045: capital in v1alpha1",
     V1ALPHA1 "token: abcdef.0123456789abcdef\ndiscoveryTokenAPIServers: ['a:1']\nDiscoveryTokenCACertHashes: ['" PIN
              "']\n",
     "schema.unknown-field", 5, 1,
     "unknown field \"DiscoveryTokenCACertHashes\" in NodeConfiguration (did you mean "
     "\"discoveryTokenCACertHashes\"?)"},
    {"misspelt discovery", V1BETA4 "discovry:\n  file: {kubeConfigPath: /x}\n", "schema.unknown-field", 3, 1,
     "did you mean \"discovery\"?"},
    {"misspelt kubeConfigPath", V1BETA4 "discovery:\n  file: {kubeconfigPath: /x}\n", "schema.unknown-field", 4, 10,
     "did you mean \"kubeConfigPath\"?"},
    {"indented too little", V1BETA4 GOOD "kubeletExtraArgs: []\n", "schema.unknown-field", 8, 1,
     "it belongs here: nodeRegistration.kubeletExtraArgs"},
    {"v1alpha1's field in v1beta4", V1BETA4 GOOD "nodeName: x\n", "schema.unknown-field", 8, 1,
     "it is a field of v1alpha1; in v1beta4 it is nodeRegistration.name"},
    {"a flat discovery field in v1beta4", V1BETA4 GOOD "discoveryTokenAPIServers: [a:1]\n", "schema.unknown-field", 8,
     1, "it is a field of v1alpha1 to v1alpha3; in v1beta4 it is discovery.bootstrapToken.apiServerEndpoint"},
    {"v1beta3's timeout in v1beta4", V1BETA4 GOOD "  timeout: 5m\n", "schema.unknown-field", 8, 3,
     "it is a field of v1beta1 to v1beta3; in v1beta4 it is timeouts.discovery"},
    {"v1beta4's timeouts in v1beta3", V1BETA3 GOOD "timeouts: {discovery: 1m}\n", "schema.unknown-field", 8, 1,
     "it is a field of v1beta4 and v1; change apiVersion, or remove it"},
    {"a field of nothing", V1BETA4 GOOD "spec: {}\n", "schema.unknown-field", 8, 1,
     "known here: apiVersion, kind, discovery, nodeRegistration"},

    // ---- types
    {"one pin is no list", V1BETA4 BOOT TOKEN ENDPOINT "    caCertHashes: " PIN "\n", "schema.type", 7, 19,
     "discovery.bootstrapToken.caCertHashes must be a list, not a string; write it as a list: caCertHashes: [\"" PIN
     "\"]"},
    {"pins with commas", V1BETA4 BOOT TOKEN ENDPOINT "    caCertHashes: " PIN "," PIN "\n", "schema.type", 7, 19,
     "caCertHashes: [\"" PIN "\", \"" PIN "\"]"},
    {"arguments as a map in v1beta4", V1BETA4 GOOD "nodeRegistration:\n  kubeletExtraArgs:\n    v: \"4\"\n",
     "schema.type", 10, 5,
     "nodeRegistration.kubeletExtraArgs must be a list, not a map; write kubeletExtraArgs: [{name: \"node-ip\", value: "
     "\"10.0.0.7\"}]; a map is the form of v1alpha2 to v1beta3"},
    {"arguments as a list in v1beta3",
     V1BETA3 GOOD "nodeRegistration:\n  kubeletExtraArgs:\n  - {name: v, value: \"4\"}\n", "schema.type", 10, 3,
     "must be a map, not a list; write kubeletExtraArgs: {node-ip: \"10.0.0.7\"}; a list is the form of v1beta4 and "
     "v1"},
    {"an argument that is a number", V1BETA3 GOOD "nodeRegistration:\n  kubeletExtraArgs: {v: 4}\n", "schema.type", 9,
     25, "nodeRegistration.kubeletExtraArgs.v must be a string, not a number; quote it: v: \"4\""},
    {"an argument that is an octal number", V1BETA3 GOOD "nodeRegistration:\n  kubeletExtraArgs: {umask: 0777}\n",
     "schema.type", 9, 29, "quote it: umask: \"0777\" (unquoted, kubeadm reads it as the octal number 511)"},
    {"an argument that is a boolean", V1BETA3 GOOD "nodeRegistration:\n  kubeletExtraArgs: {fail-swap-on: false}\n",
     "schema.type", 9, 36, "quote it: fail-swap-on: \"false\""},
    {"an argument without a value", V1BETA3 GOOD "nodeRegistration:\n  kubeletExtraArgs:\n    x:\n", "schema.type", 10,
     5, "write x: \"\" for an empty text"},
    {"a quoted boolean", V1BETA4 GOOD "    unsafeSkipCAVerification: \"true\"\n", "schema.type", 8, 31,
     "must be true or false, not a string; remove the quotes: unsafeSkipCAVerification: true"},
    {"1 for true", V1BETA4 GOOD "dryRun: 1\n", "schema.type", 8, 9, "dryRun must be true or false, not a number"},
    {"a path where a map is", V1BETA4 "discovery:\n  file: /etc/discovery.conf\n", "schema.type", 4, 9,
     "write file: {kubeConfigPath: \"/etc/kubernetes/discovery.conf\"}"},
    {"a dash too much", V1BETA4 "discovery:\n- bootstrapToken: {}\n", "schema.type", 4, 1,
     "discovery must be a map, not a list"},
    {"taints as kubectl has them", V1BETA4 GOOD "nodeRegistration:\n  taints:\n  - dedicated=gpu:NoSchedule\n",
     "schema.type", 10, 5, "write - {key: \"dedicated\", value: \"gpu\", effect: \"NoSchedule\"}"},
    {"taints: {}", V1BETA4 GOOD "nodeRegistration: {taints: {}}\n", "schema.type", 8, 28,
     "nodeRegistration.taints must be a list, not a map"},
    {"a duration without unit", V1BETA4 GOOD "timeouts: {discovery: 300}\n", "schema.type", 8, 23,
     "timeouts.discovery must be a string, not a number; write discovery: \"5m0s\""},
    {"a list for a token", V1BETA4 BOOT "    token: [abcdef.0123456789abcdef]\n" ENDPOINT HASHES, "schema.type", 5, 12,
     "discovery.bootstrapToken.token must be a string, not a list"},
    {"a number for a name", V1BETA4 GOOD "nodeRegistration: {name: 0123}\n", "schema.type", 8, 26,
     "quote it: name: \"0123\""},

    // ---- what is missing
    {"no discovery at all", V1BETA4, "schema.required", 1, 1,
     "discovery is required; write discovery: {bootstrapToken: {apiServerEndpoint: \"192.0.2.10:6443\""},
    {"an empty discovery", V1BETA4 "discovery: {}\n", "config.discovery-missing", 3, 1,
     "discovery: bootstrapToken or file must be set"},
    {"no token", V1BETA4 BOOT ENDPOINT HASHES, "config.token-missing", 4, 3,
     "discovery.bootstrapToken.token: the bootstrap token is invalid: there is none; kubeadm token create makes one"},
    {"nothing after token:", V1BETA4 BOOT "    token:\n" ENDPOINT HASHES, "config.token-missing", 5, 5,
     "there is none"},
    {"no endpoint", V1BETA4 BOOT TOKEN HASHES, "config.endpoint-missing", 4, 3,
     "discovery.bootstrapToken.apiServerEndpoint: APIServerEndpoint is not set; write the address of the API server, "
     "host:port"},
    {"no pins", V1BETA4 BOOT TOKEN ENDPOINT, "config.pins-missing", 4, 3,
     "using token-based discovery without caCertHashes can be unsafe"},
    {"an empty list of pins", V1BETA4 BOOT TOKEN ENDPOINT "    caCertHashes: []\n", "config.pins-missing", 7, 5,
     "better, pin the CA; on a control plane: openssl x509"},
    {"no servers in v1alpha1", V1ALPHA1 "token: abcdef.0123456789abcdef\ndiscoveryTokenCACertHashes: ['" PIN "']\n",
     "config.endpoint-missing", 1, 1, "discoveryTokenAPIServers not set"},
    {"nothing in v1alpha1", V1ALPHA1 "nodeName: x\n", "config.discovery-missing", 1, 1,
     "discoveryToken or discoveryFile must be set"},
    {"a file without its path", V1BETA4 "discovery:\n  file: {}\n", "schema.required", 4, 3,
     "discovery.file.kubeConfigPath is required; write kubeConfigPath: \"/etc/kubernetes/discovery.conf\""},
    {"an empty path", V1BETA4 "discovery:\n  file: {kubeConfigPath: ''}\n", "config.kubeconfig-path", 4, 26,
     "it is empty"},
    {"a taint without a key", V1BETA4 GOOD "nodeRegistration:\n  taints:\n  - effect: NoExecute\n", "schema.required",
     10, 5, "nodeRegistration.taints[0].key is required; write key: \"dedicated\""},
    {"an argument without a name", V1BETA4 GOOD "nodeRegistration:\n  kubeletExtraArgs:\n  - value: x\n",
     "schema.required", 10, 5, "nodeRegistration.kubeletExtraArgs[0].name is required"},

    // ---- what excludes what
    {"token and file", V1BETA4 GOOD "  file: {kubeConfigPath: /x}\n", "config.discovery-both", 3, 1,
     "discovery: bootstrapToken and file cannot both be set"},
    {"token and file in v1alpha1", V1ALPHA1 "discoveryToken: abcdef.0123456789abcdef\ndiscoveryFile: /x\n",
     "config.discovery-both", 1, 1, "discoveryToken and discoveryFile cannot both be set"},
    {"file and pins in v1alpha1",
     V1ALPHA1 "discoveryFile: /x\ntlsBootstrapToken: abcdef.0123456789abcdef\ndiscoveryTokenCACertHashes: ['" PIN
              "']\n",
     "config.discovery-both", 1, 1, "discoveryTokenCACertHashes cannot be used with discoveryFile"},
    {"all and others", V1BETA4 GOOD "nodeRegistration:\n  ignorePreflightErrors: [Swap, all]\n",
     "config.ignore-preflight", 9, 3, "don't specify individual checks if 'all' is used"},
    {"a control plane", V1BETA4 GOOD "controlPlane: {}\n", "config.control-plane", 8, 1,
     "controlPlane: kubejoin joins workers only"},
    {"a control plane in v1alpha2", HEAD("v1alpha2", "NodeConfiguration") FLAT "controlPlane: true\n",
     "config.control-plane", 6, 15, "kubejoin joins workers only"},

    // ---- contents
    {"a token in capitals", V1BETA4 BOOT "    token: ABCDEF.0123456789abcdef\n" ENDPOINT HASHES, "config.token", 5, 12,
     "the bootstrap token is invalid: upper case is not allowed"},
    {"half a token", V1BETA4 BOOT "    token: abcdef.0123456789\n" ENDPOINT HASHES, "config.token", 5, 12,
     "this one has 6 before the dot and 10 after it"},
    {"a token with its line break", V1BETA4 BOOT "    token: |\n      abcdef.0123456789abcdef\n" ENDPOINT HASHES,
     "config.token", 5, 12, "white space or a line break is around it"},
    {"a wrong tlsBootstrapToken", V1BETA4 GOOD "  tlsBootstrapToken: foo\n", "config.token", 8, 22,
     "discovery.tlsBootstrapToken: the bootstrap token is invalid"},
    {"a wrong token in v1alpha1",
     V1ALPHA1 "discoveryToken: abc\ntlsBootstrapToken: abcdef.0123456789abcdef\ndiscoveryTokenAPIServers: "
              "['a:1']\ndiscoveryTokenCACertHashes: ['" PIN "']\n",
     "config.token", 3, 17, "discoveryToken: the bootstrap token is invalid"},
    {"a wrong token for both in v1alpha1",
     V1ALPHA1 "token: abc\ndiscoveryTokenAPIServers: ['a:1']\ndiscoveryTokenCACertHashes: ['" PIN "']\n",
     "config.token", 3, 8, "token: the bootstrap token is invalid"},
    {"a URL for an endpoint", V1BETA4 BOOT TOKEN "    apiServerEndpoint: https://192.0.2.10:6443\n" HASHES,
     "config.endpoint", 6, 24, "write 192.0.2.10:6443"},
    {"no port", V1BETA4 BOOT TOKEN "    apiServerEndpoint: 192.0.2.10\n" HASHES, "config.endpoint", 6, 24,
     "missing port in address: \"192.0.2.10\"; write 192.0.2.10:6443"},
    {"IPv6 without brackets", V1BETA4 BOOT TOKEN "    apiServerEndpoint: 2001:db8::1\n" HASHES, "config.endpoint", 6,
     24, "write [2001:db8::1]:6443"},
    {"the second server",
     V1ALPHA1 "token: abcdef.0123456789abcdef\ndiscoveryTokenAPIServers: ['a:1', b]\ndiscoveryTokenCACertHashes: ['" PIN
              "']\n",
     "config.endpoint", 4, 35, "discoveryTokenAPIServers[1]: missing port in address"},
    {"the documentation's pin", V1BETA4 BOOT TOKEN ENDPOINT "    caCertHashes: ['sha256:1234..cdef']\n", "config.pin",
     7, 20, "discovery.bootstrapToken.caCertHashes[0]: invalid discovery token CA certificate hash"},
    {"a pin without its type",
     V1BETA4 BOOT TOKEN ENDPOINT
     "    caCertHashes:\n    - 8dca61852aa6fea3a8c70ca5429a7aa560676bd3925d1f67f7a34d1ee5671fa4\n",
     "config.pin", 8, 7, "write \"" PIN "\""},
    {"two pins in one text", V1BETA4 BOOT TOKEN ENDPOINT "    caCertHashes: ['" PIN "," PIN "']\n", "config.pin", 7, 20,
     "make each an item of its own"},
    {"k/k#99194: _ in a node name", V1BETA4 GOOD "nodeRegistration: {name: node_1}\n", "config.node-name", 8, 26,
     "\"node-1\" would be one"},
    {"k3s#10794: 64 characters",
     V1BETA4 GOOD "nodeRegistration: {name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n",
     "config.node-name", 8, 26, "more than 63 characters"},
    {"a relative socket", V1BETA4 GOOD "nodeRegistration: {criSocket: run/x.sock}\n", "config.cri-socket", 8, 31,
     "is not the absolute path of a socket"},
    {"a socket over TCP", V1BETA4 GOOD "nodeRegistration: {criSocket: 'tcp://1.2.3.4:5'}\n", "config.cri-socket", 8, 31,
     "only URL scheme \"unix\" is supported, got \"tcp\""},
    {"a relative caCertPath", V1BETA4 GOOD "caCertPath: relativepath\n", "config.ca-cert-path", 8, 13,
     "the ca certificate path must be an absolute path"},
    {"a discovery file over http", V1BETA4 "discovery:\n  file: {kubeConfigPath: 'http://x/y'}\n",
     "config.kubeconfig-path", 4, 26, "if a URL is used, the scheme must be https"},
    {"a misspelt effect", V1BETA4 GOOD "nodeRegistration:\n  taints: [{key: a, effect: NoShedule}]\n", "schema.enum", 9,
     29,
     "nodeRegistration.taints[0].effect must be one of NoSchedule, PreferNoSchedule, NoExecute, not \"NoShedule\"; did "
     "you mean \"NoSchedule\"?"},
    {"a taint that is no label key", V1BETA4 GOOD "nodeRegistration:\n  taints: [{key: 'a b', effect: NoExecute}]\n",
     "config.label", 9, 18, "nodeRegistration.taints[0].key: \"a b\" is no qualified name"},
    {"a taint twice",
     V1BETA4 GOOD
     "nodeRegistration:\n  taints:\n  - {key: a, effect: NoExecute}\n  - {key: a, value: b, effect: NoExecute}\n",
     "config.taint", 11, 5, "a second taint a:NoExecute"},
    {"dashes before an argument", V1BETA4 GOOD "nodeRegistration:\n  kubeletExtraArgs: [{name: --v, value: '4'}]\n",
     "config.kubelet-arg", 9, 29, "\"--v\" begins with a dash; write v"},
    {"a role label for the kubelet",
     V1BETA3 GOOD "nodeRegistration:\n  kubeletExtraArgs:\n    node-labels: node-role.kubernetes.io/worker=\n",
     "config.label", 10, 18,
     "a kubelet may not give its own Node the label \"node-role.kubernetes.io/worker\"; it would refuse to start; "
     "after the join: kubectl label node NAME"},
    {"a duration of five", V1BETA4 GOOD "timeouts: {tlsBootstrap: '5'}\n", "config.duration", 8, 26,
     "timeouts.tlsBootstrap: \"5\" is no duration; write \"5s\""},
    {"no time", V1BETA3 GOOD "  timeout: 0s\n", "config.duration", 8, 12, "discovery.timeout: \"0s\" leaves no time"},
    {"an unknown gate", V1ALPHA1 FLAT "featureGates: {DynamicKubeletConfg: true}\n", "config.feature-gate", 6, 16,
     "unknown feature gate \"DynamicKubeletConfg\" (did you mean \"DynamicKubeletConfig\"?)"},
    {"a gate that is no boolean", V1ALPHA1 FLAT "featureGates: {CoreDNS: 'true'}\n", "schema.type", 6, 25,
     "remove the quotes: CoreDNS: true"},
    {"a relative folder of patches", V1BETA4 GOOD "patches: {directory: patches}\n", "config.path", 8, 22,
     "patches.directory: \"patches\" is not an absolute path"},
    {"a policy in lower case", V1BETA4 GOOD "nodeRegistration: {imagePullPolicy: always}\n", "schema.enum", 8, 37,
     "did you mean \"Always\"?"},
    {"a merge method",
     HEAD("v1", "JoinConfiguration") GOOD
     "nodeRegistration:\n  kubeletExtraArgs: [{name: v, value: '1', mergeMethod: apend}]\n",
     "schema.enum", 9, 57, "must be one of append, prepend"},

    // ---- documents
    {"a misspelt kind", HEAD("v1beta4", "JoinConfigration") GOOD, "config.kind", 2, 7,
     "unknown kind \"JoinConfigration\" of kubeadm.k8s.io/v1beta4; the kind of kubeadm.k8s.io/v1beta4 is "
     "JoinConfiguration"},
    {"the kind of another version", HEAD("v1alpha1", "JoinConfiguration") GOOD, "config.kind", 2, 7,
     "the kind of kubeadm.k8s.io/v1alpha1 is NodeConfiguration"},
    {"a version of tomorrow", HEAD("v1beta5", "JoinConfiguration") GOOD, "config.api-version", 1, 13,
     "unknown apiVersion \"kubeadm.k8s.io/v1beta5\" of kind JoinConfiguration; JoinConfiguration is read in "
     "kubeadm.k8s.io/v1alpha3"},
    {"no version", "apiVersion: kubeadm.k8s.io\nkind: JoinConfiguration\n" GOOD, "config.api-version", 1, 13,
     "unknown apiVersion \"kubeadm.k8s.io\""},
    {"a misspelt group", "apiVersion: kubeadm.k8s.o/v1beta4\nkind: JoinConfiguration\n" GOOD, "config.api-version", 1,
     13, "unknown apiVersion \"kubeadm.k8s.o/v1beta4\""},
    {"no kind", "apiVersion: kubeadm.k8s.io/v1beta4\n" GOOD, "config.document", 1, 1,
     "kind and apiVersion is mandatory information that must be specified"},
    {"no map", "- a\n", "config.document", 1, 1, "this document is no map of fields"},
    {"two join documents", V1BETA4 GOOD "---\n" V1ALPHA1 FLAT, "config.two-documents", 10, 7,
     "a second NodeConfiguration; the first is in join.yaml, line 1"},
    {"a foreign document", V1BETA4 GOOD "---\napiVersion: v1\nkind: Secret\n", "config.kind", 10, 7,
     "unknown kind \"Secret\" of apiVersion \"v1\""},
    {"no join document", "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n", "config.no-document", 0, 0,
     "no JoinConfiguration found in the supplied config"},

    // ---- FirstBoot
    {"capitals in wait.for", FIRSTBOOT "wait: {for: Ready}\n", "schema.enum", 11, 13,
     "wait.for must be one of identity, registered, ready, not \"Ready\"; did you mean \"ready\"?"},
    {"a misspelt bootstrap.by", FIRSTBOOT "bootstrap: {by: kublet}\n", "schema.enum", 11, 17,
     "did you mean \"kubelet\"?"},
    {"a number for jitter", FIRSTBOOT "start: {jitter: 30}\n", "schema.type", 11, 17, "write jitter: \"30s\""},
    {"a relative sentinel", FIRSTBOOT "result: {sentinel: run/x}\n", "config.path", 11, 20,
     "result.sentinel: \"run/x\" is not an absolute path"},
    {"the token itself in token.from", FIRSTBOOT "token: {from: abcdef.0123456789abcdef}\n", "config.token-from", 11,
     15, "this is a token itself"},
    {"a network for an address", FIRSTBOOT "node: {ip: 10.0.0.0/8}\n", "config.node-ip", 11, 12,
     "write {cidr: 10.0.0.0/8}"},
    {"no network", FIRSTBOOT "node: {ip: {cidr: 10.0.0.0}}\n", "config.node-ip", 11, 19,
     "node.ip.cidr: \"10.0.0.0\" is no network"},
    {"a label that is a number", FIRSTBOOT "node: {labels: {zone: 1}}\n", "schema.type", 11, 23,
     "node.labels.zone must be a string, not a number; quote it: zone: \"1\""},
    {"a label that is forbidden", FIRSTBOOT "node: {labels: {kubernetes.io/foo: a}}\n", "config.label", 11, 17,
     "write node.kubernetes.io/foo, or a prefix of your own"},
    {"a label value with blanks", FIRSTBOOT "node: {labels: {zone: a b}}\n", "config.label", 11, 23,
     "node.labels zone: \"a b\" is no label value"},
    {"FirstBoot twice", FIRSTBOOT "---\napiVersion: kubejoin/v1alpha1\nkind: FirstBoot\n", "config.two-documents", 13,
     7, "a second FirstBoot; the first is in join.yaml, line 9"},
};

}  // namespace

TEST_CASE("config::load: user mistakes") {
  CHECK(std::size(kMistakes) >= 40);
  for (const Mistake& mistake : kMistakes) {
    CAPTURE(mistake.name);
    const Loaded loaded = load_yaml(mistake.yaml);
    INFO(whole_text(loaded.errors));
    REQUIRE(loaded.errors.size() == 1);
    const Error& error = loaded.errors[0];
    CHECK(error.id == mistake.id);
    CHECK(error.kind == Kind::invalid);
    CHECK(error.place.file == "join.yaml");
    CHECK(error.place.line == mistake.line);
    CHECK(error.place.column == mistake.column);
    CHECK((error.message + "; " + error.hint).find(mistake.says) != std::string::npos);
    CHECK(error.message.find("0123456789") == std::string::npos);  // of no token, not even a wrong one
    CHECK(error.place.text.find("0123456789abcdef") == std::string::npos);
  }
}

namespace {

struct Warned {
  const char* name;
  const char* yaml;
  const char* id;
  int line, column;
  const char* says;
};

const Warned kWarned[] = {
    {"a token of digits", V1BETA4 BOOT "    token: 123456.1234567890123456\n" ENDPOINT HASHES, "schema.yaml-trap", 5,
     12,
     "discovery.bootstrapToken.token reads as a number in YAML; it is taken as the text it is, but kubeadm would "
     "refuse it; quote it: token: \"123456.…\""},
    {"yes", V1BETA4 GOOD "dryRun: yes\n", "schema.yaml-trap", 8, 9,
     "dryRun: yes is read as true, as kubeadm does; YAML 1.2 takes it for a text; write dryRun: true"},
    {"no pin", V1BETA4 BOOT TOKEN ENDPOINT "    unsafeSkipCAVerification: true\n", "config.unsafe", 7, 5,
     "whoever learns the token can impersonate the cluster"},
    {"an old format", V1BETA3 GOOD, "config.old-version", 1, 13,
     "apiVersion kubeadm.k8s.io/v1beta3: last read by kubeadm 1.36"},
    {"an experimental format", HEAD("v1", "JoinConfiguration") GOOD, "config.old-version", 1, 13,
     "experimental in kubeadm 1.37"},
    {"ClusterConfiguration", V1BETA4 GOOD "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n",
     "config.unused-document", 10, 7, "ClusterConfiguration is not used by a join"},
    {"KubeletConfiguration",
     V1BETA4 GOOD "---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n",
     "config.unused-document", 10, 7, "kubelet: {applyConfiguration: true}"},
    {"KubeProxyConfiguration",
     V1BETA4 GOOD "---\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n",
     "config.unused-document", 10, 7, "is not used by a join"},
    {"nothing to apply", FIRSTBOOT "kubelet: {applyConfiguration: true}\n", "config.nothing-to-apply", 11, 10,
     "there is no KubeletConfiguration"},
};

}  // namespace

TEST_CASE("config::load: what is read as it is meant, with a warning") {
  for (const Warned& row : kWarned) {
    CAPTURE(row.name);
    const Loaded loaded = load_yaml(row.yaml);
    INFO(whole_text(loaded.errors) << whole_text(loaded.warnings));
    CHECK(loaded.errors.empty());
    REQUIRE(loaded.warnings.size() == 1);
    CHECK(loaded.warnings[0].id == row.id);
    CHECK(loaded.warnings[0].place.line == row.line);
    CHECK(loaded.warnings[0].place.column == row.column);
    CHECK((loaded.warnings[0].message + "; " + loaded.warnings[0].hint).find(row.says) != std::string::npos);
  }
}

TEST_CASE("config::load: all mistakes at once, in the order of the text") {
  const Loaded loaded = load_yaml(V1BETA4
                                  "caCertPath: ca.crt\ndiscovery:\n  bootstrapToken:\n    token: nonsense\n    "
                                  "apiServerEndpoint: x\n    foo: 1\n    caCertHashes: [a, '" PIN
                                  "', b]\n"
                                  "nodeRegistration:\n  name: a_b\n  taints: [{key: a, effect: b}]\ndryRun: 7\n");
  CHECK(ids(loaded.errors) ==
        "config.ca-cert-path config.token config.endpoint schema.unknown-field config.pin config.pin config.node-name "
        "schema.enum schema.type");
}

TEST_CASE("config::load: unknown fields are warnings when it is not strict, as kubeadm has it") {
  const Loaded loaded = load_yaml(V1BETA4 GOOD "nodeRegistration: {nmae: x}\nfoo: 1\n", {}, false);
  CHECK(loaded.errors.empty());
  CHECK(ids(loaded.warnings) == "schema.unknown-field schema.unknown-field");
  CHECK(loaded.config.node_name == "host-1");
  // Then a misspelt field is missing, too.
  const Loaded missing = load_yaml(V1BETA4 BOOT TOKEN "    apiserverEndpoint: a:1\n" HASHES, {}, false);
  CHECK(ids(missing.errors) == "config.endpoint-missing");
  CHECK(ids(missing.warnings) == "schema.unknown-field");
  CHECK(ids(load_yaml(V1BETA4 "discovry: {}\n", {}, false).errors) == "schema.required");
  CHECK(ids(load_yaml("apiVersion: v1\nkind: Secret\n---\n" V1BETA4 GOOD, {}, false).warnings) == "config.kind");
}

TEST_CASE("config::load: an error never quotes a line on which a secret stands") {
  const Loaded loaded = load_yaml(
      V1BETA4 "discovery: {bootstrapToken: {token: OPENSESAME, apiServerEndpoint: x, caCertHashes: [y]}}\ndryRun: 1\n");
  REQUIRE(loaded.errors.size() == 4);
  for (const Error& error : loaded.errors) CHECK(error.place.text.find("OPENSESAME") == std::string::npos);
  CHECK(loaded.errors[3].place.text == "dryRun: 1");
  CHECK(whole_text(loaded.errors).find("OPENSESAME") == std::string::npos);
  // A document without a schema: only a line with nothing but the field on it is shown.
  const Loaded foreign = load_yaml("{apiVersion: v1, kind: Secret, data: {token: OPENSESAME}}\n");
  CHECK(whole_text(foreign.errors).find("OPENSESAME") == std::string::npos);
  CHECK(ids(foreign.errors) == "config.kind");
  const Loaded torn = load_yaml("apiVersioery: {bootstrapToken: {token: OPENSESAME}}\n");
  CHECK(whole_text(torn.errors).find("OPENSESAME") == std::string::npos);
  CHECK(load_yaml(HEAD("v1beta5", "JoinConfiguration") GOOD).errors[0].place.text ==
        "apiVersion: kubeadm.k8s.io/v1beta5");
}

TEST_CASE("config::load: a flood of mistakes and documents has an end") {
  std::string many = V1BETA4 GOOD "nodeRegistration:\n  taints:\n";
  for (int i = 0; i < 1000; ++i) many += "  - {key: -x, effect: y, z: 1}\n";
  CHECK(load_yaml(many).errors.size() <= 250);
  std::string documents;
  for (int i = 0; i < 65; ++i) documents += "---\napiVersion: v1\nkind: Secret\n";
  CHECK(ids(load_yaml(documents).errors) == "config.too-many-documents");
}

TEST_CASE("config::load: whole texts") {
  const auto text_of = [](const std::string& yaml) { return whole_text(load_yaml(yaml).errors); };
  CHECK(text_of(V1BETA4 BOOT TOKEN "    apiserverEndpoint: 192.0.2.10:6443\n" HASHES) ==
        "join.yaml:6:5: unknown field \"apiserverEndpoint\" in discovery.bootstrapToken (did you mean "
        "\"apiServerEndpoint\"?) [schema.unknown-field]\n"
        "  |     apiserverEndpoint: 192.0.2.10:6443\n");
  CHECK(text_of(V1BETA4 GOOD "nodeRegistration:\n  kubeletExtraArgs:\n    v: \"4\"\n") ==
        "join.yaml:10:5: nodeRegistration.kubeletExtraArgs must be a list, not a map [schema.type]\n"
        "  |     v: \"4\"\n"
        "  hint: write kubeletExtraArgs: [{name: \"node-ip\", value: \"10.0.0.7\"}]; a map is the form of v1alpha2 to "
        "v1beta3\n");
  CHECK(
      text_of(V1BETA4 BOOT "    token: ABCDEF.0123456789abcdef\n" ENDPOINT HASHES) ==
      "join.yaml:5:12: discovery.bootstrapToken.token: the bootstrap token is invalid: upper case is not allowed "
      "[config.token]\n"
      "  hint: a token is 6 characters, a dot and 16 characters, all of a-z and 0-9; kubeadm token create makes one\n");
  CHECK(text_of(V1BETA4 BOOT TOKEN ENDPOINT) ==
        "join.yaml:4:3: discovery.bootstrapToken.caCertHashes: using token-based discovery without caCertHashes can be "
        "unsafe. Set "
        "unsafeSkipCAVerification as true in your kubeadm config file or pass "
        "--discovery-token-unsafe-skip-ca-verification flag to continue "
        "[config.pins-missing]\n"
        "  |   bootstrapToken:\n"
        "  hint: better, pin the CA; on a control plane: openssl x509 -pubkey -in /etc/kubernetes/pki/ca.crt | openssl "
        "pkey -pubin -outform der | "
        "sha256sum\n");
  CHECK(text_of(V1ALPHA1 "discoveryFile: /x\ndiscoveryToken: abcdef.0123456789abcdef\nnodeName: a_b\n") ==
        "join.yaml:1:1: discoveryToken and discoveryFile cannot both be set [config.discovery-both]\n"
        "  | apiVersion: kubeadm.k8s.io/v1alpha1\n"
        "  hint: a file proves the cluster by itself; remove one of them\n"
        "join.yaml:5:11: nodeName: \"a_b\" is no node name: a lowercase RFC 1123 subdomain must consist of lower case "
        "alphanumeric characters, '-' or "
        "'.', and must start and end with an alphanumeric character [config.node-name]\n"
        "  | nodeName: a_b\n"
        "  hint: \"a-b\" would be one\n");
  CHECK(text_of(V1BETA4 GOOD "---\n" V1BETA4 GOOD) ==
        "join.yaml:10:7: a second JoinConfiguration; the first is in join.yaml, line 1 [config.two-documents]\n"
        "  | kind: JoinConfiguration\n"
        "  hint: remove one of them\n");
}
