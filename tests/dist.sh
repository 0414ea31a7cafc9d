#!/usr/bin/env bash
# What `make dist` made, looked at as its users would: complete, the same twice, installs and goes, and the arm64 program joins.
#   dist.sh BUILD STANDIN
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/.." && pwd)
build=$(readlink -f "$1") standin=$(readlink -f "$2")
dist=$build/dist
version=$(sed -n 's/^VERSION := //p' "$top/Makefile")
native=$(dpkg --print-architecture)
fail() { echo "dist: $1" >&2; exit 1; }
ok() { echo "ok   $1"; }
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

program() { if [[ $1 == "$native" ]]; then echo "$build/kubejoin"; else echo "$build/$1/kubejoin"; fi; }

# All that is promised, with the sums that are said.
complete() {
  local wanted=(SHA256SUMS) arch
  for arch in amd64 arm64; do wanted+=("kubejoin_${version}_$arch.deb" "kubejoin-$version-linux-$arch.tar.gz" "kubejoin_${version}_$arch.cdx.json"); done
  diff <(printf '%s\n' "${wanted[@]}" | sort) <(find "$dist" -mindepth 1 -printf '%P\n' | sort) || fail "these files are missing or too many"
  (cd "$dist" && sha256sum --quiet -c SHA256SUMS) || fail "SHA256SUMS does not hold"
  [[ $(wc -l <"$dist/SHA256SUMS") == $((${#wanted[@]} - 1)) ]] || fail "SHA256SUMS leaves a file out"
}

# Packed once more, at another time, from another folder, under another umask: the same bytes.
the_same_twice() {
  local arch
  cp -r "$top"/{Makefile,plugin,schemas,image-builder,LICENSE} "$room"
  find "$room" -exec touch -d '2001-02-03' {} +
  for arch in amd64 arm64; do
    (umask 077 && cd / && DEB_ARCH=$arch NATIVE=$build/kubejoin SYSROOT=${XDG_CACHE_HOME:-$HOME/.cache}/kubejoin/sysroot-$arch \
      SOURCE_DATE_EPOCH=$(git -C "$top" log -1 --format=%ct) "$room/image-builder/package.sh" "$(program "$arch")" "$room/again" >/dev/null)
  done
  diff -r "$dist" "$room/again" || fail "packing twice gives two results"
}

# dpkg installs it into an empty root, enables the unit, starts nothing; the files are as listed; purge leaves nothing of ours.
installs() {
  local arch=$1 root=$room/root-$1 deb=$dist/kubejoin_${version}_$1.deb
  mkdir -p "$root"/var/lib/dpkg/{info,updates} "$root/etc"
  touch "$root/var/lib/dpkg/status"
  [[ $(dpkg-deb -f "$deb" Package Version Architecture | tr '\n' ' ') == "Package: kubejoin Version: $version Architecture: $arch " ]] || fail "control of $deb is wrong"
  [[ $(dpkg-deb -c "$deb" | awk '{ print $2 }' | sort -u) == root/root ]] || fail "$deb has files that are not root's"
  in_root() { dpkg --root="$root" --force-script-chrootless --force-architecture --log=/dev/null "$@" >"$room/dpkg.log" 2>&1 || fail "dpkg $1: $(<"$room/dpkg.log")"; }
  in_root -i "$deb"
  [[ -z $(dpkg --root="$root" --verify kubejoin) ]] || fail "files of $deb do not have their sums"
  [[ $(dpkg-query --root="$root" -W -f '${Conffiles}' kubejoin | awk 'NF { print $1 }') == /etc/cloud/* ]] || fail "conffiles are not listed"
  [[ -L $root/etc/systemd/system/multi-user.target.wants/kubejoin.service ]] || fail "the unit is not enabled"
  cmp "$(program "$arch")" "$root/usr/bin/kubejoin" || fail "$deb has another program"
  [[ ! -s $(find "$root/usr" -type f -perm /022 -o -type f -perm /7000 | head -n 1) ]] || fail "$deb has files that others may write"
  in_root -P kubejoin
  [[ -z $(find "$root" -path "$root/var/lib/dpkg" -prune -o \( -type f -o -type l \) -print | grep -v deb-systemd-helper) ]] || fail "purge leaves $(find "$root" -type f | head -n 3)"
}

# Bash, as bash-completion would load it: words for commands, flags, and only those that fit.
completes() {
  local found
  dpkg-deb -x "$dist/kubejoin_${version}_$native.deb" "$room/deb"
  complete_words() {
    bash -euc 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); spec=$(complete -p kubejoin); [[ $spec == *"-F _kubejoin "* ]]; _kubejoin; printf "%s\n" "${COMPREPLY[@]}"' - \
      "$room/deb/usr/share/bash-completion/completions/kubejoin" "$@"
  }
  found=$(complete_words kubejoin jo) && [[ $found == join ]] || fail "completion of 'kubejoin jo' is: $found"
  found=$(complete_words kubejoin join --tok) && [[ $found == --token ]] || fail "completion of 'kubejoin join --tok' is: $found"
  found=$(complete_words kubejoin completion '') && [[ $found == $'bash\nzsh\nfish' ]] || fail "completion of 'kubejoin completion ' is: $found"
}

# The manual: no warning from groff, all commands of the program are in it.
manual() {
  local page=$room/deb/usr/share/man/man8/kubejoin.8.gz name
  zcat "$page" | groff -mandoc -Tutf8 -ww -Kutf8 2>"$room/groff" | col -b >"$room/manual"
  [[ ! -s $room/groff ]] || fail "the manual page: $(<"$room/groff")"
  MANWIDTH=100 man --warnings -l "$page" 2>"$room/man" >/dev/null && [[ ! -s $room/man ]] || fail "man: $(<"$room/man")"
  while read -r name; do
    grep -qE "(^ +|kubejoin )$name( |\$)" "$room/manual" || fail "the manual page does not know the command $name"
  done < <(bash -c 'source "$1"; COMP_WORDS=(kubejoin ""); COMP_CWORD=1; _kubejoin; printf "%s\n" "${COMPREPLY[@]}"' - "$room/deb/usr/share/bash-completion/completions/kubejoin")
}

# Every archive that is linked is in the bill of materials, with version, licence and purl; the sum is the program's.
bill() {
  local file=$dist/kubejoin_${version}_$1.cdx.json library
  jq -e --arg sha "$(sha256sum "$(program "$1")" | cut -d' ' -f1)" '.bomFormat == "CycloneDX" and .specVersion == "1.5"
    and .metadata.component.hashes == [{alg: "SHA-256", content: $sha}]
    and (.components | length) > 8 and all(.components[]; .version != "" and (.purl | test("^pkg:(deb/debian|generic)/.+@.+")) and .licenses[0].license.id != "")
    and ([.components[]["bom-ref"]] | . == unique_by(.) or (unique | length) == length)
    and ([.dependencies[].dependsOn[]] - [.components[]["bom-ref"]] == [])' "$file" >/dev/null || fail "$file is not what CycloneDX 1.5 wants"
  for library in $(sed -n 's/^ARCHIVES := //p' "$top/Makefile" | sed -E 's/ssl|crypto/openssl/g; s/\bcares/c-ares/; s/\bz\b/zlib/; s/\bcurl/libcurl/') yaml-cpp glibc libstdc++; do
    jq -e --arg name "$library" 'any(.components[]; .name == $name)' "$file" >/dev/null || fail "$file does not have $library"
  done
}

# The tarball: one folder, the program and the bake kit, nothing of ours on the machine that packed it.
tarball() {
  local name=kubejoin-$version-linux-$1
  mkdir "$room/tar-$1"
  tar -C "$room/tar-$1" -xzf "$dist/$name.tar.gz"
  cmp "$(program "$1")" "$room/tar-$1/$name/kubejoin" || fail "$name has another program"
  [[ -x $room/tar-$1/$name/steps/90-seal.sh && -f $room/tar-$1/$name/rootfs/usr/lib/systemd/system/kubejoin.service && -f $room/tar-$1/$name/schemas/v1.json ]] || fail "$name is not complete"
  ! tar --numeric-owner -tvzf "$dist/$name.tar.gz" | grep -v ' 0/0 ' || fail "$name has files that are not root's"
}

# The other architecture's program, emulated: what it is, what it says, and whole cases against the stand-in.
emulated() {
  local arch=$1 machine=$2 name=$3 said
  readelf -h "$(program "$arch")" | grep -q "Machine: .*$name" || fail "the program for $arch is not for it"
  printf '#!/bin/sh\nexec qemu-%s-static -0 "$0" %s "$@"\n' "$machine" "$(program "$arch")" >"$room/kubejoin-$arch"
  chmod +x "$room/kubejoin-$arch"
  said=$("$room/kubejoin-$arch" version -o short) && [[ $said == "$version" ]] || fail "version of the program for $arch: $said"
  local file
  for file in "$top"/schemas/examples/*.y*ml; do
    # What a document is told does not depend on the machine.
    diff <("$build/kubejoin" validate "$file" 2>&1 || echo "status $?") <("$room/kubejoin-$arch" validate "$file" 2>&1 || echo "status $?") || fail "$arch validates $file in another way"
  done
  "$here/cases/run.sh" -j 2 "$room/kubejoin-$arch" "$standin" "${@:4}" || fail "cases under qemu"
}

complete && ok "all files are there, with their sums"
the_same_twice && ok "packing again gives the same bytes"
for arch in amd64 arm64; do
  installs "$arch" && ok "$arch: dpkg installs and purges"
  tarball "$arch" && ok "$arch: the tarball"
  bill "$arch" && ok "$arch: the bill of materials"
done
completes && ok "bash completes"
manual && ok "the manual page"
cases=(join-ok-1.37 join-ok-1.20 join-http1 discovery-wrong-pin discovery-file boot-cloud-config)
if [[ $native == amd64 ]]; then emulated arm64 aarch64 AArch64 "${cases[@]}"; else emulated amd64 x86_64 X86-64 "${cases[@]}"; fi
ok "the other architecture: version, validate, joins"
echo "dist: ok"
