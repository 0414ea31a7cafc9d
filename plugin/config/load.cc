// From documents and flags to a JoinConfig: which documents count, what their fields say together, what is missing.
#include "config/load.h"

#include <algorithm>
#include <set>

#include "base/secret.h"
#include "base/text.h"
#include "config/documents.h"
#include "config/form.h"
#include "config/rules.h"
#include "kube/kubelet_flags.h"
#include "schema/schema.h"

namespace kubejoin::config {
namespace {

using parse::Document;
using parse::Type;
using parse::Value;

constexpr std::string_view kPinHint =
    "on a control plane: openssl x509 -pubkey -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | "
    "sha256sum";

// ---- the join document ------------------------------------------------------------------------------------

std::string indexed(std::string_view path, std::size_t index, std::string_view field = {}) {
  return std::string(path) + "[" + std::to_string(index) + "]" + (field.empty() ? "" : "." + std::string(field));
}

// Relative paths of flags begin where the user is.
std::string absolute(const std::string& path, const Surroundings& surroundings) {
  const std::string& here = surroundings.working_directory;
  if (path.empty() || path.front() == '/') return path;
  return here + (here.ends_with('/') ? "" : "/") + path;
}

std::string plain_text(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value && value->type != Type::null ? value->text : std::string();
}

bool is_text_or_absent(const Value* value) { return !value || (value->type != Type::list && value->type != Type::map); }

void read_endpoint(Form& form, std::string_view path, const Value& value) {
  if (form.is_template(value.text) || !form.judge(path, value, judge_endpoint(value.text))) return;
  if (value.text.find('_') != std::string::npos)
    form.warning(path, value, {"config.endpoint", "no certificate that kubeadm makes names a host with an underscore: " + quoted(value.text), "give it another name, or say its address"});
}

void read_endpoints(Form& form, bool required, TokenDiscovery& discovery) {
  constexpr std::string_view kPath = "discovery.bootstrapToken.apiServerEndpoint";
  const Value* value = form.find(kPath);
  discovery.endpoints = form.texts(kPath, "missing");
  if (value && value->type == Type::list) {
    for (std::size_t i = 0; i < value->items.size(); ++i) read_endpoint(form, indexed(kPath, i), value->items[i]);
  } else if (!discovery.endpoints.empty()) {
    read_endpoint(form, kPath, *value);
  }
  if (!required || !discovery.endpoints.empty() || (value && value->type == Type::map)) return;
  const std::string message = form.is_flat() ? "discoveryTokenAPIServers not set" : "APIServerEndpoint is not set";
  form.missing(kPath, {"config.endpoint-missing", message, "write the address of the API server, host:port"});
}

void read_token(Form& form, bool required, std::string& token) {
  constexpr std::string_view kPath = "discovery.bootstrapToken.token";
  const Value* value = form.find(kPath);
  token = form.text(kPath, required ? "missing" : "FirstBoot token.from");
  if (!token.empty())
    form.judge(kPath, *value, judge_token(token));
  else if (required && is_text_or_absent(value))
    form.missing(kPath, {"config.token-missing", "the bootstrap token is invalid: there is none",
                         "kubeadm token create makes one; FirstBoot's token.from can name where to read it"});
  form.forget(kPath);
}

void read_pins(Form& form, bool required, TokenDiscovery& discovery) {
  constexpr std::string_view kPath = "discovery.bootstrapToken.caCertHashes";
  std::set<std::string> seen;
  const Value* list = form.read(kPath, "none");
  if (list && list->type != Type::list) return;  // check() has told
  for (std::size_t i = 0; list && i < list->items.size(); ++i) {
    const Value& item = list->items[i];
    if (!form.judge(indexed(kPath, i), item, judge_pin(item.text))) continue;
    std::string pin = normalise_pin(item.text).value_or(item.text);
    if (seen.insert(pin).second) discovery.ca_cert_hashes.push_back(std::move(pin));
  }
  if (!required || (list && !list->items.empty())) return;
  if (discovery.unsafe_skip_ca_verification)
    return form.warning(
        "discovery.bootstrapToken.unsafeSkipCAVerification",
        {"config.unsafe", "without a pin, whoever learns the token can impersonate the cluster and take over this node",
         "pin the CA; " + std::string(kPinHint)});
  form.missing(kPath, {"config.pins-missing",
                       "using token-based discovery without caCertHashes can be unsafe. Set unsafeSkipCAVerification "
                       "as true in your kubeadm config file or pass "
                       "--discovery-token-unsafe-skip-ca-verification flag to continue",
                       "better, pin the CA; " + std::string(kPinHint)});
}

void read_file(Form& form, const Surroundings& surroundings, FileDiscovery& discovery) {
  constexpr std::string_view kPath = "discovery.file.kubeConfigPath";
  const Value* value = form.find(kPath);
  std::string path = form.text(kPath, "missing");
  const bool from_flag = value && value->mark.line == 0;
  if (from_flag && path.find(':') == path.npos) path = absolute(path, surroundings);
  if (!path.empty())
    form.judge(kPath, *value, judge_kubeconfig_path(path));
  else if (value && is_text_or_absent(value))
    form.error(kPath, *value,
               {"config.kubeconfig-path", "not a valid HTTPS URL or a file on disk: it is empty",
                "write an absolute path, or https://…"});
  discovery.kubeconfig_path = normalise_kubeconfig_path(path);
}

void read_discovery(Form& form, bool late_token, const Surroundings& surroundings, JoinConfig& config) {
  const Value* boot = form.find("discovery.bootstrapToken");
  const Value* file = form.find("discovery.file");
  const bool flat = form.is_flat();
  const std::string_view here = flat ? "" : "discovery";
  const std::string token_field = flat ? "discoveryToken" : "bootstrapToken",
                    file_field = flat ? "discoveryFile" : "file";
  const bool told = !form.from_flags() && !form.find_map("discovery");  // check() has, that it is missing or no map
  if (!boot && !file && !told) {
    const bool only_endpoint_missing = form.from_flags() && form.find("discovery.tlsBootstrapToken");
    form.error(here, {"config.discovery-missing", token_field + " or " + file_field + " must be set",
                      only_endpoint_missing ? "the API server's address is missing: kubejoin join HOST:6443 --token …"
                                            : "say how to find the cluster and prove that it is the right one"});
  }
  if (boot && file) {
    const bool pins_alone = flat && !form.find("discovery.bootstrapToken.token");
    form.error(here, {"config.discovery-both",
                      pins_alone ? "discoveryTokenCACertHashes cannot be used with discoveryFile"
                                 : token_field + " and " + file_field + " cannot both be set",
                      "a file proves the cluster by itself; remove one of them"});
  }

  std::string token;
  if (boot && boot->type == Type::map) {
    TokenDiscovery& discovery = config.token_discovery.emplace();
    read_token(form, !late_token && !file, token);
    discovery.token = Secret(token);
    discovery.unsafe_skip_ca_verification = form.truth("discovery.bootstrapToken.unsafeSkipCAVerification");
    read_endpoints(form, !file, discovery);
    read_pins(form, !file, discovery);
  }
  if (file && file->type == Type::map) read_file(form, surroundings, config.file_discovery.emplace());
  std::string tls = form.judged("discovery.tlsBootstrapToken", judge_token,
                                boot ? "discovery.bootstrapToken.token" : "the file's credentials");
  config.tls_bootstrap_token = Secret(!tls.empty() ? tls : token);
  form.forget("discovery.tlsBootstrapToken");
  wipe(tls);
  wipe(token);
}

void read_taints(Form& form, JoinConfig& config) {
  constexpr std::string_view kPath = "nodeRegistration.taints";
  const Value* list = form.read(kPath);
  if (!list || list->type != Type::list) return;
  std::set<std::pair<std::string, std::string>> seen;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Value& item = list->items[i];
    Taint taint{plain_text(item, "key"), plain_text(item, "value"), plain_text(item, "effect")};
    if (const Value* key = item.find("key"))
      form.judge(indexed(kPath, i, "key"), *key, judge_qualified_name(taint.key));
    if (const Value* value = item.find("value"))
      form.judge(indexed(kPath, i, "value"), *value, judge_label_value(taint.value));
    if (!taint.key.empty() && !seen.insert({taint.key, taint.effect}).second)
      form.error(
          indexed(kPath, i), item,
          {"config.taint",
           "a second taint " + printable(taint.key + ":" + taint.effect) + "; the API server would refuse the Node",
           "remove one of them"});
    config.taints.push_back(std::move(taint));
  }
}

// Which kubelet it will be is known on the machine: there it is an error.
void warn_of_refusals(Form& form, const Value& name, const Arg& arg) {
  for (const kube::Refusal& refusal : kube::refusals_of(arg.name, arg.value))
    if (refusal.until > kube::kNewestKubelet || refusal.from > kube::kOldestKubelet)
      form.warning("nodeRegistration.kubeletExtraArgs", name, {"config.kubelet-flag", refusal.message, refusal.hint});
}

void read_kubelet_args(Form& form, JoinConfig& config) {
  constexpr std::string_view kPath = "nodeRegistration.kubeletExtraArgs";
  const Value* list = form.read(kPath);
  if (!list || list->type != Type::list) return;
  config.kubelet_extra_args.reserve(list->items.size());
  for (const Value& item : list->items) {
    const Value* name = item.find("name");
    const Value* value = item.find("value");
    if (!name || name->type != Type::string) continue;  // check() has told
    Arg arg{name->text, plain_text(item, "value")};
    const std::string method = plain_text(item, "mergeMethod");
    arg.merge = method == "append"    ? Arg::Merge::append
                : method == "prepend" ? Arg::Merge::prepend
                                      : Arg::Merge::replace;
    if (form.judge(kPath, *name, judge_arg_name(arg.name)) && !form.is_template(arg.value)) warn_of_refusals(form, *name, arg);
    if (auto wrong = judge_arg_value(arg.name, arg.value))
      form.judge(std::string(kPath) + " " + arg.name, *value, wrong);
    config.kubelet_extra_args.push_back(std::move(arg));
  }
}

// A name that may be known to a newer kubeadm alone is no reason to refuse a join, and kubeadm takes any.
void warn_of_unknown_check(Form& form, const Value& name, const Surroundings& surroundings) {
  const std::string given(trim(name.text));
  const auto is_it = [&, small = lower(given)](const std::string& check) { return check.ends_with('-') ? small.starts_with(lower(check)) : small == lower(check); };
  const auto& checks = surroundings.checks;
  if (checks.empty() || given.empty() || lower(given) == "all" || form.is_template(given) || std::any_of(checks.begin(), checks.end(), is_it)) return;
  const auto meant = did_you_mean(given, checks);
  form.warning("nodeRegistration.ignorePreflightErrors", name,
               {"config.ignore-preflight", "there is no check " + quoted(given) + (meant ? " (did you mean \"" + *meant + "\"?)" : ""), "nothing is ignored by it; preflight prints the names: [ERROR NAME]"});
}

void read_ignored_checks(Form& form, const Flags& flags, const Surroundings& surroundings, JoinConfig& config) {
  constexpr std::string_view kPath = "nodeRegistration.ignorePreflightErrors";
  std::vector<std::string> names = form.texts(kPath);
  if (const Value* list = form.find(kPath))
    for (const Value& name : list->items) warn_of_unknown_check(form, name, surroundings);
  for (const std::string& flag : flags.ignore_preflight_errors)
    for (const std::string& name : split(flag, ',')) names.push_back(name);
  for (std::string& name : names) name = lower(trim(name));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::erase(names, "");
  if (!flags.ignore_preflight_errors.empty()) form.origins.back().second = "flag --ignore-preflight-errors";
  if (names.size() > 1 && std::binary_search(names.begin(), names.end(), "all"))
    form.error(kPath, {"config.ignore-preflight", "don't specify individual checks if 'all' is used",
                       "all alone, or the checks without it"});
  config.ignore_preflight_errors = std::move(names);
}

void read_skipped_phases(Form& form, const Surroundings& surroundings, JoinConfig& config) {
  constexpr std::string_view kPath = "skipPhases";
  config.skip_phases = form.texts(kPath);
  const Value* list = form.find(kPath);
  if (!list || surroundings.phases.empty()) return;
  const auto is_known = [&](const std::string& name) {
    return std::find(surroundings.phases.begin(), surroundings.phases.end(), name) != surroundings.phases.end();
  };
  bool all_known = true;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const std::string& name = list->items[i].text;
    if (is_known(name) || form.is_template(name)) continue;
    const auto meant = did_you_mean(name, surroundings.phases);
    all_known = form.judge(indexed(kPath, i), list->items[i],
                           Wrong{"config.phase", "invalid phase name: " + printable(name) + (meant ? " (did you mean \"" + *meant + "\"?)" : ""), "kubejoin join phase list"});
  }
  if (!all_known || !surroundings.can_skip) return;
  if (auto together = surroundings.can_skip(config.skip_phases); !together)
    form.error(kPath, {together.error().id, together.error().message, together.error().hint});
}

