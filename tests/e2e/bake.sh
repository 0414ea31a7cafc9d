#!/usr/bin/env bash
# The image pipeline, with real parts: Packer bakes an image, qemu boots it, real Kubernetes sees its Node Ready.
#
#   bake.sh [STORY...]      default: all of them but measure; -l lists them
#
# KUBEJOIN_IMAGE=FILE tells the stories with an image that was baked before. RUNS=N: how often measure boots each way; 3.
# Everything that happened stands in one folder, which is printed first and kept: build/e2e/bake.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=machine.sh
source "$(dirname "${BASH_SOURCE[0]}")/machine.sh"

work=${KUBEJOIN_E2E_DIR:-$top/build/e2e/bake}
logs=$work/log
kubejoin=${KUBEJOIN:-$top/build/kubejoin}

# ---- the stories, in the order in which they are told; each needs the image and the cluster alone ------------------------

# A machine boots from a NoCloud disk: Node Ready, a pod runs to its end, the token is gone; a reboot changes nothing.
story_first_boot() {
  local name=first before after
  new_machine "$name" "$image"
  user_data "$name" "$token_id.$token_secret" >"$work/$name/user-data"
  mapfile -t seed < <(seed_disk "$name" "$work/$name/user-data")
  start_machine "$name" "${seed[@]}"
  await_ready "$name"
  await_login "$name"
  on "$name" 'kubejoin status --wait=60s' >"$work/$name/status.txt" || die "see the join of $name succeed: see $work/$name/status.txt"
  on "$name" 'cat /run/kubejoin/result.json' >"$work/$name/result.json"
  jq -e '.state == "success"' "$work/$name/result.json" >/dev/null || die "read success in $work/$name/result.json"
  on "$name" 'cloud-init status --long && ! grep -E "WARNING|ERROR|Traceback" /var/log/cloud-init.log' >"$work/$name/cloud-init.txt" ||
    die "see cloud-init complain of nothing: see $work/$name/cloud-init.txt"
  timeline_of "$name"
  run_pod "$name"
  no_secret_on "$name"
  before=$(node_files "$name")

  reboot "$name" "${seed[@]}"
  await_login "$name"
  await_boot_in_status "$name"
  on "$name" 'kubejoin status --wait=60s' >/dev/null || die "see the second boot of $name succeed"
  after=$(node_files "$name")
  diff <(echo "$before") <(echo "$after") >"$work/$name/reboot.diff" || die "see the files of $name stay as they are over a reboot: see $work/$name/reboot.diff"
  [[ $(csrs_of "$name") == 1 ]] || die "see no further CSR of $name after a reboot"
  power_off "$name"
}

# A machine without cloud-init's data: the same document from the hypervisor, as a systemd credential in SMBIOS.
story_credential() {
  local name=credential
  new_machine "$name" "$image"
  join_documents "$name" "$token_id.$token_secret" >"$work/$name/user-data"
  start_machine "$name" \
    -smbios "type=11,value=io.systemd.credential.binary:kubejoin.user-data=$(base64 -w0 "$work/$name/user-data")" \
    -smbios "type=11,value=io.systemd.credential:system.hostname=$name"
  await_ready "$name"
  run_pod "$name"
  power_off "$name"
}

# The plug is pulled three times, as soon as the console tells that a phase is over, which is some tens of milliseconds later; the last
# boot finishes the join.
story_power_cut() {
  local name=cut moment
  new_machine "$name" "$image"
  # What cloud-init wrote is flushed before the join begins: a login that survives is not what this is about.
  { user_data "$name" "$token_id.$token_secret" && echo 'runcmd: [sync]'; } >"$work/$name/user-data"
  mapfile -t seed < <(seed_disk "$name" "$work/$name/user-data")
  for moment in cluster-config tls-bootstrap kubelet-run; do
    start_machine "$name" "${seed[@]}"
    await_line 600 "$work/$name/console.new" "kubejoin\\[.*\\+ $moment " || die "see $moment done on $name: see $work/$name/console.new"
    cut_power "$name"
  done
  ! grep -qaF 'has joined the cluster' "$work/$name/console.log" || die "cut the power of $name before the end of its join: see $work/$name/console.log"
  start_machine "$name" "${seed[@]}"
  await_ready "$name"
  await_login "$name"
  on "$name" 'kubejoin status --wait=60s' >/dev/null || die "see the join of $name succeed after power cuts"
  on "$name" 'cat /run/kubejoin/result.json' >"$work/$name/result.json"
  jq -e '.state == "success" and any(.phases[]; .name == "node")' "$work/$name/result.json" >/dev/null || die "read in $work/$name/result.json that the last boot finished the join"
  [[ $(csrs_of "$name") == 1 ]] || die "see one CSR of $name over four boots"
  run_pod "$name"
  no_secret_on "$name"
  power_off "$name"
}

