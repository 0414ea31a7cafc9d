// A command line becomes Flags, which load() judges: one set of rules. Every complaint goes back to the word that it is about.
#include "config/command_line.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "base/text.h"
#include "config/join_flags.h"
#include "config/load.h"
#include "config/rules.h"
#include "parse/layers.h"
#include "parse/shell.h"
#include "parse/utf8.h"

namespace kubejoin::config {
namespace {

using parse::Command;
using parse::Expansion;
using parse::Oddity;
using parse::ShellText;
using parse::Word;

constexpr std::size_t kMostErrors = 50, kMostJoins = 100, kMostWords = 1000;
constexpr int kDeepestLine = 3;  // command lines in words of command lines

// They print or look for what follows, or run it elsewhere.
constexpr std::array<std::string_view, 22> kNotRunning = {"echo", "printf", "grep", "egrep", "sed",  "awk",  "cat", "tee",  "logger", "log",  "info",
                                                          "warn", "msg",    "die",  "which", "type", "man",  "ssh", "pdsh", "alias",  "help", "usage"};

// What word processors make of hyphens, quotes and blanks, and what nobody sees.
struct Character {
  std::string_view bytes;
  const char* name;
  enum class Looks { hyphen, quote, blank, nothing } looks;
};
using enum Character::Looks;
constexpr Character kCharacters[] = {
    {"\xE2\x80\x90", "U+2010 HYPHEN", hyphen},
    {"\xE2\x80\x91", "U+2011 NON-BREAKING HYPHEN", hyphen},
    {"\xE2\x80\x92", "U+2012 FIGURE DASH", hyphen},
    {"\xE2\x80\x93", "U+2013 EN DASH", hyphen},
    {"\xE2\x80\x94", "U+2014 EM DASH", hyphen},
    {"\xE2\x80\x95", "U+2015 HORIZONTAL BAR", hyphen},
    {"\xE2\x88\x92", "U+2212 MINUS SIGN", hyphen},
    {"\xEF\xBC\x8D", "U+FF0D FULLWIDTH HYPHEN-MINUS", hyphen},
    {"\xE2\x80\x98", "U+2018 LEFT SINGLE QUOTATION MARK", quote},
    {"\xE2\x80\x99", "U+2019 RIGHT SINGLE QUOTATION MARK", quote},
    {"\xE2\x80\x9C", "U+201C LEFT DOUBLE QUOTATION MARK", quote},
    {"\xE2\x80\x9D", "U+201D RIGHT DOUBLE QUOTATION MARK", quote},
    {"\xE2\x80\x9E", "U+201E DOUBLE LOW-9 QUOTATION MARK", quote},
    {"\xC2\xA0", "U+00A0 NO-BREAK SPACE", blank},
    {"\xE2\x80\x87", "U+2007 FIGURE SPACE", blank},
    {"\xE2\x80\xAF", "U+202F NARROW NO-BREAK SPACE", blank},
    {"\xE3\x80\x80", "U+3000 IDEOGRAPHIC SPACE", blank},
    {"\xE2\x80\x8B", "U+200B ZERO WIDTH SPACE", nothing},
    {"\xE2\x80\x8C", "U+200C ZERO WIDTH NON-JOINER", nothing},
    {"\xE2\x80\x8D", "U+200D ZERO WIDTH JOINER", nothing},
    {"\xE2\x81\xA0", "U+2060 WORD JOINER", nothing},
    {"\xEF\xBB\xBF", "U+FEFF ZERO WIDTH NO-BREAK SPACE", nothing},
    {"\xC2\xAD", "U+00AD SOFT HYPHEN", nothing},
};

const Character* character_at(std::string_view text) {
  if (text.empty() || static_cast<unsigned char>(text[0]) < 0x80) return nullptr;
  const auto found = std::find_if(std::begin(kCharacters), std::end(kCharacters), [&](const Character& c) { return text.starts_with(c.bytes); });
  return found == std::end(kCharacters) ? nullptr : found;
}

// <name>, as documentation writes what the reader shall put in; empty when there is none.
std::string_view placeholder_in(std::string_view text) {
  const auto begin = text.find('<'), end = text.find('>', begin == text.npos ? 0 : begin);
  return begin == text.npos || end == text.npos ? std::string_view() : text.substr(begin, end - begin + 1);
}

const JoinFlag* find_flag(std::string_view name) {
  for (const JoinFlag& flag : join_flags())
    if (flag.name == name || (name.size() == 1 && flag.letter == name[0])) return &flag;
  return nullptr;
}

bool is_secret(const JoinFlag& flag) { return flag.value_name == "TOKEN" || flag.value_name == "KEY"; }

bool begins_with_flag(const Word& word) {
  const std::string_view text = word.bytes();
  return text.starts_with("--") && find_flag(text.substr(2, text.find('=') == text.npos ? text.npos : text.find('=') - 2));
}

// Where in a command its program stands, and what it is told to do.
struct Found {
  std::size_t program = 0, verb = 0;
};

// The word that stands behind global flags.
std::size_t behind_flags(const std::vector<Word>& words, std::size_t at) {
  while (at < words.size() && words[at].bytes().starts_with('-')) {
    const std::string& flag = words[at].bytes();
    const bool takes_value = flag == "-v" || flag == "--v" || flag == "--rootfs" || flag == "--root";
    at += takes_value ? 2 : 1;
  }
  return at;
}

bool is_ours(const Word& word) {
  const std::string_view name = parse::base_name(word.bytes());
  return name == "kubeadm" || name == "kubejoin";
}

bool only_prints(const Command& command) {
  if (command.words.empty()) return false;
  const std::string_view name = parse::base_name(command.words[0].bytes());
  return std::find(kNotRunning.begin(), kNotRunning.end(), name) != kNotRunning.end();
}

// A misspelt program or verb is found, too, when the other word is right.
std::optional<Found> find_join(const std::vector<Word>& words) {
  static const std::vector<std::string> kPrograms = {"kubeadm", "kubejoin"}, kVerbs = {"join"};
  for (std::size_t i = 0; i + 1 < words.size() && i < kMostWords; ++i) {
    const std::size_t verb = behind_flags(words, i + 1);
    if (verb >= words.size()) continue;
    const std::string& said = words[verb].bytes();
    const bool ours = is_ours(words[i]);
    if (ours && (said == "join" || (did_you_mean(lower(said), kVerbs) && said != "init"))) return Found{i, verb};
    if (!ours && verb == i + 1 && said == "join" && words[i].is_constant() && did_you_mean(lower(parse::base_name(words[i].bytes())), kPrograms))
      return Found{i, verb};
  }
  return {};
}

// A word that is itself a command line of ours: "kubeadm join …", for eval or a function that retries.
bool is_command_line(std::string_view text) {
  text = trim(text);
  for (const std::string_view prefix : {"sudo ", "exec "})
    if (text.starts_with(prefix)) text = trim(text.substr(prefix.size()));
  const std::string_view program = text.substr(0, text.find_first_of(" \t"));
  return program.size() < text.size() && (parse::base_name(program) == "kubeadm" || parse::base_name(program) == "kubejoin") &&
         trim(text.substr(program.size())).starts_with("join");
}

// ---- one script -------------------------------------------------------------------------------------------

class Judge {
 public:
  Judge(const parse::Script& script, const parse::Lines& lines, std::span<const std::string> paths, const Surroundings& surroundings, CommandLines& out)
      : script_(script), document_{script.source, {}}, lines_(lines), paths_(paths), surroundings_(surroundings), out_(out) {
    is_list_ = !script.argv.empty() && !script.is_text;
    part_ = script.argv.empty() ? script.source->part : parse::part_within(script.source->part, script.name);
  }

