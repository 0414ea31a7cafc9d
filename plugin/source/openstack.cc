// OpenStack over HTTP, and the config drive, which holds the same files.
// Protocol: OpenStack Nova docs, "Metadata service" and "Config drives"; the signs of clouds built on it: cloud-init DataSourceOpenStack.
#include <algorithm>
#include <array>

#include "source/filesystem.h"
#include "source/metadata_http.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr char kMetadata[] = "/openstack/latest/meta_data.json";
constexpr char kUserData[] = "/openstack/latest/user_data";
constexpr std::size_t kLimit = 64 << 10;  // Nova's

Result<Fetched> fetched_from(std::string_view platform, std::string origin, std::string user_data, std::string meta_data) {
  TRY(const auto instance, read_tree(std::move(meta_data), kMetadata));
  Fetched fetched;
  fetched.origin = std::move(origin);
  fetched.user_data = std::move(user_data);
  const std::string hostname = scalar_at(instance, "/hostname");
  Metadata& metadata = fetched.metadata;
  put_platform(metadata, platform, platform);
  put(metadata, "v1.instance_id", scalar_at(instance, "/uuid"));
  put(metadata, "v1.local_hostname", hostname.empty() ? scalar_at(instance, "/name") : hostname);
  put(metadata, "v1.availability_zone", scalar_at(instance, "/availability_zone"));
  put(metadata, "v1.region", scalar_at(instance, "/region_id"));  // of some clouds
  if (const auto* tags = instance.find("meta")) put_tree(metadata, "instance.tags", *tags);
  put_tree(metadata, "ds.meta_data", instance);
  return fetched;
}

// ---- HTTP ----

bool detect(Host&, const Evidence& e) {
  constexpr std::array<std::string_view, 2> kProducts = {"OpenStack Nova", "OpenStack Compute"};
  constexpr std::array<std::string_view, 6> kTags = {"OpenStack Nova", "OpenStack Compute", "OpenTelekomCloud", "SAP CCloud VM", "HUAWEICLOUD", "Samsung Cloud Platform"};
  return std::find(kProducts.begin(), kProducts.end(), e.product_name) != kProducts.end() ||
         std::find(kTags.begin(), kTags.end(), e.chassis_asset_tag) != kTags.end();
}

// IPv4, and the link-local IPv6 address on every network card (virtual devices have no `device`).
std::vector<std::string> addresses(Host& host) {
  std::vector<std::string> bases = {"http://169.254.169.254"};
  const std::string folder = "/sys/class/net";
  const auto cards = host.list(folder);
  for (const auto& card : cards ? *cards : std::vector<std::string>())
    if (exists(host, folder + "/" + card + "/device")) bases.push_back("http://[fe80::a9fe:a9fe%25" + card + "]");
  return bases;
}

Result<Fetched> fetch_http(Host& host, const Evidence&, const std::string&, Instant deadline) {
  MetadataService service(host, {.service = "OpenStack's metadata service", .bases = addresses(host)}, deadline);
  TRY(auto answers, service.get({{kMetadata, true}, {kUserData}}));
  return fetched_from("openstack", service.url(kUserData), std::move(answers[kUserData]), std::move(answers[kMetadata]));
}

// ---- Config drive ----

std::string drive(Host& host) { return disk_labelled(host, {"config-2", "CONFIG-2"}); }

bool detect_drive(Host& host, const Evidence&) { return !drive(host).empty(); }

// `argument`: a device or an image file in place of the labelled one.
Result<Fetched> fetch_drive(Host& host, const Evidence&, const std::string& argument, Instant) {
  const std::string path = argument.empty() ? drive(host) : argument;
  if (path.empty()) return fail(Kind::machine, "source.no-drive", "no disk is labelled config-2", "attach one, or name it: --source configdrive:/dev/sr0");
  TRY(const auto disk, open_disk(host, path));
  auto meta_data = disk->file(kMetadata + 1);
  if (!meta_data) return fail(Kind::machine, "source.no-metadata", "the disk " + path + " holds no " + std::string(kMetadata + 1));
  return fetched_from("configdrive", path + ":" + kUserData, disk->file(kUserData + 1).value_or(""), std::move(*meta_data));
}

}  // namespace

extern const Source kOpenStack = {"openstack", "openstack", "OpenStack", "DMI product_name or chassis_asset_tag 'OpenStack Nova', or of a cloud built on it", kLimit, detect, fetch_http};
extern const Source kConfigDrive = {"configdrive", "configdrive", "config drive", "a disk labelled config-2", kLimit, detect_drive, fetch_drive};

}  // namespace kubejoin::source
