// config::load: whole documents, flags, defaults, and upstream's tables (spec §11.6, §11.7).
#include "loading.h"

#include "base/text.h"

using namespace kubejoin;
using namespace kubejoin::config;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const std::string kHead = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n";
const std::string kDiscovery = std::string("discovery: {bootstrapToken: {token: ") + kToken +
                               ", apiServerEndpoint: '192.0.2.10:6443', caCertHashes: [" + kPin + "]}}\n";
const std::string kJoin = kHead + kDiscovery;
const std::string kFirstBoot = "---\napiVersion: kubejoin/v1alpha1\nkind: FirstBoot\n";

JoinConfig config_of(const std::string& yaml, const Flags& flags = {}) {
  Loaded loaded = load_yaml(yaml, flags);
  INFO(whole_text(loaded.errors));
  REQUIRE(loaded.errors.empty());
  return std::move(loaded.config);
}

Flags token_flags() {
  Flags flags;
  flags.endpoints = {"1.2.3.4:6443"};
  flags.token = Secret(kToken);
  flags.ca_cert_hashes = {kPin};
  return flags;
}

}  // namespace

// ---- documents --------------------------------------------------------------------------------------------

TEST_CASE("config::load: the documents of real clusters") {
  const JoinConfig old = config_of(
      "apiVersion: kubeadm.k8s.io/v1beta2\nkind: JoinConfiguration\ndiscovery:\n  bootstrapToken: {apiServerEndpoint: "
      "\"127.0.0.1:6443\", token: abcdef.0123456789abcdef, caCertHashes: "
      "[\"sha256:8dca61852aa6fea3a8c70ca5429a7aa560676bd3925d1f67f7a34d1ee5671fa4\"]}\nnodeRegistration: {name: node1, "
      "criSocket: /run/containerd/containerd.sock}\n");
  CHECK(old.declared_version == "v1beta2");
  REQUIRE(old.token_discovery);
  CHECK(old.token_discovery->token == Secret(kToken));
  CHECK(old.tls_bootstrap_token == Secret(kToken));
  CHECK(old.token_discovery->endpoints == std::vector<std::string>{"127.0.0.1:6443"});
  CHECK(old.token_discovery->ca_cert_hashes == std::vector<std::string>{kPin});
  CHECK_FALSE(old.token_discovery->unsafe_skip_ca_verification);
  CHECK(old.node_name == "node1");
  CHECK(old.node_name_given);
  CHECK(old.cri_socket == "unix:///run/containerd/containerd.sock");
}

TEST_CASE("config::load: defaults (kubeadm v1beta4 defaults.go)") {
  const JoinConfig config = config_of(kJoin);
  CHECK(config.node_name == "host-1");
  CHECK_FALSE(config.node_name_given);
  CHECK(config.cri_socket == "");  // detected on the machine
  CHECK(config.ca_cert_path == "/etc/kubernetes/pki/ca.crt");
  CHECK(config.timeouts.discovery == minutes(5));
  CHECK(config.timeouts.tls_bootstrap == minutes(5));
  CHECK(config.timeouts.kubelet_health_check == minutes(4));
  CHECK(config.timeouts.kubernetes_api_call == minutes(1));
  CHECK_FALSE(config.dry_run);
  CHECK(config.cluster_name == "");
  CHECK(config.first_boot.wait_for == WaitFor::registered);
  CHECK(config.first_boot.wait_timeout == minutes(10));
  CHECK(config.first_boot.event);
  CHECK(config.kubelet_patch == "");
  CHECK(config.declared_version == "v1beta4");
  CHECK_FALSE(config.file_discovery);
}

