// The part of Jinja that instance metadata needs: names, default('x'), split('.')[0], comments and raw blocks.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/text.h"
#include "parse/layers.h"

namespace kubejoin::parse {
namespace {

constexpr const char* kSupported =
    "supported are {{ v1.local_hostname }}, {{ ds.meta_data[\"key\"] }}, {{ name | default('x') }}, {{ "
    "name.split('.')[0] }}, {# … #} and {% raw %}";
constexpr std::size_t kMostProblems = 50;
constexpr std::size_t kLargest = 10 << 20;
constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

// cloud-init offers ds.meta_data.local-hostname also with underscores, and v1.region also as v1_region.
std::string canonical(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

struct Expression {
  std::string name;
  std::optional<std::string> fallback;
  std::optional<std::pair<std::string, std::size_t>> split;  // separator and which piece
};

// What stands between {{ and }}; nothing when it is more than is supported.
class ExpressionReader {
 public:
  explicit ExpressionReader(std::string_view text) : rest_(text) {}

  std::optional<Expression> read() {
    Expression expression;
    expression.name = word();
    if (expression.name.empty()) return {};
    while (!rest_.empty() && rest_[0] != '|') {
      if (take("[")) {
        auto key = string();
        if (!key) key = word();
        if (key->empty() || !take("]")) return {};
        expression.name += "." + *key;
      } else if (take(".split(")) {
        const auto separator = string();
        if (!separator || separator->empty() || !take(")") || !take("[")) return {};
        const std::string index = word();
        if (index.empty() || index.size() > 4 || index.find_first_not_of("0123456789") != index.npos || !take("]"))
          return {};
        expression.split = {*separator, std::stoul(index)};
        break;
      } else if (take(".")) {
        const std::string key = word();
        if (key.empty()) return {};
        expression.name += "." + key;
      } else {
        return {};
      }
    }
    if (take("|")) {
      if (!take("default(") && !take("d(")) return {};
      expression.fallback = string();
      if (!expression.fallback || !take(")")) return {};
    }
    skip();
    if (!rest_.empty()) return {};
    return expression;
  }

 private:
  void skip() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }
  bool take(std::string_view token) {
    skip();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    skip();
    return true;
  }
  std::string word() {
    skip();
    const auto end = std::min(rest_.find_first_not_of(kNameCharacters), rest_.size());
    std::string found(rest_.substr(0, end));
    rest_.remove_prefix(end);
    skip();
    return found;
  }
  std::optional<std::string> string() {
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return {};
    const auto end = rest_.find(rest_[0], 1);
    if (end == rest_.npos || rest_.substr(0, end).find('\\') != rest_.npos) return {};
    std::string found(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    skip();
    return found;
  }

  std::string_view rest_;
};

class Renderer {
 public:
  Renderer(const Source& source, const Variables* variables)
      : here_{std::make_shared<Source>(source), {}}, text_(here_.source->text), variables_(variables) {
    if (!variables) return;
    for (const auto& [name, value] : *variables) values_.emplace(canonical(name), value);
  }

  Rendered run() {
    while (at_ < text_.size() && rendered_.problems.size() < kMostProblems) {
      if (rendered_.text.size() > kLargest) {
        problem("jinja.too-large", "the text is larger after rendering than the 10 MiB that kubejoin reads", "", "");
        break;
      }
      copy_until(std::min(text_.find('{', at_), text_.size()));
      const std::string_view rest = text_.substr(at_);
      if (rest.starts_with("{{"))
        variable();
      else if (rest.starts_with("{#"))
        comment();
      else if (rest.starts_with("{%"))
        statement();
      else
        step(std::min<std::size_t>(rest.size(), 1));
    }
    copy_until(text_.size());
    end_quote();
    return std::move(rendered_);
  }

 private:
  // Copies text, and closes a quote that was opened for YAML's sake at the end of the line.
  void copy(std::string_view piece) {
    while (quoting_ && !piece.empty()) {
      const auto end = std::min({piece.find('\n'), piece.find('\r'), piece.find(" #"), piece.size()});
      rendered_.text += replace_all(std::string(piece.substr(0, end)), "'", "''");
      piece.remove_prefix(end);
      if (!piece.empty()) end_quote();
    }
    rendered_.text += piece;
  }
  void end_quote() {
    if (quoting_) rendered_.text += '\'';
    quoting_ = false;
  }
  void copy_until(std::size_t end) {
    if (padding_ != 0 && at_ <= pad_behind_ && pad_behind_ < end) {
      copy(text_.substr(at_, pad_behind_ + 1 - at_));
      rendered_.text.append(std::exchange(padding_, 0), '\n');
      at_ = pad_behind_ + 1;
    }
    copy(text_.substr(at_, end - at_));
    at_ = end;
  }
  void step(std::size_t count) { copy_until(at_ + count); }

  void problem(std::string_view id, std::string message, std::string hint, std::string_view snippet) {
    const auto before = text_.substr(0, at_);
    const Mark mark{line_ + static_cast<int>(
                                std::count(before.begin() + static_cast<std::ptrdiff_t>(counted_), before.end(), '\n')),
                    static_cast<int>(at_ - (before.find_last_of('\n') + 1)) + 1};
    line_ = mark.line;
    counted_ = at_;
    Error error = fail(Kind::invalid, id, std::move(message), std::move(hint)).value();
    error.place = here_.place(mark);
    rendered_.problems.push_back({std::move(error), std::string(snippet)});
  }

  const std::string* look_up(const std::string& name) const {
    auto found = values_.find(canonical(name));
    if (found == values_.end())
      found = values_.find("v1_" + canonical(name));  // cloud-init lifts v1's names to the top
    return found == values_.end() ? nullptr : &found->second;
  }

  // An expression is one line, whatever it was: writers of YAML fold long values at any blank, Cluster API's among them.
  static std::string joined(std::string_view snippet) {
    std::string line;
    for (const std::string& piece : split(snippet, '\n')) line += (line.empty() ? "" : " ") + std::string(trim(piece));
    return line;
  }

  // The lines that an expression lost come back as empty ones behind it, so that places stay the user's lines; but only
  // where no value can go on: in the midst of one they would be line breaks of its text.
  void pad(std::string_view snippet, std::size_t close) {
    const auto lost = static_cast<std::size_t>(std::count(snippet.begin(), snippet.end(), '\n'));
    const auto end = text_.find('\n', close);
    if (lost == 0 || end == text_.npos) return;
    const auto indentation = [&](std::size_t line) { return std::min(text_.find_first_not_of(' ', line), text_.size()) - line; };
    const std::size_t ours = text_.find_last_of('\n', at_) + 1;  // npos + 1 is 0
    const std::string_view next = trim(text_.substr(end + 1, text_.find('\n', end + 1) - end - 1));
    const bool key = next.starts_with("- ") || next.find(": ") != next.npos || next.ends_with(':');
    if (!next.empty() && indentation(end + 1) >= indentation(ours) && !(key && indentation(end + 1) == indentation(ours))) return;
    padding_ += lost;
    pad_behind_ = end;
  }

  // Left as it is. A plain YAML value that begins with a brace would be read as a map: it gets quotes.
  void leave(std::string_view snippet) {
    const std::string_view out = rendered_.text;
    const std::string_view window = out.substr(out.size() - std::min<std::size_t>(out.size(), 64));
    const std::string_view before = window.substr(0, window.find_last_not_of(' ') + 1);
    const bool spaced = before.size() < window.size();
    const bool item = before.ends_with(" -") || before.ends_with("\n-") || before == "-";
    if (!quoting_ && spaced && (item || before.ends_with(':')) && !snippet.starts_with("{%")) {
      rendered_.text += '\'';
      quoting_ = true;
    }
    copy(snippet);
  }

  // Where the }} of the {{ at `at_` is: on its line or one of the next few, before anything else opens.
  std::size_t closing() const {
    constexpr std::size_t kLongest = 1024, kMostLines = 3;
    const auto close = text_.substr(0, std::min(text_.size(), at_ + kLongest)).find("}}", at_);
    if (close == text_.npos) return close;
    const std::string_view inside = text_.substr(at_ + 2, close - at_ - 2);
    const bool closed = inside.find("{{") == inside.npos && static_cast<std::size_t>(std::count(inside.begin(), inside.end(), '\n')) <= kMostLines;
    return closed ? close : text_.npos;
  }

  void variable() {
    const auto close = closing();
    if (close == text_.npos) {
      const std::string_view snippet = text_.substr(at_, 2);
      problem("jinja.unclosed", "the {{ that opens here is not closed", "add }}", snippet);
      leave(snippet);
      at_ += snippet.size();
      return;
    }
    const std::string_view written = text_.substr(at_, close + 2 - at_);
    pad(written, close);
    evaluate(joined(written));
    at_ = close + 2;
  }

  void evaluate(const std::string& snippet) {
    const std::string_view inside = trim(std::string_view(snippet).substr(2, snippet.size() - 4));
    const auto expression = ExpressionReader(inside).read();
    if (!expression) {
      const bool yaml_quotes = snippet.find("''") != snippet.npos;
      problem("jinja.unsupported", "unable to evaluate " + quoted(snippet, 80),
              yaml_quotes ? "Jinja is evaluated before YAML: write default(\"x\") between YAML's single quotes" : kSupported, snippet);
      return leave(snippet);
    }
    if (!variables_) return leave(snippet);
    const std::string* value = look_up(expression->name);
    if (!value && expression->fallback) value = &*expression->fallback;
    if (!value) {
      std::vector<std::string> names;
      for (const auto& [name, unused] : *variables_) names.push_back(name);
      const auto guess = did_you_mean(expression->name, names);
      problem("jinja.unknown-name", "this instance's metadata has no " + quoted(expression->name, 80),
              guess ? "did you mean " + *guess + "?"
                    : "kubejoin query shows what it has; {{ name | default('x') }} gives a substitute",
              snippet);
      return leave(snippet);
    }
    if (!expression->split) return copy(*value);
    const auto& [separator, index] = *expression->split;
    std::string_view rest = *value;
    std::size_t n = 0;
    for (auto cut = rest.find(separator); n < index && cut != rest.npos; cut = rest.find(separator), ++n)
      rest.remove_prefix(cut + separator.size());
    if (n < index) {
      problem("jinja.index",
              quoted(*value, 80) + " has no piece " + std::to_string(index) + " between " + quoted(separator, 20),
              "the first piece is [0]", snippet);
      return leave(snippet);
    }
    copy(rest.substr(0, rest.find(separator)));
  }

  // The line breaks inside a comment stay: places are the user's lines.
  void comment() {
    const auto close = text_.find("#}", at_ + 2);
    if (close == text_.npos) {
      problem("jinja.unclosed", "the {# that opens here is never closed", "add #}", text_.substr(at_, 2));
      return step(2);
    }
    const std::string_view inside = text_.substr(at_, close - at_);
    copy(std::string(static_cast<std::size_t>(std::count(inside.begin(), inside.end(), '\n')), '\n'));
    at_ = close + 2;
  }

  // "{%- raw %}" -> "raw"
  static std::string_view words(std::string_view tag) {
    const auto begin = tag.find_first_not_of("{%- ");
    const auto end = tag.find_last_not_of("%}- ");
    return begin == tag.npos || end < begin ? std::string_view() : tag.substr(begin, end + 1 - begin);
  }

  // Where the {% endraw %} after `from` begins and ends; npos when there is none.
  std::pair<std::size_t, std::size_t> end_of_raw(std::size_t from) const {
    constexpr std::string_view kWord = "endraw";
    for (auto word = text_.find(kWord, from); word != text_.npos; word = text_.find(kWord, word + 1)) {
      const auto before = text_.find_last_not_of("- ", word - 1);
      const auto after = text_.find_first_not_of("- ", word + kWord.size());
      if (before != text_.npos && before > from && text_.substr(before - 1, 2) == "{%" && after != text_.npos &&
          text_.substr(after, 2) == "%}")
        return {before - 1, after + 2};
    }
    return {text_.npos, text_.npos};
  }

  void statement() {
    const auto close = text_.find("%}", at_);
    const std::string_view snippet = text_.substr(at_, close == text_.npos ? 2 : close + 2 - at_);
    if (close != text_.npos && words(snippet) == "raw") {
      if (const auto [body_end, end] = end_of_raw(close + 2); end != text_.npos) {
        copy(text_.substr(close + 2, body_end - close - 2));
        at_ = end;
        return;
      }
      problem("jinja.unclosed", "the {% raw %} that opens here is never closed", "add {% endraw %}", snippet);
    } else {
      problem("jinja.unsupported", "unable to run the statement " + quoted(snippet, 80), kSupported, snippet);
    }
    leave(snippet);
    at_ += snippet.size();
  }

  const Document here_;
  const std::string_view text_;
  const Variables* variables_;
  std::map<std::string, std::string> values_;  // by canonical name
  Rendered rendered_;
  std::size_t at_ = 0;
  std::size_t padding_ = 0;      // empty lines that are owed
  std::size_t pad_behind_ = 0;   // the line break behind which they go
  std::size_t counted_ = 0;   // up to here line breaks have been counted
  int line_ = 1;
  bool quoting_ = false;
};

}  // namespace

std::string template_type(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string_view line = text.substr(0, text.find('\n'));
  if (!line.starts_with("##")) return {};
  line = trim(line.substr(2));
  if (!lower(line.substr(0, 9)).starts_with("template:")) return {};
  return lower(trim(line.substr(9)));
}

Rendered render_all(const Source& source, const Variables* variables) { return Renderer(source, variables).run(); }

Result<std::string> render(const Source& source, const Variables& variables) {
  Rendered rendered = render_all(source, &variables);
  if (!rendered.problems.empty()) return tl::unexpected<Error>(std::move(rendered.problems.front().error));
  return std::move(rendered.text);
}

}  // namespace kubejoin::parse
