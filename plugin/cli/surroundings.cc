// One set of names for validate, boot and join, so that they give one verdict.
#include "cli/surroundings.h"

#include "plan/join_plan.h"
#include "plan/runner.h"
#include "preflight/names.h"

namespace kubejoin::cli {

config::Surroundings surroundings_of(std::string hostname) {
  config::Surroundings surroundings;
  surroundings.hostname = std::move(hostname);
  surroundings.phases = plan::phase_names(plan::kJoinPlan);
  surroundings.can_skip = [](std::span<const std::string> skip) { return plan::judge_skipped(plan::kJoinPlan, skip); };
  surroundings.checks = preflight::check_names();
  return surroundings;
}

}  // namespace kubejoin::cli
