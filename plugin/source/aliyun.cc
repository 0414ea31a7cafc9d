// Alibaba Cloud ECS: metadata in its hardened mode, which works whether or not the instance requires it.
// Protocol: Alibaba Cloud ECS, "Obtain instance metadata" (security hardening mode); meta-data/all: cloud-init DataSourceAliYun.
#include "source/metadata_http.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr char kMetadata[] = "/2016-01-01/meta-data/all";
constexpr char kUserData[] = "/2016-01-01/user-data";

bool detect(Host&, const Evidence& e) { return e.product_name == "Alibaba Cloud ECS"; }

Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string&, Instant deadline) {
  MetadataService service(host,
                          {.service = "Alibaba Cloud's metadata service",
                           .bases = {"http://100.100.100.200"},
                           .token = SessionToken{.path = "/latest/api/token",
                                                 .lifetime = {"X-aliyun-ecs-metadata-token-ttl-seconds", "600"},
                                                 .header = "X-aliyun-ecs-metadata-token"}},
                          deadline);
  TRY(auto answers, service.get({{kMetadata, true}, {kUserData}}));
  TRY(const auto instance, read_tree(answers[kMetadata], kMetadata));

  Fetched fetched;
  fetched.origin = service.url(kUserData);
  fetched.user_data = std::move(answers[kUserData]);
  Metadata& metadata = fetched.metadata;
  put_platform(metadata, "aliyun", "aliyun");
  put(metadata, "v1.instance_id", scalar_at(instance, "/instance-id"));
  put(metadata, "v1.local_hostname", scalar_at(instance, "/hostname"));
  put(metadata, "v1.region", scalar_at(instance, "/region-id"));
  put(metadata, "v1.availability_zone", scalar_at(instance, "/zone-id"));
  put(metadata, "instance.type", scalar_at(instance, "/instance/instance-type"));
  put(metadata, "instance.local_ipv4", scalar_at(instance, "/private-ipv4"));
  put(metadata, "instance.public_ipv4", scalar_at(instance, "/eipv4"));
  put_tree(metadata, "ds.meta_data", instance);
  return fetched;
}

}  // namespace

extern const Source kAliyun = {"aliyun", "aliyun", "Alibaba Cloud ECS", "DMI product_name 'Alibaba Cloud ECS'", 32 << 10, detect, fetch_it};

}  // namespace kubejoin::source