void read_feature_gates(Form& form, JoinConfig& config) {
  const Value* gates = form.find("featureGates") ? form.read("featureGates") : nullptr;  // only old versions have them
  if (!gates) return;
  for (const Value::Member& gate : gates->members) {
    Value name = gate.value;
    if (gate.mark.line > 0) name.mark = gate.mark;
    if (form.judge("featureGates", name, judge_feature_gate(gate.key)))
      config.feature_gates[gate.key] = schema::truth(gate.value);
  }
}

void read_duration(Form& form, std::string_view path, milliseconds& into,
                   Judgement (*rule)(std::string_view) = judge_duration) {
  const std::string text = form.judged(path, rule);
  if (const auto duration = parse_duration(text); duration && !text.empty()) into = *duration;
}

void read_node_name(Form& form, std::string_view path, const Surroundings& surroundings, JoinConfig& config) {
  const std::string given = form.text(path, "host name");
  config.node_name_given = !trim(given).empty();
  config.node_name = normalise_node_name(config.node_name_given ? given : surroundings.hostname);
  const auto wrong = judge_node_name(config.node_name);
  if (!wrong || form.is_template(given)) return;
  if (config.node_name_given) return form.error(path, *form.find(path), *wrong);
  if (surroundings.templates) return;  // a laptop's host name is nobody's node name
  form.error(path, {wrong->id, "the host name " + wrong->message,
                    wrong->hint.empty() ? "say nodeRegistration.name or --node-name" : wrong->hint});
}

