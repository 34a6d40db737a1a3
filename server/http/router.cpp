// WHICH route serves a request: the trie, and the refusals that follow from the table alone.
#include "server/http/router.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <vector>

#include "domain/assert.hpp"
#include "server/http/negotiation.hpp"

namespace penstock::server {

struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::array<Match, 8> routes{};  ///< by Method; those without a route are not served

    bool serves() const {
        return std::any_of(routes.begin(), routes.end(), [](auto& match) { return match.route; });
    }
};

namespace {

bool is_parameter(std::string_view segment) {
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

[[noreturn]] void refuse(Route const& route, std::string_view why) {
    throw std::invalid_argument("route " + std::string(to_string(route.method)) + " " +
                                std::string(route.pattern) + " " + std::string(why));
}

std::vector<std::string_view> segments_of(Route const& route) {
    if (route.pattern.empty() || route.pattern.front() != '/') refuse(route, "must begin with /");
    std::vector<std::string_view> segments;
    auto rest = route.pattern;
    while (!rest.empty()) {
        rest.remove_prefix(1);
        auto const end = std::min(rest.find('/'), rest.size());
        segments.push_back(rest.substr(0, end));
        rest.remove_prefix(end);
    }
    return segments;
}

/// "GET, HEAD, OPTIONS, POST" for 405 and OPTIONS.
std::string allowed_methods(std::array<Match, 8> const& routes) {
    std::string text;
    auto add = [&](Method method) {
        if (!text.empty()) text += ", ";
        text += to_string(method);
    };
    for (auto const method :
         {Method::get, Method::post, Method::put, Method::patch, Method::delete_})
        if (routes[static_cast<std::size_t>(method)].route != nullptr) {
            add(method);
            if (method == Method::get) add(Method::head);
        }
    add(Method::options);
    return text;
}

std::vector<Fault> unknown_parameters(Route const& route, Target const& target) {
    std::vector<Fault> faults;
    auto const known = route.query.view();
    for (auto const& parameter : target.query)
        if (std::find(known.begin(), known.end(), parameter.name) == known.end())
            faults.push_back({Fault::Where::parameter, parameter.name, "is not known here"});
    return faults;
}

bool acceptable(Route const& route, std::string_view accept) {
    switch (route.produces) {
        case Produces::any:
            return true;
        case Produces::page:
            return accepts(accept, "text/html") || accepts(accept, "text/plain");
        case Produces::json:
            break;
    }
    return accepts(accept, media::json) || accepts(accept, media::problem);
}

/// What the headers and the query make impossible, in the order in which a client is told.
std::optional<Problem> refusal(Route const& route, Request const& request,
                               std::optional<milliseconds>& timeout) {
    auto const accept = request.headers.get("Accept");
    if (!acceptable(route, accept))
        return Problem(Code::not_acceptable,
                       "This resource cannot be given as " + std::string(accept.substr(0, 200)));
    if (!request.body.empty() && !is_json(request.headers.get("Content-Type")))
        return Problem(Code::unsupported_media_type, "The Content-Type must be application/json");
    auto faults = unknown_parameters(route, request.target);
    auto const wish = request.headers.find("Request-Timeout-Ms");
    if (wish) timeout = parse_timeout(*wish);
    if (wish && !timeout)
        faults.push_back(
            {Fault::Where::header, "Request-Timeout-Ms", "must be an integer from 1 to 600000"});
    if (faults.empty()) return std::nullopt;
    return Problem(Code::invalid_request, "", std::move(faults));
}

}  // namespace

Router::Router(std::span<Route const> routes) : routes_(routes), root_(std::make_unique<Node>()) {
    for (auto const& route : routes) add(route);
}

Router::Router(Router&&) noexcept = default;
Router::~Router() = default;

void Router::add(Route const& route) {
    auto* node = root_.get();
    Match match;
    match.route = &route;
    std::uint8_t position = 0;
    for (auto const segment : segments_of(route)) {
        bool const braces = segment.find_first_of("{}") != std::string_view::npos;
        if (braces && !is_parameter(segment)) refuse(route, "has a malformed parameter");
        if (braces && match.count == Match::parameters_max)
            refuse(route, "has too many parameters");
        if (braces) {
            match.names[match.count] = segment.substr(1, segment.size() - 2);
            match.segments[match.count++] = position;
        }
        ++position;
        auto& next = braces ? node->parameter : node->literals[std::string(segment)];
        if (!next) next = std::make_unique<Node>();
        node = next.get();
    }
    bool const servable = route.method != Method::head && route.method != Method::options &&
                          route.method != Method::other;
    if (!servable) refuse(route, "has a method that the router answers itself");
    if (route.handler == nullptr) refuse(route, "has no handler");
    auto& slot = node->routes[static_cast<std::size_t>(route.method)];
    if (slot.route) refuse(route, "is also there as " + std::string(slot.route->pattern));
    slot = match;
}

/// Literals first; where they lead nowhere, back to the parameter.
Router::Node const* Router::descend(Node const& node, std::span<std::string const> rest) {
    if (rest.empty()) return node.serves() ? &node : nullptr;
    auto const literal = node.literals.find(rest.front());
    if (literal != node.literals.end()) {
        auto const* found = descend(*literal->second, rest.subspan(1));
        if (found != nullptr) return found;
    }
    if (!node.parameter || rest.front().empty()) return nullptr;
    return descend(*node.parameter, rest.subspan(1));
}

Router::Found Router::find(Method method, Target const& target) const {
    Found found;
    auto const* node = descend(*root_, target.segments);
    if (node == nullptr) return found;
    found.node = node;
    auto const wanted = method == Method::head ? Method::get : method;
    found.match = node->routes[static_cast<std::size_t>(wanted)];
    return found;
}

Routing Router::route(Request const& request) const {
    Routing routing;
    auto const found = find(request.method, request.target);
    if (found.node == nullptr) {
        routing.answer = render(Problem(Code::not_found), request.request_id);
        return routing;
    }
    if (request.method == Method::options) {
        routing.answer.emplace(204U);
        routing.answer->add("Allow", allowed_methods(found.node->routes));
        return routing;
    }
    if (found.match.route == nullptr) {
        routing.answer = render(Problem(Code::method_not_allowed), request.request_id);
        routing.answer->add("Allow", allowed_methods(found.node->routes));
        return routing;
    }
    routing.match = found.match;
    auto const problem = refusal(*found.match.route, request, routing.timeout);
    if (!problem) return routing;
    routing.answer = render(*problem, request.request_id);
    routing.answer->route = found.match.route->name;
    return routing;
}

std::size_t Router::body_max(Request const& head) const {
    auto const found = find(head.method, head.target);
    return found.match.route != nullptr ? found.match.route->body_max : body_default_max;
}

std::string const& Match::parameter(Target const& target, std::string_view name) const {
    for (std::size_t i = 0; i < count; ++i)
        if (names[i] == name) return target.segments[segments[i]];
    PENSTOCK_ASSERT(!"the pattern has that parameter");
    return target.raw;
}

}  // namespace penstock::server
