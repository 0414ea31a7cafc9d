#!/usr/bin/env bash
# Runs the fuzz harnesses: run.sh FOLDER-OF-HARNESSES [NAME…]; FUZZ_SECONDS (60) is the time for each, two at once.
# Seeds are tests/fuzz/corpus/NAME and what the cases hold; what is found new stays in FOLDER/corpus/NAME, a crash in FOLDER/crashes.
set -euo pipefail

folder=$(realpath "${1:?usage: run.sh FOLDER [NAME…]}")
shift
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export seconds=${FUZZ_SECONDS:-60} folder root
# yaml-cpp and its strings are Debian's, without the instrumentation that container checks need.
export ASAN_OPTIONS=detect_container_overflow=0:allocator_may_return_null=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

# seed NAME FOLDER: the user's texts of the cases, as bytes, for the harnesses that read such.
seed() {
  case $1 in
    envelope) cp --backup=numbered "$root"/tests/cases/*/files/user-data* "$root"/schemas/examples/*.yaml "$2" ;;
    yaml | schema) cp --backup=numbered "$root"/tests/cases/*/files/*.yaml "$root"/schemas/examples/*.yaml "$2" ;;
    *) ;;
  esac
}

fuzz() {
  local name=$1 corpus=$folder/corpus/$1 seeds log=$folder/$1.log status=0
  seeds=$(mktemp -d)
  mkdir -p "$corpus" "$folder/crashes"
  seed "$name" "$seeds"
  "$folder/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="$folder/crashes/$name-" "$corpus" "$root/tests/fuzz/corpus/$name" "$seeds" >"$log" 2>&1 || status=$?
  rm -rf "$seeds"
  if ((status == 0)); then
    echo "ok    $name: $(awk '/number_of_executed_units/ { print $2 }' "$log") runs, coverage $(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -c6-)"
  else
    echo "FAIL  $name (status $status): $log"
    grep -E 'SUMMARY|ERROR|Test unit written' "$log" || tail -20 "$log"
    return 1
  fi
}
export -f fuzz seed

names() {
  if (($#)); then printf '%s\n' "$@"; else cd "$root/tests/fuzz" && printf '%s\n' *.cc | sed 's/\.cc$//'; fi
}
names "$@" | xargs -P 2 -I{} bash -c 'set -euo pipefail; fuzz {}'
