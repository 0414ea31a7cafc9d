// The user's patches of the kubelet's configuration.
#pragma once

#include "plan/phase.h"

namespace kubejoin::plan {

// Reads the folder of patches into state.patches, in kubeadm's order, and sees that each can be applied; tells of the files that nobody
// will read. Kind::invalid "kubelet.patches" where the folder is not there, "kubelet.patch" for a bad file. Asks the disk alone, so that
// it comes before any packet.
Status read_patches(Context& context);

}  // namespace kubejoin::plan
