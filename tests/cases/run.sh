#!/bin/bash
# Runs whole-program cases: a folder each, see README.md.
#
#   run.sh [-j N] KUBEJOIN STANDIN [CASE...]
#
# A line a case, and a diff when it fails. Each case has network, mount and host name of its own: its API server is always 127.0.0.1:6443.
set -uo pipefail
shopt -s nullglob
here=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")")
# shellcheck source=machine.sh
source "$here/machine.sh"

main() {
  local jobs=2 tool
  if [[ ${1:-} == -j* ]]; then
    jobs=${1#-j} && shift
    if [[ ! $jobs ]]; then jobs=$1 && shift; fi
  fi
  (($# >= 2)) || die "usage: run.sh [-j N] KUBEJOIN STANDIN [CASE...]"
  for tool in jq curl openssl unshare setsid flock ip python3; do command -v $tool >/dev/null || die "the cases need $tool"; done
  local program standin
  program=$(readlink -e "$1") || die "there is no program $1"
  standin=$(readlink -e "$2") || die "there is no program $2"
  shift 2
  local cases=("${@%/}") passed=0 line
  if ((${#cases[@]} == 0)); then
    cases=("$here"/*/cmd) && cases=("${cases[@]%/cmd}")
    check_faults
  fi
  for line in "${cases[@]##*/}"; do [[ -f $here/$line/cmd ]] || die "there is no case $line"; done
  RECORDS=$(mktemp -d) && export RECORDS
  trap 'rm -rf "$RECORDS"' EXIT
  while IFS= read -r line; do
    printf '%s\n' "$line"
    [[ $line != 'ok '* ]] || ((++passed))
  done < <(printf '%s\0' "${cases[@]##*/}" |
    xargs -0 -P "$jobs" -I '{}' "$here/run.sh" --one "$program" "$standin" '{}')
  check_records || die "the records of the cases are not as their schemas have them"
  echo "$passed of ${#cases[@]} cases passed"
  ((passed == ${#cases[@]}))
}

die() {
  echo "run.sh: $1" >&2
  exit 64
}

# A fault that no case plays proves nothing.
check_faults() {
  local fault _
  while read -r fault _; do
    grep -qsE -- "--fault $fault(=|\$| )" "$here"/*/standin || die "no case plays the fault $fault"
  done < <("$standin" --list-faults)
}

# Every result and status that any case left, and what a case with expect.schema printed, against schemas/.
check_records() {
  python3 - "$here/../../schemas" "$RECORDS" <<'PYTHON'
import collections
import json
import pathlib
import sys

import jsonschema

schemas, records = map(pathlib.Path, sys.argv[1:])
validators = {}
for path in schemas.glob("*-v1.json"):
    schema = json.loads(path.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validators[path.stem] = jsonschema.Draft7Validator(schema)
wrong, counts = 0, collections.Counter()
for path in sorted(records.iterdir()):
    record = json.loads(path.read_text())
    printed = [name for name in validators if path.stem.endswith(f"-{name}")]
    name = printed[0] if printed else record["kind"].lower() + "-v1"
    counts[name if printed else record["state"]] += 1
    for error in validators[name].iter_errors(record):
        wrong += 1
        print(f"FAIL {path.name}: {error.json_path}: {error.message}")
print("records:", ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "none")
sys.exit(wrong > 0)
PYTHON
}

# ---- one case, inside its namespaces ----

run_one() {
  program=$1 standin=$2 name=$3 case=$here/$3 problems=''
  work=$(mktemp -d)
  trap 'finish' EXIT
  local arguments=() file
  [[ ! -f $case/standin ]] || read -r -d '' -a arguments <"$case/standin"
  isolate
  make_root
  start_standin "$standin" "${arguments[@]}" || problem "the stand-in did not start"
  cp -r "$case" "$work/case"
  while IFS= read -r -d '' file; do fill_in "$file"; done < <(find "$work/case" "$root"/*.yaml -type f -print0)
  [[ ! -d $work/case/files ]] || cp -r "$work/case/files/." "$root"
  snapshot >"$work/before"
  run_command
  await_kubelet
  keep_records
  snapshot >"$work/after"
  check_status
  check_output stdout
  check_output stderr
  check_files
  check_absent
  check_requests
  check_secrets
}

finish() {
  if [[ ${standin_pid:-} ]]; then
    kill "$standin_pid"
    wait "$standin_pid" || problem "the stand-in did not end well:"$'\n'"$(excerpt "$work/standin-errors")"
  fi
  # In one write, as other cases print at the same time.
  if [[ $problems ]]; then
    printf '%s\n' "FAIL $name$problems"
  else
    printf '%s\n' "ok   $name"
  fi
  if [[ ${KEEP:-} ]]; then echo "     kept: $work"; else rm -rf "$work"; fi
}

problem() { problems+=$'\n'"     $1"; }
excerpt() { sed 's/^/       | /' "$1" | head -n 40; }

# fill_in FILE: its {{placeholders}}.
fill_in() {
  local text key
  grep -q '{{' "$1" || return 0
  text=$(cat "$1" && echo .) && text=${text%.}
  for key in "${!places[@]}"; do text=${text//"{{$key}}"/${places[$key]}}; done
  printf '%s' "$text" >"$1"
}

# Mode, path, and content's sum or link's target of all below the root.
snapshot() {
  (cd "$root" && find . -mindepth 1 \( -type f -printf '%m %P ' -exec sha256sum {} \; \) -o \( -type l -printf 'link %P -> %l\n' \) -o \( -type d -printf '%m %P/\n' \)) |
    awk '{ print $1, "/" $2, $3, $4 }' | sort
}

run_command() {
  mkdir "$work/bin"
  ln -s "$program" "$work/bin/kubejoin"
  ln -s "$program" "$work/bin/kubeadm"
  status=0
  # 120 s: a join that hangs fails its case and not the whole run.
  as_machine env --chdir "$work/case" "PATH=$work/bin:$stubs:/usr/sbin:/usr/bin:/sbin:/bin" timeout --kill-after 5 120 bash cmd \
    >"$work/stdout" 2>"$work/stderr" </dev/null || status=$?
}

keep_records() {
  local file
  for file in "$root"/run/kubejoin/{result,status}.json "$root/var/lib/kubejoin/last-result.json" "$work/case"/status*.json; do
    [[ ! -f $file ]] || cp "$file" "${RECORDS:?}/$name-$(basename "$file")"
  done
  [[ ! -f $case/expect.schema ]] || cp "$work/stdout" "$RECORDS/$name-$(<"$case/expect.schema").json"
}

# ---- what is expected ----

# The lines of expect.NAME, filled in; a line "@FILE" stands for that file's.
expected() {
  local line
  while IFS= read -r line || [[ $line ]]; do
    if [[ $line == @* ]]; then
      cp "$here/${line#@}" "$work/included" && fill_in "$work/included" && grep -v '^#' "$work/included"
    elif [[ $line != '#'* ]]; then
      printf '%s\n' "$line"
    fi
  done <"$work/case/expect.$1"
}

check_status() {
  local wanted=0
  [[ ! -f $case/expect.status ]] || wanted=$(<"$case/expect.status")
  [[ $status == "$wanted" ]] || problem "exit status $status instead of $wanted; stderr:"$'\n'"$(excerpt "$work/stderr")"
}

# Lines in order; "~" regular expression, "!" nowhere, "=" the whole line, else a part of it.
check_output() {
  [[ -f $case/expect.$1 ]] || return 0
  local wanted from=1 at pattern options
  [[ -s $case/expect.$1 || ! -s $work/$1 ]] || problem "$1 is not empty:"$'\n'"$(excerpt "$work/$1")"
  while IFS= read -r wanted; do
    [[ $wanted ]] || continue
    options=(-F) pattern=$wanted
    case $wanted in
      '~'*) options=(-E) pattern=${wanted#\~} ;;
      '='*) options=(-Fx) pattern=${wanted#=} ;;
      '!'*)
        ! grep -qF -e "${wanted#!}" "$work/$1" || problem "$1 has a line with: ${wanted#!}"
        continue
        ;;
    esac
    # No pipe into grep: it ends at its first line, and a writer that is then killed by SIGPIPE would fail the case.
    if at=$(grep -n -m 1 "${options[@]}" -e "$pattern" <(tail -n "+$from" "$work/$1")); then
      from=$((from + ${at%%:*}))
    else
      problem "$1 has no line (from its line $from on) like: $wanted"$'\n'"$(excerpt "$work/$1")"
      return
    fi
  done < <(expected "$1")
}

# What changed below the root is what is listed, and kubejoin's own records.
check_files() {
  local new line path mode rest found
  new=$(comm -13 "$work/before" "$work/after" | grep -vE '^[0-9]+ /(run|var/lib)/kubejoin/(status\.json|result\.json|last-result\.json|journal\.json|lock) ' | grep -v '/ *$' || true)
  local -A listed=()
  if [[ -f $case/expect.files ]]; then
    while read -r mode path rest; do
      [[ $mode ]] || continue
      found=''
      while IFS= read -r line; do
        # shellcheck disable=SC2053 # a pattern
        [[ $(cut -d' ' -f2 <<<"$line") == $path ]] || continue
        found=$line && listed[$line]=1
        [[ ${line%% *} == "${mode#0}" ]] || problem "mode of $path is ${line%% *} instead of $mode"
        check_content "$line" "$rest"
      done <"$work/after"
      [[ $found ]] || problem "there is no $path"
    done < <(expected files)
  fi
  while IFS= read -r line; do
    [[ ! $line || ${listed[$line]:-} ]] || problem "unexpected: $line"
  done <<<"$new"
}

# check_content SNAPSHOT-LINE REST: "-> TARGET" of a link, "= FILE" of the case, "sha256:SUM", or nothing.
check_content() {
  local path target
  path=$(cut -d' ' -f2 <<<"$1")
  case $2 in
    '-> '*)
      target=$(readlink "$root$path")
      # shellcheck disable=SC2053 # a pattern
      [[ $target == ${2#-> } ]] || problem "$path leads to $target"
      ;;
    '= '*)
      cp "$here/${2#= }" "$work/wanted" && fill_in "$work/wanted"
      diff -u --label wanted --label "$path" "$work/wanted" "$root$path" >"$work/diff" || problem "$path differs:"$'\n'"$(excerpt "$work/diff")"
      ;;
    sha256:*) [[ $1 == *" ${2#sha256:}"* ]] || problem "$path has another content: $1" ;;
  esac
}

check_absent() {
  local path found
  [[ -f $case/expect.absent ]] || return 0
  while IFS= read -r path; do
    # shellcheck disable=SC2206 # a pattern
    found=("$root"$path)
    [[ ! $path ]] || ((${#found[@]} == 0)) || [[ ! -e ${found[0]} && ! -L ${found[0]} ]] || problem "$path is there"
  done < <(expected absent)
}

# "COUNT STATUS USER METHOD PATH", in any order; COUNT + is "at least one". "connections N". The stand-in kubelet's own are left out.
check_requests() {
  [[ -f $case/expect.requests ]] || return 0
  grep -v ' agent=curl ' "$state/access.log" >"$work/log"
  {
    echo "connections $(grep -o '^conn=[0-9]*' "$work/log" | sort -u | wc -l)"
    sed -nE 's/.* user=([^ ]*) ([0-9]+) ([A-Z]+) ([^?]*)(\?.*)?$/\2 \1 \3 \4\5/; T; s/\?.*(watch=true).*/?watch/; s/\?.*timeout=.*//; s/ system:(anonymous|bootstrap|node)(:[^ ]*)?/ \1/; p' "$work/log" |
      sort | uniq -c | awk '{ $1 = $1; print }'
  } >"$work/requests"
  expected requests | sort >"$work/wanted"
  grep -q '^connections' "$work/wanted" || sed -i '/^connections/d' "$work/requests"
  local any
  while read -r any; do sed -i "s|^[0-9]* $any\$|+ $any|" "$work/requests"; done < <(sed -n 's/^+ //p' "$work/wanted")
  sort -o "$work/requests" "$work/requests"
  diff -u --label wanted --label requests "$work/wanted" "$work/requests" >"$work/diff" || problem "the requests differ:"$'\n'"$(excerpt "$work/diff")"
}

# No secret half of any token that the case knows: in what is printed, in what children were told, in files that were not there before.
check_secrets() {
  local token secret where
  while IFS= read -r token; do
    secret=${token#*.}
    for where in stdout stderr standin/systemctl.log standin/kubelet.log standin/access.log; do
      ! grep -qF -e "$secret" "$work/$where" 2>/dev/null || problem "the token's secret is in $where"
    done
    while IFS= read -r where; do
      ! grep -qF -e "$secret" "$root$where" || problem "the token's secret is in $where"
    done < <(comm -13 "$work/before" "$work/after" | grep -v '/ *$' | grep -v ^link | cut -d' ' -f2)
  done < <(
    { cat "$work/case/cmd" && grep -rhoE '[a-z0-9]{6}\.[a-z0-9]{16}' "$work/case/files" && echo "${places[token]:-}"; } 2>/dev/null |
      grep -oE '\b[a-z0-9]{6}\.[a-z0-9]{16}\b' | sort -u
  )
}

if [[ ${1:-} == --one ]]; then
  in_namespaces "$here/run.sh" --in-namespaces "${@:2}"
elif [[ ${1:-} == --in-namespaces ]]; then
  run_one "${@:2}"
else
  main "$@"
fi
