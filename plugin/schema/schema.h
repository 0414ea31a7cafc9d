// Schema: the embedded JSON Schemas, and every violation of a document against its own.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parse/document.h"

namespace kubejoin::schema {

// One version of a document that kubejoin reads. The schema's text is embedded from schemas/<file>.json at build time.
struct Version {
  std::string_view api_version;  // "kubeadm.k8s.io/v1beta4"
  std::string_view kind;         // "JoinConfiguration"
  std::string_view name;         // "v1beta4": what `kubejoin schema NAME` takes
  std::string_view note;         // "experimental", "last read by kubeadm 1.26", …; shown as a warning when not empty
  // One step to the next version (nullptr: newest). Keeps marks, never fails: the document has been validated.
  parse::Value (*upgrade)(parse::Value);
};
std::span<const Version> versions();  // oldest first; our own kind comes last
const Version* find_version(std::string_view api_version, std::string_view kind);
std::string_view schema_text(const Version& version);  // JSON

// Lines of a document, counted in its own text, on which a secret stands: they are never quoted.
struct Lines {
  int first = 0;
  int last = 0;
};

// Every violation, ordered by place. Ids "schema.required", "schema.unknown-field", "schema.type", "schema.enum",
// "schema.pattern", "schema.length" and "schema.range", with did-you-mean, with the allowed values, with the YAML 1.1
// trap explained where a plain scalar has the wrong type. Values below a secret field ("x-kubejoin-secret": true in the
// schema) are never shown.
struct Verdict {
  std::vector<Error> errors;
  std::vector<Error> unknown_fields;  // errors when strict, warnings otherwise
  std::vector<Error>
      warnings;  // "schema.yaml-trap": what is read as it is meant, though kubeadm or an editor would not
  std::vector<std::string> meant;  // the fields that misspelt ones were meant to be, in the document's own spelling
  std::vector<Lines> secret_lines;
};
struct Reading {
  bool strict = false;  // unknown fields are errors; what a misspelt one was meant to be is then not said to be missing
  bool templates =
      false;  // {{ names }} stay unresolved until the machine is known: texts are not judged by their content
};
Verdict check(const parse::Document& document, const Version& version, const Reading& reading);

// The place of a mark; its line's text only where no secret stands on that line.
Place place(const parse::Document& document, parse::Mark mark, std::span<const Lines> secret_lines);

// What a plain scalar of a boolean field says: true and false as YAML 1.2 has them, yes, no, on, off as YAML 1.1, whose
// readers kubeadm's is one of. A field that is none of them is false; check() has refused it.
bool truth(const parse::Value& value);

// The document in the newest version, by one-step upgrades. Beyond what the newest version knows it keeps featureGates
// and clusterName (v1alpha1 to v1alpha3), and discovery.bootstrapToken.apiServerEndpoint is a list where those versions
// named several servers.
parse::Document upgrade(const parse::Document& document, const Version& from);

// How a document of `version` spells a field of the newest: "discovery.bootstrapToken.token" is "discoveryToken" in
// v1alpha1.
std::string spelling(const Version& version, std::string_view path);

}  // namespace kubejoin::schema