TEST_CASE("config::load: every example is accepted, every field arrives") {
  for (const char* version : {"v1alpha1", "v1alpha2", "v1alpha3", "v1beta1", "v1beta2", "v1beta3", "v1beta4", "v1"}) {
    CAPTURE(version);
    const JoinConfig config = config_of(read_file("schemas/examples/" + std::string(version) + ".yaml"));
    CHECK(config.declared_version == version);
    CHECK(config.node_name == "worker-1");
    CHECK(config.ca_cert_path == "/etc/kubernetes/pki/ca.crt");
    CHECK((config.token_discovery.has_value() != config.file_discovery.has_value()));
    CHECK_FALSE(config.tls_bootstrap_token.empty());
  }
  const JoinConfig first = config_of(read_file("schemas/examples/v1alpha1.yaml"));
  CHECK(first.token_discovery->endpoints == std::vector<std::string>{"192.0.2.10:6443", "192.0.2.11:6443"});
  CHECK(first.tls_bootstrap_token == Secret("fedcba.0123456789abcdef"));
  CHECK(first.cri_socket == "unix:///var/run/dockershim.sock");
  CHECK(first.cluster_name == "kubernetes");
  CHECK(first.feature_gates == std::map<std::string, bool>{{"DynamicKubeletConfig", true}});

  const JoinConfig file = config_of(read_file("schemas/examples/v1alpha3.yaml"));
  CHECK(file.file_discovery->kubeconfig_path == "https://config.example/cluster-info.yaml");

  const JoinConfig fourth = config_of(read_file("schemas/examples/v1beta4.yaml"));
  REQUIRE(fourth.taints.size() == 1);
  CHECK(fourth.taints[0].key + "=" + fourth.taints[0].value + ":" + fourth.taints[0].effect ==
        "dedicated=gpu:NoSchedule");
  REQUIRE(fourth.kubelet_extra_args.size() == 2);
  CHECK(fourth.kubelet_extra_args[0].name + "=" + fourth.kubelet_extra_args[0].value == "node-ip=192.0.2.21");
  CHECK(fourth.ignore_preflight_errors == std::vector<std::string>{"swap"});
  CHECK(fourth.skip_phases == std::vector<std::string>{"preflight"});
  CHECK(fourth.patches_directory == "/etc/kubernetes/patches");

  const JoinConfig newest = config_of(read_file("schemas/examples/v1.yaml"));
  REQUIRE(newest.kubelet_extra_args.size() == 3);
  CHECK((newest.kubelet_extra_args[0].merge == Arg::Merge::replace));
  CHECK((newest.kubelet_extra_args[1].merge == Arg::Merge::append));
  CHECK((newest.kubelet_extra_args[2].merge == Arg::Merge::prepend));
  CHECK(newest.timeouts.tls_bootstrap == minutes(10));
}

TEST_CASE("config::load: FirstBoot") {
  std::string example = read_file("schemas/examples/firstboot-v1alpha1.yaml");
  example = replace_all(example, "applyConfiguration: false", "applyConfiguration: true");
  const std::string kubelet =
      "---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: 42\n";
  // Its token.from stands in for the document's token.
  const JoinConfig config =
      config_of(kHead + "discovery: {bootstrapToken: {apiServerEndpoint: '192.0.2.10:6443', caCertHashes: [" + kPin +
                "]}}\n---\n" + example + kubelet);
  const FirstBoot& first_boot = config.first_boot;
  CHECK(first_boot.token_from == "credential:join-token");
  CHECK(config.token_discovery->token.empty());
  CHECK(config.node_name == "worker-1");
  CHECK(config.node_name_given);
  CHECK(first_boot.node_ip == "");
  CHECK(first_boot.node_ip_cidr == "10.0.0.0/8");
  CHECK(first_boot.labels == std::map<std::string, std::string>{{"example.com/pool", "blue"},
                                                                {"node.kubernetes.io/instance-type", "m5.large"},
                                                                {"zone", "a"}});
  CHECK(first_boot.provider_id == "aws:///eu-central-1a/i-0123456789abcdef0");
  CHECK((first_boot.bootstrap_by == BootstrapBy::kubejoin));
  CHECK((first_boot.wait_for == WaitFor::ready));
  CHECK(first_boot.wait_timeout == minutes(10));
  CHECK(first_boot.start_jitter == seconds(30));
  CHECK(first_boot.sentinel == "/run/cluster-api/bootstrap-success.complete");
  CHECK(first_boot.event);
  CHECK(first_boot.apply_kubelet_configuration);
  CHECK(config.kubelet_patch == "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: 42\n");

  const JoinConfig other =
      config_of(kJoin + kFirstBoot +
                "bootstrap: {by: kubelet}\nwait: {for: identity}\nresult: {event: false}\nnode: {ip: 10.0.0.7}\n");
  CHECK((other.first_boot.bootstrap_by == BootstrapBy::kubelet));
  CHECK((other.first_boot.wait_for == WaitFor::identity));
  CHECK_FALSE(other.first_boot.event);
  CHECK(other.first_boot.node_ip == "10.0.0.7");

  CHECK(ids(load_yaml(kJoin + kFirstBoot + "kubelet: {applyConfiguration: true}\n" + kubelet + kubelet).errors) ==
        "config.two-documents");
}

