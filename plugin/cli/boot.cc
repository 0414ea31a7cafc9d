// kubejoin boot: the unit's command. Find the configuration, validate it, join, report; once an instance.
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/join_run.h"
#include "cli/surroundings.h"
#include "config/user_data.h"
#include "kube/certificate.h"
#include "plan/state.h"
#include "report/error_text.h"
#include "source/source.h"

namespace kubejoin::cli {
namespace {

constexpr Millis kSourceTimeout{120'000};
constexpr Millis kRouteTimeout{120'000};
constexpr Millis kHookTimeout{60'000};
constexpr Millis kTurnTimeout{1'800'000};  // for another kubejoin; the unit gives up after 45 minutes
constexpr std::size_t kLargestUserData = 10 << 20;
constexpr char kDisabledFile[] = "/etc/kubejoin/disabled";
constexpr char kHooks[] = "/etc/kubejoin/hooks.d";

struct BootOptions {
  std::string source;
  std::string root = "/";
  bool dry_run = false;
  int verbosity = 0;
};

std::vector<Flag> flags_into(BootOptions& o) {
  return {{"source", 0, "URI", "where the configuration comes from, instead of detection: kubejoin query --list-sources", [&o](const std::string& v) { return o.source = v, Status{}; }},
          {"dry-run", 0, "", "show the resolved configuration, every request and write; change nothing", [&o](const std::string& v) { return o.dry_run = v != "false", Status{}; }},
          {"root", 0, "DIR", "take every path below DIR", [&o](const std::string& v) { return o.root = v, Status{}; }},
          {"v", 'v', "LEVEL", "how much to tell", [&o](const std::string& v) { return o.verbosity = std::atoi(v.c_str()), Status{}; }}};
}

// What switches boots off on this machine, or nothing.
std::string disabled_by(Host& host, const source::Evidence& evidence) {
  if (host.stat(kDisabledFile)) return kDisabledFile;
  for (const std::string& word : split(evidence.kernel_command_line, ' '))
    if (trim(word) == "kubejoin=disabled") return "the kernel command line";
  return {};
}

// The same for every boot of an instance, different between the instances of a fleet: nothing to remember, nothing to draw.
Millis jitter_of(const std::string& instance_id, Millis most) {
  std::uint32_t dice = 2166136261U;  // FNV-1a: spread is all that is asked for
  for (const char c : instance_id) dice = (dice ^ static_cast<unsigned char>(c)) * 16777619U;
  dice ^= dice >> 15;
  dice *= 2246822519U;
  dice ^= dice >> 13;
  return Millis{static_cast<long long>(dice) * (most.count() + 1) >> 32};
}

void notify_ready(Host& host) {
  const auto socket = host.environment("NOTIFY_SOCKET");
  if (socket && !socket->empty()) (void)host.send_datagram(*socket, "READY=1");
}

// One of the owner's programs: /etc/kubejoin/hooks.d/MOMENT-NAME. It is told the node's name and where the result is.
Status run_hook(Host& host, const std::string& name, const report::JoinResult& result) {
  const std::string path = kHooks + ("/" + name);
  const auto done = host.run({.argv = {path},
                              .env = {{"KUBEJOIN_RESULT", report::kResultPath}, {"KUBEJOIN_NODE_NAME", result.node_name}},
                              .timeout = kHookTimeout});
  if (!done) return within("run hook " + quoted(path), done.error());
  if (!done->err.empty()) std::fputs(done->err.c_str(), stderr);
  if (done->status == 0) return {};
  return fail(Kind::machine, "boot.hook", "hook " + quoted(path) + " failed with status " + std::to_string(done->status), "run it by hand: " + path);
}

// One boot: what it is about, and how it ends.
struct Boot {
  Host& host;
  bool dry_run = false;
  bool is_here = true;  // not below another root, whose programs are not run
  Instant started = host.monotonic();
  report::Style style = report::style_for(host, isatty(STDERR_FILENO) == 1);
  source::Fetched fetched{};
  std::string instance_id{};  // the platform's; empty where it has none
  std::vector<report::JoinResult::Timing> timings{};

  void took(const char* phase, Instant since) { timings.push_back({phase, std::chrono::duration_cast<Millis>(host.monotonic() - since), {}}); }
};

std::vector<std::string> hooks_of(const Boot& boot, const char* moment) {
  auto names = boot.is_here && !boot.dry_run ? boot.host.list(kHooks).value_or(std::vector<std::string>()) : std::vector<std::string>();
  std::erase_if(names, [&](const std::string& name) { return !name.starts_with(std::string(moment) + "-"); });
  return names;
}

// The last of a boot, however it went: hooks, systemd, the exit status.
int finish(const Boot& boot, const report::JoinResult& result) {
  using State = report::JoinResult::State;
  if (result.state != State::skipped && result.state != State::partial)
    for (const std::string& name : hooks_of(boot, result.error ? "failed" : "post"))
      if (auto done = run_hook(boot.host, name, result); !done) std::fputs(report::error_text(done.error(), "warning").c_str(), stderr);
  if (!result.error) notify_ready(boot.host);
  return exit_status_of(result);
}

// What is known of a boot that came to no join.
report::JoinResult result_without_join(const Boot& boot) {
  report::JoinResult result;
  result.took = std::chrono::duration_cast<Millis>(boot.host.monotonic() - boot.started);
  result.started = boot.host.now() - result.took;
  result.started_monotonic = std::chrono::duration_cast<Millis>(boot.started.time_since_epoch());
  result.instance_id = boot.instance_id;
  result.source = boot.fetched.origin;
  result.timings = boot.timings;
  return result;
}

// A boot that ended before there was a configuration to join with.
int conclude(const Boot& boot, const char* phase, const std::vector<Error>& errors) {
  (void)complain(errors);
  report::JoinResult result = result_without_join(boot);
  result.state = state_of(&errors.front(), boot.host);
  result.error = errors.front();
  for (std::size_t i = 1; i < errors.size(); ++i) result.error->causes.push_back(errors[i].message);
  result.phase = phase;
  if (!boot.dry_run) {
    (void)report::write_result(boot.host, result);
    report::Progress(boot.host, boot.style, nullptr, boot.started).tell(true, std::string(report::name_of(result.state)) + ": " + result.error->message + " [" + result.error->id + "]");
  }
  return finish(boot, result);
}

// Nothing to do is a success, and is said; but that it is nothing, only where all was read.
int skip(const Boot& boot, const std::string& reason, bool all_read = true) {
  report::JoinResult result = result_without_join(boot);
  result.reason = reason;
  if (!boot.dry_run) (void)report::write_result(boot.host, result);
  report::Progress(boot.host, boot.style, nullptr, boot.started).tell(false, reason + (all_read ? "; nothing to do" : "; this machine is not joined"));
  return finish(boot, result);
}

// The machine joined in an earlier boot: its result is there again, nothing else is touched, no hook is run.
int stay_joined(const Boot& boot, const plan::Journal& journal) {
  const std::string reason = "node " + journal.node_name + " joined at " + journal.joined_at;
  report::JoinResult otherwise = result_without_join(boot);
  otherwise.state = report::JoinResult::State::success;
  otherwise.reason = reason;
  otherwise.node_name = journal.node_name;
  if (!boot.dry_run) (void)report::restore_result(boot.host, otherwise);
  report::Progress(boot.host, boot.style, nullptr, boot.started).tell(false, reason + "; nothing to do");
  notify_ready(boot.host);
  return 0;
}

// The same machine as the one that joined? An instance-id decides; where either side has none, /etc/machine-id does.
bool is_clone(Host& host, const plan::Journal& journal, const std::string& instance_id) {
  if (!journal.instance_id.empty() && !instance_id.empty()) return journal.instance_id != instance_id;
  return !journal.machine_id.empty() && journal.machine_id != plan::machine_id(host);
}

// What the journal's "joined" is worth when the node's identity is gone: taken away (kubeadm reset), or expired while the machine
// was off. An expired one cannot be renewed by the kubelet: the machine joins again, with whatever token it is given now.
enum class Identity { good, gone, expired };
Identity identity_of(Host& host) {
  if (!host.stat(plan::kKubeletConf)) return Identity::gone;
  auto pem = host.read(plan::kClientPem, 256 << 10);
  if (!pem) return Identity::gone;
  const auto certificates = kube::parse_certificates(*pem);
  wipe(*pem);
  return certificates && certificates->front().not_after < host.now() ? Identity::expired : Identity::good;
}

// Journal first: a power cut in between leaves files that are known to be ours.
Status forget_identity(Host& host, plan::Journal& journal, const std::string& ca_cert_path) {
  journal.joined_at.clear();
  for (const std::string& path : {std::string(plan::kKubeletConf), std::string(plan::kClientPem), ca_cert_path})
    if (!journal.owns(path)) journal.files.push_back(path);
  CHECK_OK(plan::write_journal(host, journal));
  for (const char* path : {plan::kKubeletConf, plan::kClientPem}) CHECK_OK(host.remove(path));
  return {};
}

// Before the plan: the owner's gate, the fleet's spreading, the one route that is needed.
Status wait_for_start(plan::Context& context, const Boot& boot) {
  Host& host = context.host;
  const config::JoinConfig& config = context.state.config;
  report::JoinResult so_far;
  so_far.node_name = context.state.node_name();
  for (const std::string& name : hooks_of(boot, "pre")) {
    context.observer.waiting("hook " + name);
    CHECK_OK(run_hook(host, name, so_far));
  }
  if (const Millis jitter = jitter_of(boot.instance_id.empty() ? plan::machine_id(host) : boot.instance_id, config.first_boot.start_jitter); jitter > Millis{0}) {
    context.observer.waiting("the start's jitter: " + format_duration(jitter) + " of " + format_duration(config.first_boot.start_jitter));
    host.sleep_until(host.monotonic() + jitter);
    if (host.terminating()) return terminated();
  }
  if (config.token_discovery) {
    const auto endpoint = parse_host_port(config.token_discovery->endpoints.front());
    const std::string address = endpoint ? endpoint->host : "";
    context.observer.waiting("a route to " + printable(address));
    CHECK_OK(host.wait_for_route(address, host.monotonic() + kRouteTimeout));
  }
  context.observer.waiting("");
  return {};
}

}  // namespace

std::vector<Flag> boot_flags() {
  static BootOptions unused;
  return flags_into(unused);
}

int run_boot(const Invocation& invocation) {
  BootOptions options;
  const std::vector<Flag> flags = flags_into(options);
  const Parsed parsed = parse(invocation.arguments, flags);
  int status = 0;
  if (finished(parsed, "boot", status)) return status;
  auto owned = make_real_host(options.root);
  Host& host = *owned;
  Boot boot{.host = host, .dry_run = options.dry_run, .is_here = options.root == "/"};

  if (const std::string switched_off = disabled_by(host, source::gather(host)); !switched_off.empty()) return skip(boot, "disabled by " + switched_off);
  std::unique_ptr<Lock> turn;
  if (!options.dry_run) {
    const auto tell = [&](const std::string& text) { report::Progress(host, boot.style, nullptr, boot.started).tell(false, text); };
    // What is recorded is the other's until it has ended; then its journal says whether there is anything left to do.
    if (auto taken = take_turn(host, kTurnTimeout, turn, tell); !taken) return complain({&taken.error(), 1});
  }
  plan::Journal journal = plan::read_journal(host);
  const bool has_joined = !journal.joined_at.empty();
  if (!has_joined && !options.dry_run) {
    // The kubelet is read from disk while the network is being waited for.
    if (const auto kubelet = host.find_program("kubelet")) host.warm(*kubelet);
    report::StatusFile(host, "").phase("source", 0, 0);
    (void)host.remove(report::kResultPath);
  }

  Instant since = host.monotonic();
  auto got = source::fetch(host, options.source, host.monotonic() + kSourceTimeout);
  boot.took("source", since);
  // The metadata of a node is of use to it only once: a reboot while the service is away changes nothing.
  if (!got && has_joined && got.error().kind == Kind::unavailable && !host.terminating() && !is_clone(host, journal, "") && identity_of(host) == Identity::good)
    return stay_joined(boot, journal);
  if (!got) return conclude(boot, "source", {got.error()});
  boot.fetched = *std::move(got);
  boot.instance_id = boot.fetched.metadata.get("v1.instance_id");

  if (has_joined && is_clone(host, journal, boot.instance_id))
    return conclude(boot, "source",
                    {fail(Kind::unfit, "boot.clone", "this disk joined as node " + quoted(journal.node_name) + " on another instance (" +
                              quoted(journal.instance_id.empty() ? journal.machine_id : journal.instance_id) + ")",
                          "it is a clone of a joined machine: run kubejoin seal before an image is made of a disk").value()});
  const Identity identity = has_joined ? identity_of(host) : Identity::gone;
  if (has_joined && identity == Identity::gone)
    return conclude(boot, "source",
                    {fail(Kind::unfit, "boot.identity-gone", "node " + quoted(journal.node_name) + " joined at " + journal.joined_at + ", but its identity is gone: " + plan::kKubeletConf,
                          "was it taken away? To join again: kubejoin reset --force && systemctl restart kubejoin").value()});
  if (has_joined && identity == Identity::good) {
    // `join` cannot know the instance; from here on a clone of this disk is recognised.
    if (journal.instance_id.empty() && !boot.instance_id.empty() && !options.dry_run) {
      journal.instance_id = boot.instance_id;
      (void)plan::write_journal(host, journal);
    }
    return stay_joined(boot, journal);
  }
  if (boot.fetched.none) return skip(boot, "source " + boot.fetched.source + " has no configuration");

  since = host.monotonic();
  const parse::Variables variables = source::variables(boot.fetched.metadata);
  config::Flags no_flags;
  if (options.dry_run) no_flags.dry_run = true;
  std::vector<config::TextFile> files;
  for (const auto& file : boot.fetched.files) files.push_back({file.path, std::string_view(boot.fetched.user_data).substr(file.begin, file.size)});
  if (files.empty()) files.push_back({boot.fetched.origin, boot.fetched.user_data});
  const parse::LocalFile local_file = [&](const std::string& path) {
    auto text = host.read(path, kLargestUserData);
    return text ? std::optional(std::move(*text)) : std::nullopt;
  };
  config::UserData read = config::read_user_data(files, &variables, no_flags, surroundings_of(host.hostname()), true, local_file);
  config::Loaded& loaded = read.loaded;
  wipe(boot.fetched.user_data);
  if (!loaded.errors.empty()) return conclude(boot, "configuration", loaded.errors);
  const bool joins_by_itself = !read.commands.joins.empty() && read.unconcerned && read.unconcerned->why == config::Unconcerned::Why::no_document;
  if (joins_by_itself) return skip(boot, "the user-data's " + config::sentence(read.commands.joins.front()));
  if (read.unconcerned) {
    for (const Error& warning : loaded.warnings) std::fputs(report::error_text(warning, "warning").c_str(), stderr);
    return skip(boot, "the user-data of " + boot.fetched.source + " " + read.unconcerned->sentence(), read.unconcerned->why != config::Unconcerned::Why::not_read);
  }
  if (options.dry_run) std::printf("configuration:\n%s", config::explain(loaded).c_str());
  boot.took("configuration", since);

  JoinRun run;
  run.config = std::move(loaded.config);
  run.style = boot.style;
  run.style.verbosity = options.verbosity;
  run.instance_id = boot.instance_id;
  run.source = boot.fetched.origin;
  run.source_uri = options.source;
  run.resumable = true;
  run.started = boot.started;
  run.earlier = boot.timings;
  run.before = [&boot](plan::Context& context) { return wait_for_start(context, boot); };
  run.warnings = std::move(loaded.warnings);
  if (identity == Identity::expired && has_joined) {
    run.warnings.push_back(fail(Kind::unfit, "boot.identity-expired", "the certificate of node " + quoted(journal.node_name) + ", which joined at " + journal.joined_at +
                                    ", has expired: joining again").value());
    if (!options.dry_run)
      if (auto forgotten = forget_identity(host, journal, run.config.ca_cert_path); !forgotten) return conclude(boot, "configuration", {forgotten.error()});
  }
  return finish(boot, join_machine(host, std::move(run)));
}

}  // namespace kubejoin::cli
