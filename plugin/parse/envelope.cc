// Peels user-data layer by layer until documents are left; what is not for us passes in silence.
#include "parse/envelope.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "parse/layers.h"
#include "parse/utf8.h"

namespace kubejoin::parse {
namespace {

constexpr int kDeepest = 8;
constexpr std::size_t kLargestMiB = 10;
constexpr std::size_t kMostErrors = 200;
constexpr std::size_t kMostScripts = 1000;

// What a text is said to be: by its MIME type, or by whoever carries it.
enum class Form { unknown, ours, cloud_config, cloud_config_archive, jinja, script };

struct MimeType {
  std::string_view name;
  Form form;
};
// cloudinit/handlers/__init__.py has the first group; other types (part handlers, other agents) are not for us.
constexpr std::array<MimeType, 19> kMimeTypes = {{
    {"text/cloud-config", Form::cloud_config},
    {"text/cloud-config-archive", Form::cloud_config_archive},
    {"text/jinja2", Form::jinja},
    {"text/x-shellscript", Form::script},
    {"text/x-shellscript-per-boot", Form::script},
    {"text/x-shellscript-per-instance", Form::script},
    {"text/x-shellscript-per-once", Form::script},
    {"text/cloud-boothook", Form::script},
    {"text/plain", Form::unknown},
    {"text/x-not-multipart", Form::unknown},
    {"application/octet-stream", Form::unknown},
    {"application/vnd.kubejoin+yaml", Form::ours},
    {"application/yaml", Form::unknown},
    {"application/x-yaml", Form::unknown},
    {"text/yaml", Form::unknown},
    {"text/x-yaml", Form::unknown},
    {"application/json", Form::unknown},
    {"application/gzip", Form::unknown},
    {"application/x-gzip", Form::unknown},
}};

// First lines of what cloud-init, Windows and shells run.
constexpr std::array<std::string_view, 9> kForeign = {"#!",           "#include",      "#cloud-boothook",
                                                      "#upstart-job", "#part-handler", "#cloud-config-jsonp",
                                                      "#ps1",         "<powershell>",  "<script>"};

bool contains(std::string_view text, std::string_view word) { return text.find(word) != text.npos; }

bool mentions_us(std::string_view text) { return contains(text, "kubeadm.k8s.io/") || contains(text, "kubejoin/"); }

bool is_join_group(const Document& document) {
  const std::string version = document.api_version();
  return version.starts_with("kubeadm.k8s.io/") || version.starts_with("kubejoin/");
}

bool is_typed(const Document& document) { return document.root.find("apiVersion") || document.root.find("kind"); }

// A whole document of ours begins a line so; a script that merely contains one does too, but has other lines as well.
bool claims_to_be_ours(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.starts_with("apiVersion:") && mentions_us(line)) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

std::string_view first_line(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return trim(text.substr(0, text.find('\n')));
}

// Base64 in lines and nothing else, long enough not to be a word.
bool looks_like_base64(std::string_view text) {
  std::size_t letters = 0;
  for (const char c : text) {
    const bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
    if (!letter && c != '\n' && c != '\r') return false;
    letters += letter;
  }
  return letters >= 16;
}

bool holds(const Value& value, std::string_view snippet) {
  return contains(value.text, snippet) ||
         std::any_of(value.items.begin(), value.items.end(), [&](const Value& v) { return holds(v, snippet); }) ||
         std::any_of(value.members.begin(), value.members.end(),
                     [&](const Value::Member& m) { return contains(m.key, snippet) || holds(m.value, snippet); });
}

class Peeler {
 public:
  Peeler(const Variables* variables, const Limits& limits) : variables_(variables), limits_(limits) {}

