// Shell texts: words, commands, here-documents, and where each character was written.
#include "parse/shell.h"

#include "base/text.h"
#include "texts.h"

using namespace kubejoin;
using namespace kubejoin::parse;

namespace {

// "a|b c" for the words of each command, one command a line; an expansion is in ‹›.
std::string shown(const Word& word) {
  std::string text;
  std::size_t at = 0;
  for (const Expansion& e : word.expansions) {
    text += word.bytes().substr(at, e.at - at) + "‹" + word.bytes().substr(e.at, e.size) + "›";
    at = e.at + e.size;
  }
  return replace_all(text + word.bytes().substr(at), "\n", "$");
}

std::string words(const ShellText& shell) {
  std::string all;
  for (const Command& command : shell.commands) {
    std::string line;
    for (const Word& word : command.assignments) line += (line.empty() ? "" : "|") + shown(word);
    for (const Word& word : command.words) line += (line.empty() ? "" : "|") + shown(word);
    all += std::string(static_cast<std::size_t>(command.level), '>') + line + "\n";
  }
  return all;
}

std::string words(std::string_view text) { return words(read_shell(trace(text))); }

}  // namespace

TEST_CASE("parse::read_shell: words") {
  CHECK(words("a 'b c' \"d e\" f\\ g h\"i\"'j'k\n") == "a|b c|d e|f g|hijk\n");
  CHECK(words("a \\\n  b\\\nc # comment d\ne#f\n") == "a|bc\ne#f\n");
  CHECK(words("a\\\r\n b\r\nc\r\n") == "a|b\nc\n");
  CHECK(words("a \"$X\" ${Y}z ${Z:-q w} $(b c) `d` $1 \"\\$X\" '$X' \\$X $'a\\tb' \"a`e`\"") ==
        "a|‹$X›|‹${Y}›z|‹${Z:-q w}›|‹$(b c)›|‹`d`›|‹$1›|$X|$X|$X|a\tb|a‹`e`›\n>b|c\n>d\n>e\n");
  CHECK(words("a {{ ep }}:6443 \"{{ t }}\" <host>:<port> {b,c}") == "a|‹{{ ep }}›:6443|‹{{ t }}›|<host>:<port>|{b,c}\n");
  CHECK(words("a '") == "a|\n");
  CHECK(words("a \"b") == "a|b\n");
  CHECK(words("a $(b") == "a|‹$(b›\n>b\n");
  CHECK(words("a ${b") == "a|‹${b›\n");
  CHECK(words("a \\") == "a|\n");
}

TEST_CASE("parse::read_shell: commands") {
  CHECK(words("a;b&&c||d|e&f\n(g;h)\n{ i; }\n") == "a\nb\nc\nd\ne\nf\ng\nh\ni\n");
  CHECK(words("if a; then b; elif ! c; then d; else e; fi; while f; do g; done; until h; do i; done\n") == "a\nb\nc\nd\ne\nf\ng\nh\ni\n");
  CHECK(words("for x in 1 2; do a $x; done; case $y in b) c;; *) d ;; esac\nf() { e; }\nfunction g { h; }\n") == "a|‹$x›\nc\n*\nd\nf\ne\nh\n");
  CHECK(words("A=1 B=$C a >f 2>&1 <g >>h 2>/dev/null &>i b\nD=2\n") == "A=1|B=‹$C›|a|b\nD=2\n");
  CHECK(words("time a; exec b 3<c; a=(d e)\n") == "a\nexec|b\na=\nd|e\n");
  CHECK(words("[[ $a == b ]] && c; ((d++)); diff <(e) f\n") == "[[|‹$a›|==|b|]]\nc\nd++\ndiff|f\n>e\n");
  const ShellText shell = read_shell(trace("A=1\nif x; then B=2; fi\nC=3\nx && D=4\n{ E=5; }\ncase y in z) F=6;; esac\nG=7; x ||\nH=8\nI=9\n"));
  std::string certain;
  for (const Command& command : shell.commands)
    if (command.is_certain && !command.assignments.empty()) certain += command.assignments[0].bytes() + " ";
  CHECK(certain == "A=1 C=3 G=7 I=9 ");
}

TEST_CASE("parse::read_shell: texts inside") {
  CHECK(words("sudo bash -lc \"a; b $X\"\n") == "sudo|bash|-lc|a; b ‹$X›\n>a\n>b|‹$X›\n");
  CHECK(words("sh -e -c 'a'; su - me -c 'b c'; eval \"d\" e; /bin/sh script -c f\n") ==
        "sh|-e|-c|a\nsu|-|me|-c|b c\neval|d|e\n/bin/sh|script|-c|f\n>a\n>b|c\n>d|e\n");
  CHECK(words("bash -s <<'E'\na b\nE\nc\n") == "bash|-s\nc\n>a|b\n");
  CHECK(words("cat >/x/join.sh <<E\na \\$X \\\n b\nE\n") == "cat\n>a|‹$X›|b\n");
  std::string deep = "a";
  for (int i = 0; i < 50; ++i) deep = "$(" + deep + ")";
  CHECK(read_shell(trace(deep)).commands.size() == 7);
}

