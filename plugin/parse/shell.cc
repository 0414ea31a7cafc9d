// One pass over the text: words, then the simple commands that they make; texts inside are read after it.
#include "parse/shell.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace kubejoin::parse {
namespace {

constexpr std::size_t kMostBytes = 1 << 20, kMostWords = 50'000;
constexpr int kDeepest = 6;
constexpr std::size_t kLongestPlaceholder = 60;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_name_begin(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) { return is_name_begin(c) || is_digit(c); }
bool is_operator(char c) { return c == ';' || c == '&' || c == '|' || c == '(' || c == ')' || c == '<' || c == '>'; }

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 6> kShells = {"sh", "bash", "dash", "ash", "zsh", "ksh"};
// Reserved words at whose place a command may begin: those that open a compound, close one, and the rest.
constexpr std::array<std::string_view, 5> kOpening = {"if", "while", "until", "{", "coproc"};
constexpr std::array<std::string_view, 4> kClosing = {"fi", "done", "esac", "}"};
constexpr std::array<std::string_view, 6> kBetween = {"then", "else", "elif", "do", "!", "time"};
constexpr std::array<std::string_view, 3> kHeads = {"for", "select", "case"};  // what follows is no command

// Blanks for the eye, letters for a shell: no-break space, figure space, narrow no-break space, ideographic space.
constexpr std::array<std::string_view, 4> kBlankLookAlikes = {"\xC2\xA0", "\xE2\x80\x87", "\xE2\x80\xAF", "\xE3\x80\x80"};

// The name that an assignment begins with; empty when the word is none.
std::string_view assigned_name(std::string_view word) {
  if (word.empty() || !is_name_begin(word[0])) return {};
  std::size_t end = 1;
  while (end < word.size() && is_name(word[end])) ++end;
  const std::string_view rest = word.substr(end);
  return rest.starts_with("=") || rest.starts_with("+=") ? word.substr(0, end) : std::string_view();
}

class Scanner {
 public:
  Scanner(const Traced& in, int level, std::size_t& allowance, ShellText& out)
      : in_(in), text_(std::string_view(in.bytes).substr(0, kMostBytes)), level_(level), allowance_(allowance), out_(out) {}

  void read() {
    fresh();
    while (at_ < text_.size() && allowance_ > 0) {
      if (skip_blank()) continue;
      const char c = text_[at_];
      if (c == '\n') {
        ++at_;
        end_command(false);
        read_here_documents();
      } else if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '<' || c == '>' || (c == '&' && peek(1) == '>')) {
        if (!read_redirection()) take(read_word());
      } else if (is_operator(c)) {
        read_operator();
      } else {
        take(read_word());
      }
    }
    end_command(false);
  }

  std::vector<Traced> inside;  // what $(…) and `…` run

 private:
  struct Pending {
    std::size_t command;  // its index
    std::string delimiter;
    bool expands, strips_tabs;
  };

