// Moving money: deposits, withdrawals, transfers, bulk, reverts; and reading what moved.
#include <boost/describe/enum_from_string.hpp>

#include "server/http/json_reader.hpp"
#include "server/render.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/on_ledger.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"

namespace penstock::server::routes {
namespace {

constexpr std::size_t bulk_items_max = 10'000;

/// What every movement has, however it names its accounts.
void read_rest(JsonObject& in, domain::Movement& movement) {
    movement.amount = in.integer("amount", 1, domain::amount_max);
    movement.reference = read_reference(in);
    movement.metadata = in.object_text("metadata").value_or("{}");
}

domain::Movement read_transfer(JsonObject& in) {
    domain::Movement movement;
    movement.from = read_payable(in, "from");
    movement.to = read_payable(in, "to");
    read_rest(in, movement);
    return movement;
}

Answer move(RequestContext& context, domain::TransferKind kind) {
    JsonReader in(context.request.body);
    domain::MoveMoney command;
    command.kind = kind;
    if (kind == domain::TransferKind::transfer) {
        command.movement = read_transfer(in);
    } else {
        auto account = read_payable(in, "account");
        bool const enters = kind == domain::TransferKind::deposit;
        command.movement.from = enters ? domain::world_address : account;
        command.movement.to = enters ? account : domain::world_address;
        read_rest(in, command.movement);
    }
    if (!in.finish()) co_return context.problem(in.problem());
    co_return co_await perform_on_ledger(context, std::move(command), in.canonical(), 201);
}

/// The filters of a list; the name of the parameter at fault if there is one.
std::optional<std::string_view> read_filters(RequestContext const& context,
                                             db::TransferPage& wanted) {
    if (auto const account = context.query("account")) wanted.account = std::string(*account);
    if (auto const reference = context.query("reference"))
        wanted.reference = std::string(*reference);
    if (auto const text = context.query("kind")) {
        domain::TransferKind kind{};
        if (!boost::describe::enum_from_string(std::string(*text).c_str(), kind)) return "kind";
        wanted.kind = kind;
    }
    return read_period(context, wanted);
}

/// Where the list goes on; false when the cursor is not one of this list.
bool read_cursor(RequestContext const& context, db::TransferPage& wanted) {
    if (!wanted.is_by_booking())
        return read_id_cursor(context, CursorKind::transfers, wanted.before_id);
    auto const cursor = context.query("cursor");
    if (!cursor) return true;
    CursorReader in(CursorKind::account_transfers, *cursor);
    wanted.before = read_booking(in);
    return in.complete();
}

std::string cursor_after(domain::Transfer const& last, db::TransferPage const& wanted) {
    if (!wanted.is_by_booking())
        return CursorWriter(CursorKind::transfers).id(last.id.value.bytes).text();
    return cursor_at(CursorKind::account_transfers, db::booking_of(last, *wanted.account));
}

}  // namespace

Answer create_deposit(RequestContext& context) {
    return move(context, domain::TransferKind::deposit);
}

Answer create_withdrawal(RequestContext& context) {
    return move(context, domain::TransferKind::withdrawal);
}

Answer create_transfer(RequestContext& context) {
    return move(context, domain::TransferKind::transfer);
}

Answer create_transfers_in_bulk(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::MoveInBulk command;
    command.atomic = in.optional_boolean("atomic").value_or(false);
    for (auto& item : in.array("transfers", 1, bulk_items_max))
        command.items.push_back(read_transfer(item));
    if (!in.finish()) co_return context.problem(in.problem());
    co_return co_await perform_on_ledger(context, std::move(command), in.canonical(), 200);
}

Answer list_transfers(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    db::TransferPage wanted;
    wanted.limit = *limit + 1;
    if (auto const wrong = read_filters(context, wanted))
        co_return context.bad_parameter(*wrong, *wrong == "kind" ? "must be a kind of transfer"
                                                                 : "must be an RFC 3339 instant");
    if (!read_cursor(context, wanted)) co_return context.problem(Code::invalid_cursor);
    auto found = co_await find_ledger_of(context, domain::LedgerKind::money);
    if (auto* problem = std::get_if<Response>(&found)) co_return std::move(*problem);
    auto const& ledger = std::get<domain::Ledger>(found);
    auto const items =
        co_await context.services.store.list_transfers(ledger.id, wanted, context.deadline);
    if (!items) co_return context.failure(items.error());
    auto const write_item = [&](JsonWriter& json, domain::Transfer const& one) {
        write(json, one, ledger.name);
    };
    std::optional<std::string> rest;
    if (items->scanned_to) rest = cursor_after(*items->scanned_to, wanted);
    auto const after = [&](domain::Transfer const& last) { return cursor_after(last, wanted); };
    co_return page(items->items, *limit, write_item, after, rest);
}

Answer get_transfer(RequestContext& context) {
    return show_one<domain::Transfer>(context, &db::Store::find_transfer, Code::transfer_not_found,
                                      write);
}

Answer revert_transfer(RequestContext& context) {
    JsonReader in(context.request.body);
    if (!in.finish()) co_return context.problem(in.problem());
    domain::RevertTransfer command;
    co_return co_await perform_on_original(context, std::move(command), &db::Store::find_transfer,
                                           in.canonical(), 201);
}

}  // namespace penstock::server::routes
