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
  Facts given = kNothing;    // by the phases that ran
  struct Timing {
    std::string_view phase;
    Millis took{0};
    std::string skipped;  // why, or empty
  };
  std::vector<Timing> timings;
};

// `skip` holds names of phases, ours or kubeadm's: one of kubeadm's is all that it does. judge_skipped() has let it pass.
// Undo runs for every phase that began, the failed one included, newest first.
Outcome run(std::span<const Phase> phases, Context& context, std::span<const std::string> skip);

// What `skip` may hold: the table's names, ours and kubeadm's, and those of kubeadm's control-plane phases, which do nothing for a worker.
std::vector<std::string> phase_names(std::span<const Phase> phases);

// Can a plan be walked without these? Kind::usage: "usage.phase", a name that neither we nor any kubeadm has; "plan.missing-fact", a phase
// that is left would lack what one of these gives, named with both. Touches nothing.
Status judge_skipped(std::span<const Phase> phases, std::span<const std::string> skip);

// How many phases of the table there are up to the last one of that name, ours or kubeadm's; 0: there is none.
std::size_t count_up_to(std::span<const Phase> phases, std::string_view name);

// Is it one of those phases of kubeadm join that do nothing for a worker?
bool is_control_plane_phase(std::string_view name);

}  // namespace kubejoin::plan
