#!/usr/bin/env bash
# The metadata services at their real addresses, in a network namespace of their own, asked by the program itself: run.sh KUBEJOIN
# `run.sh --record KUBEJOIN` writes what the program says to expected.json instead of comparing: read the diff before you commit it.
set -euo pipefail

record=
if [[ ${1:-} == --record ]]; then
  record=1
  shift
fi
kubejoin=$(realpath "${1:?usage: run.sh [--record] KUBEJOIN}")
here=$(cd "$(dirname "$0")" && pwd)
images=$here/../unit/source/images
mock_version=v1.13.0
mock=${XDG_CACHE_HOME:-$HOME/.cache}/kubejoin/ec2-metadata-mock-$mock_version/ec2-metadata-mock

for tool in ip python3 jq gzip go; do
  command -v "$tool" >/dev/null || { echo "run.sh: unable to find $tool" >&2 && exit 1; }
done
((EUID == 0)) || { echo "run.sh: unable to make a network namespace: not root" >&2 && exit 1; }

netns=kubejoin-metadata-$$
work=$(mktemp -d /tmp/kubejoin-metadata-XXXXXX)
server=
passed=0 failed=0

stop_server() {
  [[ ! $server ]] || { kill "$server" && wait "$server"; } 2>/dev/null || true
  server=
}
clean_up() {
  stop_server
  ip netns delete "$netns" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

in_netns() { ip netns exec "$netns" "$@"; }

# start_server COMMAND…: until it says that it begins.
start_server() {
  local line
  exec 3< <(exec ip netns exec "$netns" "$@" 2>&1)
  server=$!
  while read -r -t 20 -u 3 line; do
    [[ $line != ready* && $line != *Initiating* ]] || return 0
  done
  echo "run.sh: unable to start $*: $line" >&2
  exit 1
}

verdict() { # verdict NAME STATUS
  if (($2 == 0)); then
    passed=$((passed + 1)) && echo "ok    $1"
  else
    failed=$((failed + 1)) && echo "FAIL  $1"
  fi
}

# query URI [ARGUMENT…]: what the program says, on stdout.
query() { in_netns timeout 60 "$kubejoin" query --source "$@"; }

# compare NAME WANTED-FILE: stdin against the file.
compare() {
  local status=0
  diff -u "$2" - >"$work/diff" || status=$?
  ((status == 0)) || head -40 "$work/diff"
  verdict "$1" "$status"
}

ip netns add "$netns"
in_netns ip link set lo up
for address in $(cat "$here"/*/routes.json | jq -r '.bind[]' | sort -u); do
  in_netns ip address add "$address/$([[ $address == *:* ]] && echo 128 || echo 32)" dev lo nodad 2>/dev/null ||
    in_netns ip address add "$address/32" dev lo
done

# ---- every platform: as recorded, and over each of its other addresses alone --------------------------------------------
for routes in "$here"/*/routes.json; do
  folder=${routes%/*} platform=$(basename "${routes%/*}")
  start_server python3 "$here/serve.py" "$folder"
  if [[ $record ]]; then
    query "$platform:" -o json >"$folder/expected.json"
  else
    # Its addresses are asked at once and any may be the first: which of them answered is not part of the expectation.
    jq -S '.origin |= sub("//[^/]+"; "//ADDRESS")' "$folder/expected.json" >"$work/wanted"
    compare "$platform" "$work/wanted" < <(query "$platform:" -o json | jq -S '.origin |= sub("//[^/]+"; "//ADDRESS")')
  fi
  stop_server
  for other in $(jq -r '.bind[1:][]' "$routes"); do
    start_server python3 "$here/serve.py" "$folder" "$other"
    jq -S 'del(.origin)' "$folder/expected.json" >"$work/wanted"
    compare "$platform over $other alone" "$work/wanted" < <(query "$platform:" -o json | jq -S 'del(.origin)')
    stop_server
  done
done

# ---- EC2 as the vendor's own mock has it, version 2 required ------------------------------------------------------------
if [[ ! -x $mock ]]; then
  GOBIN=$(dirname "$mock") go install "github.com/aws/amazon-ec2-metadata-mock/cmd/ec2-metadata-mock@$mock_version"
fi
start_server "$mock" --hostname 169.254.169.254 --port 80 --imdsv2
# What the mock says, asked by another client; the program must say the same.
cat >"$work/ask.py" <<'PY'
import json, urllib.request
base = "http://169.254.169.254/latest/"
put = urllib.request.Request(base + "api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
token = urllib.request.urlopen(put).read().decode()
def get(path):
    return urllib.request.urlopen(urllib.request.Request(base + path, headers={"X-aws-ec2-metadata-token": token})).read().decode()
identity = json.loads(get("dynamic/instance-identity/document"))
print(json.dumps([identity["instanceId"], identity["region"], identity["availabilityZone"], identity["instanceType"],
                  get("meta-data/local-hostname"), get("meta-data/local-ipv4"), get("meta-data/mac"), len(get("user-data"))]))
PY
query ec2: >/dev/null # it waits until the mock answers
in_netns python3 "$work/ask.py" | jq . >"$work/wanted"
names='"v1.instance_id", "v1.region", "v1.availability_zone", "instance.type", "ds.meta_data.local_hostname", "instance.local_ipv4", "ds.meta_data.mac"'
compare "ec2, amazon-ec2-metadata-mock --imdsv2" "$work/wanted" < <(query ec2: -o json | jq "[.metadata[$names], .userDataBytes]")
stop_server

# ---- seeds: a disk image, and a folder behind HTTP ----------------------------------------------------------------------
for name in joliet-rock.iso rock.iso fat16.img; do
  gzip -dc "$images/$name.gz" >"$work/$name"
  echo worker-7 >"$work/wanted"
  compare "nocloud, $name" "$work/wanted" < <(query "nocloud:$work/$name" v1.local_hostname)
done

echo "$passed passed, $failed failed"
((failed == 0))
