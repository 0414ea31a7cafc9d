#!/usr/bin/env bash
# Looks at the binary that users get: static-pie, stripped, hardened, small, without NSS, and running where there is nothing else.
#   check-build.sh KUBEJOIN KUBEJOIN.debug OBJECTS CURL.a
# KUBEJOIN.debug is the same program before strip, OBJECTS the folder of plugin/'s objects.
set -euo pipefail
shopt -s globstar
binary=$1 debug=$2 objects=$3 curl=$4
limit=7500000
fail() { echo "check-build: $1" >&2; exit 1; }

elf=$(readelf -hldW "$binary")
has() { grep -q "$1" <<<"$elf"; }
has 'DYN (Position-Independent Executable file)' || fail "not position independent"
! has NEEDED || fail "needs shared libraries"
! has INTERP || fail "needs a dynamic loader"
has GNU_RELRO || fail "no RELRO"
has BIND_NOW || fail "RELRO is not full: no BIND_NOW"
has 'GNU_STACK.* RW ' || fail "the stack is executable"
! has 'LOAD.* RWE' || fail "a segment is both writable and executable"
! has TEXTREL || fail "code is relocated in place"
sections=$(readelf -SW "$binary")
! grep -q '\.symtab' <<<"$sections" || fail "not stripped"
size=$(stat -c %s "$binary")
((size <= limit)) || fail "$size bytes: more than $limit"

# What the compiler was told shows in what the objects ask for, ours and curl's.
hardened() {
  local wanted symbol
  wanted=$(nm -u "$@" 2>/dev/null)
  for symbol in __stack_chk_fail '__[a-z]*_chk'; do
    grep -q " $symbol\$" <<<"$wanted" || fail "nothing in $1 and the like asks for $symbol: built without stack protector or FORTIFY"
  done
}
hardened "$objects"/**/*.o
hardened "$curl"

# libc's resolver is replaced, and what would load the host's modules is not even in the program (plugin/base/static_link.cc).
defined=$(nm "$debug" | awk '$2 ~ /[TtWi]/ { print $3 }')
grep -qx getaddrinfo <<<"$defined" || fail "getaddrinfo is not plugin/base/static_link.cc's"
! symbol=$(grep -xm 1 -E '(__)?nss_(module_load|files_.*|lookup_function|database_get)|_nss_.*|gaih_inet.*|getpw(nam|uid)(_r)?' <<<"$defined") ||
  fail "$symbol is linked: it loads modules of the host that it runs on"

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cp "$binary" "$room/kubejoin"
printed=$(chroot "$room" /kubejoin version)
[[ $printed == kubejoin\ * ]] || fail "does not run in an empty chroot: $printed"
echo "check-build: static-pie, stripped, hardened, no NSS, $size bytes, runs in an empty chroot"

# On a machine that has nothing installed, make names every package.
told=$(make CXX='g++ -nostdinc' BUILD="$room/build" "$room/build/release/headers.ok" 2>&1) && fail "make does not see that headers are missing"
for package in libexpected-dev libssl-dev libyaml-cpp-dev rapidjson-dev zlib1g-dev libnghttp2-dev libc-ares-dev CURL_DIR; do
  grep -q "is missing: install .*$package" <<<"$told" || fail "make does not name $package when its header is missing"
done
