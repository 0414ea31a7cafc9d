#!/usr/bin/env bash
# Every oracle for what the user writes: run.sh KUBEJOIN. Programs and packages are built or fetched once, into ~/.cache/kubejoin.
set -euo pipefail
kubejoin=${1:?usage: run.sh KUBEJOIN}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/cloud-init.sh" "$kubejoin"
"$here/cluster-api.sh" "$kubejoin"
"$here/../cluster/build.sh" 1.37
"$here/kubeadm.sh" "$kubejoin"
