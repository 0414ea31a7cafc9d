#!/usr/bin/env bash
# Seal and verify on a real Debian: a root that has been baked, booted and used is found full of identity and secrets, is sealed, and boots as
# a machine of its own. The boots are systemd-nspawn's, with real systemd, cloud-init, sshd and journald.
#
#   seal.sh        everything that happened stands in one folder, which is printed first and kept: build/e2e/seal
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

work=${KUBEJOIN_E2E_DIR:-$top/build/e2e/seal}
logs=$work/log
kubejoin=${KUBEJOIN:-$top/build/kubejoin}
root=$work/root

main() {
  rm -rf "$work"
  mkdir -p "$logs" "$root" "$work/inside"
  say "the folder of this run: $work"
  [[ -x $kubejoin ]] || die "seal with $kubejoin: it is not there; build it first: make"
  trap 'rm -rf "$root"' EXIT
  token_id=$(openssl rand -hex 3) token_secret=$(openssl rand -hex 7)x1
  bake
  use
  verify_finds_it
  dry_run_changes_nothing
  seal
  sealed_image_boots
  timeline_is_told
  seals_itself_while_it_runs
  cycle_is_found
  say "all of it is well"
}

# image-builder's own steps in a chroot, up to the last but one.
bake() {
  local tar
  tar=$(root_tar trixie "${root_packages[@]}" "${machine_packages[@]}")
  tar -C "$root" --numeric-owner -xf "$tar"
  mkdir "$root/bake"
  cp -r "$top"/image-builder/{rootfs,rootfs-kubelet,steps} "$root/bake"
  cp "$kubejoin" "$root/bake/kubejoin"
  install -m 0755 "$e2e/nspawn/kubelet" "$root/bake/kubelet"
  logged 'bake' chroot "$root" sh -ec 'export KUBELET=/bake/kubelet; for step in /bake/steps/[1-4]*.sh; do "$step"; done'
  rm -rf "$root/bake"
  # A container without an interface waits for one in vain.
  systemctl -q --root="$root" mask systemd-networkd-wait-online.service
  # Modules that want a network, or packages that are not there, would only take time.
  printf 'network: {config: disabled}\ncloud_config_modules: [set-passwords, timezone, runcmd]\n' >"$root/etc/cloud/cloud.cfg.d/10_e2e.cfg"
}

# A boot with user-data, and what people and builds leave behind.
use() {
  mkdir -p "$root/var/lib/cloud/seed/nocloud"
  cat >"$root/var/lib/cloud/seed/nocloud/user-data" <<YAML
#cloud-config
ssh_authorized_keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MXMY0RxzPV2QrBqfHrDq builder"]
write_files:
- path: /opt/bootstrap/join.sh
  content: exec kubeadm join 10.0.0.1:6443 --token $token_id.$token_secret
runcmd:
- [sh, -c, "echo joining with --token $token_id.$token_secret | tee -a /var/log/bootstrap.log"]
YAML
  printf 'instance-id: i-bake\nlocal-hostname: bake\n' >"$root/var/lib/cloud/seed/nocloud/meta-data"
  boot_with 'first boot' 'cat /etc/machine-id; cat /etc/ssh/ssh_host_*_key.pub; cp /var/lib/kubejoin/*.json /inside 2>/dev/null || true'
  [[ -s $root/etc/ssh/ssh_host_ed25519_key ]] || die "see the first boot make SSH host keys: see $work/first-boot"
  [[ $(<"$root/etc/machine-id") =~ ^[0-9a-f]{32}$ ]] || die "see the first boot make a machine-id"
  built_id=$(<"$root/etc/machine-id") built_key=$(<"$root/etc/ssh/ssh_host_ed25519_key.pub")
  echo "kubeadm join 10.0.0.1:6443 --token $token_id.$token_secret" >"$root/root/.bash_history"
  mkdir -p "$root"/var/lib/kubelet/pki "$root"/etc/kubernetes/pki "$root"/var/lib/kubejoin "$root"/home/packer/.ssh "$root"/root/.kube "$root"/var/lib/dhcp
  openssl ecparam -name prime256v1 -genkey -noout >"$root/var/lib/kubelet/pki/kubelet.key" 2>/dev/null
  openssl ecparam -name prime256v1 -genkey -noout >"$root/home/packer/deploy.pem" 2>/dev/null
  echo x >"$root/etc/kubernetes/kubelet.conf"
  echo x >"$root/root/.kube/config"
  echo '{"instanceId":"i-bake"}' >"$root/var/lib/kubejoin/journal.json"
  echo 'ssh-ed25519 AAAA builder' >"$root/home/packer/.ssh/authorized_keys"
  echo 'lease {}' >"$root/var/lib/dhcp/dhclient.eth0.leases"
  head -c 512 /dev/urandom >"$root/var/lib/systemd/random-seed"
  head -c 4096 /dev/urandom >"$root/var/lib/systemd/credential.secret"
  head -c 512 /dev/urandom >"$root/var/lib/systemd/coredump/core.kubelet.1.zst"
  echo "curl -H 'Authorization: Bearer $token_id.$token_secret'" >"$root/tmp/script_1.sh"
  ln -s /etc/passwd "$root/tmp/outside" # a link is removed, not what it leads to
}