  // `goes_on`: the next entry is a rest of this one, and is told there.
  void judge(bool goes_on) {
    goes_on_ = goes_on;
    judge_all(read());
  }

 private:
  ShellText read() const {
    const std::string& text = script_.source->text;
    if (script_.argv.empty()) return parse::read_shell(parse::trace(text));
    if (script_.is_text) return parse::read_shell(parse::trace(script_.argv[0], text, lines_));
    std::vector<Word> words;
    for (const parse::Value& value : script_.argv) {
      if (words.size() == kMostWords) break;
      Word word;
      word.text = parse::trace(value, text, lines_);
      word.begin = static_cast<std::uint32_t>(lines_.offset(value.mark));
      word.quoted = true;
      words.push_back(std::move(word));
    }
    return parse::read_words(std::move(words));
  }

  void judge_all(const ShellText& shell) {
    for (std::size_t i = 0; i < shell.commands.size(); ++i) {
      const Command& command = shell.commands[i];
      learn(shell, command);
      if (only_prints(command)) continue;
      if (command.words.size() == 1 && is_list_ && command.level == 0 && is_command_line(command.words[0].bytes())) {
        tell(command.words[0], "command.one-word", "the whole command line is one item of the list: there is no program of that name",
             "write it as a text, without the brackets, or each word as an item of its own");
      }
      if (const auto found = find_join(command.words)) {
        std::vector<Word> words(command.words.begin() + static_cast<std::ptrdiff_t>(found->program), command.words.end());
        std::vector<Oddity> oddities = command.oddities;
        bool is_cut = false;
        while (i + 1 < shell.commands.size() && goes_on(command, shell.commands[i + 1])) {
          const Command& rest = shell.commands[++i];
          if (!is_cut) tell_cut(rest.words[0]);
          is_cut = true;
          words.insert(words.end(), rest.words.begin(), rest.words.end());
          oddities.insert(oddities.end(), rest.oddities.begin(), rest.oddities.end());
        }
        judge_join(std::move(words), found->verb - found->program, oddities, shell);
      } else if (!command.words.empty() && begins_with_flag(command.words[0])) {
        tell_cut(command.words[0]);
      } else if (depth_ < kDeepestLine && !command.hands_text) {
        for (const auto* list : {&command.assignments, &command.words})
          for (const Word& word : *list) judge_line(word);
      }
    }
    for (const parse::WrittenFile& file : shell.files) judge_file(file, shell);
  }

