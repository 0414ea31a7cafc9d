// Disks without mounting: images that the usual tools made (images/make.sh), and what is left of them after damage.
#include "parse/layers.h"
#include "recorded.h"
#include "source/filesystem.h"

using namespace kubejoin;
using namespace kubejoin::source;

namespace {

std::string image(const std::string& name) {
  parse::Allowance allowance{64 << 20};
  auto bytes = parse::gunzip(file_of_test("unit/source/images/" + name + ".gz"), allowance);
  REQUIRE(outcome(bytes) == "ok");
  return std::move(*bytes);
}

std::unique_ptr<FileSystem> opened(std::string bytes) {
  FakeHost host;
  host.put("/dev/sr0", std::move(bytes));
  auto disk = open_disk(host, "/dev/sr0");
  return disk ? std::move(*disk) : nullptr;
}

const std::string kUserData = "#cloud-config\n# a line\n";
const std::string kMetaData = "instance-id: i-7\nlocal-hostname: worker-7\n";

}  // namespace

TEST_CASE("source::open_disk: seeds as cloud-localds, Proxmox and laptops make them") {
  for (const char* name : {"joliet-rock.iso", "rock.iso", "joliet.iso", "fat12.img", "fat16.img", "fat32.img"}) {
    CAPTURE(name);
    const auto disk = opened(image(name));
    REQUIRE(disk != nullptr);
    CHECK(disk->file("user-data") == kUserData);
    CHECK(disk->file("meta-data") == kMetaData);
    CHECK(disk->file("USER-DATA") == kUserData);
    CHECK_FALSE(disk->file("vendor-data"));
    CHECK_FALSE(disk->file("user-data/x"));
    CHECK_FALSE(disk->file(""));
  }
}

TEST_CASE("source::open_disk: folders, and files longer than a block") {
  const std::string user_data(5000, 'x');
  for (const char* name : {"drive.iso", "fat12.img", "fat16.img", "fat32.img"}) {
    CAPTURE(name);
    const auto disk = opened(image(name));
    REQUIRE(disk != nullptr);
    CHECK(disk->file("openstack/latest/user_data") == user_data);
    CHECK_FALSE(disk->file("openstack/latest"));
    CHECK_FALSE(disk->file("openstack/1999/user_data"));
  }
}

TEST_CASE("source::open_udf: Azure's provisioning disk") {
  const auto disk = open_udf(std::make_shared<const Bytes>(image("azure.udf.iso")));
  REQUIRE(disk != nullptr);
  CHECK(disk->file("ovf-env.xml") == "<Environment><CustomData>aGVsbG8=</CustomData></Environment>\n");
  CHECK_FALSE(disk->file("CustomData.bin"));
}

TEST_CASE("source::open_disk: what is no disk") {
  for (const std::string& bytes : {std::string(), std::string(1, '\0'), std::string(1 << 20, '\0'), std::string(1 << 20, '\xff')}) CHECK(opened(bytes) == nullptr);
  FakeHost host;
  CHECK(id_of(open_disk(host, "/dev/sr0")) == "file.absent");
}

// Every length on a disk may lie. Reading ends, inside the bytes; the sanitizers watch.
TEST_CASE("source::open_disk: damaged disks") {
  for (const char* name : {"joliet-rock.iso", "rock.iso", "azure.udf.iso", "fat12.img"}) {
    CAPTURE(name);
    const std::string good = image(name);
    const auto read_all = [](const std::string& bytes) {
      if (const auto disk = opened(bytes))
        for (const char* path : {"user-data", "meta-data", "ovf-env.xml", "openstack/latest/user_data"}) (void)disk->file(path);
    };
    for (std::size_t size = 0; size < std::min<std::size_t>(good.size(), 700'000); size += 4'099) read_all(good.substr(0, size));
    // Each byte that is not zero, in the first 100 KiB of metadata, replaced by one that makes numbers large.
    int touched = 0;
    for (std::size_t at = 0; at < good.size() && touched < 400; at += 1) {
      if (good[at] == '\0' || (at % 7) != 0) continue;
      std::string bad = good;
      bad[at] = '\xff';
      read_all(bad);
      ++touched;
    }
    CHECK(touched > 50);
  }
}

TEST_CASE("source::fetch: NoCloud and config drive disks") {
  FakeHost host;
  host.put("/dev/sr0", image("joliet-rock.iso"));
  host.put_link("/dev/disk/by-label/cidata", "/dev/sr0");
  const auto seed = fetch(host, "", soon(host));
  REQUIRE(outcome(seed) == "ok");
  CHECK(seed->source == "nocloud");
  CHECK(seed->origin == "/dev/disk/by-label/cidata:/user-data");
  CHECK(seed->user_data == kUserData);
  CHECK(seed->metadata.get("v1.instance_id") == "i-7");
  CHECK(seed->metadata.get("v1.local_hostname") == "worker-7");

  host.put("/srv/drive.iso", image("drive.iso"));
  const auto drive = fetch(host, "configdrive:/srv/drive.iso", soon(host));
  REQUIRE(outcome(drive) == "ok");
  CHECK(drive->user_data == std::string(5000, 'x'));
  CHECK(drive->metadata.get("v1.instance_id") == "83679162");
  CHECK(drive->metadata.get("v1.platform") == "configdrive");

  CHECK(id_of(fetch(host, "configdrive:", soon(host))) == "source.no-drive");
  CHECK(id_of(fetch(host, "configdrive:/dev/sr0", soon(host))) == "source.no-metadata");
  CHECK(id_of(fetch(host, "nocloud:/srv/drive.iso", soon(host))) == "source.no-user-data");
}

TEST_CASE("source::fetch: Azure's customData from its disk") {
  FakeHost host;
  host.put("/dev/sr0", image("azure.udf.iso"));
  host.put("/sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77\n");
  host.answer("GET /metadata/instance", {.body = R"({"compute": {"vmId": "a", "userData": ""}})"});
  const auto fetched = fetch(host, "", soon(host));
  REQUIRE(outcome(fetched) == "ok");
  CHECK(fetched->user_data == "hello");
  CHECK(fetched->origin == "/dev/sr0:/ovf-env.xml");
}
