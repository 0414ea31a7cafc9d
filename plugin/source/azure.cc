// Microsoft Azure: userData and metadata over HTTP; customData on the provisioning CD, or where cloud-init and waagent put its content.
// Protocol: Azure, "Instance Metadata Service" and "User data for Azure Virtual Machine"; ovf-env.xml: cloud-init DataSourceAzure.
#include "base/text.h"
#include "source/filesystem.h"
#include "source/metadata_http.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr char kInstance[] = "/metadata/instance?api-version=2021-02-01";  // the first with tagsList and userData in all regions
constexpr char kAgentFile[] = "/var/lib/waagent/ovf-env.xml";
constexpr char kDrive[] = "/dev/sr0";

bool detect(Host&, const Evidence& e) { return e.chassis_asset_tag == "7783-7084-3265-9085-8269-3286-77"; }

// <CustomData>base64</CustomData>, in whatever name space; the only element of that name.
std::string custom_data_of(const std::string& xml) {
  constexpr std::string_view kName = "CustomData>";
  const auto open = xml.find(kName);
  if (open == xml.npos || open == 0 || (xml[open - 1] != '<' && xml[open - 1] != ':')) return {};
  const auto from = open + kName.size(), to = xml.find("</", from);
  return to == xml.npos ? std::string() : xml.substr(from, to - from);
}

struct CustomData {
  std::string where, base64;
};

// cloud-init and waagent eject the CD after copying it. Whatever cannot be read holds nothing for us.
CustomData custom_data(Host& host) {
  if (const auto copy = host.read(kAgentFile, kMaxMetadata)) return {kAgentFile, custom_data_of(*copy)};
  const auto disk = exists(host, kDrive) ? open_disk(host, kDrive) : Result<std::unique_ptr<FileSystem>>();
  const auto xml = disk && *disk ? (*disk)->file("ovf-env.xml") : std::nullopt;
  return {std::string(kDrive) + ":/ovf-env.xml", xml ? custom_data_of(*xml) : std::string()};
}

Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string&, Instant deadline) {
  MetadataService imds(
      host, {.service = "Azure's instance metadata service", .bases = {"http://169.254.169.254"}, .headers = {{"Metadata", "true"}}}, deadline);
  TRY(auto answers, imds.get({{kInstance, true}}));
  TRY(const auto instance, read_tree(std::move(answers[kInstance]), kInstance));

  Fetched fetched;
  fetched.origin = imds.url("/metadata/instance/compute/userData");
  TRY(fetched.user_data, decoded(scalar_at(instance, "/compute/userData"), fetched.origin));
  if (fetched.user_data.empty()) {
    auto custom = custom_data(host);
    TRY(fetched.user_data, decoded(custom.base64, custom.where));
    if (!fetched.user_data.empty()) fetched.origin = custom.where;
  }
  const std::string computer_name = scalar_at(instance, "/compute/osProfile/computerName");
  Metadata& metadata = fetched.metadata;
  put_platform(metadata, "azure", "azure");
  put(metadata, "v1.instance_id", scalar_at(instance, "/compute/vmId"));
  put(metadata, "v1.local_hostname", computer_name.empty() ? scalar_at(instance, "/compute/name") : computer_name);
  put(metadata, "v1.region", scalar_at(instance, "/compute/location"));
  put(metadata, "v1.availability_zone", scalar_at(instance, "/compute/platformFaultDomain"));  // so cloud-init; the zone is below
  put(metadata, "instance.type", scalar_at(instance, "/compute/vmSize"));
  put(metadata, "instance.local_ipv4", scalar_at(instance, "/network/interface/0/ipv4/ipAddress/0/privateIpAddress"));
  put(metadata, "instance.public_ipv4", scalar_at(instance, "/network/interface/0/ipv4/ipAddress/0/publicIpAddress"));
  put(metadata, "instance.ipv6", scalar_at(instance, "/network/interface/0/ipv6/ipAddress/0/privateIpAddress"));
  if (const auto* tags = instance.at("/compute/tagsList"))
    for (const auto& tag : tags->items) put(metadata, "instance.tags." + tag.string_or("name", ""), tag.string_or("value", ""));
  put_tree(metadata, "ds.meta_data.imds", instance);
  return fetched;
}

}  // namespace

extern const Source kAzure = {"azure", "azure", "Microsoft Azure", "DMI chassis_asset_tag '7783-7084-3265-9085-8269-3286-77'", 64 << 10, detect, fetch_it};

}  // namespace kubejoin::source
