// Peels user-data layer by layer until documents are left. Whose a text is decides what its mistakes are: ours are errors, all others are
// passed over as cloud-init passes over them, with a warning.
#include "parse/envelope.h"

#include <algorithm>
#include <array>

#include "base/http.h"
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
enum class Form { unknown, ours, cloud_config, cloud_config_archive, json_patch, jinja, script, maybe_script, include, foreign };

struct Name {
  std::string_view name;
  Form form;
};
// cloudinit/handlers/__init__.py and user_data.py have the first group. A text/x-shellscript is looked at, too: what has no "#!" may be
// another form.
constexpr std::array<Name, 31> kMimeTypes = {{
    {"text/cloud-config", Form::cloud_config},
    {"text/cloud-config-archive", Form::cloud_config_archive},
    {"text/cloud-config-jsonp", Form::json_patch},
    {"text/jinja2", Form::jinja},
    {"text/x-shellscript", Form::maybe_script},
    {"text/x-shellscript-per-boot", Form::script},
    {"text/x-shellscript-per-instance", Form::script},
    {"text/x-shellscript-per-once", Form::script},
    {"text/cloud-boothook", Form::script},
    {"text/part-handler", Form::foreign},
    {"text/x-include-url", Form::include},
    {"text/x-include-once-url", Form::include},
    {"text/plain", Form::unknown},
    {"text/x-not-multipart", Form::unknown},
    {"application/gzip", Form::unknown},
    {"application/gzip-compressed", Form::unknown},
    {"application/gzipped", Form::unknown},
    {"application/x-compress", Form::unknown},
    {"application/x-compressed", Form::unknown},
    {"application/x-gunzip", Form::unknown},
    {"application/x-gzip", Form::unknown},
    {"application/x-gzip-compressed", Form::unknown},

    {"application/vnd.kubejoin+yaml", Form::ours},
    {"application/octet-stream", Form::unknown},
    {"application/yaml", Form::unknown},
    {"application/x-yaml", Form::unknown},
    {"text/yaml", Form::unknown},
    {"text/x-yaml", Form::unknown},
    {"application/json", Form::unknown},
    {"application/node.eks.aws", Form::unknown},
    {"text/x-shellscript-per-always", Form::script},
}};

// What cloud-init goes by when there is no type: the begin of the text, in any case, the longest first; and what Windows runs.
constexpr std::array<Name, 12> kBeginnings = {{
    {"#cloud-config-archive", Form::cloud_config_archive},
    {"#cloud-config-jsonp", Form::json_patch},
    {"#cloud-boothook", Form::script},
    {"#cloud-config", Form::cloud_config},
    {"#part-handler", Form::foreign},
    {"#include-once", Form::include},
    {"#include", Form::include},
    {"#!", Form::script},
    {"#upstart-job", Form::foreign},
    {"#ps1", Form::foreign},
    {"<powershell>", Form::foreign},
    {"<script>", Form::foreign},
}};

template <std::size_t N>
Form form_of(const std::array<Name, N>& names, std::string_view text, bool whole, Form otherwise) {
  const auto found = std::find_if(names.begin(), names.end(), [&](const Name& n) { return whole ? text == n.name : text.starts_with(n.name); });
  return found == names.end() ? otherwise : found->form;
}

bool contains(std::string_view text, std::string_view word) { return text.find(word) != text.npos; }

bool mentions_us(std::string_view text) { return contains(text, "kubeadm.k8s.io/") || contains(text, "kubejoin/"); }

bool is_join_group(const Document& document) {
  const std::string version = document.api_version();
  return version.starts_with("kubeadm.k8s.io/") || version.starts_with("kubejoin/");
}

