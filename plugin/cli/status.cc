// kubejoin status and query: what is known, for people and scripts.
#include <cstdio>

#include "base/text.h"
#include "cli/command.h"
#include "parse/document.h"
#include "report/result_file.h"
#include "source/source.h"

namespace kubejoin::cli {
namespace {

constexpr int kRunning = 75;  // EX_TEMPFAIL: ask again

struct StatusOptions {
  std::string output = "text";
  std::string root = "/";
  std::optional<Millis> wait;
};

std::vector<Flag> flags_into(StatusOptions& o) {
  return {{"wait", 0, "[=DURATION]", "wait until the join has ended (default 10m)", [&o](const std::string& v) -> Status {
             o.wait = v.empty() ? Millis{600'000} : parse_duration(v).value_or(Millis{-1});
             if (*o.wait < Millis{0}) return fail(Kind::usage, "usage.wait", "--wait takes a duration, not " + quoted(v), "--wait=5m");
             return {};
           }},
          {"output", 'o', "text|json", "how to tell", [&o](const std::string& v) { return o.output = v, Status{}; }},
          {"root", 0, "DIR", "take every path below DIR", [&o](const std::string& v) { return o.root = v, Status{}; }}};
}

struct QueryOptions {
  std::string source, output = "text", root = "/";
  bool list = false;
};

std::vector<Flag> flags_into(QueryOptions& o) {
  return {{"source", 0, "URI", "ask this source instead of the detected one", [&o](const std::string& v) { return o.source = v, Status{}; }},
          {"list-sources", 0, "", "print the table of sources", [&o](const std::string& v) { return o.list = v != "false", Status{}; }},
          {"output", 'o', "text|json", "how to tell", [&o](const std::string& v) { return o.output = v, Status{}; }},
          {"root", 0, "DIR", "take every path below DIR", [&o](const std::string& v) { return o.root = v, Status{}; }}};
}

parse::Value read_json(const std::string& text) {
  auto source = std::make_shared<parse::Source>();
  source->text = text;
  const parse::Yaml yaml = parse::read_yaml(source);
  return yaml.documents.empty() ? parse::make_map() : yaml.documents.front().root;
}

int exit_of(const parse::Value& result) {
  const std::string state = result.string_or("state", "none");
  if (state == "success" || state == "partial" || state == "skipped") return 0;
  if (state == "running") return kRunning;
  const parse::Value* status = result.find("exitStatus");
  return status != nullptr ? std::atoi(status->text.c_str()) : 1;
}

void print(const parse::Value& result) {
  std::printf("state: %s\n", result.string_or("state", "none").c_str());
  for (const char* name : {"reason", "nodeName", "phase", "waitingFor", "retries", "source", "endpoint", "startedAt", "tookMs"})
    if (const parse::Value* value = result.find(name)) std::printf("%s: %s\n", name, printable(value->text).c_str());
  const parse::Value* error = result.find("error");
  if (error == nullptr) error = result.find("lastError");  // of the attempt before this one
  if (error != nullptr)
    std::printf("error: %s [%s]\nhint: %s\n", error->string_or("message", "").c_str(), error->string_or("id", "").c_str(), error->string_or("hint", "-").c_str());
}

}  // namespace

std::vector<Flag> status_flags() {
  static StatusOptions unused;
  return flags_into(unused);
}
std::vector<Flag> query_flags() {
  static QueryOptions unused;
  return flags_into(unused);
}

int run_status(const Invocation& invocation) {
  StatusOptions options;
  const std::vector<Flag> flags = flags_into(options);
  const Parsed parsed = parse(invocation.arguments, flags);
  int status = 0;
  if (finished(parsed, "status", status)) return status;
  auto host = make_real_host(options.root);
  if (options.wait) (void)host->wait_for_path(report::kResultPath, host->monotonic() + *options.wait);
  // The end before the middle; after a reboot, how it ended then.
  for (const char* path : {report::kResultPath, report::kStatusPath, report::kLastResultPath}) {
    const auto text = host->read(path, 1 << 20);
    if (!text || trim(*text).empty()) continue;
    const parse::Value result = read_json(*text);
    if (options.output == "json") std::printf("%s", text->c_str());
    else print(result);
    return exit_of(result);
  }
  std::printf(options.output == "json" ? "{\"apiVersion\":\"kubejoin/v1\",\"kind\":\"Status\",\"state\":\"none\"}\n" : "state: none\n");
  return kRunning;
}

int run_query(const Invocation& invocation) {
  QueryOptions options;
  const std::vector<Flag> flags = flags_into(options);
  const Parsed parsed = parse(invocation.arguments, flags);
  int status = 0;
  if (finished(parsed, "query", status)) return status;
  const bool json = options.output == "json";
  if (options.list) {
    std::fputs(source::render_sources(json).c_str(), stdout);
    return 0;
  }
  auto host = make_real_host(options.root);
  const auto fetched = source::fetch(*host, options.source, host->monotonic() + Millis{60'000});
  if (!fetched) return complain({&fetched.error(), 1});
  const auto text = source::render_query(*fetched, parsed.positionals.empty() ? "" : parsed.positionals.front(), json);
  if (!text) return complain({&text.error(), 1});
  std::fputs(text->c_str(), stdout);
  return 0;
}

}  // namespace kubejoin::cli
