// Sources: where user-data and instance metadata come from, one row a platform.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/host.h"

namespace kubejoin::source {

// What a platform says about this instance:
//   v1.*         cloud-init's instance-data: instance_id, local_hostname, region, availability_zone, cloud_name, platform
//   ds.meta_data.*  the platform's own words, as cloud-init keeps them
//   instance.*   ours, the same on every platform: type, local_ipv4, public_ipv4, ipv6, tags.*
// Names are in Jinja's form ("-" is "_", a list's third item is ".2"). Absent things are absent; user-data is never among them.
struct Metadata {
  std::vector<std::pair<std::string, std::string>> values;  // sorted by name
  std::string get(std::string_view name) const;             // "-" and "_" are one; empty when absent
};

// Three outcomes: bytes; reachable and the user gave none (user_data empty, `none` true); an Error.
struct Fetched {
  std::string source;     // the row's name
  std::string origin;     // as the user would recognise it: "http://169.254.169.254/latest/user-data"
  std::string user_data;
  bool none = false;
  Metadata metadata;
  struct File {
    std::string path;
    std::size_t begin = 0, size = 0;  // in user_data
  };
  std::vector<File> files;  // that user_data was put together from; empty: it is one text
};

// What detection learnt before any packet: DMI, kernel command line, block devices by label, baked files.
struct Evidence {
  std::string sys_vendor, product_name, product_serial, product_uuid, chassis_asset_tag, board_vendor, bios_vendor, product_version;
  std::string kernel_command_line;
  bool xen = false;
  std::string baked_source;  // /etc/kubejoin/source, one URI
};
Evidence gather(Host& host);

struct Source {
  std::string_view name;         // "ec2"
  std::string_view scheme;       // of --source URIs: "ec2:", "nocloud:/path", "file:///path", "https://…"
  std::string_view title;        // "Amazon EC2 (IMDSv2)"
  std::string_view recognised_by;  // for people: "DMI sys_vendor 'Amazon EC2'"
  std::size_t user_data_limit;   // bytes, of the platform; 0 = none known
  bool (*detect)(Host& host, const Evidence& evidence);  // sends no packet
  // `argument` is what stood after the scheme in --source, or empty. Ends by `deadline` whatever the network does.
  Result<Fetched> (*fetch)(Host& host, const Evidence& evidence, const std::string& argument, Instant deadline);
};

std::span<const Source> sources();  // in the order of detection; local ones first

// The first that is recognised, or the one that `uri` names (then what is baked into /etc/kubejoin/source).
// No source: Kind::unavailable never; a Fetched with none = true and source "none". A URI that names none: Kind::usage.
Result<Fetched> fetch(Host& host, const std::string& uri, Instant deadline);

// What a template may say: metadata's names, and those of v1 without the prefix as well, as cloud-init has them ("region").
std::vector<std::pair<std::string, std::string>> variables(const Metadata& metadata);

// For `kubejoin query [PATH]`: the metadata, or what stands at and below `path` (Kind::usage "query.absent"), one "name: value" a line
// or JSON; a single value as it is. Of user-data its size alone; a value whose name speaks of a token, password, secret or key is "redacted".
Result<std::string> render_query(const Fetched& fetched, std::string_view path, bool json);
// For `kubejoin query --list-sources`: the table of sources().
std::string render_sources(bool json);

}  // namespace kubejoin::source
