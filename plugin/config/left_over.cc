// Variables and placeholders that were to be filled in before anybody read the text. The value they stand for is nobody's mistake, so
// that what a rule would say of it is not said.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/rules.h"

namespace kubejoin::config {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); }
bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; }

// Texts that people leave as a note to themselves. In lower case one may be a name or a label.
constexpr std::array<std::string_view, 9> kNotes = {"TODO",      "FIXME",      "TBD",        "CHANGEME", "CHANGE-ME",
                                                    "CHANGE_ME", "REPLACE-ME", "REPLACE_ME", "REPLACEME"};
bool is_note(std::string_view text, bool any_case) {
  return std::any_of(kNotes.begin(), kNotes.end(), [&](std::string_view note) { return text == note || (any_case && lower(text) == lower(note)); });
}

// The length of a name at the beginning; 0: none.
std::size_t name_size(std::string_view text) {
  if (text.empty() || (!is_letter(text[0]) && text[0] != '_')) return 0;
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_word) - text.begin());
}

// "${LB}", "${LB:-x}", "${var.lb}", "$(hostname -f)", "$LB" at the beginning; "$LB" only where `bare`.
std::size_t variable_size(std::string_view text, bool bare) {
  if (text.size() < 2 || text[0] != '$') return 0;
  const char open = text[1];
  if (open != '{' && open != '(') return bare && name_size(text.substr(1)) != 0 ? 1 + name_size(text.substr(1)) : 0;
  const std::size_t end = text.find(open == '{' ? '}' : ')');
  return end == text.npos || end == 2 ? 0 : end + 1;
}

// "@LB@", "%LB%", "__LB__": a name in capitals between two marks, at the beginning.
std::size_t marked_size(std::string_view text) {
  for (const std::string_view mark : {"@", "%", "__"}) {
    if (!text.starts_with(mark)) continue;
    const std::string_view rest = text.substr(mark.size());
    const std::size_t end = rest.find(mark);
    if (end == rest.npos || end < 2 || !is_upper(rest[0])) continue;
    const bool capitals = std::all_of(rest.begin(), rest.begin() + static_cast<long>(end), [](char c) { return is_word(c) && (is_upper(c) || !is_letter(c)); });
    if (capitals) return end + 2 * mark.size();
  }
  return 0;
}

// "<TOKEN>", "<your token>"; a comparison as in memory.available<1Gi has no second bracket.
std::size_t bracket_size(std::string_view text) {
  if (text.size() < 3 || text[0] != '<' || !is_letter(text[1])) return 0;
  const std::size_t end = text.find_first_of("<>", 1);
  const auto plain = [](char c) { return is_word(c) || c == ' ' || c == '-' || c == '.' || c == ':'; };
  return end != text.npos && text[end] == '>' && std::all_of(text.begin() + 1, text.begin() + static_cast<long>(end), plain) ? end + 1 : 0;
}

std::size_t size_at(std::string_view text, bool bare) {
  return std::max({variable_size(text, bare), marked_size(text), bracket_size(text)});
}

}  // namespace

std::optional<std::string> left_over(std::string_view text, LeftOver how) {
  const std::string_view whole = trim(text);
  // What stands behind an address is a port.
  const std::size_t colon = whole.rfind(':');
  const bool port = colon != whole.npos && std::all_of(whole.begin() + static_cast<long>(colon) + 1, whole.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool any = how == LeftOver::anywhere;
  for (const std::string_view one : {whole, port ? whole.substr(0, colon) : whole}) {
    const bool command = one.size() > 2 && one.front() == '`' && one.back() == '`';
    if (!one.empty() && (command || size_at(one, true) == one.size() || is_note(one, any))) return std::string(one);
  }
  for (std::size_t at = whole.find_first_of("$@%_<"); at != whole.npos; at = whole.find_first_of("$@%_<", at + 1)) {
    const std::string_view rest = whole.substr(at);
    if (const std::size_t size = any ? size_at(rest, true) : variable_size(rest, false); size != 0) return std::string(rest.substr(0, size));
  }
  return std::nullopt;
}

Wrong placeholder(std::string_view left) {
  if (left.starts_with("$(") || left.starts_with('`'))
    return {"config.placeholder", quoted(left) + " is a shell's command, and no shell has run it", "write what it would print, or let a script write the file: cat <<EOF, without quotes"};
  if (left.starts_with('$') || left.starts_with('%'))
    return {"config.placeholder", quoted(left) + " is a variable that nobody has filled in", "what should have done so, envsubst for one, was not run or did not know it; or write the value"};
  return {"config.placeholder", quoted(left) + " is a placeholder", "write the value in its place"};
}

}  // namespace kubejoin::config
