// Google Compute Engine: one recursive request gives all there is of the instance.
// Protocol: Google Cloud, "About VM metadata" and "Query VM metadata"; the attributes' names: cloud-init DataSourceGCE.
#include "base/text.h"
#include "source/metadata_http.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr char kInstance[] = "/computeMetadata/v1/instance/?recursive=true";
constexpr char kProject[] = "/computeMetadata/v1/project/project-id";
constexpr char kUserData[] = "/computeMetadata/v1/instance/attributes/user-data";

bool detect(Host&, const Evidence& e) { return e.product_name == "Google Compute Engine" || e.product_serial.starts_with("GoogleCloud-"); }

// "projects/123/zones/europe-west1-b" is how Google names things.
std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string&, Instant deadline) {
  MetadataService service(host,
                          {.service = "Google's metadata server", .bases = {"http://169.254.169.254"}, .headers = {{"Metadata-Flavor", "Google"}}}, deadline);
  TRY(auto answers, service.get({{kInstance, true}, {kProject}}));
  TRY(const auto instance, read_tree(answers[kInstance], kInstance));

  Fetched fetched;
  fetched.origin = service.url(kUserData);
  fetched.user_data = scalar_at(instance, "/attributes/user-data");
  if (scalar_at(instance, "/attributes/user-data-encoding") == "base64") {
    TRY(fetched.user_data, decoded(fetched.user_data, fetched.origin));
  }
  const std::string zone = last_part(scalar_at(instance, "/zone"));
  Metadata& metadata = fetched.metadata;
  put_platform(metadata, "gce", "gce");
  put(metadata, "v1.instance_id", scalar_at(instance, "/id"));
  put(metadata, "v1.local_hostname", scalar_at(instance, "/hostname"));
  put(metadata, "v1.availability_zone", zone);
  put(metadata, "v1.region", zone.substr(0, zone.rfind('-')));
  put(metadata, "instance.type", last_part(scalar_at(instance, "/machineType")));
  put(metadata, "instance.local_ipv4", scalar_at(instance, "/networkInterfaces/0/ip"));
  put(metadata, "instance.public_ipv4", scalar_at(instance, "/networkInterfaces/0/accessConfigs/0/externalIp"));
  put(metadata, "instance.ipv6", scalar_at(instance, "/networkInterfaces/0/ipv6s/0"));
  if (const auto* tags = instance.find("tags")) put_tree(metadata, "instance.tags", *tags);
  put(metadata, "ds.meta_data.project_id", answers[kProject]);
  put(metadata, "ds.meta_data.availability_zone", zone);
  put_tree(metadata, "ds.meta_data", instance);
  return fetched;
}

}  // namespace

extern const Source kGce = {"gce", "gce", "Google Compute Engine", "DMI product_name 'Google Compute Engine' or product_serial 'GoogleCloud-…'", 256 << 10, detect, fetch_it};

}  // namespace kubejoin::source
