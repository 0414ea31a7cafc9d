// Names that are told from misspelt ones.
#include "preflight/names.h"

#include "base/text.h"

namespace kubejoin::preflight {

std::vector<std::string> check_names() {
  return split("CRI ContainerRuntimeVersion ExternalEtcdVersion Firewalld HTTPProxy HTTPProxyCIDR Hostname ImagePull IsDockerSystemdCheck "
               "IsPrivilegedUser KubeletArguments KubeletVersion KubernetesVersion Mem NumCPU Swap SystemVerification "
               "DirAvailable- FileAvailable- FileContent- FileExisting- Port- Service-", ' ');
}

}  // namespace kubejoin::preflight
