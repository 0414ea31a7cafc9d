// What cloud-init has already fetched in this boot: so every platform that it knows is one of ours.
// Files: cloud-init docs, "Instance-data" and "User-data formats"; both are root's alone.
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr char kUserData[] = "/var/lib/cloud/instance/user-data.txt";              // as it came
constexpr char kInstanceData[] = "/run/cloud-init/instance-data-sensitive.json";  // of this boot, not of the image's bake
constexpr std::size_t kMaxInstanceData = 4 << 20;

bool detect(Host& host, const Evidence&) { return exists(host, kInstanceData) && exists(host, kUserData); }

Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string&, Instant) {
  TRY(auto text, host.read(kInstanceData, kMaxInstanceData));
  TRY(const auto data, read_tree(std::move(text), kInstanceData));
  TRY(auto fetched, from_file(host, kUserData));
  if (const auto* v1 = data.find("v1")) put_tree(fetched.metadata, "v1", *v1);
  if (const auto* meta_data = data.at("/ds/meta_data")) put_tree(fetched.metadata, "ds.meta_data", *meta_data);
  put(fetched.metadata, "instance.local_ipv4", scalar_at(data, "/ds/meta_data/local-ipv4"));
  put(fetched.metadata, "instance.public_ipv4", scalar_at(data, "/ds/meta_data/public-ipv4"));
  return fetched;
}

}  // namespace

extern const Source kCloudInit = {"cloud-init", "cloud-init", "cloud-init", "what cloud-init fetched in this boot: /run/cloud-init/instance-data-sensitive.json", 0, detect, fetch_it};

}  // namespace kubejoin::source
