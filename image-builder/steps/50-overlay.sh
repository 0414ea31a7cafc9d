#!/usr/bin/env bash
# What the image's owner adds: the folder $OVERLAY, laid over the root: a pod network's configuration, hooks, programs.
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ ! ${OVERLAY:-} ]] || copy_rootfs "$OVERLAY"
