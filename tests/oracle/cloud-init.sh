#!/usr/bin/env bash
# The cloud-init of Debian 12 and 13 as the oracle for metadata, templates, envelopes and cloud-configs: cloud-init.sh KUBEJOIN
# It is taken from its package into the cache, never installed: nothing of this machine is configured by it.
set -euo pipefail

kubejoin=$(realpath "${1:?usage: cloud-init.sh KUBEJOIN}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly modules=(python3-configobj python3-jinja2 python3-markupsafe python3-jsonpatch python3-json-pointer python3-netifaces
  python3-oauthlib python3-requests python3-serial python3-urllib3 python3-idna python3-certifi python3-chardet python3-six)

work=$(mktemp -d /tmp/kubejoin-cloud-init-XXXXXX)
trap 'rm -rf "$work"' EXIT
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kubejoin

# apt OPTION... with lists of its own: this machine's sources, of the suite in its place.
use_suite() {
  local from
  from=$(. /etc/os-release && echo "$VERSION_CODENAME")
  options=(-o APT::Sandbox::User=root)
  [[ $1 != "$from" ]] || return 0
  local lists=$work/apt-$1
  mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial" "$lists/sources"
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
    [[ ! -s $file ]] || sed "s/\b$from\b/$1/g" "$file" >"$lists/sources/$(basename "$file")"
  done
  options+=(-o "Dir::State::lists=$lists/lists" -o "Dir::Cache=$lists/cache" -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$lists/sources")
  apt-get -qq "${options[@]}" update
}

# fetch SUITE PACKAGE...: into the cache, once; sets `tree` and `version`. cloud-init comes from the suite, its modules are this machine's.
fetch() {
  local suite=$1
  tree=$cache/cloud-init-$suite
  if [[ ! -d $tree ]]; then
    use_suite "$suite"
    mkdir -p "$work/packages-$suite" "$work/tree-$suite"
    (cd "$work/packages-$suite" && apt-get -qq "${options[@]}" download cloud-init && apt-get -qq -o APT::Sandbox::User=root download "${modules[@]}")
    for package in "$work/packages-$suite"/*.deb; do dpkg-deb -x "$package" "$work/tree-$suite"; done
    mkdir -p "$cache"
    mv "$work/tree-$suite" "$tree"
  fi
  version=$(PYTHONPATH=$tree/usr/lib/python3/dist-packages python3 -c 'from cloudinit.version import version_string; print(version_string())')
}

status=0
for suite in bookworm trixie; do
  fetch "$suite"
  mkdir -p "$work/$suite"
  PYTHONPATH=$tree/usr/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1 timeout 1200 python3 "$here/cloud_init.py" "$kubejoin" "$work/$suite" "$version" || status=1
done
exit "$status"
