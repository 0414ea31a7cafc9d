// Undoing a join: what kubeadm's reset does to a worker, and our own records.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/host.h"

namespace kubejoin::kubelet {

struct Reset {
  std::string certificates_dir = "/etc/kubernetes/pki";
  std::string cri_socket;          // "unix:///…"
  std::vector<std::string> unmount_flags;  // of ResetConfiguration: MNT_FORCE, MNT_DETACH
  bool cleanup_tmp_dir = false;
  bool delete_node = false;        // with the node's own certificate
  bool dry_run = false;            // `host` is one that records; nothing is asked of the runtime
  std::function<void(const std::string& line)> say;
  std::function<void(const Error& warning)> warn;
};

// Stops the kubelet, then as asked deletes the Node; unmounts what is below /var/lib/kubelet; removes the runtime's pods; removes the files
// of kubeadm's list (cmd/kubeadm/app/cmd/phases/reset/cleanupnode.go, 1.20 to 1.38) and those of the journal; the journal last, so that a run that
// was cut off is finished by the next. Goes on after what kubeadm goes on after, with a warning; fails when a mount stays, below which
// nothing may be removed: "reset.unmount".
Status reset(Host& host, const Reset& wish);

}  // namespace kubejoin::kubelet
