#!/usr/bin/env bash
# Builds the same sources once more, in a folder of another name and length, without ccache: the bytes must be the same.
#   check-reproducible.sh KUBEJOIN
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
binary=$(readlink -f "$1")
room=$(mktemp -d -t kubejoin-a-longer-name-than-the-checkout-has.XXXXXX)
trap 'rm -rf "$room"' EXIT
mkdir "$room/tree"
cp -r "$here"/{Makefile,plugin,schemas,tests,image-builder} "$room/tree"
cd "$room/tree"
# Not the caller's make: its variables would come along.
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -j"$(nproc)" CCACHE= BUILD="$room/out" "$room/out/kubejoin" >"$room/log" 2>&1 ||
  { tail -n 30 "$room/log" >&2; echo "check-reproducible: unable to build in $room" >&2; exit 1; }
if ! cmp "$binary" "$room/out/kubejoin"; then
  echo "check-reproducible: $binary and a build of the same sources in another folder differ, in:" >&2
  diff <(readelf -SW "$binary") <(readelf -SW "$room/out/kubejoin") >&2 || true
  diff <(strings -n 8 "$binary") <(strings -n 8 "$room/out/kubejoin") | head -n 20 >&2 || true
  exit 1
fi
echo "check-reproducible: two builds in two folders are the same $(stat -c %s "$binary") bytes"