TEST_CASE("config::load: who names the node") {
  const std::string named = kJoin + "nodeRegistration: {name: \" Node-A \"}\n";
  CHECK(config_of(named).node_name == "node-a");
  CHECK(config_of(named + kFirstBoot + "node: {name: NODE-B}\n").node_name == "node-b");
  CHECK(ids(load_yaml(named + kFirstBoot + "node: {name: NODE-B}\n").warnings) == "config.node-name");
  CHECK(ids(load_yaml(named + kFirstBoot + "node: {name: node-a}\n").warnings) == "");
  Flags flags;
  flags.node_name = "NODE-C";
  CHECK(config_of(named + kFirstBoot + "node: {name: NODE-B}\n", flags).node_name == "node-c");

  // A bad host name does no harm to who is named otherwise.
  CHECK(load(documents_of(kJoin + kFirstBoot + "node: {name: node-b}\n"), {}, {"host_1"}, true).errors.empty());
  CHECK(load(documents_of(named), {}, {"host_1"}, true).errors.empty());
  const Loaded bad = load(documents_of(kJoin), {}, {"host_1"}, true);
  REQUIRE(ids(bad.errors) == "config.node-name");
  CHECK(bad.errors[0].message.find("the host name \"host_1\"") != std::string::npos);
  CHECK(ids(load(documents_of(kJoin), {}, {""}, true).errors) == "config.node-name");
  CHECK(load(documents_of(kJoin), {}, {" HOST.Example\n"}, true).config.node_name == "host.example");
}

TEST_CASE("config::load: pins are normalised, duplicates kept once") {
  const std::string upper = "SHA256:8DCA61852AA6FEA3A8C70CA5429A7AA560676BD3925D1F67F7A34D1EE5671FA4";
  const std::string other = "sha256:98be2e6d4d8a89aa308fb15de0c07e2531ce549c68dec1687cdd5c06f0826658";
  const JoinConfig config =
      config_of(kHead + "discovery: {bootstrapToken: {token: " + kToken +
                ", apiServerEndpoint: 'a:1', caCertHashes: [" + upper + ", " + other + ", " + kPin + "]}}\n");
  CHECK(config.token_discovery->ca_cert_hashes == std::vector<std::string>{kPin, other});
}

TEST_CASE("config::load: null and empty are absent, as in Go") {
  const JoinConfig config = config_of(kJoin +
                                      "nodeRegistration: {name: , criSocket: ~, taints: null, kubeletExtraArgs: "
                                      "}\ncaCertPath: ''\ncontrolPlane: null\ntimeouts:\npatches: {directory: ''}\n");
  CHECK(config.node_name == "host-1");
  CHECK(config.ca_cert_path == "/etc/kubernetes/pki/ca.crt");
  CHECK(config.kubelet_extra_args.empty());
}

