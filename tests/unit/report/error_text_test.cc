// An error as people and machines read it.
#include "report/error_text.h"

#include <rapidjson/document.h>

#include "../test.h"

using namespace kubejoin;
using namespace kubejoin::report;

namespace {

Error sample() {
  Error error = fail(Kind::invalid, "config.token", "the bootstrap token is invalid", "it looks like abcdef.0123456789abcdef").value();
  error.place = {.file = "user-data", .part = "part 2", .line = 14, .column = 3, .text = "  token: x"};
  error.causes = {"outer", "inner"};
  return error;
}

}  // namespace

TEST_CASE("report::error_text: what, where, why, what next") {
  CHECK(error_text(sample()) ==
        "kubejoin: error: the bootstrap token is invalid [config.token]\n"
        "  at user-data (part 2):14:3\n"
        "  14 |   token: x\n"
        "     |   ^\n"
        "  outer\n"
        "  inner\n"
        "  hint: it looks like abcdef.0123456789abcdef\n");
  CHECK(error_text(fail(Kind::machine, "file.read", "unable to read").value(), "warning") == "kubejoin: warning: unable to read [file.read]\n");
}

TEST_CASE("report::error_text: the caret stands below its column, in long lines and beside what is escaped") {
  const struct {
    const char* what;
    std::string text;
    int column;
  } kRows[] = {
      {"the first", "x", 1},
      {"behind the last", "x", 2},
      {"behind control characters", "\x1b[2Jab", 6},
      {"behind letters of two bytes", "\xC3\xA4\xC3\xB6x", 5},
      {"in a long line", std::string(500, 'a') + "X" + std::string(500, 'b'), 501},
      {"at the end of a long line", std::string(999, 'a') + "X", 1000},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.what);
    Error error = sample();
    error.place.text = row.text;
    error.place.column = row.column;
    const std::string text = error_text(error);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find("     | ") != std::string::npos);
    for (std::size_t line = 0; line < text.size(); line = text.find('\n', line) + 1) CHECK(text.find('\n', line) - line < 600);
  }
  // No line, no caret: of a line with a secret, and of a place that is not in the text.
  for (const auto& [text, column] : {std::pair<const char*, int>{"", 3}, {"abc", 0}, {"abc", 9}}) {
    Error error = sample();
    error.place.text = text;
    error.place.column = column;
    CHECK(error_text(error).find(" | ") == std::string::npos);
  }
}

TEST_CASE("report::error_json is JSON with everything in it, whatever the texts hold") {
  Error error = sample();
  error.message = "quotes \" backslash \\ line\nfeed \x1b[0m";
  rapidjson::Document json;
  json.Parse(error_json(error).c_str());
  REQUIRE_FALSE(json.HasParseError());
  CHECK(std::string(json["kind"].GetString()) == "invalid");
  CHECK(std::string(json["id"].GetString()) == "config.token");
  CHECK(std::string(json["message"].GetString()) == error.message);
  CHECK(json["line"].GetInt() == 14);
  CHECK(json["causes"].Size() == 2);
}