  char peek(std::size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  std::uint32_t origin(std::size_t at) const { return at < in_.from.size() ? in_.from[at] : in_.from.empty() ? 0 : in_.from.back(); }

  // ---- what separates words ----

  // Of a line's end at `at`: its length, 0 when there is none.
  std::size_t line_end(std::size_t at) const {
    if (at < text_.size() && text_[at] == '\n') return 1;
    return text_.substr(std::min(at, text_.size())).starts_with("\r\n") ? 2 : 0;
  }

  // A backslash at a line's end, which continues it. With a blank behind it, it does not, but was meant to.
  bool skip_continuation() {
    if (peek(0) != '\\') return false;
    if (const std::size_t end = line_end(at_ + 1)) return at_ += 1 + end, true;
    std::size_t next = at_ + 1;
    while (next < text_.size() && is_blank(text_[next])) ++next;
    const std::size_t end = next > at_ + 1 ? line_end(next) : 0;
    if (end == 0) return false;
    command_.oddities.push_back({Oddity::What::blank_behind_backslash, origin(at_ + 1)});
    return at_ = next + end, true;
  }

  std::size_t look_alike(std::size_t at) const {
    const std::string_view rest = text_.substr(at, 3);
    for (const std::string_view blank : kBlankLookAlikes)
      if (rest.starts_with(blank)) return blank.size();
    return 0;
  }

  bool skip_blank() {
    if (is_blank(text_[at_]) || (text_[at_] == '\r' && line_end(at_) == 2)) return ++at_, true;
    if (const std::size_t size = look_alike(at_)) {
      command_.oddities.push_back({Oddity::What::blank_look_alike, origin(at_)});
      return at_ += size, true;
    }
    return skip_continuation();
  }

  // ---- words ----

  void put(Word& word, char c, std::size_t at) { word.text.add(c, origin(at)); }
  void put(Word& word, std::size_t begin, std::size_t end) { word.text.add(in_, begin, std::min(end, text_.size())); }

  // <name>, as documentation writes what the reader shall put in.
  std::size_t placeholder(std::size_t at) const {
    if (text_[at] != '<' || at + 1 >= text_.size() || !is_name_begin(text_[at + 1])) return 0;
    const std::string_view near = text_.substr(at, kLongestPlaceholder);
    const auto end = near.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. ", 1);
    return end != near.npos && near[end] == '>' && near[end - 1] != ' ' ? end + 1 : 0;
  }

  Word read_word() {
    Word word;
    word.begin = origin(at_);
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\') {
        const std::size_t odd = command_.oddities.size();
        if (skip_continuation()) {
          if (command_.oddities.size() > odd) break;
          continue;
        }
        put(word, at_ + 1, at_ + 2);
        at_ += 2;
        word.quoted = true;
      } else if (c == '\'') {
        read_single_quotes(word);
      } else if (c == '"') {
        read_double_quotes(word);
      } else if (c == '$' && peek(1) == '\'') {
        ++at_;
        read_ansi_quotes(word);
      } else if (c == '$' && peek(1) == '"') {
        ++at_;
      } else if (c == '$' || c == '`') {
        read_expansion(word, false);
      } else if (c == '{' && peek(1) == '{') {
        read_template(word, false);
      } else if (const std::size_t size = c == '<' ? placeholder(at_) : 0) {
        put(word, at_, at_ + size);
        at_ += size;
      } else if (is_blank(c) || c == '\n' || is_operator(c) || (c == '\r' && line_end(at_) == 2) || look_alike(at_)) {
        break;
      } else {
        put(word, c, at_++);
      }
    }
    at_ = std::min(at_, text_.size());
    return word;
  }

  void read_single_quotes(Word& word) {
    const std::size_t end = std::min(text_.find('\'', at_ + 1), text_.size());
    put(word, at_ + 1, end);
    at_ = end + 1;
    word.quoted = true;
  }

  void read_double_quotes(Word& word) {
    word.quoted = true;
    for (++at_; at_ < text_.size() && text_[at_] != '"';) read_inside_quotes(word, "$`\"\\");
    ++at_;
  }

  // One character or expansion of a text in which only a backslash before one of `escaped` or a line's end says anything.
  void read_inside_quotes(Word& word, std::string_view escaped) {
    const char c = text_[at_];
    if (c == '\\' && line_end(at_ + 1)) {
      at_ += 1 + line_end(at_ + 1);
    } else if (c == '\\' && at_ + 1 < text_.size() && escaped.find(text_[at_ + 1]) != escaped.npos) {
      put(word, at_ + 1, at_ + 2);
      at_ += 2;
    } else if (c == '$' || c == '`') {
      read_expansion(word, true);
    } else if (c == '{' && peek(1) == '{') {
      read_template(word, true);
    } else {
      put(word, c, at_++);
    }
  }

  void read_ansi_quotes(Word& word) {
    word.quoted = true;
    for (++at_; at_ < text_.size() && text_[at_] != '\''; ++at_) {
      if (text_[at_] != '\\' || at_ + 1 >= text_.size()) {
        put(word, text_[at_], at_);
        continue;
      }
      const char c = text_[++at_];
      put(word, c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c, at_);
    }
    ++at_;
  }

  void read_template(Word& word, bool quoted) {
    const std::size_t line = std::min(text_.find('\n', at_), text_.size());
    const std::size_t end = text_.substr(0, line).find("}}", at_);
    if (end == text_.npos) return put(word, text_[at_], at_), void(++at_);
    expand(word, end + 2, std::string(trim(text_.substr(at_ + 2, end - at_ - 2))), false, quoted);
  }

  // What stands until `end` is left as it was written.
  void expand(Word& word, std::size_t end, std::string name, bool plain, bool quoted) {
    end = std::min(end, text_.size());
    word.expansions.push_back({word.text.bytes.size(), end - at_, std::move(name), plain, quoted});
    put(word, at_, end);
    at_ = end;
  }

  void read_expansion(Word& word, bool quoted) {
    if (text_[at_] == '`') {
      const std::size_t end = backquote_end(at_ + 1);
      take_inside(at_ + 1, end);
      return expand(word, end + 1, "", false, quoted);
    }
    const char next = peek(1);
    if (next == '(') {
      const std::size_t end = bracket_end(at_ + 2, '(', ')');
      if (peek(2) != '(') take_inside(at_ + 2, end);
      return expand(word, end + 1, "", false, quoted);
    }
    if (next == '{') {
      const std::size_t end = bracket_end(at_ + 2, '{', '}');
      const std::string_view inner = text_.substr(at_ + 2, end - std::min(end, at_ + 2));
      const std::string name = std::string(name_at(inner.substr(inner.starts_with('#') || inner.starts_with('!') ? 1 : 0)));
      return expand(word, end + 1, name, !name.empty() && name.size() == inner.size(), quoted);
    }
    if (is_name_begin(next)) {
      const std::string_view name = name_at(text_.substr(at_ + 1));
      return expand(word, at_ + 1 + name.size(), std::string(name), true, quoted);
    }
    if (next != '\0' && (is_digit(next) || std::string_view("@*#?$!-").find(next) != std::string_view::npos))
      return expand(word, at_ + 2, std::string(1, next), false, quoted && next != '@');
    put(word, text_[at_], at_);
    ++at_;
  }

  static std::string_view name_at(std::string_view text) {
    std::size_t end = 0;
    while (end < text.size() && (end == 0 ? is_name_begin(text[end]) : is_name(text[end]))) ++end;
    return text.substr(0, end);
  }

  std::size_t backquote_end(std::size_t at) const {
    while (at < text_.size() && text_[at] != '`') at += text_[at] == '\\' ? 2 : 1;
    return std::min(at, text_.size());
  }

  // Where the bracket that was opened before `at` is closed, or the text's end: nothing is looked at twice.
  std::size_t bracket_end(std::size_t at, char open, char close) const {
    int depth = 1;
    bool quoted = false;  // in double quotes; a bracket in them is a letter
    for (; at < text_.size(); ++at) {
      const char c = text_[at];
      if (c == '\\')
        ++at;
      else if (c == '\'' && !quoted && open == '(')
        at = std::min(text_.find('\'', at + 1), text_.size());
      else if (c == '"')
        quoted = !quoted;
      else if (c == open && !quoted)
        ++depth;
      else if (c == close && !quoted && --depth == 0)
        return at;
    }
    return text_.size();
  }

  void take_inside(std::size_t begin, std::size_t end) {
    if (begin >= end) return;
    inside.emplace_back();
    inside.back().add(in_, begin, std::min(end, text_.size()));
  }

  // ---- redirections and here-documents ----

  // False when what looks like one is the placeholder of a documentation.
  bool read_redirection() {
    if (placeholder(at_)) return false;
    const std::size_t begin = at_;
    while (at_ < text_.size() && (text_[at_] == '<' || text_[at_] == '>' || text_[at_] == '&' || text_[at_] == '|' || text_[at_] == '-')) {
      if (text_[at_] == '-' && text_.substr(begin, at_ - begin) != "<<") break;
      if (text_[at_] == '<' && text_.substr(begin, at_ - begin) == "<<<") break;
      ++at_;
    }
    const std::string_view how = text_.substr(begin, at_ - begin);
    if (peek(0) == '(') {  // <(…) and >(…): a file in name only
      const std::size_t end = bracket_end(at_ + 1, '(', ')');
      take_inside(at_ + 1, end);
      return at_ = std::min(end + 1, text_.size()), true;
    }
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    Word target = read_word();
    const bool here = how == "<<" || how == "<<-";
    if (here) pending_.push_back({out_.commands.size(), target.bytes(), !target.quoted, how == "<<-"});
    if (here || how == "<<<") command_.input = here ? Word() : std::move(target);
    else if (how.find('>') != how.npos && !how.ends_with('&')) command_.outputs.push_back(std::move(target));
    return true;
  }

  void read_here_documents() {
    for (const Pending& pending : std::exchange(pending_, {})) {
      Word text;
      text.begin = origin(at_);
      while (at_ < text_.size() && !is_delimiter(pending)) {
        while (pending.strips_tabs && at_ < text_.size() && text_[at_] == '\t') ++at_;
        const std::size_t end = std::min(text_.find('\n', at_), text_.size());
        if (!pending.expands) {
          put(text, at_, std::min(end + 1, text_.size()));
          at_ = std::min(end + 1, text_.size());
          continue;
        }
        while (at_ < text_.size() && text_[at_] != '\n') read_inside_quotes(text, "$`\\");
        if (at_ < text_.size()) put(text, '\n', at_), ++at_;
      }
      text.quoted = !pending.expands;
      if (pending.command < out_.commands.size()) out_.commands[pending.command].input = std::move(text);
    }
  }

  // Is the line here the end of the document? It is passed over then.
  bool is_delimiter(const Pending& pending) {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string_view line = text_.substr(at_, end - at_);
    if (pending.strips_tabs) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line != pending.delimiter) return false;
    return at_ = std::min(end + 1, text_.size()), true;
  }

  // ---- commands ----

  void read_operator() {
    const char c = text_[at_], next = peek(1);
    const bool twice = c == next && c != '(' && c != ')';
    at_ += twice || (c == '|' && next == '&') ? 2 : 1;
    const bool list = twice && (c == '&' || c == '|');
    end_command(c == '|' && !twice);
    after_list_ = list || (c == '|' && !twice);
    if (c == '(') ++brackets_;
    if (c == ')') brackets_ = std::max(brackets_ - 1, 0);  // or the end of a case's pattern
    command_.is_certain = is_certain();
  }

  bool is_certain() const { return blocks_ == 0 && brackets_ == 0 && !after_list_; }
  bool enter() {
    ++blocks_;
    command_.is_certain = false;
    return true;
  }
  bool leave() {
    blocks_ = std::max(blocks_ - 1, 0);
    command_.is_certain = is_certain();
    return true;
  }

  void take(Word word) {
    --allowance_;
    if (word.is_constant() && !word.quoted && (peek(0) == '<' || peek(0) == '>') && !word.bytes().empty() &&
        std::all_of(word.bytes().begin(), word.bytes().end(), is_digit))
      return;  // 2>: of which file
    if (std::exchange(is_function_name_, false)) return;
    if (in_head_) {
      if (std::exchange(is_loop_variable_, false)) out_.assigned.insert(word.bytes());
      return;
    }
    const bool first = command_.words.empty();
    if (first && command_.assignments.empty() && !word.quoted && word.is_constant() && take_reserved(word.bytes())) return;
    if (const std::string_view name = assigned_name(word.bytes()); first && !name.empty()) {
      out_.assigned.emplace(name);
      command_.assignments.push_back(std::move(word));
    } else {
      command_.words.push_back(std::move(word));
    }
  }

  bool take_reserved(std::string_view word) {
    if (is_one_of(word, kHeads)) {
      in_head_ = true;
      is_loop_variable_ = word != "case";
      return enter();
    }
    if (word == "function") return is_function_name_ = true;
    if (is_one_of(word, kOpening)) return enter();
    if (is_one_of(word, kClosing)) return leave();
    return is_one_of(word, kBetween);
  }

  void fresh() {
    command_ = {};
    command_.level = level_;
    command_.is_certain = is_certain();
    in_head_ = is_loop_variable_ = false;
  }

  // A here-document belongs to the command with the index that this one gets.
  void end_command(bool piped) {
    command_.is_piped = piped;
    const bool says = !command_.words.empty() || !command_.assignments.empty() || command_.input || !command_.outputs.empty();
    if (says) {
      note_changes();
      out_.commands.push_back(std::move(command_));
      after_list_ = false;
    }
    fresh();
  }

  // The commands that change variables by their names.
  void note_changes() {
    if (command_.words.empty()) return;
    static constexpr std::array<std::string_view, 11> kChanging = {"read",   "unset",   "mapfile",  "readarray", "getopts", "printf",
                                                                   "export", "declare", "readonly", "local",     "typeset"};
    static constexpr std::array<std::string_view, 3> kOpen = {"source", ".", "eval"};
    const std::string& program = command_.words[0].bytes();
    if (is_one_of(program, kOpen)) out_.is_open = true;
    if (!is_one_of(program, kChanging)) return;
    const bool assigns = program == "export" || program == "readonly";  // which leave the value alone where none is given
    for (std::size_t i = 1; i < command_.words.size(); ++i) {
      const std::string& word = command_.words[i].bytes();
      const std::string_view name = assigned_name(word);
      if (!name.empty()) out_.assigned.emplace(name);
      else if (!assigns) out_.assigned.insert(word);
    }
  }

  const Traced& in_;
  std::string_view text_;
  int level_;
  std::size_t& allowance_;
  ShellText& out_;
  std::size_t at_ = 0;
  Command command_;
  int blocks_ = 0, brackets_ = 0;  // that are open
  bool in_head_ = false, is_loop_variable_ = false, is_function_name_ = false;
  bool after_list_ = false;  // behind &&, || or |
  std::vector<Pending> pending_;
};