verify_finds_it() {
  local check status=0
  "$kubejoin" verify --root "$root" >"$work/verify-before.txt" || status=$?
  ((status == 78)) || die "see verify refuse the used image with 78, not $status: see $work/verify-before.txt"
  "$kubejoin" verify --root "$root" -o json >"$work/verify-before.json" || true
  for check in machine-id hostname random-seed credential-secret ssh-host-keys dhcp cloud-init kubejoin kubelet kubernetes shell-history user-ssh credentials logs core-dumps tmp tokens private-keys; do
    jq -e --arg check "$check" 'any(.checks[]; .name == $check and .result == "failed")' "$work/verify-before.json" >/dev/null || die "see $check fail: see $work/verify-before.json"
  done
  for path in /root/.bash_history /var/log/bootstrap.log /var/lib/cloud/instances/i-bake/user-data.txt /opt/bootstrap/join.sh /tmp/script_1.sh; do
    jq -e --arg path "$path" 'any(.checks[] | select(.name == "tokens") | .findings[]; .path == $path)' "$work/verify-before.json" >/dev/null || die "see the token in $path found: see $work/verify-before.json"
  done
  # Only what a build leaves is wrong with it: what it must have is there.
  jq -e '[.checks[] | select(.result == "failed") | .name] - ["machine-id", "hostname", "random-seed", "credential-secret", "ssh-host-keys", "dhcp", "network", "cloud-init", "kubejoin", "kubelet",
    "kubernetes", "runtime-id", "run", "hosts", "shell-history", "user-ssh", "credentials", "logs", "core-dumps", "tmp", "package-caches", "tokens", "private-keys", "mail"] == []' "$work/verify-before.json" >/dev/null ||
    die "see the used image have all that a node needs: see $work/verify-before.txt"
  ! grep -qF "$token_secret" "$work"/verify-before.* || die "keep the token out of what verify prints"
}

dry_run_changes_nothing() {
  snapshot >"$work/before"
  "$kubejoin" seal --root "$root" --dry-run >"$work/seal-dry.txt"
  snapshot | diff "$work/before" - >"$work/dry.diff" || die "see a dry run change nothing: see $work/dry.diff"
}

