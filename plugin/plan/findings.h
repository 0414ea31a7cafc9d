// What preflight has found, told together: at once, or when the release is known that decides whether it matters.
#pragma once

#include <vector>

#include "base/result.h"

namespace kubejoin::plan {

struct Context;

inline constexpr int kNever = 1000;

// Of a check that kubeadm 1.`from` up to, and without, 1.`until` has.
struct Finding {
  Error error;
  bool fatal = true;  // false: a warning, or ignored by name
  int from = 0, until = kNever;
};

// Tells the warnings and returns the errors as one, of those that matter in the release 1.`minor`; 0: a current one.
// One error is itself; several are Kind::unfit "preflight.failed", a cause each: "[ERROR Swap]: …".
Status settle(Context& context, std::vector<Finding> findings, int minor);

}  // namespace kubejoin::plan