TEST_CASE("config::load: a token of digits alone") {
  const Loaded loaded = load_yaml(kHead +
                                  "discovery: {bootstrapToken: {token: 123456.1234567890123456, apiServerEndpoint: "
                                  "'a:1', unsafeSkipCAVerification: yes}}\n");
  CHECK(loaded.errors.empty());
  CHECK(loaded.config.token_discovery->token == Secret("123456.1234567890123456"));
  CHECK(loaded.config.tls_bootstrap_token == Secret("123456.1234567890123456"));
  CHECK(loaded.config.token_discovery->unsafe_skip_ca_verification);
  CHECK(ids(loaded.warnings) == "schema.yaml-trap schema.yaml-trap config.unsafe");
}

TEST_CASE("config::load: templates on a laptop") {
  const std::string yaml = kHead +
                           "discovery: {bootstrapToken: {token: '{{ ds.t }}', apiServerEndpoint: '{{ ds.e }}', "
                           "caCertHashes: ['{{ ds.p }}']}}\nnodeRegistration: {name: '{{ v1.local_hostname }}'}\n";
  CHECK(ids(load_yaml(yaml).errors) == "config.token config.endpoint config.pin config.node-name");
  const Surroundings laptop{.hostname = "My_Laptop", .working_directory = "/", .templates = true};
  CHECK(ids(load_yaml(yaml, {}, true, laptop).errors) == "");
  CHECK(ids(load_yaml(kJoin, {}, true, laptop).errors) == "");  // its host name is nobody's
}

TEST_CASE("config::load: where each value came from") {
  Flags flags;
  flags.node_name = "n";
  flags.ignore_preflight_errors = {"Swap"};
  const Loaded loaded = load_yaml(kJoin + "caCertPath: /x.crt\n" + kFirstBoot + "wait:\n  for: ready\n", flags);
  CHECK(loaded.errors.empty());
  CHECK(origin_of(loaded, "discovery.bootstrapToken.token") == "join.yaml line 3");
  CHECK(origin_of(loaded, "discovery.tlsBootstrapToken") == "discovery.bootstrapToken.token");
  CHECK(origin_of(loaded, "caCertPath") == "join.yaml line 4");
  CHECK(origin_of(loaded, "nodeRegistration.name") == "flag --node-name");
  CHECK(origin_of(loaded, "nodeRegistration.ignorePreflightErrors") == "flag --ignore-preflight-errors");
  CHECK(origin_of(loaded, "nodeRegistration.criSocket") == "detected");
  CHECK(origin_of(loaded, "timeouts.discovery") == "default");
  CHECK(origin_of(loaded, "FirstBoot.wait.for") == "join.yaml line 9");

  auto source = std::make_shared<parse::Source>();
  source->file = "user-data (ec2)";
  source->part = "write_files[0]";
  source->first_line = 12;
  source->text = kJoin;
  const Loaded inside = load(parse::read_yaml(source).documents, {}, {"h"}, true);
  CHECK(origin_of(inside, "discovery.bootstrapToken.apiServerEndpoint") == "write_files[0] line 14");
}

TEST_CASE("config::effective_kubelet_args") {
  const auto text_of = [](const JoinConfig& config) {
    std::string text;
    for (const Arg& arg : effective_kubelet_args(config)) text += "--" + arg.name + "=" + arg.value + " ";
    return text;
  };
  CHECK(text_of(config_of(kJoin)) == "");
  CHECK(text_of(
            config_of(kJoin + kFirstBoot + "node: {ip: 10.0.0.7, labels: {zone: a, b: ''}, providerID: 'x:///y'}\n")) ==
        "--node-labels=b=,zone=a --node-ip=10.0.0.7 --provider-id=x:///y ");
  // Beside the user's own labels, as the kubelet takes the last --node-labels alone.
  CHECK(
      text_of(config_of(
          kJoin + "nodeRegistration: {kubeletExtraArgs: [{name: node-labels, value: 'x=y'}, {name: v, value: '2'}]}\n" +
          kFirstBoot + "node: {labels: {zone: a}}\n")) == "--node-labels=x=y,zone=a --v=2 ");
  CHECK(ids(load_yaml(kJoin + "nodeRegistration: {kubeletExtraArgs: [{name: node-ip, value: 10.0.0.1}]}\n" +
                      kFirstBoot + "node: {ip: 10.0.0.7}\n")
                .errors) == "config.kubelet-arg");
}

