#!/usr/bin/env bash
# Makes two container images by hand, as OCI archives, so that a pod runs without any registry.
#
#   images.sh FOLDER        FOLDER/pause.tar (kubejoin.test/pause:1), FOLDER/hello.tar (kubejoin.test/hello:1)
set -euo pipefail

main() {
  folder=$1
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$folder"
  make_image pause <<'C'
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
static void end(int number) { (void)number; _exit(0); }
int main(void) {
  signal(SIGTERM, end);
  signal(SIGINT, end);
  for (;;) pause();
}
C
  make_image hello <<'C'
#include <stdio.h>
int main(void) { return puts("hello from a pod") < 0; }
C
}

# make_image NAME: compiles the C on stdin and packs it as FOLDER/NAME.tar, its only file.
make_image() {
  local name=$1 oci=$work/$1-oci layer config manifest
  mkdir -p "$work/$name" "$oci/blobs/sha256"
  gcc -O2 -static -x c -o "$work/$name/$name" -
  strip "$work/$name/$name"
  tar -C "$work/$name" --owner=0 --group=0 --mtime=@0 -cf "$work/layer" "$name"
  layer=$(put "$work/layer")
  jq -cn --arg layer "$layer" --arg program "/$name" \
    '{architecture: "amd64", os: "linux", config: {Entrypoint: [$program]}, rootfs: {type: "layers", diff_ids: [$layer]}}' >"$work/config"
  config=$(put "$work/config")
  jq -cn --argjson config "$(describe config.v1+json "$work/config" "$config")" --argjson layer "$(describe layer.v1.tar "$work/layer" "$layer")" \
    '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: $config, layers: [$layer]}' >"$work/manifest"
  manifest=$(put "$work/manifest")
  jq -cn --argjson manifest "$(describe manifest.v1+json "$work/manifest" "$manifest")" --arg name "kubejoin.test/$name:1" \
    '{schemaVersion: 2, manifests: [$manifest + {annotations: {"io.containerd.image.name": $name, "org.opencontainers.image.ref.name": "1"}}]}' >"$oci/index.json"
  echo '{"imageLayoutVersion":"1.0.0"}' >"$oci/oci-layout"
  tar -C "$oci" --owner=0 --group=0 --mtime=@0 --sort=name -cf "$folder/$name.tar" .
}

# put FILE: stores it as a blob, prints its digest.
put() {
  local digest
  digest=$(sha256sum "$1" | cut -d' ' -f1)
  cp "$1" "$oci/blobs/sha256/$digest"
  printf 'sha256:%s' "$digest"
}

describe() {
  jq -cn --arg type "application/vnd.oci.image.$1" --argjson size "$(stat -c %s "$2")" --arg digest "$3" '{mediaType: $type, size: $size, digest: $digest}'
}

main "$@"
