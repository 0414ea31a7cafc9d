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
  StatusFile(Host& host, std::string node_name) : host_(host), node_name_(std::move(node_name)) {}
  void update(const std::string& phase, int index, int count, const std::string& waiting_for);

 private:
  Host& host_;
  std::string node_name_;
  std::string last_;
};

struct JoinResult {
  enum class State { success, failure, timeout, terminated, none } state = State::none;
  std::string node_name, instance_id, source, endpoint, kubernetes_version, phase;
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

// result.json, and its copy that outlives a reboot.
Status write_result(Host& host, const JoinResult& result);

}  // namespace kubejoin::report