// What FirstBoot says in place of the join document.
struct Elsewhere {
  bool token = false;
  bool name = false;
};

void read_join(Form& form, const Flags& flags, const Elsewhere& elsewhere, const Surroundings& surroundings,
               JoinConfig& config) {
  if (form.find("controlPlane"))
    form.error("controlPlane",
               {"config.control-plane", "kubejoin joins workers only", "remove it; kubeadm joins control planes"});
  read_discovery(form, elsewhere.token, surroundings, config);
  if (form.find("nodeRegistration.name") || !elsewhere.name)
    read_node_name(form, "nodeRegistration.name", surroundings, config);
  config.cri_socket = normalise_cri_socket(form.judged("nodeRegistration.criSocket", judge_cri_socket, "detected"));
  read_taints(form, config);
  read_kubelet_args(form, config);
  read_ignored_checks(form, flags, surroundings, config);
  if (const std::string path = form.judged("caCertPath", judge_ca_cert_path); !path.empty()) config.ca_cert_path = path;
  read_skipped_phases(form, surroundings, config);
  config.patches_directory = form.judged("patches.directory", judge_absolute_path, "none");
  read_feature_gates(form, config);
  config.cluster_name = form.text("clusterName", "the cluster's own");
  config.dry_run = form.truth("dryRun");
  read_duration(form, "timeouts.discovery", config.timeouts.discovery);
  read_duration(form, "timeouts.tlsBootstrap", config.timeouts.tls_bootstrap);
  read_duration(form, "timeouts.kubeletHealthCheck", config.timeouts.kubelet_health_check);
  read_duration(form, "timeouts.kubernetesAPICall", config.timeouts.kubernetes_api_call);
}

