// Ledgers: made, changed, read, proved and deleted.
#include <algorithm>
#include <boost/describe/enum_to_string.hpp>
#include <span>

#include "server/hot/desk.hpp"
#include "server/hot/inspector.hpp"
#include "server/http/json_reader.hpp"
#include "server/render.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/on_ledger.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"

namespace penstock::server::routes {
namespace {

constexpr std::size_t issuers_max = 1'000;
constexpr milliseconds verify_deadline{180'000};

/// Every kind that a client may see in the totals of a ledger, booked or not.
constexpr std::string_view money_totals[] = {
    "deposit",           "withdrawal",    "transfer",     "purchase", "royalty_author",
    "royalty_platform",  "refund",        "revert",       "capture",  "stream_funding",
    "stream_withdrawal", "stream_refund", "stream_payout"};
constexpr std::string_view credit_totals[] = {"credits_granted", "credits_spent",
                                              "credits_transferred", "credits_expired"};

std::span<std::string_view const> totals_of(domain::Ledger const& ledger) {
    if (ledger.kind == domain::LedgerKind::credits) return credit_totals;
    return money_totals;
}

domain::Ledger read_draft(JsonReader& in) {
    domain::Ledger draft;
    draft.name = in.text("name", 1, 63, is_ledger_name, "must match [a-z0-9][a-z0-9-]{0,62}");
    auto asset = in.object("asset");
    draft.asset_code = asset.text("code", 1, 32, is_asset_code, "must match [A-Za-z0-9._-]{1,32}");
    draft.asset_scale = static_cast<std::int16_t>(asset.integer("scale", 0, 18));
    draft.kind = static_cast<domain::LedgerKind>(
        in.optional_choice("kind", {"money", "credits"}).value_or(0));
    draft.posting =
        static_cast<domain::Posting>(in.optional_choice("posting", {"durable", "hot"}).value_or(0));
    draft.royalty_percent =
        static_cast<std::int16_t>(in.optional_integer("royalty_percent", 0, 100).value_or(70));
    draft.drain = static_cast<domain::Drain>(
        in.optional_choice("drain", {"emission", "expiration"}).value_or(0));
    draft.accounts = static_cast<domain::AccountPolicy>(
        in.optional_choice("accounts", {"explicit", "implicit"}).value_or(0));
    draft.issuers = in.optional_texts("issuers", 0, issuers_max, 1, address_bytes_max,
                                      is_client_address, address_expected)
                        .value_or(std::vector<std::string>());
    return draft;
}

/// Of a hot ledger also against Redis.
asio::awaitable<Result<std::vector<db::Check>>> checks_of(RequestContext& context,
                                                          domain::Ledger const& ledger,
                                                          SteadyTime deadline) {
    auto* const inspector = context.services.hot.inspector;
    if (ledger.posting == domain::Posting::hot && inspector != nullptr)
        return inspector->verify(ledger.id, deadline);
    return context.services.store.verify(ledger.id, deadline);
}

}  // namespace

Answer create_ledger(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::CreateLedger made;
    made.draft = read_draft(in);
    if (!in.finish()) co_return context.problem(in.problem());
    domain::Command command = std::move(made);
    co_return co_await context.perform(std::move(command), in.canonical(), 201);
}

Answer list_ledgers(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    std::optional<std::string> after;
    if (auto const cursor = context.query("cursor")) {
        CursorReader in(CursorKind::ledgers, *cursor);
        after = in.string();
        if (!in.complete()) co_return context.problem(Code::invalid_cursor);
    }
    auto items = co_await context.services.store.list_ledgers(
        context.principal.organization, std::move(after), *limit + 1, context.deadline);
    if (!items) co_return context.failure(items.error());
    co_return page(
        *items, *limit, [](JsonWriter& json, domain::Ledger const& one) { write(json, one); },
        [](domain::Ledger const& last) {
            return CursorWriter(CursorKind::ledgers).string(last.name).text();
        });
}

Answer get_ledger(RequestContext& context) {
    // Not from the directory: what PATCH changed is seen at once.
    auto name = context.ledger_name();
    auto const ledger =
        co_await context.services.store.find_ledger(std::move(name), context.deadline);
    if (!ledger) co_return context.failure(ledger.error());
    if (!*ledger) co_return context.problem(Code::ledger_not_found);
    std::string body;
    JsonWriter json(body);
    write(json, **ledger);
    co_return Response(200, std::move(body));
}

Answer change_ledger(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::ChangeLedger change;
    if (auto const drain = in.optional_choice("drain", {"emission", "expiration"}))
        change.drain = static_cast<domain::Drain>(*drain);
    change.issuers = in.optional_texts("issuers", 0, issuers_max, 1, address_bytes_max,
                                       is_client_address, address_expected);
    if (auto const percent = in.optional_integer("royalty_percent", 0, 100))
        change.royalty_percent = static_cast<std::int16_t>(*percent);
    if (!in.finish()) co_return context.problem(in.problem());
    auto response = co_await perform_on_ledger(context, std::move(change), in.canonical(), 200);
    context.ledgers.forget(context.ledger_name());
    co_return response;
}

Answer delete_ledger(RequestContext& context) {
    domain::DeleteLedger deletion;
    auto response = co_await perform_on_ledger(context, deletion, std::string(), 204);
    context.ledgers.forget(context.ledger_name());
    co_return response;
}

Answer get_totals(RequestContext& context) {
    auto const ledger = co_await context.find_ledger();
    if (!ledger) co_return context.failure(ledger.error());
    if (!*ledger) co_return context.problem(Code::ledger_not_found);
    auto const totals =
        co_await context.services.store.list_totals((*ledger)->id, context.deadline);
    if (!totals) co_return context.failure(totals.error());
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    for (auto const name : totals_of(**ledger)) {
        auto const found = std::find_if(totals->begin(), totals->end(), [&](auto const& total) {
            return boost::describe::enum_to_string(total.kind, "") == name;
        });
        bool const booked = found != totals->end();
        json.begin_object(name)
            .member("count", booked ? found->count : 0)
            .raw("amount", booked ? decimal(found->amount) : "0")
            .end_object();
    }
    json.end_object();
    co_return Response(200, std::move(body));
}

Answer get_sync(RequestContext& context) {
    auto const ledger = co_await context.find_ledger();
    if (!ledger) co_return context.failure(ledger.error());
    if (!*ledger) co_return context.problem(Code::ledger_not_found);
    if ((*ledger)->posting != domain::Posting::hot)
        co_return context.problem(Code::unsupported_on_ledger);
    auto* const inspector = context.services.hot.inspector;
    if (inspector == nullptr) co_return context.failure(cache::Errc::unavailable);
    auto const standing = co_await inspector->look((*ledger)->id, context.deadline);
    if (!standing) co_return context.failure(standing.error().code);
    if (!*standing) co_return context.failure(cache::Errc::unavailable);
    auto const status = status_of(**standing, context.services.clock.now());
    std::string body;
    JsonWriter json(body);
    json.begin_object()
        .member("journal_lag", status.journal_lag)
        .member("journal_oldest_ms", status.journal_oldest_ms)
        .member("schedule_depth", status.schedule_depth)
        .member("schedule_oldest_ms", status.schedule_oldest_ms)
        .member("claimed", status.claimed)
        .instant("last_flush_at", ms_of(status.last_flush_at))
        .member("dead_letters", status.dead_letters)
        .end_object();
    co_return Response(200, std::move(body));
}

Answer verify_ledger(RequestContext& context) {
    auto const ledger = co_await context.find_ledger();
    if (!ledger) co_return context.failure(ledger.error());
    if (!*ledger) co_return context.problem(Code::ledger_not_found);
    // A full scan may take longer than a request usually may.
    auto const asked = context.request.headers.find("Request-Timeout-Ms");
    auto const deadline = asked ? context.deadline : context.request.received_at + verify_deadline;
    auto const checks = co_await checks_of(context, **ledger, deadline);
    if (!checks) co_return context.failure(checks.error());
    bool const ok =
        std::all_of(checks->begin(), checks->end(), [](auto const& check) { return check.ok; });
    std::string body;
    JsonWriter json(body);
    json.begin_object().member("ok", ok).begin_array("checks");
    for (auto const& check : *checks)
        json.begin_object()
            .member("name", check.name)
            .member("ok", check.ok)
            .member("detail", check.detail)
            .end_object();
    json.end_array().end_object();
    co_return Response(200, std::move(body));
}

}  // namespace penstock::server::routes
