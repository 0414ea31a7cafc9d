// Go's quoting (strconv.Quote of 1.26 printed the expected texts) and YAML 1.1 scalars.
#include "kube/go.h"

#include <doctest/doctest.h>

using namespace kubejoin;
using namespace kubejoin::kube;

TEST_CASE("kube::go_quoted") {
  const struct {
    std::string text;
    const char* quoted;
  } kRows[] = {
      {"", R"("")"},
      {"--a=b c", R"("--a=b c")"},
      {R"(say "hi" \ bye)", R"("say \"hi\" \\ bye")"},
      {"\a\b\f\n\r\t\v", R"("\a\b\f\n\r\t\v")"},
      {std::string("\0\x01\x1f\x7f", 4), R"("\x00\x01\x1f\x7f")"},
      {"h\xC3\xA9llo \xE2\x82\xAC \xF0\x9F\x98\x80", "\"h\xC3\xA9llo \xE2\x82\xAC \xF0\x9F\x98\x80\""},
      {"\xC2\xA0\xE2\x80\xA8\xEF\xBB\xBF\xC2\xAD", R"("\u00a0\u2028\ufeff\u00ad")"},
      {"\xF3\xA0\x80\x81", R"("\U000e0001")"},
      {"\xC3(\xFF\xED\xA0\x80\xC0\xAF\xE2\x82", R"("\xc3(\xff\xed\xa0\x80\xc0\xaf\xe2\x82")"},
  };
  for (const auto& row : kRows) CHECK(go_quoted(row.text) == row.quoted);
}

TEST_CASE("kube::as_go_reads") {
  const auto source = std::make_shared<parse::Source>();
  source->text =
      "a: no\nb: 'no'\nc: [Yes, ON, yES, n, \"y\", false]\nd: 1_000\ne: _1\nf: 1.5\ng: off-road\nh: No\nno: 1\n";
  parse::Yaml yaml = parse::read_yaml(source);
  REQUIRE(yaml.documents.size() == 1);
  as_go_reads(yaml.documents[0].root);
  CHECK(
      parse::to_json(yaml.documents[0].root) ==
      R"({"a":false,"b":"no","c":[true,true,"yES",false,"y",false],"d":1000,"e":"_1","f":1.5,"g":"off-road","h":false,"no":1})");
}

TEST_CASE("kube::sort_keys") {
  parse::Value map = parse::make_map();
  for (const char* key : {"b", "a", "B"}) parse::set(map, key, parse::make_integer(1));
  parse::Value list = parse::make_list();
  list.items.push_back(map);
  sort_keys(list);
  CHECK(parse::to_json(list) == R"([{"B":1,"a":1,"b":1}])");
}