# The machine's clock is three hours behind, as after a flat battery: no certificate is valid yet. The join names that, waits, and goes on
# by itself as soon as somebody sets the clock.
story_clock_behind() {
  local name=clock
  new_machine "$name" "$image"
  user_data "$name" "$token_id.$token_secret" >"$work/$name/user-data"
  mapfile -t seed < <(seed_disk "$name" "$work/$name/user-data")
  start_machine "$name" "${seed[@]}" -rtc "base=$(date -u -d '-3 hours' +%FT%T)"
  await_line 600 "$work/$name/console.new" 'kubejoin.*waiting for the clock to be set: it is (3h0m|2h59m)[0-9]+s behind' || die "read on the console of $name that its clock is behind: see $work/$name/console.new"
  await_login "$name"
  on "$name" "date -s @$EPOCHSECONDS" >/dev/null
  await_ready "$name"
  on "$name" 'kubejoin status --wait=60s' >"$work/$name/status.txt" || die "see the join of $name succeed: see $work/$name/status.txt"
  [[ $(on "$name" 'systemctl show -P NRestarts kubejoin') == 0 ]] || die "see the join of $name succeed at its first try"
  cut_power "$name"
}

# A machine boots from the network, by the iPXE script of the examples, which says where its document is. The document's token is one that
# the cluster does not know: the console says so, the result too, and no kubelet is left running.
story_wrong_token() {
  local name=wrong boot=$work/wrong/boot server
  new_machine "$name" "$image"
  mkdir "$boot"
  tar -C "$boot" --wildcards --transform='s#.*/\(vmlinuz\|initrd.img\)-.*#\1#' -xf "$(root_tar trixie "${root_packages[@]}" "${machine_packages[@]}")" './boot/vmlinuz-*' './boot/initrd.img-*'
  join_documents "$name" "zzzzzz.$token_secret" 20s >"$boot/join.yaml"
  sed -E "s#^set base .*#set base tftp://$gateway#; s#kubejoin.url=[^ ]*#kubejoin.url=https://$gateway:8443/join.yaml;ca=/etc/kubejoin/boot-ca.pem;sha256=$(sha256sum "$boot/join.yaml" | cut -d' ' -f1)#" \
    "$top/image-builder/examples/ipxe/node.ipxe" >"$boot/node.ipxe"
  grep -qF "$gateway:8443" "$boot/node.ipxe" || die "put this run's addresses into the iPXE script"
  { cloud_config && written /etc/kubejoin/boot-ca.pem <"$CA"; } >"$work/$name/user-data"
  mapfile -t seed < <(seed_disk "$name" "$work/$name/user-data")
  (cd "$boot" && exec nsenter --net="$NETNS" openssl s_server -accept 127.0.0.1:8443 -cert "$CP/pki/apiserver.crt" -key "$CP/pki/apiserver.key" -WWW) \
    >"$work/$name/server.log" 2>&1 </dev/null &
  server=$!
  boot_folder=$boot start_machine "$name" "${seed[@]}" -boot n
  await_line 600 "$work/$name/console.new" 'kubejoin.*failure: .*zzzzzz' || die "read the token's id on the console of $name: see $work/$name/console.new"
  kill "$server"
  await_login "$name"
  on "$name" 'kubejoin status --wait' >"$work/$name/status.txt" && die "see the join of $name fail"
  on "$name" 'cat /run/kubejoin/result.json' >"$work/$name/result.json"
  jq -e '.state == "failure" and .phase == "discovery" and (.error.hint | length > 0)' "$work/$name/result.json" >/dev/null || die "read the failure in $work/$name/result.json"
  ! grep -rqF "$token_secret" "$work/$name/"{console.new,result.json,status.txt} || die "keep the token of $name out of console and result"
  on "$name" 'systemctl is-active kubelet' >/dev/null && die "see no kubelet run on $name"
  cut_power "$name"
}

