// kubejoin analyze: the timeline from power-on to Ready.
#include <cstdio>

#include "base/text.h"
#include "cli/command.h"
#include "report/timeline.h"

namespace kubejoin::cli {
namespace {

struct AnalyzeOptions {
  std::string output = "text", root = "/";
};

std::vector<Flag> flags_into(AnalyzeOptions& o) {
  return {{"output", 'o', "text|json|svg", "bars and a list, data, or a picture", [&o](const std::string& v) -> Status {
             if (v != "text" && v != "json" && v != "svg") return fail(Kind::usage, "usage.output", "--output is text, json or svg, not " + quoted(v), "-o svg");
             return o.output = v, Status{};
           }},
          {"root", 0, "DIR", "take every path below DIR", [&o](const std::string& v) { return o.root = v, Status{}; }}};
}

}  // namespace

std::vector<Flag> analyze_flags() {
  static AnalyzeOptions unused;
  return flags_into(unused);
}

int run_analyze(const Invocation& invocation) {
  AnalyzeOptions options;
  const std::vector<Flag> flags = flags_into(options);
  const Parsed parsed = parse(invocation.arguments, flags);
  int status = 0;
  if (finished(parsed, "analyze", status)) return status;
  const auto host = make_real_host(options.root);
  const auto timeline = report::read_timeline(*host);
  if (!timeline) return complain({&timeline.error(), 1});
  std::fputs((options.output == "json" ? to_json(*timeline) : options.output == "svg" ? to_svg(*timeline) : to_text(*timeline)).c_str(), stdout);
  return 0;
}

}  // namespace kubejoin::cli