  static bool goes_on(const Command& command, const Command& next) {
    return next.level == command.level && !command.is_piped && !next.words.empty() && begins_with_flag(next.words[0]);
  }

  void tell_cut(const Word& word) {
    tell(word, "command.continuation", printable(word.bytes().substr(0, word.bytes().find('='))) + " begins a command of its own: what stands before it has ended",
         "end the line before it with a backslash, and put nothing behind that");
  }

  void judge_line(const Word& word) {
    const std::string_view text = word.bytes();
    const auto equals = text.find('=');
    const bool assignment = equals != text.npos && text.substr(0, equals).find_first_of(" \t") == text.npos;
    const std::size_t begin = assignment ? equals + 1 : 0;
    if (!is_command_line(text.substr(begin)) || text.find_first_of(" \t", begin) == text.npos) return;
    parse::Traced line;
    line.add(word.text, begin, text.size());
    ++depth_;
    judge_all(parse::read_shell(line));
    --depth_;
  }

  // ---- variables that the script itself sets ----

  // One that is set once, always, and before it is used is what it was set to.
  void learn(const ShellText& shell, const Command& command) {
    if (shell.is_open || !command.is_certain || command.level != 0 || depth_ != 0 || is_list_) return;
    const bool exports = !command.words.empty() && (command.words[0].bytes() == "export" || command.words[0].bytes() == "readonly");
    if (!command.words.empty() && !exports) return;
    for (const auto* list : {&command.assignments, &command.words})
      for (const Word& word : *list) {
        const auto equals = word.bytes().find('=');
        if (equals == std::string::npos || equals == 0) continue;
        const std::string name = word.bytes().substr(0, equals);
        if (shell.assigned.count(name) != 1) continue;
        Word value = substituted(word);
        if (!value.is_constant()) continue;
        Word cut;
        cut.begin = value.begin;
        cut.quoted = true;
        cut.text.add(value.text, equals + 1, value.bytes().size());
        known_.emplace(name, std::move(cut));
      }
  }

  // With the values of the variables that are known, where no more than one word can come of it.
  Word substituted(const Word& word) const {
    Word out;
    out.begin = word.begin;
    out.quoted = word.quoted;
    std::size_t at = 0;
    for (const Expansion& expansion : word.expansions) {
      out.text.add(word.text, at, expansion.at);
      at = expansion.at + expansion.size;
      const auto known = expansion.plain ? known_.find(expansion.name) : known_.end();
      if (known != known_.end() && !known->second.bytes().empty() && known->second.bytes().find_first_of(" \t\n*?[") == std::string::npos) {
        out.text.add(known->second.text, 0, known->second.bytes().size());
      } else {
        Expansion moved = expansion;
        moved.at = out.bytes().size();
        out.expansions.push_back(moved);
        out.text.add(word.text, expansion.at, at);
      }
    }
    out.text.add(word.text, at, word.bytes().size());
    return out;
  }

  // ---- one join ----

  struct Given {
    const JoinFlag* flag;
    Word value;
  };

  void judge_join(std::vector<Word> words, std::size_t verb, const std::vector<Oddity>& oddities, const ShellText& shell) {
    if (out_.joins.size() >= kMostJoins) return;
    words.resize(std::min(words.size(), kMostWords));
    given_.clear();
    positionals_.clear();
    secrets_.clear();
    placeholders_.clear();
    positionals_any_ = false;
    open_ended_ = goes_on_;
    program_ = words[0];
    verb_ = words[verb];
    std::vector<Error> later = std::exchange(out_.errors, {});  // lines of secrets are known when all words are
    mend(words, verb, oddities);
    read_flags(words, verb + 1);

    CommandLines::Join join;
    join.for_control_plane = has("control-plane") || has("experimental-control-plane");
    if (!join.for_control_plane) {
      judge_names();
      judge_flags(shell);
    }
    for (Error& error : out_.errors) hide(error);
    later.insert(later.end(), std::make_move_iterator(out_.errors.begin()), std::make_move_iterator(out_.errors.end()));
    out_.errors = std::move(later);
    join.text = shown();
    join.place = place(start(program_));
    join.place.text.clear();
    for (const auto& list : {positionals_, values()})
      for (const Word& word : list)
        for (const Expansion& expansion : word.expansions)
          if (!expansion.name.empty() && std::find(join.variables.begin(), join.variables.end(), expansion.name) == join.variables.end())
            join.variables.push_back(expansion.name);
    out_.joins.push_back(std::move(join));
  }

