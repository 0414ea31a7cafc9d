// What, where, why, what next: in this order.
#include "report/error_text.h"

#include "base/text.h"
#include "report/json.h"

namespace kubejoin::report {
namespace {

constexpr std::size_t kMaxLine = 100;  // of the user's text, around the caret

std::string where(const Place& place) {
  std::string text = place.file.empty() ? "input" : printable(place.file);
  if (!place.part.empty()) text += " (" + printable(place.part) + ")";
  if (place.line > 0) text += ":" + std::to_string(place.line);
  if (place.line > 0 && place.column > 0) text += ":" + std::to_string(place.column);
  return text;
}

// The offending line with a caret below the column; long lines are shown around it.
std::string excerpt(const Place& place) {
  if (place.text.empty() || place.column <= 0) return {};
  std::size_t column = static_cast<std::size_t>(place.column - 1);
  std::string line = place.text;
  if (column > line.size()) return {};
  if (line.size() > kMaxLine) {
    const std::size_t from = column > kMaxLine / 2 ? column - kMaxLine / 2 : 0;
    line = line.substr(from, kMaxLine);
    column -= from;
  }
  const std::string number = std::to_string(place.line);
  const std::string margin(number.size(), ' ');
  const std::string shown = printable(line.substr(0, column), 4 * kMaxLine);
  return "  " + number + " | " + shown + printable(line.substr(column), 4 * kMaxLine) + "\n  " + margin + " | " + std::string(shown.size(), ' ') + "^\n";
}

void write(JsonWriter& json, const Error& error) {
  json.begin();
  json.text("kind", name_of(error.kind)).text("id", error.id).text("message", error.message).text_if("hint", error.hint);
  json.text_if("file", error.place.file).text_if("part", error.place.part).number_if("line", error.place.line).number_if("column", error.place.column);
  if (!error.causes.empty()) {
    json.begin_list("causes");
    for (const std::string& cause : error.causes) json.item(cause);
    json.end_list();
  }
  json.end();
}

}  // namespace

std::string error_text(const Error& error, std::string_view level) {
  std::string text = "kubejoin: " + std::string(level) + ": " + error.message + (error.id.empty() ? "" : " [" + error.id + "]") + "\n";
  if (!error.place.file.empty() || error.place.line > 0) text += "  at " + where(error.place) + "\n" + excerpt(error.place);
  for (const std::string& cause : error.causes) text += "  " + cause + "\n";
  if (!error.hint.empty()) text += "  hint: " + error.hint + "\n";
  return text;
}

std::string error_json(const Error& error) {
  JsonWriter json;
  write(json, error);
  return json.take();
}

}  // namespace kubejoin::report
