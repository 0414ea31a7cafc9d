// UTF-8: where a text stops being valid.
#pragma once

#include <cstddef>
#include <string_view>

namespace kubejoin::parse {

// Length of the valid sequence at the front of `text` (RFC 3629: no surrogates, no overlong forms); 0 when there is
// none.
std::size_t utf8_length(std::string_view text);

// Offset of the first byte that is not valid UTF-8, or of a control character other than tab, LF and CR; npos when
// there is none.
std::size_t find_unprintable(std::string_view text);

}  // namespace kubejoin::parse
