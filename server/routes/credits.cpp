// Credits: granted, spent and passed on; what an address has, who has how much, and the history.
#include <algorithm>
#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <limits>
#include <map>

#include "db/credit_store.hpp"
#include "server/http/json_reader.hpp"
#include "server/members.hpp"
#include "server/render.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/on_ledger.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"

namespace penstock::server::routes {
namespace {

constexpr std::size_t credit_entries_max = 30'000;

enum class Expiry { asked, none };

std::string read_address(JsonObject& in, std::string_view name) {
    return in.text(name, 1, address_bytes_max, is_client_address, address_expected);
}

std::string read_own_reference(JsonObject& in) {
    return in.text("reference", 1, reference_bytes_max, is_printable,
                   "must not hold control characters");
}

std::vector<domain::CreditDraft> read_entries(JsonObject& in, Expiry expiry) {
    std::vector<domain::CreditDraft> entries;
    for (auto& item : in.array("entries", 1, credit_entries_max)) {
        domain::CreditDraft entry;
        entry.address = read_address(item, "address");
        entry.amount = item.integer("amount", 1, domain::amount_max);
        if (expiry == Expiry::asked) {
            auto const at = item.nullable_instant("expires_at");
            if (at && *at) entry.expires_at = domain::Instant{**at};
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

/// As it is stored: in the order of granting. By expiration the soonest comes first, never last.
void sort_by_drain(std::vector<db::ReferencedLot>& lots, domain::Drain drain) {
    if (drain == domain::Drain::emission) return;
    std::ranges::stable_sort(lots, {}, [](db::ReferencedLot const& each) {
        constexpr auto never = std::numeric_limits<std::int64_t>::max();
        return ms_of(each.lot.expires_at).value_or(never);
    });
}

void write_lot(JsonWriter& json, db::ReferencedLot const& each) {
    auto const& lot = each.lot;
    json.begin_object()
        .member("reference", each.reference)
        .member("index", lot.place.index)
        .member("amount", lot.amount)
        .member("amount_remaining", lot.remaining)
        .instant("granted_at", lot.granted_at().ms)
        .instant("expires_at", ms_of(lot.expires_at))
        .end_object();
}

/// How much goes when: the soonest first, never last.
void write_expiring(JsonWriter& json, std::vector<db::ReferencedLot> const& lots) {
    std::map<std::int64_t, domain::Amount> by_expiry;
    domain::Amount never = 0;
    for (auto const& [lot, reference] : lots) {
        if (lot.expires_at)
            by_expiry[lot.expires_at->ms] += lot.remaining;
        else
            never += lot.remaining;
    }
    json.begin_array("expiring");
    for (auto const& [at, amount] : by_expiry)
        json.begin_object().instant("expires_at", at).member("amount", amount).end_object();
    if (never > 0)
        json.begin_object()
            .instant("expires_at", std::nullopt)
            .member("amount", never)
            .end_object();
    json.end_array();
}

void write_entry(JsonWriter& json, domain::CreditEntry const& entry) {
    json.begin_object();
    credit_entry_members(json, entry);
    json.end_object();
}

std::string cursor_at(domain::LotPlace place) {
    return CursorWriter(CursorKind::credit_history)
        .id(place.operation.value.bytes)
        .integer(place.index)
        .text();
}

/// `min_balance`; nullopt: malformed.
std::optional<domain::Amount> read_min_balance(RequestContext const& context) {
    auto const text = context.query("min_balance");
    if (!text) return 0;
    auto const amount = whole_number<domain::Amount>(*text);
    if (!amount || *amount < 0) return std::nullopt;
    return amount;
}

Response bad_min_balance(RequestContext const& context) {
    return context.bad_parameter("min_balance", "must be an integer of at least 0");
}

/// The name of the parameter that is wrong; nullopt: all were read.
std::optional<std::string_view> read_filters(RequestContext const& context,
                                             db::CreditHistoryPage& wanted) {
    if (auto const address = context.query("address")) wanted.address = std::string(*address);
    if (auto const text = context.query("reference")) wanted.reference = std::string(*text);
    if (auto const text = context.query("kind")) {
        domain::CreditKind kind{};
        if (!boost::describe::enum_from_string(std::string(*text).c_str(), kind)) return "kind";
        wanted.kind = kind;
    }
    return read_period(context, wanted);
}

}  // namespace

Answer grant_credits(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::GrantCredits command;
    command.reference = read_own_reference(in);
    command.entries = read_entries(in, Expiry::asked);
    if (!in.finish()) co_return context.problem(in.problem());
    co_return co_await perform_on_ledger(context, std::move(command), in.canonical(), 201);
}

Answer spend_credits(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::SpendCredits command;
    command.reference = read_own_reference(in);
    command.entries = read_entries(in, Expiry::none);
    command.allow_partial = in.optional_boolean("allow_partial").value_or(false);
    if (!in.finish()) co_return context.problem(in.problem());
    co_return co_await perform_on_ledger(context, std::move(command), in.canonical(), 201);
}

Answer transfer_credits(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::TransferCredits command;
    command.reference = read_own_reference(in);
    command.from = read_address(in, "from");
    command.entries = read_entries(in, Expiry::asked);
    if (!in.finish()) co_return context.problem(in.problem());
    co_return co_await perform_on_ledger(context, std::move(command), in.canonical(), 201);
}

Answer list_credit_balances(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    auto const min_balance = read_min_balance(context);
    if (!min_balance) co_return bad_min_balance(context);
    db::CreditBalancePage wanted;
    wanted.at = context.services.clock.now();
    wanted.min_balance = *min_balance;
    wanted.limit = *limit + 1;
    if (auto const cursor = context.query("cursor")) {
        CursorReader in(CursorKind::credit_balances, *cursor);
        wanted.after = in.string();
        if (!in.complete()) co_return context.problem(Code::invalid_cursor);
    }
    auto found = co_await find_ledger_of(context, domain::LedgerKind::credits);
    if (auto* problem = std::get_if<Response>(&found)) co_return std::move(*problem);
    auto const ledger = std::get<domain::Ledger>(found).id;
    auto& credits = context.services.store.credits();
    auto const found_balances = co_await credits.list_balances(ledger, wanted, context.deadline);
    if (!found_balances) co_return context.failure(found_balances.error());
    auto const write_item = [](JsonWriter& json, db::CreditBalance const& one) {
        json.begin_object()
            .member("address", one.address)
            .member("balance", one.balance)
            .end_object();
    };
    auto const cursor_at = [](std::string const& address) {
        return CursorWriter(CursorKind::credit_balances).string(address).text();
    };
    std::optional<std::string> rest;
    if (found_balances->scanned_to) rest = cursor_at(*found_balances->scanned_to);
    auto const after = [&](db::CreditBalance const& last) { return cursor_at(last.address); };
    co_return page(found_balances->items, *limit, write_item, after, rest);
}

Answer count_credit_balances(RequestContext& context) {
    auto const min_balance = read_min_balance(context);
    if (!min_balance) co_return bad_min_balance(context);
    auto found = co_await find_ledger_of(context, domain::LedgerKind::credits);
    if (auto* problem = std::get_if<Response>(&found)) co_return std::move(*problem);
    auto const ledger = std::get<domain::Ledger>(found).id;
    auto const now = context.services.clock.now();
    auto& credits = context.services.store.credits();
    auto const count = co_await credits.count_balances(ledger, now, *min_balance, context.deadline);
    if (!count) co_return context.failure(count.error());
    std::string body;
    JsonWriter json(body);
    json.begin_object().member("count", *count).end_object();
    co_return Response(200, std::move(body));
}

Answer get_credit_balance(RequestContext& context) {
    auto found = co_await find_ledger_of(context, domain::LedgerKind::credits);
    if (auto* problem = std::get_if<Response>(&found)) co_return std::move(*problem);
    auto const ledger = std::get<domain::Ledger>(found).id;
    domain::AccountName const name{ledger, context.parameter("address")};
    auto const now = context.services.clock.now();
    auto& credits = context.services.store.credits();
    auto valid = co_await credits.list_valid_lots(name, now, context.deadline);
    if (!valid) co_return context.failure(valid.error());
    // The policy of the moment of the lots: what was found of the ledger may be older.
    sort_by_drain(valid->lots, valid->drain);
    domain::Amount balance = 0;
    for (auto const& [lot, reference] : valid->lots) balance += lot.remaining;
    std::string body;
    JsonWriter json(body);
    json.begin_object().member("address", name.address).member("balance", balance);
    json.begin_array("lots");
    for (auto const& lot : valid->lots) write_lot(json, lot);
    json.end_array();
    write_expiring(json, valid->lots);
    json.end_object();
    co_return Response(200, std::move(body));
}

Answer list_credit_history(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    db::CreditHistoryPage wanted;
    wanted.limit = *limit + 1;
    if (auto const wrong = read_filters(context, wanted))
        co_return context.bad_parameter(*wrong, *wrong == "kind"
                                                    ? "must be grant, expense or transfer"
                                                    : "must be an RFC 3339 instant");
    if (auto const cursor = context.query("cursor")) {
        CursorReader in(CursorKind::credit_history, *cursor);
        domain::LotPlace place;
        place.operation.value.bytes = in.id();
        auto const index = in.integer();
        if (!in.complete() || index < 0 || index > std::numeric_limits<std::int32_t>::max())
            co_return context.problem(Code::invalid_cursor);
        place.index = static_cast<std::int32_t>(index);
        wanted.before = place;
    }
    auto found = co_await find_ledger_of(context, domain::LedgerKind::credits);
    if (auto* problem = std::get_if<Response>(&found)) co_return std::move(*problem);
    auto const ledger = std::get<domain::Ledger>(found).id;
    auto& credits = context.services.store.credits();
    auto const history = co_await credits.list_history(ledger, wanted, context.deadline);
    if (!history) co_return context.failure(history.error());
    std::optional<std::string> rest;
    if (history->scanned_to) rest = cursor_at(*history->scanned_to);
    auto const after = [](domain::CreditEntry const& last) {
        return cursor_at(domain::LotPlace{last.operation, last.index});
    };
    co_return page(history->items, *limit, write_entry, after, rest);
}

}  // namespace penstock::server::routes
