// The timeline: systemd's timestamps and the join's result, as recorded on machines, on one axis.
#include "report/timeline.h"

#include "../fake_host.h"
#include "../test.h"
#include "report/result_file.h"

namespace kubejoin {
namespace {

using report::Span;
using report::Timeline;

// Recorded on a virtual machine (Debian 13, systemd 257); times are CLOCK_MONOTONIC in microseconds.
constexpr char kManager[] =
    "KernelTimestamp=Wed 2026-11-25 10:00:00 UTC\nFirmwareTimestampMonotonic=2100000\nLoaderTimestampMonotonic=900000\nInitRDTimestampMonotonic=1503000\n"
    "UserspaceTimestampMonotonic=3204000\nFinishTimestampMonotonic=15800000\n";
constexpr char kUnits[] =
    "Id=cloud-init-local.service\nLoadState=loaded\nInactiveExitTimestampMonotonic=4000000\nActiveEnterTimestampMonotonic=6500000\nExecMainStartTimestampMonotonic=4000100\n\n"
    "Id=network-online.target\nLoadState=loaded\nInactiveExitTimestampMonotonic=7000000\nActiveEnterTimestampMonotonic=7000000\n\n"
    "Id=cloud-final.service\nLoadState=loaded\nInactiveExitTimestampMonotonic=9000000\nActiveEnterTimestampMonotonic=9800000\n\n"
    "Id=crio.service\nLoadState=not-found\nInactiveExitTimestampMonotonic=0\nActiveEnterTimestampMonotonic=0\n\n"
    "Id=kubelet.service\nLoadState=loaded\nInactiveExitTimestampMonotonic=13000000\nActiveEnterTimestampMonotonic=13000000\n";

std::string result_of(const std::string& milestones = R"({"name":"csr-sent","atMs":800},{"name":"csr-decided","atMs":1900},{"name":"kubelet-started","atMs":3000},{"name":"registered","atMs":4100},{"name":"ready","atMs":5000})",
                      const std::string& started = "2026-11-25T10:00:10Z", int retries = 0) {
  return R"({"apiVersion":"kubejoin/v1","kind":"Result","state":"success","nodeName":"n1","startedAt":")" + started + R"(","startedMonotonicMs":10000,"tookMs":5000,"retries":)" + std::to_string(retries) +
         R"(,"phases":[{"name":"preflight","tookMs":100},{"name":"discovery","tookMs":400},{"name":"skipped-one","tookMs":0,"skipped":"why"},{"name":"tls-bootstrap","tookMs":1500},{"name":"kubelet-start","tookMs":900},{"name":"node","tookMs":2000}],"milestones":[)" +
         milestones + R"(],"warnings":[]})";
}

void put_boot(FakeHost& host) {
  host.on_command = [](const Command& command) -> Result<CommandResult> {
    const bool units = command.argv.size() > 2 && command.argv.back() == "kubelet.service";
    return CommandResult{0, units ? kUnits : kManager, ""};
  };
  host.wall = std::chrono::sys_days{std::chrono::year{2026} / 11 / 25} + std::chrono::hours{10} + std::chrono::seconds{100};
  host.instant = Instant{std::chrono::seconds{100}};
}

const Span& span(const Timeline& timeline, const std::string& name) {
  for (const Span& one : timeline.spans)
    if (one.name == name) return one;
  FAIL("there is no span " << name);
  return timeline.spans.front();
}
bool misses(const Timeline& timeline, const std::string& what) {
  for (const std::string& one : timeline.missing)
    if (one.find(what) != std::string::npos) return true;
  return false;
}

TEST_CASE("timeline: firmware to Ready on one axis, whose 0 is power-on") {
  FakeHost host;
  put_boot(host);
  host.put(report::kResultPath, result_of());
  const auto timeline = report::read_timeline(host);
  REQUIRE(outcome(timeline) == "ok");
  CHECK(timeline->origin == "power-on");
  CHECK(timeline->total == Millis{2100 + 15000});
  CHECK(span(*timeline, "firmware").start == Millis{0});
  CHECK(span(*timeline, "firmware").took() == Millis{1200});
  CHECK(span(*timeline, "loader").took() == Millis{900});
  CHECK(span(*timeline, "kernel").start == Millis{2100});
  CHECK(span(*timeline, "kernel").took() == Millis{1503});
  CHECK(span(*timeline, "initrd").took() == Millis{1701});
  CHECK(span(*timeline, "userspace before the join").end == Millis{12100});
  CHECK(span(*timeline, "cloud-init-local.service").took() == Millis{2500});
  CHECK(span(*timeline, "prepare").took() == Millis{100});  // what the phases leave of the join's time
  CHECK(span(*timeline, "tls-bootstrap").start == Millis{12100 + 600});
  CHECK(span(*timeline, "csr-wait").took() == Millis{1100});
  CHECK(span(*timeline, "kubelet-registers").took() == Millis{1100});
  CHECK(span(*timeline, "node-ready").end == Millis{17100});
  CHECK(timeline->missing.empty());
  for (const Span& one : timeline->spans) {
    CHECK(one.name != "skipped-one");
    CHECK(one.name != "crio.service");
    CHECK(one.end >= one.start);
  }
  const auto largest = timeline->largest(3);
  REQUIRE(largest.size() == 3);
  CHECK(largest[0]->name == "cloud-init-local.service");
  CHECK(largest[1]->name == "node");
  CHECK(largest[2]->name == "initrd");
}

TEST_CASE("timeline: text, JSON and picture name the same") {
  FakeHost host;
  put_boot(host);
  host.put(report::kResultPath, result_of());
  const auto timeline = report::read_timeline(host);
  REQUIRE(outcome(timeline) == "ok");
  const std::string text = to_text(*timeline), json = to_json(*timeline), svg = to_svg(*timeline);
  CHECK(text.starts_with("power-on to the end of the join: 17.100 s, node n1\n"));
  for (const Span& one : timeline->spans) {
    INFO(one.name);
    CHECK(text.find(one.name) != std::string::npos);
    CHECK(json.find("\"name\":\"" + one.name + "\"") != std::string::npos);
    CHECK(svg.find(">" + one.name + "</text>") != std::string::npos);
  }
  CHECK(svg.find("largest: cloud-init-local.service 2.500 s (15 %)") != std::string::npos);
  CHECK(svg.find("href") == std::string::npos);
  CHECK(svg.find("<script") == std::string::npos);
  CHECK(json.find("\"totalMs\":17100") != std::string::npos);
}

TEST_CASE("timeline: retries stand with their time, phase and error") {
  FakeHost host;
  put_boot(host);
  host.put(report::kResultPath, result_of(R"({"name":"retry discovery http.refused","atMs":200},{"name":"retry discovery http.timeout","atMs":450},{"name":"trusted","atMs":500})", "2026-11-25T10:00:10Z", 3));
  const auto timeline = report::read_timeline(host);
  REQUIRE(outcome(timeline) == "ok");
  REQUIRE(timeline->retries.size() == 2);
  CHECK(timeline->retries[1].phase == "discovery");
  CHECK(timeline->retries[1].error == "http.timeout");
  CHECK(timeline->retries[1].at == Millis{2100 + 10450});
  CHECK(timeline->retry_count == 3);
  CHECK(misses(*timeline, "3 happened, 2 of them"));
  CHECK(to_text(*timeline).find("discovery: http.timeout") != std::string::npos);
  CHECK(to_svg(*timeline).find("discovery: http.refused") != std::string::npos);
}

TEST_CASE("timeline: a container has no kernel of its own: 0 is the start of its userspace") {
  FakeHost host;
  put_boot(host);
  host.on_command = [](const Command& command) -> Result<CommandResult> {
    return CommandResult{0, command.argv.back() == "kubelet.service" ? "" : "KernelTimestamp=\nInitRDTimestampMonotonic=0\nUserspaceTimestampMonotonic=9000000\nFinishTimestampMonotonic=11000000\n", ""};
  };
  host.put(report::kResultPath, result_of());
  const auto timeline = report::read_timeline(host);
  REQUIRE(outcome(timeline) == "ok");
  CHECK(timeline->origin == "userspace");
  CHECK(timeline->total == Millis{6000});
  CHECK(span(*timeline, "preflight").start == Millis{1100});
  CHECK(misses(*timeline, "container"));
}

TEST_CASE("timeline: what is missing is said") {
  {
    FakeHost host;  // neither
    CHECK(id_of(report::read_timeline(host)) == "analyze.nothing");
  }
  {
    FakeHost host;  // a boot without a join
    put_boot(host);
    const auto timeline = report::read_timeline(host);
    REQUIRE(outcome(timeline) == "ok");
    CHECK(misses(*timeline, "there is no result"));
    CHECK(timeline->total == Millis{2100 + 15800});
    CHECK(to_text(*timeline).find("the end of the boot") != std::string::npos);
  }
  {
    FakeHost host;  // a join without systemd
    host.put(report::kLastResultPath, result_of());
    const auto timeline = report::read_timeline(host);
    REQUIRE(outcome(timeline) == "ok");
    CHECK(timeline->origin == "join");
    CHECK(timeline->total == Millis{5000});
    CHECK(!timeline->missing.empty());
  }
  {
    FakeHost host;  // the join was at an earlier boot: its clock is not this one's
    put_boot(host);
    host.put(report::kResultPath, result_of("", "2026-11-24T10:00:10Z"));
    const auto timeline = report::read_timeline(host);
    REQUIRE(outcome(timeline) == "ok");
    CHECK(timeline->origin == "join");
    CHECK(misses(*timeline, "earlier boot"));
    CHECK(span(*timeline, "discovery").start == Millis{200});
  }
  {
    FakeHost host;  // nothing to do
    put_boot(host);
    host.put(report::kResultPath, R"({"state":"skipped","reason":"no configuration","startedAt":"2026-11-25T10:00:10Z","startedMonotonicMs":10000,"tookMs":3})");
    const auto timeline = report::read_timeline(host);
    REQUIRE(outcome(timeline) == "ok");
    CHECK(misses(*timeline, "nothing to do: no configuration"));
  }
}

TEST_CASE("timeline: a torn or foreign result is none") {
  for (const char* text : {"", "{", "[]", "null", "{\"phases\":3,\"milestones\":[1,{\"name\":2}]}", "{\"phases\":[{\"tookMs\":\"x\"}],\"startedMonotonicMs\":1.5}"}) {
    FakeHost host;
    put_boot(host);
    host.put(report::kResultPath, text);
    INFO(text);
    const auto timeline = report::read_timeline(host);
    REQUIRE(outcome(timeline) == "ok");
    CHECK(to_json(*timeline).find("Timeline") != std::string::npos);
    CHECK(to_svg(*timeline).ends_with("</svg>\n"));
  }
}

TEST_CASE("timeline: names from outside cannot break the picture") {
  FakeHost host;
  put_boot(host);
  std::string result = result_of();
  result.replace(result.find("\"n1\""), 4, "\"<b>&n\"");
  host.put(report::kResultPath, result);
  const auto timeline = report::read_timeline(host);
  REQUIRE(outcome(timeline) == "ok");
  CHECK(to_svg(*timeline).find("<b>") == std::string::npos);
  CHECK(to_svg(*timeline).find("&lt;b&gt;&amp;n") != std::string::npos);
}

}  // namespace
}  // namespace kubejoin
