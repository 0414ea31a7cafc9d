# The bake itself, the same on every platform: upload, run the steps in the order of their numbers, seal last.

locals {
  time = formatdate("YYYYMMDDhhmmss", timestamp())
  bake = "/tmp/kubejoin-bake"
  # What is uploaded keeps its name.
  uploads = concat(
    [var.kubejoin, "${path.root}/../rootfs", "${path.root}/../rootfs-kubelet", "${path.root}/../steps"],
    var.kubelet_file == "" ? [] : [var.kubelet_file],
    var.images == "" ? [] : [var.images],
    var.overlay == "" ? [] : [var.overlay],
  )
  # See steps/lib.sh.
  environment = [
    "KUBEJOIN_BAKE=${local.bake}",
    "KUBELET=${var.kubelet_file == "" ? var.kubelet : "${local.bake}/${basename(var.kubelet_file)}"}",
    "KUBELET_SHA256=${var.kubelet_sha256}",
    "IMAGES=${local.bake}/${var.images == "" ? "images" : basename(var.images)}",
    "OVERLAY=${var.overlay == "" ? "" : "${local.bake}/${basename(var.overlay)}"}",
    "PAUSE_IMAGE=${var.pause_image}",
    "CGROUP_DRIVER=${var.cgroup_driver}",
  ]
}

build {
  sources = [
    "source.qemu.node",
    "source.amazon-ebs.node",
    "source.googlecompute.node",
    "source.azure-arm.node",
    "source.openstack.node",
  ]

  provisioner "shell" {
    inline = ["mkdir -p ${local.bake}"]
  }
  provisioner "file" {
    sources     = local.uploads
    destination = "${local.bake}/"
  }
  provisioner "shell" {
    environment_vars = local.environment
    execute_command  = "sudo env {{ .Vars }} bash -e {{ .Path }}"
    inline           = ["for step in ${local.bake}/steps/[1-8]*.sh; do bash $step; done"]
  }
  # Last, on its own: it removes what was uploaded, the right to sudo, and nothing may log in after it. So a machine that Packer itself
  # switches off (the clouds' are stopped from outside) is prepared for that here; sources.pkr.hcl gives the sign.
  provisioner "shell" {
    execute_command = "sudo env {{ .Vars }} bash -e {{ .Path }}"
    inline = [
      "[ $PACKER_BUILDER_TYPE != qemu ] || systemd-run --quiet --path-property=PathExists=/dev/shm/power-off systemctl poweroff",
      "bash ${local.bake}/steps/90-seal.sh",
      "rm -rf ${local.bake}",
    ]
  }
}
