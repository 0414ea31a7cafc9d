// kubejoin boot: the unit's command. Find the configuration, validate it, join, report; once an instance.
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/join_run.h"
#include "config/load.h"
#include "parse/envelope.h"
#include "plan/journal.h"
#include "report/error_text.h"
#include "source/source.h"

namespace kubejoin::cli {
namespace {

constexpr Millis kSourceTimeout{120'000};
constexpr Millis kRouteTimeout{120'000};
constexpr char kDisabledFile[] = "/etc/kubejoin/disabled";

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

bool is_disabled(Host& host, const source::Evidence& evidence) {
  if (host.stat(kDisabledFile)) return true;
  for (const std::string& word : split(evidence.kernel_command_line, ' '))
    if (trim(word) == "kubejoin=disabled") return true;
  return false;
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

// The platform's instance-id; a machine without metadata is known by its machine-id.
std::string instance_id_of(Host& host, const source::Fetched& fetched) {
  const std::string id = fetched.metadata.get("v1.instance_id");
  if (!id.empty()) return id;
  const auto machine = host.read("/etc/machine-id", 64);
  return machine ? std::string(trim(*machine)) : "";
}

void notify_ready(Host& host) {
  const auto socket = host.environment("NOTIFY_SOCKET");
  if (socket && !socket->empty()) (void)host.send_datagram(*socket, "READY=1");
}

// The serial console is often all that can be seen of a machine that did not join.
void tell_console(Host& host, const report::JoinResult& result) {
  std::string line = "kubejoin: " + std::string(report::name_of(result.state)) + ": ";
  line += result.error ? result.error->message + " [" + result.error->id + "]" : "node " + result.node_name + " joined in " + format_duration(result.took);
  if (host.environment("INVOCATION_ID")) {
    if (std::FILE* console = std::fopen("/dev/console", "we"); console != nullptr) {
      std::fprintf(console, "\r\n%s\r\n", line.c_str());
      std::fclose(console);
    }
  }
}

void run_hooks(Host& host, const char* moment) {
  const auto names = host.list("/etc/kubejoin/hooks.d");
  if (!names) return;
  for (const std::string& name : *names) {
    if (name.rfind(std::string(moment) + "-", 0) != 0) continue;
    auto done = host.run({.argv = {"/etc/kubejoin/hooks.d/" + name}, .env = {{"KUBEJOIN_RESULT", report::kResultPath}}, .timeout = Millis{60'000}});
    if (!done || done->status != 0) std::fprintf(stderr, "kubejoin: warning: hook %s failed\n", printable(name).c_str());
  }
}

int finish(Host& host, const report::JoinResult& result, bool dry_run) {
  if (!dry_run) {
    tell_console(host, result);
    run_hooks(host, result.error ? "failed" : "post");
  }
  notify_ready(host);
  return exit_status_of(result);
}

// A boot that ended before there was a configuration to join with.
int conclude(Host& host, const std::vector<Error>& errors, const source::Fetched& fetched, bool dry_run) {
  (void)complain(errors);
  report::JoinResult result;
  result.state = report::JoinResult::State::failure;
  result.error = errors.front();
  for (std::size_t i = 1; i < errors.size(); ++i) result.error->causes.push_back(errors[i].message);
  result.source = fetched.origin;
  result.phase = "configuration";
  result.started = host.now();
  if (!dry_run) (void)report::write_result(host, result);
  return finish(host, result, dry_run);
}

void print_origins(const config::Loaded& loaded) {
  std::printf("configuration:\n");
  for (const auto& [name, origin] : loaded.origins) std::printf("  %-50s from %s\n", name.c_str(), printable(origin).c_str());
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

  if (is_disabled(host, source::gather(host))) {
    std::fprintf(stderr, "kubejoin: disabled by %s or the kernel command line; nothing to do\n", kDisabledFile);
    notify_ready(host);
    return 0;
  }
  source::Fetched fetched;
  auto got = source::fetch(host, options.source, host.monotonic() + kSourceTimeout);
  if (!got) return conclude(host, {got.error()}, fetched, options.dry_run);
  fetched = *std::move(got);
  if (fetched.none) {
    std::fprintf(stderr, "kubejoin: source %s has no configuration; nothing to do\n", fetched.source.c_str());
    notify_ready(host);
    return 0;
  }

  const std::string instance_id = instance_id_of(host, fetched);
  const plan::Journal journal = plan::read_journal(host);
  if (!journal.joined_at.empty() && journal.instance_id == instance_id) {
    std::fprintf(stderr, "kubejoin: node %s joined at %s; nothing to do\n", journal.node_name.c_str(), journal.joined_at.c_str());
    notify_ready(host);
    return 0;
  }
  if (!journal.joined_at.empty())
    return conclude(host, {fail(Kind::unfit, "boot.clone", "this disk joined as node " + quoted(journal.node_name) + " on another instance (" + quoted(journal.instance_id) + ")",
                                "it is a clone of a joined machine: run kubejoin seal before an image is made of a disk").value()}, fetched, options.dry_run);

  const parse::Variables variables = source::variables(fetched.metadata);
  auto unwrapped = parse::unwrap(fetched.user_data, fetched.origin, &variables);
  wipe(fetched.user_data);
  if (!unwrapped.errors.empty()) return conclude(host, unwrapped.errors, fetched, options.dry_run);
  if (unwrapped.documents.empty()) {
    std::fprintf(stderr, "kubejoin: the user-data of %s holds no document for kubejoin; nothing to do\n", fetched.source.c_str());
    notify_ready(host);
    return 0;
  }
  config::Flags no_flags;
  if (options.dry_run) no_flags.dry_run = true;
  auto loaded = config::load(unwrapped.documents, no_flags, {host.hostname()}, true);
  if (!loaded.errors.empty()) return conclude(host, loaded.errors, fetched, options.dry_run);
  if (options.dry_run) print_origins(loaded);

  JoinRun run;
  run.config = std::move(loaded.config);
  run.style = report::style_for(host, isatty(STDERR_FILENO) == 1);
  run.style.verbosity = options.verbosity;
  run.instance_id = instance_id;
  run.source = fetched.origin;
  run.resumable = true;
  run.warnings = std::move(unwrapped.warnings);
  run.warnings.insert(run.warnings.end(), loaded.warnings.begin(), loaded.warnings.end());
  if (!options.dry_run) {
    run_hooks(host, "pre");
    if (run.config.first_boot.start_jitter > Millis{0}) host.sleep_until(host.monotonic() + jitter_of(instance_id, run.config.first_boot.start_jitter));
  }
  if (run.config.token_discovery) {
    const auto endpoint = parse_host_port(run.config.token_discovery->endpoints.front());
    (void)host.wait_for_route(endpoint ? endpoint->host : "", host.monotonic() + kRouteTimeout);  // what is missing then is told by discovery
  }
  return finish(host, join_machine(host, std::move(run)), options.dry_run);
}

}  // namespace kubejoin::cli
