// kubejoin reset: undoes the join of this machine; kubeadm's command for a worker, with its flags.
#include <cstdio>
#include <unistd.h>

#include <algorithm>

#include "base/recording_host.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/join_run.h"
#include "kubelet/reset.h"
#include "parse/document.h"
#include "plan/state.h"
#include "preflight/checks.h"
#include "report/error_text.h"

namespace kubejoin::cli {
namespace {

constexpr std::string_view kPhases[] = {"preflight", "remove-etcd-member", "cleanup-node"};

struct ResetOptions {
  kubelet::Reset wish;
  std::string config_path, root = "/";
  std::vector<std::string> skip_phases, ignored;
  bool force = false;
};

std::vector<Flag> flags_into(ResetOptions& o) {
  const auto text = [](std::string& into) { return [&into](const std::string& v) { return into = v, Status{}; }; };
  const auto list = [](std::vector<std::string>& into) {
    return [&into](const std::string& v) {
      for (std::string& item : split(v, ','))
        if (!item.empty()) into.push_back(std::move(item));
      return Status{};
    };
  };
  const auto boolean = [](bool& into) { return [&into](const std::string& v) { return into = v == "true" || v == "1" || v == "t", Status{}; }; };
  const auto ignored = [](const std::string&) { return Status{}; };
  return {
      {"force", 'f', "", "do not ask", boolean(o.force)},
      {"dry-run", 0, "", "show what would be done; change nothing", boolean(o.wish.dry_run)},
      {"delete-node", 0, "", "delete the Node too, with its own credential, where the cluster lets it", boolean(o.wish.delete_node)},
      {"cert-dir", 0, "DIR", "the folder of certificates to empty (default /etc/kubernetes/pki)", text(o.wish.certificates_dir)},
      {"cri-socket", 0, "PATH", "the container runtime's socket; detected otherwise", text(o.wish.cri_socket)},
      {"cleanup-tmp-dir", 0, "", "empty /etc/kubernetes/tmp too", boolean(o.wish.cleanup_tmp_dir)},
      {"config", 0, "FILE", "a ResetConfiguration (kubeadm.k8s.io/v1beta4)", text(o.config_path)},
      {"skip-phases", 0, "NAME,...", "of preflight, remove-etcd-member, cleanup-node", list(o.skip_phases)},
      {"ignore-preflight-errors", 0, "NAME,...", "IsPrivilegedUser, or all", list(o.ignored)},
      {"root", 0, "DIR", "take every path below DIR", text(o.root)},
      {"rootfs", 0, "DIR", "kubeadm's name of --root", text(o.root)},
      {"kubeconfig", 0, "FILE", "accepted for compatibility: a worker has none", ignored},
      {"v", 'v', "LEVEL", "accepted for compatibility", ignored},
  };
}

// Flags beat the document; of its fields those are taken that a worker's reset has a use for.
Status read_config(Host& host, ResetOptions& o, const Parsed& parsed) {
  const std::string path = absolute_path(o.config_path);
  auto source = std::make_shared<parse::Source>();
  source->file = path;
  TRY(source->text, host.read(path));
  const parse::Yaml yaml = parse::read_yaml(source);
  if (!yaml.errors.empty()) return tl::unexpected(yaml.errors.front());
  const auto found = std::find_if(yaml.documents.begin(), yaml.documents.end(), [](const parse::Document& d) { return d.kind() == "ResetConfiguration"; });
  if (found == yaml.documents.end()) return fail(Kind::invalid, "config.no-document", "no ResetConfiguration found in the supplied config " + quoted(path));
  if (found->api_version() != "kubeadm.k8s.io/v1beta4")
    return fail(Kind::invalid, "schema.unknown-version", quoted(path) + ": unknown apiVersion " + quoted(found->api_version()) + " of ResetConfiguration", "kubeadm.k8s.io/v1beta4");
  const auto is_given = [&](std::string_view flag) { return std::find(parsed.given.begin(), parsed.given.end(), flag) != parsed.given.end(); };
  const auto text = [&](const char* key, const char* flag, std::string& into) { into = is_given(flag) ? into : found->root.string_or(key, into); };
  const auto boolean = [&](const char* key, const char* flag, bool& into) { into = is_given(flag) ? into : found->root.string_or(key, "") == "true"; };
  const auto list = [&](const char* key, std::vector<std::string>& into) {
    const parse::Value* values = into.empty() ? found->root.find(key) : nullptr;
    if (values != nullptr)
      for (const parse::Value& value : values->items) into.push_back(value.text);
  };
  text("certificatesDir", "cert-dir", o.wish.certificates_dir);
  text("criSocket", "cri-socket", o.wish.cri_socket);
  boolean("cleanupTmpDir", "cleanup-tmp-dir", o.wish.cleanup_tmp_dir);
  boolean("dryRun", "dry-run", o.wish.dry_run);
  boolean("force", "force", o.force);
  list("skipPhases", o.skip_phases);
  list("ignorePreflightErrors", o.ignored);
  list("unmountFlags", o.wish.unmount_flags);
  return {};
}

// As kubeadm asks: `yes | kubeadm reset` is an answer, an input that has ended is none.
Status confirm() {
  std::fputs("[reset] WARNING: Changes made to this host by 'kubeadm join' or 'kubejoin' will be reverted.\n", stderr);
  std::fputs("[reset] Are you sure you want to proceed? [y/N]: ", stdout);
  std::fflush(stdout);
  std::string answer;
  for (char c = 0; answer.size() < 16 && ::read(STDIN_FILENO, &c, 1) == 1 && c != '\n';) answer += c;
  answer = lower(trim(answer));
  if (answer == "y" || answer == "yes") return {};
  return fail(Kind::usage, "reset.not-confirmed", "won't proceed; the user didn't answer (Y|y) in order to continue", "answer y, or pass --force");
}

bool holds(const std::vector<std::string>& list, std::string_view name) { return std::find(list.begin(), list.end(), name) != list.end(); }

Status prepare(Host& host, ResetOptions& o, const Parsed& parsed) {
  if (!o.config_path.empty()) CHECK_OK(read_config(host, o, parsed));
  if (!parsed.positionals.empty()) {
    if (parsed.positionals.front() != "phase" || parsed.positionals.size() != 2)
      return fail(Kind::usage, "usage.argument", "kubejoin reset takes no argument " + quoted(parsed.positionals.front()), "kubejoin reset --help");
    for (const std::string_view phase : kPhases)
      if (phase != parsed.positionals[1]) o.skip_phases.emplace_back(phase);
  }
  for (const std::string& name : o.skip_phases)
    if (std::find(std::begin(kPhases), std::end(kPhases), name) == std::end(kPhases)) return fail(Kind::usage, "usage.phase", "invalid phase name: " + printable(name), "preflight, remove-etcd-member or cleanup-node");
  if (o.skip_phases.size() >= std::size(kPhases)) return fail(Kind::usage, "usage.phase", "invalid phase name: " + printable(parsed.positionals.empty() ? "all are skipped" : parsed.positionals[1]), "preflight, remove-etcd-member or cleanup-node");
  o.wish.certificates_dir = absolute_path(o.wish.certificates_dir);
  while (o.wish.certificates_dir.size() > 1 && o.wish.certificates_dir.ends_with('/')) o.wish.certificates_dir.pop_back();
  // Emptying a folder of the system would take more than a join made.
  if (std::count(o.wish.certificates_dir.begin(), o.wish.certificates_dir.end(), '/') < 2 || o.wish.certificates_dir.find("/..") != std::string::npos)
    return fail(Kind::usage, "reset.cert-dir", "--cert-dir " + quoted(o.wish.certificates_dir) + " is no folder of certificates", "--cert-dir /etc/kubernetes/pki");
  if (host.stat("/etc/kubernetes/manifests/kube-apiserver.yaml"))
    return fail(Kind::unfit, "reset.control-plane", "this machine is a control plane: /etc/kubernetes/manifests/kube-apiserver.yaml", "kubeadm reset knows its etcd member; kubejoin resets workers");
  if (host.effective_uid() != 0 && !holds(o.ignored, "all") && !holds(o.ignored, "IsPrivilegedUser") && !holds(o.skip_phases, "preflight"))
    return fail(Kind::unfit, "preflight.IsPrivilegedUser", "user is not running as root", "run kubejoin as root");
  if (o.wish.cri_socket.empty()) {
    TRY(o.wish.cri_socket, preflight::detect_cri_socket(host, ""));
  }
  if (!o.wish.dry_run && !o.force && !holds(o.skip_phases, "preflight")) return confirm();
  return {};
}

constexpr char kLeft[] = R"(
The reset process does not perform cleanup of CNI plugin configuration,
network filtering rules and kubeconfig files.

Where kubejoin.service is enabled, the next boot joins again; to prevent that: touch /etc/kubejoin/disabled

)";

}  // namespace

