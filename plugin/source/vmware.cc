// VMware guestinfo, through a program of open-vm-tools.
// Keys and encodings: cloud-init DataSourceVMware; Ignition's keys: coreos/ignition internal/providers/vmware.
#include "base/text.h"
#include "parse/layers.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

bool detect(Host&, const Evidence& e) { return lower(e.product_name).find("vmware") != std::string::npos; }

// "info-get KEY"; nothing when the key has no value, which both programs tell by status 1 and "No value found".
Result<std::string> guestinfo(Host& host, const std::string& key) {
  const std::string question = "info-get guestinfo." + key;
  Command command{.argv = {"vmware-rpctool", question}, .max_output = kMaxUserData};
  if (!host.find_program("vmware-rpctool")) command.argv = {"vmtoolsd", "--cmd", question};
  TRY(auto result, host.run(command));
  if (result.status == 0) return std::string(trim(result.out));
  if (result.err.find("No value found") != result.err.npos || result.out.find("No value found") != result.out.npos) return std::string();
  return fail(Kind::machine, "source.guestinfo", "unable to read guestinfo." + key + ": " + printable(trim(result.err)));
}

// As the key's .encoding says; of gzip the outer layer is left to the reader of user-data.
Result<std::string> decoded_guestinfo(Host& host, const std::string& key) {
  TRY(auto value, guestinfo(host, key));
  if (value.empty() || value == "---") return std::string();  // "---": cloud-init's mark for "wiped"
  TRY(const auto encoding, guestinfo(host, key + ".encoding"));
  if (encoding.empty()) return value;
  if (encoding != "base64" && encoding != "b64" && encoding != "gzip+base64" && encoding != "gz+b64")
    return fail(Kind::invalid, "source.encoding", "guestinfo." + key + ".encoding is " + quoted(encoding), "it may be base64 or gzip+base64");
  return decoded(value, "guestinfo." + key);
}

Result<Fetched> fetch_it(Host& host, const Evidence& evidence, const std::string&, Instant) {
  if (!host.find_program("vmware-rpctool") && !host.find_program("vmtoolsd"))
    return fail(Kind::unfit, "source.no-tools", "neither vmware-rpctool nor vmtoolsd is installed", "bake open-vm-tools into the image");
  Fetched fetched;
  fetched.origin = "guestinfo.userdata";
  TRY(fetched.user_data, decoded_guestinfo(host, "userdata"));
  if (fetched.user_data.empty()) {
    TRY(fetched.user_data, decoded_guestinfo(host, "ignition.config.data"));
    if (!fetched.user_data.empty()) fetched.origin = "guestinfo.ignition.config.data";
  }
  TRY(auto text, decoded_guestinfo(host, "metadata"));
  if (parse::Allowance allowance{kMaxMetadata}; parse::is_gzip(text)) {
    TRY(text, parse::gunzip(text, allowance));
  }
  TRY(const auto meta_data, read_tree(std::move(text), "guestinfo.metadata"));

  Metadata& metadata = fetched.metadata;
  put_platform(metadata, "vmware", "vmware");
  put(metadata, "v1.instance_id", scalar_at(meta_data, "/instance-id"));
  put(metadata, "v1.instance_id", lower(evidence.product_uuid));
  put(metadata, "v1.local_hostname", scalar_at(meta_data, "/local-hostname"));
  put(metadata, "v1.region", scalar_at(meta_data, "/region"));
  put(metadata, "v1.availability_zone", scalar_at(meta_data, "/availability-zone"));
  put_tree(metadata, "ds.meta_data", meta_data);
  return fetched;
}

}  // namespace

extern const Source kVmware = {"vmware", "vmware", "VMware guestinfo", "DMI product_name with 'VMware' in it", 0, detect, fetch_it};

}  // namespace kubejoin::source
