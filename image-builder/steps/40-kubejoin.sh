#!/usr/bin/env bash
# kubejoin: the program, its unit, and what stops cloud-init from warning about user-data that is not its own.
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install -m 0755 "$bake/kubejoin" /usr/bin/kubejoin
copy_rootfs "$bake/rootfs"
# What Cluster API and other tools call; a real kubeadm stays.
[[ -e /usr/bin/kubeadm ]] || ln -s kubejoin /usr/bin/kubeadm
systemctl enable kubejoin

# cloud-init 23.4 and later calls unknown top-level keys of a #cloud-config an error in its status. Its schema is the only place that knows keys.
if schema=$(python3 -c 'from cloudinit.config import schema; print(schema.get_schema_dir() + "/schema-cloud-config-v1.json")' 2>/dev/null) && [[ -s $schema ]]; then
  python3 - "$schema" <<'PYTHON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
if schema.get("additionalProperties") is False:
    schema["properties"]["kubejoin"] = {"type": ["object", "string"]}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(schema, file, indent=2)
PYTHON
fi
