// Documents and flags become one JoinConfig; all that is wrong with them is said at once.
#include "config/load.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace kubejoin::config {
namespace {

using parse::Document;
using parse::Type;
using parse::Value;

constexpr char kTokenHint[] = "it looks like abcdef.0123456789abcdef; on the control plane: kubeadm token create --print-join-command";
constexpr std::array<std::string_view, 8> kVersions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1beta1", "v1beta2", "v1beta3", "v1beta4", "v1"};
constexpr std::array<std::string_view, 5> kGates = {"Auditing", "CoreDNS", "DynamicKubeletConfig", "SelfHosting", "StoreCertsInSecrets"};

// Reads one document into the configuration, remembering what is wrong and where.
class Reader {
 public:
  Reader(const Document& document, Loaded& loaded) : document_(document), loaded_(loaded) {}

  void error(std::string_view id, std::string message, std::string hint, const Value* at, bool secret = false) {
    Error e = fail(Kind::invalid, id, std::move(message), std::move(hint)).value();
    e.place = document_.place(at != nullptr ? at->mark : document_.root.mark, secret);
    loaded_.errors.push_back(std::move(e));
  }

  const Value* find(std::string_view pointer) const { return document_.root.at(pointer); }

  void text(std::string_view pointer, std::string& into) {
    const Value* value = find(pointer);
    if (value == nullptr || value->type == Type::null) return;
    if (value->type == Type::list || value->type == Type::map) return error("schema.type", name(pointer) + " must be a string", "", value);
    into = value->text;
    origin(pointer, *value);
  }

  void token(std::string_view pointer, Secret& into) {
    const Value* value = find(pointer);
    if (value == nullptr || value->type == Type::null) return;
    // A plain token of digits alone reads as a number in YAML; what the user wrote is what counts.
    if (!is_token(value->text)) return error("config.token", name(pointer) + ": the bootstrap token is invalid", kTokenHint, value, true);
    into = Secret(value->text);
    origin(pointer, *value);
  }

  void boolean(std::string_view pointer, bool& into) {
    const Value* value = find(pointer);
    if (value == nullptr || value->type == Type::null) return;
    if (value->type != Type::boolean) return error("schema.type", name(pointer) + " must be true or false, not " + quoted(value->text), "write true or false", value);
    into = value->boolean;
    origin(pointer, *value);
  }

  void list(std::string_view pointer, std::vector<std::string>& into) {
    const Value* value = find(pointer);
    if (value == nullptr || value->type == Type::null) return;
    if (value->type != Type::list) return error("schema.type", name(pointer) + " must be a list", "write each item on a line of its own, behind \"- \"", value);
    for (const Value& item : value->items) into.push_back(item.text);
    origin(pointer, *value);
  }

  void duration(std::string_view pointer, milliseconds& into) {
    const Value* value = find(pointer);
    if (value == nullptr || value->type == Type::null) return;
    const auto parsed = parse_duration(value->text);
    if (!parsed || *parsed < milliseconds{0}) return error("config.duration", name(pointer) + ": " + quoted(value->text) + " is no duration", "as Go writes it: 30s, 5m0s, 1h", value);
    into = *parsed;
    origin(pointer, *value);
  }

  static std::string name(std::string_view pointer) { return replace_all(std::string(pointer.substr(1)), "/", "."); }

 private:
  void origin(std::string_view pointer, const Value& value) {
    const parse::Source& source = *document_.source;
    loaded_.origins.emplace_back(name(pointer), (source.part.empty() ? source.file : source.part) + " line " + std::to_string(document_.place(value.mark, true).line));
  }

