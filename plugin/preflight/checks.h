// Preflight: one table of checks with kubeadm's names, all run, all reported together.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/state.h"

namespace kubejoin::preflight {

// What a check has to say; both lists empty: nothing.
struct Findings {
  std::vector<Error> errors;    // Kind::unfit
  std::vector<Error> warnings;
};

struct Check {
  std::string name;  // kubeadm's: "FileAvailable--etc-kubernetes-kubelet.conf"; what --ignore-preflight-errors takes
  std::function<void(Host&, Findings&)> run;
  int from = 0, until = plan::kNever;  // the releases 1.`from` up to, and without, 1.`until` have it
};

// The checks of a worker join (kubeadm app/preflight/checks.go RunJoinNodeChecks, 1.20 and 1.37), each for the releases that have it.
// The API server's address decides about IPv4 or IPv6 forwarding. The state outlives them. No child process is started.
std::vector<Check> checks_for(const plan::JoinState& state);

// "unix://…" of the one container runtime on this machine: the configured one, or the only socket of the known three that exists.
// None: containerd's. Several: Kind::unfit "preflight.cri-ambiguous" naming them (kubeadm app/util/runtime).
Result<std::string> detect_cri_socket(Host& host, const std::string& configured);

// Asks the runtime over its socket (CRI Version and Status). Kind::unfit "preflight.CRI" with what to do.
Status check_runtime(Host& host, const std::string& cri_socket);

// Whether the runtime says that it has no RuntimeConfig; false also for one that does not answer, which check_runtime tells.
bool lacks_runtime_config(Host& host, const std::string& cri_socket);

}  // namespace kubejoin::preflight