  Unwrapped unwrap(std::string_view bytes, const std::string& file) {
    Source source{file, "", {}};
    if (bytes.size() > allowance_.bytes) {
      report(source, {}, "envelope.too-large",
             "the data has " + std::to_string(bytes.size()) + " bytes, more than the " + std::to_string(kLargestMiB) +
                 " MiB that kubejoin reads");
      return std::move(out_);
    }
    allowance_.bytes -= bytes.size();
    source.text = bytes;
    peel(std::move(source), Form::unknown, 0);
    // Something that could not be read matters only when nothing of ours was found elsewhere.
    auto& doubts = out_.documents.empty() ? out_.errors : out_.warnings;
    doubts.insert(doubts.end(), doubts_.begin(), doubts_.end());
    return std::move(out_);
  }

 private:
  void report(const Source& source, Mark mark, std::string_view id, std::string message, std::string hint = {}) {
    report(out_.errors, source, mark, id, std::move(message), std::move(hint));
  }
  static void report(std::vector<Error>& list, const Source& source, Mark mark, std::string_view id,
                     std::string message, std::string hint) {
    if (list.size() >= kMostErrors) return;
    Error error = fail(Kind::invalid, id, std::move(message), std::move(hint)).value();
    error.place = Document{std::make_shared<Source>(source), {}}.place(mark);
    list.push_back(std::move(error));
  }
  static void append(std::vector<Error>& list, const std::vector<Error>& more) {
    const auto room = static_cast<std::ptrdiff_t>(kMostErrors - std::min(kMostErrors, list.size()));
    list.insert(list.end(), more.begin(), more.begin() + std::min(room, std::ssize(more)));
  }

  void peel(Source source, Form form, int depth) {
    if (trim(source.text).empty()) return;
    if (depth > kDeepest)
      return report(source, {1, 1}, "envelope.too-deep",
                    "more than " + std::to_string(kDeepest) + " layers around the document");
    if (is_gzip(source.text)) return peel_gzip(std::move(source), form, depth);

    if (source.text.starts_with("\xFF\xFE") || source.text.starts_with("\xFE\xFF"))
      return report(source, {1, 1}, "envelope.encoding", "the text is UTF-16", "save it as UTF-8");

    const std::string_view first = first_line(source.text);
    const std::string type = template_type(first);
    if (form == Form::jinja || type == "jinja")
      return peel_jinja(std::move(source), form == Form::jinja ? Form::unknown : form, depth);
    if (!type.empty() && mentions_us(source.text))
      return report(source, {1, 1}, "jinja.type", "unknown template type " + quoted(type, 40),
                    "write \"## template: jinja\"");
    if (form == Form::script || first.starts_with("#!") || first.starts_with("#cloud-boothook")) return take_script(std::move(source));
    if (form == Form::ours) return read_bare(source, true, depth);
    if (form == Form::cloud_config_archive || first.starts_with("#cloud-config-archive"))
      return peel_archive(std::move(source), depth);
    if (std::any_of(kForeign.begin(), kForeign.end(), [&](std::string_view word) { return first.starts_with(word); }))
      return;
    if (form == Form::cloud_config || first.starts_with("#cloud-config"))
      return peel_cloud_config(std::move(source), depth);
    if (is_mime(source.text)) return peel_mime(source, depth);
    if (looks_like_base64(source.text)) return peel_base64(std::move(source), depth);
    read_bare(source, false, depth);
  }

  void take_script(Source source) {
    const std::string name = source.part.empty() ? "user-data" : source.part;
    take_script({name, std::make_shared<const Source>(std::move(source)), {}});
  }

  void take_script(Script script) {
    if (out_.scripts.size() < kMostScripts) out_.scripts.push_back(std::move(script));
  }

  // The whole user-data packed is still the user's text; a packed part has lines of its own.
  static Source decoded(Source source, std::string text) {
    if (!source.part.empty() && !source.part.ends_with("decoded")) source.part += ", decoded";
    return {std::move(source.file), std::move(source.part), std::move(text)};
  }

  void peel_gzip(Source source, Form form, int depth) {
    auto text = gunzip(source.text, allowance_);
    if (!text) {
      Error error = std::move(text).error();
      error.place = Place{.file = source.file, .part = source.part, .line = 0, .column = 0, .text = {}};
      return out_.errors.push_back(std::move(error));
    }
    out_.layers.push_back("gzip");
    peel(decoded(std::move(source), std::move(*text)), form, depth + 1);
  }