// ---- flags ------------------------------------------------------------------------------------------------

Value list_of(const std::vector<std::string>& texts) {
  Value list = parse::make_list();
  for (const std::string& text : texts)
    for (const std::string& part : split(text, ','))
      if (!trim(part).empty()) list.items.push_back(parse::make_string(std::string(trim(part))));
  return list;
}

void fill_text(Form& form, std::string_view path, const std::optional<std::string>& text, std::string_view flag) {
  if (text && !text->empty()) form.fill(path, parse::make_string(*text), "flag --" + std::string(flag));
}

void fill_secret(Form& form, std::string_view path, const std::optional<Secret>& secret, std::string_view flag) {
  if (secret && !secret->empty())
    form.fill(path, parse::make_string(std::string(secret->expose())), "flag --" + std::string(flag));
}

// "Name=bool,…", the booleans as Go's strconv.ParseBool has them.
void fill_feature_gates(Form& form, const std::string& text) {
  static const std::set<std::string> kTrue = {"1", "t", "T", "true", "TRUE", "True"},
                                     kFalse = {"0", "f", "F", "false", "FALSE", "False"};
  Value gates = parse::make_map();
  std::vector<Wrong> wrongs;
  for (const std::string& pair : split(text, ',')) {
    const std::string gate(trim(pair));
    if (gate.empty()) continue;
    const auto equals = gate.find('=');
    const std::string value = equals == gate.npos ? "" : gate.substr(equals + 1);
    if (kTrue.count(value) + kFalse.count(value) == 0)
      wrongs.push_back({"config.feature-gate", quoted(gate) + " is not Name=true or Name=false",
                        "it looks like DynamicKubeletConfig=true"});
    else
      parse::set(gates, gate.substr(0, equals), parse::make_bool(kTrue.count(value) != 0));
  }
  form.fill("featureGates", std::move(gates), "flag --feature-gates");
  for (Wrong& wrong : wrongs) form.error("featureGates", std::move(wrong));
}

