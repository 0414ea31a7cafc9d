// Where the time of a boot went: two clocks that are one (CLOCK_MONOTONIC), put on one axis.
#include "report/timeline.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/text.h"
#include "report/json.h"
#include "report/result_file.h"

namespace kubejoin::report {
namespace {

using Properties = std::map<std::string, std::string>;

// In the order of a boot; those that a machine has not are passed over.
constexpr std::array<std::string_view, 15> kUnits = {
    "systemd-networkd-wait-online.service", "NetworkManager-wait-online.service", "network-online.target", "cloud-init-main.service", "cloud-init-local.service", "cloud-init.service", "cloud-init-network.service",
    "cloud-config.service", "cloud-final.service", "containerd.service", "crio.service", "ssh.service", "multi-user.target", "kubejoin.service", "kubelet.service"};

// systemctl show: KEY=VALUE lines, a blank line between units.
std::vector<Properties> read_properties(const std::string& text) {
  std::vector<Properties> all(1);
  for (const std::string& line : split(text, '\n')) {
    const std::size_t equals = line.find('=');
    if (line.empty() && !all.back().empty()) all.emplace_back();
    if (equals != line.npos) all.back()[line.substr(0, equals)] = line.substr(equals + 1);
  }
  if (all.back().empty()) all.pop_back();
  return all;
}

// systemd's microseconds; 0 is "never".
Millis stamp(const Properties& properties, const std::string& name) {
  const auto found = properties.find(name);
  return found == properties.end() ? Millis{0} : Millis{std::strtoll(found->second.c_str(), nullptr, 10) / 1000};
}

std::string value(const Properties& properties, const std::string& name) {
  const auto found = properties.find(name);
  return found == properties.end() ? "" : found->second;
}

// ---- the join, as result.json has it ----

struct JoinTimes {
  bool is_known = false, is_of_this_boot = false;
  std::string state, node_name, reason;
  Millis started{0}, took{0};
  std::vector<std::pair<std::string, Millis>> phases;  // in their order
  std::vector<Moment> milestones;                      // since the start of the join
  std::vector<Retry> retries;
  int retry_count = 0;
};

std::string text_of(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsString() ? member->value.GetString() : "";
}
long long number_of(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsInt64() ? member->value.GetInt64() : 0;
}

template <class Take>
void each(const rapidjson::Value& object, const char* name, Take take) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsArray()) return;
  for (const rapidjson::Value& item : member->value.GetArray())
    if (item.IsObject()) take(item);
}

// "2026-11-24T07:12:06Z", with or without a fraction.
std::optional<WallTime> parse_rfc3339(const std::string& text) {
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2u:%2u:%2u", &year, &month, &day, &hour, &minute, &second) != 6) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
}

