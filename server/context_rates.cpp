// WHOSE quota a request is taken from, and how a client is refused that has none left.
#include "server/context.hpp"
#include "server/rate_limiter.hpp"

namespace penstock::server {
namespace {

std::string subject_of(Principal const& principal, Request const& request) {
    switch (principal.credential) {
        case Credential::key:
            return "key:" + principal.key.to_string();
        case Credential::operator_key:
            return "key:operator";
        case Credential::none:
            break;
    }
    return "ip:" + request.peer_ip;
}

}  // namespace

asio::awaitable<std::optional<Response>> RequestContext::over_limit(RateClass rate_class) {
    return over_limit(rate_class, subject_of(principal, request));
}

asio::awaitable<std::optional<Response>> RequestContext::over_user_limit(std::string user) {
    return over_limit(RateClass::user, principal.organization.to_string() + ":" + user);
}

asio::awaitable<std::optional<Response>> RequestContext::over_address_limit() {
    return over_limit(RateClass::address, request.peer_ip);
}

bool RequestContext::is_limited(RateClass rate_class) const {
    if (!services.limiter.limits(rate_class)) return false;
    return rate_class == RateClass::admin || !principal.is_trusted();
}

asio::awaitable<std::optional<Response>> RequestContext::over_limit(RateClass rate_class,
                                                                    std::string subject) {
    std::optional<Response> refused;
    if (!is_limited(rate_class)) co_return refused;
    auto const standing =
        co_await services.limiter.admit(services.shard, rate_class, std::move(subject));
    rates.push_back(standing);
    if (standing.admission.allowed) co_return refused;
    std::string const name(to_string(rate_class));
    Problem problem(Code::rate_limited, "The quota \"" + name + "\" is used up.");
    problem.retry_after_s = retry_after_s(standing);
    refused = this->problem(problem);
    co_return refused;
}

}  // namespace penstock::server
