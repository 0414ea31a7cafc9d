// kubejoin validate: what a boot would say, on a laptop.
#include <cstdio>
#include <iterator>
#include <iostream>

#include "base/text.h"
#include "cli/command.h"
#include "config/load.h"
#include "parse/envelope.h"
#include "report/error_text.h"
#include "source/source.h"

namespace kubejoin::cli {
namespace {

constexpr std::size_t kMaxUserData = 10 << 20;

struct ValidateOptions {
  std::string output = "text";
  std::string platform;
};

Status set_output(std::string& into, const std::string& value, std::initializer_list<std::string_view> allowed) {
  for (const std::string_view one : allowed)
    if (value == one) return into = value, Status{};
  std::string names;
  for (const std::string_view one : allowed) names += (names.empty() ? "" : ", ") + std::string(one);
  return fail(Kind::usage, "usage.output", "-o takes " + names + ", not " + quoted(value));
}

std::vector<Flag> flags_into(ValidateOptions& o) {
  return {{"output", 'o', "text|json", "how to tell", [&o](const std::string& v) { return set_output(o.output, v, {"text", "json"}); }},
          {"platform", 0, "NAME", "warn when the user-data exceeds this platform's limit", [&o](const std::string& v) { return o.platform = v, Status{}; }}};
}

// Bounded whatever the pipe brings: one byte more than the limit tells that it is too large.
Result<std::string> read_stdin() {
  std::string bytes;
  char buffer[1 << 16];
  while (bytes.size() <= kMaxUserData && std::cin.read(buffer, sizeof buffer).gcount() > 0) bytes.append(buffer, static_cast<std::size_t>(std::cin.gcount()));
  if (bytes.size() > kMaxUserData) return fail(Kind::invalid, "file.too-large", "stdin holds more than the 10 MiB that kubejoin reads");
  return bytes;
}

Status check_limit(const std::string& platform, std::size_t size, std::vector<Error>& warnings) {
  std::vector<std::string> names;
  for (const source::Source& row : source::sources()) {
    names.emplace_back(row.name);
    if (row.name != platform) continue;
    if (row.user_data_limit != 0 && size > row.user_data_limit)
      warnings.push_back(fail(Kind::invalid, "platform.limit", std::to_string(size) + " bytes of user-data are more than the " + std::to_string(row.user_data_limit) +
                                  " that " + std::string(row.title) + " takes", "gzip it: kubejoin reads that").value());
    return {};
  }
  const auto nearest = did_you_mean(platform, names);
  return fail(Kind::usage, "usage.platform", "unknown platform " + quoted(platform), nearest ? "did you mean " + *nearest + "?" : "kubejoin query --list-sources");
}

}  // namespace

std::vector<Flag> validate_flags() {
  static ValidateOptions unused;
  return flags_into(unused);
}

int run_validate(const Invocation& invocation) {
  ValidateOptions options;
  const std::vector<Flag> flags = flags_into(options);
  Parsed parsed = parse(invocation.arguments, flags);
  int status = 0;
  if (finished(parsed, "validate", status)) return status;
  if (parsed.positionals.empty()) {
    const Error e = fail(Kind::usage, "usage.no-file", "kubejoin validate needs a file", "kubejoin validate user-data.yaml, or - for stdin").value();
    return complain({&e, 1});
  }
  auto host = make_real_host();
  std::vector<Error> errors, warnings;
  for (const std::string& path : parsed.positionals) {
    auto bytes = path == "-" ? read_stdin() : host->read(absolute_path(path), kMaxUserData);
    if (!bytes) {
      errors.push_back(std::move(bytes).error());
      errors.back().place.file = path;
      continue;
    }
    if (!options.platform.empty()) {
      if (auto known = check_limit(options.platform, bytes->size(), warnings); !known) return complain({&known.error(), 1});
    }
    auto unwrapped = parse::unwrap(*bytes, path, nullptr);
    for (Error& e : unwrapped.errors) errors.push_back(std::move(e));
    for (Error& w : unwrapped.warnings) warnings.push_back(std::move(w));
    if (!unwrapped.errors.empty()) continue;
    if (unwrapped.documents.empty()) {
      errors.push_back(fail(Kind::invalid, "config.no-document", "no document that kubejoin reads was found",
                            "it looks for kubeadm.k8s.io JoinConfiguration and kubejoin/v1alpha1 FirstBoot: kubejoin schema").value());
      errors.back().place.file = path;
      continue;
    }
    // The host name stands in for the machine's: its value is no part of the verdict.
    auto loaded = config::load(unwrapped.documents, {}, {.hostname = "localhost", .templates = true}, true);
    for (Error& e : loaded.errors) errors.push_back(std::move(e));
    for (Error& w : loaded.warnings) warnings.push_back(std::move(w));
  }
  if (options.output == "json") {
    std::printf("%s\n", report::validation_json(errors, warnings).c_str());
  } else {
    for (const Error& w : warnings) std::fputs(report::error_text(w, "warning").c_str(), stderr);
    (void)complain(errors);
    if (errors.empty()) std::printf("valid: %s\n", join(parsed.positionals, " ").c_str());
  }
  return errors.empty() ? 0 : exit_status(Kind::invalid);
}

}  // namespace kubejoin::cli
