// kubejoin seal and verify: the end of a bake.
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "cli/command.h"
#include "cli/join_run.h"
#include "image/seal.h"
#include "image/verify.h"

namespace kubejoin::cli {
namespace {

struct ImageOptions {
  std::string root = "/", output = "text";
  std::vector<std::string> keep;
  bool dry_run = false;
};

Status take_keep(ImageOptions& o, const std::string& value) {
  std::vector<std::string> names;
  for (const image::Trace& trace : image::traces()) names.emplace_back(trace.name);
  for (const image::Check& check : image::checks()) names.emplace_back(check.name);
  for (const std::string& one : split(value, ',')) {
    if (!one.starts_with('/') && std::find(names.begin(), names.end(), one) == names.end()) {
      const auto nearest = did_you_mean(one, names);
      return fail(Kind::usage, "usage.keep", "--keep takes the name of a check or a path, not " + quoted(one), nearest ? "did you mean " + *nearest + "?" : "kubejoin verify names the checks");
    }
    o.keep.push_back(one);
  }
  return {};
}

std::vector<Flag> flags_into(ImageOptions& o, bool seals) {
  std::vector<Flag> flags = {
      {"root", 0, "DIR", "the image's root as a folder of this machine", [&o](const std::string& v) { return o.root = v, Status{}; }},
      {"keep", 0, "NAME|PATH", "leave a check out, or a path (a pattern); may be repeated", [&o](const std::string& v) { return take_keep(o, v); }},
      {"output", 'o', "text|json", "how to tell", [&o](const std::string& v) -> Status {
         if (v != "text" && v != "json") return fail(Kind::usage, "usage.output", "--output is text or json, not " + quoted(v), "-o json");
         return o.output = v, Status{};
       }}};
  if (seals) flags.push_back({"dry-run", 0, "", "tell what would be done; change nothing", [&o](const std::string& v) { return o.dry_run = v != "false", Status{}; }});
  return flags;
}

// The folder, absolute and without links, as programs are run in it by chroot(8).
Status resolve_root(ImageOptions& o) {
  char resolved[PATH_MAX];
  if (::realpath(o.root.c_str(), resolved) == nullptr || ::access((std::string(resolved) + "/etc").c_str(), F_OK) != 0)
    return fail(Kind::usage, "usage.root", "there is no root of a system at " + quoted(o.root), "--root DIR, the folder that holds the image's etc and usr");
  o.root = resolved;
  return {};
}

bool is_ready(ImageOptions& o, const Invocation& invocation, const char* name, bool seals, int& status) {
  const std::vector<Flag> flags = flags_into(o, seals);
  const Parsed parsed = parse(invocation.arguments, flags);
  if (finished(parsed, name, status)) return false;
  std::vector<Error> errors;
  if (!parsed.positionals.empty())
    errors.push_back(fail(Kind::usage, "usage.argument", std::string(name) + " takes no argument, not " + quoted(parsed.positionals.front()), "--root " + printable(parsed.positionals.front())).value());
  else if (auto resolved = resolve_root(o); !resolved)
    errors.push_back(std::move(resolved).error());
  status = complain(errors);
  return errors.empty();
}

}  // namespace

std::vector<Flag> seal_flags() {
  static ImageOptions unused;
  return flags_into(unused, true);
}
std::vector<Flag> verify_flags() {
  static ImageOptions unused;
  return flags_into(unused, false);
}

int run_seal(const Invocation& invocation) {
  ImageOptions options;
  int status = 0;
  if (!is_ready(options, invocation, "seal", true, status)) return status;
  const auto host = make_real_host(options.root);
  // Of this machine, as nobody joins in an image's folder; and where kubejoin has run, or the lock itself would be a trace.
  std::unique_ptr<Lock> turn;
  if (!options.dry_run && options.root == "/" && host->stat(kRunFolder)) {
    if (auto taken = take_turn(*host, Millis{0}, turn); !taken) return complain({&taken.error(), 1});
  }
  image::Image image{*host, options.root, options.keep};
  const auto report = image::seal(image, options.dry_run);
  if (!report) return complain({&report.error(), 1});
  std::fputs((options.output == "json" ? to_json(*report) : to_text(*report)).c_str(), stdout);
  return complain(report->errors);
}

int run_verify(const Invocation& invocation) {
  ImageOptions options;
  int status = 0;
  if (!is_ready(options, invocation, "verify", false, status)) return status;
  const auto host = make_real_host(options.root);
  image::Image image{*host, options.root, options.keep};
  const image::VerifyReport report = image::verify(image);
  std::fputs((options.output == "json" ? to_json(report) : to_text(report)).c_str(), stdout);
  return report.is_ok() ? 0 : exit_status(Kind::unfit);
}

}  // namespace kubejoin::cli