// ---- texts inside ----

bool is_shell(const Word& word) { return is_one_of(base_name(word.bytes()), kShells); }

// The words of `command` that a shell is handed as a text: behind -c, -lc, -ec; of eval all.
void add_texts(const Command& command, std::vector<Traced>& texts) {
  const auto& words = command.words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool su = base_name(words[i].bytes()) == "su";
    if (i == 0 && words[i].bytes() == "eval") {
      Traced all;
      for (std::size_t k = 1; k < words.size(); ++k) {
        if (k > 1) all.add(' ', words[k].begin);
        all.add(words[k].text, 0, words[k].bytes().size());
      }
      return texts.push_back(std::move(all));
    }
    if (!is_shell(words[i]) && !su) continue;
    bool options_alone = true;
    for (std::size_t k = i + 1; k < words.size(); ++k) {
      const std::string& option = words[k].bytes();
      const bool short_option = option.size() > 1 && option[0] == '-' && option[1] != '-';
      if (short_option ? option.find('c') != option.npos : option == "--command") {
        if (k + 1 < words.size()) texts.push_back(words[k + 1].text);
        return;
      }
      if (!option.starts_with('-')) options_alone = false;
      if (!su && !options_alone) break;
    }
    if (!su && options_alone && command.input) texts.push_back(command.input->text);
    return;
  }
}

