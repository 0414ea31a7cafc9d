// Walks value and schema side by side; every keyword is one small judgement.
#include "schema/validate.h"

#include <regex.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

namespace kubejoin::schema {
namespace {

using parse::Type;
using parse::Value;
using Schema = rapidjson::Value;

std::string_view text_of(const Schema& json) { return {json.GetString(), json.GetStringLength()}; }

const Schema* get(const Schema& schema, const char* keyword) {
  const auto found = schema.FindMember(keyword);
  return found == schema.MemberEnd() ? nullptr : &found->value;
}

const Schema* get(const Schema& schema, const std::string& key) {
  const auto found =
      schema.FindMember(Schema(rapidjson::StringRef(key.data(), static_cast<rapidjson::SizeType>(key.size()))));
  return found == schema.MemberEnd() ? nullptr : &found->value;
}

// YAML 1.2's spellings (0x1F, 0o17, .inf, +1) included.
double number_of(const Value& value) {
  std::string_view text = value.text;
  const int base = text.starts_with("0x") ? 16 : text.starts_with("0o") ? 8 : 10;
  if (base != 10) {
    unsigned long long whole = 0;
    const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), whole, base);
    return error == std::errc() ? static_cast<double>(whole) : INFINITY;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with(".i") || text.starts_with(".I")) return INFINITY;
  if (text.starts_with("-.i") || text.starts_with("-.I")) return -INFINITY;
  double number = NAN;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool is_number(const Value& value) { return value.type == Type::integer || value.type == Type::number; }

bool has_type(const Value& value, std::string_view name) {
  switch (value.type) {
    case Type::null:
      return name == "null";
    case Type::boolean:
      return name == "boolean";
    case Type::string:
      return name == "string";
    case Type::list:
      return name == "array";
    case Type::map:
      return name == "object";
    case Type::integer:
      return name == "integer" || name == "number";
    case Type::number:
      return name == "number" || (name == "integer" && std::trunc(number_of(value)) == number_of(value));
  }
  return false;
}

bool equals(const Value& value, const Schema& json) {
  switch (value.type) {
    case Type::null:
      return json.IsNull();
    case Type::boolean:
      return json.IsBool() && json.GetBool() == value.boolean;
    case Type::string:
      return json.IsString() && text_of(json) == value.text;
    case Type::integer:
    case Type::number:
      return json.IsNumber() && json.GetDouble() == number_of(value);
    case Type::list:
      return json.IsArray() && json.Size() == value.items.size() &&
             std::equal(value.items.begin(), value.items.end(), json.Begin(), equals);
    case Type::map:
      return json.IsObject() && json.MemberCount() == value.members.size() &&
             std::all_of(value.members.begin(), value.members.end(), [&](const Value::Member& member) {
               const Schema* other = get(json, member.key);
               return other && equals(member.value, *other);
             });
  }
  return false;
}

// JSON Schema counts characters.
std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// A POSIX extended expression: of JSON Schema's dialect our patterns use what both have. Unlike std::regex it matches
// in linear time and without recursion.
class Pattern {
 public:
  explicit Pattern(const char* text) { valid_ = ::regcomp(&compiled_, text, REG_EXTENDED | REG_NOSUB) == 0; }
  ~Pattern() {
    if (valid_) ::regfree(&compiled_);
  }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  bool matches(const std::string& text) const {
    return valid_ && text.find('\0') == text.npos && ::regexec(&compiled_, text.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t compiled_{};
  bool valid_ = false;
};

class Walk {
 public:
  Walk(Nulls nulls, std::size_t most) : nulls_(nulls), most_(most) {}

  void judge(const Value& value, const Schema& schema, const Value::Member* member, bool secret);

  std::vector<Violation> found;

 private:
  void report(std::string_view keyword, const Value& value, const Schema& schema, const Value::Member* member,
              bool secret, std::string_view missing = {}) {
    if (full()) return;
    std::string path;
    for (const Step& step : steps_) {
      if (step.key.data() == nullptr)
        path += "[" + std::to_string(step.index) + "]";
      else
        path += (path.empty() ? "" : ".") + std::string(step.key);
    }
    found.push_back({keyword, &value, &schema, member, missing, std::move(path), secret});
  }
  bool full() const { return found.size() >= most_; }

  void judge_map(const Value& map, const Schema& schema, const Value::Member* member, bool secret);
  bool matches(const std::string& text, const Schema& pattern);

  struct Step {
    std::string_view key;  // without data: an index
    std::size_t index = 0;
  };
  std::vector<Step> steps_;
  std::map<std::string_view, Pattern> patterns_;
  Nulls nulls_;
  std::size_t most_;
};

void Walk::judge(const Value& value, const Schema& schema, const Value::Member* member, bool secret) {
  if (schema.IsTrue() || full()) return;
  if (schema.IsFalse()) return report("false", value, schema, member, secret);
  secret = secret || get(schema, "x-kubejoin-secret");
  const auto broken = [&](std::string_view keyword) { report(keyword, value, schema, member, secret); };

  if (const Schema* type = get(schema, "type")) {
    const bool fits = type->IsString() ? has_type(value, text_of(*type))
                                       : std::any_of(type->Begin(), type->End(),
                                                     [&](const Schema& one) { return has_type(value, text_of(one)); });
    if (!fits) broken("type");
  }
  if (const Schema* one = get(schema, "const"); one && !equals(value, *one)) broken("const");
  if (const Schema* some = get(schema, "enum");
      some && std::none_of(some->Begin(), some->End(), [&](const Schema& one) { return equals(value, one); }))
    broken("enum");
  if (value.type == Type::string) {
    const Schema* most = get(schema, "maxLength");
    const Schema* pattern = get(schema, "pattern");
    if (most && static_cast<double>(length_of(value.text)) > most->GetDouble())
      broken("maxLength");
    else if (pattern && !matches(value.text, *pattern))
      broken("pattern");
  }
  if (is_number(value)) {
    const Schema* least = get(schema, "minimum");
    const Schema* most = get(schema, "maximum");
    if (least && number_of(value) < least->GetDouble()) broken("minimum");
    if (most && number_of(value) > most->GetDouble()) broken("maximum");
  }
  if (value.type == Type::map) judge_map(value, schema, member, secret);
  const Schema* items = get(schema, "items");
  if (value.type != Type::list || !items) return;
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const Schema* item = items;
    if (items->IsArray()) {
      if (i >= items->Size()) break;
      item = &(*items)[static_cast<rapidjson::SizeType>(i)];
    }
    steps_.push_back({{}, i});
    judge(value.items[i], *item, nullptr, secret);
    steps_.pop_back();
  }
}

void Walk::judge_map(const Value& map, const Schema& schema, const Value::Member* member, bool secret) {
  if (const Schema* required = get(schema, "required")) {
    for (const Schema& name : required->GetArray()) {
      const Value* there = map.find(text_of(name));
      if (!there || (there->type == Type::null && nulls_ == Nulls::as_absent))
        report("required", map, schema, member, secret, text_of(name));
    }
  }
  const Schema* properties = get(schema, "properties");
  const Schema* others = get(schema, "additionalProperties");
  for (const Value::Member& inner : map.members) {
    if (full()) return;
    const Schema* known = properties ? get(*properties, inner.key) : nullptr;
    if (known && inner.value.type == Type::null && nulls_ == Nulls::as_absent) continue;
    const Schema* judge_by = known ? known : others;
    if (!judge_by) continue;
    if (!known && others->IsFalse()) {
      report("additionalProperties", inner.value, schema, &inner, secret);
      continue;
    }
    steps_.push_back({inner.key, 0});
    judge(inner.value, *judge_by, &inner, secret);
    steps_.pop_back();
  }
}

bool Walk::matches(const std::string& text, const Schema& pattern) {
  return text.size() <= kLongestMatched &&
         patterns_.try_emplace(text_of(pattern), pattern.GetString()).first->second.matches(text);
}

}  // namespace

std::vector<Violation> violations(const Value& value, const Schema& schema, Nulls nulls, std::size_t most) {
  Walk walk(nulls, most);
  walk.judge(value, schema, nullptr, false);
  return std::move(walk.found);
}

const Schema* subschema(const Schema& schema, const std::vector<std::string>& keys) {
  const Schema* here = &schema;
  for (const std::string& key : keys) {
    while (const Schema* items = get(*here, "items")) here = items;
    const Schema* properties = get(*here, "properties");
    const Schema* next = properties ? get(*properties, key) : nullptr;
    if (!next) return nullptr;
    here = next;
  }
  return here;
}

}  // namespace kubejoin::schema
