// The steps of a reset, each of which finds done what an earlier run did.
#include "kubelet/reset.h"

#include <algorithm>

#include "base/text.h"
#include "kube/kube.h"
#include "plan/state.h"

namespace kubejoin::kubelet {
namespace {

constexpr Millis kServiceTimeout{100'000};  // the kubelet's unit may take systemd's 90 s to end
constexpr Millis kUnmountTimeout{30'000};
constexpr Millis kRuntimeTimeout{120'000};
constexpr int kRemoveTries = 5;  // kubeadm's RemoveContainerRetry

constexpr char kKubeletFolder[] = "/var/lib/kubelet";

void warn(const Reset& wish, Error error, std::string hint = {}) {
  error.id = "reset." + error.id.substr(error.id.find('.') + 1);
  if (!hint.empty()) error.hint = std::move(hint);
  wish.warn(error);
}

void stop_kubelet(Host& host, const Reset& wish) {
  Command stop{.argv = {"systemctl", "stop", "kubelet"}, .timeout = kServiceTimeout};
  if (!host.find_program("systemctl")) stop.argv = {"rc-service", "kubelet", "stop"};
  wish.say("Stopping the kubelet service");
  auto stopped = host.run(stop);
  if (stopped && stopped->status != 0)
    stopped = fail(Kind::machine, "reset.kubelet-stop", join(stop.argv, " ") + " ended with status " + std::to_string(stopped->status) + ": " + printable(trim(stopped->err)));
  if (!stopped) warn(wish, within("stop the kubelet service", std::move(stopped).error()).value(), "see that the kubelet is stopped, and run this again");
}

// The Node goes by the node's own certificate, while that is there.
Status delete_node(Host& host, const Reset& wish) {
  TRY(const auto text, host.read(plan::kKubeletConf, 1 << 20));
  TRY(auto kubeconfig, kube::parse_kubeconfig(text, plan::kKubeletConf));
  TRY(auto pem, host.read(plan::kClientPem, 256 << 10));
  const std::size_t key = pem.rfind("-----BEGIN EC PRIVATE KEY");
  if (kubeconfig.clusters.empty() || key == std::string::npos) return fail(Kind::machine, "reset.delete-node", "kubelet.conf or its certificate is not whole");
  const std::string name = plan::read_journal(host).node_name;
  if (name.empty()) return fail(Kind::machine, "reset.delete-node", "there is no record of the Node's name");
  HttpOptions options;
  options.trust = HttpOptions::Trust::given;
  options.ca_pem = kubeconfig.clusters.front().ca_data;
  options.client_cert_pem = pem.substr(0, key);
  options.client_key_pem = Secret(pem.substr(key));
  wipe(pem);
  HttpRequest request;
  request.method = "DELETE";
  request.url = kubeconfig.clusters.front().server + kube::node_path(name);
  wish.say("Deleting Node " + name);
  auto answer = expect_ok(host.open_http(std::move(options))->run_one(std::move(request)), "delete Node " + quoted(name));
  if (!answer && answer.error().id != "http.not-found") return tl::unexpected(std::move(answer).error());
  return {};
}

// A path of /proc/mounts: blanks and the like are octal there (getmntent(3)).
std::string unescaped(std::string_view field) {
  std::string path;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const auto octal = [&](std::size_t n) { return i + n < field.size() && field[i + n] >= '0' && field[i + n] <= '7' ? field[i + n] - '0' : -1; };
    if (field[i] == '\\' && octal(1) >= 0 && octal(2) >= 0 && octal(3) >= 0) {
      path += static_cast<char>(octal(1) * 64 + octal(2) * 8 + octal(3));
      i += 3;
    } else {
      path += field[i];
    }
  }
  return path;
}

// What is mounted below `folder`, the last mounted first; a mount on the folder itself stays.
std::vector<std::string> mounts_below(Host& host, const std::string& folder) {
  std::vector<std::string> found;
  const auto mounts = host.read("/proc/mounts", 16 << 20);
  if (!mounts) return found;
  for (const std::string& line : split(*mounts, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 2) continue;
    std::string path = unescaped(fields[1]);
    if (path.starts_with(folder + "/")) found.push_back(std::move(path));
  }
  std::reverse(found.begin(), found.end());
  return found;
}

Status unmount(Host& host, const Reset& wish, const std::string& folder) {
  wish.say("Unmounting mounted directories in \"" + folder + "\"");
  std::string why;
  for (const std::string& path : mounts_below(host, folder)) {
    Command command{.argv = {"umount"}, .timeout = kUnmountTimeout};
    for (const std::string& flag : wish.unmount_flags) {
      if (flag == "MNT_FORCE") command.argv.emplace_back("--force");
      if (flag == "MNT_DETACH") command.argv.emplace_back("--lazy");
    }
    command.argv.insert(command.argv.end(), {"--", path});
    const auto done = host.run(command);
    if (!done) why = done.error().message;
    else if (done->status != 0) why = printable(trim(done->err));
  }
  if (wish.dry_run) return {};
  // The world is asked, not each call: a mount may have gone with another one.
  const auto left = mounts_below(host, folder);
  if (left.empty()) return {};
  return fail(Kind::machine, "reset.unmount", "unable to unmount " + quoted(left.front()) + (left.size() > 1 ? " and " + std::to_string(left.size() - 1) + " more" : "") + ": " + why,
              "see who uses it: fuser -vm " + left.front() + "; then kubejoin reset again, which goes on where this one ended");
}

Result<HttpResponse> ask_runtime(Host& host, const std::string& socket, HttpRequest request) {
  HttpOptions options;
  options.unix_socket = socket;
  options.h2c = true;
  options.use_proxy = false;
  request.timeout = kRuntimeTimeout;
  return host.open_http(std::move(options))->run_one(std::move(request));
}

Status remove_pods(Host& host, const Reset& wish) {
  const std::string socket = wish.cri_socket.substr(wish.cri_socket.starts_with("unix://") ? 7 : 0);
  for (const std::string_view service : kube::kCriServices) {
    TRY(const auto answer, ask_runtime(host, socket, kube::cri_list_sandboxes_request(service)));
    const auto ids = kube::parse_cri_sandboxes(answer);
    if (!ids && ids.error().id == "cri.unimplemented") continue;
    if (!ids) return tl::unexpected(ids.error());
    Status all;
    for (const std::string& id : *ids) {
      wish.say((wish.dry_run ? "Would remove pod " : "Removing pod ") + printable(id));
      if (wish.dry_run) continue;
      Status done;
      for (int tries = 0; tries < kRemoveTries && (tries == 0 || !done) && !host.terminating(); ++tries) {
        auto stopped = ask_runtime(host, socket, kube::cri_stop_sandbox_request(service, id));
        done = stopped ? kube::parse_cri_done(*stopped) : tl::unexpected(stopped.error());
        if (!done) continue;
        auto removed = ask_runtime(host, socket, kube::cri_remove_sandbox_request(service, id));
        done = removed ? kube::parse_cri_done(*removed) : tl::unexpected(removed.error());
      }
      if (!done) all = done;
    }
    return all;
  }
  return fail(Kind::unfit, "reset.pods", "the runtime at " + quoted(socket) + " serves no CRI that kubejoin knows");
}

void remove(Host& host, const Reset& wish, const std::string& path) {
  if (auto gone = host.remove_tree(path); !gone) warn(wish, std::move(gone).error());
}

// All in a folder, not the folder: it may be a mount.
void empty(Host& host, const Reset& wish, const std::string& folder) {
  const auto names = host.list(folder);
  if (!names) return;
  for (const std::string& name : *names) remove(host, wish, folder + "/" + name);
}

// Where a folder really is: people link /var/lib/kubelet to a larger disk.
std::string real_folder(Host& host, std::string path) {
  for (int links = 0; links < 8; ++links) {
    const auto info = host.stat(path);
    if (!info || info->type != FileType::symlink) break;
    path = info->link_target.starts_with('/') ? info->link_target : path.substr(0, path.rfind('/') + 1) + info->link_target;
  }
  return path;
}

}  // namespace

Status reset(Host& host, const Reset& wish) {
  stop_kubelet(host, wish);
  if (wish.delete_node) {
    if (auto deleted = delete_node(host, wish); !deleted)
      warn(wish, std::move(deleted).error(), "with an administrator's credential: kubectl delete node " + plan::read_journal(host).node_name);
  }
  const std::string kubelet = real_folder(host, kKubeletFolder);
  CHECK_OK(unmount(host, wish, kubelet));
  if (auto removed = remove_pods(host, wish); !removed)
    warn(wish, within("remove the pods of the container runtime", std::move(removed).error()).value(), "crictl rmp --all --force, when the runtime is there");

  // The last two are of the releases up to 1.24.
  std::vector<std::string> folders = {"/etc/kubernetes/manifests", kubelet, wish.certificates_dir};
  for (const char* old : {"/var/lib/dockershim", "/var/run/kubernetes"})
    if (host.stat(old)) folders.emplace_back(old);
  if (wish.cleanup_tmp_dir) folders.emplace_back("/etc/kubernetes/tmp");
  wish.say("Deleting contents of directories: [" + join(folders, " ") + "]");
  for (const std::string& folder : folders) empty(host, wish, folder);
  std::vector<std::string> files;
  for (const char* name : {"admin", "super-admin", "kubelet", "bootstrap-kubelet", "controller-manager", "scheduler"}) files.push_back("/etc/kubernetes/" + std::string(name) + ".conf");
  wish.say("Deleting files: [" + join(files, " ") + "]");
  // What the join wrote elsewhere, as a CA below a folder of the user's own, stands in the journal.
  const plan::Journal journal = plan::read_journal(host);
  files.insert(files.end(), journal.files.begin(), journal.files.end());
  for (const std::string& file : files)
    if (auto gone = host.remove(file); !gone) warn(wish, std::move(gone).error());
  for (const char* record : {"/run/kubejoin/status.json", "/run/kubejoin/result.json", "/var/lib/kubejoin/last-result.json"}) (void)host.remove(record);
  return host.remove(plan::kJournal);
}

}  // namespace kubejoin::kubelet
