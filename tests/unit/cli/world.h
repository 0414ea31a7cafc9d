// A machine and its cluster before a join, and what a join has made of them.
#pragma once

#include <algorithm>

#include "../fake_cluster.h"
#include "../test.h"
#include "base/text.h"
#include "kube/kube.h"

namespace kubejoin {

struct World {
  explicit World(const std::string& release = "1.37") : cluster(release), config(cluster.config()) {
    cluster.attach(host);
    before = host.files;
  }
  World(const World&) = delete;  // the host asks the cluster by address
  World& operator=(const World&) = delete;

  FakeHost host;
  FakeCluster cluster;
  config::JoinConfig config;
  std::map<std::string, FakeHost::File> before;
};

inline bool is_record(const std::string& path) { return path.starts_with("/run/kubejoin/") || path.starts_with("/var/lib/kubejoin/"); }

// What a join has made of a machine: a line a file, with what is random or dated in it left out.
inline std::vector<std::string> made(const World& world) {
  std::vector<std::string> lines;
  for (const auto& [path, file] : world.host.files) {
    if (is_record(path) || world.before.contains(path)) continue;
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o ", file.mode);
    const bool is_pem = path.starts_with("/var/lib/kubelet/pki/kubelet-client-") && file.type == FileType::regular;
    std::string line = mode + (is_pem ? "/var/lib/kubelet/pki/kubelet-client-DATE.pem" : path);
    if (file.type == FileType::symlink) line += world.host.files.contains(file.link_target) ? " -> a file" : " -> nothing";
    else if (is_pem) line += kube::check_issued(file.content, *kube::parse_identity(Secret(file.content)), "node1", world.cluster.ca.pem(), world.host.wall) ? ": ours" : ": not ours";
    else if (file.content.find(base64(world.cluster.ca.pem())) != std::string::npos) line += ": names the CA";
    else if (file.content == world.cluster.ca.pem()) line += ": the CA";
    else line += ": " + file.content;
    lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

inline std::string shown(const std::vector<std::string>& lines) { return join(lines, "\n"); }

// Where the token, or a private key that others may read, is after a run.
inline std::vector<std::string> leaks(const World& world, const std::string& printed) {
  std::vector<std::string> places = world.host.places_that_show(kTestSecret);
  for (const std::string& place : world.host.places_that_show("PRIVATE KEY")) places.push_back(place);
  for (const auto& [path, file] : world.host.files)
    if (file.content.find(kTestSecret) != std::string::npos) places.push_back(path);
  for (const char* secret : {kTestSecret, "PRIVATE KEY"})
    if (printed.find(secret) != std::string::npos) places.push_back("what was printed");
  for (const std::string& violation : world.cluster.violations) places.push_back(violation);
  return places;
}

inline std::string shown(const report::JoinResult& result) { return result.error ? result.error->id + ": " + result.error->message : "ok"; }

}  // namespace kubejoin