  std::vector<Word> values() const {
    std::vector<Word> all;
    for (const Given& one : given_) all.push_back(one.value);
    return all;
  }

  bool has(std::string_view name) const {
    return std::any_of(given_.begin(), given_.end(), [&](const Given& g) { return g.flag->name == name; });
  }

  // What looks like a hyphen, a quote or a blank and is none is told once a command, and read as it was meant.
  void mend(std::vector<Word>& words, std::size_t verb, const std::vector<Oddity>& oddities) {
    bool told = false, told_backslash = false;
    const auto strange = [&](std::uint32_t at, const Character& character, const std::string& instead) {
      if (std::exchange(told, true)) return;
      tell_at(at, "command.character", std::string(character.name) + " stands here, " + (character.looks == nothing ? "which nobody sees" : "where " + instead + " meant"),
              character.looks == nothing ? "remove it" : "write the command line anew in a plain text editor: --token, \"…\", blanks");
    };
    for (const Oddity& oddity : oddities) {
      const std::string_view here = std::string_view(script_.source->text).substr(std::min<std::size_t>(oddity.at, script_.source->text.size()));
      if (oddity.what == Oddity::What::blank_behind_backslash)
        tell_at(oddity.at, "command.continuation", "a blank stands behind the backslash, so that the command ends with this line", "remove what stands behind the backslash");
      else if (const Character* character = character_at(here))
        strange(oddity.at, *character, "a blank is");
    }
    for (std::size_t i = verb + 1; i < words.size(); ++i) {
      Word& word = words[i];
      if (word.quoted && !is_list_ && word.bytes().starts_with(' ') && (word.bytes().starts_with(" -") || trim(word.bytes()).empty())) {
        if (!std::exchange(told_backslash, true)) tell_at(word.begin, "command.continuation", "this backslash is at no line's end: it makes the blank behind it a part of the word",
             "YAML has made one line of several: begin the text with \"|\" on a line of its own, or leave the backslashes out");
        const auto blanks = std::min(word.bytes().find_first_not_of(' '), word.bytes().size());
        Word rest = std::exchange(word, {});
        word.begin = rest.begin;
        word.text.add(rest.text, blanks, rest.bytes().size());
      }
      if (!word.is_constant()) continue;
      Word plain = std::exchange(word, {});
      word.begin = plain.begin;
      word.quoted = plain.quoted;
      const std::string_view text = plain.bytes();
      bool in_dashes = true;
      for (std::size_t at = 0; at < text.size();) {
        const Character* character = character_at(text.substr(at));
        const bool dash = text[at] == '-' || (character && character->looks == hyphen);
        if (!character || (character->looks == hyphen && !in_dashes && !text.starts_with('-'))) {
          in_dashes = in_dashes && dash;
          word.text.add(plain.text, at, at + 1);
          ++at;
          continue;
        }
        strange(plain.text.from[at], *character, dash ? (in_dashes ? "two hyphens are" : "a hyphen is") : character->looks == quote ? "a straight quote is" : "a blank is");
        if (dash) {
          word.text.add('-', plain.text.from[at]);
          if (in_dashes && !word.bytes().starts_with("--")) word.text.add('-', plain.text.from[at]);
        }
        in_dashes = in_dashes && dash;
        at += character->bytes.size();
      }
      // "–-token" and "——token": two hyphens are enough.
      if (const auto name = word.bytes().find_first_not_of('-'); name != std::string::npos && name > 2 && told) {
        Word shorter = std::exchange(word, {});
        word.begin = shorter.begin;
        word.text.add(shorter.text, name - 2, shorter.bytes().size());
      }
    }
    std::erase_if(words, [&](const Word& w) { return &w > &words[verb] && w.bytes().empty() && !w.quoted; });
  }

  // As pflag reads them (spf13/pflag flag.go), but a flag in place of a value is told as what it is.
  void read_flags(const std::vector<Word>& words, std::size_t at) {
    bool flags_end = false;
    for (; at < words.size(); ++at) {
      const Word word = substituted(words[at]);
      const std::string& text = word.bytes();
      if (flags_end || !text.starts_with('-') || text == "-") {
        take_positional(word);
      } else if (text == "--") {
        flags_end = true;
      } else {
        read_flag(words, at, word);
      }
    }
  }

