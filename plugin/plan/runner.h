// The runner walks a plan: skip or run; after a failure, undo in reverse order.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plan/phase.h"

namespace kubejoin::plan {

struct Outcome {
  Status status;
  std::string failed_phase;  // empty on success
  struct Timing {
    std::string_view phase;
    Millis took{0};
    std::string skipped;  // why, or empty
  };
  std::vector<Timing> timings;
};

// `skip` holds phase names, ours or kubeadm's. Skipping leaves facts ungiven; a phase whose facts are then missing fails with
// Kind::usage "plan.missing-fact", except those that kubeadm allows to be skipped (preflight).
// Undo runs for every phase that began, the failed one included, newest first.
Outcome run(std::span<const Phase> phases, Context& context, std::span<const std::string> skip);

// What `skip` may hold: the table's names, ours and kubeadm's, and those of kubeadm's control-plane phases, which do nothing for a worker.
std::vector<std::string> phase_names(std::span<const Phase> phases);

// Whether the rest can run when these are skipped; otherwise run()'s own "plan.missing-fact", before anything is done.
Status can_skip(std::span<const Phase> phases, std::span<const std::string> skip);

}  // namespace kubejoin::plan
