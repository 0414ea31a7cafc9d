// kubejoin join: kubeadm's command and all its worker flags of 1.9 to today.
#include <algorithm>
#include <cstdio>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/join_run.h"
#include "cli/surroundings.h"
#include "config/join_flags.h"
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

// What the flags that are no part of a configuration do; of the others, config::join_flags() knows.
std::function<Status(const std::string&)> setter(JoinOptions& o, std::string_view name) {
  const auto text = [](std::string& into) { return [&into](const std::string& v) { return into = v, Status{}; }; };
  if (name == "config") return text(o.config_path);
  if (name == "wait") return text(o.wait);
  if (name == "root" || name == "rootfs") return text(o.root);
  if (name == "strict") return [&o](const std::string& v) { return o.strict = v == "true" || v == "1" || v == "t", Status{}; };
  if (name == "v")
    return [&o](const std::string& v) -> Status {
      if (v.empty() || !std::all_of(v.begin(), v.end(), [](char c) { return c >= '0' && c <= '9'; }) || v.size() > 2)
        return fail(Kind::usage, "usage.verbosity", "-v takes a number, not " + quoted(v));
      return o.verbosity = std::stoi(v), Status{};
    };
  if (name == "control-plane" || name == "experimental-control-plane")
    return [&o](const std::string& v) { return o.control_plane = v == "true" || v == "1" || v == "t", Status{}; };
  if (name == "certificate-key" || name.starts_with("apiserver-"))
    return [&o](const std::string& v) { return o.control_plane_flags |= !v.empty() && v != "6443", Status{}; };
  return [](const std::string&) { return Status{}; };
}

std::vector<Flag> flags_into(JoinOptions& o) {
  std::vector<Flag> flags;
  for (const config::JoinFlag& row : config::join_flags()) {
    const bool configures = row.text || row.secret || row.list || row.boolean;
    std::function<Status(const std::string&)> set = setter(o, row.name);
    if (configures) set = [&o, &row](const std::string& v) { return config::set(o.flags, row, v); };
    flags.push_back({row.name, row.letter, row.value_name, row.sentence, std::move(set)});
  }
  return flags;
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
    if ((e.id == "config.phase" || e.id == "plan.missing-fact") && e.place.file.starts_with("flag ")) e.kind = Kind::usage;
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
