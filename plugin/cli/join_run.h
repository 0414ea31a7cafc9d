// One join from a finished configuration to its exit status: shared by `join` and `boot`.
#pragma once

#include <functional>

#include "config/join_config.h"
#include "plan/phase.h"
#include "report/progress.h"
#include "report/result_file.h"

namespace kubejoin::cli {

struct JoinRun {
  config::JoinConfig config;
  report::Style style;
  std::size_t only_phases = 0;           // `join phase NAME`: as many of the plan; 0: all
  std::string instance_id;               // empty for `join`
  std::string source;                    // where the configuration came from, for the result
  std::string source_uri;                // of --source, for a token that is read from metadata; empty: detection
  bool resumable = false;                // `boot`: a next run continues this one
  std::function<Status(plan::Context&)> before;             // what is waited for before the plan: the phase "start"
  std::optional<Instant> started;                           // when the run began; now, where nothing came before
  std::vector<report::JoinResult::Timing> earlier;          // what it did until now
  std::vector<Error> warnings;           // of loading
};

// Held by whoever changes this machine (Host::lock), as the unit, a user's runcmd and a person may all start kubejoin.
inline constexpr char kRunFolder[] = "/run/kubejoin";
inline constexpr char kLockPath[] = "/run/kubejoin/lock";

// Nothing: the lock is there for `lock`, or none can be made, which what writes next will tell. Otherwise "lock.held" after `patience`
// (`told` hears of the wait), or "signal.terminated".
Status take_turn(Host& host, Millis patience, std::unique_ptr<Lock>& ret_lock, const std::function<void(const std::string&)>& told = {});

// Runs the plan, writes result.json and the sentinel, prints the error or the success block. `machine` is this one; with
// config.dry_run nothing is changed. The result is also returned.
report::JoinResult join_machine(Host& machine, JoinRun run);

// How a run ended that ended with `error` (nullptr: well).
report::JoinResult::State state_of(const Error* error, Host& host);

// The exit status of a result: 0, or the sysexits number of its error.
int exit_status_of(const report::JoinResult& result);

}  // namespace kubejoin::cli