  void peel_base64(Source source, int depth) {
    auto bytes = base64_decode(trim(source.text));
    if (!bytes)
      return report(out_.warnings, source, {1, 1}, "envelope.base64", "the data looks like base64, but does not decode",
                    "it may have been cut off");
    if (!is_gzip(*bytes) && find_unprintable(*bytes) != bytes->npos) return;  // a random word
    out_.layers.push_back("base64");
    peel(decoded(std::move(source), std::move(*bytes)), Form::unknown, depth + 1);
  }

  void peel_mime(const Source& source, int depth) {
    out_.layers.push_back("mime");
    Mime mime = read_mime(source);
    append(out_.errors, mime.errors);
    append(out_.warnings, mime.warnings);
    for (MimePart& part : mime.parts) {
      const auto type =
          std::find_if(kMimeTypes.begin(), kMimeTypes.end(), [&](const MimeType& t) { return t.name == part.type; });
      if (type != kMimeTypes.end()) peel(std::move(part.source), type->form, depth + 1);
    }
  }

  void peel_jinja(Source source, Form form, int depth) {
    const auto layers_before = out_.layers.size();
    const auto documents_before = static_cast<std::ptrdiff_t>(out_.documents.size());
    const auto errors_before = static_cast<std::ptrdiff_t>(out_.errors.size());
    out_.layers.push_back("jinja");
    Rendered rendered = render_all(source, variables_);
    source.text = std::move(rendered.text);
    if (const std::string_view header = first_line(source.text); !template_type(header).empty()) {
      const auto end = static_cast<std::size_t>(header.data() - source.text.data()) + header.size();
      const auto next = std::min(source.text.find('\n', end), source.text.size() - 1) + 1;
      source.first_line += static_cast<int>(
          std::count(source.text.begin(), source.text.begin() + static_cast<std::ptrdiff_t>(next), '\n'));
      source.text.erase(0, next);
    }
    peel(std::move(source), form, depth + 1);

    // What the template leaves unresolved is an error where it stands in a document of ours; elsewhere cloud-init
    // renders it, with all of Jinja.
    const bool failed = std::ssize(out_.errors) > errors_before;
    const bool found = std::ssize(out_.documents) > documents_before;
    std::vector<Error> ours;
    for (Rendered::Problem& problem : rendered.problems) {
      // Between YAML's single quotes '' has become '.
      const std::string unquoted = replace_all(problem.snippet, "''", "'");
      const bool matters =
          failed || std::any_of(out_.documents.begin() + documents_before, out_.documents.end(), [&](const Document& document) {
            return holds(document.root, problem.snippet) || holds(document.root, unquoted);
          });
      if (matters) ours.push_back(std::move(problem.error));
    }
    out_.errors.insert(out_.errors.begin() + errors_before, ours.begin(), ours.end());
    if (!found && !failed) out_.layers.resize(layers_before);
  }

  std::vector<Document> read(const Source& source, std::vector<Error>& errors) {
    Limits limits = limits_;
    limits.scalar = limits.bytes;  // a file inside may be as large as the text around it
    Yaml yaml = read_yaml(std::make_shared<Source>(source), limits);
    append(errors, yaml.errors);
    return std::move(yaml.documents);
  }

  void peel_archive(Source source, int depth) {
    std::vector<Document> documents = read(source, out_.errors);
    out_.layers.push_back("cloud-config-archive");
    if (documents.empty() || documents[0].root.type != Type::list) return;
    int number = 0;
    for (const Value& item : documents[0].root.items) {
      const Value* content = item.type == Type::map ? item.find("content") : &item;
      const std::string type = item.string_or("type", "text/plain");
      const auto known =
          std::find_if(kMimeTypes.begin(), kMimeTypes.end(), [&](const MimeType& t) { return t.name == type; });
      ++number;
      if (!content || content->type != Type::string || known == kMimeTypes.end()) continue;
      peel(Source{source.file, part_within(source.part, "item " + std::to_string(number) + ", decoded"), content->text},
           known->form, depth + 1);
    }
  }

