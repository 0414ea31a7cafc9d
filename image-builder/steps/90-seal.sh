#!/usr/bin/env bash
# Last: takes identity and secrets out of the image, then proves that they are gone and that units and runtime are right. Nothing may log in after it.
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v apt-get >/dev/null && apt-get clean
kubejoin seal
kubejoin verify
