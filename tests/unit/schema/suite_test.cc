// The validator against the JSON Schema project's own test suite (Debian json-schema-test-suite, draft-07), for every
// keyword that our schemas use; and our schemas against the list of those keywords.
#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "../test.h"
#include "schema/schema.h"
#include "schema/texts.h"
#include "schema/validate.h"

using namespace kubejoin;
using schema::Nulls;
using schema::violations;

namespace {

constexpr char kSuite[] = "/usr/share/json-schema-test-suite/tests/draft7/";

std::string text_of(const rapidjson::Value& json) { return {json.GetString(), json.GetStringLength()}; }

parse::Value value_of(const rapidjson::Value& json) {
  parse::Value value;
  if (json.IsBool()) return parse::make_bool(json.GetBool());
  if (json.IsString()) return parse::make_string(text_of(json));
  if (json.IsInt64()) return parse::make_integer(json.GetInt64());
  if (json.IsNumber()) {
    std::ostringstream text;
    text << json.GetDouble();
    value.type = parse::Type::number;
    value.text = text.str();
  }
  if (json.IsArray()) {
    value = parse::make_list();
    for (const auto& item : json.GetArray()) value.items.push_back(value_of(item));
  }
  if (json.IsObject()) {
    value = parse::make_map();
    for (const auto& member : json.GetObject())
      value.members.push_back({text_of(member.name), {}, value_of(member.value)});
  }
  return value;
}

// Groups of the suite that need a keyword which no schema of ours uses.
const std::set<std::string> kForeign = {"patternProperties", "maxItems", "minLength"};

bool needs_foreign_keyword(const rapidjson::Value& schema) {
  if (!schema.IsObject()) return false;
  for (const auto& member : schema.GetObject())
    if (kForeign.count(text_of(member.name)) != 0 || needs_foreign_keyword(member.value)) return true;
  return false;
}

void collect_keywords(const rapidjson::Value& schema, std::set<std::string>& into) {
  if (!schema.IsObject()) return;
  for (const auto& member : schema.GetObject()) {
    const std::string keyword = text_of(member.name);
    into.insert(keyword);
    if (keyword == "items" || keyword == "additionalProperties") collect_keywords(member.value, into);
    if (keyword != "properties") continue;
    for (const auto& property : member.value.GetObject()) collect_keywords(property.value, into);
  }
}

rapidjson::Document parse_json(std::string_view text) {
  rapidjson::Document json;
  json.Parse(text.data(), text.size());
  REQUIRE_FALSE(json.HasParseError());
  return json;
}

}  // namespace

TEST_CASE("schema::violations agrees with the JSON Schema test suite") {
  int groups = 0, judged = 0;
  for (const std::string_view keyword : schema::kKeywords) {
    std::ifstream file(kSuite + std::string(keyword) + ".json");
    REQUIRE_MESSAGE(file, "install json-schema-test-suite");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto groups_of_keyword = parse_json(text);
    for (const auto& group : groups_of_keyword.GetArray()) {
      if (needs_foreign_keyword(group["schema"])) continue;
      ++groups;
      for (const auto& test : group["tests"].GetArray()) {
        ++judged;
        const std::string name =
            std::string(keyword) + ": " + text_of(group["description"]) + ": " + text_of(test["description"]);
        CAPTURE(name);
        CHECK(violations(value_of(test["data"]), group["schema"], Nulls::strict, 10).empty() ==
              test["valid"].GetBool());
      }
    }
  }
  CHECK(groups == 33);  // of 36; the others need patternProperties or maxItems
  CHECK(judged == 137);
}

TEST_CASE("schemas of what is read use no keyword that is not judged; all name themselves") {
  const std::set<std::string> annotations = {"$schema",          "$id", "title", "description", "default", "examples",
                                             "x-kubejoin-secret"};
  for (const schema::Version& version : schema::versions()) {
    CAPTURE(version.name);
    std::set<std::string> used;
    const auto json = parse_json(schema::schema_text(version));
    collect_keywords(json, used);
    for (const std::string& keyword : used) {
      CAPTURE(keyword);
      CHECK((annotations.count(keyword) != 0 || std::find(std::begin(schema::kKeywords), std::end(schema::kKeywords),
                                                          keyword) != std::end(schema::kKeywords)));
    }
  }
  for (const auto& schema : schema::schema_texts()) {
    CAPTURE(schema.first);
    const auto json = parse_json(schema.second);
    CHECK(json["$schema"] == "http://json-schema.org/draft-07/schema#");
    CHECK(text_of(json["$id"]) == "urn:kubejoin:schema:" + std::string(schema.first));
  }
}

