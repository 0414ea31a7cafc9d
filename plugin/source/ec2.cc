// Amazon EC2: the instance metadata service, version 2 only, over IPv4 and IPv6.
// Protocol: AWS EC2 User Guide, "Use the Instance Metadata Service to access instance metadata"; signs of the platform: the
// same guide, "Identify EC2 instances", and cloud-init tools/ds-identify.
#include <array>

#include "base/text.h"
#include "source/metadata_http.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr char kUserData[] = "/latest/user-data";
constexpr char kIdentity[] = "/latest/dynamic/instance-identity/document";
constexpr char kMetaData[] = "/latest/meta-data/";
constexpr char kTags[] = "/latest/meta-data/tags/instance";  // 404 unless the instance allows tags in its metadata
constexpr std::size_t kMaxTags = 50;                         // EC2's own limit
constexpr std::array<const char*, 8> kValues = {"hostname",    "instance-id", "instance-type", "ipv6",
                                                "local-hostname", "local-ipv4",  "mac",           "public-ipv4"};

// Nitro says who it is. Xen machines do by their version, or by a UUID that begins with ec2, which SMBIOS may show in either byte order.
bool detect(Host&, const Evidence& e) {
  if (e.sys_vendor == "Amazon EC2") return true;
  if (!e.xen && e.sys_vendor != "Xen") return false;
  const std::string uuid = lower(e.product_uuid);
  const bool swapped = uuid.size() > 8 && uuid[4] == '2' && uuid.substr(6, 2) == "ec";
  return e.product_version.ends_with(".amazon") || (e.xen && (uuid.starts_with("ec2") || swapped));
}

Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string&, Instant deadline) {
  MetadataService imds(host,
                       {.service = "the EC2 instance metadata service",
                        .bases = {"http://169.254.169.254", "http://[fd00:ec2::254]"},
                        .token = SessionToken{.path = "/latest/api/token",
                                              .lifetime = {"X-aws-ec2-metadata-token-ttl-seconds", "600"},
                                              .header = "X-aws-ec2-metadata-token"},
                        .help = "is it enabled (--http-endpoint enabled)? In a container it needs --http-put-response-hop-limit 2"},
                       deadline);
  std::vector<Wanted> wanted = {{kIdentity, true}, {kUserData}, {kTags}};
  for (const auto* name : kValues) wanted.push_back({std::string(kMetaData) + name});
  TRY(auto answers, imds.get(wanted));
  TRY(const auto identity, read_tree(answers[kIdentity], kIdentity));

  Fetched fetched;
  fetched.origin = imds.url(kUserData);
  fetched.user_data = std::move(answers[kUserData]);
  Metadata& metadata = fetched.metadata;
  put_platform(metadata, "aws", "ec2");
  put(metadata, "v1.instance_id", identity.string_or("instanceId", ""));
  put(metadata, "v1.region", identity.string_or("region", ""));
  put(metadata, "v1.availability_zone", identity.string_or("availabilityZone", ""));
  put(metadata, "v1.local_hostname", answers[std::string(kMetaData) + "local-hostname"]);
  put(metadata, "instance.type", identity.string_or("instanceType", ""));
  put(metadata, "instance.local_ipv4", answers[std::string(kMetaData) + "local-ipv4"]);
  put(metadata, "instance.public_ipv4", answers[std::string(kMetaData) + "public-ipv4"]);
  put(metadata, "instance.ipv6", answers[std::string(kMetaData) + "ipv6"]);
  put_tree(metadata, "ds.dynamic.instance_identity.document", identity);
  put(metadata, "ds.meta_data.placement.availability_zone", identity.string_or("availabilityZone", ""));
  put(metadata, "ds.meta_data.placement.region", identity.string_or("region", ""));
  for (const auto* name : kValues) put(metadata, "ds.meta_data." + std::string(name), answers[std::string(kMetaData) + name]);

  std::vector<Wanted> tags;
  for (const auto& tag : split(answers[kTags], '\n'))
    if (!tag.empty() && tags.size() < kMaxTags) tags.push_back({std::string(kTags) + "/" + tag});
  if (tags.empty()) return fetched;
  TRY(const auto values, imds.get(tags));
  for (const auto& [path, value] : values) put(metadata, "instance.tags." + path.substr(sizeof kTags), value);
  return fetched;
}

}  // namespace

extern const Source kEc2 = {"ec2", "ec2", "Amazon EC2 (IMDSv2)", "DMI sys_vendor 'Amazon EC2'; on Xen, product_version '….amazon' or a UUID of ec2…", 16 << 10, detect, fetch_it};

}  // namespace kubejoin::source
