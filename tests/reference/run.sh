#!/usr/bin/env bash
# Proves the sentences of the reference page of kubeadm join, one named test a statement, on a real cluster of one release.
#
#   run.sh RELEASE [NAME…]     1.20 or 1.37; NAMEs of tests or statements (S16); all without
#   run.sh --table             the table of statements, as README.md beside this file has it
#
# Prints `ok S16 several_pins` or `FAIL S16 several_pins` and why. statements.tsv says which test proves what on which release;
# a statement without a row, a row without a test and a test without a row are failures. The program is $KUBEJOIN, or build/kubejoin.
# The cluster stays up after a run of some tests, for the next one; and after one of all with KEEP_CLUSTER set.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here statements=$here/statements.tsv last=71
scenarios=("$here"/discovery.sh "$here"/bootstrap.sh "$here"/workflow.sh "$here"/command_line.sh "$here"/preflight.sh)

main() {
  case ${1:-} in
    --table) print_table ;;
    --one) run_one "$2" "$3" ;;
    '') die "usage: run.sh RELEASE [NAME…] | --table" ;;
    *) run_release "$@" ;;
  esac
}

die() {
  echo "run.sh: $1" >&2
  exit 64
}

# rows [RELEASE]: statement, releases, test, text; comments left out.
rows() { grep -v '^#' "$statements" | awk -F '\t' -v release="${1:-}" 'NF && (release == "" || index($2, release))'; }

print_table() {
  local statement releases test text
  check_table || exit 1
  printf '| | the page says | proven by | releases |\n| --- | --- | --- | --- |\n'
  while IFS=$'\t' read -r statement releases test text; do
    [[ $test == - ]] && test='informational' || test="\`$test\`"
    printf '| %s | %s | %s | %s |\n' "$statement" "$text" "$test" "$releases"
  done < <(rows)
}

tests_defined() { sed -nE 's/^([a-z][a-z0-9_]*)\(\) \{ # S.*|^([a-z][a-z0-9_]*)\(\) \{ # \+.*/\1\2/p' "${scenarios[@]}"; }

# Every statement has a row for every release, every row a test, every test a row.
check_table() {
  local problems=0 number release
  for release in 1.20 1.37; do
    for ((number = 1; number <= last; ++number)); do
      rows $release | cut -f1 | grep -qx "S$number" || { echo "FAIL S$number has no row for $release in statements.tsv" && problems=1; }
    done
  done
  diff <(rows | cut -f3 | grep -vx -e - | sort -u) <(tests_defined | sort -u) >/dev/null ||
    { diff <(rows | cut -f3 | grep -vx -e - | sort -u) <(tests_defined | sort -u) | sed -n 's/^</FAIL no such test: /p; s/^>/FAIL no row names the test: /p'; problems=1; }
  return $problems
}

run_release() {
  local release=$1 statement releases test text wanted=() failures=0 passed=0 started=$SECONDS
  shift
  export KUBEJOIN=${KUBEJOIN:-$here/../../build/kubejoin}
  KUBEJOIN=$(realpath -e "$KUBEJOIN") || die "there is no program $KUBEJOIN: make build/kubejoin"
  check_table || failures=1
  rm -rf "${KUBEJOIN_CLUSTER_DIR:-/tmp/kubejoin-cluster-$release}/reference" # the join of an earlier run
  "$here/../cluster/up.sh" "$release" || die "there is no cluster $release"
  mapfile -t wanted < <(
    rows "$release" | while IFS=$'\t' read -r statement releases test text; do
      [[ $test != - ]] || continue
      (($# == 0)) || [[ " $* " == *" $test "* || " $* " == *" $statement "* ]] || continue
      echo "$test"
    done | awk '!seen[$0]++'
  )
  ((${#wanted[@]})) || die "no test is called $*"
  local name begun output result
  for name in "${wanted[@]}"; do
    begun=${EPOCHREALTIME/./}
    result=ok
    # A test ends by itself; 300 s is for one that does not.
    output=$(timeout --foreground --kill-after 20 300 "${BASH_SOURCE[0]}" --one "$release" "$name" 2>&1) || result=FAIL
    [[ $result == ok ]] && passed=$((passed + 1)) || failures=$((failures + 1))
    printf '%-4s %-12s %-34s %6d ms\n' $result "$(rows "$release" | awk -F '\t' -v t="$name" '$3 == t && $1 != "+" { printf "%s%s", n++ ? "," : "", $1 }')" \
      "$name" $(((${EPOCHREALTIME/./} - begun) / 1000))
    [[ $result == ok ]] || sed 's/^/     /' <<<"$output"
  done
  if (($# == 0)); then rows "$release" | awk -F '\t' '$3 == "-" { printf "--   %-12s informational: %s\n", $1, $4 }'; fi
  (($#)) || [[ ${KEEP_CLUSTER:-} ]] || "$here/../cluster/down.sh" "$release" || failures=1
  echo "Kubernetes $release: $passed of ${#wanted[@]} tests passed in $((SECONDS - started)) s"
  ((failures == 0))
}

run_one() {
  set -e
  # shellcheck source=lib.sh
  source "$here/lib.sh"
  for scenario in "${scenarios[@]}"; do
    # shellcheck source=/dev/null
    source "$scenario"
  done
  use_cluster "$1"
  trap end_test EXIT
  trap 'exit 143' TERM INT
  "$2"
}

main "$@"
