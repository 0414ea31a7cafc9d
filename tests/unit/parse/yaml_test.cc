// Reading YAML: values with their places, the scalar rules, every complaint in the user's words, and the limits.
#include "base/text.h"
#include "texts.h"

using namespace kubejoin;
using namespace kubejoin::parse;

TEST_CASE("parse::read_yaml resolves plain scalars as YAML 1.2's core schema and keeps their text") {
  struct Row {
    std::string text;
    Type type;
    std::string json;
  };
  static const Row kRows[] = {
      {"true", Type::boolean, "true"},
      {"FALSE", Type::boolean, "false"},
      {"null", Type::null, "null"},
      {"~", Type::null, "null"},
      {"12", Type::integer, "12"},
      {"-0", Type::integer, "-0"},
      {"+7", Type::integer, "7"},
      {"0x1F", Type::integer, "31"},
      {"0o17", Type::integer, "15"},
      {"18446744073709551615", Type::integer, "18446744073709551615"},
      {"1.5e3", Type::number, "1.5e3"},
      {".5", Type::number, "0.5"},
      {"1.", Type::number, "1.0"},
      {".inf", Type::number, "\".inf\""},  // JSON has no spelling for it
      {"1e999", Type::number, "\"1e999\""},
      {"0xfffffffffffffffff", Type::integer, "\"0xfffffffffffffffff\""},
      // What YAML 1.1 reads differently: schema/ explains it, with the text.
      {"no", Type::string, "\"no\""},
      {"on", Type::string, "\"on\""},
      {"0777", Type::integer, "777"},
      {"1_000", Type::string, "\"1_000\""},
      {"190:20:30", Type::string, "\"190:20:30\""},
      // Token-shaped texts.
      {"abcdef.0123456789abcdef", Type::string, "\"abcdef.0123456789abcdef\""},
      {"123456.1234567890123456", Type::number, "123456.1234567890123456"},
      {"12e456.0000000000000000", Type::string, "\"12e456.0000000000000000\""},
      {"v1.37.2", Type::string, "\"v1.37.2\""},
      {"10.0.0.1", Type::string, "\"10.0.0.1\""},
      {"sha256:ab", Type::string, "\"sha256:ab\""},
      {"12:30", Type::string, "\"12:30\""},
      {"2001-12-14", Type::string, "\"2001-12-14\""},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.text);
    const Yaml yaml = read(std::string("key: ") + row.text + "\n");
    REQUIRE(yaml.documents.size() == 1);
    const Value* value = yaml.documents[0].root.find("key");
    REQUIRE(value);
    CHECK(value->type == row.type);
    CHECK(value->text == row.text);
    CHECK(value->plain);
    CHECK(to_json(*value) == row.json);
  }
  for (const std::string quoted_text : {"'12'", "\"true\"", "!!str 12", "! 12", "|-\n  12"}) {
    CAPTURE(quoted_text);
    const Yaml yaml = read(std::string("key: ") + quoted_text + "\n");
    REQUIRE(yaml.documents.size() == 1);
    CHECK(yaml.documents[0].root.find("key")->type == Type::string);
    CHECK_FALSE(yaml.documents[0].root.find("key")->plain);
  }
}

