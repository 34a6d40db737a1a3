// What every command on a ledger of the path shares: the ledger, and the original it acts on.
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "db/primary.hpp"
#include "db/stream_store.hpp"
#include "server/routes/by_key.hpp"

namespace penstock::server::routes {

/// A command on the ledger of the path; `command.ledger` is set here.
template <class OnLedger>
asio::awaitable<Response> perform_on_ledger(RequestContext& context, OnLedger command,
                                            std::string canonical, unsigned status) {
    auto const ledger = co_await context.find_ledger();
    if (!ledger) co_return context.failure(ledger.error());
    if (!*ledger) {
        auto refusal = context.problem(Code::ledger_not_found);
        co_return co_await refuse_unless_known(context, std::move(refusal), std::move(canonical),
                                               status);
    }
    command.ledger = (*ledger)->id;
    domain::Command any = std::move(command);
    co_return co_await context.perform(std::move(any), std::move(canonical), status);
}

/// The ledger of the path, if it is of that kind; else the response that says what it is not.
/// Nothing of money can be asked of a ledger of credits, nor the other way round.
inline asio::awaitable<std::variant<domain::Ledger, Response>> find_ledger_of(
    RequestContext& context, domain::LedgerKind kind) {
    auto const ledger = co_await context.find_ledger();
    if (!ledger) co_return context.failure(ledger.error());
    if (!*ledger) co_return context.problem(Code::ledger_not_found);
    if ((*ledger)->kind != kind) co_return context.problem(Code::unsupported_on_ledger);
    co_return **ledger;
}

/// How the store, or a part of it, finds a row of a ledger by its id.
template <class In, class Row, class RowId>
using Finder = db::Store::Found<Row> (In::*)(domain::LedgerId, RowId, SteadyTime);

template <class In>
In& part_of(db::Store& store) {
    if constexpr (std::is_same_v<In, db::StreamStore>)
        return store.streams();
    else
        return store;
}

/// What of it never changes. A hot ledger knows its holds by their ids.
template <class In, class Row, class RowId>
asio::awaitable<Result<std::optional<Row>>> find_original(RequestContext& context,
                                                          domain::LedgerId ledger,
                                                          Finder<In, Row, RowId> find, RowId id) {
    if constexpr (std::is_same_v<Row, domain::Hold>) {
        if (context.is_on_hot_ledger()) {
            std::optional<Row> named(std::in_place);
            named->id = id;
            named->ledger = ledger;
            co_return named;
        }
    }
    auto& store = part_of<In>(db::primary_of(context.services.store));
    co_return co_await (store.*find)(ledger, id, context.deadline);
}

/// A command on something that the path names by {id}. It is read before the batch, for what of
/// it never changes: its parties tell which accounts the batch locks. What may have changed since
/// is read again under those locks. `command.ledger` and `command.original` are set here.
template <class OnOriginal, class In, class Row, class RowId>
asio::awaitable<Response> perform_on_original(RequestContext& context, OnOriginal command,
                                              Finder<In, Row, RowId> find, std::string canonical,
                                              unsigned status) {
    auto of_money = co_await find_ledger_of(context, domain::LedgerKind::money);
    if (auto* problem = std::get_if<Response>(&of_money))
        co_return co_await refuse_unless_known(context, std::move(*problem), std::move(canonical),
                                               status);
    auto const known = co_await context.known_outcome(canonical);
    if (known) co_return context.answer(*known, status);
    command.ledger = std::get<domain::Ledger>(of_money).id;
    if (auto const id = domain::Uuid::parse(context.parameter("id"))) {
        RowId const original{*id};
        auto found = co_await find_original(context, command.ledger, find, original);
        if (!found) co_return context.failure(found.error());
        command.original = std::move(*found);
    }
    domain::Command any = std::move(command);
    co_return co_await context.perform(std::move(any), std::move(canonical), status);
}

template <class Row, class RowId>
asio::awaitable<Result<std::optional<Row>>> find_one(RequestContext& context,
                                                     domain::LedgerId ledger,
                                                     Finder<db::Store, Row, RowId> find, RowId id) {
    if constexpr (std::is_same_v<Row, domain::Hold>)
        return context.find_hold(ledger, id);
    else
        return (context.services.store.*find)(ledger, id, context.deadline);
}

/// One row of a ledger of money, by the {id} of the path; `missing` where there is none.
template <class Row, class RowId>
asio::awaitable<Response> show_one(RequestContext& context, Finder<db::Store, Row, RowId> find,
                                   Code missing,
                                   void (*write_row)(JsonWriter&, Row const&, std::string_view)) {
    auto const id = domain::Uuid::parse(context.parameter("id"));
    if (!id) co_return context.problem(missing);
    auto found = co_await find_ledger_of(context, domain::LedgerKind::money);
    if (auto* problem = std::get_if<Response>(&found)) co_return std::move(*problem);
    auto const& ledger = std::get<domain::Ledger>(found);
    RowId const row_id{*id};
    auto const row = co_await find_one(context, ledger.id, find, row_id);
    if (!row) co_return context.failure(row.error());
    if (!*row) co_return context.problem(missing);
    std::string body;
    JsonWriter json(body);
    write_row(json, **row, ledger.name);
    co_return Response(200, std::move(body));
}

}  // namespace penstock::server::routes