// Those that kubeadm takes beside a document, too: 1.20 all of them, 1.37 all but cri-socket and patches.
void fill_common(Form& form, const Flags& flags, const Surroundings& surroundings) {
  fill_text(form, "nodeRegistration.name", flags.node_name, "node-name");
  fill_text(form, "nodeRegistration.criSocket", flags.cri_socket, "cri-socket");
  if (flags.patches) fill_text(form, "patches.directory", absolute(*flags.patches, surroundings), "patches");
  if (flags.dry_run) form.fill("dryRun", parse::make_bool(*flags.dry_run), "flag --dry-run");
  if (!flags.skip_phases.empty()) form.fill("skipPhases", list_of(flags.skip_phases), "flag --skip-phases");
}

// The address of the API server decides whether there is token discovery at all (kubeadm app/cmd/join.go, newJoinData).
void fill_discovery(Form& form, const Flags& flags) {
  fill_text(form, "discovery.file.kubeConfigPath", flags.discovery_file, "discovery-file");
  fill_secret(form, "discovery.tlsBootstrapToken", flags.token, "token");
  fill_secret(form, "discovery.tlsBootstrapToken", flags.tls_bootstrap_token, "tls-bootstrap-token");
  if (flags.feature_gates) fill_feature_gates(form, *flags.feature_gates);
  if (flags.endpoints.empty()) return;
  Value endpoints = parse::make_list();
  for (const std::string& endpoint : flags.endpoints) endpoints.items.push_back(parse::make_string(endpoint));
  form.fill("discovery.bootstrapToken.apiServerEndpoint", std::move(endpoints), "argument api-server-endpoint");
  fill_secret(form, "discovery.bootstrapToken.token", flags.token, "token");
  fill_secret(form, "discovery.bootstrapToken.token", flags.discovery_token, "discovery-token");
  if (!flags.ca_cert_hashes.empty())
    form.fill("discovery.bootstrapToken.caCertHashes", list_of(flags.ca_cert_hashes),
              "flag --discovery-token-ca-cert-hash");
  if (flags.unsafe_skip_ca_verification)
    form.fill("discovery.bootstrapToken.unsafeSkipCAVerification", parse::make_bool(*flags.unsafe_skip_ca_verification),
              "flag --discovery-token-unsafe-skip-ca-verification");
}

