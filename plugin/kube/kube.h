// Kubernetes wire formats, pure, no machine: everything in this folder that other folders use.
#pragma once

#include "kube/certificate.h"
#include "kube/cri.h"
#include "kube/csr.h"
#include "kube/kubeconfig.h"
#include "kube/kubelet_config.h"
#include "kube/kubelet_flags.h"
#include "kube/objects.h"
#include "kube/patch.h"
#include "kube/releases.h"
#include "kube/requests.h"
#include "kube/token.h"
#include "kube/version.h"
