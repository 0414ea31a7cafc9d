// In kubeadm's place: what is ours of its commands, and the real one for all else.
#include <cstdio>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "cli/command.h"
#include "cli/surroundings.h"
#include "config/user_data.h"
#include "kube/kube.h"
#include "parse/envelope.h"
#include "preflight/checks.h"
#include "report/error_text.h"

namespace kubejoin::cli {
namespace {

constexpr std::size_t kMaxConfig = 10 << 20;
constexpr char kOtherKubeadm[] = "/usr/lib/kubejoin/kubeadm";
constexpr Millis kPullTimeout{600'000};

// ---- whose is it ----

// The arguments with the command in front: kubeadm's global flags may stand before it.
std::vector<std::string> command_first(std::vector<std::string> arguments) {
  std::size_t at = 0;
  while (at < arguments.size() && arguments[at].size() > 1 && arguments[at][0] == '-') {
    const std::string& flag = arguments[at];
    const bool takes_value = flag == "-v" || flag == "--v" || flag == "--rootfs" || flag == "--vmodule";
    at += takes_value ? 2 : 1;
  }
  if (at < arguments.size()) std::rotate(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(at), arguments.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  return arguments;
}

std::string value_of(const std::vector<std::string>& arguments, const std::string& flag) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == flag && i + 1 < arguments.size()) return arguments[i + 1];
    if (arguments[i].starts_with(flag + "=")) return arguments[i].substr(flag.size() + 1);
  }
  return {};
}

bool has_kind(const std::vector<std::string>& arguments, std::initializer_list<const char*> kinds) {
  const std::string path = value_of(arguments, "--config");
  const auto text = path.empty() ? Result<std::string>() : make_real_host()->read(absolute_path(path), kMaxConfig);
  return !text || text->empty() || std::any_of(kinds.begin(), kinds.end(), [&](const char* kind) { return text->find(kind) != std::string::npos; });
}

bool joins_control_plane(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments)
    for (const char* flag : {"--control-plane", "--experimental-control-plane"})
      if (argument == flag || argument == std::string(flag) + "=true") return true;
  const std::string path = value_of(arguments, "--config");
  if (path.empty()) return false;
  const auto text = make_real_host()->read(absolute_path(path), kMaxConfig);
  if (!text || text->find("controlPlane") == std::string::npos) return false;
  for (const parse::Document& document : parse::unwrap(*text, path, nullptr).documents)
    if (document.kind() == "JoinConfiguration" && document.root.find("controlPlane") != nullptr) return true;
  return false;
}

// What a worker needs of kubeadm is ours.
bool is_ours(const std::vector<std::string>& arguments) {
  const auto word = [&](std::size_t i) { return i < arguments.size() ? arguments[i] : std::string(); };
  const std::string command = word(0);
  if (command.empty() || command == "--help" || command == "-h" || command == "help" || command == "version") return true;
  if (command == "join") return !joins_control_plane(arguments);
  if (command == "reset") return ::access("/etc/kubernetes/manifests/kube-apiserver.yaml", F_OK) != 0;
  if (command != "config") return false;
  if (word(1) == "images") return word(2) == "list" || word(2) == "pull";
  return word(1) == "validate" && has_kind(arguments, {"JoinConfiguration", "NodeConfiguration"});
}

