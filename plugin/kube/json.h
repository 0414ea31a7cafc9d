// JSON from the API server, bounded; for the .cc files of this folder.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include <rapidjson/document.h>

#include "base/result.h"

namespace kubejoin::kube {

// At most 4 MiB, 64 levels, valid UTF-8, no duplicate keys, nothing behind the value. `doing` is what the caller is
// about, for the sentence: "unable to <doing>: …". Fails with "kube.object", Kind::unavailable: a proxy's page in place
// of an answer goes away.
Result<rapidjson::Document> read_json(std::string_view text, std::string_view doing);
tl::unexpected<Error> bad_object(std::string_view doing, std::string_view why);

// The value at a path of member names, or nullptr. `text_at`: "" when it is absent or no string.
const rapidjson::Value* value_at(const rapidjson::Value& object, std::initializer_list<const char*> path);
std::string text_at(const rapidjson::Value& object, std::initializer_list<const char*> path);

std::string write_json(const rapidjson::Value& value);

}  // namespace kubejoin::kube
