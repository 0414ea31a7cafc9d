# Virtual machines for the end-to-end tests: a base disk, boot, power, seed disks; sourced, never run.
# shellcheck shell=bash disable=SC2154 source=lib.sh
[[ ${e2e:-} ]] || source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Hardware virtualisation only where it is the processor's own: a /dev/kvm alone proves nothing (kvm_pvm opens, and boots no stock kernel).
accelerator() {
  if [[ -w /dev/kvm && (-d /sys/module/kvm_intel || -d /sys/module/kvm_amd) && ! -d /sys/module/kvm_pvm ]]; then
    printf '%s\n' -accel kvm -cpu host -smp 2
  else
    # One processor: an emulated second one may still run the breakpoint that the kernel had put into its own code while it patched it,
    # and dies of it ("Oops: int3" in one of 35 boots: QEMU 7.2, Linux 6.12).
    printf '%s\n' -accel tcg,tb-size=1024 -cpu qemu64 -smp 1
  fi
}

# machine_processors: how many of this machine's processors one virtual machine takes.
machine_processors() { accelerator | tail -n 1; }

# base_disk: prints the path of a bootable Debian disk; makes it when it is not in the cache.
base_disk() {
  local tar disk
  tar=$(root_tar trixie "${root_packages[@]}" "${machine_packages[@]}")
  disk=$cache/base-$(key_of "$tar" "$(declare -f make_disk attach)").qcow2
  if [[ ! -s $disk ]]; then
    logged 'make the base disk' make_disk "$tar" "$disk.new"
    mv "$disk.new" "$disk"
  fi
  printf '%s\n' "$disk"
}

# make_disk TAR QCOW2: a small partition with extlinux, kernel and initrd, which nobody mounts (a mounted ext4 may lose its boot sector: seen
# with Linux 6.12.118), and the root; the network is systemd-networkd's and systemd-resolved's, set up by cloud-init.
make_disk() (
  set -euo pipefail
  scratch=$(mktemp -d)
  raw=$scratch/disk.raw
  boot=$scratch/boot
  root=$scratch/root
  trap 'set +e; umount "$boot" "$root" 2>/dev/null; losetup -j "$raw" | cut -d: -f1 | xargs -r losetup -d; rm -rf "$scratch"' EXIT
  truncate -s 4G "$raw"
  printf '%s\n' "2048,$((root_sector - 2048)),L,*" "$root_sector,,L" | sfdisk -q "$raw"
  dd if=/usr/lib/EXTLINUX/mbr.bin of="$raw" conv=notrunc bs=440 count=1 status=none
  mkdir "$boot" "$root"
  attach "$raw" 2048 boot "$boot" --sizelimit $(((root_sector - 2048) * 512))
  attach "$raw" "$root_sector" root "$root"
  tar -C "$root" --numeric-owner -xf "$1"
  echo 'LABEL=root / ext4 defaults 0 1' >"$root/etc/fstab"
  ln -sfn ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
  # The serial port is the machine's console, and it is the tests' alone: a getty would cut lines of it.
  systemctl --root="$root" mask serial-getty@ttyS0.service
  systemctl --root="$root" enable systemd-networkd.service
  # For machines to which cloud-init says nothing; what it writes comes first in the alphabet.
  printf '[Match]\nType=ether\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/80-dhcp.network"
  cp "$root"/boot/vmlinuz-* "$boot/vmlinuz"
  cp "$root"/boot/initrd.img-* "$boot/initrd.img"
  cat >"$boot/extlinux.conf" <<CONF
default linux
label linux
  kernel /vmlinuz
  initrd /initrd.img
  append root=LABEL=root ro console=ttyS0 systemd.show_status=false
CONF
  extlinux --install "$boot"
  umount "$boot" "$root"
  qemu-img convert -O qcow2 "$raw" "$2"
)
readonly root_sector=$((2048 + 64 * 2048))

# attach RAW SECTOR LABEL FOLDER [LOSETUP-OPTION...]: formats and mounts a partition.
attach() {
  local loop
  loop=$(losetup --find --show --offset $(($2 * 512)) "${@:5}" "$1")
  mkfs.ext4 -q -L "$3" "$loop"
  mount "$loop" "$4"
}

# ---- a running machine: NAME's files are in $work/NAME: disk.qcow2, console.new (this boot), console.log (earlier ones), pid ---
readonly gateway=10.99.0.1 # the cluster's own loopback, as the machine sees it: a name in the API server's certificate

