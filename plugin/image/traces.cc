// The walk through the image, along the table.
#include "image/traces.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"

namespace kubejoin::image {
namespace {

constexpr int kDeepest = 24;  // folders below a pattern's "/**"

// What the system itself makes anew in /tmp while it runs, and what a running service has there for itself.
constexpr std::array<std::string_view, 7> kLivingInTmp = {"/systemd-private-", "/.X11-unix", "/.ICE-unix", "/.XIM-unix", "/.font-unix", "/.Test-unix", "/snap-private-tmp"};

std::string folder_and(const std::string& folder, const std::string& name) { return (folder == "/" ? "" : folder) + "/" + name; }

void note_problem(const Error& error, std::vector<Error>& problems) {
  if (error.id != "file.absent") problems.push_back(error);
}

void files_below(Host& host, const std::string& folder, int depth, std::vector<std::string>& into, std::vector<Error>& problems) {
  const auto names = host.list(folder);
  if (!names) return note_problem(names.error(), problems);
  for (const std::string& name : *names) {
    const std::string path = folder_and(folder, name);
    const auto info = host.stat(path);
    if (info && info->type == FileType::regular && info->size > 0) into.push_back(path);
    if (info && info->type == FileType::directory && depth < kDeepest) files_below(host, path, depth + 1, into, problems);
  }
}

// Below `folder`, the other components of the pattern. A link is entered where the pattern names it and the system may have put it
// (/var/log), not where a wildcard or a person's home has it.
void expand_below(Host& host, const std::string& folder, std::span<const std::string> parts, bool enters_links, std::vector<std::string>& into, std::vector<Error>& problems) {
  if (parts.empty()) return into.push_back(folder);
  const std::string& part = parts.front();
  if (part == "**") return files_below(host, folder, 0, into, problems);
  if (part.find_first_of("*[") == part.npos) {
    const std::string path = folder_and(folder, part);
    const auto info = host.stat(path);
    if (!info || (!enters_links && parts.size() > 1 && info->type != FileType::directory)) return;
    return expand_below(host, path, parts.subspan(1), enters_links, into, problems);
  }
  const auto names = host.list(folder);
  if (!names) return note_problem(names.error(), problems);
  for (const std::string& name : *names) {
    const std::string path = folder_and(folder, name);
    if (::fnmatch(part.c_str(), name.c_str(), 0) != 0) continue;
    const auto info = host.stat(path);
    if (!info || (parts.size() > 1 && info->type != FileType::directory)) continue;
    expand_below(host, path, parts.subspan(1), enters_links, into, problems);
  }
}

// root's, everyone's below /home, and those that /etc/passwd puts elsewhere.
std::set<std::string> homes(Host& host) {
  std::set<std::string> all = {"/root"};
  if (const auto names = host.list("/home"); names) {
    for (const std::string& name : *names) {
      const auto info = host.stat("/home/" + name);
      if (info && info->type == FileType::directory) all.insert("/home/" + name);
    }
  }
  for (const std::string& line : split(host.read("/etc/passwd", 4 << 20).value_or(""), '\n')) {
    const std::vector<std::string> fields = split(line, ':');  // name:x:uid:gid:comment:home:shell
    if (fields.size() < 7 || fields[2].size() < 4 || fields[5].size() < 2 || fields[5].front() != '/' || fields[2] == "65534") continue;
    const auto info = host.stat(fields[5]);
    if (info && info->type == FileType::directory) all.insert(fields[5]);
  }
  return all;
}

bool lives_in_tmp(const std::string& path) {
  return std::any_of(kLivingInTmp.begin(), kLivingInTmp.end(), [&](std::string_view name) { return path.find(name) != path.npos; });
}

void find_paths(Image& image, const Trace& trace, Search& search) {
  std::set<std::string> seen;  // a file below a folder that goes as a whole is told by the folder
  const auto is_told = [&](const std::string& path) {
    for (std::size_t slash = path.rfind('/'); slash != path.npos && slash > 0; slash = path.rfind('/', slash - 1))
      if (seen.contains(path.substr(0, slash))) return true;
    return seen.contains(path);
  };
  for (const std::string& pattern : split(trace.paths, ' ')) {
    for (const std::string& path : expand(image.host, pattern, search.problems)) {
      if (is_told(path) || (trace.name == "tmp" && lives_in_tmp(path))) continue;
      seen.insert(path);
      if (trace.look != nullptr) look_at_lines(image, trace, path, search);
      else search.findings.push_back({.check = std::string(trace.name), .path = path});
    }
  }
}

}  // namespace

std::string_view name_of(Sort sort) { return sort == Sort::identity ? "identity" : sort == Sort::secret ? "secret" : "trace"; }

bool Image::is_live() const { return root == "/" && host.stat("/run/systemd/system").has_value(); }

bool Image::keeps(std::string_view check, std::string_view path) const {
  return std::any_of(keep.begin(), keep.end(), [&](const std::string& one) {
    return one == check || (!path.empty() && ::fnmatch(one.c_str(), std::string(path).c_str(), 0) == 0);
  });
}

std::vector<std::string> expand(Host& host, std::string_view pattern, std::vector<Error>& problems) {
  std::vector<std::string> into;
  const bool is_at_home = pattern.starts_with("~/");
  std::vector<std::string> parts = split(pattern.substr(is_at_home ? 2 : 1), '/');
  if (is_at_home) {
    for (const std::string& home : homes(host)) expand_below(host, home, parts, false, into, problems);
  } else {
    expand_below(host, "/", parts, true, into, problems);
  }
  return into;
}

Search find_traces(Image& image) {
  Search search;
  const bool is_live = image.is_live();
  for (const Trace& trace : traces()) {
    if (image.keeps(trace.name) || (trace.offline_only && is_live)) continue;
    if (trace.find != nullptr) trace.find(image, trace, search);
    else if (!trace.paths.empty()) find_paths(image, trace, search);
  }
  search_files(image, search);
  std::erase_if(search.findings, [&](const Finding& finding) { return image.keeps(finding.check, finding.path); });
  return search;
}

Result<CommandResult> run_in(Image& image, std::vector<std::string> argv, Millis timeout) {
  if (image.root != "/") argv.insert(argv.begin(), {"chroot", image.root});
  return image.host.run({.argv = std::move(argv), .timeout = timeout, .changes_nothing = true});
}

std::optional<std::string> program_in(Image& image, const std::string& name) {
  for (const char* folder : {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/", "/opt/bin/"}) {
    const auto info = image.host.stat(folder + name);
    if (info && (info->type == FileType::symlink || (info->type == FileType::regular && (info->mode & 0111U) != 0))) return folder + name;
  }
  return std::nullopt;
}

}  // namespace kubejoin::image
