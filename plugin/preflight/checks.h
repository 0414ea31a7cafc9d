// Preflight: one table of checks with kubeadm's names, all run, all reported together.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/findings.h"
#include "plan/state.h"

namespace kubejoin::preflight {

// What a check has to say; all lists empty: nothing.
struct Findings {
  std::vector<Error> errors;    // Kind::unfit
  std::vector<Error> warnings;
  std::vector<plan::Finding> later;  // an error or a warning by the KubeletConfiguration; bounded by its own releases, not the check's
};

struct Check {
  std::string name;  // kubeadm's: "FileAvailable--etc-kubernetes-kubelet.conf"; what --ignore-preflight-errors takes
  std::function<void(Host&, Findings&)> run;
  int from = 0, until = plan::kNever;  // the releases 1.`from` up to, and without, 1.`until` have it
};

// The checks of a worker join (kubeadm app/preflight/checks.go RunJoinNodeChecks, 1.20 and 1.37), each for the releases that have it.
// The API server's address decides about IPv4 or IPv6 forwarding. The state outlives them. No child process is started.
std::vector<Check> checks_for(const plan::JoinState& state);

// One for each range of releases whose kubelet would not start with an argument of the user's (kube/kubelet_flags.h).
std::vector<Check> argument_checks(const config::JoinConfig& config);

// "unix://…" of the one container runtime on this machine: the configured one, or the only socket of the known three that exists.
// None: containerd's. Several: Kind::unfit "preflight.cri-ambiguous" naming them (kubeadm app/util/runtime).
Result<std::string> detect_cri_socket(Host& host, const std::string& configured);

// What the runtime says of itself, asked over its socket.
struct Runtime {
  Status ready{};                      // Kind::unfit "preflight.CRI" with what to do
  bool speaks_v1 = false;              // CRI runtime.v1; else v1alpha2 alone
  bool lacks_runtime_config = false;   // it says so; not of one that does not answer
  std::string cgroup_driver{};         // "systemd", "cgroupfs", or empty: it does not tell
};
Runtime ask_runtime(Host& host, const std::string& cri_socket);
// Whether it serves runtime.v1alpha2, which is all that kubelets before 1.23 speak.
bool speaks_v1alpha2(Host& host, const std::string& cri_socket);

// An IP address as the kernel writes it; empty when it is none.
std::string canonical_address(std::string_view text);
// The addresses of this machine's interfaces but for loopback's; nothing when the kernel lists none.
std::vector<std::string> own_addresses(Host& host);

}  // namespace kubejoin::preflight