namespace {

// Every field says what it is; every pattern has a short text to judge; every map knows all of its fields or the type
// of the others.
void check_field(const std::string& path, const rapidjson::Value& field) {
  CAPTURE(path);
  CHECK(field.HasMember("title"));
  CHECK(field.HasMember("description"));
  if (field.HasMember("pattern")) {
    CHECK(field.HasMember("examples"));
    REQUIRE(field.HasMember("maxLength"));
    CHECK(field["maxLength"].GetUint() <= schema::kLongestMatched);
  }
  if (field.HasMember("properties")) {
    CHECK(field.HasMember("additionalProperties"));
    for (const auto& property : field["properties"].GetObject())
      check_field(path + "." + text_of(property.name), property.value);
  }
  if (field.HasMember("items") && field["items"].HasMember("properties"))
    for (const auto& property : field["items"]["properties"].GetObject())
      check_field(path + "[]." + text_of(property.name), property.value);
  // What an example shows is right.
  if (!field.HasMember("examples")) return;
  for (const auto& example : field["examples"].GetArray())
    CHECK(violations(value_of(example), field, Nulls::strict, 10).empty());
}

}  // namespace

TEST_CASE("schemas describe every field") {
  for (const schema::Version& version : schema::versions()) {
    const auto json = parse_json(schema::schema_text(version));
    check_field(std::string(version.name), json);
    for (const auto& property : json["properties"].GetObject()) {
      const std::string name = text_of(property.name);
      CAPTURE(version.name);
      CAPTURE(name);
      const bool token = name.find("oken") != std::string::npos && property.value.HasMember("pattern");
      CHECK(property.value.HasMember("x-kubejoin-secret") == token);
    }
  }
}

TEST_CASE("schema::violations: limits") {
  const auto json = parse_json(R"({"items": {"type": "string", "pattern": "^(a|b)*$"}})");
  auto list = parse::make_list();
  list.items.push_back(parse::make_string(std::string(schema::kLongestMatched, 'a')));
  CHECK(violations(list, json, Nulls::strict, 10).empty());
  list.items.push_back(parse::make_string(std::string(1'000'000, 'a')));
  REQUIRE(violations(list, json, Nulls::strict, 10).size() == 1);
  CHECK(violations(list, json, Nulls::strict, 10)[0].path == "[1]");
  for (int i = 0; i < 100; ++i) list.items.push_back(parse::make_integer(i));
  CHECK(violations(list, json, Nulls::strict, 10).size() == 10);
}

TEST_CASE("schema::violations: a null in a known field is absent, as Go's decoder has it") {
  const auto json = parse_json(
      R"({"properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": {"type": "string"}})");
  auto map = parse::make_map();
  parse::set(map, "a", parse::Value());
  parse::set(map, "other", parse::Value());
  const auto strict = violations(map, json, Nulls::strict, 10);
  REQUIRE(strict.size() == 2);
  CHECK(strict[0].keyword == "type");
  CHECK(strict[0].path == "a");
  const auto lenient = violations(map, json, Nulls::as_absent, 10);
  REQUIRE(lenient.size() == 2);
  CHECK(lenient[0].keyword == "required");
  CHECK(lenient[0].missing == "a");
  CHECK(lenient[1].path == "other");
}

TEST_CASE("schema::violations: YAML's numbers") {
  const auto json = parse_json(R"({"type": "integer", "minimum": 0, "maximum": 100})");
  const auto number = [](parse::Type type, const char* text) {
    parse::Value value;
    value.type = type;
    value.text = text;
    return value;
  };
  for (const char* text : {"0", "+7", "0x1F", "0o17", "007", "100"}) {
    CAPTURE(text);
    CHECK(violations(number(parse::Type::integer, text), json, Nulls::strict, 10).empty());
  }
  CHECK(violations(number(parse::Type::number, "1e1"), json, Nulls::strict, 10).empty());
  for (const char* text : {"-1", "0xFF", "101", "99999999999999999999999", "0xFFFFFFFFFFFFFFFFFFFF"}) {
    CAPTURE(text);
    CHECK_FALSE(violations(number(parse::Type::integer, text), json, Nulls::strict, 10).empty());
  }
  for (const char* text : {".inf", "-.Inf", ".nan", "1.5"}) {
    CAPTURE(text);
    CHECK_FALSE(violations(number(parse::Type::number, text), json, Nulls::strict, 10).empty());
  }
}
