// The envelope's mistakes do not hide the documents': both are told at once.
#include "config/user_data.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "config/documents.h"

namespace kubejoin::config {
namespace {

// Lines of a text that was encoded are its own, not the file's: such errors come after, in the order they were found.
bool has_line_of_file(const Place& place) { return place.line > 0 && place.part.find("decoded") == std::string::npos; }

void sort_by_place(std::vector<Error>& errors, std::span<const TextFile> files) {
  const auto key = [&](const Error& e) {
    // What is of no file, as it is of them all, comes last.
    const auto file = std::find_if(files.begin(), files.end(), [&](const TextFile& f) { return f.path == e.place.file; }) - files.begin();
    return has_line_of_file(e.place) ? std::tuple(file, 0, e.place.line, e.place.column) : std::tuple(file, 1, 0, 0);
  };
  std::stable_sort(errors.begin(), errors.end(), [&](const Error& a, const Error& b) { return key(a) < key(b); });
}

// More than comments?
bool says_anything(std::string_view text) {
  const auto lines = split(text, '\n');
  return std::any_of(lines.begin(), lines.end(), [](const std::string& line) { return !trim(line).empty() && !trim(line).starts_with('#'); });
}

void append(std::vector<Error> more, std::vector<Error>& to) { std::move(more.begin(), more.end(), std::back_inserter(to)); }

// Documents that say something only beside others: the kubelet's, kube-proxy's.
bool stands_alone(const parse::Document& document) { return document.api_version().find(".config.k8s.io/") == std::string::npos; }

std::string where(const Place& place) {
  std::string at = place.part;
  if (place.line > 0) at += (at.empty() ? "" : ", ") + ("line " + std::to_string(place.line));
  return at.empty() ? "" : " (" + at + ")";
}

constexpr const char* kForOthers = "kubejoin reads kubeadm.k8s.io JoinConfiguration and kubejoin/v1alpha1 FirstBoot";

// Files that discovery or patches may be read from, where nobody has written them.
constexpr std::size_t kLargestCarried = 1 << 20;

void carry(const std::vector<parse::CarriedFile>& files, JoinConfig& config) {
  if (!config.file_discovery && config.patches_directory.empty()) return;
  for (const parse::CarriedFile& file : files)
    if (!file.path.empty() && file.source->text.size() <= kLargestCarried) config.carried.insert_or_assign(file.path, Secret(file.source->text));
}

// What is seen of all files together.
struct Seen {
  std::vector<Error> unread;
  std::vector<parse::Foreign> foreign;
  std::vector<parse::CarriedFile> files;
  std::string_view text;  // of the only file
};

Unconcerned why_not(const Seen& seen, const std::vector<parse::Document>& documents) {
  using Why = Unconcerned::Why;
  if (!seen.unread.empty()) {
    const Error& first = seen.unread.front();
    const std::string more = seen.unread.size() > 1 ? ", and " + std::to_string(seen.unread.size() - 1) + " more" : "";
    return {Why::not_read, first.message + more, first.hint, first.place};
  }
  if (!seen.foreign.empty()) return {Why::for_others, seen.foreign.front().whom + where(seen.foreign.front().place), kForOthers, seen.foreign.front().place};
  if (!documents.empty()) {
    const Place place = documents.front().place(documents.front().root.mark, true);
    return {Why::for_others, "the kubelet or kube-proxy: " + printable(documents.front().kind(), 60) + where(place), "a JoinConfiguration beside it makes it one of kubejoin's", place};
  }
  parse::Looks looks = parse::looks_like(seen.text);
  return {Why::no_document, std::move(looks.what), std::move(looks.hint), {}};
}

void judge_templates(const std::vector<parse::Foreign>& foreign, const Surroundings& surroundings, Loaded& in_templates) {
  for (const parse::Foreign& one : foreign) {
    if (!one.document.source) continue;
    const auto join = join_of_template(one.document);
    if (!join) continue;
    Surroundings later = surroundings;
    later.templates = true;
    Loaded loaded = load({*join}, {}, later, true);
    // The controller fills in what is missing.
    std::erase_if(loaded.errors, [](const Error& e) { return e.id.ends_with("-missing") || e.id == "schema.required"; });
    std::erase_if(loaded.warnings, [](const Error& e) { return e.id == "config.old-version"; });
    append(std::move(loaded.errors), in_templates.errors);
    append(std::move(loaded.warnings), in_templates.warnings);
  }
}

}  // namespace

std::string Unconcerned::sentence() const {
  switch (why) {
    case Why::for_others: return "is for " + what;
    case Why::not_read: return "holds no document for kubejoin as far as it was read: " + what;
    case Why::no_document: break;
  }
  if (what == "empty") return "is empty";
  return "holds no document for kubejoin" + (what.empty() ? "" : "; it looks like " + what);
}

UserData read_user_data(std::string_view bytes, const std::string& file, const parse::Variables* variables,
                        const Flags& flags, Surroundings surroundings, bool strict, const parse::LocalFile& local_file) {
  const TextFile one{file, bytes};
  return read_user_data({&one, 1}, variables, flags, std::move(surroundings), strict, local_file);
}

UserData read_user_data(std::span<const TextFile> files, const parse::Variables* variables, const Flags& flags, Surroundings surroundings, bool strict,
                        const parse::LocalFile& local_file) {
  UserData read;
  Seen seen;
  std::vector<Error> errors, warnings;
  std::vector<parse::Script> scripts;
  for (const TextFile& file : files) {
    parse::Unwrapped unwrapped = parse::unwrap(file.bytes, file.path, variables, {}, local_file);
    // Of one text we may want nothing, as it is for others, too. A file among several was put there for us.
    if (files.size() > 1 && unwrapped.documents.empty() && unwrapped.errors.empty() && says_anything(file.bytes)) {
      Error nothing = fail(Kind::invalid, "config.no-document", "no document that kubejoin reads was found",
                           "it looks for kubeadm.k8s.io JoinConfiguration and kubejoin/v1alpha1 FirstBoot: kubejoin validate " + printable(file.path)).value();
      nothing.place.file = file.path;
      errors.push_back(std::move(nothing));
    }
    std::move(unwrapped.documents.begin(), unwrapped.documents.end(), std::back_inserter(read.documents));
    std::move(unwrapped.scripts.begin(), unwrapped.scripts.end(), std::back_inserter(scripts));
    std::move(unwrapped.foreign.begin(), unwrapped.foreign.end(), std::back_inserter(seen.foreign));
    std::move(unwrapped.files.begin(), unwrapped.files.end(), std::back_inserter(seen.files));
    append(std::move(unwrapped.unread), seen.unread);
    append(std::move(unwrapped.errors), errors);
    append(std::move(unwrapped.warnings), warnings);
    seen.text = file.bytes;
  }
  Place place;
  if (const std::string kind = control_plane(read.documents, place); !kind.empty()) {
    // Its mistakes are kubeadm's to tell, when it is there to be told.
    append(std::exchange(errors, {}), warnings);
    read.documents.clear();
    read.unconcerned = Unconcerned{Unconcerned::Why::for_others, "a control plane: " + kind + where(place),
                                   "kubeadm runs on a control plane; a worker's document is a JoinConfiguration without controlPlane", place,
                                   kind.starts_with("JoinConfiguration")};
  } else if (errors.empty() && std::none_of(read.documents.begin(), read.documents.end(), stands_alone)) {
    read.unconcerned = why_not(seen, read.documents);
    read.documents.clear();
  }
  judge_templates(seen.foreign, surroundings, read.in_templates);
  append(std::move(seen.unread), warnings);
  // An expression that could not be evaluated was told as such, and stands where a value would.
  const auto of_template = [](const Error& e) { return e.id.starts_with("jinja."); };
  surroundings.templates = !variables || std::any_of(errors.begin(), errors.end(), of_template);
  if (!read.documents.empty()) {
    read.loaded = load(read.documents, flags, surroundings, strict);
    // The join document may be the one that could not be read.
    if (!errors.empty())
      std::erase_if(read.loaded.errors, [](const Error& e) { return e.id == "config.no-document"; });
    carry(seen.files, read.loaded.config);
  }
  append(std::exchange(read.loaded.errors, {}), errors);
  append(std::exchange(read.loaded.warnings, {}), warnings);
  sort_by_place(errors, files);
  sort_by_place(warnings, files);
  std::vector<std::string> paths;
  for (const parse::CarriedFile& file : seen.files) paths.push_back(file.path);
  read.commands = judge_scripts(scripts, paths, surroundings);
  read.loaded.errors = std::move(errors);
  read.loaded.warnings = std::move(warnings);
  return read;
}

}  // namespace kubejoin::config
