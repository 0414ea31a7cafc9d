// Bootstrap tokens, and the signature that they put on cluster-info.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace kubejoin::kube {

// "abcdef.0123456789abcdef" (k8s.io/cluster-bootstrap token/api/types.go).
struct Token {
  std::string id;  // public: it names the Secret and the signature
  Secret secret;
};

// Nothing when the text is not exactly [a-z0-9]{6}\.[a-z0-9]{16}; nothing is trimmed.
std::optional<Token> parse_token(const Secret& text);

// Detached compact JWS, HS256, header {"alg":"HS256","kid":ID} (RFC 7515 appendix F; cluster-bootstrap
// token/jws/jws.go). The key is the token's secret half alone.
std::string jws_sign(std::string_view payload, const Token& token);

// Signs again and compares the whole text in constant time, as the header is not ours to interpret.
bool jws_verify(std::string_view payload, std::string_view detached, const Token& token);

}  // namespace kubejoin::kube