# The same image joins in three ways, in turn. All times are the host's clock, from power-on: a guest's own is asked only for differences.
story_measure() {
  local run way watcher
  nsenter --net="$NETNS" "$BIN/kubectl" --kubeconfig "$CP/admin.conf" get nodes --watch \
    -o jsonpath='{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}' 2>"$work/watch.log" \
    > >(while read -r line; do echo "$EPOCHREALTIME $line"; done >"$work/nodes.txt") &
  watcher=$!
  for ((run = 1; run <= ${RUNS:-3}; run++)); do
    for way in unit runcmd kubeadm; do measure "$way" "$run"; done
  done
  kill "$watcher"
  jq -rs '
    def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
    def seconds: . * 10 | round / 10;
    group_by(.way) | sort_by(["unit", "runcmd", "kubeadm"] as $order | .[0].way as $way | $order | index($way)) |
    "| | runs | network-online | join begins | kubelet starts | from one to the other | Ready | Ready after network-online |", "|---|---|---|---|---|---|---|---|",
    (.[] | . as $runs | "| \($runs[0].way) | \(length) | " +
      ([["online", "begin", "kubelet", "join", "ready", "added"][] as $key | [$runs[] | .[$key]] | median | seconds | "\(.) s"] | join(" | ")) + " |")
  ' "$work/measured.json" | tee "$work/measured.md"
}

# measure WAY RUN: one machine, from power-on to Ready; a line of measured.json.
measure() {
  local name=$1-$2 way=$1 power_on started ready
  new_machine "$name" "$image"
  "user_data_$way" "$name" >"$work/$name/user-data"
  mapfile -t seed < <(seed_disk "$name" "$work/$name/user-data")
  power_on=$EPOCHREALTIME
  start_machine "$name" "${seed[@]}"
  await_ready "$name"
  await_line 10 "$work/nodes.txt" " $name True\$" || die "read when $name became Ready in $work/nodes.txt"
  ready=$(awk -v name="$name" '$2 == name && $3 == "True" { print $1; exit }' "$work/nodes.txt")
  await_login "$name"
  started=$(started_at "$name")
  on "$name" 'systemctl show -P ActiveEnterTimestampMonotonic network-online.target
    systemctl show -P ExecMainStartTimestampMonotonic '"$([[ $way == unit ]] && echo kubejoin || echo cloud-final)"'.service kubelet.service | grep .' >"$work/$name/marks"
  jq -nc --arg way "$way" --argjson marks "$(jq -s . "$work/$name/marks")" --argjson on "$power_on" --argjson started "$started" --argjson ready "$ready" '
    ($started - $on) as $offset | [$marks[] / 1000000 + $offset] as [$online, $begin, $kubelet] |
    {way: $way, online: $online, begin: $begin, kubelet: $kubelet, join: ($kubelet - $begin), ready: ($ready - $on), added: ($ready - $on - $online)}' | tee -a "$work/measured.json"
  on "$name" 'journalctl -b -o short-monotonic --no-pager' >"$work/$name/journal.txt"
  cut_power "$name"
}

user_data_unit() { user_data "$1" "$token_id.$token_secret"; }
user_data_runcmd() {
  user_data_unit "$1"
  echo 'runcmd: [[kubejoin, boot]]'
}
# The real kubeadm; kubejoin's unit is off.
user_data_kubeadm() {
  user_data_unit "$1" | sed '/^    ---$/,$d'
  printf -- '- {path: /etc/kubejoin/disabled, content: ""}\nruncmd: [[/opt/kubeadm, join, --config, /run/kubeadm/kubeadm-join-config.yaml]]\n'
}

