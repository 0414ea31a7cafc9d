// JSON for objects of the API: templates, values by path, text.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <rapidjson/document.h>
#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace kubejoin::standin {

using Json = rapidjson::Document;

template <class Value>
std::string text_of(const Value& value) {
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> writer(out);
  value.Accept(writer);
  return {out.GetString(), out.GetSize()};
}

// Each `$name` of `text` becomes the value, escaped to stand inside quotes.
inline std::string fill(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string filled;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '$') {
      filled += text[at++];
      continue;
    }
    std::size_t end = at + 1;
    while (end < text.size() && ((text[end] >= 'a' && text[end] <= 'z') || text[end] == '_')) ++end;
    const std::string quoted =
        text_of(rapidjson::Value(rapidjson::StringRef(values.at(std::string(text.substr(at + 1, end - at - 1))))));
    filled += quoted.substr(1, quoted.size() - 2);
    at = end;
  }
  return filled;
}

inline Json parse(std::string_view text) {
  Json json;
  json.Parse(text.data(), text.size());
  return json;
}

// The text at a JSON pointer such as "/metadata/name"; "" when there is none.
template <class Value>
std::string text_at(const Value& json, const char* pointer) {
  const auto* value = rapidjson::Pointer(pointer).Get(json);
  return value && value->IsString() ? std::string(value->GetString(), value->GetStringLength()) : std::string();
}

inline void set(Json& json, const char* pointer, const std::string& text) {
  rapidjson::Pointer(pointer).Set(json, text);
}

}  // namespace kubejoin::standin
