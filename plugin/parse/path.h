// Paths: what stands at a place of a document, in dotted form.
#pragma once

#include <string>

#include "parse/document.h"

namespace kubejoin::parse {

// "discovery.bootstrapToken.token", "nodeRegistration.taints[0].key" for the place of that key or of its value; "" when
// the place is the document's own or none of it. Where a map and its first key begin at one place, `outermost` says the map.
std::string path_at(const Document& document, const Place& place, bool outermost);

}  // namespace kubejoin::parse
