// Vultr.
// Protocol: Vultr, "Metadata"; the header that makes user-data part of the document: cloud-init DataSourceVultr.
#include "base/text.h"
#include "source/metadata_http.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr char kDocument[] = "/v1.json";

// Bare metal has no DMI of Vultr's own, but a word for the kernel.
bool detect(Host& host, const Evidence& e) { return e.sys_vendor == "Vultr" || has_word(e, "vultr") || exists(host, "/etc/vultr"); }

Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string&, Instant deadline) {
  MetadataService service(
      host, {.service = "Vultr's metadata service", .bases = {"http://169.254.169.254"}, .headers = {{"Metadata-Token", "cloudinit"}}}, deadline);
  TRY(auto answers, service.get({{kDocument, true}}));
  TRY(const auto instance, read_tree(std::move(answers[kDocument]), kDocument));

  Fetched fetched;
  fetched.origin = service.url(kDocument);
  fetched.user_data = scalar_at(instance, "/user-data");
  Metadata& metadata = fetched.metadata;
  put_platform(metadata, "vultr", "vultr");
  put(metadata, "v1.instance_id", scalar_at(instance, "/instance-v2-id"));
  put(metadata, "v1.local_hostname", scalar_at(instance, "/hostname"));
  put(metadata, "v1.region", lower(scalar_at(instance, "/region/regioncode")));
  put(metadata, "instance.public_ipv4", scalar_at(instance, "/interfaces/0/ipv4/address"));
  put(metadata, "instance.local_ipv4", scalar_at(instance, "/interfaces/1/ipv4/address"));
  put(metadata, "instance.ipv6", scalar_at(instance, "/interfaces/0/ipv6/address"));
  if (const auto* tags = instance.find("tags")) put_tree(metadata, "instance.tags", *tags);
  put_tree(metadata, "ds.meta_data", instance);
  return fetched;
}

}  // namespace

extern const Source kVultr = {"vultr", "vultr", "Vultr", "DMI sys_vendor 'Vultr', kernel argument vultr, or /etc/vultr", 0, detect, fetch_it};

}  // namespace kubejoin::source
