// DigitalOcean: the whole of a droplet's metadata in one document.
// Protocol: DigitalOcean, "Droplet Metadata API".
#include "source/metadata_http.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr char kDocument[] = "/metadata/v1.json";

bool detect(Host&, const Evidence& e) { return e.sys_vendor == "DigitalOcean"; }

Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string&, Instant deadline) {
  MetadataService service(host, {.service = "DigitalOcean's metadata service", .bases = {"http://169.254.169.254"}}, deadline);
  TRY(auto answers, service.get({{kDocument, true}}));
  TRY(const auto droplet, read_tree(std::move(answers[kDocument]), kDocument));

  Fetched fetched;
  fetched.origin = service.url("/metadata/v1/user-data");
  fetched.user_data = scalar_at(droplet, "/user_data");
  Metadata& metadata = fetched.metadata;
  put_platform(metadata, "digitalocean", "digitalocean");
  put(metadata, "v1.instance_id", scalar_at(droplet, "/droplet_id"));
  put(metadata, "v1.local_hostname", scalar_at(droplet, "/hostname"));
  put(metadata, "v1.region", scalar_at(droplet, "/region"));
  put(metadata, "instance.local_ipv4", scalar_at(droplet, "/interfaces/private/0/ipv4/ip_address"));
  put(metadata, "instance.public_ipv4", scalar_at(droplet, "/interfaces/public/0/ipv4/ip_address"));
  put(metadata, "instance.ipv6", scalar_at(droplet, "/interfaces/public/0/ipv6/ip_address"));
  if (const auto* tags = droplet.find("tags")) put_tree(metadata, "instance.tags", *tags);
  put_tree(metadata, "ds.meta_data", droplet);
  return fetched;
}

}  // namespace

extern const Source kDigitalOcean = {"digitalocean", "digitalocean", "DigitalOcean", "DMI sys_vendor 'DigitalOcean'", 64 << 10, detect, fetch_it};

}  // namespace kubejoin::source
