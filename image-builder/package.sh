#!/usr/bin/env bash
# Packs build/kubejoin for people: .deb, tarball with the bake kit, CycloneDX SBOM, SHA256SUMS; the same bytes from the same source.
#
#   package.sh [PROGRAM] [OUTPUT-FOLDER]        default: build/kubejoin, build/dist
#
# DEB_ARCH    the program's architecture; default: this machine's. For another one, NATIVE names a kubejoin that runs here
#             (it prints the completions), SYSROOT the folder of that one's libraries (its file `packages` says their versions).
# SOURCE_DATE_EPOCH   the time that every file gets; default: the last commit's.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/.." && pwd)

say() { printf 'package: %s\n' "$*" >&2; }
die() {
  say "unable to $*"
  exit 1
}

program=${1:-$top/build/kubejoin}
out=${2:-$top/build/dist}
native=${NATIVE:-$program}
version=$(sed -n 's/^VERSION := //p' "$top/Makefile")
arch=${DEB_ARCH:-$(dpkg --print-architecture)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct 2>/dev/null || stat -c %Y "$top/Makefile")}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC

main() {
  [[ -x $program ]] || die "pack $program: it is not there; build it first: make"
  file -b "$program" | grep -q 'static' || die "pack $program: it is not linked statically, so it would not run on every machine"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  umask 022
  mkdir -p "$out"
  lay_files "$work/root"
  make_deb
  make_tarball
  make_sbom >"$out/kubejoin_${version}_$arch.cdx.json"
  (cd "$out" && sha256sum -- *.deb *.tar.gz *.cdx.json >SHA256SUMS)
  (cd "$out" && ls -l)
}

# lay_files ROOT: the files of an installed kubejoin.
lay_files() {
  local root=$1 shell target
  mkdir -p "$root/usr/share/man/man8" "$root/usr/share/doc/kubejoin"
  cp -a "$here/rootfs/." "$root"
  install -D -m 0755 "$program" "$root/usr/bin/kubejoin"
  gzip -9nc "$here/kubejoin.8" >"$root/usr/share/man/man8/kubejoin.8.gz"
  while read -r shell target; do
    mkdir -p "$root/${target%/*}"
    "$native" completion "$shell" >"$root/$target" || die "print the completions for $shell: set NATIVE to a kubejoin that runs here"
  done <<'TARGETS'
bash usr/share/bash-completion/completions/kubejoin
zsh usr/share/zsh/vendor-completions/_kubejoin
fish usr/share/fish/vendor_completions.d/kubejoin.fish
TARGETS
  settle "$root"
}

# settle FOLDER: modes and times that do not depend on who built where.
settle() {
  find "$1" -type d -exec chmod 0755 {} +
  find "$1" -type f -perm /111 -exec chmod 0755 {} +
  find "$1" -type f ! -perm /111 -exec chmod 0644 {} +
  find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}

make_deb() {
  local root=$work/deb
  cp -a "$work/root" "$root"
  if [[ -e $top/LICENSE ]]; then cp "$top/LICENSE" "$root/usr/share/doc/kubejoin/copyright"; fi
  mkdir "$root/DEBIAN"
  (cd "$root/etc" && find . -type f | sed 's#^\.#/etc#' | sort) >"$root/DEBIAN/conffiles"
  (cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
  cat >"$root/DEBIAN/control" <<CONTROL
Package: kubejoin
Version: $version
Architecture: $arch
Maintainer: The kubejoin developers <kubejoin@localhost>
Installed-Size: $(du -sk --apparent-size "$work/root" | cut -f1)
Section: admin
Priority: optional
Suggests: containerd, kubelet, cloud-init
Description: makes a machine a Kubernetes worker at its first boot
 One static program that is baked into a machine image: it reads user-data or
 instance metadata, validates it, and runs the phases of kubeadm join. The same
 program seals and verifies the image, and validates user-data on a laptop.
CONTROL
  # Enabled, never started: whoever installs it is building an image, and the machine that builds must not join.
  cat >"$root/DEBIAN/postinst" <<'POSTINST'
#!/bin/sh
set -e
[ "$1" != configure ] || deb-systemd-helper enable kubejoin.service
POSTINST
  cat >"$root/DEBIAN/postrm" <<'POSTRM'
#!/bin/sh
set -e
case $1 in
remove) deb-systemd-helper disable kubejoin.service ;;
purge) deb-systemd-helper purge kubejoin.service; rm -rf /var/lib/kubejoin ;;
esac
POSTRM
  settle "$root"
  chmod 0755 "$root"/DEBIAN/post*
  dpkg-deb --root-owner-group -Zxz --build "$root" "$out/kubejoin_${version}_$arch.deb" >/dev/null
}

make_tarball() {
  local name=kubejoin-$version-linux-$arch
  mkdir "$work/$name"
  cp -a "$here"/{rootfs,rootfs-kubelet,steps,packer,examples,goss.yaml,kubejoin.8} "$work/$name"
  cp -a "$top/schemas" "$work/$name"
  install -m 0755 "$program" "$work/$name/kubejoin"
  settle "$work/$name"
  tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --format=gnu -c "$name" | gzip -9n >"$out/$name.tar.gz"
}

# version_of PACKAGE: of what the program was linked with: the sysroot's, this machine's, the cross compiler's.
version_of() {
  if [[ -e ${SYSROOT:-}/packages ]] && grep -P "^$1\t" "$SYSROOT/packages" | cut -f2 | grep .; then return; fi
  local name
  for name in "$1:$arch" "$1-$arch-cross" "$1"; do
    # shellcheck disable=SC2016 # the field is dpkg-query's
    if dpkg-query -W -f '${Version}\n' "$name" 2>/dev/null | grep .; then return; fi
  done
  die "name the version of $1: it is not installed"
}

# make_sbom: CycloneDX 1.5: what is linked into the program, in the versions that were linked.
make_sbom() {
  local name package licence version_there purl
  while read -r name package licence; do
    if [[ $package == curl-source ]]; then
      version_there=$(sed -n 's/^CURL_VERSION := //p' "$top/plugin/base/curl.mk")
      purl=pkg:generic/$name@$version_there
    else
      version_there=$(version_of "$package")
      purl="pkg:deb/debian/$package@$(jq -rn --arg v "$version_there" '$v | @uri')?arch=$arch"
    fi
    jq -n --arg name "$name" --arg version "$version_there" --arg purl "$purl" --arg licence "$licence" \
      '{type: "library", "bom-ref": $purl, name: $name, version: $version, purl: $purl, licenses: [{license: {id: $licence}}]}'
  done <"$here/sbom.txt" | jq -s --arg version "$version" --arg arch "$arch" --arg sha "$(sha256sum "$program" | cut -d' ' -f1)" \
    --arg time "$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)" '{
      bomFormat: "CycloneDX", specVersion: "1.5", version: 1,
      metadata: {
        timestamp: $time,
        component: {type: "application", "bom-ref": "kubejoin", name: "kubejoin", version: $version, purl: "pkg:generic/kubejoin@\($version)?arch=\($arch)",
                    hashes: [{alg: "SHA-256", content: $sha}]}
      },
      components: .,
      dependencies: [{ref: "kubejoin", dependsOn: [.[].purl]}]
    }'
}

main