// A result outlives a reboot, CLOCK_MONOTONIC does not: both must put the boot's start at one time of day.
bool is_of_this_boot(Host& host, const JoinTimes& join, const std::string& started_at) {
  constexpr Millis kClockIsSet{10'000};
  const auto started = parse_rfc3339(started_at);
  const Millis up = std::chrono::duration_cast<Millis>(host.monotonic().time_since_epoch());
  if (!started || join.started > up) return false;
  const Millis apart = std::chrono::duration_cast<Millis>((host.now() - up) - (*started - join.started));
  return std::chrono::abs(apart) < kClockIsSet;
}

JoinTimes read_join(Host& host) {
  JoinTimes join;
  for (const char* path : {kResultPath, kLastResultPath}) {
    const auto text = host.read(path, 1 << 20);
    rapidjson::Document json;
    if (!text || json.Parse(text->c_str()).HasParseError() || !json.IsObject()) continue;
    join.state = text_of(json, "state");
    if (join.state == "skipped") {
      join.reason = text_of(json, "reason");
      continue;
    }
    join.is_known = true;
    join.node_name = text_of(json, "nodeName");
    join.started = Millis{number_of(json, "startedMonotonicMs")};
    join.took = Millis{number_of(json, "tookMs")};
    join.retry_count = static_cast<int>(number_of(json, "retries"));
    each(json, "phases", [&](const rapidjson::Value& one) {
      if (text_of(one, "skipped").empty()) join.phases.emplace_back(text_of(one, "name"), Millis{number_of(one, "tookMs")});
    });
    each(json, "milestones", [&](const rapidjson::Value& one) {
      const std::vector<std::string> words = split(text_of(one, "name"), ' ');  // "retry PHASE ERROR" (progress.cc), else a name
      if (words.size() == 3 && words[0] == "retry") join.retries.push_back({words[1], words[2], Millis{number_of(one, "atMs")}});
      else if (!words.front().empty()) join.milestones.push_back({text_of(one, "name"), Millis{number_of(one, "atMs")}});
    });
    join.is_of_this_boot = is_of_this_boot(host, join, text_of(json, "startedAt"));
    return join;
  }
  return join;
}

// Of which stretches within a phase people ask: from one milestone to another.
struct Wait {
  const char *name, *from, *to;
};
constexpr std::array<Wait, 4> kWaits = {{{"csr-wait", "csr-sent", "csr-decided"}, {"kubelet-registers", "kubelet-started", "registered"}, {"node-ready", "registered", "ready"}, {"kubelet-start-job", "kubelet-configured", "kubelet-started"}}};

const Moment* find(const std::vector<Moment>& moments, std::string_view name) {
  const auto found = std::find_if(moments.begin(), moments.end(), [&](const Moment& m) { return m.name == name; });
  return found == moments.end() ? nullptr : &*found;
}

// `zero`: the join's start on the axis. Phases follow each other without a gap; what lies before the first is its preparation.
void add_join(const JoinTimes& join, Millis zero, Timeline& timeline) {
  Millis sum{0};
  for (const auto& phase : join.phases) sum += phase.second;
  const Millis preparation = std::max(join.took - sum, Millis{0});
  Millis at = zero + preparation;
  if (preparation >= Millis{5}) timeline.spans.push_back({"prepare", "join", zero, at});
  for (const auto& [name, took] : join.phases) {
    timeline.spans.push_back({name, "join", at, at + took});
    at += took;
  }
  for (const Wait& wait : kWaits) {
    const Moment *from = find(join.milestones, wait.from), *to = find(join.milestones, wait.to);
    if (from != nullptr && to != nullptr && to->at > from->at) timeline.spans.push_back({wait.name, "wait", zero + from->at, zero + to->at});
  }
  for (const Moment& one : join.milestones) timeline.moments.push_back({one.name, zero + one.at});
  for (const Retry& one : join.retries) timeline.retries.push_back({one.phase, one.error, zero + one.at});
  timeline.retry_count = join.retry_count;
  timeline.state = join.state;
  timeline.node_name = join.node_name;
}

// ---- the boot, as systemd has it ----

// Returns where CLOCK_MONOTONIC's 0 lies on the axis; nothing without systemd.
std::optional<Millis> add_boot(Host& host, Millis join_started, Timeline& timeline) {
  const auto shown = host.run({.argv = {"systemctl", "show", "-p", "FirmwareTimestampMonotonic", "-p", "LoaderTimestampMonotonic", "-p", "KernelTimestamp", "-p", "InitRDTimestampMonotonic", "-p",
                                        "UserspaceTimestampMonotonic", "-p", "FinishTimestampMonotonic"}, .timeout = Millis{10'000}, .changes_nothing = true});
  if (!shown || shown->status != 0) return std::nullopt;
  const auto all = read_properties(shown->out);
  if (all.empty()) return std::nullopt;
  const Properties& manager = all.front();
  // Firmware and loader are told as times before the kernel's start, which is CLOCK_MONOTONIC's 0 (systemd, core/dbus-manager).
  const Millis firmware = stamp(manager, "FirmwareTimestampMonotonic"), loader = stamp(manager, "LoaderTimestampMonotonic");
  const Millis initrd = stamp(manager, "InitRDTimestampMonotonic"), userspace = stamp(manager, "UserspaceTimestampMonotonic");
  if (userspace == Millis{0}) return std::nullopt;
  const bool has_kernel = !value(manager, "KernelTimestamp").empty();  // else a container: its kernel was started long before it
  const Millis zero = has_kernel ? std::max(firmware, loader) : -userspace;
  timeline.origin = has_kernel ? "power-on" : "userspace";
  if (has_kernel) {
    if (firmware > loader) timeline.spans.push_back({"firmware", "boot", Millis{0}, firmware - loader});
    if (loader > Millis{0}) timeline.spans.push_back({"loader", "boot", zero - loader, zero});
    timeline.spans.push_back({"kernel", "boot", zero, zero + (initrd > Millis{0} ? initrd : userspace)});
    if (initrd > Millis{0}) timeline.spans.push_back({"initrd", "boot", zero + initrd, zero + userspace});
    else timeline.missing.emplace_back("initrd: there was none, or it ran without systemd");
    if (firmware == Millis{0}) timeline.missing.emplace_back("firmware: it tells no times (only UEFI with a boot loader that does)");
  } else {
    timeline.missing.emplace_back("kernel: this is a container, its kernel is another's");
  }
  const Millis finish = stamp(manager, "FinishTimestampMonotonic");
  const Millis end = join_started > userspace ? join_started : std::max(finish, userspace);
  timeline.spans.push_back({join_started > userspace ? "userspace before the join" : "userspace", "boot", zero + userspace, zero + end});

  std::vector<std::string> argv = {"systemctl", "show", "-p", "Id", "-p", "LoadState", "-p", "InactiveExitTimestampMonotonic", "-p", "ActiveEnterTimestampMonotonic", "-p", "ExecMainStartTimestampMonotonic"};
  for (const std::string_view unit : kUnits) argv.emplace_back(unit);
  const auto units = host.run({.argv = std::move(argv), .timeout = Millis{10'000}, .changes_nothing = true});
  for (const Properties& unit : units ? read_properties(units->out) : std::vector<Properties>{}) {
    const std::string id = value(unit, "Id");
    const Millis begun = stamp(unit, "InactiveExitTimestampMonotonic"), active = stamp(unit, "ActiveEnterTimestampMonotonic");
    if (value(unit, "LoadState") != "loaded" || active == Millis{0} || id == "kubejoin.service") continue;
    if (id.ends_with(".target")) timeline.moments.push_back({id, zero + active});
    else if (begun >= userspace && active >= begun && std::none_of(timeline.spans.begin(), timeline.spans.end(), [&](const Span& s) { return s.name == id; })) timeline.spans.push_back({id, "unit", zero + begun, zero + active});
  }
  return zero;
}

// A sum of others, or on its side of the road: not what took the time.
bool is_consumer(const Span& span, const Timeline& timeline) {
  if (span.group == "wait" || span.took() <= Millis{0}) return false;
  if (span.group == "join" || span.name == "kernel" || span.name == "firmware" || span.name == "loader" || span.name == "initrd") return true;
  if (span.group == "unit") return span.name.starts_with("cloud-") || span.name.find("wait-online") != span.name.npos || span.name == "containerd.service" || span.name == "crio.service";
  return std::none_of(timeline.spans.begin(), timeline.spans.end(), [](const Span& s) { return s.group == "unit" && s.name.starts_with("cloud-"); });
}

}  // namespace

std::vector<const Span*> Timeline::largest(std::size_t most) const {
  std::vector<const Span*> all;
  for (const Span& span : spans)
    if (is_consumer(span, *this)) all.push_back(&span);
  std::stable_sort(all.begin(), all.end(), [](const Span* a, const Span* b) { return a->took() > b->took(); });
  if (all.size() > most) all.resize(most);
  return all;
}

Result<Timeline> read_timeline(Host& host) {
  Timeline timeline;
  const JoinTimes join = read_join(host);
  const bool joins_boot = join.is_known && join.is_of_this_boot;
  std::optional<Millis> zero;
  if (!join.is_known || joins_boot) zero = add_boot(host, joins_boot ? join.started : Millis{0}, timeline);
  if (!zero && !join.is_known)
    return fail(Kind::unavailable, "analyze.nothing", "unable to tell a timeline: there are neither systemd's timestamps nor a result of kubejoin", "run it on the machine that joined, after the join: kubejoin status --wait");
  if (!join.is_known)
    timeline.missing.emplace_back(join.state == "skipped" ? "join: there was nothing to do" + (join.reason.empty() ? "" : ": " + join.reason)
                                                          : "join: there is no result, neither " + std::string(kResultPath) + " nor " + kLastResultPath);
  if (join.is_known && !joins_boot) timeline.missing.emplace_back("boot: the join was at an earlier boot, whose timestamps systemd keeps no more (or the clock was set since)");
  if (joins_boot && !zero) timeline.missing.emplace_back("boot: systemd does not answer (systemctl show)");
  if (!zero) timeline.origin = "join";
  if (join.is_known) add_join(join, zero ? *zero + join.started : Millis{0}, timeline);
  if (join.is_known && join.retry_count > static_cast<int>(join.retries.size())) timeline.missing.emplace_back("retries: " + std::to_string(join.retry_count) + " happened, " + std::to_string(join.retries.size()) + " of them are recorded with their times");
  std::stable_sort(timeline.spans.begin(), timeline.spans.end(), [](const Span& a, const Span& b) { return a.start < b.start; });
  std::stable_sort(timeline.moments.begin(), timeline.moments.end(), [](const Moment& a, const Moment& b) { return a.at < b.at; });
  for (const Span& span : timeline.spans) timeline.total = std::max(timeline.total, span.end);
  if (join.is_known) timeline.total = (zero ? *zero + join.started : Millis{0}) + join.took;
  return timeline;
}

std::string to_json(const Timeline& timeline) {
  JsonWriter json;
  json.begin().text("apiVersion", "kubejoin/v1").text("kind", "Timeline").text("origin", timeline.origin).text_if("state", timeline.state).text_if("nodeName", timeline.node_name);
  json.number("totalMs", timeline.total.count()).begin_list("spans");
  for (const Span& span : timeline.spans) json.begin().text("name", span.name).text("group", span.group).number("startMs", span.start.count()).number("endMs", span.end.count()).number("tookMs", span.took().count()).end();
  json.end_list().begin_list("moments");
  for (const Moment& moment : timeline.moments) json.begin().text("name", moment.name).number("atMs", moment.at.count()).end();
  json.end_list().number("retries", timeline.retry_count).begin_list("retried");
  for (const Retry& retry : timeline.retries) json.begin().text("phase", retry.phase).text("error", retry.error).number("atMs", retry.at.count()).end();
  json.end_list().begin_list("largest");
  for (const Span* span : timeline.largest(5)) json.item(span->name);
  json.end_list().begin_list("missing");
  for (const std::string& one : timeline.missing) json.item(one);
  json.end_list().end();
  return json.take() + "\n";
}

}  // namespace kubejoin::report
