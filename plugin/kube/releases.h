// What a node needs and what its preflight looks for, by the kubelet's release: one row for each change, with its source.
#pragma once

#include <string_view>

namespace kubejoin::kube::since {

// Minors of 1.x that have it first. What changed between kubeadm 1.20 and 1.31, the releases that were read, is taken to have changed when
// the kubelet learned it, else with 1.30.
inline constexpr int
    kConntrack = 18,            // conntrack is looked for (kubeadm 1.18 app/preflight/checks.go)
    kRuntimeV1 = 23,            // the kubelet speaks CRI runtime.v1 as well as v1alpha2 (kubernetes/kubernetes 106006)
    kRuntimeV1Only = 26,        // and nothing else (110618): without it the kubelet does not start
    kSwapTolerated = 28,        // swap is a warning (kubeadm app/preflight/checks_unix.go)
    kFewerChecks = 30,          // no manifests folder, bridge sysctls, conntrack, ebtables, socat, crictl any more
    kNoCgroupV1Warned = 31,     // cgroups v1 is in maintenance mode: a warning (system-validators 1.8), failCgroupV1 may be set
    kDriverFromRuntime = 31,    // the kubelet takes the cgroup driver from the runtime's RuntimeConfig (KEP 4033: beta; 1.28 behind the gate)
    kKernel419 = 32,            // the kernel is 4.19 or later, 3.10 before (system-validators 1.9.2, 1.8.0)
    kProgramsSorted = 33,       // what the kubelet does not call is not looked for, what it calls is (129131, 129450, 130045)
    kDriverGateLocked = 34,     // and nothing keeps it from doing so (KEP 4033: stable)
    kKernelAdvised = 34,        // a kernel that is not among the supported ones is a warning (system-validators 1.10.2)
    kRuntimeTellsDriver = 35,   // a runtime without RuntimeConfig is a warning (134906; KEP 4033: fatal after 1.38)
    kNoCgroupV1 = 35,           // cgroups v1 is refused unless failCgroupV1 is false (system-validators 1.12.1; the kubelet's own default)
    kGetent = 38;               // getent is looked for, a warning (kubeadm 1.38.0-beta.0)

// A program that kubeadm's preflight looks for, as the kubelet of the release calls it, or people do; the package is Debian's.
struct Program {
  std::string_view name, package;
  bool needed;  // else a warning
  int from = 0, until = 1000;
};
inline constexpr Program kPrograms[] = {
    {"conntrack", "conntrack", true, kConntrack, kFewerChecks},
    {"ip", "iproute2", true, 0, kProgramsSorted},
    {"iptables", "iptables", true, 0, kProgramsSorted},
    {"mount", "mount", true},
    {"nsenter", "util-linux", true, 0, kProgramsSorted},
    {"ebtables", "ebtables", false, 0, kFewerChecks},
    {"ethtool", "ethtool", false, 0, kProgramsSorted},
    {"socat", "socat", false, 0, kFewerChecks},
    {"tc", "iproute2", false, 0, kProgramsSorted},
    {"touch", "coreutils", false, 0, kProgramsSorted},
    {"losetup", "mount", true, kProgramsSorted},
    {"cp", "coreutils", true, kProgramsSorted},
    {"getent", "libc-bin", false, kGetent},
};

}  // namespace kubejoin::kube::since
