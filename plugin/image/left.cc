// What is left as it is, and named: no identity of the build machine, or one that cannot be taken away without taking more.
#include <array>

#include "base/text.h"
#include "image/verify.h"

namespace kubejoin::image {
namespace {

constexpr std::size_t kLargest = 1 << 20;

// Calls visit(line, number) for each line of each file that is no comment.
template <class Visit>
void each_line(Image& image, std::string_view patterns, Visit visit) {
  std::vector<Error> ignored;
  for (const std::string& pattern : split(patterns, ' ')) {
    for (const std::string& path : expand(image.host, pattern, ignored)) {
      const auto info = image.host.stat(path);
      if (!info || info->type != FileType::regular) continue;
      int number = 0;
      for (const std::string& line : split(image.host.read(path, kLargest).value_or(""), '\n')) {
        ++number;
        const std::string_view text = trim(line);
        if (!text.empty() && text[0] != '#' && !text.starts_with("//")) visit(path, text, number);
      }
    }
  }
}

void note(Seen& seen, const std::string& path, int line, std::string what) { seen.notes.push_back({.path = path, .line = line, .what = std::move(what)}); }

}  // namespace

// A cluster installs its network itself. One that is baked in makes the Node Ready before that, and its pods cannot be reached.
Seen cluster_network(Image& image) {
  constexpr std::array<std::string_view, 9> kNetworks = {"calico", "cilium", "flannel", "weave", "antrea", "kube-ovn", "kube-router", "k8s-pod-network", "multus"};
  Seen seen;
  std::vector<Error> ignored;
  for (const char* pattern : {"/etc/cni/net.d/*.conflist", "/etc/cni/net.d/*.conf"}) {
    for (const std::string& path : expand(image.host, pattern, ignored)) {
      const std::string text = lower(path + " " + image.host.read(path, kLargest).value_or(""));
      for (const std::string_view network : kNetworks) {
        if (text.find(network) == text.npos) continue;
        note(seen, path, 0, "is a cluster's pod network (" + std::string(network) + "): a node is Ready with it before its cluster has given it one");
        break;
      }
    }
  }
  return seen;
}

// One with a password is a finding (passwords).
Seen proxies(Image& image) {
  Seen seen;
  each_line(image, "/etc/environment /etc/environment.d/* /etc/profile.d/* /etc/apt/apt.conf /etc/apt/apt.conf.d/* /etc/dnf/dnf.conf /etc/yum.conf /etc/wgetrc /etc/systemd/system.conf.d/* "
                   "/etc/systemd/system/*.d/*.conf /etc/default/* /etc/sysconfig/*",
            [&](const std::string& path, std::string_view line, int number) {
              const std::string text = lower(line);
              const std::size_t proxy = text.find("proxy"), url = text.find("://", proxy);
              if (proxy == text.npos || url == text.npos || !look_for_passwords(line).empty()) return;
              note(seen, path, number, "sends every clone through a proxy");
            });
  return seen;
}

Seen logins(Image& image) {
  Seen seen;
  each_line(image, "/etc/shadow", [&](const std::string& path, std::string_view line, int number) {
    const auto fields = split(line, ':');  // name:hash:…
    if (fields.size() > 1 && (fields[1].empty() || fields[1].front() == '$')) note(seen, path, number, quoted(fields[0]) + (fields[1].empty() ? " needs no password, on any clone" : " has the same password on every clone"));
  });
  each_line(image, "/etc/sudoers /etc/sudoers.d/*", [&](const std::string& path, std::string_view line, int number) {
    if (line.find("NOPASSWD") == line.npos || !line.ends_with("ALL") || path == "/etc/sudoers.d/90-cloud-init-users") return;
    note(seen, path, number, "lets " + quoted(line.substr(0, line.find_first_of(" \t"))) + " do everything without a password");
  });
  return seen;
}

Seen bound_state(Image& image) {
  const struct {
    const char *pattern, *what;
  } kBound[] = {
      {"/var/lib/snapd/device/private-keys-v1/*", "is the key of snapd's serial: bake from an image that has not been seeded"},
      {"/opt/CrowdStrike/falconstore", "may hold an agent id: falconctl -d -f --aid"},
      {"/etc/cryptsetup-keys.d/*", "opens a disk of every clone: enroll a new key at the first boot"},
      {"/crypto_keyfile.bin", "opens a disk of every clone: enroll a new key at the first boot"},
  };
  Seen seen;
  std::vector<Error> ignored;
  for (const auto& one : kBound)
    for (const std::string& path : expand(image.host, one.pattern, ignored)) note(seen, path, 0, one.what);
  return seen;
}

}  // namespace kubejoin::image
