// The table of sources, what detection looks at, and the choice.
#include "source/source.h"

#include <algorithm>

#include "base/text.h"
#include "source/platform.h"

namespace kubejoin::source {

// A row is written out at the end of its platform's file.
extern const Source kCredential, kFile, kHttps, kKernelUrl, kSmbios, kFwCfg, kNoCloud, kConfigDrive, kVmware, kEc2, kGce, kAzure, kDigitalOcean,
    kHetzner, kOracle, kVultr, kScaleway, kAliyun, kAkamai, kOpenStack, kCloudInit;

std::span<const Source> sources() {
  static const Source table[] = {
      // What the machine's owner put beside it: no network is needed to find it.
      kCredential, kFile, kHttps, kKernelUrl, kSmbios, kFwCfg, kNoCloud, kConfigDrive, kVmware,
      // Clouds, each recognised by its own DMI.
      kEc2, kGce, kAzure, kDigitalOcean, kHetzner, kOracle, kVultr, kScaleway, kAliyun, kAkamai,
      // Last: other platforms carry these signs as well.
      kOpenStack, kCloudInit,
  };
  return table;
}

namespace {

constexpr std::size_t kMaxSmallFile = 64 << 10;

std::string small_file(Host& host, const std::string& path) {
  auto text = host.read(path, kMaxSmallFile);
  return text ? std::move(*text) : std::string();
}

// Trailing white space alone goes: a serial " ds=nocloud" begins as it begins (cloud-init tools/ds-identify).
std::string dmi(Host& host, const std::string& field) {
  std::string value = small_file(host, "/sys/class/dmi/id/" + field);
  value.erase(value.find_last_not_of(" \n") + 1);
  return value;
}

Fetched nothing(const Evidence& evidence) {
  Fetched fetched;
  fetched.source = "none";
  fetched.origin = "no platform recognised: DMI sys_vendor " + quoted(evidence.sys_vendor) + ", product_name " + quoted(evidence.product_name);
  fetched.none = true;
  return fetched;
}

Result<Fetched> fetch_from(const Source& source, Host& host, const Evidence& evidence, const std::string& argument, Instant deadline) {
  auto fetched = source.fetch(host, evidence, argument, deadline);
  if (!fetched) return within("get user-data from " + std::string(source.title), std::move(fetched).error());
  // cloud-init's v1.local_hostname is the first label; the whole name is in ds.meta_data.
  for (auto& [name, value] : fetched->metadata.values)
    if (name == "v1.local_hostname") value = value.substr(0, value.find('.'));
  fetched->source = source.name;
  fetched->none = fetched->user_data.empty();
  return fetched;
}

Result<Fetched> fetch_named(const std::string& uri, Host& host, const Evidence& evidence, Instant deadline) {
  const std::string scheme = uri.substr(0, uri.find(':'));
  std::vector<std::string> schemes;
  for (const Source& source : sources()) {
    if (scheme == source.scheme) return fetch_from(source, host, evidence, uri.substr(std::min(uri.size(), scheme.size() + 1)), deadline);
    schemes.emplace_back(source.scheme);
  }
  const auto near = did_you_mean(scheme, schemes);
  return fail(Kind::usage, "source.unknown", "unable to find the source " + quoted(uri) + ": nothing is called " + quoted(scheme),
              near ? "did you mean " + *near + ":?" : "the sources are " + join(schemes, ", "));
}

}  // namespace

Evidence gather(Host& host) {
  Evidence evidence;
  evidence.sys_vendor = dmi(host, "sys_vendor");
  evidence.product_name = dmi(host, "product_name");
  evidence.product_serial = dmi(host, "product_serial");
  evidence.product_uuid = dmi(host, "product_uuid");
  evidence.product_version = dmi(host, "product_version");
  evidence.chassis_asset_tag = dmi(host, "chassis_asset_tag");
  evidence.board_vendor = dmi(host, "board_vendor");
  evidence.bios_vendor = dmi(host, "bios_vendor");
  evidence.kernel_command_line = trim(small_file(host, "/proc/cmdline"));
  evidence.xen = trim(small_file(host, "/sys/hypervisor/type")) == "xen";
  evidence.baked_source = trim(small_file(host, "/etc/kubejoin/source"));
  return evidence;
}

Result<Fetched> fetch(Host& host, const std::string& uri, Instant deadline) {
  const Evidence evidence = gather(host);
  const std::string& named = uri.empty() ? evidence.baked_source : uri;
  if (!named.empty()) return fetch_named(named, host, evidence, deadline);
  for (const Source& source : sources())
    if (source.detect(host, evidence)) return fetch_from(source, host, evidence, {}, deadline);
  return nothing(evidence);
}

}  // namespace kubejoin::source
