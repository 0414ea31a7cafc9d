#!/usr/bin/env bash
# Makes the disk images of disk_test.cc with the tools that people make them with; needed only when one is to be changed.
# genisoimage, xorriso, dosfstools, mtools.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d /tmp/kubejoin-images-XXXXXX)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/seed" "$work/drive/openstack/latest" "$work/azure"
printf '#cloud-config\n# a line\n' >"$work/seed/user-data"
printf 'instance-id: i-7\nlocal-hostname: worker-7\n' >"$work/seed/meta-data"
printf '{"uuid": "83679162", "name": "worker-7"}\n' >"$work/drive/openstack/latest/meta_data.json"
head -c 5000 /dev/zero | tr '\0' x >"$work/drive/openstack/latest/user_data" # more than two sectors
printf '<Environment><CustomData>aGVsbG8=</CustomData></Environment>\n' >"$work/azure/ovf-env.xml"

genisoimage -quiet -volid cidata -joliet -rock -o "$work/joliet-rock.iso" "$work/seed/user-data" "$work/seed/meta-data" # cloud-localds
genisoimage -quiet -volid cidata -rock -o "$work/rock.iso" "$work/seed/user-data" "$work/seed/meta-data"                 # Proxmox
genisoimage -quiet -volid cidata -joliet -o "$work/joliet.iso" "$work/seed/user-data" "$work/seed/meta-data"
xorriso -report_about FATAL -as mkisofs -quiet -V config-2 -J -R -o "$work/drive.iso" "$work/drive" # KubeVirt, Nova
genisoimage -quiet -udf -V azure -o "$work/azure.udf.iso" "$work/azure"

fat() { # fat NAME BITS BLOCKS(KiB)
  mkfs.vfat -F "$2" -s 1 -n CIDATA -C "$work/$1" "$3" >/dev/null
  mcopy -oi "$work/$1" "$work/seed/user-data" "$work/seed/meta-data" ::
  mmd -i "$work/$1" ::openstack ::openstack/latest
  mcopy -oi "$work/$1" "$work/drive/openstack/latest/user_data" ::openstack/latest/
}
fat fat12.img 12 1024
fat fat16.img 16 8192
fat fat32.img 32 40000

for image in "$work"/*.iso "$work"/*.img; do gzip -9nc "$image" >"${image##*/}.gz"; done
ls -l -- *.gz
