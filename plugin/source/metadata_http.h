// MetadataService: a link-local metadata service, asked the way its protocol wants; a platform's file states only the protocol.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/host.h"

namespace kubejoin::source {

using Headers = std::vector<std::pair<std::string, std::string>>;

// A session token that a service wants with every request: PUT `path`, then `header` with what came back.
struct SessionToken {
  std::string path;
  std::pair<std::string, std::string> lifetime;  // header of the PUT, seconds
  std::string header;
};

struct Protocol {
  std::string_view service;        // "EC2's metadata service", for sentences
  std::vector<std::string> bases;  // "http://169.254.169.254"; of several the first to answer is used
  Headers headers = {};            // with every request
  std::optional<SessionToken> token = {};
  std::string_view help = {};      // hint when it cannot be reached: what usually is wrong there
  bool link_local = true;          // no proxy
  bool privileged_port = false;    // the service answers only to ports below 1024
};

// A path and whether the service must have it. 404 and 204 mean "not given" for an optional one; a required one that is not there
// is not there yet, and all are asked for again: early in a boot a service may know nothing of its instance.
struct Wanted {
  std::string path;
  bool required = false;
  Headers headers = {};  // with this one alone
};

// No proxy, no redirect, 1 MiB and 10 s a request, retries with jitter and Retry-After until the deadline; 401 renews the token once.
class MetadataService {
 public:
  MetadataService(Host& host, Protocol protocol, Instant deadline);

  // Path -> body, all asked for at once; what is not given is absent. Errors: Kind::unavailable at the deadline; Kind::unfit
  // "source.disabled" when the service refuses a token; "source.status" for any other status, redirects included.
  using Answers = std::map<std::string, std::string>;
  Result<Answers> get(const std::vector<Wanted>& wanted);

  // The address that answered, for Fetched::origin.
  std::string url(std::string_view path) const { return base_ + std::string(path); }

 private:
  Result<Answers> get_once(const std::vector<Wanted>& wanted);
  Status connect(const std::string& first_path);
  HttpRequest request(std::string method, const std::string& base, const std::string& path, const Headers& more) const;
  tl::unexpected<Error> unexpected_status(const HttpResponse& answer, const std::string& path) const;

  Host& host_;
  const Protocol protocol_;
  const Instant deadline_;
  std::unique_ptr<HttpSession> http_;
  std::string base_;  // of protocol_.bases, the one that answered
  Secret token_;      // empty: none yet
  bool renewed_ = false;
};

}  // namespace kubejoin::source
