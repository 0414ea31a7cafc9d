# Where an image can be baked, one source a platform; `packer build -only=qemu.node .` takes one.

source "qemu" "node" {
  iso_url          = var.qemu_base
  iso_checksum     = var.qemu_base_checksum
  disk_image       = true
  use_backing_file = true
  disk_size        = var.qemu_disk_size
  format           = "qcow2"
  disk_interface   = "virtio"
  net_device       = "virtio-net"
  output_directory = var.qemu_output
  vm_name          = "${var.name}.qcow2"
  headless         = true
  accelerator      = "none" # qemu_args says which
  cpus             = 2
  memory           = 2048
  disable_vnc      = true
  http_directory   = var.qemu_seed
  # cloud-init finds its seed by the serial number; the older name of the two is known to every release.
  qemuargs = concat(var.qemu_args, [
    ["-smbios", "type=1,serial=ds=nocloud-net;s=http://10.0.2.2:{{ .HTTPPort }}/"],
    ["-serial", "file:${var.qemu_output}.console.log"],
  ])
  qemu_img_args {
    create = ["-F", "qcow2"] # qemu 6.1 and later want the backing file's format named
  }
  ssh_username         = var.ssh_username
  ssh_private_key_file = var.ssh_private_key_file
  ssh_timeout          = "20m"
  shutdown_command     = "touch /dev/shm/power-off" # build.pkr.hcl waits for it: after the sealing nobody has a right to more
}

source "amazon-ebs" "node" {
  region        = var.aws_region
  instance_type = var.aws_instance_type
  ami_name      = "${var.name}-${local.time}"
  source_ami    = var.aws_source_ami
  dynamic "source_ami_filter" {
    for_each = var.aws_source_ami == "" ? [1] : []
    content {
      owners      = [var.aws_source_owner]
      most_recent = true
      filters     = { name = var.aws_source_name, virtualization-type = "hvm", root-device-type = "ebs" }
    }
  }
  ssh_username              = "admin"
  ssh_clear_authorized_keys = true
}

source "googlecompute" "node" {
  project_id              = var.gcp_project
  zone                    = var.gcp_zone
  source_image_family     = var.gcp_source_family
  source_image_project_id = ["debian-cloud"]
  image_name              = "${var.name}-${local.time}"
  image_family            = var.name
  machine_type            = "e2-medium"
  ssh_username            = "packer"
}

source "azure-arm" "node" {
  subscription_id                   = var.azure_subscription_id
  client_id                         = var.azure_client_id
  client_secret                     = var.azure_client_secret
  tenant_id                         = var.azure_tenant_id
  managed_image_resource_group_name = var.azure_resource_group
  managed_image_name                = "${var.name}-${local.time}"
  location                          = var.azure_location
  vm_size                           = "Standard_B2s"
  os_type                           = "Linux"
  image_publisher                   = "Debian"
  image_offer                       = "debian-13"
  image_sku                         = "13-gen2"
  ssh_username                      = "packer"
}

source "openstack" "node" {
  identity_endpoint = var.openstack_auth_url
  flavor            = var.openstack_flavor
  source_image_name = var.openstack_source_image
  networks          = [var.openstack_network]
  image_name        = "${var.name}-${local.time}"
  ssh_username      = "debian"
}