TEST_CASE("parse::read_shell: here-documents and the files that they become") {
  const auto files = [](std::string_view text) {
    std::string all;
    for (const WrittenFile& file : read_shell(trace(text)).files) all += shown(file.path) + ": " + shown(file.text) + (file.text.quoted ? " quoted" : "") + "\n";
    return all;
  };
  CHECK(files("cat > /a <<EOF\nx $Y\nEOF\n") == "/a: x ‹$Y›$\n");
  CHECK(files("cat <<'EOF' >/a\nx $Y \\\nEOF\n") == "/a: x $Y \\$ quoted\n");
  CHECK(files("cat <<-EOF | sudo tee -a /a >/dev/null\n\tx\n\t y\n\tEOF\nb\n") == "/a: x$ y$\n");
  CHECK(files("sudo tee /a <<EOF\nx\nEOF\n") == "/a: x$\n");
  CHECK(files("cat <<A >/a; cat <<B >/b\nx\nA\ny\nB\n") == "/a: x$\n/b: y$\n");
  CHECK(files("echo 'x\ny' > /a\necho -n \"z\" | tee /b\necho a b > /c\n") == "/a: x$y quoted\n/b: z quoted\n");
  CHECK(files("cat >/a <<EOF\nno end") == "/a: no end\n");
}

TEST_CASE("parse::read_shell: every character knows where it was written") {
  const std::string text = "x\nbash -c \"a 'b\\$c' \\\n  d\"; cat <<-E >/f\n\tq\\$r\n\tE\n";
  const ShellText shell = read_shell(trace(text));
  const Lines lines(text);
  const auto place = [&](const Word& word, std::size_t at) {
    const Mark mark = lines.mark(word.text.from[at]);
    return std::to_string(mark.line) + ":" + std::to_string(mark.column) + text[word.text.from[at]];
  };
  const Command& inner = shell.commands.back();
  CHECK(place(inner.words[0], 0) == "2:10a");
  CHECK(place(inner.words[1], 1) == "2:15$");
  CHECK(place(inner.words[2], 0) == "3:3d");
  REQUIRE(shell.files.size() == 1);
  CHECK(place(shell.files[0].text, 0) == "4:2q");
  CHECK(place(shell.files[0].text, 2) == "4:5r");
}

TEST_CASE("parse::trace: a scalar of YAML") {
  const auto place = [](std::string_view yaml, std::string_view what) {
    const Yaml document = read(yaml);
    REQUIRE(document.documents.size() == 1);
    const Value* value = document.documents[0].root.find("a");
    REQUIRE(value);
    const Lines lines(yaml);
    const Traced traced = trace(*value, yaml, lines);
    REQUIRE(traced.from.size() == traced.bytes.size());
    const auto at = traced.bytes.find(what);
    REQUIRE(at != traced.bytes.npos);
    const Mark mark = lines.mark(traced.from[at]);
    return std::to_string(mark.line) + ":" + std::to_string(mark.column);
  };
  CHECK(place("a: x yz\n", "z") == "1:7");
  CHECK(place("a: 'x ''yz'\n", "z") == "1:10");
  CHECK(place("a: \"x\\n\\\"yz\"\n", "z") == "1:11");
  CHECK(place("a: x \\\n  y\n  z\n", "z") == "3:3");
  CHECK(place("a: >-\n  x\n  yz\n\n  w\n", "w") == "5:3");
  CHECK(place("a: |\n  x\n    yz\n", "z") == "3:6");
  CHECK(place("a: \"x\n  y\\\n  z\"\n", "z") == "3:3");
  CHECK(place("a: \"\\x41z\"\n", "z") == "1:4");  // an escape that is not followed: where all of it begins
}

TEST_CASE("parse::read_shell is bounded") {
  for (const char* piece : {"$(", "`", "\"", "'", "${", "(", "a ", "<<E\n", "<a ", "\\", "{{", "$(a;", "if ", "case x in "}) {
    std::string text;
    while (text.size() < 300'000) text += piece;
    std::size_t seen = 0;
    for (const Command& command : read_shell(trace(text)).commands) seen += command.words.size();
    CHECK(seen <= 50'000);
  }
  CHECK(words("a\xC2\xA0"
              "b \\ \n c") == "a|b|c\n");
}
