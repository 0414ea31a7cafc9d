// Validation: a value against a JSON Schema (draft-07), as facts without words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <rapidjson/document.h>

#include "parse/document.h"

namespace kubejoin::schema {

// One keyword that a value breaks. The pointers live as long as the value and the schema.
struct Violation {
  std::string_view keyword;                  // "type", "required", "additionalProperties" …
  const parse::Value* value = nullptr;       // that the keyword judges
  const rapidjson::Value* schema = nullptr;  // that holds the keyword
  const parse::Value::Member* member =
      nullptr;               // what holds the value, or the unknown member itself; nullptr in lists and at the root
  std::string_view missing;  // of "required"
  std::string path;          // of the value, or of the unknown member's map: "taints[0].key"; "" is the root
  bool secret = false;       // "x-kubejoin-secret" here or above
};

// The keywords that are judged. All others of the schemas are annotations; a test sees to it that no schema uses more.
inline constexpr std::string_view kKeywords[] = {
    "additionalProperties", "const",    "enum", "items", "maximum", "maxLength", "minimum", "pattern",
    "properties",           "required", "type"};

enum class Nulls {
  strict,     // a null is a null
  as_absent,  // a null in a field that the schema knows is an absent field, as Go's decoder has it
};

// A pattern judges texts of up to so many bytes; a longer one breaks it.
inline constexpr std::size_t kLongestMatched = 1024;

// In document order, at most `most`. Time is linear in the document.
std::vector<Violation> violations(const parse::Value& value, const rapidjson::Value& schema, Nulls nulls,
                                  std::size_t most);

// The schema of the field at the keys, or nullptr: through properties and items.
const rapidjson::Value* subschema(const rapidjson::Value& schema, const std::vector<std::string>& keys);

}  // namespace kubejoin::schema
