#!/usr/bin/env bash
# Last: takes identity and secrets out of the image, then proves that they are gone and that units and runtime are right. Nothing may log in after it.
# $KEEP names checks and paths that are left out (kubejoin verify --help), with a comma between them.
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kept=()
[[ ! ${KEEP:-} ]] || kept=(--keep "$KEEP")
kubejoin seal "${kept[@]}"
kubejoin verify "${kept[@]}"
