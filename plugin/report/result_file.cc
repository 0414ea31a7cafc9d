// Status and result as JSON files.
#include "report/result_file.h"

#include "base/text.h"
#include "report/error_text.h"
#include "report/json.h"

namespace kubejoin::report {
namespace {
constexpr std::size_t kMaxResult = 1 << 20;
}

std::string_view name_of(JoinResult::State state) {
  switch (state) {
    case JoinResult::State::success: return "success";
    case JoinResult::State::partial: return "partial";
    case JoinResult::State::failure: return "failure";
    case JoinResult::State::timeout: return "timeout";
    case JoinResult::State::terminated: return "terminated";
    case JoinResult::State::skipped: break;
  }
  return "skipped";
}

void StatusFile::phase(const std::string& name, int index, int count) {
  phase_ = name, index_ = index, count_ = count;
  waiting_for_.clear();
  error_.reset();
  write();
}

void StatusFile::waiting(const std::string& what) {
  waiting_for_ = what;
  write();
}

void StatusFile::retrying(const Error& why) {
  ++retries_;
  error_ = why;
  write();
}

void StatusFile::write() {
  JsonWriter json;
  json.begin().text("apiVersion", "kubejoin/v1").text("kind", "Status").text("state", "running").text_if("nodeName", node_name_);
  json.text("startedAt", rfc3339(started_)).text("phase", phase_).number_if("phaseIndex", index_).number_if("phaseCount", count_);
  json.text_if("waitingFor", waiting_for_).number("retries", retries_);
  if (error_) json.begin_raw("lastError").raw(error_json(*error_));
  json.end();
  std::string text = json.take() + "\n";
  if (text == last_) return;
  last_ = text;
  (void)host_.write(kStatusPath, text, 0644);
}

std::string to_json(const JoinResult& result) {
  JsonWriter json;
  json.begin().text("apiVersion", "kubejoin/v1").text("kind", "Result").text("state", name_of(result.state));
  json.text_if("reason", result.reason).text_if("nodeName", result.node_name).text_if("instanceId", result.instance_id).text_if("source", result.source);
  json.text_if("endpoint", result.endpoint).text_if("kubernetesVersion", result.kubernetes_version).text_if("phase", result.phase);
  if (result.error) json.begin_raw("error").raw(error_json(*result.error)).number("exitStatus", exit_status(result.error->kind));
  json.text("startedAt", rfc3339(result.started)).number("startedMonotonicMs", result.started_monotonic.count());
  json.number("tookMs", result.took.count()).number("retries", result.retries);
  json.begin_list("phases");
  for (const auto& timing : result.timings)
    json.begin().text("name", timing.phase).number("tookMs", timing.took.count()).text_if("skipped", timing.skipped).end();
  json.end_list().begin_list("milestones");
  for (const auto& [name, at] : result.milestones) json.begin().text("name", name).number("atMs", at.count()).end();
  json.end_list().begin_list("warnings");
  for (const Error& warning : result.warnings) json.raw(error_json(warning));
  json.end_list().end();
  return json.take();
}

Status write_result(Host& host, const JoinResult& result) {
  const std::string text = to_json(result) + "\n";
  Status written = host.write(kResultPath, text, 0644);  // first: who looks in between finds the end, not nothing
  (void)host.remove(kStatusPath);
  if (result.state == JoinResult::State::skipped) return written;
  Status kept = host.write(kLastResultPath, text, 0644);
  return written ? kept : written;
}

Status restore_result(Host& host, const JoinResult& otherwise) {
  constexpr std::string_view kSuccess = "\"state\":\"success\"";
  const auto there = host.read(kResultPath, kMaxResult);
  if (there && there->find(kSuccess) != there->npos) return {};
  const auto last = host.read(kLastResultPath, kMaxResult);
  const bool is_last = last && last->find(kSuccess) != last->npos && last->ends_with("}\n");
  return host.write(kResultPath, is_last ? *last : to_json(otherwise) + "\n", 0644);
}

}  // namespace kubejoin::report
