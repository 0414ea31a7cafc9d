#!/usr/bin/env bash
# Debian's own cloud-init as the oracle for metadata, templates, envelopes and cloud-configs: cloud-init.sh KUBEJOIN
# It is taken from its package into the cache, never installed: nothing of this machine is configured by it.
set -euo pipefail

kubejoin=$(realpath "${1:?usage: cloud-init.sh KUBEJOIN}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly packages=(cloud-init python3-configobj python3-jinja2 python3-markupsafe python3-jsonpatch python3-json-pointer python3-netifaces
  python3-oauthlib python3-requests python3-serial python3-urllib3 python3-idna python3-certifi python3-chardet python3-six)

version=$(apt-cache policy cloud-init | awk '/Candidate:/ { print $2 }')
[[ $version && $version != '(none)' ]] || { echo "cloud-init.sh: unable to find the package cloud-init: apt-get update" >&2 && exit 1; }
tree=${XDG_CACHE_HOME:-$HOME/.cache}/kubejoin/cloud-init-$version
work=$(mktemp -d /tmp/kubejoin-cloud-init-XXXXXX)
trap 'rm -rf "$work"' EXIT

if [[ ! -d $tree ]]; then
  mkdir -p "$work/packages" "$work/tree"
  (cd "$work/packages" && apt-get -qq -o APT::Sandbox::User=root download "${packages[@]}")
  for package in "$work"/packages/*.deb; do dpkg-deb -x "$package" "$work/tree"; done
  mkdir -p "$(dirname "$tree")"
  mv "$work/tree" "$tree"
fi
export PYTHONPATH=$tree/usr/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1
timeout 1200 python3 "$here/cloud_init.py" "$kubejoin" "$work" "$version"
