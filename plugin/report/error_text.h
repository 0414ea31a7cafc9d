// Errors as people and machines read them.
#pragma once

#include <string>

#include "base/result.h"

namespace kubejoin::report {

// "kubejoin: error: MESSAGE [ID]", the place with the offending line and a caret, the causes, the hint. `level` is "error" or "warning".
std::string error_text(const Error& error, std::string_view level = "error");

// One JSON object: kind, id, message, hint, file, part, line, column, causes; empty ones are left out.
std::string error_json(const Error& error);

}  // namespace kubejoin::report
