#!/usr/bin/env bash
# Cluster API's own generator of worker user-data as the oracle: cluster-api.sh [--record] KUBEJOIN
#
# cluster-api/NAME.yaml are KubeadmConfigs; for each, as v1beta3 (Kubernetes 1.30) and v1beta4 (1.37) make it, `validate`
# accepts what Cluster API emits, and `boot --dry-run` resolves it to what `cluster-api/expected` holds (--record writes that
# anew). What is Ignition is also shown to Ignition's own validator, so that it is known to be some.
set -euo pipefail

# A node's name is the host's where nobody gives one.
if [[ $(uname -n) != node1 ]]; then exec unshare --uts bash -c 'hostname node1 && exec "$@"' - "$(realpath "${BASH_SOURCE[0]}")" "$@"; fi

record=
if [[ ${1:-} == --record ]]; then
  record=1
  shift
fi
kubejoin=$(realpath "${1:?usage: cluster-api.sh [--record] KUBEJOIN}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
generator=$("$here/build.sh" cluster-api)
ignition_validate=$("$here/build.sh" ignition-validate)
work=$(mktemp -d /tmp/kubejoin-cluster-api-XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/etc" "$work/root/seed"

cat >"$work/root/seed/meta-data" <<'END'
instance-id: i-0123456789abcdef0
local-hostname: ip-10-0-0-7.example.com
hostname: ip-10-0-0-7
placement: {availability-zone: eu-central-1a}
END

failed=0 count=0
fail() { echo "FAIL  $1" && failed=$((failed + 1)); }

for config in "$here"/cluster-api/*.yaml; do
  for version in 1.30.0 1.37.2; do
    name="$(basename "${config%.yaml}") for $version"
    count=$((count + 1))
    "$generator" "$version" <"$config" >"$work/root/seed/user-data"
    cp "$work/root/seed/user-data" "$work/user-data"
    if [[ $(head -c 1 "$work/user-data") == "{" ]]; then
      # Its 2.x configs are older than what the validator reads: their files are, in both.
      jq '.ignition = {version: "3.4.0"} | {ignition, storage: {files: [.storage.files[] | {path, contents: {source: .contents.source}}]}}' \
        "$work/user-data" >"$work/as-3.ign"
      "$ignition_validate" "$work/as-3.ign" || fail "$name: Ignition's validator"
    fi
    "$kubejoin" validate "$work/user-data" >"$work/validated" 2>&1 || { fail "$name: validate" && cat "$work/validated"; }
    timeout 20 "$kubejoin" boot --dry-run --root "$work/root" --source nocloud:/seed >"$work/booted" 2>"$work/errors" || true
    { echo "==== $name" && grep -E '^[A-Za-z.]+: .* # ' "$work/booted"; } >>"$work/all" || { fail "$name: boot --dry-run" && cat "$work/errors"; }
  done
done

if grep -E '0123456789abcdef( |$)|fedcba9876543210' "$work/all"; then fail "a secret was shown"; fi
if [[ $record ]]; then
  cp "$work/all" "$here/cluster-api/expected"
else
  diff -u "$here/cluster-api/expected" "$work/all" || fail "not what is expected"
fi
echo "cluster-api: $count user-data, $failed failed"
((failed == 0))
