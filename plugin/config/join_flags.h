// The flags of `kubejoin join` and `kubeadm join`, once: `join` reads its own command line by them, and what scripts say is judged by them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace kubejoin::config {

struct JoinFlag {
  std::string_view name{};        // without dashes
  char letter = 0;                // -v
  std::string_view value_name{};  // empty: a boolean
  std::string_view sentence{};
  enum class Whose { both, kubejoin, control_plane } whose = Whose::both;
  // Where its value goes; none of them for a flag that is no part of a configuration.
  std::optional<std::string> Flags::* text = nullptr;
  std::optional<Secret> Flags::* secret = nullptr;
  std::vector<std::string> Flags::* list = nullptr;
  std::optional<bool> Flags::* boolean = nullptr;
};
std::span<const JoinFlag> join_flags();

// Kind::usage for a list that is none.
Status set(Flags& flags, const JoinFlag& flag, const std::string& value);

}  // namespace kubejoin::config
