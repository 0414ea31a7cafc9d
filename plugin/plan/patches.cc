// The folder of patches as kubeadm walks it (cmd/kubeadm/app/util/patches/patches.go, the same in 1.20 to 1.37 but for the targets).
#include "plan/patches.h"

#include "base/text.h"
#include "plan/state.h"

namespace kubejoin::plan {
namespace {

constexpr std::size_t kMostFiles = 1'000, kDeepest = 8, kLargest = 1 << 20;

class Walk {
 public:
  Walk(Context& context, std::vector<kube::PatchFile>& patches) : context_(context), patches_(patches) {}

  // In the order of names; kubeadm goes into folders, too, though its help says otherwise.
  Status folder(const std::string& path, std::size_t depth) {
    auto names = list_named(context_, path);
    if (!names) return without_excuse(std::move(names).error());
    for (const std::string& name : *names) {
      const std::string at = path + "/" + name;
      const auto info = context_.host.stat(at);
      const bool is_folder = info && info->type == FileType::directory;
      if (depth >= kDeepest || ++count_ > kMostFiles) return refuse("there are too many files or folders in it");
      CHECK_OK(is_folder ? folder(at, depth + 1) : file(at, name));
    }
    return {};
  }

  Status refuse(const std::string& why) const {
    const std::string& folder = context_.state.config.patches_directory;
    return fail(Kind::invalid, "kubelet.patches", "could not list patch files for path " + quoted(folder) + ": " + why,
                "patches.directory (or --patches) names a folder of this machine; leave it out where there is nothing to patch");
  }

 private:
  Status file(const std::string& path, const std::string& name) {
    TRY(const kube::PatchName is, kube::read_patch_name(name));
    if (!is.ignored.empty()) return ignore("Ignoring file " + quoted(name) + ": " + is.ignored, "the kubelet's are named kubeletconfiguration[SUFFIX][+TYPE].yaml"), Status{};
    if (!is.for_kubelet) {
      context_.observer.detail("patches: " + printable(name) + " is for a control plane's component");
      return {};
    }
    auto text = read_named(context_, path, kLargest);
    if (!text) return without_excuse(std::move(text).error());
    if (text->empty()) return ignore("Ignoring empty file: " + quoted(name), "remove it, or write the patch"), Status{};
    patches_.push_back({is.type, path, *std::move(text)});
    return kube::check_patches(patches_.back());
  }

  void ignore(std::string what, std::string hint) {
    Error warning = fail(Kind::invalid, "kubelet.patch-ignored", "[patches] " + std::move(what), std::move(hint)).value();
    context_.observer.warning(warning);
  }

  // What is not there or cannot be read is the user's to mend, not the disk's.
  Status without_excuse(Error error) const {
    if (error.kind == Kind::machine) return refuse(error.message);
    return tl::unexpected(std::move(error));
  }

  Context& context_;
  std::vector<kube::PatchFile>& patches_;
  std::size_t count_ = 0;
};

}  // namespace

Status read_patches(Context& context) {
  const std::string& path = context.state.config.patches_directory;
  context.state.patches.clear();
  if (path.empty()) return {};
  Walk walk(context, context.state.patches);
  const auto info = context.host.stat(path);
  if (!info && !list_named(context, path)) return walk.refuse("no such file or directory");
  if (info && info->type != FileType::directory) return walk.refuse("not a directory");
  return walk.folder(path, 0);
}

}  // namespace kubejoin::plan