void hand_text(Command& command, std::vector<Traced>& texts) {
  const std::size_t before = texts.size();
  add_texts(command, texts);
  command.hands_text = texts.size() > before;
}

bool is_script(const WrittenFile& file) {
  const std::string_view text = file.text.bytes();
  const std::string_view line = text.substr(0, text.find('\n'));
  return line.starts_with("#!") ? line.find("sh") != line.npos : file.path.bytes().ends_with(".sh");
}

// The arguments of tee in `command`; nothing when it is none.
const Word* tee_target(const Command& command) {
  const auto tee = std::find_if(command.words.begin(), command.words.end(), [](const Word& w) { return base_name(w.bytes()) == "tee"; });
  if (tee == command.words.end()) return nullptr;
  const auto path = std::find_if(tee + 1, command.words.end(), [](const Word& w) { return !w.bytes().starts_with('-'); });
  return path == command.words.end() ? nullptr : &*path;
}

const Word* written_by(const Command& command) {
  if (const Word* path = tee_target(command)) return path;
  return command.outputs.empty() ? nullptr : &command.outputs.front();
}

// What `command` prints, as far as it says so itself.
const Word* printed_by(const Command& command) {
  if (command.input) return &*command.input;
  const auto& words = command.words;
  if (words.empty() || words[0].bytes() != "echo") return nullptr;
  const bool option = words.size() == 3 && words[1].bytes() == "-n";
  return words.size() == 2 || option ? &words.back() : nullptr;
}

