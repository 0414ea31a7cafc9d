#!/usr/bin/env bash
# Real kubeadm as the oracle for documents: kubeadm.sh KUBEJOIN [KUBEADM]
#
# Every bare document of tests/mistakes, schemas/examples and kubeadm/ is shown to `kubeadm config validate` and to
# `kubejoin validate`. What kubeadm accepts kubejoin accepts, except for what kubeadm/differences names with its reason.
set -euo pipefail

kubejoin=$(realpath "${1:?usage: kubeadm.sh KUBEJOIN [KUBEADM]}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=../cluster/versions.sh
source "$root/tests/cluster/versions.sh"
kubeadm=${2:-${XDG_CACHE_HOME:-$HOME/.cache}/kubejoin/kubernetes-${kubernetes_versions[1.37]}/bin/kubeadm}
[[ -x $kubeadm ]] || { echo "kubeadm.sh: unable to find $kubeadm: tests/cluster/build.sh 1.37 builds it" >&2 && exit 1; }
work=$(mktemp -d /tmp/kubejoin-kubeadm-XXXXXX)
trap 'rm -rf "$work"' EXIT

failed=0 both=0 neither=0 stricter=0 looser=0
fail() { echo "FAIL  $1" && failed=$((failed + 1)); }
known() { grep -qE "^$1 $2( |$)" "$here/kubeadm/differences"; }

# A worker's machine has the discovery file that documents name.
for file in "$root"/tests/mistakes/*.yaml "$root"/schemas/examples/v1*.yaml "$here"/kubeadm/*.yaml; do
  name=$(basename "$(dirname "$file")")/$(basename "${file%.yaml}")
  # Bare documents in a version that this kubeadm reads; envelopes are none of its affair.
  grep -qE '^apiVersion: kubeadm\.k8s\.io/(v1beta4|v1)$' "$file" || continue
  grep -q '^kind: FirstBoot' "$file" && continue
  theirs=0 ours=0
  timeout 20 "$kubeadm" config validate --allow-experimental-api --config "$file" >"$work/theirs" 2>&1 || theirs=$?
  "$kubejoin" validate "$file" >"$work/ours" 2>&1 || ours=$?
  if ((theirs == 0 && ours == 0)); then both=$((both + 1)); fi
  if ((theirs != 0 && ours != 0)); then neither=$((neither + 1)); fi
  if ((theirs == 0 && ours != 0)); then
    stricter=$((stricter + 1))
    known "$name" stricter || { fail "$name: kubeadm accepts it" && cat "$work/ours"; }
  elif known "$name" stricter; then
    fail "$name: named in kubeadm/differences as stricter, but is none"
  fi
  if ((theirs != 0 && ours == 0)); then
    looser=$((looser + 1))
    known "$name" looser || { fail "$name: kubeadm refuses it" && cat "$work/theirs"; }
  elif known "$name" looser; then
    fail "$name: named in kubeadm/differences as looser, but is none"
  fi
done
((both > 0 && neither > 0)) || fail "kubeadm says the same of everything"
echo "kubeadm $("$kubeadm" version -o short): $both accepted by both, $neither refused by both, $stricter refused by kubejoin alone, $looser by kubeadm alone (each named with its reason); $failed failed"
((failed == 0))
