// What preflight has found, told together: at once, or when the release is known that decides whether it matters.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "kube/kubelet_config.h"

namespace kubejoin::plan {

struct Context;

inline constexpr int kNever = 1000;

// Of a check that kubeadm 1.`from` up to, and without, 1.`until` has.
struct Finding {
  Error error;
  bool fatal = true;  // false: a warning, or ignored by name
  int from = 0, until = kNever;
  // Of one that the KubeletConfiguration decides which will be written: whether it matters under that. Kept until it is read.
  std::function<bool(const kube::KubeletChoices&)> matters{};
  bool presumed = false;  // and where nothing will be read, taken to matter
};

// Tells the warnings and returns the errors as one, of those that matter in the release 1.`minor`; 0: a current one.
// One error is itself; several are Kind::unfit "preflight.failed", a cause each: "[ERROR Swap]: …".
Status settle(Context& context, std::vector<Finding> findings, int minor);

// Those of state.held: first what the cluster's release decides, then what the kubelet's configuration does. `read` fetches that, and is
// called only when something hangs on it.
Status settle_held(Context& context, const std::function<Status()>& read);

}  // namespace kubejoin::plan
