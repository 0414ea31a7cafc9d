#!/usr/bin/env bash
# What users get wrong, and every word that they are told: run.sh [--record] KUBEJOIN
#
# NAME.yaml is the user's file; NAME.sh prints one that no editor would keep as it is. `expected` holds for each what
# `kubejoin validate NAME` says and its exit status; --record writes it anew: read the diff before you commit it.
# Beside that: JSON says the same, in the form of its schema; boot says the same; nobody is ever shown a secret.
set -euo pipefail

record=
if [[ ${1:-} == --record ]]; then
  record=1
  shift
fi
kubejoin=$(realpath "${1:?usage: run.sh [--record] KUBEJOIN}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d /tmp/kubejoin-mistakes-XXXXXX)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root/etc" "$work/json" "$work/boot"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"

failed=0
fail() { echo "FAIL  $1" && failed=$((failed + 1)); }

# Where the user stands is their file.
cd "$root"
names=()
for path in "$here"/*.yaml "$here"/*.sh; do
  name=$(basename "$path")
  [[ $name != run.sh ]] || continue
  case $name in
    *.sh) (cd "$here" && bash "$path") >"${name%.sh}" && name=${name%.sh} ;;
    *) cp "$path" "$name" ;;
  esac
  names+=("$name")
done

for name in "${names[@]}"; do
  status=0
  "$kubejoin" validate "$name" >"$work/text" 2>&1 || status=$?
  { echo "==== $name: exit status $status" && cat "$work/text"; } >>"$work/all"
  "$kubejoin" validate -o json "$name" >"$work/json/$name" 2>"$work/stderr" || true
  [[ ! -s $work/stderr ]] || fail "$name: -o json writes to stderr"
  [[ $(jq '.errors | length' "$work/json/$name") == "$(grep -c '^kubejoin: error: ' "$work/text")" ]] || fail "$name: JSON and text have not as many errors"
  # A template's names are known at boot alone; a file without any document is no mistake there, nor a command that a shell runs.
  if ((status != 0)) && ! grep -qE 'joins by itself|template: jinja|\[config\.no-document\]|\[file\.|\[yaml\.too-large\]' "$name" "$work/text"; then
    timeout 20 "$kubejoin" boot --dry-run --root "$root" --source "file:/$name" 2>&1 >/dev/null | sed "s#/$name#$name#" >"$work/boot/$name" || true
    diff <(grep '^kubejoin: error: ' "$work/text") <(grep '^kubejoin: error: ' "$work/boot/$name") >"$work/diff" ||
      { fail "$name: boot says something else" && cat "$work/diff"; }
  fi
done

if grep -rnE 'OPENSESAME|5ecre75ecre75ecr' "$work/all" "$work/json" "$work/boot"; then fail "a secret was shown"; fi

"$kubejoin" schema validation-v1 >"$work/schema.json"
python3 - "$work/schema.json" "$work"/json/* <<'PY' || fail "the form of -o json"
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
wrong = 0
for path in sys.argv[2:]:
    result = json.load(open(path))
    for error in validator.iter_errors(result):
        wrong += 1
        print(path, error.message)
    assert result["valid"] == (not result["errors"])
sys.exit(wrong != 0)
PY

if [[ $record ]]; then
  cp "$work/all" "$here/expected"
else
  diff -u "$here/expected" "$work/all" || fail "not what is expected"
fi
echo "mistakes: ${#names[@]}, $(grep -c '^kubejoin: error: ' "$work/all") errors, $failed failed"
((failed == 0))
