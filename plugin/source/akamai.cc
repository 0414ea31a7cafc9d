// Akamai (Linode): token, then JSON, over IPv4 and IPv6.
// Protocol: Akamai TechDocs, "Overview of the Metadata service"; addresses: cloud-init DataSourceAkamai.
#include "source/metadata_http.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr char kInstance[] = "/v1/instance";
constexpr char kNetwork[] = "/v1/network";
constexpr char kUserData[] = "/v1/user-data";  // base64

bool detect(Host&, const Evidence& e) { return e.sys_vendor == "Linode" || e.sys_vendor == "Akamai"; }

// "192.0.2.7/24" -> "192.0.2.7"
std::string without_prefix(const std::string& address) { return address.substr(0, address.find('/')); }

Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string&, Instant deadline) {
  MetadataService service(
      host,
      {.service = "Akamai's metadata service",
       .bases = {"http://169.254.169.254", "http://[fd00:a9fe:a9fe::1]"},
       .token = SessionToken{.path = "/v1/token", .lifetime = {"Metadata-Token-Expiry-Seconds", "300"}, .header = "Metadata-Token"}},
      deadline);
  const Headers json = {{"Accept", "application/json"}};
  TRY(auto answers, service.get({{kInstance, true, json}, {kNetwork, false, json}, {kUserData}}));
  TRY(const auto instance, read_tree(answers[kInstance], kInstance));
  TRY(const auto network, read_tree(answers[kNetwork], kNetwork));

  Fetched fetched;
  fetched.origin = service.url(kUserData);
  TRY(fetched.user_data, decoded(answers[kUserData], fetched.origin));
  Metadata& metadata = fetched.metadata;
  put_platform(metadata, "akamai", "akamai");
  put(metadata, "v1.instance_id", scalar_at(instance, "/id"));
  put(metadata, "v1.local_hostname", scalar_at(instance, "/label"));
  put(metadata, "v1.region", scalar_at(instance, "/region"));
  put(metadata, "instance.type", scalar_at(instance, "/type"));
  put(metadata, "instance.public_ipv4", without_prefix(scalar_at(network, "/ipv4/public/0")));
  put(metadata, "instance.local_ipv4", without_prefix(scalar_at(network, "/ipv4/private/0")));
  put(metadata, "instance.ipv6", without_prefix(scalar_at(network, "/ipv6/slaac")));
  if (const auto* tags = instance.find("tags")) put_tree(metadata, "instance.tags", *tags);
  put_tree(metadata, "ds.meta_data", instance);
  put_tree(metadata, "ds.meta_data.network", network);
  return fetched;
}

}  // namespace

extern const Source kAkamai = {"akamai", "akamai", "Akamai (Linode)", "DMI sys_vendor 'Akamai' or 'Linode'", 64 << 10, detect, fetch_it};

}  // namespace kubejoin::source
