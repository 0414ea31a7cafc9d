// The journal as a small JSON file.
#include "plan/journal.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "parse/document.h"

namespace kubejoin::plan {

std::string machine_id(Host& host) {
  const auto text = host.read("/etc/machine-id", 64);
  const std::string id = text ? std::string(trim(*text)) : "";
  return id == "uninitialized" ? "" : id;
}

bool Journal::owns(const std::string& path) const { return std::find(files.begin(), files.end(), path) != files.end(); }

Journal read_journal(Host& host) {
  Journal journal;
  auto text = host.read(kJournal, 64 << 10);
  if (!text || trim(*text).empty()) return journal;
  auto source = std::make_shared<parse::Source>();
  source->file = kJournal;
  source->text = *std::move(text);
  const parse::Yaml yaml = parse::read_yaml(source);
  if (!yaml.errors.empty() || yaml.documents.size() != 1) return journal;
  const parse::Value& root = yaml.documents.front().root;
  journal.instance_id = root.string_or("instanceId", "");
  journal.machine_id = root.string_or("machineId", "");
  journal.node_name = root.string_or("nodeName", "");
  journal.joined_at = root.string_or("joinedAt", "");
  if (const auto* files = root.find("files"))
    for (const parse::Value& file : files->items) journal.files.push_back(file.text);
  return journal;
}

Status write_journal(Host& host, const Journal& journal) {
  parse::Value root = parse::make_map();
  parse::set(root, "instanceId", parse::make_string(journal.instance_id));
  parse::set(root, "machineId", parse::make_string(journal.machine_id));
  parse::set(root, "nodeName", parse::make_string(journal.node_name));
  parse::set(root, "joinedAt", parse::make_string(journal.joined_at));
  parse::Value files = parse::make_list();
  for (const std::string& file : journal.files) files.items.push_back(parse::make_string(file));
  parse::set(root, "files", std::move(files));
  return host.write(kJournal, parse::to_json(root) + "\n", 0600);
}

namespace {

void sweep(Host& host, const std::vector<std::string>& candidates) {
  std::set<std::string> folders = {"/run/kubejoin", "/var/lib/kubejoin"};
  for (const std::string& path : candidates) folders.insert(path.substr(0, path.rfind('/')));
  for (const std::string& folder : folders) {
    const auto names = host.list(folder);
    if (!names) continue;
    for (const std::string& name : *names)
      if (is_leftover(name)) (void)host.remove(folder + "/" + name);
  }
}

}  // namespace

Status claim(Host& host, Journal& journal, const std::vector<std::string>& candidates) {
  sweep(host, candidates);
  if (!journal.joined_at.empty()) journal.files.clear();
  journal.joined_at.clear();
  for (const std::string& path : candidates)
    if (!journal.owns(path) && !host.stat(path)) journal.files.push_back(path);
  return write_journal(host, journal);
}

}  // namespace kubejoin::plan
