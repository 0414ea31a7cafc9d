// Oracle Cloud Infrastructure: metadata service, version 2 only, over IPv4 and IPv6.
// Protocol: Oracle Cloud docs, "Getting Instance Metadata"; the IPv6 address: cloud-init DataSourceOracle.
#include "source/metadata_http.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr char kInstance[] = "/opc/v2/instance/";
constexpr char kVnics[] = "/opc/v2/vnics/";

bool detect(Host&, const Evidence& e) { return e.chassis_asset_tag == "OracleCloud.com"; }

Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string&, Instant deadline) {
  MetadataService service(host,
                          {.service = "Oracle's instance metadata service",
                           .bases = {"http://169.254.169.254", "http://[fd00:c1::a9fe:a9fe]"},
                           .headers = {{"Authorization", "Bearer Oracle"}}},
                          deadline);
  TRY(auto answers, service.get({{kInstance, true}, {kVnics}}));
  TRY(const auto instance, read_tree(std::move(answers[kInstance]), kInstance));
  TRY(const auto vnics, read_tree(answers[kVnics], kVnics));

  Fetched fetched;
  fetched.origin = service.url("/opc/v2/instance/metadata/user_data");
  TRY(fetched.user_data, decoded(scalar_at(instance, "/metadata/user_data"), fetched.origin));
  Metadata& metadata = fetched.metadata;
  put_platform(metadata, "oracle", "oracle");
  put(metadata, "v1.instance_id", scalar_at(instance, "/id"));
  put(metadata, "v1.local_hostname", scalar_at(instance, "/hostname"));
  put(metadata, "v1.region", scalar_at(instance, "/canonicalRegionName"));
  put(metadata, "v1.region", scalar_at(instance, "/region"));
  put(metadata, "v1.availability_zone", scalar_at(instance, "/ociAdName"));
  put(metadata, "instance.type", scalar_at(instance, "/shape"));
  put(metadata, "instance.local_ipv4", scalar_at(vnics, "/0/privateIp"));
  put(metadata, "instance.ipv6", scalar_at(vnics, "/0/ipv6Addresses/0"));
  if (const auto* tags = instance.find("freeformTags")) put_tree(metadata, "instance.tags", *tags);
  put_tree(metadata, "ds.meta_data", instance);
  return fetched;
}

}  // namespace

extern const Source kOracle = {"oracle", "oracle", "Oracle Cloud Infrastructure", "DMI chassis_asset_tag 'OracleCloud.com'", 32 << 10, detect, fetch_it};

}  // namespace kubejoin::source
