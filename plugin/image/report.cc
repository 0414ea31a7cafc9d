// What seal did and what verify saw, for people and for scripts.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "image/seal.h"
#include "image/verify.h"
#include "report/error_text.h"
#include "report/json.h"

namespace kubejoin::image {
namespace {

using Verdict = CheckResult::Verdict;

constexpr std::size_t kMostPaths = 6;  // of one check; the rest is counted. JSON has them all

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text + " ";
}

std::string_view name_of(Verdict verdict) { return verdict == Verdict::ok ? "ok" : verdict == Verdict::failed ? "failed" : "skipped"; }

std::string line_of(const Finding& finding) {
  std::string text = printable(finding.path, 512) + (finding.line > 0 ? ":" + std::to_string(finding.line) : "");
  if (!finding.what.empty()) text += (text.empty() ? "" : " ") + finding.what;
  return text;
}

std::string counted(std::size_t n, std::string_view noun) { return std::to_string(n) + " " + std::string(noun) + (n == 1 ? "" : "s"); }

}  // namespace

std::string to_text(const SealReport& report) {
  std::string text;
  std::map<std::string, std::size_t> seen;
  for (const Change& change : report.changes) {
    const std::size_t n = ++seen[change.check];
    const char* verb = report.dry_run ? (change.written ? "would write " : "would remove ") : change.written ? "wrote " : "removed ";
    if (n <= kMostPaths) text += padded(change.check, 18) + verb + printable(change.path, 512) + "\n";
  }
  for (const auto& [check, n] : seen)
    if (n > kMostPaths) text += padded(check, 18) + "and " + std::to_string(n - kMostPaths) + " more (-o json names them all)\n";
  if (report.changes.empty()) text += report.errors.empty() ? "nothing to do: the image is sealed\n" : "";
  else if (report.errors.empty()) text += (report.dry_run ? "nothing was changed: " : "sealed: ") + counted(report.changes.size(), "change") + (report.dry_run ? " would be made\n" : "\n");
  return text;
}

std::string to_json(const SealReport& report) {
  report::JsonWriter json;
  json.begin().text("apiVersion", "kubejoin/v1").text("kind", "Seal").text("root", report.root).boolean("dryRun", report.dry_run).boolean("sealed", report.errors.empty() && !report.dry_run);
  json.begin_list("changes");
  for (const Change& change : report.changes) json.begin().text("check", change.check).text("path", change.path).text("action", change.written ? "write" : "remove").end();
  json.end_list().begin_list("kept");
  for (const std::string& one : report.kept) json.item(one);
  json.end_list().begin_list("errors");
  for (const Error& error : report.errors) json.raw(report::error_json(error));
  json.end_list().end();
  return json.take() + "\n";
}

std::string to_text(const VerifyReport& report) {
  std::string text;
  std::size_t findings = 0;
  for (const CheckResult& check : report.checks) {
    const char* mark = check.verdict == Verdict::ok ? "ok    " : check.verdict == Verdict::failed ? "FAIL  " : "skip  ";
    text += mark + padded(check.name, 18) + check.sentence + (check.note.empty() ? "" : ": " + check.note) + "\n";
    std::size_t shown = 0;
    for (const Finding& finding : check.findings)
      if (++shown <= kMostPaths) text += "        " + line_of(finding) + "\n";
    if (shown > kMostPaths) text += "        and " + std::to_string(shown - kMostPaths) + " more (-o json names them all)\n";
    if (!check.hint.empty()) text += "        hint: " + check.hint + "\n";
    for (const Finding& note : check.notes) text += "note  " + line_of(note) + "\n";
    findings += check.findings.size();
  }
  for (const std::string& path : report.unsearched) text += "note  " + printable(path, 512) + " is too large: it was not searched for secrets\n";
  text += counted(report.checks.size(), "check") + ", " + std::to_string(report.count(Verdict::failed)) + " failed, " + std::to_string(report.count(Verdict::skipped)) + " skipped; " +
          counted(static_cast<std::size_t>(report.files_searched), "file") + " searched for secrets\n";
  text += report.is_ok() ? "the image may be published\n" : "the image must not be published: " + counted(findings, "finding") + "\n";
  return text;
}

std::string to_json(const VerifyReport& report) {
  report::JsonWriter json;
  json.begin().text("apiVersion", "kubejoin/v1").text("kind", "Verify").text("root", report.root).boolean("ok", report.is_ok());
  json.number("failed", report.count(Verdict::failed)).number("skipped", report.count(Verdict::skipped)).number("filesSearched", report.files_searched);
  json.begin_list("checks");
  for (const CheckResult& check : report.checks) {
    std::string note = check.note;
    for (const Finding& one : check.notes) note += (note.empty() ? "" : "; ") + line_of(one);
    json.begin().text("name", check.name).text("sentence", check.sentence).text("result", name_of(check.verdict)).text_if("note", note);
    json.begin_list("findings");
    for (const Finding& finding : check.findings) json.begin().text_if("path", finding.path).number_if("line", finding.line).text_if("message", finding.what).end();
    json.end_list().text_if("hint", check.hint).end();
  }
  json.end_list().begin_list("unsearched");
  for (const std::string& path : report.unsearched) json.item(path);
  json.end_list().end();
  return json.take() + "\n";
}

}  // namespace kubejoin::image
