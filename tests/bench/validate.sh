#!/usr/bin/env bash
# How long `kubejoin validate` takes for user-data of some sizes up to what a document may have (4 MiB, 200000 values): at most 50 ms
# for 1 MB, and linear in size.
#
#   validate.sh KUBEJOIN
set -euo pipefail

main() {
  (($# == 1)) || { echo "validate: usage: validate.sh KUBEJOIN" >&2 && exit 64; }
  local kubejoin work kilobytes
  kubejoin=$(realpath -e "$1")
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # now
  trap "rm -rf '$work'" EXIT
  printf '\n%-44s %9s %12s\n' 'kubejoin validate, medians' time 'a megabyte'
  for kind in files plain; do
    for kilobytes in $([[ $kind == files ]] && echo 1000 2000 4000 || echo 250 500 1000); do
      documents "$kilobytes" "$kind" >"$work/user-data"
      "$kubejoin" validate "$work/user-data" >/dev/null
      hyperfine -N --style none --warmup 1 --runs 10 --export-json "$work/result.json" "$kubejoin validate $work/user-data"
      jq -r --argjson kb "$kilobytes" '.results[0].median * 1000 | [., . * 1000 / $kb] | @tsv' "$work/result.json" |
        awk -v title="$kilobytes kB of $([[ $kind == files ]] && echo 'cloud-config with long files' || echo 'cloud-config with many entries')" -v kb="$kilobytes" \
          '{ printf "%-44s %6.1f ms %9.1f ms  %s\n", title, $1, $2, kb == 1000 ? "<= 50 ms: " ($1 <= 50 ? "met" : "MISSED") : "" }'
    done
  done
}

# documents KILOBYTES KIND: cloud-config with a JoinConfiguration beside what fills it up to the size.
documents() {
  local bytes=$(($1 * 1000))
  cat <<'YAML'
#cloud-config
write_files:
  - path: /run/kubeadm/kubeadm-join-config.yaml
    owner: root:root
    permissions: '0640'
    content: |
      apiVersion: kubeadm.k8s.io/v1beta4
      kind: JoinConfiguration
      discovery:
        bootstrapToken:
          token: abcdef.0123456789abcdef
          apiServerEndpoint: 10.0.0.1:6443
          caCertHashes: ["sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]
YAML
  if [[ $2 == files ]]; then
    awk -v bytes="$bytes" 'BEGIN {
      for (n = 0; n < bytes; f++) {
        print "  - path: /opt/file-" f "\n    content: |"
        for (i = 0; i < 1000 && n < bytes; i++) { line = "      line " i " of a file that somebody wanted on every machine of the fleet"; print line; n += length(line) + 1 }
      } }'
  else
    awk -v bytes="$bytes" 'BEGIN { for (n = 0; n < bytes; f++) { line = "  - {path: /opt/file-" f ", owner: root, content: \"a short one\"}"; print line; n += length(line) + 1 } }'
  fi
}

main "$@"
