#!/bin/bash
# Runs one command on a node and says when it began and ended, what it cost and how large it grew, as one line of JSON.
#
#   timed.sh RESULT LOG COMMAND…
#
# CPU is that of the command and of every child it waited for; the kubelet, which it does not wait for, is not in it.
set -uo pipefail
result=$1 log=$2
shift 2
TIMEFORMAT='%3U %3S'
status=0
began=$EPOCHREALTIME
cpu=$({ time /usr/bin/time -f %M -o "$result.rss" "$@" >"$log" 2>&1; } 2>&1) || status=$?
ended=$EPOCHREALTIME
read -r user system <<<"$cpu"
printf '{"status": %d, "began": %s, "ended": %s, "cpu": %s, "rss": %d}\n' \
  "$status" "$began" "$ended" "$(awk -v u="$user" -v s="$system" 'BEGIN { print u + s }')" "$(tail -n 1 "$result.rss")" >"$result"