TEST_CASE("parse::read_yaml reads the forms of YAML") {
  struct Row {
    std::string text;
    std::string json;
  };
  static const Row kRows[] = {
      {"a: 1\nb:\n- x\n- y: 2\n  z: 3\n", R"({"a":1,"b":["x",{"y":2,"z":3}]})"},
      {"{a: [1, {b: c}], \"d\": 'it''s'}", R"({"a":[1,{"b":"c"}],"d":"it's"})"},
      {"{\"a\":1,\"b\":[true,null]}", R"({"a":1,"b":[true,null]})"},  // JSON
      {"{\n\t\"a\": [\n\t\t1\n\t]\n}\n", R"({"a":[1]})"},             // JSON indented with tabs
      {"a: |\n  x\n   y\n\nb: >-\n  p\n  q\n", R"({"a":"x\n y\n","b":"p q"})"},
      {"a: |+\n  x\n\nb: |2-\n    y\n", R"({"a":"x\n\n","b":"  y"})"},
      {"a: one\n  two\n", R"({"a":"one two"})"},
      {"a: \"x\\u00e9\\n\\\n  y\"\n", R"({"a":"xé\ny"})"},
      {"\xEF\xBB\xBF"
       "a: 1\n",
       R"({"a":1})"},                                                 // byte order mark
      {"a: 1\r\nb: |\r\n  x\r\n  y\r\n", R"({"a":1,"b":"x\ny\n"})"},  // CRLF
      {"# comment\n---\na: 1 # more\n...\n# end\n", R"({"a":1})"},
      {"a: &x {b: 1}\nc: *x\n", R"({"a":{"b":1},"c":{"b":1}})"},
      {"a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n", R"({"a":{"b":1,"c":2},"d":{"c":3,"b":1}})"},
      {"a: {<<: [{b: 1}, {b: 2, c: 3}]}\n", R"({"a":{"b":1,"c":3}})"},
      {"a: !!binary aGk=\nb: !!int 7\n", R"({"a":"hi","b":7})"},
      {"? a\n: b\n1: c\ntrue: d\n", R"({"a":"b","1":"c","true":"d"})"},
      {"a:\nb: ~\nc: []\nd: {}\n", R"({"a":null,"b":null,"c":[],"d":{}})"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.text);
    CHECK(json(row.text) == row.json);
  }
}

TEST_CASE("parse::read_yaml gives every document of a text and leaves empty ones out") {
  const Yaml yaml = read("---\n# nothing\n---\na: 1\n--- \nb: |\n  --- no end\n...\n%YAML 1.2\n---\nc: 3\n---\n");
  CHECK(told(yaml.errors) == "");
  REQUIRE(yaml.documents.size() == 3);
  CHECK(to_json(yaml.documents[1].root) == R"({"b":"--- no end\n"})");
  CHECK(yaml.documents[2].root.find("c")->mark.line == 11);
  for (const std::string nothing : {"", "\n\n", "# only\n", "---\n---\n...\n", "~"}) {
    CAPTURE(nothing);
    CHECK(read(nothing).documents.empty());
    CHECK(read(nothing).errors.empty());
  }
}

TEST_CASE("parse::Value::at follows JSON pointers, string_or gives scalars") {
  const Yaml yaml = read("a:\n- x: 1\n  \"b/c~d\": two\nn: ~\nversion: 1.20\n");
  REQUIRE(yaml.documents.size() == 1);
  const Value& root = yaml.documents[0].root;
  CHECK(root.at("") == &root);
  CHECK(root.at("/a/0/b~1c~0d")->text == "two");
  for (const std::string absent : {"/a/1", "/a/00", "/a/-", "/a/0/x/y", "/z", "a", "/a/99999999999999999999999"}) {
    CAPTURE(absent);
    CHECK(root.at(absent) == nullptr);
  }
  CHECK(root.string_or("version", "") == "1.20");
  CHECK(root.string_or("n", "none") == "none");
  CHECK(root.string_or("a", "none") == "none");
}

TEST_CASE("parse::read_yaml remembers where a value stands, also when it is absent") {
  const Yaml yaml = read("a:\n  - \n  - {b: \"x\"}\n\n  -   # later\nc:\n\nd: 1\n");
  REQUIRE(yaml.documents.size() == 1);
  const Document& document = yaml.documents[0];
  const auto place = [&](const char* pointer) {
    const Place p = document.place(document.root.at(pointer)->mark);
    return std::to_string(p.line) + ":" + std::to_string(p.column);
  };
  CHECK(place("/a/0") == "2:3");
  CHECK(place("/a/1/b") == "3:9");
  CHECK(place("/c") == "6:1");  // not line 8, where the next thing stands
  CHECK(place("/d") == "8:4");
}

TEST_CASE("parse::Document::place counts characters, shows the line, and hides what may be secret") {
  const Yaml yaml = read(
      "gr\xC3\xBC\xC3\x9F"
      "e: \"\xE2\x82\xAC\"\ntoken: abcdef.0123456789abcdef\nlong: " +
      std::string(300, 'x') + "\n");
  REQUIRE(yaml.documents.size() == 1);
  const Document& document = yaml.documents[0];
  const Place first = document.place(document.root.members[0].value.mark);
  CHECK(first.column == 8);
  CHECK(first.text ==
        "gr\xC3\xBC\xC3\x9F"
        "e: \"\xE2\x82\xAC\"");
  CHECK(document.place(document.root.members[1].mark).text.find("0123456789abcdef") == std::string::npos);
  CHECK(document.place(document.root.members[1].mark, true).text == "");
  CHECK(document.place(document.root.members[2].mark).text == "");
  CHECK(document.place({}).line == 0);

  auto inner = std::make_shared<Source>(Source{"user-data", "write_files[0]", "a:\n  b: 1\n", 10, 7});
  const Yaml nested = read_yaml(inner);
  const Place place = nested.documents.at(0).place(nested.documents[0].root.at("/a/b")->mark);
  CHECK(place.line == 11);
  CHECK(place.column == 12);
  CHECK(place.text == "        b: 1");
}

TEST_CASE("parse::read_yaml says what is wrong, and where") {
  struct Row {
    std::string text;
    std::string told;
  };
  static const Row kRows[] = {
      {"token: 1\na: 2\n\ntoken: 3\n", "4:1 yaml.duplicate-key duplicate key \"token\" (first on line 1)"},
      {"{\"a\": 1, \"a\": 2}", "1:10 yaml.duplicate-key duplicate key \"a\" (first on line 1)"},
      {"a: 1\na: 2\n---\nb: [1,\n---\nc: 3\nc: 4\n",
       "2:1 yaml.duplicate-key duplicate key \"a\" (first on line 1)\n"
       "4:4 yaml.unclosed the [ of line 4 is not closed, or a \",\" is missing before line 5\n"
       "7:1 yaml.duplicate-key duplicate key \"c\" (first on line 6)"},
      {"a:\n\tb: 1\n", "2:1 yaml.tab a tab in the indentation"},
      {"a:\n  b: 1\n \tc: 2\n", "3:2 yaml.tab a tab in the indentation"},
      {"a:\n    b: 1\n  c: 2\n", "3:3 yaml.indentation the indentation fits no line above"},
      {"a: 1\n  b: 2\n", "2:3 yaml.indentation this line is deeper than line 1, which has its value already"},
      {"a:\n- b\nc\n", "3:1 yaml.syntax expected \"key: value\""},
      {"a: 1\n# c\nfoo\nb: 2\n", "3:1 yaml.syntax expected \"key: value\""},
      {"a:1\nb: 2\n", "1:2 yaml.syntax a space is missing after the \":\""},
      {"a: 1\n- b\n", "2:1 yaml.indentation a list item where a key is expected"},
      {"- a\nb: 1\n", "2:1 yaml.syntax unexpected text after the end of the document"},
      {"- [a]\n  b\n", "2:3 yaml.indentation expected another \"- \" of the list"},
      {"a: b: c\n", "1:5 yaml.syntax a second \":\" in one line"},
      {"a: - b\n", "1:4 yaml.syntax a list item cannot begin here"},
      {"a: \"x\" y\n", "1:8 yaml.syntax unexpected text after the value"},
      {"a: 'it's'\n", "1:8 yaml.syntax unexpected text after the value"},
      {"a: [1] 2\n", "1:8 yaml.syntax unexpected text after the value"},
      {"a: \"x\nb: 1\n", "1:4 yaml.unclosed the \" that opens here is never closed"},
      {"b: 1\na: 'x", "2:4 yaml.unclosed the ' that opens here is never closed"},
      {"a: \"x\n---\nb: 1\n", "1:4 yaml.unclosed the \" that opens here is never closed"},
      {"a: \"x\nb: \"y\"\n", "1:4 yaml.unclosed the quote that opens here ends on line 2, where more text follows"},
      {"a: [1,\n  2\nb: 3\n", "1:4 yaml.unclosed the [ of line 1 is not closed, or a \",\" is missing before line 3"},
      {"{\"a\": [\"x\" \"y\"]}", "1:12 yaml.unclosed the [ is not closed, or a \",\" is missing before \"\"\""},
      {"a: {b: 1]\n", "1:9 yaml.syntax \"]\" does not close the {"},
      {"a: ]\n", "1:4 yaml.syntax \"]\" closes nothing"},
      {"a: @b\n", "1:4 yaml.syntax a value cannot begin with \"@\""},
      {"a: `b`\n", "1:4 yaml.syntax a value cannot begin with \"`\""},
      {"a: *b\n", "1:4 yaml.alias an alias without its anchor"},
      {"a: &x [*x]\n", "1:8 yaml.alias an alias inside its own anchor"},
      {"a: !foo b\n", "1:4 yaml.tag unknown tag \"!foo\""},
      {"a: !!int b\n", "1:4 yaml.tag what follows the tag !!int is not of that type"},
      {"a: !!binary \"%\"\n", "1:4 yaml.tag what follows the tag !!binary is not of that type"},
      {"a: !!set {b}\n", "1:4 yaml.tag unknown tag \"tag:yaml.org,2002:set\""},
      {"a: \"\\q\"\n", "1:7 yaml.escape unknown escape \"\\q\" in double quotes"},
      {"a: \"\\ud83d\\ude00\"\n", "1:11 yaml.escape a broken \\x, \\u or \\U escape in double quotes"},
      {"a: \"\\N\"\n", "1:4 yaml.escape the escape \\N is not supported"},
      {"a: | b\n", "1:6 yaml.syntax text on the line of a | or >"},
      {"[a]: b\n", "1:1 yaml.key a key must be a text, not a list"},
      {": b\n", "1:1 yaml.key a key is missing before the \":\""},
      {"<<: 1\n", "1:1 yaml.merge \"<<\" merges maps, and this is none"},
      {"a: 1\n%b\n", "2:1 yaml.syntax a directive inside a document"},
      {"name: {{ v1.local_hostname }}\n", "1:7 yaml.template {{ … }} or {% … %} in a text that is no template"},
      {"name: {{ a }}-b\n", "1:7 yaml.template {{ … }} or {% … %} in a text that is no template"},
      {"a: b\n{% if c %}\n", "2:2 yaml.template {{ … }} or {% … %} in a text that is no template"},
      {"a: \x01\n", "1:4 yaml.encoding a control character (0x01)"},
      {"a: 1\nb: \xFF\n", "2:4 yaml.encoding a byte that is not UTF-8 (0xff)"},
      {"\xFF\xFE"
       "a",
       "1:1 yaml.encoding the text is UTF-16"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.text);
    const Yaml yaml = read(row.text);
    CHECK(told(yaml.errors) == row.told);
    CHECK(yaml.documents.empty());
    for (const Error& error : yaml.errors) CHECK(error.kind == Kind::invalid);
  }
}

TEST_CASE("parse::read_yaml never shows the line of something that may be secret") {
  for (const std::string text : {"token: \"abcdef.0123456789abcdef\n", "password: 'x\n", "clientKeyData: [AAAA\n",
                                 "data: \"MIIEowIBAAKCAQEAyLgTn6pl0UvQbDdVr8QCr8n9TTkbO0M9qZr\n"}) {
    CAPTURE(text);
    const Yaml yaml = read(text);
    REQUIRE(yaml.errors.size() == 1);
    CHECK(yaml.errors[0].place.text == "");
    CHECK(yaml.errors[0].message.find("AAAA") == std::string::npos);
  }
}

TEST_CASE("parse::read_yaml bounds what comes from outside") {
  const auto only_error = [](const std::string& text, const Limits& limits) {
    const Yaml yaml = read(text, limits);
    return yaml.errors.empty() ? std::string("none") : yaml.errors[0].id;
  };
  const auto times = [](int n, const std::string& text) {
    std::string out;
    for (int i = 0; i < n; ++i) out += text;
    return out;
  };
  CHECK(only_error("a: " + std::string(100, 'x'), {.bytes = 50}) == "yaml.too-large");
  CHECK(only_error("a: " + std::string(100, 'x'), {.scalar = 50}) == "yaml.too-large");
  CHECK(only_error(times(40, "[") + times(40, "]"), {.depth = 40}) == "none");
  CHECK(only_error(times(41, "[") + times(41, "]"), {.depth = 40}) == "yaml.too-deep");
  CHECK(only_error(times(300'000, "["), {}) == "yaml.too-many-nodes");  // never reaches a value
  CHECK(only_error(times(100'000, "- "), {}) == "yaml.too-deep");
  CHECK(only_error("[" + times(300, "a,") + "]", {.nodes = 300}) == "yaml.too-many-nodes");
  // A billion laughs: by number, and by size.
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias + times(8, ", " + alias) + "]\n";
  }
  CHECK(only_error(laughs, {}) == "yaml.too-many-nodes");
  CHECK(only_error("a: &a " + std::string(500'000, 'x') + "\nb: [*a" + times(1000, ", *a") + "]\n", {}) ==
        "yaml.too-large");
  // No more errors than anyone reads.
  CHECK(read(times(1000, "---\na: @\n")).errors.size() == 50);
  CHECK(read(times(1000, "a: 1\n")).errors.size() == 50);
}