// ---- validation_test.go (spec §11.6) ----------------------------------------------------------------------

TEST_CASE("config::load: whole JoinConfigurations of validation_test.go") {
  const std::string token = "abcdef.1234567890123456";
  const auto join = [&](const std::string& more, const std::string& pin = kPin,
                        const std::string& ca = "/some/cert.crt") {
    return kHead + "caCertPath: " + ca + "\ndiscovery: {bootstrapToken: {token: " + token +
           ", apiServerEndpoint: '1.2.3.4:6443', caCertHashes: [" + pin + "]}, tlsBootstrapToken: " + token +
           "}\nnodeRegistration: {name: aaa, criSocket: /var/run/dockershim.sock}\n" + more;
  };
  CHECK(ids(load_yaml(kHead).errors) == "schema.required");
  CHECK(ids(load_yaml(
                kHead +
                "discovery: {bootstrapToken: {token: abcdef.1234567890123456@foobar}, file: {kubeConfigPath: foo}}\n")
                .errors) == "config.discovery-both config.token config.kubeconfig-path");
  CHECK(ids(load_yaml(join("")).errors) == "");
  // Upstream does not look at pins here; a junk one is found before the first packet.
  CHECK(ids(load_yaml(join("", "aaaa")).errors) == "config.pin");
  CHECK(ids(load_yaml(join("", kPin, "some/cert.crt")).errors) == "config.ca-cert-path");
  CHECK(ids(load_yaml(join("", kPin, "/some/cert.pem")).errors) == "config.ca-cert-path");
  // Upstream accepts a valid control plane; workers are all that kubejoin joins.
  CHECK(
      ids(load_yaml(join("controlPlane: {localAPIEndpoint: {advertiseAddress: 1.2.3.4, bindPort: 1234}}\n")).errors) ==
      "config.control-plane");
  CHECK(ids(load_yaml(join("controlPlane: {localAPIEndpoint: {advertiseAddress: 1.2.3.4, bindPort: -1}}\n")).errors) ==
        "config.control-plane schema.range");
  // Pins and the unsafe flag together are allowed, and the pins hold.
  const Loaded both =
      load_yaml(kHead + "discovery: {bootstrapToken: {token: " + token + ", apiServerEndpoint: 'a:1', caCertHashes: [" +
                kPin + "], unsafeSkipCAVerification: true}}\n");
  CHECK(ids(both.errors) == "");
  CHECK(ids(both.warnings) == "");
  CHECK(both.config.token_discovery->ca_cert_hashes.size() == 1);
}

TEST_CASE("config::load: --ignore-preflight-errors with the document's list") {
  struct Row {
    std::vector<std::string> flag;
    const char* file;
    const char* result;  // "err" or the union
  };
  const Row rows[] = {
      {{}, "[]", ""},
      {{}, "[a]", "a"},
      {{"a"}, "[]", "a"},
      {{"a", "b"}, "[c, d]", "a b c d"},
      {{"a", "b", "a"}, "[c, b]", "a b c"},
      {{"a", "b", "all"}, "[]", "err"},
      {{}, "[all]", "all"},  // an error in 1.20, allowed today
      {{"a", "b"}, "[all]", "err"},
      {{"all"}, "[a, b]", "err"},
      {{"all"}, "[]", "all"},
      {{"a,b"}, "[C]", "a b c"},
      {{"ALL"}, "[all]", "all"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.file);
    Flags flags;
    flags.ignore_preflight_errors = row.flag;
    const Loaded loaded = load_yaml(kJoin + "nodeRegistration: {ignorePreflightErrors: " + row.file + "}\n", flags);
    CHECK((loaded.errors.empty() ? join(loaded.config.ignore_preflight_errors, " ") : "err") ==
          std::string(row.result));
  }
}

