// HttpSession over libcurl: one multi handle, HTTP/2 where offered, verification by base/tls.h.
#pragma once

#include <memory>

#include "base/http.h"

namespace kubejoin {

// `wake_fd` becomes readable when the process is asked to end: running requests then fail with "signal.terminated".
std::unique_ptr<HttpSession> make_curl_session(HttpOptions options, int wake_fd);

}  // namespace kubejoin
