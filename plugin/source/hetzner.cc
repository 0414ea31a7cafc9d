// Hetzner Cloud.
// Protocol: Hetzner Cloud docs, "Server Metadata". Asked over IPv4 alone: a server without a public IPv4 address reaches it too.
#include "source/metadata_http.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr char kMetadata[] = "/hetzner/v1/metadata";  // YAML
constexpr char kNetworks[] = "/hetzner/v1/metadata/private-networks";
constexpr char kUserData[] = "/hetzner/v1/userdata";  // 204: none

bool detect(Host&, const Evidence& e) { return e.sys_vendor == "Hetzner"; }

Result<Fetched> fetch_it(Host& host, const Evidence& evidence, const std::string&, Instant deadline) {
  MetadataService service(host, {.service = "Hetzner's metadata service", .bases = {"http://169.254.169.254"}}, deadline);
  TRY(auto answers, service.get({{kMetadata, true}, {kNetworks}, {kUserData}}));
  TRY(const auto server, read_tree(answers[kMetadata], kMetadata));
  TRY(const auto networks, read_tree(answers[kNetworks], kNetworks));
  const std::string id = scalar_at(server, "/instance-id");
  // As cloud-init has it: an answer about another machine is not this machine's.
  if (evidence.sys_vendor == "Hetzner" && !evidence.product_serial.empty() && evidence.product_serial != id)
    return fail(Kind::untrusted, "source.instance", "the metadata is of instance " + id + ", but this machine's serial number is " + evidence.product_serial);

  Fetched fetched;
  fetched.origin = service.url(kUserData);
  fetched.user_data = std::move(answers[kUserData]);
  Metadata& metadata = fetched.metadata;
  put_platform(metadata, "hetzner", "hetzner");
  put(metadata, "v1.instance_id", id);
  put(metadata, "v1.local_hostname", scalar_at(server, "/hostname"));
  put(metadata, "v1.region", scalar_at(server, "/region"));
  put(metadata, "v1.availability_zone", scalar_at(server, "/availability-zone"));
  put(metadata, "instance.local_ipv4", scalar_at(networks, "/0/ip"));
  put(metadata, "instance.public_ipv4", scalar_at(server, "/public-ipv4"));
  put_tree(metadata, "ds.meta_data", server);
  put_tree(metadata, "ds.meta_data.private_networks", networks);
  return fetched;
}

}  // namespace

extern const Source kHetzner = {"hetzner", "hetzner", "Hetzner Cloud", "DMI sys_vendor 'Hetzner'", 32 << 10, detect, fetch_it};

}  // namespace kubejoin::source
