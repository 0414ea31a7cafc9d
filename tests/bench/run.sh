#!/usr/bin/env bash
# Measures kubejoin and real kubeadm in turn against the same real API server, and the kubelet's own floor beside them.
#
#   run.sh KUBEJOIN [RELEASE…]      default: 1.37 1.20
#
#   N=10            rounds: in each, kubejoin joins, the kubelet starts alone, kubeadm joins
#   RESULTS=FOLDER  keeps every figure of every round (RELEASE.jsonl)
#
# Prints a table for each release: medians, ratios, and which target is missed. The exit status says only whether it could be measured.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cluster=$here/../cluster

main() {
  (($# >= 1)) || die "usage: run.sh KUBEJOIN [RELEASE…]"
  kubejoin=$(realpath -e "$1")
  shift
  rounds=${N:-10}
  "$cluster/deps.sh"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  results=${RESULTS:-$work}
  mkdir -p "$results"
  local release
  for release in "${@:-1.37}"; do measure "$release"; done
}

die() {
  echo "bench: $1" >&2
  exit 1
}
say() { [[ ! -t 2 ]] || printf '\r\033[K%s' "$*" >&2; }
node() { "$cluster/node.sh" "$@"; }
kubectl() { $IN_CLUSTER "$BIN/kubectl" --kubeconfig "$KUBECONFIG" "$@"; }
on_node() { node run "$release" "$name" -- "$@"; }

measure() {
  release=$1 name=bench
  "$cluster/up.sh" "$release"
  # shellcheck source=/dev/null
  source "${KUBEJOIN_CLUSTER_DIR:-/tmp/kubejoin-cluster-$release}/env"
  kubeadm=$BIN/kubeadm
  figures=$results/$release.jsonl
  : >"$figures"
  credentials
  arguments=("$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "$PIN" --ignore-preflight-errors=all)
  say "$release: start-up"
  start_up
  local round
  for ((round = 1; round <= rounds; round++)); do
    say "$release: round $round of $rounds"
    fresh_node
    discovery
    join kubejoin "$kubejoin" join "${arguments[@]}"
    floor
    fresh_node
    join kubeadm "$kubeadm" join "${arguments[@]}"
  done
  say "$release: connections"
  connections kubejoin "$kubejoin"
  connections kubeadm "$kubeadm"
  node reset "$release" "$name" >/dev/null
  node remove "$release" "$name" >/dev/null
  say ""
  table
  [[ ${KEEP_CLUSTER:-} ]] || "$cluster/down.sh" "$release"
}

record() { jq -c --arg who "$1" '{who: $who} + .' >>"$figures"; }

# The administrator's credentials as curl takes them: a watch by kubectl would take CPU from what is measured.
credentials() {
  kubectl config view --raw -o json >"$work/admin.json"
  jq -r '.users[0].user["client-certificate-data"]' "$work/admin.json" | base64 -d >"$work/admin.crt"
  jq -r '.users[0].user["client-key-data"]' "$work/admin.json" | base64 -d >"$work/admin.key"
  chmod 600 "$work/admin.key"
}

start_up() {
  hyperfine -N --style none --warmup 3 --runs $((rounds * 5)) --export-json "$work/start.json" "$kubejoin version" "$kubeadm version -o short" 2>"$work/hyperfine.log" ||
    { cat "$work/hyperfine.log" >&2 && die "start-up could not be measured"; }
  jq -c '[.results[].times] | {who: "kubejoin", startup: .[0][]}, {who: "kubeadm", startup: .[1][]} | .startup *= 1000' "$work/start.json" >>"$figures"
}

fresh_node() {
  node reset "$release" "$name" >/dev/null
  # Both make it when it is missing; the watch on it must be there before.
  mkdir -m 0755 "$STATE/nodes/$name/var-lib-kubelet/pki"
}

# Whole processes, each as often as the other: everything up to the cluster's configuration, nothing of it kept.
discovery() {
  local runs=3
  on_node hyperfine -N --style none --warmup 1 --runs "$runs" --export-json "$work/discovery.json" \
    "$kubejoin join phase cluster-config ${arguments[*]}" "$kubeadm join phase preflight ${arguments[*]}" 2>"$work/hyperfine.log" ||
    { cat "$work/hyperfine.log" >&2 && die "discovery could not be measured"; }
  jq -c '[.results[].times] | {who: "kubejoin", discovery: .[0][]}, {who: "kubeadm", discovery: .[1][]} | .discovery *= 1000' "$work/discovery.json" >>"$figures"
}

# watch_node: from now on, the times of the Node's events go to $work/node; node_watch ends when it is Ready.
watch_node() {
  : >"$work/headers"
  : >"$work/node"
  $IN_CLUSTER curl -sN -m 180 --cacert "$CA" --cert "$work/admin.crt" --key "$work/admin.key" -D "$work/headers" \
    "https://$APISERVER/api/v1/nodes?watch=true&fieldSelector=metadata.name%3D$name" >"$work/node.fifo" &
  node_source=$!
  timeout 180 "$here/stamp.pl" '"type":"Ready","status":"True"' <"$work/node.fifo" >"$work/node" &
  node_watch=$!
  wait_until grep -q '^HTTP' "$work/headers"
}
await_ready() {
  wait "$node_watch" || die "the Node of $1 was not Ready in 180 s: see $STATE/nodes/$name/kubelet.log"
  kill "$node_source" 2>/dev/null || true
  wait "$node_source" 2>/dev/null || true
  grep -q '"type":"Ready","status":"True"' "$work/node" || die "the watch on the Node of $1 ended early"
}

# wait_until COMMAND…: at most 60 s.
wait_until() {
  local end=$((SECONDS + 60))
  until "$@"; do
    ((SECONDS < end)) || die "this did not come true in 60 s: $*"
    sleep 0.02
  done
}

# join WHO COMMAND…: one join on the fresh node, and when what happened.
join() {
  local who=$1 audit
  shift
  [[ -p $work/node.fifo ]] || mkfifo "$work/node.fifo"
  watch_node
  inotifywait -m -e create -e moved_to --format %f "$STATE/nodes/$name/var-lib-kubelet/pki" 2>"$work/inotify" > >("$here/stamp.pl" >"$work/pki") &
  local pki_watch=$!
  wait_until grep -q established "$work/inotify"
  audit=$(stat -c %s "$AUDIT_LOG")
  on_node "$here/timed.sh" "$work/timed" "$work/join.log" "$@"
  [[ $(jq .status "$work/timed") == 0 ]] || { cat "$work/join.log" >&2 && die "$who did not join"; }
  await_ready "$who"
  kill "$pki_watch" && wait "$pki_watch" 2>/dev/null || true
  tail -c "+$((audit + 1))" "$AUDIT_LOG" >"$work/audit"
  milestones | record "$who"
}

# Seconds since the epoch of an audit log's timestamp, as jq has no fractions.
# shellcheck disable=SC2016 # jq's
readonly jq_time='def at: capture("(?<s>[^.]*)\\.(?<f>[0-9]+)Z") | ((.s + "Z") | fromdate) + ("0." + .f | tonumber);'

milestones() {
  local certificate created ready started
  certificate=$(awk '$2 == "kubelet-client-current.pem" { print $1; exit }' "$work/pki")
  created=$(awk 'NR == 1 { print $1 }' "$work/node")
  ready=$(awk '/"type":"Ready","status":"True"/ { print $1; exit }' "$work/node")
  started=$(awk '/ restart / { print $1; exit }' "$STATE/nodes/$name/systemctl.log")
  jq -c -s --slurpfile timed "$work/timed" --argjson certificate "$certificate" --argjson created "$created" --argjson ready "$ready" --argjson started "$started" "$jq_time"'
    $timed[0] as $t
    | def since: (. - $t.began) * 1000;
    [.[] | select(.userAgent | test("^kube(join|adm)"))] as $own
    | [.[] | select(.objectRef.resource == "certificatesigningrequests")] as $csrs
    | { certificate: ($certificate | since), kubelet: ($started | since), created: ($created | since), ready: ($ready | since), exit: ($t.ended | since),
        cpu: ($t.cpu * 1000), rss: ($t.rss / 1024),
        requests: ([$own[] | select((.requestReceivedTimestamp | at) < $started) | .auditID] | unique | length),
        csr_received: ([$csrs[] | select(.verb == "create") | .requestReceivedTimestamp | at] | min | since),
        issuing: ((([$csrs[] | select(.objectRef.subresource == "status") | .stageTimestamp | at] | max) - ([$csrs[] | select(.verb == "create") | .stageTimestamp | at] | min)) * 1000),
        first_request: ([$own[] | .requestReceivedTimestamp | at] | min | since) }' "$work/audit"
}

# The kubelet alone, on a fresh node that has what the join before wrote, and nothing of what its kubelet made since.
floor() {
  local started state=$STATE/nodes/$name
  (cd "$state" && tar -cf "$work/joined.tar" etc-kubernetes var-lib-kubelet/pki/kubelet-client-* var-lib-kubelet/*.{yaml,env})
  fresh_node
  tar -C "$state" -xf "$work/joined.tar"
  watch_node
  started=$(on_node bash -c 'echo $EPOCHREALTIME; exec systemctl restart kubelet')
  await_ready "the kubelet alone"
  jq -cn --argjson started "$started" --argjson created "$(awk 'NR == 1 { print $1 }' "$work/node")" \
    --argjson ready "$(awk '/"type":"Ready","status":"True"/ { print $1; exit }' "$work/node")" \
    '{who: "floor", created: (($created - $started) * 1000), ready: (($ready - $started) * 1000)}' >>"$figures"
}

# connections WHO PROGRAM: TCP connections to the API server until the kubelet starts, by strace, in a run of its own; children are not followed.
connections() {
  fresh_node
  on_node strace -f -b execve -qq -e trace=connect,execve -o "$work/strace" "$2" join "${arguments[@]}" >"$work/join.log" 2>&1 || { cat "$work/join.log" >&2 && die "$1 did not join under strace"; }
  awk '/execve\(.*systemctl.*"restart"/ { exit } /htons\(6443\)/ && !/resumed/ { n++ } END { printf "{\"connections\": %d}\n", n }' "$work/strace" | record "$1"
}

# row NAME UNIT TARGET KUBEJOIN KUBEADM: figures are numbers or "-"; TARGET is "1/N" of kubeadm's, "<=N", or "-".
row() {
  awk -v name="$1" -v unit="$2" -v target="$3" -v ours="$4" -v theirs="$5" 'BEGIN {
    format = unit == "" ? "%.0f" : ours < 100 && ours > -100 ? "%.1f" : "%.0f"
    ratio = theirs == "-" || ours + 0 == 0 ? "" : ours <= theirs ? sprintf("1/%.1f", theirs / ours) : sprintf("%.1fx", ours / theirs)
    met = ""
    if (split(target, part, "/") == 2) met = ours <= theirs / part[2] ? "met" : "MISSED"
    else if (target ~ /^<=/) met = ours <= substr(target, 3) + 0 ? "met" : "MISSED"
    gsub("<=", "<= ", target)
    printf "%-52s %10s %10s  %-8s %-8s %s\n", name, sprintf(format, ours) (unit == "" ? "" : " " unit),
      theirs == "-" ? "" : sprintf(theirs < 100 ? format : unit == "" ? "%.0f" : "%.0f", theirs) (unit == "" ? "" : " " unit), ratio, target == "-" ? "" : target, met }'
}

median() { # median WHO FIGURE
  jq -s --arg who "$1" --arg figure "$2" '[.[] | select(.who == $who) | .[$figure] // empty] | sort | if length == 0 then "-" else (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2 end' "$figures" | tr -d '"'
}

both() { # both NAME UNIT TARGET FIGURE
  row "$1" "$2" "$3" "$(median kubejoin "$4")" "$(median kubeadm "$4")"
}

table() {
  local floor_ready
  floor_ready=$(median floor ready)
  printf '\nKubernetes %s, %d rounds, medians; %s, %d cores, load %s\n' "$KUBERNETES_VERSION" "$rounds" "$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
  printf '%-52s %10s %10s  %-8s %-8s\n' '' kubejoin kubeadm ratio target
  both "start-up (version)" ms 1/20 startup
  both "discovery and configuration, a process of its own" ms 1/2 discovery
  both "exec to the first request at the API server" ms - first_request
  both "exec to the certificate request at the API server" ms - csr_received
  both "its creation to issue: API server and controllers" ms - issuing
  both "exec to certificate on disk" ms 1/20 certificate
  both "exec to the kubelet's start" ms - kubelet
  both "exec to Node created" ms - created
  both "exec to Node Ready" ms - ready
  row "the kubelet's own floor: start to Ready" ms - "$floor_ready" -
  row "added to that floor until Ready" ms 1/8 "$(awk -v a="$(median kubejoin ready)" -v b="$floor_ready" 'BEGIN { print a - b }')" \
    "$(awk -v a="$(median kubeadm ready)" -v b="$floor_ready" 'BEGIN { print a - b }')"
  both "exec to exit" ms - exit
  both "requests before the kubelet starts" "" "<=6" requests
  both "TLS connections before the kubelet starts" "" "<=1" connections
  both "CPU, children included" ms 1/5 cpu
  both "resident memory, largest of process and children" MiB "<=12" rss
  row "size of the binary" MiB - "$(size "$kubejoin")" "$(size "$kubeadm")"
}

size() { awk -v bytes="$(stat -Lc %s "$1")" 'BEGIN { print bytes / 1048576 }'; }

main "$@"
