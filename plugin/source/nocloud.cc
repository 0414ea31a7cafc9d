// NoCloud: a seed folder, a disk labelled cidata, or a place that the kernel command line or the SMBIOS serial number names.
// Conventions: cloud-init docs, "NoCloud"; which of them wins: cloud-init DataSourceNoCloud.
#include <array>

#include "base/text.h"
#include "source/filesystem.h"
#include "source/metadata_http.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

constexpr std::array<std::string_view, 2> kSeedFolders = {"/var/lib/cloud/seed/nocloud", "/var/lib/cloud/seed/nocloud-net"};

// ---- ds=nocloud;s=…;h=…;i=… ----

struct Directive {
  std::string seed, hostname, instance_id;
  std::vector<std::pair<std::string, std::string>> more;  // becomes metadata
};

// __dmi.system-serial-number__ and the like: one string for many machines (cloud-init cloudinit/dmi.py).
std::string with_dmi(std::string text, const Evidence& e) {
  const std::pair<const char*, const std::string&> names[] = {
      {"system-manufacturer", e.sys_vendor},  {"system-product-name", e.product_name}, {"system-serial-number", e.product_serial},
      {"system-uuid", e.product_uuid},        {"system-version", e.product_version},   {"chassis-asset-tag", e.chassis_asset_tag},
      {"baseboard-manufacturer", e.board_vendor}, {"bios-vendor", e.bios_vendor}};
  for (const auto& [name, value] : names) text = replace_all(text, "__dmi." + std::string(name) + "__", value);
  return text;
}

std::optional<Directive> directive_in(const std::string& text, const Evidence& evidence) {
  for (const auto& word : words_of(text)) {
    const auto parts = split(word, ';');
    if (parts.front() != "ds=nocloud" && parts.front() != "ds=nocloud-net") continue;
    Directive directive;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      const std::string name = parts[i].substr(0, parts[i].find('='));
      const std::string value = parts[i].substr(std::min(parts[i].size(), name.size() + 1));
      if (name == "s" || name == "seedfrom")
        directive.seed = with_dmi(value, evidence);
      else if (name == "h" || name == "local-hostname")
        directive.hostname = value;
      else if (name == "i" || name == "instance-id")
        directive.instance_id = value;
      else if (!name.empty())
        directive.more.emplace_back(name, value);
    }
    return directive;
  }
  return std::nullopt;
}

// The serial number is the hypervisor's word and comes first.
std::optional<Directive> directive_of(const Evidence& evidence) {
  if (auto found = directive_in(evidence.product_serial, evidence)) return found;
  return directive_in(evidence.kernel_command_line, evidence);
}

// ---- the places ----

bool is_seed(Host& host, const std::string& folder) { return exists(host, folder + "/user-data") && exists(host, folder + "/meta-data"); }

std::string seed_folder(Host& host) {
  for (const auto folder : kSeedFolders)
    if (is_seed(host, std::string(folder))) return std::string(folder);
  return {};
}

std::string disk(Host& host) { return disk_labelled(host, {"cidata", "CIDATA"}); }

struct Seed {
  std::string origin, user_data, meta_data;
};

Result<Seed> seed_in_folder(Host& host, const std::string& folder) {
  TRY(auto user_data, host.read(folder + "/user-data", kMaxUserData));
  auto meta_data = host.read(folder + "/meta-data", kMaxMetadata);
  return Seed{folder + "/user-data", std::move(user_data), meta_data ? std::move(*meta_data) : ""};
}

Result<Seed> seed_on_disk(Host& host, const std::string& path) {
  TRY(const auto disk, open_disk(host, path));
  auto user_data = disk->file("user-data");
  if (!user_data) return fail(Kind::machine, "source.no-user-data", "the disk " + path + " holds no readable user-data", "cloud-localds makes one: user-data and meta-data in its root");
  return Seed{path + ":/user-data", std::move(*user_data), disk->file("meta-data").value_or("")};
}

Result<Seed> seed_over_http(Host& host, std::string base, Instant deadline) {
  if (!base.ends_with('/') && base.find('?') == base.npos) base += '/';
  MetadataService service(host, {.service = "the NoCloud seed " + base, .bases = {base}, .link_local = false}, deadline);
  TRY(auto answers, service.get({{"meta-data", true}, {"user-data"}}));
  return Seed{service.url("user-data"), std::move(answers["user-data"]), std::move(answers["meta-data"])};
}

// A URL, a folder, or a device or image file.
Result<Seed> seed_at(Host& host, const std::string& place, Instant deadline) {
  if (place.starts_with("http://") || place.starts_with("https://")) return seed_over_http(host, place, deadline);
  std::string path = place.starts_with("file://") ? place.substr(7) : place;
  if (!path.starts_with('/'))
    return fail(Kind::usage, "source.nocloud", "unable to use the seed " + quoted(place), "it is an http or https URL, a folder, a device or an image file");
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return host.list(path) ? seed_in_folder(host, path) : seed_on_disk(host, path);
}

bool detect(Host& host, const Evidence& evidence) { return directive_of(evidence) || !seed_folder(host).empty() || !disk(host).empty(); }

Result<Seed> find_seed(Host& host, const Directive& directive, const std::string& argument, Instant deadline) {
  if (!argument.empty()) return seed_at(host, argument, deadline);
  if (!directive.seed.empty()) return seed_at(host, directive.seed, deadline);
  if (const auto path = disk(host); !path.empty()) return seed_on_disk(host, path);
  if (const auto folder = seed_folder(host); !folder.empty()) return seed_in_folder(host, folder);
  return Seed{"nocloud", "", ""};  // ds=nocloud alone: the machine is named, and the user gave nothing
}

// `argument`: where the seed is. What the command line says of the machine comes before what the seed says.
Result<Fetched> fetch_it(Host& host, const Evidence& evidence, const std::string& argument, Instant deadline) {
  const Directive directive = directive_of(evidence).value_or(Directive{});
  TRY(auto seed, find_seed(host, directive, argument, deadline));
  TRY(const auto meta_data, read_tree(std::move(seed.meta_data), seed.origin));

  Fetched fetched;
  fetched.origin = std::move(seed.origin);
  fetched.user_data = std::move(seed.user_data);
  Metadata& metadata = fetched.metadata;
  put_platform(metadata, scalar_at(meta_data, "/cloud-name"), "nocloud");
  put_platform(metadata, "unknown", "nocloud");
  for (const auto& [name, value] : directive.more) put(metadata, "ds.meta_data." + name, value);
  put(metadata, "ds.meta_data.instance_id", directive.instance_id);
  put(metadata, "ds.meta_data.local_hostname", directive.hostname);
  put_tree(metadata, "ds.meta_data", meta_data);
  put(metadata, "v1.instance_id", metadata.get("ds.meta_data.instance_id"));
  put(metadata, "v1.instance_id", "nocloud");  // cloud-init's word for none
  put(metadata, "v1.local_hostname", metadata.get("ds.meta_data.local_hostname"));
  put(metadata, "v1.region", scalar_at(meta_data, "/region"));
  put(metadata, "v1.availability_zone", scalar_at(meta_data, "/availability-zone"));
  return fetched;
}

}  // namespace

extern const Source kNoCloud = {"nocloud", "nocloud", "NoCloud", "a disk labelled cidata, /var/lib/cloud/seed/nocloud, or ds=nocloud in the kernel command line or SMBIOS serial", 0, detect, fetch_it};

}  // namespace kubejoin::source
