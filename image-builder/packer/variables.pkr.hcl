# What a build may be told. By -var NAME=VALUE, by -var-file, or by the environment: PKR_VAR_NAME.

# ---- what goes into the image -------------------------------------------------------------------------------------------
variable "kubejoin" {
  type        = string
  default     = "../build/kubejoin"
  description = "The kubejoin program for the image's architecture: a file of that name."
}

variable "kubelet" {
  type        = string
  default     = ""
  description = "The kubelet: an https:// address. Empty: the one in kubelet_file, or the one that the base image has."
}

variable "kubelet_file" {
  type        = string
  default     = ""
  description = "The kubelet as a file on this machine, to be uploaded."
}

variable "kubelet_sha256" {
  type        = string
  default     = ""
  description = "The kubelet's SHA-256; must be given with an address."
}

variable "images" {
  type        = string
  default     = ""
  description = "A folder of container images (OCI archives, *.tar) that the image shall carry, so that a first boot pulls nothing."
}

variable "overlay" {
  type        = string
  default     = ""
  description = "A folder of your own that is laid over the image's root: a pod network's configuration, hooks, programs."
}

variable "pause_image" {
  type        = string
  default     = ""
  description = "The sandbox image's name; empty: containerd's own default."
}

variable "cgroup_driver" {
  type        = string
  default     = "systemd"
  description = "As the cluster's kubelet configuration has it: systemd or cgroupfs."
}

variable "name" {
  type        = string
  default     = "kubejoin-node"
  description = "The image's name; a build adds the time to it where a cloud wants names to differ."
}

# ---- qemu ---------------------------------------------------------------------------------------------------------------
variable "qemu_base" {
  type        = string
  default     = "base.qcow2"
  description = "A bootable qcow2 with cloud-init and an SSH server: a distribution's cloud image."
}

variable "qemu_base_checksum" {
  type        = string
  default     = "none"
  description = "Its checksum: sha256:HEX; none switches the check off."
}

variable "qemu_disk_size" {
  type        = string
  default     = "8G"
  description = "The image's size; not less than the base's."
}

variable "qemu_seed" {
  type        = string
  default     = "seed"
  description = "A folder with user-data and meta-data that let ssh_private_key_file in; served to cloud-init over HTTP during the bake."
}

variable "qemu_output" {
  type        = string
  default     = "output"
  description = "The folder for the finished image; must not exist."
}

variable "qemu_args" {
  type        = list(list(string))
  default     = [["-accel", "kvm"], ["-cpu", "host"]]
  description = "Further arguments of qemu, each with its value: acceleration and processor."
}

variable "ssh_username" {
  type        = string
  default     = "debian"
  description = "A user of the base image who may become root by sudo."
}

variable "ssh_private_key_file" {
  type        = string
  default     = ""
  description = "The key to log in with (qemu); the clouds make one of their own."
}

# ---- amazon-ebs ---------------------------------------------------------------------------------------------------------
variable "aws_region" {
  type        = string
  default     = "eu-central-1"
  description = "Where the image is made."
}

variable "aws_source_ami" {
  type        = string
  default     = ""
  description = "The AMI to start from; empty: the newest Debian of the owner below."
}

variable "aws_source_owner" {
  type        = string
  default     = "136693071363"
  description = "The account whose images are searched: Debian's."
}

variable "aws_source_name" {
  type        = string
  default     = "debian-13-amd64-*"
  description = "The name, with wildcards, of the image to start from."
}

variable "aws_instance_type" {
  type        = string
  default     = "t3.medium"
  description = "The machine that bakes."
}

# ---- googlecompute ------------------------------------------------------------------------------------------------------
variable "gcp_project" {
  type        = string
  default     = "my-project"
  description = "The project that owns the image. Credentials: the environment's (GOOGLE_APPLICATION_CREDENTIALS)."
}

variable "gcp_zone" {
  type        = string
  default     = "europe-west3-a"
  description = "Where the machine that bakes runs."
}

variable "gcp_source_family" {
  type        = string
  default     = "debian-13"
  description = "The image family to start from; of Debian's project debian-cloud."
}

# ---- azure-arm ----------------------------------------------------------------------------------------------------------
variable "azure_subscription_id" {
  type        = string
  default     = "00000000-0000-0000-0000-000000000000"
  description = "The subscription that owns the image."
}

variable "azure_client_id" {
  type        = string
  default     = "00000000-0000-0000-0000-000000000000"
  description = "The application that builds."
}

variable "azure_client_secret" {
  type        = string
  default     = "set-by-PKR_VAR_azure_client_secret"
  description = "Its password; give it by the environment."
}

variable "azure_tenant_id" {
  type        = string
  default     = "00000000-0000-0000-0000-000000000000"
  description = "The application's directory."
}

variable "azure_resource_group" {
  type        = string
  default     = "images"
  description = "The resource group that gets the image."
}

variable "azure_location" {
  type        = string
  default     = "germanywestcentral"
  description = "Where the image is made."
}

# ---- openstack ----------------------------------------------------------------------------------------------------------
variable "openstack_auth_url" {
  type        = string
  default     = ""
  description = "The identity service; empty: OS_AUTH_URL. User, password and project come from the OS_… variables or clouds.yaml."
}

variable "openstack_source_image" {
  type        = string
  default     = "debian-13"
  description = "The name of the image to start from."
}

variable "openstack_flavor" {
  type        = string
  default     = "m1.small"
  description = "The machine that bakes."
}

variable "openstack_network" {
  type        = string
  default     = "00000000-0000-0000-0000-000000000000"
  description = "The network, by id, that the machine is connected to."
}