std::vector<Flag> reset_flags() {
  static ResetOptions unused;
  return flags_into(unused);
}

int run_reset(const Invocation& invocation) {
  ResetOptions options;
  const Parsed parsed = parse(invocation.arguments, flags_into(options));
  int status = 0;
  const auto ends_with = [&](const Error& error) { return complain({&error, 1}), invocation.as_kubeadm ? 1 : exit_status(error.kind); };
  if (finished(parsed, "reset", status)) return invocation.as_kubeadm && status != 0 ? 1 : status;
  auto machine = make_real_host(options.root);
  if (auto ready = prepare(*machine, options, parsed); !ready) return ends_with(ready.error());
  std::puts("[preflight] Running pre-flight checks");
  if (holds(options.skip_phases, "cleanup-node")) return 0;

  std::unique_ptr<Lock> turn;
  if (!options.wish.dry_run)
    if (auto taken = take_turn(*machine, Millis{0}, turn); !taken) return ends_with(taken.error());
  DryRunHost dry(*machine, [](const std::string& line) { std::printf("%s\n", line.c_str()); });
  options.wish.say = [prefix = options.wish.dry_run ? "[dryrun]" : "[reset]"](const std::string& line) {
    std::printf("%s %s\n", prefix, line.c_str());
    std::fflush(stdout);
  };
  options.wish.warn = [](const Error& warning) { std::fputs(report::error_text(warning, "warning").c_str(), stderr); };
  auto done = kubelet::reset(options.wish.dry_run ? static_cast<Host&>(dry) : *machine, options.wish);
  if (!done) return ends_with(done.error());
  if (!options.wish.dry_run) std::fputs(kLeft, stdout);
  return 0;
}

}  // namespace kubejoin::cli
