// Accounts of a ledger: made, listed, read now and at a past moment, with their entries.
#include "server/http/json_reader.hpp"
#include "server/render.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/on_ledger.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"

namespace penstock::server::routes {
namespace {

/// A past view: what was held then is not kept, so it is null, and with it what was available.
std::string past_view(domain::Account const& account, std::string_view ledger,
                      db::PastStanding const& past) {
    std::string body;
    JsonWriter json(body);
    json.begin_object()
        .member("address", account.address)
        .member("ledger", ledger)
        .member("balance", past.balance)
        .member("held", nullptr)
        .member("available", nullptr)
        .member("fraction", nullptr)
        .member("version", past.version)
        .member("overdraft_limit", account.overdraft_limit)
        .raw("metadata", account.metadata)
        .instant("created_at", account.created_at.ms)
        .instant("updated_at", account.standing.updated_at.ms)
        .end_object();
    return body;
}

domain::AccountName account_name(RequestContext const& context, domain::Ledger const& ledger) {
    domain::AccountName name;
    name.ledger = ledger.id;
    name.address = context.parameter("address");
    return name;
}

}  // namespace

Answer create_account(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::CreateAccount made;
    made.address = in.text("address", 1, address_bytes_max, is_client_address, address_expected);
    made.overdraft_limit =
        in.optional_integer("overdraft_limit", 0, domain::amount_max).value_or(0);
    made.metadata = in.object_text("metadata").value_or("{}");
    if (!in.finish()) co_return context.problem(in.problem());
    co_return co_await perform_on_ledger(context, std::move(made), in.canonical(), 201);
}

Answer list_accounts(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    db::AccountPage wanted;
    wanted.limit = *limit + 1;
    wanted.prefix = context.query("prefix").value_or("");
    if (wanted.prefix.size() > address_bytes_max)
        co_return context.bad_parameter("prefix", "must be at most 128 bytes");
    if (auto const cursor = context.query("cursor")) {
        CursorReader in(CursorKind::accounts, *cursor);
        wanted.after = in.string();
        if (!in.complete()) co_return context.problem(Code::invalid_cursor);
    }
    auto found = co_await find_ledger_of(context, domain::LedgerKind::money);
    if (auto* problem = std::get_if<Response>(&found)) co_return std::move(*problem);
    auto const& ledger = std::get<domain::Ledger>(found);
    auto const items = co_await context.services.store.list_accounts(ledger.id, std::move(wanted),
                                                                     context.deadline);
    if (!items) co_return context.failure(items.error());
    auto const write_item = [&](JsonWriter& json, domain::Account const& one) {
        write(json, one, ledger.name);
    };
    co_return page(*items, *limit, write_item, [](domain::Account const& last) {
        return CursorWriter(CursorKind::accounts).string(last.address).text();
    });
}

Answer get_account(RequestContext& context) {
    std::optional<domain::Instant> at;
    if (auto const text = context.query("at")) {
        auto const ms = parse_instant(*text);
        if (!ms) co_return context.bad_parameter("at", "must be an RFC 3339 instant");
        at = domain::Instant{*ms};
        if (*at > context.services.clock.now())
            co_return context.bad_parameter("at", "must not be in the future");
    }
    auto found = co_await find_ledger_of(context, domain::LedgerKind::money);
    if (auto* problem = std::get_if<Response>(&found)) co_return std::move(*problem);
    auto const& ledger = std::get<domain::Ledger>(found);
    auto name = account_name(context, ledger);
    auto& store = context.services.store;
    Result<std::optional<domain::Account>> account = std::nullopt;
    if (at)
        account = co_await store.find_account(name, context.deadline);
    else
        account = co_await context.find_account(name);
    if (!account) co_return context.failure(account.error());
    if (!*account) co_return context.problem(Code::account_not_found);
    std::string body;
    if (at) {
        auto const past = co_await store.find_account_at(name, *at, context.deadline);
        if (!past) co_return context.failure(past.error());
        body = past_view(**account, ledger.name, past->value_or(db::PastStanding()));
    } else {
        JsonWriter json(body);
        write(json, **account, ledger.name);
    }
    co_return Response(200, std::move(body));
}

Answer list_entries(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    db::EntryPage wanted;
    wanted.limit = *limit + 1;
    if (auto const cursor = context.query("cursor")) {
        CursorReader in(CursorKind::entries, *cursor);
        wanted.before = read_booking(in);
        if (!in.complete()) co_return context.problem(Code::invalid_cursor);
    }
    auto found = co_await find_ledger_of(context, domain::LedgerKind::money);
    if (auto* problem = std::get_if<Response>(&found)) co_return std::move(*problem);
    auto const& ledger = std::get<domain::Ledger>(found);
    auto name = account_name(context, ledger);
    auto const address = name.address;
    auto& store = context.services.store;
    auto const items = co_await store.list_entries(name, wanted, context.deadline);
    if (!items) co_return context.failure(items.error());
    if (items->empty()) {
        auto const account = co_await store.find_account(name, context.deadline);
        if (!account) co_return context.failure(account.error());
        if (!*account) co_return context.problem(Code::account_not_found);
    }
    auto const write_item = [&](JsonWriter& json, domain::Transfer const& one) {
        write_entry(json, one, address);
    };
    co_return page(*items, *limit, write_item, [&](domain::Transfer const& last) {
        return cursor_at(CursorKind::entries, db::booking_of(last, address));
    });
}

}  // namespace penstock::server::routes
