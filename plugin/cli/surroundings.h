// What configurations are judged with: the names of all that this program has above config/.
#pragma once

#include "config/load.h"

namespace kubejoin::cli {

config::Surroundings surroundings_of(std::string hostname);

}  // namespace kubejoin::cli
