// kubejoin join: kubeadm's command and all its worker flags of 1.9 to today.
#include <algorithm>
#include <cstdio>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/join_run.h"
#include "cli/surroundings.h"
#include "config/user_data.h"
#include "plan/join_plan.h"
#include "plan/runner.h"

namespace kubejoin::cli {
namespace {

constexpr std::size_t kMaxConfig = 10 << 20;

struct JoinOptions {
  config::Flags flags;
  std::string config_path;
  std::string root = "/";
  std::string wait;
  bool strict = false;
  bool control_plane = false, control_plane_flags = false;
  int verbosity = 0;
};

// Lists as pflag's StringSlice has them: repeatable, each use one line of CSV (Go encoding/csv): an item that begins with a quote ends with
// one and may hold commas and doubled quotes; a quote elsewhere is a mistake.
Status append_list(std::vector<std::string>& list, const std::string& value) {
  const auto wrong = [&](const char* what) {
    return fail(Kind::usage, "usage.list", std::string(what) + " in the list " + quoted(value), "items are separated by commas; quotes go around a whole item");
  };
  std::size_t at = 0;
  while (at < value.size()) {
    std::string item;
    if (value[at] == '"') {
      for (++at;;) {
        const std::size_t quote = value.find('"', at);
        if (quote == std::string::npos) return wrong("a quote is not closed");
        item.append(value, at, quote - at);
        at = quote + 1;
        if (at == value.size() || value[at] != '"') break;
        item += value[at++];
      }
      if (at < value.size() && value[at] != ',') return wrong("something follows a closing quote");
    } else {
      const std::size_t end = std::min(value.find(',', at), value.size());
      item = value.substr(at, end - at);
      if (item.find('"') != std::string::npos) return wrong("a quote stands inside an item");
      at = end;
    }
    list.push_back(std::move(item));
    if (at < value.size() && ++at == value.size()) list.emplace_back();  // a comma at the end: one more, empty
  }
  return {};
}

std::vector<Flag> flags_into(JoinOptions& o) {
  const auto text = [](std::string& into) { return [&into](const std::string& v) { return into = v, Status{}; }; };
  const auto optional = [](std::optional<std::string>& into) { return [&into](const std::string& v) { return into = v, Status{}; }; };
  const auto secret = [](std::optional<Secret>& into) { return [&into](const std::string& v) { return into = Secret(v), Status{}; }; };
  const auto list = [](std::vector<std::string>& into) { return [&into](const std::string& v) { return append_list(into, v); }; };
  const auto boolean = [](auto& into) { return [&into](const std::string& v) { return into = v == "true" || v == "1" || v == "t", Status{}; }; };
  const auto of_control_planes = [&o](const std::string& v) { return o.control_plane_flags |= !v.empty() && v != "6443", Status{}; };
  const auto ignored = [](const std::string&) { return Status{}; };
  config::Flags& f = o.flags;
  return {
      {"config", 0, "FILE", "a JoinConfiguration (v1alpha1 to v1beta4), or user-data that holds one", text(o.config_path)},
      {"token", 0, "TOKEN", "for discovery and TLS bootstrap, where no other is given", secret(f.token)},
      {"discovery-token", 0, "TOKEN", "to validate cluster-info", secret(f.discovery_token)},
      {"discovery-token-ca-cert-hash", 0, "sha256:HEX,...", "pins of the cluster's root CA keys; repeatable", list(f.ca_cert_hashes)},
      {"discovery-token-unsafe-skip-ca-verification", 0, "", "join without a pin", boolean(f.unsafe_skip_ca_verification)},
      {"discovery-file", 0, "FILE|URL", "a kubeconfig, local or over https", optional(f.discovery_file)},
      {"tls-bootstrap-token", 0, "TOKEN", "to authenticate for the node's certificate", secret(f.tls_bootstrap_token)},
      {"node-name", 0, "NAME", "the Node's name; the host name otherwise", optional(f.node_name)},
      {"cri-socket", 0, "PATH", "the container runtime's socket; detected otherwise", optional(f.cri_socket)},
      {"feature-gates", 0, "NAME=BOOL,...", "Auditing, CoreDNS, DynamicKubeletConfig, SelfHosting, StoreCertsInSecrets", optional(f.feature_gates)},
      {"ignore-preflight-errors", 0, "NAME,...", "checks whose errors are shown as warnings; `all` for every one", list(f.ignore_preflight_errors)},
      {"skip-phases", 0, "NAME,...", "phases to leave out", list(f.skip_phases)},
      {"patches", 0, "DIR", "kubeletconfiguration[suffix][+strategic|+merge|+json].{yaml,json}", optional(f.patches)},
      {"dry-run", 0, "", "show every request and write; change nothing", boolean(f.dry_run)},
      {"wait", 0, "identity|registered|ready", "what success means (default registered)", text(o.wait)},
      {"strict", 0, "", "unknown fields of the document are errors", boolean(o.strict)},
      {"root", 0, "DIR", "take every path below DIR", text(o.root)},
      {"rootfs", 0, "DIR", "kubeadm's name of --root", text(o.root)},
      {"v", 'v', "LEVEL", "0 to 5: how much to tell", [&o](const std::string& v) -> Status {
         if (v.empty() || !std::all_of(v.begin(), v.end(), [](char c) { return c >= '0' && c <= '9'; }) || v.size() > 2)
           return fail(Kind::usage, "usage.verbosity", "-v takes a number, not " + quoted(v));
         return o.verbosity = std::stoi(v), Status{};
       }},
      {"certificate-key", 0, "KEY", "of control planes: ignored with a warning", of_control_planes},
      {"apiserver-advertise-address", 0, "IP", "of control planes: ignored with a warning", of_control_planes},
      {"apiserver-bind-port", 0, "PORT", "of control planes: ignored with a warning", of_control_planes},
      {"control-plane", 0, "", "not of workers: kubeadm's", [&o](const std::string& v) { return o.control_plane = v == "true" || v == "1" || v == "t", Status{}; }},
      {"kubeconfig", 0, "FILE", "accepted for compatibility", ignored},
      {"vmodule", 0, "PATTERN=N", "accepted for compatibility", ignored},
      {"skip-headers", 0, "", "accepted for compatibility", ignored},
      {"skip-log-headers", 0, "", "accepted for compatibility", ignored},
  };
}

int list_phases() {
  std::printf("%-15s %-24s %s\n", "PHASE", "(KUBEADM'S)", "WHAT IT DOES");
  for (const plan::Phase& phase : plan::kJoinPlan)
    std::printf("%-15s %-24s %s\n", std::string(phase.name).c_str(), phase.upstream.empty() ? "" : ("(" + std::string(phase.upstream) + ")").c_str(), std::string(phase.sentence).c_str());
  return 0;
}

}  // namespace

std::vector<Flag> join_flags() {
  static JoinOptions unused;
  return flags_into(unused);
}

int run_join(const Invocation& invocation) {
  JoinOptions options;
  const std::vector<Flag> flags = flags_into(options);
  Parsed parsed = parse(invocation.arguments, flags);
  int status = 0;
  if (finished(parsed, "join", status)) return invocation.as_kubeadm && status != 0 ? 1 : status;

  std::size_t only = 0;
  if (!parsed.positionals.empty() && parsed.positionals.front() == "phase") {
    if (parsed.positionals.size() < 2 || parsed.positionals[1] == "list") return list_phases();
    const std::string& name = parsed.positionals[1];
    // Everything up to it is needed for it, so the facts before it are gathered again; nothing after it runs.
    only = plan::count_up_to(plan::kJoinPlan, name);
    if (only == 0 && plan::is_control_plane_phase(name)) return std::fprintf(stderr, "phase %s is for control planes: a worker has nothing to do in it\n", name.c_str()), 0;
    if (only == 0) {
      const Error e = fail(Kind::usage, "usage.phase", "invalid phase name: " + printable(name), "kubejoin join phase list").value();
      return complain({&e, 1}), invocation.as_kubeadm ? 1 : exit_status(e.kind);
    }
    parsed.positionals.erase(parsed.positionals.begin(), parsed.positionals.begin() + 2);
  }
  options.flags.endpoints = parsed.positionals;
  if (options.control_plane) {
    const Error e = fail(Kind::usage, "usage.control-plane", "kubejoin joins workers; --control-plane is for kubeadm", "install kubeadm on control planes").value();
    return complain({&e, 1}), invocation.as_kubeadm ? 1 : exit_status(e.kind);
  }
  if (options.control_plane_flags)
    std::fputs("[preflight] WARNING: --control-plane is also required when passing control-plane related flags such as [certificate-key, apiserver-advertise-address, apiserver-bind-port]\n", stderr);

  auto host = make_real_host(options.root);
  JoinRun run;
  config::Surroundings surroundings = surroundings_of(host->hostname());
  surroundings.working_directory = working_directory();
  config::Loaded loaded;
  if (options.config_path.empty()) {
    loaded = config::load({}, options.flags, surroundings, options.strict);
  } else {
    options.config_path = absolute_path(options.config_path);
    auto bytes = host->read(options.config_path, kMaxConfig);
    if (!bytes) {
      Error e = within("read config from " + quoted(options.config_path), std::move(bytes).error()).value();
      return complain({&e, 1}), invocation.as_kubeadm ? 1 : exit_status(e.kind);
    }
    // A file has no instance's metadata: a template's names are not known.
    const parse::Variables none;
    auto read = config::read_user_data(*bytes, options.config_path, &none, options.flags, surroundings, options.strict);
    wipe(*bytes);
    loaded = std::move(read.loaded);
    if (read.unconcerned && read.unconcerned->joins_control_plane) {
      loaded.errors.push_back(fail(Kind::invalid, "config.control-plane", "controlPlane: kubejoin joins workers only", "remove it; kubeadm joins control planes").value());
      loaded.errors.back().place = read.unconcerned->place;
    } else if (read.documents.empty() && loaded.errors.empty())
      loaded.errors.push_back(fail(Kind::invalid, "config.no-document", "no JoinConfiguration found in the supplied config " + quoted(options.config_path),
                                   "kubejoin schema v1beta4 shows what it looks like").value());
  }
  std::vector<Error> errors = std::move(loaded.errors);
  for (Error& e : errors)
    if (e.id == "config.phase" && e.place.file.starts_with("flag ")) e.kind = Kind::usage;
  run.config = std::move(loaded.config);
  run.warnings = std::move(loaded.warnings);
  using config::WaitFor;
  if (options.wait == "identity") run.config.first_boot.wait_for = WaitFor::identity;
  else if (options.wait == "ready") run.config.first_boot.wait_for = WaitFor::ready;
  else if (!options.wait.empty() && options.wait != "registered")
    errors.push_back(fail(Kind::usage, "usage.wait", "--wait is identity, registered or ready, not " + quoted(options.wait)).value());
  if (!errors.empty()) return complain(errors), invocation.as_kubeadm ? 1 : exit_status(errors.front().kind);

  std::unique_ptr<Lock> turn;
  if (!run.config.dry_run) {
    if (auto taken = take_turn(*host, Millis{0}, turn); !taken) return complain({&taken.error(), 1}), invocation.as_kubeadm ? 1 : exit_status(taken.error().kind);
  }
  run.style = report::style_for(*host, isatty(STDERR_FILENO) == 1);
  run.style.kubeadm = invocation.as_kubeadm;
  run.style.verbosity = options.verbosity;
  run.only_phases = only;
  run.source = options.config_path.empty() ? "command line" : options.config_path;
  const auto result = join_machine(*host, std::move(run));
  return invocation.as_kubeadm && result.error ? 1 : exit_status_of(result);
}

}  // namespace kubejoin::cli
