// The plan of a join, top to bottom. `join phase list`, --skip-phases, --dry-run, the progress display and the timeline print this table.
#pragma once

#include "plan/phase.h"

namespace kubejoin::preflight {
Status check_machine(plan::Context&);
}
namespace kubejoin::discovery {
Status establish_trust(plan::Context&);
}
namespace kubejoin::bootstrap {
Status read_cluster(plan::Context&);
Status obtain_identity(plan::Context&);
void forget(plan::Context&);
}  // namespace kubejoin::bootstrap
namespace kubejoin::kubelet {
// The cluster's KubeletConfiguration with its defaults and the user's patches, as write_files will write it but for the node's own socket.
Result<std::string> config_to_write(plan::Context&);
Status write_files(plan::Context&);
Status start(plan::Context&);
Status finish_node(plan::Context&);
}  // namespace kubejoin::kubelet

namespace kubejoin::plan {

inline constexpr Phase kJoinPlan[] = {
    {"preflight", "preflight", "check that this machine is fit to be a node",
     kNothing, kFit, preflight::check_machine, nullptr},

    {"discovery", "", "learn the cluster's CA and prove it by token, pin, file or HTTPS",
     kFit, kTrust, discovery::establish_trust, nullptr},

    {"cluster-config", "", "read the cluster's configuration; see that the node's name is free",
     kTrust, kCluster, bootstrap::read_cluster, nullptr},

    {"tls-bootstrap", "kubelet-start", "make the node's key, request its certificate, watch until it is issued",
     kTrust | kCluster, kIdentity, bootstrap::obtain_identity, bootstrap::forget},

    {"kubelet-config", "kubelet-start", "write everything that the kubelet reads",
     kTrust | kCluster | kIdentity, kKubeletFiles, kubelet::write_files, nullptr},

    {"kubelet-run", "kubelet-start", "enable and start the kubelet, once, with its final identity",
     kKubeletFiles, kKubeletRuns, kubelet::start, nullptr},

    {"node", "kubelet-wait-bootstrap", "watch the Node until it is registered or Ready; finish it",
     kIdentity | kKubeletRuns, kNode, kubelet::finish_node, nullptr},
};
static_assert(is_ordered(kJoinPlan), "a phase stands before the one that gives what it needs");
static_assert(has_one_meaning(kJoinPlan), "a name is ours and kubeadm's, and does not mean the same");

}  // namespace kubejoin::plan
