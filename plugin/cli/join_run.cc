// One join, told and recorded.
#include "cli/join_run.h"

#include <algorithm>
#include <cstdio>

#include "base/recording_host.h"
#include "base/retry.h"
#include "base/text.h"
#include "discovery/late_token.h"
#include "plan/join_plan.h"
#include "plan/patches.h"
#include "plan/runner.h"
#include "plan/state.h"
#include "report/error_text.h"
#include "source/source.h"

namespace kubejoin::cli {
namespace {

constexpr Millis kMetadataTimeout{30'000};

// As kubeadm prints it (cmd/kubeadm/app/cmd/join.go): tools grep for these lines.
constexpr char kJoined[] = R"(
This node has joined the cluster:
* Certificate signing request was sent to apiserver and a response was received.
* The Kubelet was informed of the new secure connection details.

Run 'kubectl get nodes' on the control-plane to see this node join the cluster.

)";

// kubeadm's words for a failed phase (cmd/phases/workflow/runner.go, preflight/checks.go), which tools look for; ours follow them.
std::string kubeadm_error(const report::JoinResult& result) {
  std::string_view phase = "preflight";  // what kubeadm does anywhere, it does there first
  for (const plan::Phase& ours : plan::kJoinPlan)
    if (ours.name == result.phase && !ours.upstream.empty()) phase = ours.upstream;
  std::string text = "error execution phase " + std::string(phase) + ": ";
  if (result.phase != "preflight" || result.error->causes.empty()) return text + result.error->message + "\n";
  text += "[preflight] Some fatal errors occurred:\n";
  for (const std::string& cause : result.error->causes) text += "\t" + cause + "\n";
  return text + "[preflight] If you know what you are doing, you can make a check non-fatal with `--ignore-preflight-errors=...`\n";
}

// Is the machine a node? The Node was seen; or, where nobody was to wait for it, a certificate was issued and the kubelet runs with it.
bool has_joined(const plan::Outcome& outcome, const plan::JoinState& state) {
  const bool is_sure = state.config.first_boot.bootstrap_by == config::BootstrapBy::kubejoin && (outcome.given & plan::kIdentity) != 0 && (outcome.given & plan::kKubeletRuns) != 0;
  return is_sure || (outcome.given & plan::kNode) != 0;
}

std::string names_of(const plan::Outcome& outcome, bool skipped) {
  std::string names;
  for (const auto& timing : outcome.timings)
    if (timing.skipped.empty() != skipped) names += (names.empty() ? "" : ", ") + std::string(timing.phase);
  return names.empty() ? "nothing" : names;
}

discovery::ReadMetadata metadata_reader(Host& machine, const std::string& source_uri) {
  return [&machine, source_uri](const std::string& name, Instant deadline) -> Result<std::string> {
    TRY(const auto fetched, source::fetch(machine, source_uri, std::min(machine.monotonic() + kMetadataTimeout, deadline)));
    std::string value = fetched.metadata.get(name);
    if (value.empty())
      return fail(Kind::machine, "token.no-metadata", "there is no " + quoted(name) + " in the metadata of " + fetched.origin, "kubejoin query shows what there is");
    return value;
  };
}

// A late-bound token takes the place of the document's, and is looked for again when it is refused.
Status bind_late_token(plan::Context& context, Host& machine, const std::string& source_uri) {
  plan::JoinState& state = context.state;
  const std::string from = state.config.first_boot.token_from;
  if (from.empty()) return {};
  state.reread_token = [&host = context.host, from, metadata = metadata_reader(machine, source_uri)](Instant deadline) {
    return discovery::read_late_token(host, from, metadata, deadline);
  };
  const plan::Limit limit(context, state.config.timeouts.discovery);
  TRY(const Secret token, retry<Secret>(context.host, {.deadline = context.deadline}, [&] { return state.reread_token(context.deadline); },
                                        [&](const RetryEvent& event) { context.observer.retrying(event.error, event.attempt, event.delay); }));
  if (state.config.token_discovery && state.config.token_discovery->token.empty()) state.config.token_discovery->token = token;
  if (state.config.tls_bootstrap_token.empty()) state.config.tls_bootstrap_token = token;
  return {};
}

Status prepare(plan::Context& context, Host& real, const JoinRun& run) {
  Host& host = context.host;
  plan::JoinState& state = context.state;
  CHECK_OK(plan::read_patches(context));
  state.journal = plan::read_journal(host);
  const std::string machine = plan::machine_id(host);
  if (!run.instance_id.empty() || state.journal.machine_id != machine) state.journal.instance_id = run.instance_id;
  state.journal.machine_id = machine;
  state.journal.node_name = state.node_name();
  CHECK_OK(bind_late_token(context, real, run.source_uri));
  if (run.config.dry_run) return {};
  return plan::claim(host, state.journal,
                     {plan::kKubeletConf, plan::kBootstrapConf, state.config.ca_cert_path, plan::kKubeletConfig, plan::kInstanceConfig, plan::kFlagsEnv,
                      plan::kClientKeyTmp, plan::kClientPem});
}

// The last line of a boot: on a serial console it is often all that can be seen of a machine.
std::string summary(const report::JoinResult& result) {
  if (result.error) return std::string(report::name_of(result.state)) + ": " + result.error->message + " [" + result.error->id + "]";
  if (result.state == report::JoinResult::State::partial) return "partial: " + result.reason;
  return "success: node " + result.node_name + " joined in " + format_duration(result.took);
}

// What stands at the end: a journal that says "joined", or one of what a next run goes on with, or, when nothing of ours is left, none.
// After `join phase` it stays as it is: what that has written is ours, and the next phase, or a whole join, goes on from there.
// A join that failed on a joined machine before it wrote anything leaves the record of the first.
void close_journal(Host& host, plan::JoinState& state, const plan::Journal& before, bool joined, bool whole) {
  if (joined && !whole && !state.written.empty()) return;
  if (joined && !whole) {
    if (before.joined_at.empty()) return (void)host.remove(plan::kJournal);
    return (void)plan::write_journal(host, before);
  }
  if (joined) {
    state.journal.joined_at = rfc3339(host.now());
    (void)plan::write_journal(host, state.journal);
    return;
  }
  if (state.resumable) return;
  if (!before.joined_at.empty() && state.written.empty()) return (void)plan::write_journal(host, before);
  const auto& files = state.journal.files.empty() ? before.files : state.journal.files;
  if (std::none_of(files.begin(), files.end(), [&](const std::string& file) { return host.stat(file); })) (void)host.remove(plan::kJournal);
}

// Cluster API looks for this file, and only for its presence (bootstrap contract, "Sentinel File"). It waits for it without end: a Node
// that nobody there hears of is no success, and the next run, which finds the rest done, tries again.
Status write_sentinel(Host& host, const std::string& path) {
  if (path.empty()) return {};
  auto written = host.write(path, "success\n", 0644);
  if (written) return {};
  Error error = within("tell of the node, which has joined", std::move(written).error()).value();
  error.id = "result.sentinel";
  error.hint = "result.sentinel must be a path that can be written; kubejoin.service may write below /run alone: systemctl edit kubejoin, ReadWritePaths=";
  return tl::unexpected(std::move(error));
}

}  // namespace

Status take_turn(Host& host, Millis patience, std::unique_ptr<Lock>& ret_lock, const std::function<void(const std::string&)>& told) {
  auto lock = host.lock(kLockPath, host.monotonic());
  if (!lock && lock.error().id == "lock.held" && patience > Millis{0}) {
    if (told) told(lock.error().message + "; waiting for its end");
    lock = host.lock(kLockPath, host.monotonic() + patience);
  }
  if (lock) ret_lock = *std::move(lock);
  else if (lock.error().kind == Kind::unavailable) return tl::unexpected(std::move(lock).error());
  return {};
}

report::JoinResult::State state_of(const Error* error, Host& host) {
  using State = report::JoinResult::State;
  if (error == nullptr) return State::success;
  if (host.terminating()) return State::terminated;
  return error->kind == Kind::unavailable ? State::timeout : State::failure;
}

int exit_status_of(const report::JoinResult& result) { return result.error ? exit_status(result.error->kind) : 0; }

report::JoinResult join_machine(Host& machine, JoinRun run) {
  DryRunHost dry(machine, [](const std::string& line) { std::printf("%s\n", line.c_str()); });
  Host& host = run.config.dry_run ? static_cast<Host&>(dry) : machine;
  if (run.config.dry_run) run.style.quiet = true;  // what would be done is told on stdout, line by line
  plan::JoinState state(run.config);
  state.resumable = run.resumable;
  state.preflight_alone = run.only_phases == 1;
  report::StatusFile status_file(host, state.node_name());
  const bool whole = run.only_phases == 0;
  state.started = run.started.value_or(host.monotonic());
  report::Progress progress(host, run.style, run.config.dry_run || !whole ? nullptr : &status_file, state.started);
  plan::Context context{host, state, progress};
  for (const Error& warning : run.warnings) progress.warning(warning);

  report::JoinResult result;
  result.started = host.now() - (host.monotonic() - state.started);
  result.started_monotonic = std::chrono::duration_cast<Millis>(progress.started().time_since_epoch());
  if (!run.config.dry_run && whole) {
    status_file.phase("start", 0, 0);
    (void)host.remove(report::kResultPath);  // how an earlier run ended is not how this one does
  }
  // The kubelet is read from disk while the network is being waited for.
  if (const auto kubelet = host.find_program("kubelet"); kubelet && !run.config.dry_run) host.warm(*kubelet);

  const plan::Journal before = plan::read_journal(host);
  plan::Outcome outcome;
  const auto phases = std::span(plan::kJoinPlan).first(whole ? std::size(plan::kJoinPlan) : run.only_phases);
  outcome.status = plan::judge_skipped(phases, state.config.skip_phases);
  if (outcome.status && run.before && !run.config.dry_run) {
    const Instant began = host.monotonic();
    outcome.status = run.before(context);
    run.earlier.push_back({"start", std::chrono::duration_cast<Millis>(host.monotonic() - began), {}});
  }
  if (outcome.status) outcome.status = prepare(context, machine, run);
  if (outcome.status) outcome = plan::run(phases, context, state.config.skip_phases);
  else outcome.failed_phase = "start";
  const bool is_partial = outcome.status && whole && !has_joined(outcome, state);
  if (outcome.status && whole && !is_partial && !run.config.dry_run) {
    outcome.status = write_sentinel(host, run.config.first_boot.sentinel);
    if (!outcome.status) outcome.failed_phase = "sentinel";
  }
  if (!run.config.dry_run && (!outcome.status || !whole || is_partial)) close_journal(host, state, before, outcome.status && !is_partial, whole);

  result.state = is_partial ? report::JoinResult::State::partial : state_of(outcome.status ? nullptr : &outcome.status.error(), host);
  result.node_name = state.node_name();
  result.instance_id = run.instance_id;
  result.source = run.source;
  result.endpoint = state.endpoint;
  result.kubernetes_version = state.cluster.kubernetes_version;
  result.phase = outcome.failed_phase;
  result.warnings = progress.warnings();
  result.retries = progress.retries();
  result.took = std::chrono::duration_cast<Millis>(host.monotonic() - progress.started());
  result.timings = std::move(run.earlier);
  for (const auto& timing : outcome.timings) result.timings.push_back({std::string(timing.phase), timing.took, timing.skipped});
  for (const auto& milestone : progress.timeline()) result.milestones.emplace_back(milestone.name, milestone.at);
  if (is_partial) result.reason = names_of(outcome, true) + " skipped, as asked for";
  if (!outcome.status) {
    result.error = outcome.status.error();
    if (result.error->hint.empty()) result.error->hint = usual_hint(result.error->kind);
    if (run.style.kubeadm && !result.phase.empty()) std::fputs(kubeadm_error(result).c_str(), stderr);
    std::fputs(report::error_text(*result.error).c_str(), stderr);
  }
  if (run.config.dry_run || !whole) return result;  // a phase is no join: nobody is told of one
  if (run.resumable) progress.tell(result.error.has_value(), summary(result));

  if (auto written = report::write_result(host, result); !written) std::fputs(report::error_text(written.error(), "warning").c_str(), stderr);
  if (result.state == report::JoinResult::State::success) {
    close_journal(host, state, before, true, true);  // last: until then a run that was killed here is finished by the next
    if (!run.style.quiet) {
      std::fputs(kJoined, stdout);
      std::fflush(stdout);
    }
  } else if (is_partial) {
    std::printf("\nThis machine is no node of the cluster yet: phases were skipped, as asked for.\n* done: %s\n* skipped: %s\n\n", names_of(outcome, false).c_str(), names_of(outcome, true).c_str());
    std::fflush(stdout);
  }
  return result;
}

}  // namespace kubejoin::cli
