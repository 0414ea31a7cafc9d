// Envelope: from user-data bytes, however wrapped, to the documents inside, with their places.
#pragma once

#include <functional>
#include <memory>
#include <optional>
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
  bool is_text = false;                  // argv is one text, whose place in `source` goes through escapes or folds
};

// A file that the user-data lays on the machine, as it is in the end.
struct CarriedFile {
  std::string path;
  std::shared_ptr<const Source> source;
};

// Something that stands elsewhere: `#include`, write_files' source, Ignition's https: URLs.
struct Pointer {
  std::string name;  // "write_files[0] (/etc/kubeadm/join.yaml)", "#include"
  std::string url;
  std::string path;  // where it will be written; empty for a further user-data
  Place place;
};

// A document or text for somebody else, named for what it is.
struct Foreign {
  std::string whom;  // "nodeadm (Amazon EKS): NodeConfig"
  Place place;
  Document document;  // without a source when it is none
};

// Documents that could be read stay when others have errors, so that every mistake can be told at once; whoever acts looks at
// `errors` first. What is not ours is never an error: a text is judged for what it holds, after it is known whose it is.
struct Unwrapped {
  std::vector<Document> documents;  // kubeadm, kubejoin and component documents, in the user's order
  std::vector<Error> errors;        // Kind::invalid, every one with its Place
  std::vector<Error> warnings;
  std::vector<Error> unread;        // what may hold documents and was not read; without `documents` only, else it is in `warnings`
  std::vector<Foreign> foreign;
  std::vector<Script> scripts;      // in the user's order; the first thousand
  std::vector<CarriedFile> files;
  std::vector<std::string> layers;  // what was peeled, outermost first: "gzip", "mime", "cloud-config", "write_files[0]", "jinja"
};

// Reads a file of this machine that a user-data points to by file:///PATH; nothing when it is not there.
using LocalFile = std::function<std::optional<std::string>(const std::string& path)>;

// gzip, base64 (whole), MIME multipart (nested), #cloud-config (write_files with a kubeadm/kubejoin document; key `kubejoin:`),
// Ignition JSON 2.3 and 3.x (storage.files), `## template: jinja`, bare multi-document YAML or JSON.
// `variables` == nullptr: templates are checked for form but names stay unresolved (validate on a laptop).
// Data that holds no document of ours (a shell script, a plain cloud-config) gives no documents and no errors.
Unwrapped unwrap(std::string_view bytes, const std::string& file, const Variables* variables, const Limits& limits = {},
                 const LocalFile& local_file = {});

// What a user-data looks like in which nothing of ours was found: "a shell script, which cloud-init runs". Pure; what is packed is
// looked at as it is.
struct Looks {
  std::string what;
  std::string hint;
};
Looks looks_like(std::string_view text);

// Plain substitution of `{{ name }}` and `{{ name | default('x') }}`; an unknown name is an error with its place.
Result<std::string> render(const Source& source, const Variables& variables);

}  // namespace kubejoin::parse
