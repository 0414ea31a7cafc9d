// What machines read: /run/kubejoin/status.json while a join runs, result.json always at its end. Schemas: schemas/{status,result}-v1.json.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/host.h"

namespace kubejoin::report {

inline constexpr char kStatusPath[] = "/run/kubejoin/status.json";
inline constexpr char kResultPath[] = "/run/kubejoin/result.json";
inline constexpr char kLastResultPath[] = "/var/lib/kubejoin/last-result.json";

// The live status; replaced as a whole at each change. Failures to write are ignored: a status is a courtesy.
class StatusFile {
 public:
  StatusFile(Host& host, std::string node_name) : host_(host), node_name_(std::move(node_name)), started_(host.now()) {}
  // A phase began; `index` of `count`, 0 for what comes before the plan.
  void phase(const std::string& name, int index, int count);
  void waiting(const std::string& what);  // "" when the wait is over
  void retrying(const Error& why);        // shown until the phase ends

 private:
  void write();

  Host& host_;
  std::string node_name_;
  WallTime started_;
  std::string phase_, waiting_for_, last_;
  int index_ = 0, count_ = 0, retries_ = 0;
  std::optional<Error> error_;
};

struct JoinResult {
  // skipped: there was nothing to do, `reason` says why: switched off, or no configuration. partial: all that was not skipped by the user's
  // wish is done, which makes no node; `reason` and `timings` say what was skipped.
  enum class State { success, partial, failure, timeout, terminated, skipped } state = State::skipped;
  std::string reason, node_name, instance_id, source, endpoint, kubernetes_version, phase;
  std::optional<Error> error;
  std::vector<Error> warnings;
  struct Timing {
    std::string phase;
    Millis took{0};
    std::string skipped;
  };
  std::vector<Timing> timings;
  std::vector<std::pair<std::string, Millis>> milestones;  // since the start
  Millis started_monotonic{0};                             // CLOCK_MONOTONIC
  WallTime started{};
  Millis took{0};
  int retries = 0;
};
std::string_view name_of(JoinResult::State state);
std::string to_json(const JoinResult& result);

// result.json, and its copy that outlives a reboot (not of a run that was skipped). The live status goes.
Status write_result(Host& host, const JoinResult& result);

// After a reboot of a joined machine: /run has the result of its join again, or `otherwise` when that is lost. What is there stays.
Status restore_result(Host& host, const JoinResult& otherwise);

}  // namespace kubejoin::report
