// What --ignore-preflight-errors can name.
#pragma once

#include <string>
#include <vector>

namespace kubejoin::preflight {

// kubeadm's checks of all releases and roles (app/preflight/checks.go, the methods Name, 1.20 to 1.37) and ours; what ends in a dash is
// followed by a path, a program, a port or a service.
std::vector<std::string> check_names();

}  // namespace kubejoin::preflight
