// What a handler works with: one request, who asks, and the services of its shard.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/edge.hpp"
#include "db/store.hpp"
#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "server/clock.hpp"
#include "server/engine.hpp"
#include "server/http/app.hpp"
#include "server/http/router.hpp"
#include "server/id_source.hpp"
#include "server/key_directory.hpp"
#include "server/ledger_directory.hpp"
#include "server/rate_limits.hpp"

namespace penstock::server {

class ExportDesk;
class HotDesk;
class ProductReads;
class RateLimiter;
class SaleDesk;

enum class Credential : std::uint8_t { none, operator_key, key };

/// Who asks. An admin of the organization `default` runs the installation: it may make and see
/// other organizations.
struct Principal {
    domain::OrganizationId organization = domain::default_organization;
    domain::Scopes scopes = 0;
    Credential credential = Credential::none;
    domain::ApiKeyId key{};  ///< of Credential::key

    bool may(Scope scope) const;
    /// Came with a key that may do everything: of the limits of rates only its own class counts.
    bool is_trusted() const { return credential != Credential::none && may(Scope::admin); }
    bool is_operator() const {
        return organization == domain::default_organization && may(Scope::admin);
    }
};

/// What only the composed program can answer, for the health routes.
class Introspection {
public:
    virtual ~Introspection() = default;
    struct Readiness {
        bool ready = false;
        std::string json;  ///< {"status": "ok" | "degraded" | "unavailable", "dependencies": {…}}
    };
    virtual asio::awaitable<Readiness> readiness(SteadyTime deadline) = 0;
    virtual std::string metrics() = 0;         ///< Prometheus text
    virtual std::string const& openapi() = 0;  ///< the served document
};

struct AccessPolicy {
    /// Without any key and on loopback everyone is the operator.
    bool open = false;
    /// PENSTOCK_ADMIN_KEY's digest: the operator's first key.
    std::optional<domain::SecretDigest> admin_key;
};

/// The services of one shard; they outlive every request.
struct Services {
    db::Store& store;
    Engine& engine;
    Clock& clock;
    IdSource& ids;
    Introspection& introspection;
    AccessPolicy const& access;
    KeyDirectory& keys;
    cache::Edge& edge;
    SaleDesk& sales;
    milliseconds deadline_default;
    RateLimiter& limiter;
    std::size_t shard;
    ProductReads& products;
    ExportDesk& exports;
    HotDesk& hot;
};

/// One request on its way through a handler.
class RequestContext {
public:
    RequestContext(Services& its_services, LedgerDirectory& its_ledgers, Request its_request,
                   Match its_match, SteadyTime its_deadline)
        : services(its_services),
          ledgers(its_ledgers),
          request(std::move(its_request)),
          match(its_match),
          deadline(its_deadline) {}
    RequestContext(RequestContext&&) = delete;

    std::string const& parameter(std::string_view name) const {
        return match.parameter(request.target, name);
    }
    std::optional<std::string_view> query(std::string_view name) const {
        return request.target.parameter(name);
    }
    Response problem(Problem const& problem) const { return render(problem, request.request_id); }
    Response problem(Code code) const { return problem(Problem(code)); }
    /// What the world said no to: 503 or 504, with Retry-After; 500 where we are at fault.
    Response failure(error_code error) const;
    /// 400 for a query parameter.
    Response bad_parameter(std::string_view name, std::string detail) const;

    /// The ledger that the path names; nullopt: 404.
    asio::awaitable<Result<std::optional<domain::Ledger>>> find_ledger();
    domain::LedgerName ledger_name() const { return {principal.organization, parameter("ledger")}; }
    /// That ledger decides its posts itself, and the store only learns of them.
    bool is_on_hot_ledger() const { return hot_ledger_.has_value(); }
    /// As they stand now, on a ledger that was found by find_ledger().
    asio::awaitable<Result<std::optional<domain::Account>>> find_account(domain::AccountName name);
    asio::awaitable<Result<std::optional<domain::Hold>>> find_hold(domain::LedgerId ledger,
                                                                   domain::HoldId id);

    /// Submits a command and answers: the receipt's body with `status`, the recorded status of a
    /// replay, or the problem of a refusal. `canonical` is the body for the fingerprint.
    asio::awaitable<Response> perform(domain::Command command, std::string canonical,
                                      unsigned status);
    /// The same up to the outcome, for the one handler that adds to it.
    asio::awaitable<Result<domain::Outcome>> submit(domain::Command command, std::string canonical);
    Response refuse(domain::Refusal const& refusal) const;
    Response answer(Result<domain::Outcome> const& outcome, unsigned status);

    /// Counts this request against the quota of the key, or of the address where there is none:
    /// 429 when it is used up. Nothing, at no cost, where that class is not limited.
    asio::awaitable<std::optional<Response>> over_limit(RateClass rate_class);
    /// The same for the end user whom the body names, within this organization.
    asio::awaitable<std::optional<Response>> over_user_limit(std::string user);
    /// The same for the address that it came from.
    asio::awaitable<std::optional<Response>> over_address_limit();
    bool is_limited(RateClass rate_class) const;

    /// What the store indexes this request by; its route needs an Idempotency-Key.
    domain::IdempotencyKey idempotency_key() const;

    /// What the edge knows about this request's key: the outcome of its first use, or that
    /// somebody is at it. Nothing: go on, the key is this request's until it ends. submit() asks
    /// by itself; a handler that reads the store before it may ask earlier.
    asio::awaitable<std::optional<Result<domain::Outcome>>> known_outcome(std::string canonical);

    Services& services;
    LedgerDirectory& ledgers;
    Request request;
    Match match;
    SteadyTime deadline;
    Principal principal;
    std::vector<RateStanding> rates;  ///< of the limits that this request was counted against
    bool is_stale = false;            ///< what was read may have changed since, and said so

private:
    asio::awaitable<std::optional<Response>> over_limit(RateClass rate_class, std::string subject);

    std::optional<domain::KeyUse> key_use_;
    std::optional<cache::Edge::Ticket> ticket_;
    std::optional<domain::Ledger> hot_ledger_;  ///< the one that the path names, if it is hot
};

/// The program behind the sessions of one shard: routes, authenticates, calls the handler.
class Api final : public App {
public:
    Api(Services services, Router const& router);
    std::size_t body_max(Request const& head) const override { return router_.body_max(head); }
    asio::awaitable<Response> handle(Request request) override;

private:
    asio::awaitable<Result<std::optional<Principal>>> authenticate(std::string_view authorization,
                                                                   SteadyTime deadline);

    asio::awaitable<Response> dispatch(RequestContext& context);

    Services services_;
    Router const& router_;
    LedgerDirectory ledgers_;
};

/// Every route of the program: the table from which routing, scopes and /openapi.json follow.
std::span<Route const> route_table();

/// SHA-256, as the program uses it for keys, fingerprints and secrets.
std::array<std::uint8_t, 32> sha256(std::string_view bytes);

}  // namespace penstock::server
