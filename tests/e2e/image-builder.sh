#!/usr/bin/env bash
# Everything of image-builder/ that can be told without booting: scripts, templates, units and their order, examples, packages.
#
#   image-builder.sh [-l] [CHECK...]       default: all of them; -l lists them
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

builder=$top/image-builder
work=${KUBEJOIN_E2E_DIR:-$top/build/e2e/image-builder}
logs=$work/log
kubejoin=${KUBEJOIN:-$top/build/kubejoin}
readonly suites=(bookworm trixie)
readonly checks=(scripts packer units ordering examples manual package chroot)

main() {
  local check failed=() wanted=("${checks[@]}")
  if [[ ${1:-} == -l ]]; then
    printf '%s\n' "${checks[@]}"
    return
  fi
  (($#)) && wanted=("$@")
  rm -rf "$work"
  mkdir -p "$logs" "$work/roots"
  trap 'rm -rf "$work/roots"' EXIT
  for check in "${wanted[@]}"; do
    ("check_$check") >"$logs/$check.log" 2>&1 &
    if wait $!; then
      say "ok      $check"
    else
      tail -n 30 "$logs/$check.log" | sed 's/^/        /' >&2
      say "FAILED  $check: see $logs/$check.log"
      failed+=("$check")
    fi
  done
  ((!${#failed[@]})) || die "see image-builder well: ${failed[*]}"
}

fail() {
  echo "unable to $*" >&2
  exit 1
}

check_scripts() {
  cd "$builder"
  shellcheck ./*.sh steps/*.sh examples/*/*.{sh,chroot}
  shellcheck -s sh rootfs/etc/cloud/clean.d/*
  shellcheck -s bash -e SC2034,SC2154 "$e2e"/nspawn/*.case
}

# Debian's Packer, which has the builders built in, accepts every source of the template.
check_packer() {
  local source keystone status=0
  export CHECKPOINT_DISABLE=1 PACKER_CACHE_DIR=$work/packer OS_USERNAME=e2e OS_PASSWORD=e2e OS_PROJECT_NAME=e2e OS_DOMAIN_NAME=default
  packer fmt -check -diff "$builder/packer"
  packer fmt -check -diff "$builder/packer/plugins"
  ssh-keygen -q -t ed25519 -N '' -f "$work/key"
  mkdir -p "$work/seed"
  cp /bin/true "$work/kubejoin"
  # Its OpenStack builder asks the cloud for a token even to validate.
  python3 "$e2e/keystone.py" >"$work/keystone.log" 2>&1 &
  keystone=$!
  await_line 20 "$work/keystone.log" '^port ' || fail "start the played identity service"
  for source in qemu amazon-ebs googlecompute azure-arm openstack; do
    packer validate -only="$source.node" -var "kubejoin=$work/kubejoin" -var "ssh_private_key_file=$work/key" -var "qemu_seed=$work/seed" \
      -var "openstack_auth_url=http://127.0.0.1:$(sed -n 's/^port //p' "$work/keystone.log")/v3" "$builder/packer" || status=$?
  done
  kill "$keystone"
  return "$status"
}

# baked SUITE: prints a root with the units in it: the steps 30 and 40, which is what there is to see without a runtime.
baked() {
  local root=$work/roots/$1
  if [[ ! -d $root ]]; then
    mkdir "$root"
    tar -C "$root" --numeric-owner -xf "$(root_tar "$1" "${root_packages[@]}")"
    mkdir "$root/bake"
    cp -r "$builder"/{rootfs,rootfs-kubelet,steps} "$root/bake"
    cp "$kubejoin" "$root/bake/kubejoin"
    install -m 0755 "$e2e/nspawn/kubelet" "$root/bake/kubelet"
    chroot "$root" sh -ec 'KUBELET=/bake/kubelet /bake/steps/30-kubelet.sh; /bake/steps/40-kubejoin.sh' >&2
  fi
  printf '%s\n' "$root"
}

# The units are right in the words of each release's own systemd, and the sandbox is as tight as promised.
check_units() {
  local suite root exposure
  for suite in "${suites[@]}"; do
    root=$(baked "$suite")
    chroot "$root" systemd-analyze verify --man=no kubejoin.service kubelet.service multi-user.target >"$work/verify" 2>&1 || fail "verify the units on $suite: $(<"$work/verify")"
    ! grep -E 'kubejoin|kubelet' "$work/verify" || fail "see systemd on $suite say nothing of our units"
    exposure=$(chroot "$root" systemd-analyze security --offline=true kubejoin.service | sed -nE 's/.*exposure level for kubejoin.service: ([0-9.]+).*/\1/p')
    echo "exposure on $suite: $exposure"
    awk -v e="$exposure" 'BEGIN { exit !(e != "" && e <= 4.0) }' || fail "see an exposure of at most 4.0 on $suite: it is $exposure"
  done
}

# Our order among cloud-init's units closes no cycle; the two orders that people write first do, and this check sees it.
check_ordering() {
  local suite root units
  for suite in "${suites[@]}"; do
    root=$(baked "$suite")
    units=$root/etc/systemd/system
    # name            After=                                                            WantedBy=          cloud-init  cycle
    while read -r name after wanted_by with cycle; do
      after=${after//,/ }
      sed "s/^After=.*/After=$after/; s/^WantedBy=.*/WantedBy=$wanted_by/" "$builder/rootfs/usr/lib/systemd/system/kubejoin.service" >"$units/kubejoin.service"
      rm -f "$units"/*.wants/kubejoin.service
      mkdir -p "$units/$wanted_by.wants" "$units/multi-user.target.wants"
      ln -s ../kubejoin.service "$units/$wanted_by.wants/kubejoin.service"
      # cloud-init's generator does this where there is a datasource.
      rm -f "$units/multi-user.target.wants/cloud-init.target"
      [[ $with == no ]] || ln -s /lib/systemd/system/cloud-init.target "$units/multi-user.target.wants/cloud-init.target"
      chroot "$root" systemd-analyze verify --man=no multi-user.target >"$work/order" 2>&1 || true
      if grep -qi 'ordering cycle' "$work/order"; then found=cycle; else found=none; fi
      echo "$suite $name: $found"
      [[ $found == "$cycle" ]] || fail "see '$cycle' in the order $name on $suite: $(<"$work/order")"
    done <<TABLE
ours             $(sed -n 's/^After=//p' "$builder/rootfs/usr/lib/systemd/system/kubejoin.service" | tr ' ' ,)  multi-user.target  yes  none
ours-alone       $(sed -n 's/^After=//p' "$builder/rootfs/usr/lib/systemd/system/kubejoin.service" | tr ' ' ,)  multi-user.target  no   none
after-final      cloud-final.service    multi-user.target  yes  cycle
after-target     cloud-init.target      multi-user.target  yes  cycle
by-cloud-init    cloud-final.service    cloud-init.target  yes  none
TABLE
  done
}

# Every example is read by the program that it is written for.
check_examples() {
  local file suite root status=0
  cd "$builder/examples"
  for file in cloud-init/* cluster-api/user-data.yaml; do
    "$kubejoin" validate "$file" || status=1
  done
  jq -r '.storage.files[0].contents.source | sub("^data:;base64,"; "") | @base64d' ignition/node.ign >"$work/ignition.yaml"
  "$kubejoin" validate "$work/ignition.yaml" || status=1
  for suite in "${suites[@]}"; do
    root=$(baked "$suite")
    cp cloud-init/*.yaml "$root/tmp"
    for file in write-files key runcmd; do
      chroot "$root" cloud-init schema -c "/tmp/$file.yaml" || status=1
    done
  done
  # mkosi reads its configuration; it is trixie's own mkosi that does.
  root=$work/roots/mkosi
  mkdir "$root"
  tar -C "$root" -xf "$(root_tar trixie mkosi)"
  cp -r mkosi "$root/mkosi"
  mkdir "$root/mkosi/bake"
  chroot "$root" mkosi -C /mkosi summary >"$work/mkosi.summary" || status=1
  grep -q 'kubejoin-node' "$work/mkosi.summary"
  grep -q 'mkosi.postinst.chroot' "$work/mkosi.summary"
  return "$status"
}

check_manual() {
  mandoc -T lint -W warning "$builder/kubejoin.8"
  local command
  for command in $("$kubejoin" --help | sed -nE 's/^  ([a-z]+) .*/\1/p'); do
    grep -qE "^\.(It )?Cm $command\$" "$builder/kubejoin.8" || fail "find the command $command in the manual"
  done
}

# The packages are the same bytes twice, install, and name everything that is linked in.
check_package() {
  local root file library
  "$builder/package.sh" "$kubejoin" "$work/dist"
  "$builder/package.sh" "$kubejoin" "$work/again"
  diff "$work/dist/SHA256SUMS" "$work/again/SHA256SUMS" || fail "pack the same bytes twice"
  (cd "$work/dist" && sha256sum -c SHA256SUMS)
  jq -e '.bomFormat == "CycloneDX" and .specVersion == "1.5" and (.components | length >= 9) and all(.components[]; .version != "" and (.purl | startswith("pkg:")))' "$work"/dist/*.cdx.json
  for library in $(sed -n 's/^LIBS := //p' "$top/Makefile" | tr ' ' '\n' | sed -nE 's/^-l//p; s/.*lib([a-z]+)\.a$/\1/p'); do
    case $library in nghttp2 | yaml-cpp) ;; cares) library=c-ares ;; ssl | crypto) library=openssl ;; z) library=zlib ;; curl) library=libcurl ;; esac
    jq -e --arg name "$library" 'any(.components[]; .name == $name)' "$work"/dist/*.cdx.json >/dev/null || fail "find $library in the SBOM: add it to image-builder/sbom.txt"
  done
  root=$work/roots/deb
  mkdir "$root"
  tar -C "$root" --numeric-owner -xf "$(root_tar trixie "${root_packages[@]}")"
  cp "$work"/dist/*.deb "$root/tmp/kubejoin.deb"
  chroot "$root" dpkg -i /tmp/kubejoin.deb
  [[ $(systemctl --root="$root" is-enabled kubejoin) == enabled ]] || fail "see the unit enabled"
  chroot "$root" kubejoin version
  bash -n "$root/usr/share/bash-completion/completions/kubejoin"
  chroot "$root" dpkg --purge kubejoin
  file=$(find "$root" -xdev -name '*kubejoin*' -not -path '*/tmp/*' -not -path '*/var/log/*' -not -path '*/var/lib/dpkg/*')
  [[ ! $file ]] || fail "see nothing left after a purge: $file"
}

# The example that bakes in a chroot, with the kit as people get it: all steps, the sealing included.
check_chroot() {
  local root=$work/roots/chroot
  mkdir "$root" "$work/roots/kit"
  tar -C "$root" --numeric-owner -xf "$(root_tar trixie "${root_packages[@]}" "${machine_packages[@]}")"
  "$builder/package.sh" "$kubejoin" "$work/kit"
  tar -C "$work/roots/kit" --strip-components=1 -xf "$work"/kit/kubejoin-*.tar.gz
  "$work/roots/kit/examples/chroot/bake.sh" "$root" "$work/roots/kit" "$e2e/nspawn/kubelet"
  [[ ! -e $root/bake ]] || fail "see nothing of the bake left"
  grep -q 'SystemdCgroup = true' "$root/etc/containerd/config.toml" || fail "see containerd configured"
  # What goss would look at in the image.
  cp "$builder/goss.yaml" "$root/tmp"
  chroot "$root" python3 - <<'PYTHON'
import os
import re
import stat
import subprocess

import yaml

with open("/tmp/goss.yaml", encoding="utf-8") as file:
    goss = yaml.safe_load(file)
assert set(goss) == {"command", "file", "service"}, goss
for command in goss["command"].values():
    done = subprocess.run(command["exec"], shell=True, capture_output=True, text=True, timeout=command["timeout"] / 1000)
    assert done.returncode == command["exit-status"], done
    assert all(text in done.stdout for text in command["stdout"]), done
for path, wanted in goss["file"].items():
    assert wanted["exists"] and os.path.isfile(path), path
    if "mode" in wanted:
        assert stat.S_IMODE(os.stat(path).st_mode) == int(wanted["mode"], 8), path
    with open(path, "rb") as file:
        lines = file.read(100).decode(errors="replace").splitlines()
    for pattern in wanted.get("contains", []):
        assert any(re.search(pattern.strip("/"), line) for line in lines), (path, pattern)
for service, wanted in goss["service"].items():
    enabled = subprocess.run(["systemctl", "is-enabled", service], capture_output=True, text=True).stdout.strip()
    assert wanted == {"enabled": enabled == "enabled"}, (service, enabled)
PYTHON
}

main "$@"
