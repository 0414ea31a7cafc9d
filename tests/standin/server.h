// Server: listens, shows the certificate it is told to show, and hands out requests.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <openssl/ssl.h>

#include "connection.h"
#include "pki.h"

namespace kubejoin::standin {

struct Listener {
  Loop& loop;
  Handler handler;
  std::function<void(const std::string& line)> log;
  // Which certificate the n-th connection gets; nullptr: plain HTTP.
  std::function<SSL_CTX*(int connection)> context;
  int reset_first = 0;           // connections that get a TCP reset before anything
  bool never_handshake = false;  // accepted, and left alone
};

// Listens on 127.0.0.1 and, where there is one, ::1; port 0: any. Returns the port; throws std::runtime_error.
// `listener` outlives the loop.
int listen_on_loopback(Listener& listener, int port);
void listen_on_unix_socket(Listener& listener, const std::string& path);

// A server's side of TLS: certificate and key, HTTP/2 and 1.1 by ALPN, and a client certificate is asked for, not
// demanded.
SSL_CTX* make_tls(const Pair& shown, const Pair& ca, bool http2);

}  // namespace kubejoin::standin