  const Document& document_;
  Loaded& loaded_;
};

std::string with_scheme(const std::string& socket) { return socket.empty() || socket.find("://") != std::string::npos ? socket : "unix://" + socket; }

void read_extra_args(Reader& reader, JoinConfig& config) {
  const Value* args = reader.find("/nodeRegistration/kubeletExtraArgs");
  if (args == nullptr) return;
  if (args->type == Type::map) {  // up to v1beta3; sorted, as a Go map is printed
    for (const Value::Member& member : args->members) config.kubelet_extra_args.push_back({member.key, member.value.text});
    std::sort(config.kubelet_extra_args.begin(), config.kubelet_extra_args.end(), [](const Arg& a, const Arg& b) { return a.name < b.name; });
  }
  for (const Value& item : args->items) {
    Arg arg{item.string_or("name", ""), item.string_or("value", "")};
    const std::string merge = item.string_or("mergeMethod", "");
    if (merge == "append") arg.merge = Arg::Merge::append;
    if (merge == "prepend") arg.merge = Arg::Merge::prepend;
    if (arg.name.empty()) reader.error("config.arg", "an entry of nodeRegistration.kubeletExtraArgs has no name", "- name: node-labels", &item);
    config.kubelet_extra_args.push_back(std::move(arg));
  }
}

void read_taints(Reader& reader, JoinConfig& config) {
  const Value* taints = reader.find("/nodeRegistration/taints");
  if (taints == nullptr) return;
  for (const Value& item : taints->items) {
    Taint taint{item.string_or("key", ""), item.string_or("value", ""), item.string_or("effect", "")};
    if (taint.key.empty()) reader.error("config.taint", "a taint has no key", "- {key: dedicated, value: gpu, effect: NoSchedule}", &item);
    if (taint.effect != "NoSchedule" && taint.effect != "PreferNoSchedule" && taint.effect != "NoExecute")
      reader.error("config.taint", "the effect of taint " + quoted(taint.key) + " is " + quoted(taint.effect), "it is NoSchedule, PreferNoSchedule or NoExecute", &item);
    config.taints.push_back(std::move(taint));
  }
}

// v1alpha1 to v1alpha3: discovery is flat.
void read_flat_discovery(Reader& reader, JoinConfig& config) {
  Secret shared;
  TokenDiscovery discovery;
  FileDiscovery file;
  reader.token("/token", shared);
  reader.token("/discoveryToken", discovery.token);
  reader.token("/tlsBootstrapToken", config.tls_bootstrap_token);
  reader.text("/discoveryFile", file.kubeconfig_path);
  reader.list("/discoveryTokenAPIServers", discovery.endpoints);
  reader.list("/discoveryTokenCACertHashes", discovery.ca_cert_hashes);
  reader.boolean("/discoveryTokenUnsafeSkipCAVerification", discovery.unsafe_skip_ca_verification);
  reader.duration("/discoveryTimeout", config.timeouts.discovery);
  reader.text("/clusterName", config.cluster_name);
  reader.text("/nodeName", config.node_name);
  reader.text("/criSocket", config.cri_socket);
  if (config.tls_bootstrap_token.empty()) config.tls_bootstrap_token = shared;
  if (discovery.token.empty() && file.kubeconfig_path.empty()) discovery.token = shared;
  if (!discovery.token.empty() || !discovery.endpoints.empty()) config.token_discovery = std::move(discovery);
  if (!file.kubeconfig_path.empty()) config.file_discovery = std::move(file);
  if (const Value* gates = reader.find("/featureGates"))
    for (const Value::Member& gate : gates->members) config.feature_gates[gate.key] = gate.value.boolean;
}

void read_nested_discovery(Reader& reader, JoinConfig& config) {
  if (reader.find("/discovery/bootstrapToken") != nullptr) {
    TokenDiscovery discovery;
    std::string endpoint;
    reader.token("/discovery/bootstrapToken/token", discovery.token);
    reader.text("/discovery/bootstrapToken/apiServerEndpoint", endpoint);
    reader.list("/discovery/bootstrapToken/caCertHashes", discovery.ca_cert_hashes);
    reader.boolean("/discovery/bootstrapToken/unsafeSkipCAVerification", discovery.unsafe_skip_ca_verification);
    if (!endpoint.empty()) discovery.endpoints.push_back(endpoint);
    config.token_discovery = std::move(discovery);
  }
  if (reader.find("/discovery/file") != nullptr) {
    FileDiscovery file;
    reader.text("/discovery/file/kubeConfigPath", file.kubeconfig_path);
    config.file_discovery = std::move(file);
  }
  reader.token("/discovery/tlsBootstrapToken", config.tls_bootstrap_token);
  reader.duration("/discovery/timeout", config.timeouts.discovery);
  reader.duration("/timeouts/discovery", config.timeouts.discovery);
  reader.duration("/timeouts/tlsBootstrap", config.timeouts.tls_bootstrap);
  reader.duration("/timeouts/kubeletHealthCheck", config.timeouts.kubelet_health_check);
  reader.duration("/timeouts/kubernetesAPICall", config.timeouts.kubernetes_api_call);
}

void read_join_document(const Document& document, Loaded& loaded) {
  JoinConfig& config = loaded.config;
  Reader reader(document, loaded);
  const std::string api = document.api_version();
  config.declared_version = api.substr(api.find('/') + 1);
  if (config.declared_version.rfind("v1alpha", 0) == 0) read_flat_discovery(reader, config);
  else read_nested_discovery(reader, config);
  reader.text("/nodeRegistration/name", config.node_name);
  reader.text("/nodeRegistration/criSocket", config.cri_socket);
  read_taints(reader, config);
  read_extra_args(reader, config);
  reader.list("/nodeRegistration/ignorePreflightErrors", config.ignore_preflight_errors);
  reader.text("/caCertPath", config.ca_cert_path);
  reader.list("/skipPhases", config.skip_phases);
  reader.text("/patches/directory", config.patches_directory);
  reader.boolean("/dryRun", config.dry_run);
  if (const Value* control_plane = reader.find("/controlPlane"))
    reader.error("config.control-plane", "controlPlane asks for a control-plane node; kubejoin joins workers", "remove controlPlane, or use kubeadm", control_plane);
}

void read_first_boot(const Document& document, Loaded& loaded) {
  FirstBoot& boot = loaded.config.first_boot;
  Reader reader(document, loaded);
  std::string by, wait;
  reader.text("/token/from", boot.token_from);
  reader.text("/node/name", loaded.config.node_name);
  reader.text("/node/ip", boot.node_ip);
  reader.text("/node/providerID", boot.provider_id);
  reader.text("/bootstrap/by", by);
  reader.text("/wait/for", wait);
  reader.duration("/wait/timeout", boot.wait_timeout);
  reader.duration("/start/jitter", boot.start_jitter);
  reader.text("/result/sentinel", boot.sentinel);
  reader.boolean("/result/event", boot.event);
  if (const Value* labels = reader.find("/node/labels"))
    for (const Value::Member& label : labels->members) boot.labels[label.key] = label.value.text;
  if (by == "kubelet") boot.bootstrap_by = BootstrapBy::kubelet;
  else if (!by.empty() && by != "kubejoin") reader.error("config.first-boot", "bootstrap.by is kubejoin or kubelet, not " + quoted(by), "", reader.find("/bootstrap/by"));
  if (wait == "ready") boot.wait_for = WaitFor::ready;
  else if (wait == "identity") boot.wait_for = WaitFor::identity;
  else if (!wait.empty() && wait != "registered") reader.error("config.first-boot", "wait.for is identity, registered or ready, not " + quoted(wait), "", reader.find("/wait/for"));
}

bool is_join_document(const Document& document) {
  return document.api_version().rfind("kubeadm.k8s.io/", 0) == 0 && (document.kind() == "JoinConfiguration" || document.kind() == "NodeConfiguration");
}

void read_documents(const std::vector<Document>& documents, Loaded& loaded) {
  const Document* join_document = nullptr;
  for (const Document& document : documents) {
    Reader reader(document, loaded);
    if (is_join_document(document)) {
      const std::string version = document.api_version().substr(sizeof("kubeadm.k8s.io/") - 1);
      if (join_document != nullptr) {
        reader.error("config.two-documents", "kind " + quoted(document.kind()) + " is specified twice", "keep one", &document.root);
      } else if (std::find(kVersions.begin(), kVersions.end(), version) == kVersions.end()) {
        reader.error("config.version", "no such version: " + quoted(document.api_version()), "kubejoin reads v1alpha1 to v1beta4 and v1: kubejoin schema", document.root.find("apiVersion"));
      } else {
        read_join_document(document, loaded);
      }
      join_document = &document;
    } else if (document.api_version() == "kubejoin/v1alpha1" && document.kind() == "FirstBoot") {
      read_first_boot(document, loaded);
    } else {
      Error unused = fail(Kind::invalid, "config.unused", document.kind() + " (" + document.api_version() + ") is not used by a join").value();
      unused.place = document.place(document.root.mark, true);
      loaded.warnings.push_back(std::move(unused));
    }
  }
  if (!documents.empty() && join_document == nullptr)
    Reader(documents.front(), loaded).error("config.no-document", "no JoinConfiguration found", "kubejoin schema v1beta4 shows what it looks like", &documents.front().root);
}

Error of_flag(std::string_view id, std::string message, std::string hint = {}) { return fail(Kind::invalid, id, std::move(message), std::move(hint)).value(); }

void read_feature_gates(const std::string& text, Loaded& loaded) {
  for (const std::string& pair : split(text, ',')) {
    const auto equals = pair.find('=');
    const std::string name(trim(pair.substr(0, equals))), value = equals == std::string::npos ? "" : lower(trim(pair.substr(equals + 1)));
    if (std::find(kGates.begin(), kGates.end(), name) == kGates.end())
      loaded.errors.push_back(of_flag("config.feature-gate", "flag --feature-gates: unrecognized feature-gate key: " + printable(name), "known: Auditing, CoreDNS, DynamicKubeletConfig, SelfHosting, StoreCertsInSecrets"));
    else if (value != "true" && value != "false") loaded.errors.push_back(of_flag("config.feature-gate", "flag --feature-gates: invalid value " + quoted(value) + " for " + name + ", use true|false"));
    else loaded.config.feature_gates[name] = value == "true";
  }
}

void token_flag(const std::optional<Secret>& flag, const char* name, Secret& into, Loaded& loaded) {
  if (!flag) return;
  if (!is_token(flag->expose())) loaded.errors.push_back(of_flag("config.token", std::string("flag ") + name + ": the bootstrap token is invalid", kTokenHint));
  else into = *flag;
}

void read_flags(const Flags& flags, bool with_document, Loaded& loaded) {
  JoinConfig& config = loaded.config;
  if (flags.node_name) config.node_name = *flags.node_name;
  if (flags.cri_socket) config.cri_socket = *flags.cri_socket;
  if (flags.patches) config.patches_directory = *flags.patches;
  if (flags.dry_run) config.dry_run = *flags.dry_run;
  if (!flags.skip_phases.empty()) config.skip_phases = flags.skip_phases;
  config.ignore_preflight_errors.insert(config.ignore_preflight_errors.end(), flags.ignore_preflight_errors.begin(), flags.ignore_preflight_errors.end());
  if (flags.feature_gates) read_feature_gates(*flags.feature_gates, loaded);
  if (with_document) {
    std::vector<std::string> mixed;
    if (flags.token) mixed.push_back("token");
    if (flags.discovery_token) mixed.push_back("discovery-token");
    if (flags.tls_bootstrap_token) mixed.push_back("tls-bootstrap-token");
    if (flags.discovery_file) mixed.push_back("discovery-file");
    if (!flags.ca_cert_hashes.empty()) mixed.push_back("discovery-token-ca-cert-hash");
    if (flags.unsafe_skip_ca_verification) mixed.push_back("discovery-token-unsafe-skip-ca-verification");
    if (!mixed.empty()) loaded.errors.push_back(of_flag("config.mixed", "can not mix '--config' with arguments [" + join(mixed, " ") + "]", "put them into the file"));
    return;
  }
  Secret shared, discovery_token;
  token_flag(flags.token, "--token", shared, loaded);
  token_flag(flags.discovery_token, "--discovery-token", discovery_token, loaded);
  token_flag(flags.tls_bootstrap_token, "--tls-bootstrap-token", config.tls_bootstrap_token, loaded);
  if (flags.discovery_file) config.file_discovery = FileDiscovery{*flags.discovery_file};
  if (config.tls_bootstrap_token.empty()) config.tls_bootstrap_token = shared;
  // Without an endpoint there is no token discovery, whatever tokens were given (kubeadm app/cmd/join.go).
  if (!flags.endpoints.empty()) {
    TokenDiscovery discovery;
    discovery.token = discovery_token.empty() ? shared : discovery_token;
    discovery.endpoints = flags.endpoints;
    discovery.ca_cert_hashes = flags.ca_cert_hashes;
    discovery.unsafe_skip_ca_verification = flags.unsafe_skip_ca_verification.value_or(false);
    config.token_discovery = std::move(discovery);
  }
}

void check_discovery(Loaded& loaded) {
  JoinConfig& config = loaded.config;
  const auto add = [&](std::string_view id, std::string message, std::string hint) { loaded.errors.push_back(of_flag(id, std::move(message), std::move(hint))); };
  if (config.token_discovery && config.file_discovery) add("config.discovery", "discovery: bootstrapToken and file cannot both be set", "keep one of them");
  if (!config.token_discovery && !config.file_discovery)
    add("config.discovery", "discovery: bootstrapToken or file must be set", "kubejoin join HOST:PORT --token TOKEN --discovery-token-ca-cert-hash sha256:HEX, or --discovery-file");
  if (config.token_discovery) {
    TokenDiscovery& discovery = *config.token_discovery;
    const bool late = !config.first_boot.token_from.empty();
    if (discovery.token.empty() && !late && loaded.errors.empty()) add("config.token", "discovery.bootstrapToken.token: no token was given", kTokenHint);
    if (discovery.endpoints.empty()) add("config.endpoint", "discovery.bootstrapToken.apiServerEndpoint: APIServerEndpoint is not set", "it is HOST:PORT, for example 10.0.0.1:6443");
    for (const std::string& endpoint : discovery.endpoints)
      if (!parse_host_port(endpoint)) add("config.endpoint", "discovery.bootstrapToken.apiServerEndpoint: " + quoted(endpoint) + " is not HOST:PORT", "for example 10.0.0.1:6443 or [2001:db8::1]:6443, without https://");
    for (std::string& pin : discovery.ca_cert_hashes) {
      if (auto normal = normalise_pin(pin)) pin = *normal;
      else loaded.errors.push_back(std::move(normal).error());
    }
    if (discovery.ca_cert_hashes.empty() && !discovery.unsafe_skip_ca_verification)
      add("config.no-pin", "discovery.bootstrapToken.caCertHashes: using token-based discovery without caCertHashes can be unsafe",
          "add --discovery-token-ca-cert-hash, or set unsafeSkipCAVerification (--discovery-token-unsafe-skip-ca-verification)");
    if (discovery.ca_cert_hashes.empty() && discovery.unsafe_skip_ca_verification)
      loaded.warnings.push_back(of_flag("config.unsafe", "no CA pin: whoever knows the token can pose as the cluster", "--discovery-token-ca-cert-hash"));
    if (config.tls_bootstrap_token.empty()) config.tls_bootstrap_token = discovery.token;
  }
  if (config.file_discovery) {
    const std::string& path = config.file_discovery->kubeconfig_path;
    if (path.rfind("file:", 0) == 0) config.file_discovery->kubeconfig_path = path.substr(path.rfind("file://", 0) == 0 ? 7 : 5);
    const std::string& plain = config.file_discovery->kubeconfig_path;
    if (plain.rfind("https://", 0) != 0 && plain.find("://") != std::string::npos) add("config.discovery-file", "discovery.file.kubeConfigPath: if a URL is used, the scheme must be https", "");
    else if (plain.rfind("https://", 0) != 0 && (plain.empty() || plain.front() != '/'))
      add("config.discovery-file", "discovery.file.kubeConfigPath: " + quoted(plain) + " is neither an https URL nor an absolute path", "");
  }
}

void complete(const Surroundings& surroundings, Loaded& loaded) {
  JoinConfig& config = loaded.config;
  const auto add = [&](std::string_view id, std::string message, std::string hint) { loaded.errors.push_back(of_flag(id, std::move(message), std::move(hint))); };
  config.node_name_given = !config.node_name.empty();
  config.node_name = lower(trim(config.node_name_given ? config.node_name : surroundings.hostname));
  if (!is_dns1123_subdomain(config.node_name)) add("config.node-name", "nodeRegistration.name: " + quoted(config.node_name) + " is no RFC 1123 subdomain", "lower-case letters, digits, '-' and '.'; --node-name");
  config.cri_socket = with_scheme(config.cri_socket);
  if (!config.cri_socket.empty() && config.cri_socket.rfind("unix:///", 0) != 0) add("config.cri-socket", "nodeRegistration.criSocket: " + quoted(config.cri_socket) + " is no absolute path of a socket", "unix:///run/containerd/containerd.sock");
  const std::string& ca = config.ca_cert_path;
  if (ca.empty() || ca.front() != '/' || ca.size() < 5 || ca.substr(ca.size() - 4) != ".crt") add("config.ca-path", "caCertPath: the ca certificate path must be an absolute path that ends in .crt, not " + quoted(ca), "");
  for (std::string& name : config.ignore_preflight_errors) name = lower(name);
  auto& ignored = config.ignore_preflight_errors;
  std::sort(ignored.begin(), ignored.end());
  ignored.erase(std::unique(ignored.begin(), ignored.end()), ignored.end());
  if (ignored.size() > 1 && std::find(ignored.begin(), ignored.end(), "all") != ignored.end()) add("config.ignore", "ignorePreflightErrors: don't specify individual checks if 'all' is used", "");
}

}  // namespace

Loaded load(const std::vector<parse::Document>& documents, const Flags& flags, const Surroundings& surroundings, bool strict) {
  (void)strict;
  Loaded loaded;
  read_documents(documents, loaded);
  read_flags(flags, !documents.empty(), loaded);
  check_discovery(loaded);
  complete(surroundings, loaded);
  return loaded;
}

}  // namespace kubejoin::config
