// Scaleway: user-data is given to root alone, which a source port below 1024 proves.
// Protocol: Scaleway, "Instances API", user data and metadata; addresses and the port: cloud-init DataSourceScaleway.
#include "source/metadata_http.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr char kInstance[] = "/conf?format=json";
constexpr char kUserData[] = "/user_data/cloud-init";

bool detect(Host& host, const Evidence& e) { return e.sys_vendor == "Scaleway" || has_word(e, "scaleway") || exists(host, "/run/scaleway"); }

Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string&, Instant deadline) {
  MetadataService service(host,
                          {.service = "Scaleway's metadata service",
                           .bases = {"http://169.254.42.42", "http://[fd00:42::42]"},
                           .help = "its user-data is for root alone: run kubejoin as root, or with CAP_NET_BIND_SERVICE",
                           .privileged_port = true},
                          deadline);
  TRY(auto answers, service.get({{kInstance, true}, {kUserData}}));
  TRY(const auto instance, read_tree(answers[kInstance], kInstance));

  Fetched fetched;
  fetched.origin = service.url(kUserData);
  fetched.user_data = std::move(answers[kUserData]);
  const std::string zone = scalar_at(instance, "/zone");  // "fr-par-1", of region "fr-par"
  Metadata& metadata = fetched.metadata;
  put_platform(metadata, "scaleway", "scaleway");
  put(metadata, "v1.instance_id", scalar_at(instance, "/id"));
  put(metadata, "v1.local_hostname", scalar_at(instance, "/hostname"));
  put(metadata, "v1.availability_zone", zone);
  put(metadata, "v1.region", zone.substr(0, zone.rfind('-')));
  put(metadata, "instance.type", scalar_at(instance, "/commercial_type"));
  put(metadata, "instance.local_ipv4", scalar_at(instance, "/private_ip"));
  put(metadata, "instance.public_ipv4", scalar_at(instance, "/public_ip/address"));
  if (const auto* tags = instance.find("tags")) put_tree(metadata, "instance.tags", *tags);
  put_tree(metadata, "ds.meta_data", instance);
  return fetched;
}

}  // namespace

extern const Source kScaleway = {"scaleway", "scaleway", "Scaleway", "DMI sys_vendor 'Scaleway', kernel argument scaleway, or /run/scaleway", 128 << 10, detect, fetch_it};

}  // namespace kubejoin::source
