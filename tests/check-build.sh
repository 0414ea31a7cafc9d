#!/usr/bin/env bash
# Looks at the binary that users get: static-pie, stripped, hardened, small, and running where there is nothing else.
#   check-build.sh KUBEJOIN
set -euo pipefail
binary=$1
fail() { echo "check-build: $1" >&2; exit 1; }
readelf -hld "$binary" >"${TMPDIR:-/tmp}/kubejoin-elf.$$"
elf=$(cat "${TMPDIR:-/tmp}/kubejoin-elf.$$" && rm -f "${TMPDIR:-/tmp}/kubejoin-elf.$$")
grep -q 'DYN (Position-Independent Executable file)' <<<"$elf" || fail "not position independent"
grep -q NEEDED <<<"$elf" && fail "needs shared libraries"
grep -q INTERP <<<"$elf" && fail "needs a dynamic loader"
grep -q GNU_RELRO <<<"$elf" || fail "no RELRO"
grep -q BIND_NOW <<<"$elf" || fail "no BIND_NOW"
grep -q 'GNU_STACK.*' <<<"$elf" || fail "no GNU_STACK"
grep -A1 GNU_STACK <<<"$elf" | grep -q ' RWE' && fail "executable stack"
readelf -S "$binary" | grep -q '\.symtab' && fail "not stripped"
size=$(stat -c %s "$binary")
((size <= 10 * 1024 * 1024)) || fail "$size bytes: more than 10 MiB"
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cp "$binary" "$room/kubejoin"
printed=$(chroot "$room" /kubejoin version)
[[ $printed == kubejoin\ * ]] || fail "does not run in an empty chroot: $printed"
echo "check-build: static-pie, stripped, RELRO, $size bytes, runs in an empty chroot"
