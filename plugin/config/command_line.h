// Command lines: the joins that scripts of the user-data run by themselves, judged as `join` would judge them. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/load.h"
#include "parse/envelope.h"

namespace kubejoin::config {

struct CommandLines {
  struct Join {
    std::string text;                    // "kubeadm join 192.0.2.10:6443 …": no secret is in it
    Place place;                         // of the program's name
    std::vector<std::string> variables;  // that nobody knows before it is run, and so were not judged
    bool for_control_plane = false;      // not judged
  };
  std::vector<Join> joins;      // in the user's order
  std::vector<Error> errors;    // Kind::invalid, with the places of the user's own text
  std::vector<Error> warnings;
};

// Finds `kubeadm join` and `kubejoin join` and judges their flags, tokens, pins and endpoint, and the documents that a script writes by a
// here-document. What is only known when the script runs is left alone. `paths`: the files that the user-data writes.
// `surroundings`: its names of phases and checks.
CommandLines judge_scripts(std::span<const parse::Script> scripts, std::span<const std::string> paths, const Surroundings& surroundings);

// "runcmd[0] joins by itself: kubeadm join 192.0.2.10:6443 … (line 7)", of the first.
std::string sentence(const CommandLines::Join& join);

}  // namespace kubejoin::config
