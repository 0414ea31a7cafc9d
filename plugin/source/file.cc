// Files of this machine: one, a folder of them, or kubejoin's own join.yaml with drop-ins.
// Precedence and masking of drop-ins: UAPI.6, Configuration Files Specification.
#include <array>
#include <map>

#include "base/text.h"
#include "source/platform.h"

namespace kubejoin::source {
namespace {

// Later overrides earlier. /usr/lib: the image's vendor; /run: this boot; /etc: the administrator.
constexpr std::array<std::string_view, 3> kPlaces = {"/usr/lib/kubejoin", "/run/kubejoin", "/etc/kubejoin"};
constexpr std::string_view kMain = "join.yaml";
constexpr std::string_view kDropIns = "join.yaml.d";

bool is_yaml(const std::string& name) { return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"); }

// An empty file, or a link to /dev/null, takes away the one of that name in a lower place.
bool masks(Host& host, const std::string& path) {
  const auto info = host.stat(path);
  return info && (info->link_target == "/dev/null" || (info->type == FileType::regular && info->size == 0));
}

// The files that count, in the order of reading: join.yaml first, then the drop-ins by their names, wherever they lie.
std::vector<std::string> own_files(Host& host) {
  std::string main;
  std::map<std::string, std::string> drop_ins;  // name -> path
  for (const auto place : kPlaces) {
    const std::string folder(place);
    if (const std::string path = folder + "/" + std::string(kMain); exists(host, path)) main = path;
    const std::string drop_in_folder = folder + "/" + std::string(kDropIns);
    const auto names = host.list(drop_in_folder);
    if (!names) continue;
    for (const auto& name : *names)
      if (is_yaml(name)) drop_ins[name] = drop_in_folder + "/" + name;
  }
  std::vector<std::string> files;
  if (!main.empty() && !masks(host, main)) files.push_back(main);
  for (const auto& [name, path] : drop_ins)
    if (!masks(host, path)) files.push_back(path);
  return files;
}

Result<std::vector<std::string>> files_of_folder(Host& host, const std::string& folder) {
  TRY(const auto names, host.list(folder));
  std::vector<std::string> files;
  for (const auto& name : names)
    if (is_yaml(name) && !masks(host, folder + "/" + name)) files.push_back(folder + "/" + name);
  return files;
}

// Several files become one YAML text of several documents, and it is known which stands where, so that a mistake is told of its own file; a
// single one stays as it is, in whatever form it has.
Result<Fetched> read_all(Host& host, const std::vector<std::string>& files) {
  Fetched fetched;
  fetched.origin = join(files, ", ");
  for (const auto& path : files) {
    TRY(auto text, host.read(path, kMaxUserData - std::min(kMaxUserData, fetched.user_data.size())));
    if (files.size() == 1) {
      fetched.user_data = std::move(text);
      break;
    }
    if (!fetched.user_data.empty()) fetched.user_data += "---\n";
    fetched.files.push_back({path, fetched.user_data.size(), text.size()});
    fetched.user_data += text;
    if (!text.ends_with('\n')) fetched.user_data += '\n';
    wipe(text);
  }
  return fetched;
}

bool detect(Host& host, const Evidence&) { return !own_files(host).empty(); }

// file:///path, file:/path: a file or a folder. file: alone: our own files.
Result<Fetched> fetch_it(Host& host, const Evidence&, const std::string& argument, Instant) {
  if (argument.empty()) return read_all(host, own_files(host));
  const std::string path = argument.starts_with("//") ? argument.substr(2) : argument;
  if (!path.starts_with('/'))
    return fail(Kind::usage, "source.file", "the path " + quoted(path) + " does not begin at the root", "say file:///" + path);
  // What is no folder cannot be listed; a link to one can.
  auto files = files_of_folder(host, path);
  return read_all(host, files ? *files : std::vector<std::string>{path});
}

}  // namespace

extern const Source kFile = {"file", "file", "file or folder", "/etc/kubejoin/join.yaml, /etc/kubejoin/join.yaml.d/*.yaml", kMaxUserData, detect, fetch_it};

}  // namespace kubejoin::source
