#!/bin/bash
# A join to look at, without a cluster: the real program, a machine below a temporary folder, the stand-in for its API server.
#
#   demo.sh KUBEJOIN STANDIN
set -euo pipefail
here=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")")
# shellcheck source=cases/machine.sh
source "$here/cases/machine.sh"

main() {
  kubejoin=$1
  work=$(mktemp -d)
  trap 'kill "$standin_pid" && wait "$standin_pid"; rm -rf "$work"' EXIT
  isolate
  make_root
  start_standin "$2" --fault csr-approved-after=150 --fault node-ready-after=150
  snapshot >"$work/before"

  title "A machine that wants to join the cluster at ${places[endpoint]}"
  local arguments=(join "${places[endpoint]}" --token "${places[token]}" --discovery-token-ca-cert-hash "${places[pin]}" --wait ready)
  printf '%s\n' "\$ kubejoin ${arguments[*]}" | sed "s/${places[secret]}/.../; s/\(sha256:.\{12\}\)[^ ]*/\1.../"
  as_machine "$kubejoin" "${arguments[@]}" --root "$root" >"$work/stdout"
  await_kubelet
  sed -n 's/^This node has joined/  This node has joined/p' "$work/stdout"

  title "What it wrote"
  snapshot | comm -13 "$work/before" - | sed 's/^/  /'
  title "What it asked the API server"
  requests
  title "When"
  timeline
  title "What is left of the token"
  if grep -rlF -e "${places[secret]}" "$root"; then return 1; fi
  echo "  nothing: no file below the root holds it"
}

title() { if [[ -t 1 ]]; then printf '\n\033[1m%s\033[0m\n' "$1"; else printf '\n%s\n' "$1"; fi; }

snapshot() { (cd "$root" && find . -type f -printf '/%P %M\n' -o -type l -printf '/%P -> %l\n' | awk '{ printf "%-66s %s %s\n", $1, $2, $3 }' | sort); }

# The stand-in kubelet's own (by curl) are left out.
requests() {
  grep -v agent=curl "$state/access.log" |
    sed -E 's/^conn=([0-9]+) (\S+) .* user=(\S+) ([0-9]+) (\S+) ([^?]*)(\?watch=true.*|\?.*)?$/\1 \2 \3 \4 \5 \6 \7/; s/ \?watch=true.*/ (watch)/' |
    awk '{ printf "  connection %d (%s)  %-23s %d %-5s %s %s\n", $1, $2, $3, $4, $5, $6, $7 }'
}

timeline() {
  jq -r '.milestones[] | "\(.atMs) \(.name)"' "$root/run/kubejoin/result.json" |
    awk '{ bar = ""; for (i = 0; i < $1 / 12; i++) bar = bar "="; printf "  %5d ms  %-20s %s\n", $1, $2, bar }'
}

if [[ ${1:-} == --in-namespaces ]]; then
  main "${@:2}"
elif (($# == 2)); then
  in_namespaces "$here/demo.sh" --in-namespaces "$(readlink -e "$1")" "$(readlink -e "$2")"
else
  echo "usage: demo.sh KUBEJOIN STANDIN" >&2
  exit 64
fi