  void take_positional(const Word& word) {
    const bool is_variable = word.expansions.size() == 1 && word.expansions[0].size == word.bytes().size();
    if (is_variable && (word.expansions[0].name == "@" || !word.quoted) && !word.bytes().starts_with("{{"))
      positionals_any_ = true;
    positionals_.push_back(word);
  }

  void read_flag(const std::vector<Word>& words, std::size_t& at, const Word& word) {
    const std::string& text = word.bytes();
    const bool is_long = text.starts_with("--");
    const auto equals = text.find('=');
    std::string name = text.substr(is_long ? 2 : 1, equals == std::string::npos ? std::string::npos : equals - (is_long ? 2 : 1));
    if (!word.expansions.empty() && word.expansions[0].at < text.size() - (equals == std::string::npos ? 0 : text.size() - equals)) {
      open_ended_ = true;  // the flag's name is not known
      return;
    }
    const bool glued = !is_long && !name.empty() && name[0] == 'v' && name.find_first_not_of("0123456789", 1) == std::string::npos;
    if (name == "h" || name == "help" || glued) {
      if (glued && name.size() == 1 && equals == std::string::npos) ++at;
      return;
    }
    const JoinFlag* flag = is_long || name.size() == 1 ? find_flag(name) : nullptr;
    if (!flag || (is_long && name.size() == 1 && name != "v")) return tell_unknown(words, at, word, name, is_long);
    Word value;
    value.begin = word.begin;
    value.quoted = true;
    const bool boolean = flag->value_name.empty();
    if (equals != std::string::npos) {
      value.text.add(word.text, equals + 1, text.size());
      for (Expansion expansion : word.expansions) {
        expansion.at -= equals + 1;
        value.expansions.push_back(expansion);
      }
      if (value.text.from.empty()) value.begin = word.text.from[equals];
    } else if (!boolean) {
      const bool flag_follows = at + 1 < words.size() && begins_with_flag(words[at + 1]);
      if (at + 1 >= words.size() || flag_follows) {
        tell(word, "command.missing-value", "flag needs an argument: --" + name, "--" + name + " " + std::string(flag->value_name));
        open_ended_ = true;
        return;
      }
      value = substituted(words[++at]);
    }
    if (is_secret(*flag) && value.is_constant() && !is_token(value.bytes())) secrets_.push_back(value);
    if (flag->whose == JoinFlag::Whose::kubejoin && parse::base_name(program_.bytes()) == "kubeadm")
      tell(word, "command.unknown-flag", "unknown flag: --" + name, "kubejoin join has it, kubeadm has not");
    given_.push_back({flag, std::move(value)});
    if (boolean && equals != std::string::npos && given_.back().value.is_constant()) {
      static constexpr std::array<std::string_view, 12> kBooleans = {"1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"};
      if (std::find(kBooleans.begin(), kBooleans.end(), given_.back().value.bytes()) == kBooleans.end())
        tell(given_.back().value, "command.not-a-bool", "flag --" + name + " is true or false, not " + quoted(given_.back().value.bytes()), "write --" + name);
    }
  }

  void tell_unknown(const std::vector<Word>& words, std::size_t& at, const Word& word, const std::string& name, bool is_long) {
    std::vector<std::string> names;
    for (const JoinFlag& flag : join_flags()) names.emplace_back(flag.name);
    // Not what is nearest letter by letter alone: people leave out and add whole words.
    std::optional<std::string> meant = find_flag(name) ? std::optional(name) : did_you_mean(name, names);
    if (!meant)
      for (const std::string& one : names)
        if (name.size() > 4 && (one.starts_with(name) || name.starts_with(one + "-") || one.ends_with("-" + name))) meant = meant ? std::nullopt : std::optional(one);
    const std::string shown = (is_long ? "--" : "-") + printable(name);
    tell(word, "command.unknown-flag", (is_long || name.size() == 1 ? "unknown flag: " : "a long flag has two hyphens: ") + shown, meant ? "did you mean --" + *meant + "?" : "kubejoin join --help lists them");
    // What it was meant to say is not missing.
    const JoinFlag* flag = meant ? find_flag(*meant) : nullptr;
    const bool has_value = word.bytes().find('=') == std::string::npos && at + 1 < words.size() && !words[at + 1].bytes().starts_with('-');
    if (flag ? has_value && !flag->value_name.empty() : has_value) {
      Word value = substituted(words[++at]);
      if (value.is_constant() && !is_token(value.bytes())) secrets_.push_back(value);
      if (flag) given_.push_back({flag, std::move(value)});
      else open_ended_ = true;
    } else if (flag && flag->value_name.empty()) {
      given_.push_back({flag, {}});
    } else {
      open_ended_ = true;
    }
  }