bool is_typed(const Document& document) { return document.root.find("apiVersion") || document.root.find("kind"); }

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
  Peeler(const Variables* variables, const Limits& limits, const LocalFile& local_file)
      : variables_(variables), limits_(limits), local_file_(local_file) {}

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
    take(read_cloud_configs(cloud_configs_, allowance_), 0);
    judge_templates();
    settle();
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

  // What could not be read matters only when nothing of ours was found elsewhere.
  void settle() {
    const bool found = std::any_of(out_.documents.begin(), out_.documents.end(), is_join_group);
    append(found ? out_.warnings : out_.errors, told_.damaged);
    append(found ? out_.warnings : out_.unread, told_.unread);
    append(out_.warnings, told_.warnings);
  }

  void take(Told told) {
    append(out_.errors, told.errors);
    append(told_.damaged, told.damaged);
    append(told_.unread, told.unread);
    append(told_.warnings, told.warnings);
  }

  // ---- layers ----
  void peel(Source source, Form form, int depth, const std::string& merge_type = {}) {
    if (trim(source.text).empty()) return;
    if (depth > kDeepest)
      return report(told_.damaged, source, {1, 1}, "envelope.too-deep",
                    "more than " + std::to_string(kDeepest) + " layers around the document", "");
    if (is_gzip(source.text)) return peel_gzip(std::move(source), form, depth);

    if (source.text.starts_with("\xFF\xFE") || source.text.starts_with("\xFE\xFF"))
      return report(told_.damaged, source, {1, 1}, "envelope.encoding", "the text is UTF-16", "save it as UTF-8");

    const std::string_view first = first_line(source.text);
    const std::string type = template_type(first);
    if (form == Form::jinja || type == "jinja")
      return peel_jinja(std::move(source), form == Form::jinja ? Form::unknown : form, depth);
    if (!type.empty() && claims_to_be_ours(source.text))
      return report(source, {1, 1}, "jinja.type", "unknown template type " + quoted(type, 40),
                    "write \"## template: jinja\"");
    const Form begins = form_of(kBeginnings, lower(first.substr(0, 32)), false, Form::unknown);
    if (form == Form::maybe_script) form = begins == Form::unknown ? Form::script : begins;
    if (form == Form::unknown) form = begins;
    switch (form) {
      case Form::ours: return read_bare(source, true, depth);
      case Form::script: return take_script(std::move(source));
      case Form::cloud_config_archive: return peel_archive(std::move(source), depth);
      case Form::json_patch: return refuse_json_patch(source);
      case Form::include: return peel_include(source, depth);
      case Form::cloud_config: return peel_cloud_config(std::move(source), merge_type);
      case Form::foreign: return name_foreign(source);
      default: break;
    }
    if (is_mime(source.text)) return peel_mime(source, depth);
    if (looks_like_base64(source.text)) return peel_base64(std::move(source), depth);
    read_bare(source, false, depth);
  }

  void take_script(Source source) {
    name_foreign(source);
    const std::string name = source.part.empty() ? "user-data" : source.part;
    take_script({name, std::make_shared<const Source>(std::move(source)), {}});
  }

  void take_script(Script script) {
    if (out_.scripts.size() < kMostScripts) out_.scripts.push_back(std::move(script));
  }

  // A text of somebody else, when it is known whose.
  void name_foreign(const Source& source) {
    const std::string whom = addressee(std::string_view(source.text));
    if (whom.empty() || out_.foreign.size() >= kMostErrors) return;
    const Place place{.file = source.file, .part = source.part, .line = 0, .column = 0, .text = {}};
    out_.foreign.push_back({whom, place, {}});
  }

  void name_foreign(std::string whom, Document document) {
    if (out_.foreign.size() >= kMostErrors) return;
    const Place place = document.place(document.root.mark, true);
    out_.foreign.push_back({std::move(whom), place, std::move(document)});
  }

  // It is applied to what was merged before; nothing of it is followed here.
  void refuse_json_patch(const Source& source) {
    auto& list = claims_to_be_ours(source.text) ? told_.damaged : told_.unread;
    report(list, source, {1, 1}, "cloud-config.jsonp", "a JSON patch of the cloud-config, which is not applied here",
           "put the document into write_files of a #cloud-config");
  }

  // cloudinit/user_data.py, _do_include(): a URL on each line, also behind the first word.
  void peel_include(const Source& source, int depth) {
    constexpr std::size_t kMost = 32;
    int number = 0;
    std::size_t pointers = 0;
    for (const std::string& line : split(source.text, '\n')) {
      ++number;
      std::string_view rest = trim(line);
      for (const std::string_view word : {"#include-once", "#include"})
        if (lower(rest.substr(0, word.size())) == word) {
          rest = trim(rest.substr(word.size()));
          break;
        }
      if (rest.empty() || rest.front() == '#' || ++pointers > kMost) continue;
      follow({"#include", std::string(rest), "", Document{std::make_shared<Source>(source), {}}.place({number, 1}, true)}, depth);
    }
  }

  // What stands elsewhere: read when it is a file of this machine, else told.
  void follow(const Pointer& pointer, int depth) {
    constexpr std::string_view kFile = "file://";
    const bool here = pointer.url.starts_with(kFile);
    if (here && local_file_) {
      const std::string path = pointer.url.substr(kFile.size());
      if (auto text = local_file_(path); text && text->size() <= allowance_.bytes) {
        allowance_.bytes -= text->size();
        out_.layers.push_back(pointer.name);
        Source source{path, "", std::move(*text)};
        if (pointer.path.empty()) return peel(std::move(source), Form::unknown, depth + 1);
        return read_file({pointer.name, pointer.path, std::make_shared<Source>(std::move(source))});
      }
    }
    Error e = fail(Kind::invalid, "envelope.elsewhere",
                   pointer.name + " comes from " + (here ? printable(pointer.url, 200) : shown_url(pointer.url)) + ", which is not read here" + (here && local_file_ ? ": there is no such file yet" : ""),
                   here ? "" : "put the document into the user-data itself").value();
    e.place = pointer.place;
    if (told_.unread.size() < kMostErrors) told_.unread.push_back(std::move(e));
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
      // All of the user-data is all that there is.
      return (source.part.empty() ? told_.damaged : told_.unread).push_back(std::move(error));
    }
    out_.layers.push_back("gzip");
    peel(decoded(std::move(source), std::move(*text)), form, depth + 1);
  }

  void peel_base64(Source source, int depth) {
    auto bytes = base64_decode(trim(source.text));
    if (!bytes)
      return report(depth == 0 ? told_.damaged : told_.warnings, source, {1, 1}, "envelope.base64", "the data looks like base64, but does not decode",
                    "it may have been cut off");
    if (!is_gzip(*bytes) && find_unprintable(*bytes) != bytes->npos) return;  // a random word
    out_.layers.push_back("base64");
    peel(decoded(std::move(source), std::move(*bytes)), Form::unknown, depth + 1);
  }

  void peel_mime(const Source& source, int depth) {
    out_.layers.push_back("mime");
    Mime mime = read_mime(source);
    take(std::move(mime.told));
    for (MimePart& part : mime.parts) {
      const Form form = form_of(kMimeTypes, part.type, true, Form::foreign);
      if (form == Form::foreign && claims_to_be_ours(part.source.text))
        refuse_type(part);
      else
        peel(std::move(part.source), form, depth + 1, part.merge_type);
    }
  }

  // cloud-init passes over what it has no handler for.
  void refuse_type(const MimePart& part) {
    std::vector<std::string> known;
    for (const Name& type : kMimeTypes) known.emplace_back(type.name);
    const auto meant = did_you_mean(part.type, known);
    report(out_.errors, part.source, {1, 1}, "mime.type", part.source.part + " holds a document of ours, but has the type " + quoted(part.type, 60),
           meant ? "did you mean " + *meant + "?" : "Content-Type: text/cloud-config, or application/vnd.kubejoin+yaml for a bare document");
  }

  void peel_jinja(Source source, Form form, int depth) {
    out_.layers.push_back("jinja");
    Rendered rendered = render_all(source, variables_);
    for (Rendered::Problem& problem : rendered.problems)
      if (template_problems_.size() < kMostErrors) template_problems_.push_back({std::move(problem), source.part});
    source.text = std::move(rendered.text);
    if (const std::string_view header = first_line(source.text); !template_type(header).empty()) {
      const auto end = static_cast<std::size_t>(header.data() - source.text.data()) + header.size();
      const auto next = std::min(source.text.find('\n', end), source.text.size() - 1) + 1;
      source.first_line += static_cast<int>(
          std::count(source.text.begin(), source.text.begin() + static_cast<std::ptrdiff_t>(next), '\n'));
      source.text.erase(0, next);
    }
    peel(std::move(source), form, depth + 1);
  }

  // What a template leaves unresolved is an error where it stands in a document of ours; elsewhere cloud-init renders it,
  // with all of Jinja.
  void judge_templates() {
    const std::size_t errors_before = out_.errors.size();
    std::vector<Error> ours;
    for (auto& told : template_problems_) {
      Rendered::Problem& problem = told.first;
      const auto is_inside = [&outer = told.second](const std::string& inner) { return inner.starts_with(outer); };
      // Between YAML's single quotes '' has become '.
      const std::string unquoted = replace_all(problem.snippet, "''", "'");
      const bool matters =
          std::any_of(out_.errors.begin(), out_.errors.begin() + static_cast<std::ptrdiff_t>(errors_before), [&](const Error& e) { return is_inside(e.place.part); }) ||
          std::any_of(out_.documents.begin(), out_.documents.end(), [&](const Document& document) {
            return is_inside(document.source->part) && (holds(document.root, problem.snippet) || holds(document.root, unquoted));
          });
      if (matters) ours.push_back(std::move(problem.error));
    }
    out_.errors.insert(out_.errors.begin(), ours.begin(), ours.end());
  }

  Yaml read(const Source& source, bool last_wins = false) {
    Limits limits = limits_;
    limits.scalar = limits.bytes;  // a file inside may be as large as the text around it
    limits.last_wins = last_wins;
    return read_yaml(std::make_shared<Source>(source), limits);
  }

  // A cloud-config or an archive that is no YAML: cloud-init passes over it. Ours when a document of ours is in it.
  void unreadable(const Source& source, std::vector<Error> errors) {
    const std::string_view text = source.text;
    const bool ours = claims_to_be_ours(text) || contains(text, "\nkubejoin:");
    // What is encoded is not seen.
    const bool hidden = contains(text, "write_files") && (contains(text, "b64") || contains(text, "base64"));
    append(ours ? out_.errors : hidden ? told_.unread : told_.warnings, errors);
  }

  void peel_archive(Source source, int depth) {
    Yaml yaml = read(source, true);
    if (!yaml.errors.empty()) return unreadable(source, std::move(yaml.errors));
    out_.layers.push_back("cloud-config-archive");
    if (yaml.documents.empty()) return;
    int number = 0;
    for (const Value& item : yaml.documents[0].root.items) {
      const Value* content = item.type == Type::map ? item.find("content") : &item;
      const std::string type = item.string_or("type", "");
      ++number;
      if (!content || content->type != Type::string) continue;
      Source inner{source.file, part_within(source.part, "item " + std::to_string(number) + ", decoded"), content->text};
      const Form begins = form_of(kBeginnings, lower(first_line(inner.text).substr(0, 32)), false, Form::unknown);
      const bool is_template = !template_type(first_line(inner.text)).empty();
      const Form untyped = begins == Form::unknown && !is_template ? Form::cloud_config : Form::unknown;
      const Form form = type.empty() ? untyped : form_of(kMimeTypes, type, true, Form::foreign);
      if (form != Form::foreign) peel(std::move(inner), form, depth + 1, item.string_or("Merge-Type", item.string_or("X-Merge-Type", "")));
    }
  }

  void peel_cloud_config(Source source, const std::string& merge_type) {
    Yaml yaml = read(source, true);
    if (!yaml.errors.empty()) return unreadable(source, std::move(yaml.errors));
    out_.layers.push_back("cloud-config");
    if (yaml.documents.size() > 1)
      report(told_.warnings, source, yaml.documents[1].root.mark, "cloud-config.documents",
             "a second document in one cloud-config: cloud-init passes over all of it", "write one document");
    for (Document& document : yaml.documents) {
      if (document.root.type != Type::map)
        report(claims_to_be_ours(source.text) ? out_.errors : told_.warnings, source, document.root.mark, "cloud-config.map",
               "a cloud-config must be a map of keys", "");
      else
        cloud_configs_.push_back({std::move(document), std::exchange(yaml.replaced, {}), merge_type});
    }
  }

  void take(Carried carried, int depth) {
    take(std::move(carried.told));
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
    for (const Pointer& pointer : carried.pointers) follow(pointer, depth);
    for (const File& file : carried.files) read_file(file);
  }

  // A file that somebody else would write: ours when a document in it is. A broken one is, when it says so.
  void read_file(const File& file) {
    const std::string& text = file.source->text;
    out_.files.push_back({file.path, file.source});
    if (text.starts_with("#!")) return take_script({file.name + " " + printable(file.path), file.source, {}});
    if (file.path.starts_with("/etc/rancher/")) out_.foreign.push_back({"k3s or RKE2: " + printable(file.path, 80), Document{file.source, {}}.place({1, 1}, true), {}});
    if (!mentions_us(text)) return;
    Yaml yaml = read(*file.source);
    if (!yaml.errors.empty() && (claims_to_be_ours(text) || text.starts_with('{'))) append(out_.errors, yaml.errors);
    if (std::none_of(yaml.documents.begin(), yaml.documents.end(), is_join_group)) return;
    out_.layers.push_back(file.name);
    for (Document& document : yaml.documents)
      if (is_typed(document)) out_.documents.push_back(std::move(document));
  }

  // YAML or JSON without a header. `ours`: somebody said that it is for us.
  void read_bare(const Source& source, bool ours, int depth) {
    Yaml yaml = read(source);
    const bool addressed = ours || mentions_us(source.text);
    const auto stray = std::find_if(yaml.documents.begin(), yaml.documents.end(),
                                    [](const Document& document) { return document.root.type != Type::map; });
    if (ours && stray != yaml.documents.end())
      report(source, stray->root.mark, "envelope.document", "a document must be a map",
             "begin it with apiVersion and kind");
    if (!yaml.errors.empty()) return take_broken(source, ours, std::move(yaml.errors));
    for (Document& document : yaml.documents) read_bare(source, std::move(document), addressed, depth);
  }

  void take_broken(const Source& source, bool ours, std::vector<Error> errors) {
    if (ours || claims_to_be_ours(source.text))
      append(out_.errors, errors);
    else if (source.part.empty() && mentions_us(source.text))
      append(out_.errors, errors);
    else if (contains(source.text, "\"ignition\""))
      append(told_.damaged, errors);
    else if (contains(source.text, "apiVersion"))
      append(told_.warnings, errors);
    name_foreign(source);
  }

  void read_bare(const Source& source, Document document, bool addressed, int depth) {
    const Value& root = document.root;
    if (root.type != Type::map) return;
    if (const Value* ignition = root.find("ignition"); ignition && ignition->find("version")) {
      out_.layers.push_back("ignition");
      return take(read_ignition(document, allowance_), depth);
    }
    if (std::string whom = addressee(root); !whom.empty()) return name_foreign(std::move(whom), std::move(document));
    if (!addressed && !is_typed(document)) return;
    if (is_typed(document) || !(root.find("write_files") || root.find("kubejoin")))
      return out_.documents.push_back(std::move(document));
    report(out_.warnings, source, root.mark, "cloud-config.header",
           "a cloud-config without its first line: cloud-init will ignore it",
           "make #cloud-config the first line");
    out_.layers.push_back("cloud-config");
    const CloudConfig alone{std::move(document), {}, {}};
    take(read_cloud_configs({&alone, 1}, allowance_), depth);
  }

  const Variables* variables_;
  const Limits limits_;
  const LocalFile& local_file_;
  Allowance allowance_{kLargestMiB << 20};
  Unwrapped out_;
  Told told_;  // its errors are in out_
  std::vector<CloudConfig> cloud_configs_;
  std::vector<std::pair<Rendered::Problem, std::string>> template_problems_;  // and the part that they are in
};

}  // namespace

std::string part_within(const std::string& outer, std::string_view name) {
  return outer.empty() ? std::string(name) : outer + ", " + std::string(name);
}

Unwrapped unwrap(std::string_view bytes, const std::string& file, const Variables* variables, const Limits& limits,
                 const LocalFile& local_file) {
  return Peeler(variables, limits, local_file).unwrap(bytes, file);
}

}  // namespace kubejoin::parse
