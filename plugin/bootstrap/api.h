// Calls to the API server with the bootstrap credential, and what their refusals mean.
#pragma once

#include <functional>

#include "plan/state.h"

namespace kubejoin::bootstrap {

// Ends with what is going on (context.deadline).
HttpRequest api_request(const plan::Context& context, std::string method, const std::string& path);

// 401 becomes Kind::refused "cluster.unauthorized", 403 "cluster.forbidden", each with its cure; other answers pass.
Result<HttpResponse> explain_refusal(Result<HttpResponse> answer, const plan::Context& context);

// Repeats `attempt` while it is unavailable, until timeouts.kubernetesAPICall; after a 401 a late-bound token is read again first.
Status with_token(plan::Context& context, const std::function<Status()>& attempt);

// The certificate of an earlier run that was cut off: its path, with state.identity and state.certificate filled; or nothing. It holds our
// key and our name, and the proven CA vouches for it. The newest wins.
std::optional<std::string> adopt_certificate(plan::Context& context);

// The kubelet-config ConfigMap: the request for the n-th of its names, what an answer means, and all names in turn until
// state.kubelet_config is filled. Nothing that answers: "cluster.config-missing".
HttpRequest kubelet_config_request(plan::Context& context, std::size_t candidate);
Status take_kubelet_config(plan::Context& context, Result<HttpResponse> answer);
Status fetch_kubelet_config(plan::Context& context);

}  // namespace kubejoin::bootstrap