bool any_flag_of_discovery(const Flags& flags) {
  return !flags.endpoints.empty() || flags.discovery_file || flags.token || flags.discovery_token ||
         flags.tls_bootstrap_token || !flags.ca_cert_hashes.empty() || flags.unsafe_skip_ca_verification;
}

Error about(std::string where, std::string_view id, std::string message, std::string hint) {
  Error error = fail(Kind::invalid, id, std::move(message), std::move(hint)).value();
  error.place.file = std::move(where);
  return error;
}

void refuse_mixed_flags(const Flags& flags, Loaded& loaded) {
  std::vector<std::string> mixed;
  if (flags.discovery_file) mixed.push_back("discovery-file");
  if (flags.discovery_token) mixed.push_back("discovery-token");
  if (!flags.ca_cert_hashes.empty()) mixed.push_back("discovery-token-ca-cert-hash");
  if (flags.unsafe_skip_ca_verification) mixed.push_back("discovery-token-unsafe-skip-ca-verification");
  if (flags.feature_gates) mixed.push_back("feature-gates");
  if (flags.tls_bootstrap_token) mixed.push_back("tls-bootstrap-token");
  if (flags.token) mixed.push_back("token");
  if (!mixed.empty())
    loaded.errors.push_back(about("command line", "config.mixed-flags",
                                  "can not mix '--config' with arguments [" + join(mixed, " ") + "]",
                                  "write them into the document, or do without it"));
  if (!flags.endpoints.empty())
    loaded.warnings.push_back(
        about("command line", "config.ignored-argument",
              "the argument " + quoted(flags.endpoints.front()) + " has no effect beside a document",
              "the document's apiServerEndpoint is used"));
}

// ---- FirstBoot --------------------------------------------------------------------------------------------

void read_labels(Form& form, FirstBoot& first_boot) {
  const Value* labels = form.read("node.labels", "none");
  if (!labels) return;
  for (const Value::Member& label : labels->members) {
    if (auto wrong = judge_label_key(label.key)) {
      Value key = parse::make_string(label.key);
      key.mark = label.mark;
      form.judge("node.labels", key, wrong);
    }
    if (auto wrong = judge_label_value(label.value.text)) form.judge("node.labels " + label.key, label.value, wrong);
    first_boot.labels[label.key] = label.value.text;
  }
}

// What the kubelet would be told twice, differently.
void refuse_twice(Form& form, std::string_view path, std::string_view arg, const JoinConfig& config) {
  const auto& args = config.kubelet_extra_args;
  if (!form.find(path) || std::none_of(args.begin(), args.end(), [&](const Arg& a) { return a.name == arg; })) return;
  form.error(path, {"config.kubelet-arg", "kubeletExtraArgs says " + std::string(arg) + ", too", "remove one of them"});
}

void read_first_boot(Form& form, const Flags& flags, const Surroundings& surroundings, JoinConfig& config) {
  FirstBoot& first_boot = config.first_boot;
  first_boot.token_from = form.judged("token.from", judge_token_from, "the document's token");
  if (form.find("node.name") && !flags.node_name) {
    if (config.node_name_given && normalise_node_name(form.find("node.name")->text) != config.node_name)
      form.warning("node.name",
                   {"config.node-name", "it replaces the name of the join document, " + quoted(config.node_name),
                    "say it once"});
    read_node_name(form, "node.name", surroundings, config);
  }
  if (const Value* ip = form.find("node.ip"); ip && ip->type == Type::map)
    first_boot.node_ip_cidr = form.judged("node.ip.cidr", judge_cidr, "none");
  else
    first_boot.node_ip = form.judged("node.ip", judge_ip, "the kubelet's choice");
  refuse_twice(form, "node.ip", "node-ip", config);
  read_labels(form, first_boot);
  first_boot.provider_id = form.judged("node.providerID", judge_provider_id, "none");
  refuse_twice(form, "node.providerID", "provider-id", config);
  if (form.text("bootstrap.by") == "kubelet") first_boot.bootstrap_by = BootstrapBy::kubelet;
  const std::string until = form.text("wait.for");
  if (until == "identity") first_boot.wait_for = WaitFor::identity;
  if (until == "ready") first_boot.wait_for = WaitFor::ready;
  read_duration(form, "wait.timeout", first_boot.wait_timeout);
  read_duration(form, "start.jitter", first_boot.start_jitter, judge_delay);
  first_boot.sentinel = form.judged("result.sentinel", judge_absolute_path, "none");
  if (form.find("result.event")) first_boot.event = form.truth("result.event");
  first_boot.apply_kubelet_configuration = form.truth("kubelet.applyConfiguration");
}

