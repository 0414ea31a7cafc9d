// Writing values: JSON for validators, YAML byte for byte as Kubernetes writes it.
#include "../kube/golden.h"
#include "texts.h"

using namespace kubejoin::parse;

TEST_CASE("parse::to_yaml reproduces the kubelet's configuration of real clusters") {
  for (const std::string release : {"1.20", "1.37"}) {
    CAPTURE(release);
    const std::string text = golden(std::string(release) + "/var-lib-kubelet-config.yaml");
    const Yaml yaml = read(text);
    REQUIRE(yaml.documents.size() == 1);
    CHECK(to_yaml(yaml.documents[0].root) == text);
  }
}

TEST_CASE("parse::to_yaml quotes what another reader would take for something else") {
  struct Row {
    std::string text;
    std::string yaml;
  };
  static const Row kRows[] = {
      {"plain", "plain"},
      {"10.96.0.10", "10.96.0.10"},
      {"0s", "0s"},
      {"a b", "a b"},
      {"a:b", "a:b"},
      {"/x/y", "/x/y"},
      {"-a", "-a"},
      {"a#b", "a#b"},
      {"", "\"\""},
      {"0", "\"0\""},
      {"true", "\"true\""},
      {"No", "\"No\""},
      {"on", "\"on\""},
      {"y", "\"y\""},
      {"~", "\"~\""},
      {"null", "\"null\""},
      {"0777", "\"0777\""},
      {"0x1f", "\"0x1f\""},
      {"1_000", "\"1_000\""},
      {"1.5", "\"1.5\""},
      {"1e3", "\"1e3\""},
      {".5", "\".5\""},
      {".inf", "\".inf\""},
      {"190:20:30", "\"190:20:30\""},
      {"10:30", "\"10:30\""},
      {"2001-12-14", "\"2001-12-14\""},
      {"<<", "\"<<\""},
      {"a: b", "'a: b'"},
      {"a #b", "'a #b'"},
      {"*a", "'*a'"},
      {"- a", "'- a'"},
      {"it's: x", "'it''s: x'"},
      {" a", "' a'"},
      {"a ", "'a '"},
      {"{}", "'{}'"},
      {"a\tb", "\"a\\tb\""},
      {"a:", "'a:'"},
      {"123456.1234567890123456", "\"123456.1234567890123456\""},
      {"a\nb\n", "|\n  a\n  b"},
      {"a\nb", "|-\n  a\n  b"},
      {"a\n\n", "|+\n  a\n"},
      {" a\nb", "|2-\n   a\n  b"},
      {"a \nb", "\"a \\nb\""},
      {"\xC3\xA9", "\xC3\xA9"},
      {"\x01\r\\", "\"\\x01\\r\\\\\""},
      {"a\xC2\x85", "\"a\\u0085\""},
      {"\xEF\xBB\xBF"
       "a",
       "\"\\uFEFFa\""},
      {"a\xE2\x80\xA9", "\"a\\u2029\""},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.text);
    Value map = make_map();
    set(map, "key", make_string(row.text));
    const std::string yaml = to_yaml(map);
    CHECK(yaml == std::string("key: ") + row.yaml + "\n");
    const Yaml again = read(yaml);
    REQUIRE(again.documents.size() == 1);
    CHECK(again.documents[0].root.string_or("key", "?") == row.text);
    CHECK(again.documents[0].root.find("key")->type == Type::string);
  }
}

TEST_CASE("parse::to_yaml nests as Go does") {
  const std::string text =
      "a:\n- b: 1\n  c:\n  - d\n- - e\n  - f: g\n- {}\n- []\n- |\n  text\n\"n\": null\nz:\n  v: 1.50\n  x: |\n    "
      "two\n    lines\n  w: true\n";
  CHECK(to_yaml(read(text).documents.at(0).root) == text);
}

TEST_CASE("parse::to_json escapes, and spells numbers as JSON does") {
  Value map = make_map();
  set(map, "a\"\\", make_string("\x01\n\x7f\xC3\xA9\xFF"));
  set(map, "b", make_integer(-5));
  set(map, "c", make_bool(true));
  set(map, "d", make_list()).items.push_back(Value());
  set(map, "b", make_integer(6));
  CHECK(to_json(map) == "{\"a\\\"\\\\\":\"\\u0001\\n\\u007f\xC3\xA9\\ufffd\",\"b\":6,\"c\":true,\"d\":[null]}");
}
