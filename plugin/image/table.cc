// The table: what an image may not carry, who makes it anew on a clone, and where that is written down.
//
// Sources, beside the manual pages of what is named: virt-sysprep(1) [S], whose operations have been collected for fifteen years; reports of
// fleets in which clones shared something: kubernetes-sigs/image-builder 1768 and harvester/harvester 6911 (iSCSI), metal-stack/metal-images
// 359 (NVMe); systemd's "Safely Building Images" [B].
#include <algorithm>

#include "base/text.h"
#include "image/traces.h"

namespace kubejoin::image {
namespace {

// systemd's word for "the next boot is the first" (machine-id(5)). An empty file gets a new id too, but no first boot.
constexpr char kUninitialized[] = "uninitialized\n";

void find_machine_id(Image& image, const Trace& trace, Search& search) {
  constexpr char kPath[] = "/etc/machine-id", kDbus[] = "/var/lib/dbus/machine-id";
  const auto info = image.host.stat(kPath);
  const auto text = image.host.read(kPath, 4096);
  std::string why;
  if (!info) why = "is absent: a root that is read-only at first could not keep the id that is made for it";
  else if (!text || *text != kUninitialized) why = text && trim(*text).empty() ? "is empty: it must say \"uninitialized\", else systemd sees no first boot" : "is this machine's: every clone would have the same";
  else if (info->mode != 0444) why = "must have mode 0444";
  if (!why.empty()) search.findings.push_back({.check = std::string(trace.name), .path = kPath, .what = why, .content = kUninitialized, .mode = 0444});
  // Where D-Bus keeps a copy instead of a link; its package makes the link at boot (tmpfiles.d).
  if (const auto copy = image.host.stat(kDbus); copy && copy->type == FileType::regular)
    search.findings.push_back({.check = std::string(trace.name), .path = kDbus, .what = "is a copy of this machine's id"});
}

// The name that is baked into /etc/hostname; empty when it is none. Without the file cloud-init, DHCP or the hypervisor name the machine.
std::string baked_name(Image& image) {
  const auto text = image.host.read("/etc/hostname", 4096);
  const std::string name(trim(text.value_or("")));
  return name == "localhost" || name == "localhost.localdomain" || name.starts_with('#') ? "" : name;
}

// A baked name is one name for all: two nodes of one name overwrite each other's Node.
void find_hostname(Image& image, const Trace& trace, Search& search) {
  if (const std::string name = baked_name(image); !name.empty())
    search.findings.push_back({.check = std::string(trace.name), .path = "/etc/hostname", .what = "names every machine of this image " + quoted(name)});
}

// The line that Debian's installer and cloud-init write for the machine's own name, and any address that the build gave to it.
void find_own_address(Image& image, const Trace& trace, Search& search) {
  const std::string own = baked_name(image);
  int number = 0;
  for (const std::string& line : split(image.host.read("/etc/hosts", 1 << 20).value_or(""), '\n')) {
    ++number;
    std::vector<std::string> words;
    for (const std::string& word : split(replace_all(line.substr(0, line.find('#')), "\t", " "), ' '))
      if (!trim(word).empty()) words.emplace_back(trim(word));
    if (words.size() < 2 || words[0] == "127.0.0.1" || words[0] == "::1") continue;
    const bool is_own = words[0] == "127.0.1.1" || (!own.empty() && std::find(words.begin() + 1, words.end(), own) != words.end());
    if (is_own) search.findings.push_back({.check = std::string(trace.name), .path = "/etc/hosts", .line = number, .what = "is the build machine's name, " + quoted(words[1]), .cuts = true});
  }
}

// Debian's iscsid makes a name where the file asks for one, and does not start where there is no file; Fedora's and openSUSE's make the file.
void find_iscsi_name(Image& image, const Trace& trace, Search& search) {
  constexpr char kPath[] = "/etc/iscsi/initiatorname.iscsi";
  const std::string text = "\n" + image.host.read(kPath, 64 << 10).value_or("");
  if (text.find("\nInitiatorName") == text.npos) return;
  Finding finding{.check = std::string(trace.name), .path = kPath, .what = "is the name by which storage knows this machine: of two that use it the second breaks the first's disks"};
  if (image.host.stat("/usr/lib/open-iscsi/startup-checks.sh") || image.host.stat("/lib/open-iscsi/startup-checks.sh")) {
    finding.content = "GenerateName=yes\n";
    finding.mode = 0600;
  }
  search.findings.push_back(std::move(finding));
}

constexpr Sort kIdentity = Sort::identity, kSecret = Sort::secret, kTrace = Sort::trace;

constexpr Trace kTraces[] = {
    // --- who this machine is ---
    {.name = "machine-id", .sort = kIdentity, .sentence = "the machine's id", .anew = "systemd", .find = find_machine_id},
    {.name = "hostname", .sort = kIdentity, .sentence = "the machine's name", .anew = "cloud-init, DHCP or the hypervisor", .find = find_hostname},
    {.name = "hosts", .sort = kIdentity, .sentence = "the machine's name and addresses in /etc/hosts", .anew = "cloud-init (manage_etc_hosts)",
     .find = find_own_address},
    {.name = "random-seed", .sort = kIdentity, .sentence = "seeds of randomness, the same for all clones", .anew = "systemd, the boot loader",
     .paths = "/var/lib/systemd/random-seed /var/lib/urandom/random-seed /var/lib/random-seed /boot/loader/random-seed /boot/efi/loader/random-seed /efi/loader/random-seed"},
    {.name = "credential-secret", .sort = kIdentity, .sentence = "the key of systemd's encrypted credentials, the TPM's key", .anew = "systemd",  // [B]
     .paths = "/var/lib/systemd/credential.secret /var/lib/systemd/tpm2-srk-public-key.* /var/lib/systemd/pcrlock.json"},
    {.name = "ssh-host-keys", .sort = kIdentity, .sentence = "the keys by which SSH proves who a machine is", .anew = "cloud-init, or a unit that runs ssh-keygen -A",
     .paths = "/etc/ssh/ssh_host_*key* /etc/dropbear/dropbear_*_host_key"},
    {.name = "dhcp", .sort = kIdentity, .sentence = "DHCP leases and DUIDs", .anew = "the DHCP client",
     .paths = "/var/lib/dhcp/*lease* /var/lib/dhclient/*lease* /var/lib/dhcpcd/* /var/lib/dhcpcd5/* /etc/dhcpcd.duid /etc/dhcpcd.secret "
              "/var/lib/NetworkManager/*lease* /var/lib/NetworkManager/secret_key /var/lib/NetworkManager/timestamps /var/lib/NetworkManager/seen-bssids /var/lib/systemd/network/*"},
    {.name = "network", .sort = kIdentity, .sentence = "the build machine's interfaces, as udev and cloud-init wrote them down", .anew = "udev, cloud-init",
     .paths = "/etc/udev/rules.d/70-persistent-net.rules /etc/netplan/50-cloud-init.yaml /etc/network/interfaces.d/50-cloud-init* /etc/systemd/network/10-cloud-init-* "
              "/etc/NetworkManager/system-connections/cloud-init-* /etc/NetworkManager/conf.d/99-cloud-init.conf"},
    // A file that matches a card that no clone has does nothing there; one that gives its address to every clone takes the network down.
    {.name = "network-cards", .sort = kIdentity, .sentence = "network configuration for the build machine's own card", .anew = "cloud-init",
     .paths = "/etc/netplan/*.yaml /etc/netplan/*.yml /etc/systemd/network/*.network /etc/systemd/network/*.link /etc/udev/rules.d/*.rules", .look = look_for_address},
    {.name = "card-settings", .sort = kIdentity, .sentence = "settings that bind an interface to the build machine's card", .anew = "the network's manager",  // [S] net-hwaddr
     .paths = "/etc/sysconfig/network-scripts/ifcfg-* /etc/sysconfig/network/ifcfg-* /etc/NetworkManager/system-connections/*.nmconnection /etc/network/interfaces /etc/network/interfaces.d/* "
              "/etc/systemd/network/*.netdev",
     .look = look_for_card, .cuts = true},
    {.name = "iscsi", .sort = kIdentity, .sentence = "the iSCSI initiator's name", .anew = "iscsid's unit", .find = find_iscsi_name},
    {.name = "nvme", .sort = kIdentity, .sentence = "the NVMe host's name and id", .anew = "the kernel, or nvme gen-hostnqn", .paths = "/etc/nvme/hostnqn /etc/nvme/hostid"},
    {.name = "hostid", .sort = kIdentity, .sentence = "the host id (gethostid(3)), by which ZFS knows whose a pool is", .anew = "zgenhostid",
     .paths = "/etc/hostid"},
    {.name = "disks", .sort = kIdentity, .sentence = "the build machine's disks, as LVM and multipath know them", .anew = "lvmdevices, multipathd",  // [S] lvm-system-devices
     .paths = "/etc/lvm/devices/* /etc/lvm/backup/* /etc/lvm/archive/* /etc/multipath/wwids /etc/multipath/bindings /etc/multipath/prkeys"},
    {.name = "subscription", .sort = kIdentity, .sentence = "the machine's subscription at its distribution", .anew = "pro attach, subscription-manager register, SUSEConnect",  // [S]
     .paths = "/var/lib/ubuntu-advantage/private/* /var/lib/ubuntu-advantage/machine-token.json /etc/pki/consumer/* /etc/pki/entitlement/* /var/lib/rhsm/*/* /etc/sysconfig/rhn/systemid* "
              "/etc/sysconfig/rhn/osad-auth.conf /etc/insights-client/machine-id /etc/insights-client/.*registered /etc/zypp/credentials.d/* /var/lib/yum/uuid /var/lib/landscape/client/*"},
    {.name = "domain", .sort = kIdentity, .sentence = "the machine's account in a domain", .anew = "realm join, ipa-client-install",  // [S] kerberos-hostkeytab, sssd-db-log, samba-db-log
     .paths = "/etc/krb5.keytab /var/lib/sss/db/* /var/lib/sss/secrets/* /var/lib/samba/private/*.tdb /var/lib/ipa-client/sysrestore/*"},
    {.name = "vpn", .sort = kIdentity, .sentence = "the machine's keys in private networks", .anew = "whoever joins the network",
     .paths = "/etc/wireguard/* /var/lib/tailscale/* /var/lib/zerotier-one/identity.* /var/lib/zerotier-one/authtoken.secret /var/lib/netbird/* /etc/netbird/*.json /etc/openvpn/*.key "
              "/etc/openvpn/*.p12 /etc/openvpn/*/*.key /etc/openvpn/*/*.p12 /etc/ipsec.d/private/* /etc/swanctl/private/* /etc/swanctl/rsa/* /etc/swanctl/ecdsa/* /etc/swanctl/pkcs8/* /etc/swanctl/pkcs12/* "
              "/etc/tinc/*/*.priv /etc/nebula/*.key /etc/cloudflared/*.json /etc/cloudflared/cert.pem"},
    {.name = "cloud-agents", .sort = kIdentity, .sentence = "what the cloud's own agents know of the build machine", .anew = "the agents",
     .paths = "/var/lib/waagent/* /var/lib/amazon/ssm/* /etc/instance_id /var/lib/google/* /var/lib/oracle-cloud-agent/*"},
    {.name = "agents", .sort = kIdentity, .sentence = "by what managers of machines and watchers know this one", .anew = "the agents, when they register",
     .paths = "/etc/salt/minion_id /etc/salt/pki/minion/* /etc/puppetlabs/puppet/ssl/** /etc/puppet/ssl/** /var/lib/puppet/ssl/** /etc/chef/*.pem /etc/cinc/*.pem /var/ossec/etc/client.keys "
              "/opt/consul/node-id /var/lib/consul/node-id /opt/consul/data/node-id /var/lib/nomad/client/client-id /opt/nomad/client/client-id /var/lib/filebeat/meta.json /var/lib/metricbeat/meta.json "
              "/opt/Elastic/Agent/fleet.enc /etc/datadog-agent/auth_token /var/lib/teleport/* /etc/zabbix/*.psk"},
    {.name = "firmware", .sort = kIdentity, .sentence = "the key by which fwupd signs reports of this machine", .anew = "fwupd", .paths = "/var/lib/fwupd/pki/*"},
    {.name = "runtime-id", .sort = kIdentity, .sentence = "the container runtime's id", .anew = "the runtime",
     .paths = "/var/lib/containerd/io.containerd.grpc.v1.introspection/uuid /var/lib/docker/engine-id /etc/docker/key.json"},

    // --- what it was told, and what it did ---
    // Ubuntu's installer forbids cloud-init to configure the network of the machine that it installed: clones would have none.
    {.name = "cloud-init", .sort = kTrace, .sentence = "cloud-init's memory: user-data with its token, instance data, what was done", .anew = "cloud-init",
     .paths = "/var/lib/cloud/* /etc/cloud/cloud.cfg.d/99-installer.cfg /etc/cloud/cloud.cfg.d/90-installer-network.cfg /etc/cloud/cloud.cfg.d/subiquity-disable-cloudinit-networking.cfg "
              "/etc/sudoers.d/90-cloud-init-users /etc/ssh/sshd_config.d/50-cloud-init.conf"},
    {.name = "kubejoin", .sort = kTrace, .sentence = "kubejoin's journal and results", .anew = "kubejoin", .paths = "/var/lib/kubejoin/*"},
    {.name = "kubelet", .sort = kIdentity, .sentence = "a node's certificates, configuration and state", .anew = "the join", .paths = "/var/lib/kubelet/*"},
    {.name = "kubernetes", .sort = kSecret, .sentence = "kubeconfigs, the cluster's CA, a control plane's pods, join configurations", .anew = "the join",
     .paths = "/etc/kubernetes/*.conf /etc/kubernetes/pki/* /etc/kubernetes/tmp/* /etc/kubernetes/manifests/etcd.yaml /etc/kubernetes/manifests/kube-*.yaml /etc/kubeadm.yml /etc/kubeadm.sh"},
    {.name = "other-clusters", .sort = kIdentity, .sentence = "membership in a cluster of k3s, RKE2, k0s or MicroK8s", .anew = "a join of theirs",
     .paths = "/etc/rancher/node/password /var/lib/rancher/*/agent/*.key /var/lib/rancher/*/agent/*.crt /var/lib/rancher/*/agent/*.kubeconfig /var/lib/rancher/*/server/token "
              "/var/lib/rancher/*/server/*-token /var/lib/rancher/*/server/cred/* /var/lib/rancher/*/server/tls/* /var/lib/rancher/*/server/db/* /var/lib/k0s/pki/* /var/lib/k0s/kubelet.conf "
              "/var/snap/microk8s/*/credentials/* /var/snap/microk8s/*/certs/*"},
    {.name = "cni", .sort = kTrace, .sentence = "addresses of pods, credentials of CNI plugins", .anew = "the cluster's network",
     .paths = "/var/lib/cni/networks/* /var/lib/cni/results/* /var/lib/cni/cache/* /etc/cni/net.d/*kubeconfig*"},
    {.name = "run", .sort = kTrace, .sentence = "what belongs to one boot: join configurations, sentinels, results",
     .paths = "/run/kubeadm /run/kubejoin /run/cluster-api /run/cloud-init", .offline_only = true},

    // --- what people left ---
    {.name = "shell-history", .sort = kTrace, .sentence = "histories of shells, editors, databases and programs",
     .paths = "~/.*history* ~/.*_hist ~/.lesshst ~/.viminf* ~/.vim/.netrwhist ~/.wget-hsts ~/.dbshell ~/.mongodb/mongosh/* ~/.local/share/fish/fish_history ~/.local/share/nano/search_history "
              "~/.local/share/recently-used.xbel ~/.local/state/*history* ~/.emacs.d/recentf ~/.emacs.d/auto-save-list/*"},
    {.name = "user-ssh", .sort = kSecret, .sentence = "keys that may log in, keys to log in elsewhere", .anew = "cloud-init, from the instance's data",
     .paths = "~/.ssh/authorized_keys* ~/.ssh/known_hosts* ~/.ssh/id_*"},
    {.name = "credentials", .sort = kSecret, .sentence = "credentials of clouds, clusters and registries",
     .paths = "~/.kube/* ~/.aws/* ~/.azure/* ~/.oci/* ~/.aliyun/* ~/.config/gcloud/* ~/.config/openstack/* ~/.config/doctl/* ~/.config/hcloud/* ~/.config/scw/* ~/.config/linode-cli* ~/.config/rclone/rclone.conf "
              "~/.config/gh/hosts.yml ~/.config/glab-cli/* ~/.config/helm/re* ~/.terraformrc ~/.terraform.d/credentials* ~/.docker/config.json ~/.config/containers/auth.json ~/.netrc ~/.git-credentials "
              "~/.config/git/credentials ~/.vault-token ~/.pgpass ~/.my.cnf ~/.mylogin.cnf ~/.s3cfg ~/.boto ~/.passwd-s3fs ~/.smbcredentials ~/.pypirc ~/.cargo/credentials* ~/.gem/credentials ~/.composer/auth.json "
              "~/.config/composer/auth.json ~/.gnupg/private-keys-v1.d/* ~/.gnupg/secring.gpg ~/.config/sops/age/* ~/.password-store ~/.ansible_vault* /etc/apt/auth.conf /etc/apt/auth.conf.d/* "
              "/etc/docker/config.json /etc/containers/auth.json /etc/passwd-s3fs /etc/boto.cfg /etc/netrc"},
    {.name = "npm", .sort = kSecret, .sentence = "logins of npm and yarn", .paths = "~/.npmrc ~/.yarnrc ~/.yarnrc.yml /etc/npmrc /usr/local/etc/npmrc", .look = look_for_npm_login},
    {.name = "registries", .sort = kSecret, .sentence = "logins of image registries in the runtime's configuration", .anew = "the kubelet's credential providers, or pull secrets",
     .paths = "/etc/containerd/*.toml /etc/containerd/*/*.toml /etc/containerd/*/*/*.toml", .look = look_for_registry_login, .cuts = true},
    {.name = "installer", .sort = kTrace, .sentence = "answers that the system was installed with", .paths = "~/anaconda-ks.cfg ~/original-ks.cfg ~/initial-setup-ks.cfg ~/preseed.cfg"},
    {.name = "mail", .sort = kTrace, .sentence = "mail of the system",  // [S] mail-spool
     .paths = "/var/mail/** /var/spool/postfix/active/** /var/spool/postfix/defer*/** /var/spool/postfix/incoming/** /var/spool/postfix/maildrop/** /var/spool/exim4/input/** /var/spool/mqueue/** "
              "~/mbox ~/dead.letter"},
    {.name = "jobs", .sort = kTrace, .sentence = "jobs of cron and at that people ordered",  // [S] cron-spool
     .paths = "/var/spool/cron/crontabs/* /var/spool/cron/root /var/spool/cron/atjobs/[a-z=]0* /var/spool/cron/atspool/[a-z=]0* /var/spool/at/[a-z=]0* /var/spool/at/spool/[a-z=]0* /var/spool/atjobs/[a-z=]0*"},

    // --- what the build left ---
    {.name = "build-tools", .sort = kTrace, .sentence = "what Ansible, Packer and Vagrant leave", .paths = "~/.ansible ~/.packer.d ~/.vagrant.d ~/.vbox_version ~/packer_cache /etc/vagrant_box_build_time"},
    // wtmp even while it is empty: where there is one, systemd writes to it on the way down.
    {.name = "logs", .sort = kTrace, .sentence = "logs and journals, wherever a secret may have been written to", .paths = "/var/log/journal/* /var/log/wtmp /var/log/** /var/lib/wtmpdb/** /var/lib/lastlog/**"},
    {.name = "core-dumps", .sort = kTrace, .sentence = "memory of programs that crashed",  // [S] crash-data, abrt-data
     .paths = "/var/lib/systemd/coredump/* /var/lib/systemd/pstore/* /var/crash/* /core /core.* /var/lib/apport/coredump/* /var/spool/abrt/*"},
    {.name = "tmp", .sort = kTrace, .sentence = "temporary files", .paths = "/tmp/* /var/tmp/*"},
    {.name = "package-caches", .sort = kTrace, .sentence = "downloaded packages and lists", .paths = "/var/cache/apt/** /var/lib/apt/lists/** /var/cache/dnf/** /var/cache/yum/** /var/cache/zypp/**"},

    // --- secrets, wherever they stand; last, so that what has a row of its own is told by that row as well ---
    {.name = "tokens", .sort = kSecret, .sentence = "bootstrap tokens and service-account tokens in any text file", .look = look_for_tokens, .cuts = true},
    {.name = "private-keys", .sort = kSecret, .sentence = "private keys in any text file", .look = look_for_private_keys},
    {.name = "kubeconfigs", .sort = kSecret, .sentence = "kubeconfigs with a credential, in any text file", .look = look_for_kubeconfigs},
    {.name = "passwords", .sort = kSecret, .sentence = "passwords in URLs, of proxies and repositories, in any text file", .look = look_for_passwords, .cuts = true},
};

}  // namespace

std::span<const Trace> traces() { return kTraces; }

}  // namespace kubejoin::image