void use_kubelet_configuration(const Piles& piles, Loaded& loaded) {
  const auto& documents = piles.kubelet_configurations;
  if (!loaded.config.first_boot.apply_kubelet_configuration) {
    for (const Document* document : documents)
      loaded.warnings.push_back(unused(*document,
                                       "a node's configuration comes from the cluster; FirstBoot's kubelet: "
                                       "{applyConfiguration: true} applies this one on top"));
    return;
  }
  if (!documents.empty()) loaded.config.kubelet_patch = parse::to_yaml(documents.front()->root);
  for (std::size_t i = 1; i < documents.size(); ++i)
    loaded.errors.push_back(complaint(
        *documents[i], "kind",
        {"config.two-documents", "a second KubeletConfiguration; only one can be applied", "remove one of them"}));
  if (documents.empty()) {
    const Document& asker = *piles.first_boots.front().document;
    loaded.warnings.push_back(complaint(
        asker, "kubelet",
        {"config.nothing-to-apply", "kubelet.applyConfiguration is true, but there is no KubeletConfiguration", ""}));
  }
}

// ---- the report -------------------------------------------------------------------------------------------

bool same_place(const Error& a, const Error& b) {
  return a.place.line == b.place.line && a.place.column == b.place.column && a.place.file == b.place.file;
}

// One value, one error: a rule says more than a pattern, and nothing can be said of a value of the wrong type.
void add_errors(std::vector<Error>& to, std::vector<Error> from_schema, std::vector<Error> from_rules) {
  const auto any_at = [](const std::vector<Error>& errors, const Error& place,
                         std::initializer_list<std::string_view> ids) {
    return std::any_of(errors.begin(), errors.end(), [&](const Error& e) {
      return same_place(e, place) && (ids.size() == 0 || std::find(ids.begin(), ids.end(), e.id) != ids.end());
    });
  };
  std::vector<Error> all;
  for (Error& rule : from_rules)
    if (!any_at(from_schema, rule, {"schema.type", "schema.enum"})) all.push_back(std::move(rule));
  const std::vector<Error> rules = all;
  for (Error& error : from_schema) {
    const bool content = error.id == "schema.pattern" || error.id == "schema.length";
    if (!content || !any_at(rules, error, {})) all.push_back(std::move(error));
  }
  // Flags have no line and come last.
  const auto key = [](const Error& e) { return std::tuple(e.place.line == 0, e.place.line, e.place.column); };
  std::stable_sort(all.begin(), all.end(), [&](const Error& a, const Error& b) { return key(a) < key(b); });
  std::move(all.begin(), all.end(), std::back_inserter(to));
}

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

// Variables that were left over in any field of a document, with the field's path as the user writes it.
void find_left_over(const Checked& checked, const Value& value, const std::string& path, std::vector<Error>& found) {
  for (const Value::Member& member : value.members)
    find_left_over(checked, member.value, path + (path.empty() ? "" : ".") + member.key, found);
  for (std::size_t i = 0; i < value.items.size(); ++i) find_left_over(checked, value.items[i], indexed(path, i), found);
  if (value.type != Type::string) return;
  const auto left = left_over(value.text, LeftOver::surely);
  if (!left) return;
  Wrong wrong = placeholder(*left);
  Error error = fail(Kind::invalid, wrong.id, printable(path) + ": " + wrong.message, std::move(wrong.hint)).value();
  error.place = schema::place(*checked.document, value.mark, checked.verdict.secret_lines);
  found.push_back(std::move(error));
}