TEST_CASE("config::load: flags beside a document (spec §1.4)") {
  Flags allowed;
  allowed.node_name = "N";
  allowed.cri_socket = "/run/S";
  allowed.patches = "p";
  allowed.dry_run = true;
  allowed.skip_phases = {"preflight,kubelet-start", "x"};
  allowed.ignore_preflight_errors = {"a,b"};
  const Surroundings there{"host-1", "/work"};
  const Loaded loaded =
      load_yaml(kJoin + "nodeRegistration: {name: other, ignorePreflightErrors: [c, d]}\nskipPhases: [node]\n", allowed,
                true, there);
  CHECK(whole_text(loaded.errors) == "");
  CHECK(loaded.config.node_name == "n");  // normalised, which upstream forgets
  CHECK(loaded.config.cri_socket == "unix:///run/S");
  CHECK(loaded.config.patches_directory == "/work/p");
  CHECK(loaded.config.dry_run);
  CHECK(loaded.config.skip_phases ==
        std::vector<std::string>{"preflight", "kubelet-start", "x"});  // instead of the document's
  CHECK(loaded.config.ignore_preflight_errors == std::vector<std::string>{"a", "b", "c", "d"});

  Flags mixed = token_flags();
  mixed.discovery_token = Secret(kToken);
  mixed.feature_gates = "CoreDNS=true";
  const Loaded refused = load_yaml(kJoin, mixed);
  REQUIRE(ids(refused.errors) == "config.mixed-flags");
  CHECK(refused.errors[0].message ==
        "can not mix '--config' with arguments [discovery-token discovery-token-ca-cert-hash feature-gates token]");
  CHECK(refused.errors[0].place.file == "command line");

  Flags positional;
  positional.endpoints = {"1.2.3.4:6443"};
  const Loaded ignored = load_yaml(kJoin, positional);
  CHECK(ids(ignored.errors) == "");
  CHECK(ids(ignored.warnings) == "config.ignored-argument");
  CHECK(ignored.config.token_discovery->endpoints == std::vector<std::string>{"192.0.2.10:6443"});
}

// ---- join_test.go (spec §11.7) ----------------------------------------------------------------------------

