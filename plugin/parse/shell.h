// Shell: the simple commands of a POSIX or bash text, as far as they are known without running it (POSIX.1-2017, XCU 2; bash(1)).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "parse/document.h"

namespace kubejoin::parse {

// Bytes that remember where each of them was written: offsets in the text of one Source.
struct Traced {
  std::string bytes;
  std::vector<std::uint32_t> from;  // as many as there are bytes

  void add(char c, std::uint32_t at);
  void add(const Traced& other, std::size_t begin, std::size_t end);
};

// Lines of a text, found once. Marks count from 1, columns in bytes, as those of Value do.
class Lines {
 public:
  explicit Lines(std::string_view text);
  std::size_t offset(Mark mark) const;  // the end of the text for a mark behind it
  Mark mark(std::size_t offset) const;

 private:
  std::vector<std::size_t> begins_;
  std::size_t size_;
  std::size_t skipped_;  // a byte order mark, which marks do not count
};

Traced trace(std::string_view text);
// A scalar of a YAML text, through its quotes, escapes, folds and indentation. Where they are not understood, all of it comes from
// where it begins.
Traced trace(const Value& scalar, std::string_view text, const Lines& lines);

// What is only known when it is run: $X, ${X…}, $(…), `…`; and {{ X }}, which somebody else must replace before.
struct Expansion {
  std::size_t at = 0, size = 0;  // in the word's bytes, where it stands as it was written
  std::string name;              // of the variable; empty for a command's output
  bool plain = false;            // $X or ${X}, and nothing else
  bool quoted = false;           // no more than one word can come of it
};

struct Word {
  Traced text;  // without quotes and escapes
  std::vector<Expansion> expansions;
  std::uint32_t begin = 0;  // where it was written, with its quotes
  bool quoted = false;      // a part of it is

  const std::string& bytes() const { return text.bytes; }
  bool is_constant() const { return expansions.empty(); }
};

// What a shell does not take as the user means it.
struct Oddity {
  enum class What { blank_behind_backslash, blank_look_alike } what;
  std::uint32_t at = 0;
};

struct Command {
  std::vector<Word> assignments;  // NAME=VALUE in front of the words; alone, they stay in force
  std::vector<Word> words;
  std::vector<Word> outputs;  // the files of > and >>
  std::optional<Word> input;  // a here-document or here-string
  std::vector<Oddity> oddities;
  bool is_piped = false;   // into the next one
  bool is_certain = true;  // runs whenever the text is run: stands in no condition, loop, function or list of && and ||
  bool hands_text = false;  // to a shell: what that runs is read, too
  int level = 0;           // 1: of a text that a command of level 0 hands to a shell, as `sh -c` does
};

// A file that the text writes, by a here-document or echo.
struct WrittenFile {
  Word path, text;
};

struct ShellText {
  std::vector<Command> commands;  // in the text's order; those of a text inside come after all of the text around it
  std::vector<WrittenFile> files;
  std::multiset<std::string, std::less<>> assigned;  // every variable, once for each place that may change it
  bool is_open = false;  // it reads other scripts (source, eval), which may change any variable
};

// Never fails: what it does not understand it passes over. Also reads what `sh -c`, `su -c`, eval, a here-document for a shell, $(…) and
// a script that the text writes hold. Bounded (1 MiB, 50,000 words, a depth of 6), linear in the text's size.
ShellText read_shell(const Traced& text);
ShellText read_words(std::vector<Word> words);  // of one command, which nobody expands

// The last part of a path: "kubeadm" of /usr/bin/kubeadm.
std::string_view base_name(std::string_view path);

}  // namespace kubejoin::parse