void find_files(ShellText& out, std::size_t first) {
  for (std::size_t i = first; i < out.commands.size(); ++i) {
    const Command& command = out.commands[i];
    const Word* text = printed_by(command);
    if (!text) continue;
    const Word* path = written_by(command);
    if (!path && command.is_piped && i + 1 < out.commands.size()) path = written_by(out.commands[i + 1]);
    if (path) out.files.push_back({*path, *text});
  }
}

void read_level(const Traced& text, int level, std::size_t& allowance, ShellText& out) {
  const std::size_t first = out.commands.size(), first_file = out.files.size();
  Scanner scanner(text, level, allowance, out);
  scanner.read();
  find_files(out, first);
  if (level >= kDeepest) return;
  std::vector<Traced> texts = std::move(scanner.inside);
  for (std::size_t i = first; i < out.commands.size(); ++i) hand_text(out.commands[i], texts);
  for (std::size_t i = first_file; i < out.files.size(); ++i)
    if (is_script(out.files[i])) texts.push_back(out.files[i].text.text);
  for (const Traced& inner : texts) read_level(inner, level + 1, allowance, out);
}

// ---- where a scalar of YAML was written ----

// Follows `value` through its YAML text from `at`, what is layout alone passed over. Empty when that does not come out.
std::vector<std::uint32_t> follow(std::string_view value, std::string_view yaml, std::size_t at) {
  std::vector<std::uint32_t> from;
  if (at >= yaml.size()) return from;
  const char style = yaml[at];
  const bool block = style == '|' || style == '>', quoted = style == '"' || style == '\'';
  if (block) at = std::min(yaml.find('\n', at), yaml.size());
  if (block || quoted) ++at;
  from.reserve(value.size());
  const auto layout = [&](char c) {
    return is_blank(c) || c == '\n' || c == '\r' || (style == '"' && c == '\\') || (style == '\'' && c == '\'');
  };
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (style == '"' && yaml.substr(std::min(at, yaml.size())).starts_with('\\') && at + 1 < yaml.size()) {
      const char escape = yaml[at + 1];
      const char meant = escape == 'n' ? '\n' : escape == 't' ? '\t' : escape;
      if (escape != '\n' && escape != '\r') {
        if (meant != c) return {};
        from.push_back(static_cast<std::uint32_t>(at));
        at += 2;
        continue;
      }
    }
    // A blank or a line's end may have come of a fold: the first blank of the layout stands for it.
    const bool folds = c == ' ' || c == '\n';
    std::size_t next = at;
    while (next < yaml.size() && yaml[next] != c && layout(yaml[next])) ++next;
    if (next < yaml.size() && yaml[next] == c) {
      from.push_back(static_cast<std::uint32_t>(next));
      at = next + 1;
    } else if (folds && at < yaml.size() && next > at) {
      from.push_back(static_cast<std::uint32_t>(at));
      ++at;
    } else if (folds && i + 1 == value.size()) {
      from.push_back(static_cast<std::uint32_t>(std::min(at, yaml.size())));
    } else {
      return {};
    }
  }
  return from;
}

}  // namespace

