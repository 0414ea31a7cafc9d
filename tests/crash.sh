#!/bin/bash
# Kills the real program at its every system call that changes anything (or at every K-th), and proves that a second run then ends
# where an undisturbed one does: the same files, modes and links, nothing half-written, no secret that others may read.
#
#   crash.sh [-j N] [--every K] KUBEJOIN STANDIN
#
# strace(1) injects the SIGKILL. Each run has network, mount and host name namespaces of its own, as the whole-program cases have.
set -uo pipefail
here=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")")
# shellcheck source=cases/machine.sh
source "$here/cases/machine.sh"

# What changes a disk, a service or the other side. `write` alone would count every line that is told, so files are followed by their fsync.
calls=openat,mkdirat,fchmod,fchmodat,fsync,renameat,renameat2,symlinkat,unlinkat,connect,sendto,sendmsg,writev,execve,clone,clone3,vfork,kill

die() {
  echo "crash.sh: $1" >&2
  exit 64
}

main() {
  local jobs=2 every=1 tool
  while [[ ${1:-} == -* ]]; do
    case $1 in
      -j) jobs=$2 ;;
      --every) every=$2 ;;
      *) die "unknown option $1" ;;
    esac
    shift 2
  done
  (($# == 2)) || die "usage: crash.sh [-j N] [--every K] KUBEJOIN STANDIN"
  for tool in strace jq openssl unshare setsid flock ip; do command -v $tool >/dev/null || die "this needs $tool"; done
  program=$(readlink -e "$1") standin=$(readlink -e "$2") || die "there is no program $1 or $2"
  export program standin

  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  # The undisturbed run says what to compare with, and how many such calls there are.
  "$here/crash.sh" --one undisturbed "$scratch"
  [[ ! -e $scratch/undisturbed.problem ]] || die "the undisturbed run failed: $(cat "$scratch/undisturbed.problem" "$scratch/undisturbed.told")"
  local points failed=0 point killed
  mapfile -t points < <(awk -v every="$every" '(NR - 1) % every == 0' "$scratch/points")
  (($(wc -l <"$scratch/points") > 100)) || die "only $(wc -l <"$scratch/points") calls were seen"
  printf '%s\n' "${points[@]}" | xargs -P "$jobs" -I '{}' "$here/crash.sh" --one '{}' "$scratch" || failed=1
  for point in "$scratch"/*.problem; do
    [[ -e $point ]] || continue
    failed=1
    echo "FAIL killed at $(basename "$point" .problem):"
    sed 's/^/     /' "$point"
  done
  # Timing decides about the last calls of a kind, so a few runs are over before.
  killed=$(find "$scratch" -name '*.killed' | wc -l)
  ((killed * 10 >= ${#points[@]} * 9)) || { failed=1 && echo "FAIL only $killed of ${#points[@]} runs were killed"; }
  echo "crash: killed at $killed of $(wc -l <"$scratch/points") calls, each finished by a second run"
  return $failed
}

# ---- one run, killed at CALL:K, and the next, inside namespaces ----

one() {
  point=$1 scratch=$2
  work=$(mktemp -d)
  trap 'finish' EXIT
  isolate
  make_root
  rm "$root/etc/systemd/system/multi-user.target.wants/kubelet.service" # so that it has to be enabled
  start_standin "$standin" || problem "the stand-in did not start"
  before=$(snapshot)
  local join=("$program" join "${places[endpoint]}" --token "${places[token]}" --discovery-token-ca-cert-hash "${places[pin]}" --node-name node1 --root "$root")
  if [[ $point == undisturbed ]]; then
    traced "trace=$calls" "${join[@]}" || problem "exit status $?"
    # strace counts each kind of call for itself.
    awk -F '(' '/^[a-z0-9]+\(/ { print $1 ":" ++count[$1] }' "$work/trace" >"$scratch/points"
    settle
    made >"$scratch/made"
    return
  fi
  # The kubelet that a killed run may have started goes on as a real one would.
  traced "inject=${point%:*}:signal=KILL:when=${point#*:}" "${join[@]}" && return # it was over before
  : >"$scratch/$point.killed"
  settle
  no_secret "after the kill"
  # A run whose journal says so has joined: all was done, and the next is refused as on any joined machine.
  if ! jq -e '.joinedAt != ""' "$root/var/lib/kubejoin/journal.json" >"$work/joined" 2>&1; then
    as_machine timeout 60 "${join[@]}" >"$work/second" 2>&1 || problem "the second run failed:"$'\n'"$(cat "$work/second")"
    settle
  fi
  no_secret "after the second run"
  local difference
  difference=$(diff "$scratch/made" <(made)) || problem "another end than undisturbed (last call: $(grep -E "\(" "$work/trace" | tail -n 1)):"$'\n'"$difference"
}

finish() {
  if [[ ${standin_pid:-} ]]; then
    kill "$standin_pid"
    wait "$standin_pid" || problem "the stand-in did not end well: $(cat "$work/standin-errors")"
  fi
  rm -rf "$work"
}

problem() { echo "$1" >>"$scratch/$point.problem"; }

# traced OPTION COMMAND...: by strace, the children left alone.
traced() { as_machine timeout 60 strace -qq -e signal=none -o "$work/trace" -e "trace=$calls" -e "$1" "${@:2}" >"$scratch/$point.told" 2>&1; }

# The kubelet registers in the background.
settle() { await_kubelet; }

snapshot() {
  (cd "$root" && find . -mindepth 1 \( -type f -printf '%m %P ' -exec sha256sum {} \; \) -o \( -type l -printf 'link %P -> %l\n' \) -o \( -type d -printf '%m %P/\n' \)) | sort
}

# What is new below the root: modes, paths, sums, links; dates, keys and records, which differ from run to run, without their content.
made() {
  comm -13 <(echo "$before") <(snapshot) | sed -E "s|$root|ROOT|g; s/kubelet-client-[0-9-]+\.pem/kubelet-client-DATE.pem/g; s/ \.\/.*$//" |
    sed -E 's|(kubelet-client-DATE\.pem) [0-9a-f]{64}|\1|; s|((run\|var/lib)/kubejoin/[^ ]+) [0-9a-f]{64}|\1|; s|(kubelet.conf\|pki/ca.crt) [0-9a-f]{64}|\1|'
}

# no_secret WHEN: the token in no file, a private key in none that others may read.
no_secret() {
  local found
  found=$(grep -rlF "${places[secret]}" "$root") && problem "$1 the token is in $found"
  found=$(find "$root" -type f -perm /077 -exec grep -l 'PRIVATE KEY' {} +) && [[ $found ]] && problem "$1 a private key can be read by others in $found"
  grep -qF "${places[secret]}" "$scratch/$point.told" && problem "$1 the token was printed"
  return 0
}

if [[ ${1:-} == --one ]]; then
  if [[ ${4:-} == inside ]]; then
    one "$2" "$3"
  else
    in_namespaces "$here/crash.sh" --one "$2" "$3" inside
  fi
else
  main "$@"
fi