seal() {
  "$kubejoin" seal --root "$root" >"$work/seal.txt" || die "seal: see $work/seal.txt"
  ! grep -qF "$token_secret" "$work"/seal*.txt || die "keep the token out of what seal prints"
  ! grep -rlF "$token_secret" "$root" >"$work/leaks" || die "see the token gone: see $work/leaks"
  ! grep -rlF "$built_id" "$root" >"$work/leaks" || die "see the machine-id gone: see $work/leaks"
  [[ $(<"$root/etc/machine-id")/$(stat -c %a "$root/etc/machine-id") == uninitialized/444 ]] || die "read uninitialized in /etc/machine-id"
  [[ -s $root/etc/passwd ]] || die "see /etc/passwd kept: a link led to it"
  "$kubejoin" verify --root "$root" >"$work/verify-after.txt" || die "verify what was sealed: see $work/verify-after.txt"
  snapshot >"$work/sealed"
  "$kubejoin" seal --root "$root" -o json >"$work/seal-again.json"
  jq -e '.sealed and .changes == []' "$work/seal-again.json" >/dev/null || die "see a second seal find nothing: see $work/seal-again.json"
  snapshot | diff "$work/sealed" - >"$work/again.diff" || die "see a second seal change nothing: see $work/again.diff"
}

# Its first boot is one: an id, a name and host keys of its own; cloud-init starts anew; nothing fails.
sealed_image_boots() {
  mkdir -p "$root/var/lib/cloud/seed/nocloud"
  printf '#cloud-config\n{}\n' >"$root/var/lib/cloud/seed/nocloud/user-data"
  printf 'instance-id: i-clone\nlocal-hostname: clone\n' >"$root/var/lib/cloud/seed/nocloud/meta-data"
  # shellcheck disable=SC2016 # the machine's
  boot_with 'sealed boot' '
    cloud-init status --long --format json >/inside/cloud-init.json || true
    systemctl --failed --plain --no-legend >/inside/failed
    systemctl is-active ssh.service >/inside/ssh || true
    systemctl show kubejoin.service -p Result,ExecMainStatus,ActiveState >/inside/kubejoin
    journalctl -b -o cat >/inside/journal
    hostname >/inside/hostname
    cat /var/lib/cloud/data/instance-id >/inside/instance-id
    systemctl show >/inside/manager
    kubejoin analyze >/inside/analyze.txt 2>&1; echo $? >/inside/analyze.status
    kubejoin analyze -o json >/inside/analyze.json; kubejoin analyze -o svg >/inside/analyze.svg; true'
  local now
  now=$(<"$root/etc/machine-id")
  [[ $now =~ ^[0-9a-f]{32}$ && $now != "$built_id" ]] || die "see a machine-id of its own, not $now"
  [[ -s $root/etc/ssh/ssh_host_ed25519_key.pub && $(<"$root/etc/ssh/ssh_host_ed25519_key.pub") != "$built_key" ]] || die "see host keys of its own"
  [[ $(<"$boot/hostname") == clone ]] || die "see the machine named by its own data: see $boot/hostname"
  [[ $(<"$boot/instance-id") == i-clone ]] || die "see cloud-init start anew: see $boot/instance-id"
  [[ $(<"$boot/ssh") == active ]] || die "see sshd run: see $boot/journal"
  grep -qx 'Result=success' "$boot/kubejoin" || die "see kubejoin find nothing to do: see $boot/kubejoin"
  [[ ! -s $boot/failed ]] || die "see no unit fail: see $boot/failed"
  ! grep -iE 'ordering cycle|deleted to break' "$boot/journal" || die "see no ordering cycle: see $boot/journal"
}

# The boot's own timeline: as text and data, and as a picture that a browser shows with the names in it.
timeline_is_told() {
  [[ $(<"$boot/analyze.status") == 0 ]] || die "analyze the boot: see $boot/analyze.txt"
  jq -e '.origin == "userspace" and .totalMs > 0 and ([.spans[].name] | index("cloud-final.service")) and (.largest | length > 0) and any(.missing[]; startswith("join: "))' "$boot/analyze.json" >/dev/null ||
    die "read the boot in $boot/analyze.json"
  browse --screenshot="$work/analyze.png" "file://$boot/analyze.svg" >/dev/null
  browse --dump-dom "file://$boot/analyze.svg" >"$work/analyze.dom"
  grep -qF "largest: $(jq -r '.largest[0]' "$boot/analyze.json")" "$work/analyze.dom" || die "see a browser show who took most: see $work/analyze.dom"
  # A page of one colour is a few hundred bytes.
  [[ $(head -c 8 "$work/analyze.png" | tail -c 7 | tr -d '\r\n\032') == PNG && $(stat -c %s "$work/analyze.png") -gt 10000 ]] || die "see the picture: $work/analyze.png"
}
browse() { timeout 120 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1100,700 --user-data-dir="$work/chromium" "$@" 2>"$work/chromium.log"; }

