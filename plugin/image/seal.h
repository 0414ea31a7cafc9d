// Seal: takes identity and secrets out of an image, at the end of a bake.
#pragma once

#include <string>
#include <vector>

#include "image/traces.h"

namespace kubejoin::image {

struct Change {
  std::string check;   // the row of the table that it came from
  std::string path;
  bool written = false;  // else removed
};

struct SealReport {
  std::string root;
  bool dry_run = false;
  std::vector<Change> changes{};      // what was done, or, in a dry run, would be
  std::vector<Error> errors{};        // what could not be done: the image is not sealed
  std::vector<std::string> kept{};    // what the user wanted left alone
};

// Does to each finding of the table what the table says, and writes down the kubelet's version so that no boot has to ask it. A second call finds
// nothing to do. In a machine that runs, first sees to it that what is removed does not come back at shutdown: journald goes on in memory, the
// random seed is not saved. Kind::unfit "seal.node-runs": the kubelet of the machine runs, so that it is a node, not an image.
Result<SealReport> seal(Image& image, bool dry_run);

std::string to_text(const SealReport& report);
std::string to_json(const SealReport& report);  // schemas/seal-v1.json

}  // namespace kubejoin::image