  void judge_names() {
    const std::string_view program = parse::base_name(program_.bytes());
    if (program != "kubeadm" && program != "kubejoin")
      tell(program_, "command.unknown-program", "there is no program " + quoted(program), "did you mean " + std::string(program.size() > 1 && lower(program).find("kubej") == 0 ? "kubejoin" : "kubeadm") + "?");
    if (verb_.bytes() != "join")
      tell(verb_, "command.unknown-command", std::string(program) + " has no command " + quoted(verb_.bytes()), "did you mean join?");
    if (positionals_.size() > 1 && !has("config")) {
      secrets_.insert(secrets_.end(), positionals_.begin() + 1, positionals_.end());
      if (!positionals_any_)
        tell(positionals_[1], "command.too-many-arguments", "accepts at most 1 argument, the API server's address; this is the second", extra_hint(positionals_[1].bytes()));
      open_ended_ = true;
    }
  }

  static std::string extra_hint(const std::string& text) {
    if (find_flag(text) && text.size() > 1) return "write --" + text;
    return "does a hyphen or a quote lack before it?";
  }

  // ---- what the flags say together ----

  void judge_flags(const ShellText& shell) {
    Flags flags;
    for (const auto& list : {positionals_, values()})
      for (const Word& word : list) judge_placeholder(word);
    for (const Word& word : positionals_) {
      if (positionals_.size() > 1 && &word != &positionals_.front()) break;
      flags.endpoints.push_back(word.bytes());
    }
    for (const Given& one : given_) {
      if (auto done = set(flags, *one.flag, one.flag->value_name.empty() && one.value.bytes().empty() ? "true" : one.value.bytes()); !done && one.value.is_constant())
        tell(one.value, done.error().id, done.error().message, done.error().hint);
    }
    const bool explicit_token = flags.token || flags.discovery_token;
    if (positionals_any_ && !(positionals_.size() == 1 && explicit_token)) open_ended_ = true;
    const bool has_config = has("config");
    if (has_config) judge_config_path(shell);
    const Loaded loaded = load(has_config ? stub() : std::vector<parse::Document>(), flags, surroundings_, true);
    for (const Error& error : loaded.errors) take(error, out_.errors);
    for (const Error& error : loaded.warnings) take(error, out_.warnings);
  }

  // Stands for the document of --config, which is judged where it is written.
  static std::vector<parse::Document> stub() {
    auto source = std::make_shared<parse::Source>();
    source->text = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery: {file: {kubeConfigPath: /f}}\n";
    return parse::read_yaml(std::move(source)).documents;
  }

  // Told once a command: nobody forgets one of several.
  void judge_placeholder(const Word& word) {
    const std::string_view name = word.is_constant() ? placeholder_in(word.bytes()) : std::string_view();
    if (name.empty()) return;
    if (placeholders_.empty()) {
      const Wrong wrong = placeholder(std::string(name));
      tell(word, wrong.id, wrong.message, wrong.hint);
    }
    placeholders_.push_back(word.begin);
  }

  bool is_about_placeholder(const Word& word) const { return std::find(placeholders_.begin(), placeholders_.end(), word.begin) != placeholders_.end(); }

  void judge_config_path(const ShellText& shell) {
    for (const Given& one : given_) {
      if (one.flag->name != "config" || !one.value.is_constant() || one.value.bytes().empty()) continue;
      std::vector<std::string> known(paths_.begin(), paths_.end());
      for (const parse::WrittenFile& file : shell.files) known.push_back(file.path.bytes());
      const std::string& path = one.value.bytes();
      if (std::find(known.begin(), known.end(), path) != known.end()) continue;
      // A file of the image is none of our business; one that is nearly another's name is.
      if (const auto near = did_you_mean(path, known))
        warn(one.value, "command.config-file", "no part of this user-data writes " + quoted(path), "did you mean " + printable(*near) + "?");
    }
  }

  // What load() says of a flag, an argument or all of the command line, told at its word.
  void take(const Error& from, std::vector<Error>& to) {
    const bool missing = from.id.ends_with("-missing");
    if (missing && open_ended_) return;
    Error error = from;
    const Word* word = word_of(from);
    if (!word && from.place.line > 0) return;  // of the stub
    if (word && (!word->is_constant() || is_about_placeholder(*word))) return;
    error.place = place(word ? start(*word) : start(verb_));
    if (error.id == "config.token-missing") error.hint = "add --token TOKEN: kubeadm token create makes one";
    if (error.id == "config.discovery-missing") error.hint = "write " + printable(parse::base_name(program_.bytes())) + " join HOST:6443 --token TOKEN --discovery-token-ca-cert-hash sha256:HEX";
    if (word && &to == &out_.errors && word->bytes().find('$') != std::string::npos) {
      error.message = "the variable in this word is not expanded: " + std::string(is_list_ ? "each item of a list is taken as it is" : "it is quoted");
      error.hint = is_list_ ? "write the command as one text, not as a list" : "use double quotes";
      error.id = "command.not-expanded";
    }
    if (to.size() < kMostErrors) to.push_back(std::move(error));
  }

