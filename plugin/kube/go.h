// What Go does to texts and YAML, where files must come out as kubeadm's, written in Go, would.
#pragma once

#include <string>
#include <string_view>

#include "parse/document.h"

namespace kubejoin::kube {

// strconv.Quote, fmt's %q: in double quotes, with `"`, `\` and everything that does not print escaped.
std::string go_quoted(std::string_view text);

// The plain scalars that sigs.k8s.io/yaml takes for another type than YAML 1.2 does: yes, no, on, off, y, n become
// booleans, 1_000 an integer. In what the kubelet reads, "failSwapOn: no" must stay false.
void as_go_reads(parse::Value& value);

// Keys of every map in byte order, as encoding/json writes maps.
void sort_keys(parse::Value& value);

}  // namespace kubejoin::kube
