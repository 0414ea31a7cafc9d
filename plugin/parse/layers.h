// Layers: what envelope.cc peels with. Each function knows one format, is pure, and bounded.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parse/document.h"
#include "parse/envelope.h"

namespace kubejoin::parse {

// A text inside another one: "part 2" in "" is "part 2", "write_files[0]" in "part 2" is "part 2, write_files[0]".
std::string part_within(const std::string& outer, std::string_view name);

// Does a line of the text name an apiVersion of ours? Then what is wrong with the text is our affair.
bool claims_to_be_ours(std::string_view text);

// How much may still come out of compressed data; shared by all layers of one user-data.
struct Allowance {
  std::size_t bytes = 10 << 20;
};

// ---- base64, as Python decodes it (binascii.a2b_base64): what is not of its alphabet is passed over ----
struct LenientBase64 {
  std::string bytes;
  std::size_t culprit = std::string::npos;  // the first byte that was passed over
  bool padded = true;                       // "=" are where Python wants them
};
// Nothing when a character is missing at the end.
std::optional<LenientBase64> decode_base64_leniently(std::string_view text);

// ---- gzip (RFC 1952) ----
bool is_gzip(std::string_view bytes);
// All members, one after the other. "gzip.broken" (truncated, damaged), "gzip.too-large". No Place: the caller knows
// it.
Result<std::string> gunzip(std::string_view bytes, Allowance& allowance);

// What was found wrong, by what it is to a join. Whoever peels decides in the end: what could not be read matters only
// when nothing of ours was found elsewhere.
struct Told {
  std::vector<Error> errors;    // in what is meant for us
  std::vector<Error> damaged;   // cannot be decoded, and its path says that it may be ours
  std::vector<Error> unread;    // cannot be decoded or stands elsewhere, and nobody knows whose it is
  std::vector<Error> warnings;  // the rest: what cloud-init passes over, too
};

// ---- MIME (RFC 2045, 2046), as Python's email package reads it, which takes every text somehow ----
struct MimePart {
  std::string type;  // "text/cloud-config"
  Source source;     // "part 2"; lines are the outer file's unless the part was encoded
  std::string merge_type;  // of the header Merge-Type or X-Merge-Type
};
struct Mime {
  std::vector<MimePart> parts;  // the leaves, in order; nested multiparts are flattened
  Told told;
};
// Does the text begin with headers that say so?
bool is_mime(std::string_view text);
Mime read_mime(const Source& source);

// ---- Formats that carry files ----
struct File {
  std::string name;  // "write_files[0]"
  std::string path;  // where it would be written
  std::shared_ptr<Source> source;
};
struct Carried {
  std::vector<File> files;          // decoded; for each path what the machine would find there in the end
  std::vector<File> configs;        // further texts of the carrier's own format (Ignition: merged configs)
  std::vector<File> texts;          // meant for us
  std::vector<Document> documents;  // meant for us
  std::vector<Script> scripts;      // that are no files
  std::vector<Pointer> pointers;
  Told told;
};

// ---- cloud-config: write_files, runcmd, bootcmd and our key `kubejoin` (cloudinit/config/cc_write_files.py) ----
struct CloudConfig {
  Document document;
  std::vector<Yaml::Replaced> replaced;
  std::string merge_type;  // what the part's header says
};
// All cloud-configs of one user-data, merged as cloud-init merges them (cloudinit/handlers/cloud_config.py, cloudinit/mergers): a
// later key replaces an earlier one unless merge_how, merge_type or the header says otherwise.
Carried read_cloud_configs(std::span<const CloudConfig> parts, Allowance& allowance);

// ---- Ignition 2.x and 3.x: storage.files with data: URLs (coreos/ignition docs/configuration-v3_5.md, config-spec 2.3) ----
Carried read_ignition(const Document& document, Allowance& allowance);

// ---- What is for others ----
// For whom a document is: "nodeadm (Amazon EKS): NodeConfig", "Butane". Empty when it may be ours, or nobody's.
std::string addressee(const Value& root);
// The same of a text that is no document: a script, TOML.
std::string addressee(std::string_view text);

// ---- Jinja, as much of it as instance metadata needs ----
// "jinja", "basic" …, lower case, when the first line is "## template: …"; empty otherwise.
std::string template_type(std::string_view text);
struct Rendered {
  std::string text;  // line for line; what could not be replaced is left, quoted where YAML would misread it
  struct Problem {
    Error error;
    std::string snippet;  // as left in `text`
  };
  std::vector<Problem> problems;
};
Rendered render_all(const Source& source, const Variables* variables);

}  // namespace kubejoin::parse
