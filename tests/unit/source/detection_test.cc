// Which platform a machine is, from its DMI, kernel command line, disks and files; nothing is asked before that is clear.
#include "recorded.h"

using namespace kubejoin;
using namespace kubejoin::source;

namespace {

using Files = std::map<std::string, std::string>;

Files dmi(std::initializer_list<std::pair<std::string, std::string>> fields) {
  Files files;
  for (const auto& [field, value] : fields) files["/sys/class/dmi/id/" + field] = value + "\n";
  return files;
}

Files command_line(const std::string& text) { return {{"/proc/cmdline", text + "\n"}}; }

std::string recognised(const Files& files) {
  FakeHost host;
  for (const auto& [path, content] : files) host.put(path, content);
  const Evidence evidence = gather(host);
  for (const Source& source : sources())
    if (source.detect(host, evidence)) {
      CHECK(host.requests.empty());
      return std::string(source.name);
    }
  const auto fetched = fetch(host, "", soon(host));
  REQUIRE(fetched.has_value());
  CHECK(fetched->none);
  CHECK(host.requests.empty());
  CHECK(host.sessions.empty());
  return fetched->source;
}

}  // namespace

TEST_CASE("source::detect") {
  struct Machine {
    const char* expected;
    Files files;
  };
  const Machine table[] = {
      // ---- Amazon EC2
      {"ec2", dmi({{"sys_vendor", "Amazon EC2"}, {"product_name", "m6i.large"}})},
      {"ec2", dmi({{"sys_vendor", "Xen"}, {"product_version", "4.11.amazon"}, {"product_uuid", "EC2A1B2C-0000-4000-8000-000000000001"}})},
      {"ec2", {{"/sys/hypervisor/type", "xen\n"}, {"/sys/class/dmi/id/product_uuid", "ec2a1b2c-0000-4000-8000-000000000001\n"}}},
      {"ec2", {{"/sys/hypervisor/type", "xen\n"}, {"/sys/class/dmi/id/product_uuid", "45E12AEC-DCD1-B213-94ED-01234ABCDEF0\n"}}},  // little-endian
      {"none", dmi({{"sys_vendor", "Amazon"}})},
      {"none", dmi({{"sys_vendor", "amazon ec2"}})},
      {"none", dmi({{"sys_vendor", "QEMU"}, {"product_uuid", "ec2a1b2c-0000-4000-8000-000000000001"}})},  // one KVM machine in 4096
      {"none", dmi({{"sys_vendor", "Xen"}, {"product_version", "4.17"}})},
      {"none", {{"/sys/hypervisor/type", "xen\n"}, {"/sys/class/dmi/id/product_uuid", "4c2a1b2c-0000-4000-8000-000000000001\n"}}},
      // Others that speak EC2's version 1 alone are not asked.
      {"none", dmi({{"sys_vendor", "e24cloud"}})},
      {"none", dmi({{"product_serial", "1234.brightbox.com"}})},
      // ---- Google
      {"gce", dmi({{"sys_vendor", "Google"}, {"product_name", "Google Compute Engine"}})},
      {"gce", dmi({{"product_name", "Google"}, {"product_serial", "GoogleCloud-0123456789ABCDEF"}})},
      {"none", dmi({{"sys_vendor", "Google"}, {"product_name", "Google"}})},
      // ---- Azure
      {"azure", dmi({{"sys_vendor", "Microsoft Corporation"}, {"chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"}})},
      {"none", dmi({{"sys_vendor", "Microsoft Corporation"}, {"product_name", "Virtual Machine"}})},  // Hyper-V at home
      {"none", dmi({{"chassis_asset_tag", "7783-7084-3265-9085-8269-3286-7"}})},
      // ---- DigitalOcean, Hetzner, Oracle, Akamai, Alibaba
      {"digitalocean", dmi({{"sys_vendor", "DigitalOcean"}})},
      {"none", dmi({{"sys_vendor", "digitalocean"}})},
      {"hetzner", dmi({{"sys_vendor", "Hetzner"}})},
      {"none", dmi({{"sys_vendor", "Hetzner Online"}})},
      {"oracle", dmi({{"sys_vendor", "QEMU"}, {"chassis_asset_tag", "OracleCloud.com"}})},
      {"none", dmi({{"sys_vendor", "Oracle Corporation"}, {"product_name", "VirtualBox"}})},
      {"akamai", dmi({{"sys_vendor", "Akamai"}})},
      {"akamai", dmi({{"sys_vendor", "Linode"}})},
      {"aliyun", dmi({{"sys_vendor", "Alibaba Cloud"}, {"product_name", "Alibaba Cloud ECS"}})},
      {"none", dmi({{"sys_vendor", "Alibaba Cloud"}, {"product_name", "Alibaba Cloud"}})},
      // ---- Vultr, Scaleway
      {"vultr", dmi({{"sys_vendor", "Vultr"}})},
      {"vultr", command_line("root=/dev/sda1 vultr ro")},
      {"vultr", {{"/etc/vultr", ""}}},
      {"none", command_line("root=LABEL=vultr-root")},
      {"scaleway", dmi({{"sys_vendor", "Scaleway"}})},
      {"scaleway", command_line("scaleway console=ttyS0")},
      {"scaleway", {{"/run/scaleway", ""}}},
      {"none", command_line("hostname=scaleway-7")},
      // ---- OpenStack and clouds built on it
      {"openstack", dmi({{"product_name", "OpenStack Nova"}})},
      {"openstack", dmi({{"product_name", "OpenStack Compute"}})},
      {"openstack", dmi({{"product_name", "RDO"}, {"chassis_asset_tag", "OpenTelekomCloud"}})},
      {"openstack", dmi({{"chassis_asset_tag", "SAP CCloud VM"}})},
      {"openstack", dmi({{"chassis_asset_tag", "HUAWEICLOUD"}})},
      {"none", dmi({{"sys_vendor", "OpenStack Foundation"}})},
      // ---- VMware: any case, anywhere in the name
      {"vmware", dmi({{"sys_vendor", "VMware, Inc."}, {"product_name", "VMware7,1"}})},
      {"vmware", dmi({{"product_name", "VMware Virtual Platform"}})},
      {"vmware", dmi({{"product_name", "vmware20,1"}})},
      {"none", dmi({{"sys_vendor", "VMware, Inc."}, {"product_name", "None"}})},
      // ---- what lies beside the machine comes before what the machine is
      {"nocloud", {{"/dev/disk/by-label/cidata", ""}, {"/sys/class/dmi/id/sys_vendor", "Amazon EC2\n"}}},
      {"nocloud", {{"/dev/disk/by-label/CIDATA", ""}}},
      {"none", {{"/dev/disk/by-label/cidata2", ""}}},
      {"nocloud", {{"/var/lib/cloud/seed/nocloud/user-data", "x"}, {"/var/lib/cloud/seed/nocloud/meta-data", ""}}},
      {"nocloud", {{"/var/lib/cloud/seed/nocloud-net/user-data", "x"}, {"/var/lib/cloud/seed/nocloud-net/meta-data", ""}}},
      {"none", {{"/var/lib/cloud/seed/nocloud/user-data", "x"}}},
      {"nocloud", dmi({{"product_serial", "ds=nocloud;s=http://10.0.2.2:8000/"}})},
      {"nocloud", dmi({{"product_serial", "12345 ds=nocloud-net;s=http://10.0.2.2:8000/"}})},
      {"nocloud", command_line("ro \"ds=nocloud;s=https://seed.example/\"")},
      {"none", command_line("ro ds=nocloudy")},
      {"none", command_line("ro xds=nocloud")},
      {"configdrive", {{"/dev/disk/by-label/config-2", ""}, {"/sys/class/dmi/id/product_name", "OpenStack Nova\n"}}},
      {"configdrive", {{"/dev/disk/by-label/CONFIG-2", ""}}},
      {"fw_cfg", {{"/sys/firmware/qemu_fw_cfg/by_name/opt/io.kubejoin/user-data/raw", "x"}}},
      {"fw_cfg", {{"/sys/firmware/qemu_fw_cfg/by_name/opt/com.coreos/config/raw", "{}"}}},
      {"cmdline", command_line("ro kubejoin.url=https://seed.example/join.yaml")},
      {"none", command_line("ro kubejoin.url=")},
      {"file", {{"/etc/kubejoin/join.yaml", "x"}, {"/dev/disk/by-label/cidata", ""}}},
      {"file", {{"/usr/lib/kubejoin/join.yaml.d/10-site.yaml", "x"}}},
      {"none", {{"/etc/kubejoin/join.yaml", ""}}},  // an empty file takes away
      {"none", {{"/etc/kubejoin/join.yaml.d/README", "x"}}},
      // ---- and cloud-init's findings come last
      {"cloud-init", {{"/run/cloud-init/instance-data-sensitive.json", "{}"}, {"/var/lib/cloud/instance/user-data.txt", ""}}},
      {"none", {{"/var/lib/cloud/instance/user-data.txt", "left from the bake"}}},
      {"digitalocean", {{"/run/cloud-init/instance-data-sensitive.json", "{}"}, {"/var/lib/cloud/instance/user-data.txt", ""}, {"/sys/class/dmi/id/sys_vendor", "DigitalOcean\n"}}},
      // ---- nothing at all
      {"none", {}},
      {"none", dmi({{"sys_vendor", "QEMU"}, {"product_name", "Standard PC (Q35 + ICH9, 2009)"}})},
      {"none", dmi({{"sys_vendor", "Dell Inc."}, {"product_name", "PowerEdge R650"}})},
  };
  for (const Machine& machine : table) {
    CAPTURE(machine.expected);
    std::string files;
    for (const auto& [path, content] : machine.files) files += path + "=" + content + " ";
    CAPTURE(files);
    CHECK(recognised(machine.files) == machine.expected);
  }
}

