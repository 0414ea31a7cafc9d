// What the table finds, done away with.
#include "image/seal.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"

namespace kubejoin::image {
namespace {

// systemd saves a seed when the machine goes down, which all clones would then credit as random. Volatile: gone with this boot.
constexpr char kSeedDropIn[] = "/run/systemd/system/systemd-random-seed.service.d/50-kubejoin-seal.conf";
constexpr char kSeedText[] = "# This machine becomes an image: nothing of its randomness may be saved.\n[Service]\nExecStop=\n";

Status see_that_no_node_runs(Image& image) {
  if (!image.is_live() || !image.host.stat("/etc/kubernetes/kubelet.conf")) return {};
  const auto asked = image.host.run({.argv = {"systemctl", "is-active", "kubelet.service"}, .timeout = Millis{10'000}, .changes_nothing = true});
  if (!asked || trim(asked->out) != "active") return {};
  return fail(Kind::unfit, "seal.node-runs", "unable to seal this machine: its kubelet runs, so it is a node of a cluster",
              "systemctl disable --now kubelet, when it shall become an image; or name the image's folder: kubejoin seal --root DIR");
}

// Best effort: what comes back nevertheless is found by verify.
void calm_services(Image& image) {
  Host& host = image.host;
  if (!image.keeps("logs")) (void)host.run({.argv = {"journalctl", "--relinquish-var"}, .timeout = Millis{20'000}});
  if (image.keeps("random-seed") || host.read(kSeedDropIn, 4096).value_or("") == kSeedText) return;
  if (host.write(kSeedDropIn, kSeedText, 0644)) (void)host.run({.argv = {"systemctl", "daemon-reload"}, .timeout = Millis{20'000}});
}

// What the kubelet says of itself; nothing where it is absent or cannot run here, as in an image of another architecture.
std::optional<Finding> kubelet_version(Image& image) {
  const auto kubelet = program_in(image, "kubelet");
  if (!kubelet || image.keeps("kubelet-version")) return std::nullopt;
  const auto asked = run_in(image, {*kubelet, "--version"}, Millis{120'000});
  if (!asked || asked->status != 0 || !asked->out.starts_with("Kubernetes v")) return std::nullopt;
  if (image.host.read(kKubeletVersionPath, 256).value_or("") == asked->out) return std::nullopt;
  return Finding{.check = "kubelet-version", .path = kKubeletVersionPath, .content = asked->out, .mode = 0644};
}

// The file without those of its lines that findings cut, which may be of several rows.
Status cut(Host& host, const std::string& path, const std::set<int>& lines) {
  const auto info = host.stat(path);
  TRY(const std::string text, host.read(path));
  std::string left;
  int number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    if (!lines.contains(++number)) left.append(text, at, end - at);
    at = end;
  }
  return host.write(path, left, info ? info->mode : 0644);
}

Status do_away_with(Host& host, const Finding& finding, const std::map<std::string, std::set<int>>& cuts) {
  if (finding.cuts) return cut(host, finding.path, cuts.at(finding.path));
  return finding.content ? host.write(finding.path, *finding.content, finding.mode) : host.remove_tree(finding.path);
}

// Removed already, or below what was; or cut already, with all its lines.
bool goes_with(const Finding& finding, const std::vector<Change>& changes) {
  const std::string& path = finding.path;
  return std::any_of(changes.begin(), changes.end(), [&](const Change& c) { return c.written ? finding.cuts && path == c.path : path == c.path || path.starts_with(c.path + "/"); });
}

}  // namespace

Result<SealReport> seal(Image& image, bool dry_run) {
  CHECK_OK(see_that_no_node_runs(image));
  SealReport report{.root = image.root, .dry_run = dry_run, .kept = image.keep};
  if (!dry_run && image.is_live()) calm_services(image);
  Search search = find_traces(image);
  report.errors = std::move(search.problems);
  if (auto version = kubelet_version(image)) search.findings.push_back(*std::move(version));
  std::map<std::string, std::set<int>> cuts;
  for (const Finding& finding : search.findings)
    if (finding.cuts) cuts[finding.path].insert(finding.line);
  for (const Finding& finding : search.findings) {
    if (goes_with(finding, report.changes)) continue;
    Status done;
    if (!dry_run) done = do_away_with(image.host, finding, cuts);
    if (done) report.changes.push_back({finding.check, finding.path, finding.cuts || finding.content.has_value()});
    else report.errors.push_back(std::move(done).error());
  }
  return report;
}

}  // namespace kubejoin::image