TEST_CASE("config::load: flags alone") {
  CHECK(ids(load_flags({}).errors) == "config.discovery-missing");

  Flags both = token_flags();
  both.discovery_file = "https://foo";
  CHECK(ids(load_flags(both).errors) == "config.discovery-both");

  Flags file;
  file.discovery_file = "https://foo";
  CHECK(ids(load_flags(file).errors) == "");
  CHECK(load_flags(file).config.file_discovery->kubeconfig_path == "https://foo");

  // E1 takes any number of addresses; they are raced.
  Flags two = token_flags();
  two.endpoints = {"1.2.3.4:6443", "5.6.7.8:6443"};
  CHECK(ids(load_flags(two).errors) == "");
  CHECK(load_flags(two).config.token_discovery->endpoints == two.endpoints);

  Flags unsafe;
  unsafe.endpoints = {"1.2.3.4:6443"};
  unsafe.token = Secret(kToken);
  unsafe.unsafe_skip_ca_verification = true;
  const Loaded risky = load_flags(unsafe);
  CHECK(ids(risky.errors) == "");
  CHECK(ids(risky.warnings) == "config.unsafe");
  CHECK(risky.warnings[0].place.file == "flag --discovery-token-unsafe-skip-ca-verification");
  CHECK(risky.config.token_discovery->token == Secret(kToken));
  CHECK(risky.config.tls_bootstrap_token == Secret(kToken));
  CHECK(risky.config.declared_version == "");

  Flags specific = token_flags();
  specific.tls_bootstrap_token = Secret("abcdef.0123456789abcdef");
  specific.discovery_token = Secret(kOtherToken);
  specific.token = Secret("zzzzzz.0123456789zzzzzz");
  const Loaded wins = load_flags(specific);
  CHECK(ids(wins.errors) == "");
  CHECK(wins.config.token_discovery->token == Secret(kOtherToken));
  CHECK(wins.config.tls_bootstrap_token == Secret("abcdef.0123456789abcdef"));
  CHECK(origin_of(wins, "discovery.bootstrapToken.token") == "flag --discovery-token");

  // `--token` beside a file: its credential for the certificate (the seed page's cluster-info.yaml has none).
  Flags file_and_token;
  file_and_token.discovery_file = "/etc/kubernetes/cluster-info.yaml";
  file_and_token.token = Secret(kToken);
  const Loaded with_token = load_flags(file_and_token);
  CHECK(ids(with_token.errors) == "");
  CHECK_FALSE(with_token.config.token_discovery);
  CHECK(with_token.config.tls_bootstrap_token == Secret(kToken));
}