void Traced::add(char c, std::uint32_t at) {
  bytes += c;
  from.push_back(at);
}

void Traced::add(const Traced& other, std::size_t begin, std::size_t end) {
  end = std::min(end, other.bytes.size());
  if (begin >= end) return;
  bytes.append(other.bytes, begin, end - begin);
  from.insert(from.end(), other.from.begin() + static_cast<std::ptrdiff_t>(begin), other.from.begin() + static_cast<std::ptrdiff_t>(end));
}

Lines::Lines(std::string_view text) : begins_{0}, size_(text.size()), skipped_(text.starts_with("\xEF\xBB\xBF") ? 3 : 0) {
  for (auto end = text.find('\n'); end != text.npos; end = text.find('\n', end + 1)) begins_.push_back(end + 1);
}

std::size_t Lines::offset(Mark mark) const {
  if (mark.line < 1 || static_cast<std::size_t>(mark.line) > begins_.size()) return size_;
  const std::size_t column = static_cast<std::size_t>(std::max(mark.column, 1)) - 1 + (mark.line == 1 ? skipped_ : 0);
  return std::min(begins_[static_cast<std::size_t>(mark.line) - 1] + column, size_);
}

Mark Lines::mark(std::size_t offset) const {
  const auto next = std::upper_bound(begins_.begin(), begins_.end(), offset);
  const std::size_t column = offset - *(next - 1) + 1, skipped = next - begins_.begin() == 1 ? skipped_ : 0;
  return {static_cast<int>(next - begins_.begin()), static_cast<int>(column > skipped ? column - skipped : 1)};
}

Traced trace(std::string_view text) {
  text = text.substr(0, kMostBytes);
  Traced traced{std::string(text), std::vector<std::uint32_t>(text.size())};
  for (std::size_t i = 0; i < text.size(); ++i) traced.from[i] = static_cast<std::uint32_t>(i);
  return traced;
}

Traced trace(const Value& scalar, std::string_view text, const Lines& lines) {
  Traced traced{scalar.text.substr(0, kMostBytes), {}};
  const std::size_t begin = lines.offset(scalar.mark);
  traced.from = follow(traced.bytes, text, begin);
  if (traced.from.size() != traced.bytes.size()) traced.from.assign(traced.bytes.size(), static_cast<std::uint32_t>(begin));
  return traced;
}

ShellText read_shell(const Traced& text) {
  ShellText out;
  std::size_t allowance = kMostWords;
  read_level(text, 0, allowance, out);
  return out;
}

ShellText read_words(std::vector<Word> words) {
  ShellText out;
  std::size_t allowance = kMostWords;
  std::vector<Traced> texts;
  out.commands.emplace_back();
  out.commands.back().words = std::move(words);
  hand_text(out.commands.back(), texts);
  for (const Traced& inner : texts) read_level(inner, 1, allowance, out);
  return out;
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace kubejoin::parse