# started_at NAME: when the machine's monotonic clock was 0, on this machine's clock; to the hundredth of a second.
started_at() {
  local before up after answers=
  # An empty line ends it; the clock is read without a new process.
  coproc { on "$1" 'while read -r line && [ "$line" ]; do read -r up rest </proc/uptime; echo "$up"; done'; }
  for _ in {1..20}; do
    before=$EPOCHREALTIME
    echo now >&"${COPROC[1]}"
    read -r -t 20 up <&"${COPROC[0]}"
    after=$EPOCHREALTIME
    answers+="$before $up $after"$'\n'
  done
  echo >&"${COPROC[1]}"
  wait
  awk 'NF { took = $3 - $1; if (!n++ || took < least) { least = took; at = ($1 + $3) / 2 - $2 } } END { printf "%.3f\n", at }' <<<"$answers"
}

# ---- what they are told with ---------------------------------------------------------------------------------------------
main() {
  local stories
  stories=(power_cut first_boot credential clock_behind wrong_token)
  if [[ ${1:-} == -l ]]; then
    printf '%s\n' "${stories[@]}" measure
    return
  fi
  (($#)) && stories=("$@")
  rm -rf "$work"
  mkdir -p "$logs"
  say "the folder of this run: $work"
  [[ -x $kubejoin ]] || die "bake $kubejoin: it is not there; build it first: make"
  trap 'stop_telling; stop_cluster' EXIT
  prepare_cluster
  bake "${stories[@]}"
  tell "${stories[@]}"
  say "all of it is well: ${stories[*]}"
}

# tell STORY...: as many at once as there are processors for their machines; what is measured is alone.
running=()
tell() {
  local left pid
  left=$(($(nproc) / $(machine_processors)))
  [[ " $* " != *' measure '* ]] || left=1
  for story in "$@"; do
    if ((left > 0)); then left=$((left - 1)); elif ((${#running[@]})); then wait -n; fi
    tell_one "$story" &
    running+=($!)
  done
  for pid in "${running[@]}"; do wait "$pid"; done
}
tell_one() {
  local started=$SECONDS name
  trap stop_machines EXIT
  say "story: $1"
  "story_$1"
  for name in "${machines[@]}"; do rm -f "$work/$name/disk.qcow2"; done
  say "story: $1: took $((SECONDS - started)) s"
}
stop_telling() {
  ((!${#running[@]})) || kill "${running[@]}" 2>/dev/null || true
  wait
}

# The cluster, as machines see it: under another address than its loopback; their kubelets use systemd's cgroups.
prepare_cluster() {
  start_cluster bake
  admin -n kube-public get configmap cluster-info -o json | sed "s#https://127.0.0.1:6443#https://$gateway:6443#" | admin replace -f - >/dev/null
  admin -n kube-system get configmap kubelet-config -o json | sed 's/cgroupDriver: cgroupfs/cgroupDriver: systemd/' | admin replace -f - >/dev/null
  make_token
}

# bake STORY...: the image: Debian's base disk, the real kubelet, two hand-made container images, a pod network, kubejoin; sealed and
# verified by the last step. A kubeadm is in it only for who measures.
bake() {
  local base args
  ssh-keygen -q -t ed25519 -N '' -C e2e -f "$work/key"
  image=${KUBEJOIN_IMAGE:-$work/bake/output/kubejoin-node.qcow2}
  [[ ! ${KUBEJOIN_IMAGE:-} ]] || return 0
  base=$(base_disk)
  "$e2e/images.sh" "$work/images"
  mkdir -p "$work/bake/seed"
  printf '#cloud-config\nmanage_etc_hosts: localhost\nssh_genkeytypes: [ed25519]\nssh_authorized_keys: ["%s"]\n' "$(<"$work/key.pub")" >"$work/bake/seed/user-data"
  printf 'instance-id: bake\nlocal-hostname: bake\n' >"$work/bake/seed/meta-data"
  : >"$work/bake/seed/vendor-data"
  cp "$kubejoin" "$work/bake/kubejoin"
  mkdir -p "$work/bake/overlay/etc/cni/net.d"
  echo "$cni" >"$work/bake/overlay/etc/cni/net.d/10-bridge.conflist"
  [[ " $* " != *' measure '* ]] || install -D "$BIN/kubeadm" "$work/bake/overlay/opt/kubeadm"
  args=$(accelerator | jq -Rnc '[inputs] | [range(0; length; 2) as $i | .[$i:$i + 2]]')
  PACKER_CACHE_DIR=$work/bake/cache CHECKPOINT_DISABLE=1 logged 'bake the image' timeout 1800 packer build -color=false -only=qemu.node \
    -var "kubejoin=$work/bake/kubejoin" -var "kubelet_file=$BIN/kubelet" -var "kubelet_sha256=$(sha256sum "$BIN/kubelet" | cut -d' ' -f1)" \
    -var "images=$work/images" -var pause_image=kubejoin.test/pause:1 -var "overlay=$work/bake/overlay" -var cgroup_driver=systemd \
    -var "qemu_base=$base" -var "qemu_base_checksum=none" -var "qemu_seed=$work/bake/seed" -var "qemu_output=$work/bake/output" -var "qemu_args=$args" \
    -var "ssh_private_key_file=$work/key" "$top/image-builder/packer"
  logged 'verify the image from outside' verify_disk "$image"
}

# verify_disk IMAGE: the last step verified the running machine; this is what lies on its disk after the power-off, which wrote once more.
verify_disk() (
  set -euo pipefail
  scratch=$(mktemp -d)
  loop=
  trap 'set +e; umount "$scratch/root" 2>/dev/null; losetup -d "$loop" 2>/dev/null; rm -rf "$scratch"' EXIT
  mkdir "$scratch/root"
  qemu-img convert -O raw "$1" "$scratch/raw"
  loop=$(losetup --find --show --offset $((root_sector * 512)) "$scratch/raw")
  mount "$loop" "$scratch/root"
  "$kubejoin" verify --root "$scratch/root"
)

# join_documents NODE TOKEN [DISCOVERY-TIMEOUT]: what a person writes: kubeadm's document and ours.
join_documents() {
  cat <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: $gateway:6443
    token: $2
    caCertHashes: ["$PIN"]
nodeRegistration: {name: $1, criSocket: "unix:///run/containerd/containerd.sock"}
timeouts: {discovery: ${3:-1m0s}}
---
apiVersion: kubejoin/v1alpha1
kind: FirstBoot
wait: {for: ready, timeout: 5m}
YAML
}

# user_data NODE TOKEN: the same for cloud-init.
user_data() {
  cloud_config
  join_documents "$@" | written /run/kubeadm/kubeadm-join-config.yaml
}
# cloud_config: how user-data begins: a login, then write_files.
cloud_config() { printf '#cloud-config\nssh_genkeytypes: [ed25519]\nssh_authorized_keys: ["%s"]\nwrite_files:\n' "$(<"$work/key.pub")"; }
# written PATH: an item of write_files with stdin as its content.
written() { printf -- '- path: %s\n  permissions: "0640"\n  content: |\n' "$1" && sed 's/^/    /'; }
readonly cni='{"cniVersion": "0.4.0", "name": "bridge", "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipam": {"type": "host-local", "subnet": "10.244.0.0/24"}}]}'

await_ready() {
  if ! { admin wait --for=create "node/$1" --timeout=600s && admin wait --for=condition=Ready "node/$1" --timeout=300s; } >/dev/null; then
    die "see the Node $1 Ready: see $work/$1/console.new"
  fi
  say "Node $1 is Ready"
}

await_login() {
  local end=$((SECONDS + 300))
  until on "$1" true; do
    ((SECONDS < end)) || die "log in to $1: see $work/$1/console.new"
    sleep 1 # between two tries
  done
}

# await_boot_in_status NODE: the kubelet of this boot, not a Ready of the last one.
await_boot_in_status() {
  local id
  id=$(on "$1" 'cat /proc/sys/kernel/random/boot_id')
  if ! { admin wait "node/$1" --for=jsonpath="{.status.nodeInfo.bootID}=$id" --timeout=300s && admin wait "node/$1" --for=condition=Ready --timeout=300s; } >/dev/null; then
    die "see the Node $1 Ready after its reboot: see $work/$1/console.new"
  fi
}

# csrs_of NODE: how many requests for a certificate of this node there have been.
csrs_of() {
  local request
  admin get csr -o json | jq -r '.items[].spec.request' | while read -r request; do base64 -d <<<"$request" | openssl req -noout -subject -nameopt RFC2253; done |
    grep -c "CN=system:node:$1,"
}

# run_pod NODE: a pod bound to the node, of an image that the node carries, runs to its end.
run_pod() {
  admin create -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata: {name: hello-$1}
spec:
  nodeName: $1
  restartPolicy: Never
  automountServiceAccountToken: false
  containers: [{name: hello, image: "kubejoin.test/hello:1", imagePullPolicy: Never}]
YAML
  admin wait "pod/hello-$1" --for=jsonpath='{.status.phase}'=Succeeded --timeout=300s >/dev/null || {
    admin describe pod "hello-$1" >"$work/$1/pod.txt"
    die "see the pod on $1 run to its end: see $work/$1/pod.txt"
  }
  say "a pod ran on $1"
}

# timeline_of NODE: what analyze says of this boot, from power-on to the end of the join that result.json tells; who took the time has a name.
timeline_of() {
  local output word
  for output in text json svg; do
    on "$1" "kubejoin analyze -o $output" >"$work/$1/analyze.${output/text/txt}" || die "analyze the boot of $1"
  done
  jq -e --slurpfile results "$work/$1/result.json" '$results[0] as $result |
    .origin == "power-on" and .state == "success" and .nodeName == $result.nodeName and .totalMs >= $result.startedMonotonicMs + $result.tookMs and
    ([.spans[].name] | index("kernel") and index("cloud-final.service") and index("kubelet-run") and index("kubelet-registers")) and
    ([.moments[] | select(.name == ("network-online.target", "registered", "ready")) | .name] | unique | length) == 3 and
    any(.largest[]; startswith("cloud-"))' "$work/$1/analyze.json" >/dev/null || die "read the boot of $1 in $work/$1/analyze.json"
  for word in cloud-final.service kubelet-registers; do
    ! grep -LF "$word" "$work/$1/"analyze.{txt,svg} | grep . || die "read of $word in what analyze tells of $1"
  done
}

# no_secret_on NODE: the token's secret half is in no file of the machine but user-data's own copies: cloud-init's, which only root reads
# and which come back at each boot, and the user's write_files in /run.
no_secret_on() {
  on "$1" 'cd / && grep -rlFf - etc home root run srv tmp var' <<<"$token_secret" >"$work/$1/secrets.txt" || true
  on "$1" 'cd / && xargs -r stat -c "%n %A"' <"$work/$1/secrets.txt" >"$work/$1/secret-modes.txt"
  ! grep -vE '^(var/lib/cloud/instances/[^ ]* -r..------|run/cloud-init/[^ ]* -r..------|run/kubeadm/[^ ]* -rw-r-----)$' "$work/$1/secret-modes.txt" ||
    die "see no token on $1: see $work/$1/secret-modes.txt"
}

# node_files NODE: every file that the join made, with mode, owner, time and content; the kubelet's own state is not the join's.
node_files() {
  on "$1" 'find /etc/kubernetes /var/lib/kubejoin /var/lib/kubelet/*.yaml /var/lib/kubelet/*.env /var/lib/kubelet/pki -type f | sort |
    xargs stat -c "%n %a %u %Y" && find /etc/kubernetes /var/lib/kubejoin /var/lib/kubelet/*.yaml /var/lib/kubelet/*.env /var/lib/kubelet/pki -type f | sort | xargs sha256sum'
}

main "$@"
