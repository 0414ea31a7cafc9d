# The exact versions of everything that the clusters are built from; sourced, never run.
# shellcheck shell=bash disable=SC2034 # read by the scripts that source this file

# A release is what a user types; both are built from source, see build.sh.
declare -rA kubernetes_versions=(
  [1.20]=1.20.2 # newest with a whole source tree in Debian; still has dynamic kubelet configuration and v1beta1
  [1.37]=1.37.2 # current
)

# One etcd for both: the one that kubeadm 1.37 deploys; Debian's 3.4 is too old for a 1.37 API server.
readonly etcd_version=3.7.0
