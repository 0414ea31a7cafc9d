#!/usr/bin/env bash
# Units and cloud-init, the real ones: each case boots a container of a real Debian with systemd as PID 1 and joins a real cluster.
#
#   nspawn.sh [-l] [CASE...]       default: all of nspawn/*.case on each Debian that the case names; -l lists them
#
# The kubelet is played (nspawn/kubelet): it registers a Node and says Ready. Real ones are bake.sh's matter.
# Everything that happened stands in one folder, which is printed first and kept: build/e2e/nspawn.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

work=${KUBEJOIN_E2E_DIR:-$top/build/e2e/nspawn}
logs=$work/log
kubejoin=${KUBEJOIN:-$top/build/kubejoin}

main() {
  local cases=() file case suite
  for file in "$e2e"/nspawn/*.case; do cases+=("$(basename "$file" .case)"); done
  if [[ ${1:-} == -l ]]; then
    for case in "${cases[@]}"; do printf '%-18s %s\n' "$case" "$(sed -n '1s/^# //p' "$e2e/nspawn/$case.case")"; done
    return
  fi
  (($#)) && cases=("$@")
  clean_up
  rm -rf "$work"
  mkdir -p "$logs" "$work/roots"
  say "the folder of this run: $work"
  [[ -x $kubejoin ]] || die "boot with $kubejoin: it is not there; build it first: make"
  trap 'clean_up; rm -rf "$work/roots"; stop_cluster' EXIT
  start_cluster nspawn
  make_token
  cluster_api=$("$top/tests/oracle/build.sh" cluster-api)
  failed=()
  for case in "${cases[@]}"; do
    suites=(trixie)
    # shellcheck source=/dev/null
    source "$e2e/nspawn/$case.case"
    for suite in "${suites[@]}"; do
      bake "$suite"
      run_case "$case" "$suite"
    done
  done
  ((!${#failed[@]})) || die "see all cases well: ${failed[*]}"
  say "all cases are well"
}

# run_case NAME SUITE: in a shell of its own, so that a case leaves nothing behind but its folder.
run_case() {
  local started=$SECONDS
  name=$1-$2 suite=$2
  case_dir=$work/$name
  root=$case_dir/root
  mkdir -p "$case_dir"/{upper,work} "$root"
  mount -t overlay overlay -o "lowerdir=$work/roots/$suite,upperdir=$case_dir/upper,workdir=$case_dir/work" "$root"
  echo "$name" >"$root/etc/hostname"
  (
    set -e
    story
  ) >"$case_dir/output" 2>&1 &
  if wait $!; then
    say "ok      $name ($((SECONDS - started)) s)"
  else
    sed 's/^/        /' "$case_dir/output" >&2
    say "FAILED  $name: see $case_dir"
    failed+=("$name")
  fi
  umount "$root"
}

# bake SUITE: the root that all cases of a Debian share: image-builder's own step in a chroot, and the played kubelet.
bake() {
  local lower=$work/roots/$1
  [[ ! -d $lower ]] || return 0
  local tar
  tar=$(root_tar "$1" "${root_packages[@]}")
  mkdir "$lower"
  tar -C "$lower" --numeric-owner -xf "$tar"
  mkdir "$lower/bake"
  cp -r "$top"/image-builder/{rootfs,rootfs-kubelet,steps} "$lower/bake"
  cp "$kubejoin" "$lower/bake/kubejoin"
  install -m 0755 "$e2e/nspawn/kubelet" "$lower/bake/kubelet"
  logged "bake $1" chroot "$lower" sh -ec 'KUBELET=/bake/kubelet /bake/steps/30-kubelet.sh; /bake/steps/40-kubejoin.sh'
  rm -rf "$lower/bake"
  cp "$e2e"/nspawn/{containerd.socket,containerd@.service,e2e.service} "$lower/etc/systemd/system/"
  install -m 0755 "$e2e/nspawn/evidence" "$lower/usr/bin/e2e-evidence"
  mkdir "$lower/e2e"
  systemctl -q --root="$lower" enable containerd.socket e2e.service
  # A container has its network from outside, and no hardware by which a cloud is recognised.
  systemctl -q --root="$lower" mask systemd-networkd-wait-online.service systemd-resolved.service
  echo 'nameserver 127.0.0.1' >"$lower/etc/resolv.conf" # refuses at once what nobody can answer here
  # The module locale wants the package locales, and 15 s to make one.
  printf 'network: {config: disabled}\ncloud_config_modules: [set-passwords, timezone, runcmd]\nssh_genkeytypes: [ed25519]\n' >"$lower/etc/cloud/cloud.cfg.d/10_e2e.cfg"
}

# ---- what a case says -----------------------------------------------------------------------------------------------------

# seed NAME: stdin becomes NoCloud's user-data of this instance.
seed() {
  mkdir -p "$root/var/lib/cloud/seed/nocloud"
  cat >"$root/var/lib/cloud/seed/nocloud/user-data"
  printf 'instance-id: %s\nlocal-hostname: %s\n' "${1:-i-$name}" "$name" >"$root/var/lib/cloud/seed/nocloud/meta-data"
}

# join_configuration [TOKEN]: kubeadm's document for this node.
join_configuration() {
  cat <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: ${endpoint:-127.0.0.1:6443}
    token: ${1:-$token_id.$token_secret}
    caCertHashes: ["${pin:-$PIN}"]
nodeRegistration:
  name: $name
  criSocket: unix:///run/containerd/containerd.sock
  ignorePreflightErrors: [all]
timeouts: {discovery: ${discovery_timeout:-20s}}
YAML
}

# cluster_api_user_data cloud-config|ignition: this node's user-data as Cluster API's own kubeadm bootstrap provider emits it.
cluster_api_user_data() {
  local node="'{{ ds.meta_data.local_hostname }}'"
  [[ $1 != ignition ]] || node=$name
  "$cluster_api" 1.37.2 <<YAML
apiVersion: bootstrap.cluster.x-k8s.io/v1beta2
kind: KubeadmConfig
spec:
  format: $1
  verbosity: 5
  preKubeadmCommands: ["echo pre >/e2e/order"]
  postKubeadmCommands: ["echo post >>/e2e/order"]
  joinConfiguration:
    discovery:
      bootstrapToken: {apiServerEndpoint: "127.0.0.1:6443", token: $token_id.$token_secret, caCertHashes: ["$PIN"]}
    nodeRegistration:
      name: $node
      criSocket: unix:///run/containerd/containerd.sock
      ignorePreflightErrors: [all]
YAML
}

# indented N: stdin, N columns to the right.
indented() { sed "s/^/$(printf '%*s' "$1" '')/"; }

# boot [NSPAWN-OPTION...] [-- INIT-ARGUMENT...]: one boot from power-on to the end of kubejoin and cloud-init; its evidence is in $boot.
boot() {
  local options=()
  while (($#)) && [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  (($#)) && shift
  boots=$((${boots:-0} + 1))
  boot=$case_dir/boot-$boots
  rm -rf "$root"/e2e/*
  timeout -k 10 300 systemd-nspawn -q -D "$root" -M "$name" --register=no --keep-unit --network-namespace-path="$NETNS" \
    --resolv-conf=off "${options[@]}" -b "$@" </dev/null >"$case_dir/console-$boots" 2>&1 ||
    fail "boot $name: systemd-nspawn ended with $?: see $case_dir/console-$boots"
  cp -a "$root/e2e" "$boot"
  [[ -e $boot/complete ]] || fail "see boot $boots of $name reach its end: see $case_dir/console-$boots"
}

fail() {
  echo "unable to $*" >&2
  exit 1
}

# expect WHAT COMMAND...
expect() {
  local what=$1
  shift
  "$@" >"$case_dir/expect.log" 2>&1 || {
    tail -n 20 "$case_dir/expect.log" >&2
    fail "see that $what: $*"
  }
}
expect_not() {
  local what=$1
  shift
  if "$@" >"$case_dir/expect.log" 2>&1; then
    tail -n 20 "$case_dir/expect.log" >&2
    fail "see the opposite of: $what: $*"
  fi
}

unit_property() { sed -n "s/^$2=//p" "$boot/$1.properties"; }
result() { jq -r "$1" "$boot/status.json"; }

expect_joined() {
  expect 'the result is success' test "$(result .state)" = success
  expect 'kubejoin status says so' grep -qx 0 "$boot/status.exit"
  expect 'the Node is there' admin get node "$name"
  expect 'the kubelet runs' test "$(unit_property kubelet ActiveState)" = active
}

expect_unit() {
  expect "the unit ends $1" test "$(unit_property kubejoin ActiveState)/$(unit_property kubejoin Result)" = "$1"
}

# cloud-init has nothing to complain of: neither its status, nor its log, nor, where it is cloud-init's own format, its schema.
expect_quiet_cloud_init_log() {
  expect 'cloud-init is done without errors' grep -qx 0 "$boot/cloud-init.exit"
  expect_not 'cloud-init warns of something' grep -E 'WARNING|ERROR|Traceback' "$root/var/log/cloud-init.log"
}
expect_quiet_cloud_init() {
  expect_quiet_cloud_init_log
  expect 'cloud-init finds its user-data valid' grep -qE '^ *Valid ' "$boot/cloud-init.schema"
}

# systemd broke no cycle and nothing else failed.
expect_healthy_boot() {
  expect_not 'an ordering cycle was broken' grep -iE 'ordering cycle|deleted to break' "$boot/journal"
  expect 'no unit failed' test ! -s "$boot/failed"
}

files_of_join() {
  (cd "$root" && find etc/kubernetes var/lib/kubejoin var/lib/kubelet -type f | sort | while read -r file; do
    printf '%s %s\n' "$(stat -c '%n %a %u %Y' "$file")" "$(sha256sum <"$file")"
  done)
}

# nspawn leaves empty control groups behind, and a run that was killed its mounts.
clean_up() {
  local mount
  while read -r mount; do umount "$mount"; done < <(findmnt -rno TARGET -t overlay | grep -F "$work/" || true)
  find /sys/fs/cgroup/{payload,supervisor} /sys/fs/cgroup/*/{payload,supervisor} -depth -type d -exec rmdir {} + 2>/dev/null || true
}

main "$@"