  const Word* word_of(const Error& error) const {
    if (error.place.file == "argument api-server-endpoint") return positionals_.empty() ? nullptr : &positionals_.front();
    if (!error.place.file.starts_with("flag --")) return nullptr;
    const std::string_view name = std::string_view(error.place.file).substr(7);
    const Word* first = nullptr;
    for (const Given& one : given_) {
      if (one.flag->name != name) continue;
      if (!first) first = &one.value;
      if (!one.value.bytes().empty() && error.message.find(quoted(one.value.bytes(), 80)) != std::string::npos) return &one.value;
    }
    return first;
  }

  // The command for people: what tells one cluster from another, and no secret.
  std::string shown() const {
    std::string text = printable(parse::base_name(program_.bytes())) + " join";
    if (!positionals_.empty() && (!positionals_[0].is_constant() || !judge_endpoint(positionals_[0].bytes()))) text += " " + printable(positionals_[0].bytes(), 80);
    for (const Given& one : given_)
      if (one.flag->name == "config") return text + " --config " + printable(one.value.bytes(), 80);
    return text + " …";
  }

  // ---- documents that the script writes ----

  void judge_file(const parse::WrittenFile& file, const ShellText& shell) {
    std::string text = file.text.bytes();
    const auto holds = [&](std::string_view what) { return text.find(what) != text.npos; };
    if (!holds("kubeadm.k8s.io/") && !holds("kubejoin/v1")) return;
    const bool joins = holds("JoinConfiguration") || holds("NodeConfiguration") || holds("FirstBoot");
    if (!joins && (holds("InitConfiguration") || holds("ClusterConfiguration") || holds("MasterConfiguration"))) return;
    if (is_rewritten(file, shell)) return;
    // What is only known later becomes letters: as many, so that every place stays.
    for (const Expansion& expansion : file.text.expansions) std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(expansion.at), expansion.size, 'x');
    const parse::Lines lines(text);
    parse::Unwrapped unwrapped = parse::unwrap(text, script_.source->file, nullptr);
    const auto is_control_plane = [](const parse::Document& d) { return d.root.find("controlPlane") != nullptr; };
    if (std::any_of(unwrapped.documents.begin(), unwrapped.documents.end(), is_control_plane)) return;
    Loaded loaded;
    if (!unwrapped.documents.empty()) loaded = load(unwrapped.documents, {}, surroundings_, true);
    for (auto* list : {&unwrapped.errors, &loaded.errors})
      for (Error& error : *list) take_of_file(std::move(error), file.text, text, lines, out_.errors);
    for (auto* list : {&unwrapped.warnings, &loaded.warnings})
      for (Error& error : *list) take_of_file(std::move(error), file.text, text, lines, out_.warnings);
  }

  // envsubst, sed and their kind make another text of it.
  static bool is_rewritten(const parse::WrittenFile& file, const ShellText& shell) {
    static constexpr std::array<std::string_view, 7> kEditors = {"envsubst", "sed", "perl", "yq", "awk", "python3", "gomplate"};
    return std::any_of(shell.commands.begin(), shell.commands.end(), [&](const Command& command) {
      return std::any_of(command.words.begin(), command.words.end(), [&](const Word& w) { return std::find(kEditors.begin(), kEditors.end(), parse::base_name(w.bytes())) != kEditors.end(); }) &&
             (parse::base_name(command.words[0].bytes()) == "envsubst" || command.input ||
              std::any_of(command.words.begin(), command.words.end(), [&](const Word& w) { return w.bytes() == file.path.bytes(); }));
    });
  }

  void take_of_file(Error error, const Word& written, const std::string& text, const parse::Lines& lines, std::vector<Error>& to) {
    if (error.place.line <= 0 || to.size() >= kMostErrors) return;
    std::size_t at = lines.offset({error.place.line, 1});
    for (int column = 1; column < error.place.column && at < text.size(); ++column) at += std::max<std::size_t>(parse::utf8_length(std::string_view(text).substr(at)), 1);
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const bool of_value = !error.id.starts_with("yaml.") && error.id != "schema.unknown-field" && error.id != "schema.required" && !error.id.ends_with("-missing");
    const auto in_line = [&](const Expansion& e) { return e.at + e.size > at && e.at < end; };
    if (of_value && std::any_of(written.expansions.begin(), written.expansions.end(), in_line)) return;
    const bool withheld = error.place.text.empty();
    error.place = place(at < written.text.from.size() ? written.text.from[at] : written.begin);
    if (withheld) error.place.text.clear();
    to.push_back(std::move(error));
  }

