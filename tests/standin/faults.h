// Faults: what a cluster in the field may do wrong, by name.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "behaviour.h"

namespace kubejoin::standin {

struct Fault {
  std::string_view name;
  std::string_view argument;  // how it is called in the sentence; empty: it takes none. "[…]": it may be left out
  std::string_view sentence;
  void (*play)(Behaviour& behaviour, const std::string& argument);
};

std::span<const Fault> faults();

// Changes `behaviour` as "NAME" or "NAME=ARGUMENT" says; an unknown name or a bad argument throws std::runtime_error.
void play(Behaviour& behaviour, const std::string& fault);

}  // namespace kubejoin::standin
