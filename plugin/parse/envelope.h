// Envelope: from user-data bytes, however wrapped, to the documents inside, with their places.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parse/document.h"

namespace kubejoin::parse {

// What cloud-init's instance-data calls its variables ("v1.local_hostname" -> "ip-10-0-0-7"); read by `## template: jinja` texts.
using Variables = std::vector<std::pair<std::string, std::string>>;

// A text that cloud-init or the machine's shell would run: an entry of runcmd or bootcmd, a script (a whole user-data, a MIME part, a
// file that begins with "#!").
struct Script {
  std::string name;                      // "runcmd[0]", "part 2", "write_files[3] /usr/local/bin/join.sh", "user-data"
  std::shared_ptr<const Source> source;  // the text, with its own place; of the list form: the text that the marks of `argv` are in
  std::vector<Value> argv;               // list form: the words as they are; else empty
};

// Documents that could be read stay when others have errors, so that every mistake can be told at once; whoever acts looks at
// `errors` first.
struct Unwrapped {
  std::vector<Document> documents;  // kubeadm, kubejoin and component documents, in the user's order
  std::vector<Error> errors;        // Kind::invalid, every one with its Place
  std::vector<Error> warnings;
  std::vector<Script> scripts;      // in the user's order; the first thousand
  std::vector<std::string> layers;  // what was peeled, outermost first: "gzip", "mime", "cloud-config", "write_files[0]", "jinja"
};

// gzip, base64 (whole), MIME multipart (nested), #cloud-config (write_files with a kubeadm/kubejoin document; key `kubejoin:`),
// Ignition JSON 2.3 and 3.x (storage.files), `## template: jinja`, bare multi-document YAML or JSON.
// `variables` == nullptr: templates are checked for form but names stay unresolved (validate on a laptop).
// Data that holds no document of ours (a shell script, a plain cloud-config) gives no documents and no errors.
Unwrapped unwrap(std::string_view bytes, const std::string& file, const Variables* variables, const Limits& limits = {});

// Plain substitution of `{{ name }}` and `{{ name | default('x') }}`; an unknown name is an error with its place.
Result<std::string> render(const Source& source, const Variables& variables);

}  // namespace kubejoin::parse
