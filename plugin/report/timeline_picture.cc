// The timeline for eyes: bars in a terminal, bars in a picture.
#include <algorithm>
#include <cstdio>

#include "base/text.h"
#include "report/timeline.h"

namespace kubejoin::report {
namespace {

constexpr int kColumns = 44;  // of a bar in a terminal

std::string seconds(Millis time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", static_cast<double>(time.count()) / 1000);
  return text;
}

int percent(Millis part, Millis whole) { return whole > Millis{0} ? static_cast<int>((part.count() * 100 + whole.count() / 2) / whole.count()) : 0; }

std::string title_of(const Timeline& timeline) {
  const bool joined = !timeline.state.empty();
  const std::string from = timeline.origin == "power-on" ? "power-on" : timeline.origin == "userspace" ? "start of the container" : "start of the join";
  std::string text = from + " to " + (!joined ? "the end of the boot" : timeline.state == "success" ? "the end of the join" : "the end of the join (" + timeline.state + ")") + ": " + seconds(timeline.total);
  if (!timeline.node_name.empty()) text += ", node " + printable(timeline.node_name);
  return text;
}

bool is_shown(const Moment& moment) { return moment.name == "network-online.target" || moment.name == "multi-user.target" || moment.name == "registered" || moment.name == "ready"; }

std::string escaped(std::string_view text) { return replace_all(replace_all(replace_all(printable(text), "&", "&amp;"), "<", "&lt;"), ">", "&gt;"); }

const char* colour_of(const Span& span, bool large) {
  if (span.group == "boot") return large ? "#3d6ea5" : "#a9c3de";
  if (span.group == "unit") return large ? "#7d5ba6" : "#cdbfe0";
  if (span.group == "wait") return "#f0d9a8";
  return large ? "#c2571a" : "#eeb48d";
}

}  // namespace

std::string to_text(const Timeline& timeline) {
  std::string text = title_of(timeline) + "\n\n";
  const auto column = [&](Millis at) { return timeline.total > Millis{0} ? static_cast<int>(std::clamp<long long>(at.count() * kColumns / timeline.total.count(), 0, kColumns)) : 0; };
  for (const Span& span : timeline.spans) {
    const int from = std::min(column(span.start), kColumns - 1), to = std::max(column(span.end), from + 1);
    const std::string bar = std::string(static_cast<std::size_t>(from), ' ') + std::string(static_cast<std::size_t>(to - from), span.group == "wait" ? '-' : '#') + std::string(static_cast<std::size_t>(kColumns - to), ' ');
    char line[256];
    std::snprintf(line, sizeof line, "%-38.38s |%s| %10s\n", (std::string(span.group == "boot" ? "" : span.group == "wait" ? "    " : "  ") + printable(span.name)).c_str(), bar.c_str(), seconds(span.took()).c_str());
    text += line;
  }
  text += "\nwho took the time:\n";
  for (const Span* span : timeline.largest(8)) {
    char line[128];
    std::snprintf(line, sizeof line, "%12s %3d %%  %s\n", seconds(span->took()).c_str(), percent(span->took(), timeline.total), printable(span->name).c_str());
    text += line;
  }
  if (!timeline.moments.empty()) text += "\nmoments:\n";
  for (const Moment& moment : timeline.moments) {
    char line[128];
    std::snprintf(line, sizeof line, "%12s  %s\n", seconds(moment.at).c_str(), printable(moment.name).c_str());
    text += line;
  }
  if (timeline.retry_count > 0) text += "\nretries: " + std::to_string(timeline.retry_count) + "\n";
  for (const Retry& retry : timeline.retries) {
    char line[160];
    std::snprintf(line, sizeof line, "%12s  %s: %s\n", seconds(retry.at).c_str(), printable(retry.phase).c_str(), printable(retry.error).c_str());
    text += line;
  }
  for (const std::string& one : timeline.missing) text += "\nnot known: " + one;
  return text + (timeline.missing.empty() ? "" : "\n");
}

std::string to_svg(const Timeline& timeline) {
  constexpr int kWidth = 1100, kLeft = 290, kRight = 120, kTop = 118, kRow = 24;
  const int plot = kWidth - kLeft - kRight, rows = static_cast<int>(timeline.spans.size());
  const int bottom = kTop + rows * kRow, height = bottom + 56 + 18 * static_cast<int>(timeline.missing.size());
  const double scale = timeline.total > Millis{0} ? static_cast<double>(plot) / static_cast<double>(timeline.total.count()) : 0;
  const auto x = [&](Millis at) { return kLeft + std::clamp(static_cast<double>(at.count()) * scale, 0.0, static_cast<double>(plot)); };
  std::string svg;
  char part[1024];
  const auto put = [&](const char* form, auto... values) {
    std::snprintf(part, sizeof part, form, values...);
    svg += part;
  };
  put("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\">\n", kWidth, height, kWidth, height);
  put("<title>kubejoin analyze</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n<text x=\"20\" y=\"34\" font-size=\"19\" font-weight=\"600\" fill=\"#1d2733\">%s</text>\n", escaped(title_of(timeline)).c_str());
  const std::vector<const Span*> largest = timeline.largest(3);
  std::string names;
  for (const Span* span : largest) names += (names.empty() ? "" : " · ") + span->name + " " + seconds(span->took()) + " (" + std::to_string(percent(span->took(), timeline.total)) + " %)";
  put("<text x=\"20\" y=\"60\" fill=\"#46535f\">largest: %s</text>\n", escaped(names).c_str());

  // The axis: five to ten steps of 1, 2 or 5.
  long long step = 1;
  for (long long unit = 1; timeline.total.count() / step > 10; unit *= 10)
    for (const long long times : {1, 2, 5})
      if (timeline.total.count() / step > 10) step = unit * times;
  for (long long at = 0; at <= timeline.total.count(); at += step) {
    put("<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#e3e8ed\"/>\n", x(Millis{at}), kTop - 8, x(Millis{at}), bottom);
    put("<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" font-size=\"11\" fill=\"#6b7886\">%g s</text>\n", x(Millis{at}), kTop - 14, static_cast<double>(at) / 1000);
  }
  for (int row = 0; row < rows; ++row) {
    const Span& span = timeline.spans[static_cast<std::size_t>(row)];
    const bool large = std::find(largest.begin(), largest.end(), &span) != largest.end();
    const int y = kTop + row * kRow;
    const double from = x(span.start), width = std::max(x(span.end) - from, 1.5);
    put("<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"#1d2733\"%s>%s</text>\n", kLeft - 12, y + 15, large ? " font-weight=\"600\"" : "", escaped(span.name).c_str());
    put("<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\" fill=\"%s\"><title>%s: %s, from %s</title></rect>\n", from, y + 3, width, kRow - 8, colour_of(span, large), escaped(span.name).c_str(),
        seconds(span.took()).c_str(), seconds(span.start).c_str());
    put("<text x=\"%.1f\" y=\"%d\" font-size=\"11\" fill=\"#46535f\"%s>%s</text>\n", from + width + 6, y + 15, large ? " font-weight=\"600\"" : "", seconds(span.took()).c_str());
  }
  // Moments, on two lines by turns: they often come together.
  int turn = 0;
  for (const Moment& moment : timeline.moments) {
    if (!is_shown(moment) || moment.at > timeline.total) continue;
    put("<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#2f855a\" stroke-dasharray=\"3 3\"/>\n", x(moment.at), kTop - 6, x(moment.at), bottom + 6);
    put("<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" font-size=\"11\" fill=\"#2f855a\">%s</text>\n", x(moment.at), bottom + 18 + 14 * (turn++ % 2), escaped(moment.name).c_str());
  }
  for (const Retry& retry : timeline.retries)
    put("<circle cx=\"%.1f\" cy=\"%d\" r=\"4\" fill=\"#c53030\"><title>%s: %s at %s</title></circle>\n", x(retry.at), kTop - 6, escaped(retry.phase).c_str(), escaped(retry.error).c_str(), seconds(retry.at).c_str());
  int y = 84;
  int left = 20;
  for (const auto& [colour, name] : {std::pair{"#3d6ea5", "boot"}, {"#7d5ba6", "units"}, {"#c2571a", "join"}, {"#f0d9a8", "waits within a phase"}}) {
    put("<rect x=\"%d\" y=\"%d\" width=\"11\" height=\"11\" rx=\"2\" fill=\"%s\"/><text x=\"%d\" y=\"%d\" font-size=\"11\" fill=\"#46535f\">%s</text>\n", left, y - 10, colour, left + 16, y, name);
    left += 70;
  }
  if (timeline.retry_count > 0) put("<text x=\"%d\" y=\"%d\" font-size=\"11\" fill=\"#c53030\">● retries: %d</text>\n", left + 90, y, timeline.retry_count);
  y = bottom + 52;
  for (const std::string& one : timeline.missing) {
    put("<text x=\"20\" y=\"%d\" font-size=\"11\" fill=\"#6b7886\">not known: %s</text>\n", y, escaped(one).c_str());
    y += 18;
  }
  return svg + "</svg>\n";
}

}  // namespace kubejoin::report