// What any rule says of a value that is no value yet is not told.
std::vector<Error> left_over_instead(const Checked& checked, std::vector<Error>& from_schema, std::vector<Error>& from_rules) {
  std::vector<Error> found;
  find_left_over(checked, checked.document->root, "", found);
  for (std::vector<Error>* errors : {&from_schema, &from_rules})
    std::erase_if(*errors, [&](const Error& e) { return std::any_of(found.begin(), found.end(), [&](const Error& f) { return same_place(e, f); }); });
  return found;
}

void take(Loaded& loaded, const Checked* checked, Form& form) {
  std::vector<Error> from_schema;
  if (checked) {
    from_schema = checked->verdict.errors;
    append(form.errors, left_over_instead(*checked, from_schema, form.errors));
  }
  add_errors(loaded.errors, std::move(from_schema), std::move(form.errors));
  if (checked) append(loaded.warnings, checked->verdict.warnings);
  append(loaded.warnings, std::move(form.warnings));
  append(loaded.origins, std::move(form.origins));
}

void warn_of_age(const Checked& join, Loaded& loaded) {
  const schema::Version& version = *join.version;
  if (version.note.empty()) return;
  const std::string message = "apiVersion " + std::string(version.api_version) + ": " + std::string(version.note);
  loaded.warnings.push_back(complaint(
      *join.document, "apiVersion", {"config.old-version", message, "kubeadm of today reads kubeadm.k8s.io/v1beta4"}));
}

}  // namespace

Loaded load(const std::vector<Document>& documents, const Flags& flags, const Surroundings& surroundings, bool strict) {
  constexpr std::size_t kMostDocuments = 64;
  const schema::Reading reading{strict, surroundings.templates};
  Loaded loaded;
  if (documents.size() > kMostDocuments) {
    loaded.errors.push_back(about(documents.front().source->file, "config.too-many-documents",
                                  "more than " + std::to_string(kMostDocuments) + " documents",
                                  "one JoinConfiguration is enough"));
    return loaded;
  }
  Piles piles = sort_documents(documents, reading);
  loaded.errors = std::move(piles.errors);
  loaded.warnings = std::move(piles.warnings);

  const Checked* join = piles.joins.empty() ? nullptr : &piles.joins.front();
  const Checked* first_boot = piles.first_boots.empty() ? nullptr : &piles.first_boots.front();
  Form form =
      join ? Form(join->document, join->version, &join->verdict, reading) : Form(nullptr, nullptr, nullptr, reading);
  fill_common(form, flags, surroundings);
  if (!join) {
    fill_discovery(form, flags);
    if (!documents.empty() && !any_flag_of_discovery(flags) && loaded.errors.empty())
      loaded.errors.push_back(about(documents.front().source->file, "config.no-document",
                                    "no JoinConfiguration found in the supplied config",
                                    "add a document of kind JoinConfiguration (kubeadm.k8s.io/v1beta4)"));
  } else {
    loaded.config.declared_version = join->version->name;
    warn_of_age(*join, loaded);
    refuse_mixed_flags(flags, loaded);
  }
  const bool readable = join || documents.empty() || any_flag_of_discovery(flags);
  const auto says = [&](std::string_view pointer) { return first_boot && first_boot->document->root.at(pointer); };
  if (readable) read_join(form, flags, {says("/token/from"), says("/node/name")}, surroundings, loaded.config);
  take(loaded, join, form);
  for (std::size_t i = 1; i < piles.joins.size(); ++i)
    add_errors(loaded.errors, std::move(piles.joins[i].verdict.errors), {});

  if (first_boot) {
    Form ours(first_boot->document, first_boot->version, &first_boot->verdict, reading, "FirstBoot.");
    read_first_boot(ours, flags, surroundings, loaded.config);
    take(loaded, first_boot, ours);
  }
  for (std::size_t i = 1; i < piles.first_boots.size(); ++i)
    add_errors(loaded.errors, std::move(piles.first_boots[i].verdict.errors), {});
  use_kubelet_configuration(piles, loaded);
  return loaded;
}

}  // namespace kubejoin::config
