// What every request goes through: the route, who asks, the key, the handler; and how a command's
// outcome becomes an answer.
#include "server/context.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <boost/describe/enum_to_string.hpp>
#include <memory>

#include "db/pg/error.hpp"
#include "domain/assert.hpp"
#include "server/hot/desk.hpp"
#include "server/http/negotiation.hpp"
#include "server/render.hpp"

namespace penstock::server {
namespace {

constexpr domain::Scopes all_scopes = 7;

struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

domain::IdempotencyKey digest_of(domain::OrganizationId const& organization, std::string_view key) {
    std::string scoped(organization.to_string());
    scoped.append(1, '\n').append(key);
    domain::IdempotencyKey stored;
    auto const digest = sha256(scoped);
    std::copy_n(digest.begin(), stored.value.bytes.size(), stored.value.bytes.begin());
    return stored;
}

domain::KeyUse key_use_of(RequestContext const& context, std::string_view key,
                          std::string_view canonical) {
    std::string asked(to_string(context.request.method));
    asked.append(1, '\n').append(context.request.target.path());
    asked.append(1, '\n').append(canonical);
    domain::KeyUse use;
    use.key = digest_of(context.principal.organization, key);
    use.fingerprint = sha256(asked);
    return use;
}

/// Who asks without a key.
std::optional<Principal> anonymous(AccessPolicy const& access) {
    if (!access.open) return std::nullopt;
    return Principal{domain::default_organization, all_scopes};
}

/// A product's payment may lack its ledger, too, and no path names that.
bool names_ledger(Match const& match) {
    auto const end = match.names.begin() + static_cast<std::ptrdiff_t>(match.count);
    return std::find(match.names.begin(), end, "ledger") != end;
}

Problem problem_of(domain::Refusal const& refusal) {
    auto const name = boost::describe::enum_to_string(refusal.code, "internal");
    Problem problem(code_named(name).value_or(Code::internal), refusal.detail);
    if (!refusal.pointer.empty())
        problem.errors.push_back(
            {Fault::Where::pointer, refusal.pointer,
             refusal.detail.empty() ? std::string(row_of(problem.code).title) : refusal.detail});
    if (refusal.starts_at)
        problem.add("starts_at", '"' + instant_text(refusal.starts_at->ms) + '"');
    return problem;
}

/// Missing where the route needs it, or malformed.
std::optional<Problem> key_fault(Request const& request, Route const& route) {
    auto const key = request.headers.find("Idempotency-Key");
    if (!key) {
        if (route.idempotency != Idempotency::required) return std::nullopt;
        return Problem(Code::idempotency_key_missing, "This request needs an Idempotency-Key.",
                       {{Fault::Where::header, "Idempotency-Key", "is missing"}});
    }
    if (route.idempotency == Idempotency::none) return std::nullopt;
    if (request.headers.count("Idempotency-Key") == 1 && is_idempotency_key(*key))
        return std::nullopt;
    return Problem(Code::idempotency_key_invalid, "",
                   {{Fault::Where::header, "Idempotency-Key",
                     "must be given once, as 1 to 255 visible ASCII characters"}});
}

}  // namespace

std::array<std::uint8_t, 32> sha256(std::string_view bytes) {
    // Looked up once: SHA256() itself searches OpenSSL's tables for the algorithm at every call,
    // and a context of its own for each would cost as much as the digest.
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    thread_local std::unique_ptr<EVP_MD_CTX, FreeDigest> const context(EVP_MD_CTX_new());
    std::array<std::uint8_t, 32> digest{};
    bool const done = EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1 &&
                      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
                      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
    PENSTOCK_ASSERT(done);
    return digest;
}

bool Principal::may(Scope scope) const {
    // admin includes write, and write includes read.
    switch (scope) {
        case Scope::open:
            return true;
        case Scope::read:
            return scopes != 0;
        case Scope::write:
            return scopes >= static_cast<domain::Scopes>(domain::Scope::write);
        case Scope::admin:
            return scopes >= static_cast<domain::Scopes>(domain::Scope::admin);
    }
    return false;
}

Response RequestContext::failure(error_code error) const {
    if (error == reactor::Errc::deadline_exceeded) return problem(Code::deadline_exceeded);
    auto code = Code::unavailable;
    if (error == reactor::Errc::overloaded) code = Code::overloaded;
    if (error == cache::Errc::key_in_flight) code = Code::idempotency_in_flight;
    if (error == db::Errc::refused_by_database || error == db::Errc::unexpected_reply)
        return problem(Code::internal);
    Problem refused(code);
    refused.retry_after_s = 1;
    return problem(refused);
}

Response RequestContext::bad_parameter(std::string_view name, std::string detail) const {
    std::vector<Fault> faults;
    faults.push_back({Fault::Where::parameter, std::string(name), std::move(detail)});
    return problem(Problem(Code::invalid_request, "", std::move(faults)));
}

asio::awaitable<Result<std::optional<domain::Ledger>>> RequestContext::find_ledger() {
    auto found = co_await ledgers.find(ledger_name(), deadline);
    hot_ledger_.reset();
    if (found && *found && (*found)->posting == domain::Posting::hot) hot_ledger_ = **found;
    co_return found;
}

asio::awaitable<Result<std::optional<domain::Account>>> RequestContext::find_account(
    domain::AccountName name) {
    if (!hot_ledger_) co_return co_await services.store.find_account(std::move(name), deadline);
    auto found = co_await services.hot.find_account(std::move(name), deadline);
    if (!found) co_return found.error();
    is_stale = found->is_stale;
    co_return std::move(found->row);
}

asio::awaitable<Result<std::optional<domain::Hold>>> RequestContext::find_hold(
    domain::LedgerId ledger, domain::HoldId id) {
    if (!hot_ledger_) co_return co_await services.store.find_hold(ledger, id, deadline);
    auto found = co_await services.hot.find_hold(ledger, id, deadline);
    if (!found) co_return found.error();
    is_stale = found->is_stale;
    co_return std::move(found->row);
}

asio::awaitable<Result<domain::Outcome>> RequestContext::submit(domain::Command command,
                                                                std::string canonical) {
    auto known = co_await known_outcome(std::move(canonical));
    if (known) co_return *std::move(known);
    domain::Envelope envelope;
    envelope.organization = principal.organization;
    envelope.key_use = key_use_;
    envelope.request_id = request.request_id;
    envelope.nonce = services.ids.nonce();
    envelope.command = std::move(command);
    // The one place where it parts: hot or durable.
    if (hot_ledger_)
        co_return co_await services.hot.submit(*hot_ledger_, std::move(envelope), deadline);
    co_return co_await services.engine.submit(std::move(envelope), deadline);
}

domain::IdempotencyKey RequestContext::idempotency_key() const {
    return digest_of(principal.organization, request.headers.get("Idempotency-Key"));
}

asio::awaitable<std::optional<Result<domain::Outcome>>> RequestContext::known_outcome(
    std::string canonical) {
    auto const key = request.headers.find("Idempotency-Key");
    if (!key || ticket_) co_return std::nullopt;
    key_use_ = key_use_of(*this, *key, canonical);
    // It knows its keys itself, in the same round trip that posts.
    if (hot_ledger_) co_return std::nullopt;
    auto entry = co_await services.edge.enter(principal.organization, *key_use_, deadline);
    std::optional<Result<domain::Outcome>> outcome;
    if (auto* const ticket = std::get_if<cache::Edge::Ticket>(&entry)) {
        ticket_.emplace(std::move(*ticket));
    } else if (auto* const replay = std::get_if<cache::Edge::Replay>(&entry)) {
        domain::Recorded recorded{static_cast<std::int16_t>(replay->status),
                                  std::move(replay->body)};
        outcome.emplace(domain::Receipt{std::move(recorded), true});
    } else if (std::holds_alternative<cache::Edge::Reused>(entry)) {
        outcome.emplace(domain::Refusal{domain::Rejection::idempotency_key_reused});
    } else {
        outcome.emplace(make_error_code(cache::Errc::key_in_flight));
    }
    co_return outcome;
}

asio::awaitable<Response> RequestContext::perform(domain::Command command, std::string canonical,
                                                  unsigned status) {
    auto const outcome = co_await submit(std::move(command), std::move(canonical));
    co_return answer(outcome, status);
}

Response RequestContext::refuse(domain::Refusal const& refusal) const {
    return problem(problem_of(refusal));
}

Response RequestContext::answer(Result<domain::Outcome> const& outcome, unsigned status) {
    if (!outcome) return failure(outcome.error());
    if (auto const* refusal = std::get_if<domain::Refusal>(&*outcome)) {
        if (refusal->code == domain::Rejection::ledger_not_found && names_ledger(match))
            ledgers.forget(ledger_name());
        return refuse(*refusal);
    }
    auto const& receipt = std::get<domain::Receipt>(*outcome);
    if (auto const* recorded = std::get_if<domain::Recorded>(&receipt.what))
        status = static_cast<unsigned>(recorded->status);
    if (std::holds_alternative<domain::Done>(receipt.what)) status = 204;
    std::string ledger;
    if (request.target.segments.size() > 2 && request.target.segments[1] == "ledgers")
        ledger = request.target.segments[2];
    Response response(status, body_of(receipt, ledger));
    if (receipt.replayed) response.add("Idempotent-Replayed", "true");
    // It is durable, and these are the bytes that the store would answer a repetition with.
    if (ticket_) std::exchange(ticket_, std::nullopt)->finish(response.status, response.body);
    return response;
}

Api::Api(Services services, Router const& router)
    : services_(services), router_(router), ledgers_(services.store) {}

asio::awaitable<Response> Api::handle(Request request) {
    auto routing = router_.route(request);
    if (routing.answer) co_return std::move(*routing.answer);
    auto const timeout = routing.timeout.value_or(services_.deadline_default);
    auto const deadline = request.received_at + timeout;
    auto const* const route = routing.match.route;
    RequestContext context(services_, ledgers_, std::move(request), routing.match, deadline);
    auto response = co_await dispatch(context);
    add_rate_headers(response, context.rates);
    if (context.is_stale) response.add("Penstock-Stale", "true");
    response.route = route->name;
    co_return response;
}

asio::awaitable<Response> Api::dispatch(RequestContext& context) {
    auto const& route = *context.match.route;
    if (route.scope != Scope::open) {
        std::string const authorization(context.request.headers.get("Authorization"));
        Result<std::optional<Principal>> principal = anonymous(services_.access);
        if (!authorization.empty())
            principal = co_await authenticate(authorization, context.deadline);
        if (!principal) co_return context.failure(principal.error());
        if (!*principal) {
            auto refused = context.problem(Code::unauthenticated);
            refused.add("WWW-Authenticate", "Bearer");
            co_return refused;
        }
        context.principal = **principal;
        if (!context.principal.may(route.scope)) co_return context.problem(Code::forbidden);
    }
    auto const rate_class = rate_class_of(route);
    if (rate_class && context.is_limited(*rate_class)) {
        auto refused = co_await context.over_limit(*rate_class);
        if (refused) co_return std::move(*refused);
    }
    if (auto const fault = key_fault(context.request, route)) co_return context.problem(*fault);
    co_return co_await route.handler(context);
}

asio::awaitable<Result<std::optional<Principal>>> Api::authenticate(std::string_view authorization,
                                                                    SteadyTime deadline) {
    std::optional<Principal> principal;
    auto const& access = services_.access;
    auto const secret = bearer(authorization);
    if (!secret) co_return principal;
    auto const digest = sha256(*secret);
    if (access.admin_key &&
        CRYPTO_memcmp(digest.data(), access.admin_key->data(), digest.size()) == 0) {
        principal = Principal{domain::default_organization, all_scopes, Credential::operator_key};
        co_return principal;
    }
    auto const found = co_await services_.keys.find(digest, deadline);
    if (!found) co_return found.error();
    auto const& key = *found;
    if (key && !key->revoked_at)
        principal = Principal{key->organization, key->scopes, Credential::key, key->id};
    co_return principal;
}

}  // namespace penstock::server