TEST_CASE("config::load: flags that are wrong name themselves") {
  struct Row {
    const char* name;
    void (*set)(Flags&);
    const char* ids;
    const char* file;  // of the first error's place
    const char* says;
  };
  const Row rows[] = {
      {"--token without an address",
       [](Flags& f) {
         f = {};
         f.token = Secret(kToken);
       },
       "config.discovery-missing", "command line", "the API server's address is missing: kubejoin join HOST:6443"},
      {"--node-name alone",
       [](Flags& f) {
         f = {};
         f.node_name = "foobar";
       },
       "config.discovery-missing", "command line", "bootstrapToken or file must be set"},
      {"--token=foobar", [](Flags& f) { f.token = Secret("foobar"); }, "config.token", "flag --token",
       "--token: the bootstrap token is invalid"},
      {"--discovery-token=foobar", [](Flags& f) { f.discovery_token = Secret("foobar"); }, "config.token",
       "flag --discovery-token", "--discovery-token: the bootstrap token is invalid"},
      {"--discovery-token=token://asdf:asdf", [](Flags& f) { f.discovery_token = Secret("token://asdf:asdf"); },
       "config.token", "flag --discovery-token", "the bootstrap token is invalid"},
      {"--tls-bootstrap-token", [](Flags& f) { f.tls_bootstrap_token = Secret("x"); }, "config.token",
       "flag --tls-bootstrap-token", "--tls-bootstrap-token: the bootstrap token is invalid"},
      {"an address without port", [](Flags& f) { f.endpoints = {"1.2.3.4"}; }, "config.endpoint",
       "argument api-server-endpoint", "api-server-endpoint: missing port in address: \"1.2.3.4\""},
      {"no pin", [](Flags& f) { f.ca_cert_hashes = {}; }, "config.pins-missing", "command line",
       "pass --discovery-token-unsafe-skip-ca-verification flag to continue"},
      {"no token", [](Flags& f) { f.token = {}; }, "config.token-missing", "command line", "there is none"},
      {"a junk pin", [](Flags& f) { f.ca_cert_hashes = {"xyz"}; }, "config.pin", "flag --discovery-token-ca-cert-hash",
       "--discovery-token-ca-cert-hash: invalid discovery token CA certificate hash"},
      {"the second of two", [](Flags& f) { f.ca_cert_hashes = {std::string(kPin) + ",sha256:00"}; }, "config.pin",
       "flag --discovery-token-ca-cert-hash", "found 1 bytes"},
      {"--discovery-file=file:wrong",
       [](Flags& f) {
         f = {};
         f.discovery_file = "file:wrong";
       },
       "config.kubeconfig-path", "flag --discovery-file", "not a valid HTTPS URL or a file on disk"},
      {"--discovery-file=http://x",
       [](Flags& f) {
         f = {};
         f.discovery_file = "http://x";
       },
       "config.kubeconfig-path", "flag --discovery-file", "the scheme must be https"},
      {"--node-name", [](Flags& f) { f.node_name = "a_b"; }, "config.node-name", "flag --node-name",
       "--node-name: \"a_b\" is no node name"},
      {"--cri-socket", [](Flags& f) { f.cri_socket = "some/path"; }, "config.cri-socket", "flag --cri-socket",
       "--cri-socket: \"some/path\""},
      {"--ignore-preflight-errors=all,something-else",
       [](Flags& f) { f.ignore_preflight_errors = {"all,something-else"}; }, "config.ignore-preflight", "command line",
       "don't specify individual checks if 'all' is used"},
      {"an unknown gate", [](Flags& f) { f.feature_gates = "Foo=true"; }, "config.feature-gate", "flag --feature-gates",
       "--feature-gates: unknown feature gate \"Foo\""},
      {"a gate that is no boolean", [](Flags& f) { f.feature_gates = "CoreDNS=maybe"; }, "config.feature-gate",
       "flag --feature-gates", "\"CoreDNS=maybe\" is not Name=true or Name=false"},
      {"a gate without a value", [](Flags& f) { f.feature_gates = "CoreDNS"; }, "config.feature-gate",
       "flag --feature-gates", "it looks like DynamicKubeletConfig=true"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Flags flags = token_flags();
    row.set(flags);
    const Loaded loaded = load_flags(flags);
    INFO(whole_text(loaded.errors));
    REQUIRE(ids(loaded.errors) == row.ids);
    CHECK(loaded.errors[0].place.file == row.file);
    CHECK((loaded.errors[0].message + "; " + loaded.errors[0].hint).find(row.says) != std::string::npos);
    CHECK(whole_text(loaded.errors).find("foobar") == std::string::npos);
  }
}

TEST_CASE("config::load: flags that are right") {
  Flags flags = token_flags();
  flags.ca_cert_hashes = {std::string(kPin) + "," + kPin,
                          "SHA256:98be2e6d4d8a89aa308fb15de0c07e2531ce549c68dec1687cdd5c06f0826658"};
  flags.feature_gates = "DynamicKubeletConfig=true, CoreDNS=0";
  flags.cri_socket = "/var/run/dockershim.sock";
  const Loaded loaded = load_flags(flags);
  CHECK(whole_text(loaded.errors) == "");
  CHECK(loaded.config.token_discovery->ca_cert_hashes ==
        std::vector<std::string>{kPin, "sha256:98be2e6d4d8a89aa308fb15de0c07e2531ce549c68dec1687cdd5c06f0826658"});
  CHECK(loaded.config.feature_gates == std::map<std::string, bool>{{"CoreDNS", false}, {"DynamicKubeletConfig", true}});
  CHECK(loaded.config.cri_socket == "unix:///var/run/dockershim.sock");

  Flags relative;
  relative.discovery_file = "path/to/file.conf";
  CHECK(load({}, relative, {"h", "/home/me"}, false).config.file_discovery->kubeconfig_path ==
        "/home/me/path/to/file.conf");
  relative.discovery_file = "file:///x";
  CHECK(load({}, relative, {"h", "/home/me"}, false).config.file_discovery->kubeconfig_path == "/x");

  // A FirstBoot alone is completed by flags.
  CHECK(ids(load(documents_of("apiVersion: kubejoin/v1alpha1\nkind: FirstBoot\nwait: {for: ready}\n"), token_flags(),
                 {"h"}, true)
                .errors) == "");
}
