// Layers: what envelope.cc peels with. Each function knows one format, is pure, and bounded.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parse/document.h"
#include "parse/envelope.h"

namespace kubejoin::parse {

// A text inside another one: "part 2" in "" is "part 2", "write_files[0]" in "part 2" is "part 2, write_files[0]".
std::string part_within(const std::string& outer, std::string_view name);

// How much may still come out of compressed data; shared by all layers of one user-data.
struct Allowance {
  std::size_t bytes = 10 << 20;
};

// ---- gzip (RFC 1952) ----
bool is_gzip(std::string_view bytes);
// All members, one after the other. "gzip.broken" (truncated, damaged), "gzip.too-large". No Place: the caller knows
// it.
Result<std::string> gunzip(std::string_view bytes, Allowance& allowance);

// ---- MIME (RFC 2045, 2046) ----
struct MimePart {
  std::string type;  // "text/cloud-config"
  Source source;     // "part 2"; lines are the outer file's unless the part was encoded
};
struct Mime {
  std::vector<MimePart> parts;  // the leaves, in order; nested multiparts are flattened
  std::vector<Error> errors;
  std::vector<Error> warnings;
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
  std::vector<Error> errors;
  std::vector<Error> doubts;  // could not be read, and may be no affair of ours
  std::vector<Error> warnings;
};
// cloud-init's write_files and our key `kubejoin` (cloudinit/config/cc_write_files.py).
Carried read_cloud_config(const Document& document, Allowance& allowance);
// Ignition 2.x and 3.x: storage.files with data: URLs (coreos/ignition docs/configuration-v3_5.md, config-spec 2.3).
Carried read_ignition(const Document& document, Allowance& allowance);

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