  void peel_cloud_config(Source source, int depth) {
    out_.layers.push_back("cloud-config");
    for (const Document& document : read(source, out_.errors))
      if (document.root.type == Type::map) take(read_cloud_config(document, allowance_), depth);
  }

  void take(Carried carried, int depth) {
    append(out_.errors, carried.errors);
    append(out_.warnings, carried.warnings);
    append(doubts_, carried.doubts);
    for (Document& document : carried.documents) {
      if (out_.layers.empty() || out_.layers.back() != "kubejoin") out_.layers.push_back("kubejoin");
      out_.documents.push_back(std::move(document));
    }
    for (File& text : carried.texts) {
      out_.layers.push_back(text.name);
      read_bare(*text.source, true, depth + 1);
    }
    for (File& config : carried.configs) {
      out_.layers.push_back(config.name);
      peel(std::move(*config.source), Form::unknown, depth + 1);
    }
    for (Script& script : carried.scripts) take_script(std::move(script));
    for (const File& file : carried.files) read_file(file);
  }

  // A file that somebody else would write: ours when a document in it is. A broken one is, when it says so.
  void read_file(const File& file) {
    const std::string& text = file.source->text;
    if (text.starts_with("#!")) return take_script({file.name + " " + printable(file.path), file.source, {}});
    if (!mentions_us(text)) return;
    std::vector<Error> errors;
    std::vector<Document> documents = read(*file.source, errors);
    const bool broken = !errors.empty() && (claims_to_be_ours(text) || text.starts_with('{'));
    if (broken) append(out_.errors, errors);
    if (std::none_of(documents.begin(), documents.end(), is_join_group)) return;
    out_.layers.push_back(file.name);
    for (Document& document : documents)
      if (is_typed(document)) out_.documents.push_back(std::move(document));
  }

  // YAML or JSON without a header. `ours`: somebody said that it is for us.
  void read_bare(const Source& source, bool ours, int depth) {
    std::vector<Error> errors;
    std::vector<Document> documents = read(source, errors);
    const bool addressed = ours || mentions_us(source.text);
    const auto stray = std::find_if(documents.begin(), documents.end(),
                                    [](const Document& document) { return document.root.type != Type::map; });
    if (ours && stray != documents.end())
      report(source, stray->root.mark, "envelope.document", "a document must be a map",
             "begin it with apiVersion and kind");
    if (addressed || contains(source.text, "apiVersion") || contains(source.text, "\"ignition\""))
      append(out_.errors, errors);
    for (Document& document : documents) {
      const Value& root = document.root;
      if (const Value* ignition = root.find("ignition"); ignition && ignition->find("version")) {
        out_.layers.push_back("ignition");
        take(read_ignition(document, allowance_), depth);
      } else if (root.type == Type::map && (addressed || (is_typed(document) && source.part.empty()))) {
        if (!is_typed(document) && (root.find("write_files") || root.find("kubejoin"))) {
          report(out_.warnings, source, root.mark, "cloud-config.header",
                 "a cloud-config without its first line: cloud-init will ignore it",
                 "make #cloud-config the first line");
          out_.layers.push_back("cloud-config");
          take(read_cloud_config(document, allowance_), depth);
        } else {
          out_.documents.push_back(std::move(document));
        }
      }
    }
  }

  const Variables* variables_;
  const Limits limits_;
  Allowance allowance_{kLargestMiB << 20};
  Unwrapped out_;
  std::vector<Error> doubts_;
};

}  // namespace

std::string part_within(const std::string& outer, std::string_view name) {
  return outer.empty() ? std::string(name) : outer + ", " + std::string(name);
}

Unwrapped unwrap(std::string_view bytes, const std::string& file, const Variables* variables, const Limits& limits) {
  return Peeler(variables, limits).unwrap(bytes, file);
}

}  // namespace kubejoin::parse
