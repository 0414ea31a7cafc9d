// Small network questions to the kernel and to DNS.
#pragma once

#include "base/host.h"

namespace kubejoin::network {

// See the functions of the same names in Host.
Status can_listen(std::uint16_t port);
Status can_connect_unix(const std::string& path);
Status send_datagram(const std::string& unix_path, std::string_view data);
bool resolves(const std::string& name, Millis timeout);
Status wait_for_route(const std::string& address, Instant deadline, int wake_fd);

}  // namespace kubejoin::network