# new_machine NAME IMAGE: a disk of its own on top of the image.
new_machine() {
  [[ $sockets ]] || sockets=$(mktemp -d)
  mkdir -p "$work/$1"
  qemu-img create -q -f qcow2 -F qcow2 -b "$2" "$work/$1/disk.qcow2"
  : >"$work/$1/console.log"
}

# start_machine NAME [QEMU-ARGUMENT...]: powers it on, in the cluster's network. With boot_folder set, that is what it gets by TFTP,
# node.ipxe first.
start_machine() {
  local name=$1 args
  shift
  mapfile -t args < <(accelerator)
  rm -f "$sockets/$name.monitor"
  # The port is the machine's own: one network namespace holds them all.
  nsenter --net="$NETNS" qemu-system-x86_64 -name "$name" -machine q35 "${args[@]}" -m 2048 -display none -no-reboot \
    -drive "file=$work/$name/disk.qcow2,if=virtio,format=qcow2,cache=writeback" \
    -netdev "user,id=net,net=10.99.0.0/24,host=$gateway,dhcpstart=10.99.0.15,dns=10.99.0.3,hostfwd=tcp:127.0.0.1:$(ssh_port "$name")-:22${boot_folder:+,tftp=$boot_folder,bootfile=node.ipxe}" \
    -device virtio-net-pci,netdev=net -device virtio-rng-pci \
    -serial "file:$work/$name/console.new" -monitor "unix:$sockets/$name.monitor,server,nowait" "$@" \
    >"$work/$name/qemu.log" 2>&1 </dev/null &
  echo $! >"$work/$name/pid"
  disown $!
  machines+=("$name")
}
machines=()
sockets= # their folder, made with the first machine: a socket's path must be short

ssh_port() { echo $((20000 + 0x$(key_of "$1" | cut -c1-3))); }

# power_off NAME: presses the button and waits until the machine is off.
power_off() {
  echo system_powerdown | socat - "UNIX-CONNECT:$sockets/$1.monitor" >/dev/null
  await_exit 240 "$(<"$work/$1/pid")" || die "power $1 off: see $work/$1/console.new"
  keep_console "$1"
}

# reboot NAME [QEMU-ARGUMENT...]: a clean one, from inside; the arguments are start_machine's.
reboot() {
  on "$1" 'systemctl reboot' || true # the connection ends with the machine
  await_exit 240 "$(<"$work/$1/pid")" || die "reboot $1: see $work/$1/console.new"
  keep_console "$1"
  start_machine "$@"
}

# cut_power NAME: pulls the plug. What the machine had not flushed is lost.
cut_power() {
  kill -KILL "$(<"$work/$1/pid")"
  await_exit 10 "$(<"$work/$1/pid")"
  keep_console "$1"
}

# keep_console NAME: the boots of one machine, one after the other, in one log.
keep_console() {
  cat "$work/$1/console.new" >>"$work/$1/console.log"
  rm "$work/$1/console.new"
}

stop_machines() {
  local name pid
  for name in "${machines[@]}"; do
    pid=$(<"$work/$name/pid")
    if [[ $(readlink "/proc/$pid/exe") == */qemu-system-x86_64 ]]; then kill -KILL "$pid"; fi
  done
  [[ ! $sockets ]] || rm -rf "$sockets"
}

# on NAME COMMAND: runs COMMAND (a shell's) as root on the machine. One connection serves all calls.
on() {
  nsenter --net="$NETNS" ssh -q -p "$(ssh_port "$1")" -i "$work/key" -o BatchMode=yes -o ConnectTimeout=20 -o StrictHostKeyChecking=no \
    -o UserKnownHostsFile=/dev/null -o ControlMaster=auto -o ControlPath="$sockets/$1.ssh" -o ControlPersist=600 debian@127.0.0.1 "sudo sh -c $(printf %q "$2")"
}

# seed_disk NAME USER-DATA-FILE: a NoCloud disk; prints the qemu arguments that attach it.
seed_disk() {
  local seed=$work/$1/seed
  mkdir -p "$seed"
  cp "$2" "$seed/user-data"
  printf 'instance-id: i-%s\nlocal-hostname: %s\n' "$1" "$1" >"$seed/meta-data"
  xorriso -as mkisofs -quiet -V cidata -J -r -o "$seed.iso" "$seed" 2>/dev/null
  printf '%s\n' -drive "file=$seed.iso,if=virtio,format=raw,readonly=on"
}