  // ---- places ----

  static std::uint32_t start(const Word& word) { return word.text.from.empty() ? word.begin : word.text.from.front(); }

  Place place(std::uint32_t at) const {
    Place place = document_.place(lines_.mark(at));
    place.part = part_;
    return place;
  }

  // A token that is none is still a secret, and masked by nobody.
  void hide(Error& error) const {
    const int outer = script_.source->first_line - 1;
    for (const Word& word : secrets_)
      if (lines_.mark(start(word)).line + outer == error.place.line) error.place.text.clear();
  }

  void tell_at(std::uint32_t at, std::string_view id, std::string_view message, std::string_view hint) {
    if (out_.errors.size() >= kMostErrors) return;
    Error error = fail(Kind::invalid, id, std::string(message), std::string(hint)).value();
    error.place = place(at);
    out_.errors.push_back(std::move(error));
  }
  void tell(const Word& word, std::string_view id, std::string_view message, std::string_view hint) { tell_at(start(word), id, message, hint); }
  void warn(const Word& word, std::string_view id, std::string message, std::string hint) {
    Error error = fail(Kind::invalid, id, std::move(message), std::move(hint)).value();
    error.place = place(start(word));
    if (out_.warnings.size() < kMostErrors) out_.warnings.push_back(std::move(error));
  }

  const parse::Script& script_;
  parse::Document document_;
  const parse::Lines& lines_;
  std::span<const std::string> paths_;
  const Surroundings& surroundings_;
  CommandLines& out_;
  std::string part_;
  bool is_list_ = false;
  bool goes_on_ = false;
  int depth_ = 0;
  std::map<std::string, Word, std::less<>> known_;

  // Of the join that is being judged.
  Word program_, verb_;
  std::vector<Given> given_;
  std::vector<Word> positionals_;
  bool positionals_any_ = false;  // one may become any number of words
  bool open_ended_ = false;       // nothing can be said to be missing
  std::vector<Word> secrets_;
  std::vector<std::uint32_t> placeholders_;
};

bool may_concern_us(const parse::Script& script) {
  const auto speaks = [](std::string_view text) { return text.find("kube") != text.npos || text.find("--") != text.npos || text.find(" join ") != text.npos; };
  if (script.argv.empty()) return speaks(script.source->text);
  return std::any_of(script.argv.begin(), script.argv.end(), [&](const parse::Value& v) { return speaks(v.text); });
}

// "- --token …": a line of its own in the list that was meant to go on the entry before.
bool is_rest(const parse::Script& script) {
  const std::string_view text = script.argv.empty() ? std::string_view(script.source->text) : std::string_view(script.argv[0].text);
  Word word;
  for (const char c : text.substr(0, text.find_first_of(" \t\n"))) word.text.add(c, 0);
  return begins_with_flag(word);
}

}  // namespace

CommandLines judge_scripts(std::span<const parse::Script> scripts, std::span<const std::string> paths, const Surroundings& surroundings) {
  CommandLines out;
  Surroundings there = surroundings;
  there.hostname = "node";  // whatever the machine's will be, it is no part of the verdict
  there.working_directory = "/";
  const parse::Source* source = nullptr;
  std::unique_ptr<parse::Lines> lines;  // of scripts that stand in one text, found once
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    if (!may_concern_us(scripts[i])) continue;
    if (source != scripts[i].source.get()) {
      source = scripts[i].source.get();
      lines = std::make_unique<parse::Lines>(source->text);
    }
    Judge(scripts[i], *lines, paths, there, out).judge(i + 1 < scripts.size() && is_rest(scripts[i + 1]));
  }
  const auto by_place = [](const Error& a, const Error& b) { return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column); };
  for (auto* list : {&out.errors, &out.warnings})
    if (scripts.size() == 1 || std::all_of(list->begin(), list->end(), [](const Error& e) { return e.place.part.find("decoded") == std::string::npos; }))
      std::stable_sort(list->begin(), list->end(), by_place);
  return out;
}

std::string sentence(const CommandLines::Join& join) {
  const Place& place = join.place;
  const std::string who = place.part.empty() ? "a script" : place.part;
  return who + " joins by itself: " + join.text + (place.line > 0 ? " (line " + std::to_string(place.line) + ")" : "");
}

}  // namespace kubejoin::config