# As a provisioner does it: seal, verify and power off from within; while a join runs there, seal refuses. What daemons write at shutdown
# must not bring back what was removed.
seals_itself_while_it_runs() {
  local status=0
  # shellcheck disable=SC2016 # the machine's
  boot_with 'live seal' '
    kubejoin join 192.0.2.1:6443 --token "abc""def.0123456789""abcdef" --discovery-token-unsafe-skip-ca-verification --ignore-preflight-errors=all >/inside/join.txt 2>&1 &
    until grep -qs "\"phase\":\"discovery\"" /run/kubejoin/status.json; do sleep 0.1; done
    status=0
    kubejoin seal 2>/inside/refused.txt || status=$?
    test "$status" = 69
    grep -qF "process $! [lock.held]" /inside/refused.txt
    kill $!
    wait $! || true
    kubejoin seal >/inside/seal.txt
    kubejoin verify >/inside/verify.txt' || status=$?
  ((status == 0)) || die "seal and verify within the machine: see $boot"
  "$kubejoin" verify --root "$root" >"$work/verify-live.txt" || die "verify the image after its machine went down: see $work/verify-live.txt"
}

# The unit as others ship it (After=cloud-final.service, WantedBy=multi-user.target and no more) closes a cycle: verify says so.
cycle_is_found() {
  local unit=$root/etc/systemd/system/kubejoin.service
  sed 's/^After=.*/After=cloud-final.service/' "$root/usr/lib/systemd/system/kubejoin.service" >"$unit"
  ! "$kubejoin" verify --root "$root" -o json >"$work/verify-cycle.json" || die "see a cycle refused: see $work/verify-cycle.json"
  jq -e '[.checks[] | select(.result == "failed") | .name] == ["units"] and any(.checks[].findings[]?; .message | test("ordering cycle"))' "$work/verify-cycle.json" >/dev/null ||
    die "read of the cycle, and of nothing else: see $work/verify-cycle.json"
  rm "$unit"
}

# Modes, owners, times, links and contents of all below the root.
snapshot() {
  (
    cd "$root"
    find . -xdev -type f -printf '%m %U %T@ %p\n' -o -printf '%m %U %p %l\n' | sort
    find . -xdev -type f -print0 | sort -z | xargs -0 cat -- | sha256sum
  )
}

# boot_with WHAT SCRIPT: boots the root, runs SCRIPT in it when cloud-init and kubejoin are done, and powers off; $boot is what SCRIPT left in /inside.
boot_with() {
  local name=${1// /-}
  boot=$work/$name
  mkdir -p "$boot" "$work/units/multi-user.target.wants"
  printf '#!/bin/sh\nset -e\n%s\necho well >/inside/end\n' "$2" >"$boot/run"
  chmod 0755 "$boot/run"
  cat >"$work/units/inside.service" <<'UNIT'
[Unit]
After=kubejoin.service cloud-final.service multi-user.target
SuccessAction=poweroff
FailureAction=poweroff
[Service]
Type=oneshot
ExecStart=/inside/run
StandardError=file:/inside/errors
TimeoutStartSec=120
UNIT
  ln -sfn ../inside.service "$work/units/multi-user.target.wants/inside.service"
  timeout -k 10 240 systemd-nspawn -q -D "$root" -M "kubejoin-seal-$$" --register=no --keep-unit --private-network --resolv-conf=off \
    --bind="$boot:/inside" --bind-ro="$work/units:/usr/local/lib/systemd/system" -b </dev/null >"$boot/console" 2>&1 || die "boot the $1: see $boot/console"
  rmdir "$root/inside" 2>/dev/null || true
  [[ $(cat "$boot/end" 2>/dev/null) == well ]] || die "see the $1 reach its end: see $boot"
  say "$1: done"
}

main "$@"