// The next kubeadm on PATH that is not this program, or the one that an image puts beside it.
std::string other_kubeadm() {
  struct ::stat self {}, other {};
  if (::stat("/proc/self/exe", &self) != 0) return {};
  std::vector<std::string> paths;
  const char* path = std::getenv("PATH");
  for (const std::string& folder : split(path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin", ':')) paths.push_back((folder.empty() ? "." : folder) + "/kubeadm");
  paths.emplace_back(kOtherKubeadm);
  for (const std::string& candidate : paths) {
    if (::stat(candidate.c_str(), &other) != 0 || !S_ISREG(other.st_mode) || ::access(candidate.c_str(), X_OK) != 0) continue;
    if (other.st_dev != self.st_dev || other.st_ino != self.st_ino) return candidate;
  }
  return {};
}

// ---- config images ----

// The pause image of each minor release, by its last patch (cmd/kubeadm/app/constants/constants.go).
struct Pause {
  int since;
  const char* version;
};
constexpr Pause kPauses[] = {{36, "3.10.2"}, {34, "3.10.1"}, {31, "3.10"}, {26, "3.9"}, {25, "3.8"}, {24, "3.7"}, {23, "3.6"}, {22, "3.5"}, {21, "3.4.1"}, {18, "3.2"}, {0, "3.1"}};
constexpr int kNewRepositorySince = 22;  // in the last patch releases of 1.22 to 1.24, and from 1.25 on
constexpr char kDefaultVersion[] = "v1.37.2";

struct ImageOptions {
  std::string version, repository, output = "text", config_path, cri_socket;
};

Status read_config(ImageOptions& o) {
  auto source = std::make_shared<parse::Source>();
  source->file = o.config_path;
  TRY(source->text, make_real_host()->read(absolute_path(o.config_path)));
  const parse::Yaml yaml = parse::read_yaml(source);
  if (!yaml.errors.empty()) return tl::unexpected(yaml.errors.front());
  for (const parse::Document& document : yaml.documents) {
    if (document.kind() == "ClusterConfiguration") {
      if (o.version.empty()) o.version = document.root.string_or("kubernetesVersion", "");
      if (o.repository.empty()) o.repository = document.root.string_or("imageRepository", "");
    }
    if (const parse::Value* node = document.root.find("nodeRegistration"); node != nullptr && o.cri_socket.empty()) o.cri_socket = node->string_or("criSocket", "");
  }
  return {};
}

Result<std::vector<std::string>> images(ImageOptions& o) {
  if (!o.config_path.empty()) CHECK_OK(read_config(o));
  if (o.version.empty() || o.version.starts_with("stable") || o.version.starts_with("latest")) {
    if (!o.version.empty()) std::fprintf(stderr, "the version \"%s\" is not looked up; taking %s\n", printable(o.version).c_str(), kDefaultVersion);
    o.version = kDefaultVersion;
  }
  const std::string number = o.version.substr(o.version.starts_with('v') ? 1 : 0);
  const auto version = kube::parse_kubelet_version("Kubernetes v" + number);
  if (!version) return fail(Kind::usage, "usage.kubernetes-version", quoted(o.version) + " is no Kubernetes version", "--kubernetes-version v1.37.2");
  const int minor = version->minor;
  const auto pause = std::find_if(std::begin(kPauses), std::end(kPauses), [&](const Pause& p) { return minor >= p.since; });
  if (o.repository.empty()) o.repository = minor >= kNewRepositorySince ? "registry.k8s.io" : "k8s.gcr.io";
  return std::vector<std::string>{o.repository + "/kube-proxy:v" + number, o.repository + "/pause:" + pause->version};
}

void print(const std::vector<std::string>& images, const std::string& output) {
  std::string text;
  if (output == "json") text = "{\n    \"kind\": \"Images\",\n    \"apiVersion\": \"output.kubeadm.k8s.io/v1alpha3\",\n    \"images\": [\n        \"" + join(images, "\",\n        \"") + "\"\n    ]\n}\n";
  else if (output == "yaml") text = "apiVersion: output.kubeadm.k8s.io/v1alpha3\nimages:\n- " + join(images, "\n- ") + "\nkind: Images\n";
  else text = join(images, "\n") + "\n";
  std::fputs(text.c_str(), stdout);
}

Status pull(const ImageOptions& o, const std::vector<std::string>& images) {
  auto host = make_real_host();
  TRY(const std::string found, preflight::detect_cri_socket(*host, o.cri_socket));
  for (const std::string& image : images) {
    HttpOptions options;
    options.unix_socket = found.substr(found.starts_with("unix://") ? 7 : 0);
    options.h2c = true;
    options.use_proxy = false;
    HttpRequest request = kube::cri_pull_image_request(image);
    request.timeout = kPullTimeout;
    const auto answer = host->open_http(std::move(options))->run_one(std::move(request));
    Status done = answer ? kube::parse_cri_done(*answer) : tl::unexpected(answer.error());
    if (!done) return within("pull image " + quoted(image), std::move(done).error());
    std::printf("[config/images] Pulled %s\n", image.c_str());
    std::fflush(stdout);
  }
  return {};
}

std::vector<Flag> flags_into(ImageOptions& o) {
  const auto text = [](std::string& into) { return [&into](const std::string& v) { return into = v, Status{}; }; };
  const auto ignored = [](const std::string&) { return Status{}; };
  const auto format = [&o](const std::string& v) -> Status {
    if (v != "text" && v != "json" && v != "yaml") return fail(Kind::usage, "usage.output", "-o takes text, json or yaml, not " + quoted(v));
    return o.output = v, Status{};
  };
  return {{"kubernetes-version", 0, "VERSION", "of the images", text(o.version)},
          {"image-repository", 0, "NAME", "where they are", text(o.repository)},
          {"config", 0, "FILE", "a document that says both", text(o.config_path)},
          {"output", 'o', "text|json|yaml", "how to print", format},
          {"experimental-output", 0, "text|json|yaml", "its name up to 1.30", format},
          {"cri-socket", 0, "PATH", "the container runtime's socket", text(o.cri_socket)},
          {"show-managed-fields", 0, "", "accepted for compatibility", ignored},
          {"allow-missing-template-keys", 0, "", "accepted for compatibility", ignored},
          {"feature-gates", 0, "NAME=BOOL,...", "accepted for compatibility", ignored},
          {"kubeconfig", 0, "FILE", "accepted for compatibility", ignored},
          {"rootfs", 0, "DIR", "accepted for compatibility", ignored},
          {"v", 'v', "LEVEL", "accepted for compatibility", ignored}};
}

int failed(const Error& error) {
  std::fprintf(stderr, "error: %s\n", error.message.c_str());
  (void)complain({&error, 1});
  return 1;
}

int run_images(const std::vector<std::string>& arguments, bool pulls) {
  ImageOptions options;
  const std::vector<Flag> flags = flags_into(options);
  const Parsed parsed = parse(arguments, flags);
  if (parsed.help) return std::printf("usage: kubeadm config images list|pull\n\n%s", flag_help(flags).c_str()), 0;
  if (!parsed.errors.empty()) return complain(parsed.errors), 1;
  const auto list = images(options);
  if (!list) return failed(list.error());
  if (!pulls) return print(*list, options.output), 0;
  if (auto pulled = pull(options, *list); !pulled) return failed(pulled.error());
  return 0;
}

// ---- config validate ----

int run_config_validate(const std::vector<std::string>& arguments) {
  std::string path;
  const auto ignored = [](const std::string&) { return Status{}; };
  const std::vector<Flag> flags = {{"config", 0, "FILE", "the document", [&path](const std::string& v) { return path = v, Status{}; }},
                                   {"allow-deprecated-api", 0, "", "accepted for compatibility: older versions are read", ignored},
                                   {"allow-experimental-api", 0, "", "accepted for compatibility", ignored},
                                   {"kubeconfig", 0, "FILE", "accepted for compatibility", ignored},
                                   {"rootfs", 0, "DIR", "accepted for compatibility", ignored},
                                   {"v", 'v', "LEVEL", "accepted for compatibility", ignored}};
  const Parsed parsed = parse(arguments, flags);
  if (parsed.help) return std::printf("usage: kubeadm config validate --config FILE\n\n%s", flag_help(flags).c_str()), 0;
  if (!parsed.errors.empty()) return complain(parsed.errors), 1;
  if (path.empty()) return std::fputs("error: the --config flag is mandatory\n", stderr), 1;
  const auto bytes = make_real_host()->read(absolute_path(path), kMaxConfig);
  if (!bytes) return failed(bytes.error());
  const config::Loaded loaded = config::read_user_data(*bytes, path, nullptr, {}, surroundings_of("localhost")).loaded;
  for (const Error& warning : loaded.warnings) std::fputs(report::error_text(warning, "warning").c_str(), stderr);
  if (!loaded.errors.empty()) return std::fprintf(stderr, "error: %s\n", loaded.errors.front().message.c_str()), complain(loaded.errors), 1;
  return std::puts("ok"), 0;
}

}  // namespace

void hand_over(std::vector<std::string> argv) {
  if (argv.empty() || argv.front().substr(argv.front().rfind('/') + 1) != "kubeadm") return;
  if (is_ours(command_first({argv.begin() + 1, argv.end()}))) return;
  const std::string other = other_kubeadm();
  if (other.empty()) return;
  std::vector<char*> words;
  for (std::string& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  ::execv(other.c_str(), words.data());
  std::fprintf(stderr, "kubeadm: unable to run %s, which kubejoin leaves this command to\n", other.c_str());
}

int run_as_kubeadm(std::vector<std::string> arguments) {
  arguments = command_first(std::move(arguments));
  const std::string command = arguments.empty() ? "" : arguments.front();
  if (is_ours(arguments)) {
    if (command == "config") {
      const bool is_validate = arguments[1] == "validate";
      const std::vector<std::string> rest(arguments.begin() + (is_validate ? 2 : 3), arguments.end());
      return is_validate ? run_config_validate(rest) : run_images(rest, arguments[2] == "pull");
    }
    if (!arguments.empty()) arguments.erase(arguments.begin());
    if (command == "join") return run_join({std::move(arguments), true});
    if (command == "reset") return run_reset({std::move(arguments), true});
    if (command == "version") return run_version({std::move(arguments), true});
    return run({"kubejoin", "help"});
  }
  std::string shown = command;
  for (std::size_t i = 1; i < arguments.size() && command == "config" && arguments[i][0] != '-'; ++i) shown += " " + arguments[i];
  if (command == "join") shown += " of a control plane";
  std::fprintf(stderr, "kubeadm: kubeadm %s is not this program: kubejoin joins workers, and there is no other kubeadm on PATH or at %s\n"
                       "  hint: install kubeadm for control planes; kubejoin serves join, reset, version, config validate and config images\n",
               printable(shown).c_str(), kOtherKubeadm);
  return 1;
}

}  // namespace kubejoin::cli