TEST_CASE("source::fetch: credentials come first, and what nobody recognised says so") {
  FakeHost host;
  host.variables["CREDENTIALS_DIRECTORY"] = "/run/credentials/kubejoin.service";
  host.put("/run/credentials/kubejoin.service/kubejoin.user-data", "from the credential");
  host.put("/etc/kubejoin/join.yaml", "from the file");
  CHECK(fetch(host, "", soon(host))->user_data == "from the credential");
  CHECK(fetch(host, "file:", soon(host))->user_data == "from the file");

  FakeHost bare;
  bare.put("/sys/class/dmi/id/sys_vendor", "QEMU\n");
  bare.put("/sys/class/dmi/id/product_name", "Standard PC\n");
  const auto none = fetch(bare, "", soon(bare));
  CHECK(none->origin == "no platform recognised: DMI sys_vendor \"QEMU\", product_name \"Standard PC\"");
}

TEST_CASE("source::fetch: --source, and the baked one") {
  FakeHost host;
  host.put("/sys/class/dmi/id/sys_vendor", "DigitalOcean\n");
  host.put("/srv/join.yaml", "named");
  host.put("/srv/other.yaml", "baked");
  host.put("/etc/kubejoin/source", "file:///srv/other.yaml\n");
  CHECK(fetch(host, "", soon(host))->user_data == "baked");
  const auto named = fetch(host, "file:///srv/join.yaml", soon(host));
  CHECK(named->user_data == "named");
  CHECK(named->source == "file");
  CHECK(named->origin == "/srv/join.yaml");
  CHECK(host.requests.empty());

  const auto wrong = fetch(host, "nocluod:/srv", soon(host));
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().kind == Kind::usage);
  CHECK(wrong.error().id == "source.unknown");
  CHECK(wrong.error().hint == "did you mean nocloud:?");
  const auto http = fetch(host, "http://example.com/", soon(host));
  CHECK(http.error().id == "source.unknown");
}

TEST_CASE("source::words_of: quotes hold a word together") {
  CHECK(words_of("  a  b=c \"d e\" f=\"g h\"\n") == std::vector<std::string>{"a", "b=c", "d e", "f=g h"});
  CHECK(words_of("").empty());
  CHECK(words_of("\"unclosed quote") == std::vector<std::string>{"unclosed quote"});
}
