// WHICH route serves a request, and what a client hears when none does.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/http/problem.hpp"
#include "server/http/request.hpp"
#include "server/http/response.hpp"
#include "server/rate_limits.hpp"

namespace penstock::server {

class RequestContext;
using Handler = asio::awaitable<Response> (*)(RequestContext&);

enum class Scope : std::uint8_t { open, read, write, admin };
enum class Idempotency : std::uint8_t { none, required, optional };
/// What the answer is, for Accept: JSON, a text page, or something a client cannot refuse
/// beforehand (downloads, event streams).
enum class Produces : std::uint8_t { json, page, any };

inline constexpr std::size_t body_default_max = 1 << 20;
inline constexpr std::size_t body_bulk_max = 8 << 20;

/// The query parameters that a route knows; any other is a 400.
struct QueryNames {
    static constexpr std::size_t names_max = 10;
    constexpr QueryNames() = default;
    constexpr QueryNames(std::initializer_list<std::string_view> list) {
        for (auto name : list) names.at(count++) = name;
    }
    constexpr std::span<std::string_view const> view() const { return {names.data(), count}; }

    std::array<std::string_view, names_max> names{};
    std::size_t count = 0;
};

/// One row of the routing table. All text in it has static storage.
struct Route {
    Method method;
    std::string_view pattern;  ///< "/v1/ledgers/{ledger}/holds/{id}/capture"
    Scope scope;
    Idempotency idempotency;
    Handler handler;
    std::string_view name;  ///< metric label and log field: "capture_hold"
    QueryNames query{};
    std::size_t body_max = body_default_max;
    Produces produces = Produces::json;
    /// Nothing: what follows from the rest, see rate_class_of().
    std::optional<RateClass> rate_class{};
};

/// A request and the route that serves it, with the values of the path's parameters.
struct Match {
    static constexpr std::size_t parameters_max = 6;
    Route const* route = nullptr;
    /// Which segment of the target is the i-th parameter of the pattern.
    std::array<std::uint8_t, parameters_max> segments{};
    std::array<std::string_view, parameters_max> names{};
    std::size_t count = 0;

    /// The decoded value; asserts that the pattern has that parameter.
    std::string const& parameter(Target const& target, std::string_view name) const;
};

/// What the router decided: a match, or the answer (404, 405 with Allow, 204 to OPTIONS, 400 for
/// unknown query parameters, 406, 415).
struct Routing {
    Match match;
    std::optional<milliseconds> timeout;  ///< Request-Timeout-Ms, checked
    std::optional<Response> answer;
};

/// Segment trie over a routing table, built once. Literal segments win over parameters; HEAD is
/// served by GET. The table outlives the router.
class Router {
public:
    /// Throws std::invalid_argument with a sentence when two routes collide or one is malformed.
    explicit Router(std::span<Route const> routes);
    Router(Router&&) noexcept;
    ~Router();

    /// Everything that the routing table alone decides. `answer` carries the request id and,
    /// when there is a route, its name.
    Routing route(Request const& request) const;

    /// For App::body_max; body_default_max where no route is found.
    std::size_t body_max(Request const& head) const;

    std::span<Route const> routes() const { return routes_; }

private:
    struct Node;
    struct Found {
        Match match;
        Node const* node = nullptr;  ///< null: nothing is served at that path
    };
    void add(Route const& route);
    static Node const* descend(Node const& node, std::span<std::string const> rest);
    Found find(Method method, Target const& target) const;

    std::span<Route const> routes_;
    std::unique_ptr<Node> root_;
};

}  // namespace penstock::server
