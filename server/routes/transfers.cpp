// Moving money: deposits, withdrawals, transfers, bulk, reverts; and reading what moved.
#include <boost/describe/enum_from_string.hpp>

#include "server/http/json_reader.hpp"
#include "server/render.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"

namespace penstock::server::routes {
namespace {

constexpr char id_cursor = 't';
constexpr char version_cursor = 'v';
constexpr std::size_t bulk_items_max = 10'000;

std::string read_address(JsonObject& in, std::string_view name) {
    return in.text(name, 1, address_bytes_max, is_payable_address, payable_expected);
}

/// What every movement has, however it names its accounts.
void read_rest(JsonObject& in, domain::Movement& movement) {
    movement.amount = in.integer("amount", 1, domain::amount_max);
    movement.reference = in.optional_text("reference", 1, reference_bytes_max, is_printable,
                                          "must not hold control characters");
    movement.metadata = in.object_text("metadata").value_or("{}");
}

domain::Movement read_transfer(JsonObject& in) {
    domain::Movement movement;
    movement.from = read_address(in, "from");
    movement.to = read_address(in, "to");
    read_rest(in, movement);
    return movement;
}

/// A command on the ledger of the path; `command.ledger` is set here.
template <class OnLedger>
Answer perform_on_ledger(RequestContext& context, OnLedger command, std::string canonical,
                         unsigned status) {
    auto const ledger = co_await context.find_ledger();
    if (!ledger) co_return context.failure(ledger.error());
    if (!*ledger) co_return context.problem(Code::ledger_not_found);
    command.ledger = (*ledger)->id;
    domain::Command any = std::move(command);
    co_return co_await context.perform(std::move(any), std::move(canonical), status);
}

Answer move(RequestContext& context, domain::TransferKind kind) {
    JsonReader in(context.request.body);
    domain::MoveMoney command;
    command.kind = kind;
    if (kind == domain::TransferKind::transfer) {
        command.movement = read_transfer(in);
    } else {
        auto account = read_address(in, "account");
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
    for (auto [name, member] : {std::pair{"from", &wanted.from}, std::pair{"to", &wanted.to}}) {
        auto const text = context.query(name);
        if (!text) continue;
        auto const ms = parse_instant(*text);
        if (!ms) return name;
        *member = domain::Instant{*ms};
    }
    return std::nullopt;
}

/// Where the list goes on; false when the cursor is not one of this list.
bool read_cursor(RequestContext const& context, db::TransferPage& wanted) {
    auto const cursor = context.query("cursor");
    if (!cursor) return true;
    if (wanted.account) {
        CursorReader in(version_cursor, *cursor);
        wanted.before_version = in.integer();
        return in.complete();
    }
    CursorReader in(id_cursor, *cursor);
    domain::TransferId id;
    id.value.bytes = in.id();
    wanted.before_id = id;
    return in.complete();
}

std::string cursor_after(domain::Transfer const& last, db::TransferPage const& wanted) {
    if (!wanted.account) return CursorWriter(id_cursor).id(last.id.value.bytes).text();
    auto const& own = last.to.address == *wanted.account ? last.to : last.from;
    return CursorWriter(version_cursor).integer(own.version).text();
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
    auto const ledger = co_await context.find_ledger();
    if (!ledger) co_return context.failure(ledger.error());
    if (!*ledger) co_return context.problem(Code::ledger_not_found);
    auto const items =
        co_await context.services.store.list_transfers((*ledger)->id, wanted, context.deadline);
    if (!items) co_return context.failure(items.error());
    auto const write_item = [&](JsonWriter& json, domain::Transfer const& one) {
        write(json, one, (*ledger)->name);
    };
    co_return page(*items, *limit, write_item,
                   [&](domain::Transfer const& last) { return cursor_after(last, wanted); });
}

Answer get_transfer(RequestContext& context) {
    auto const id = domain::Uuid::parse(context.parameter("id"));
    if (!id) co_return context.problem(Code::transfer_not_found);
    auto const ledger = co_await context.find_ledger();
    if (!ledger) co_return context.failure(ledger.error());
    if (!*ledger) co_return context.problem(Code::ledger_not_found);
    domain::TransferId const transfer_id{*id};
    auto const transfer =
        co_await context.services.store.find_transfer((*ledger)->id, transfer_id, context.deadline);
    if (!transfer) co_return context.failure(transfer.error());
    if (!*transfer) co_return context.problem(Code::transfer_not_found);
    std::string body;
    JsonWriter json(body);
    write(json, **transfer, (*ledger)->name);
    co_return Response(200, std::move(body));
}

Answer revert_transfer(RequestContext& context) {
    JsonReader in(context.request.body);
    if (!in.finish()) co_return context.problem(in.problem());
    auto const ledger = co_await context.find_ledger();
    if (!ledger) co_return context.failure(ledger.error());
    if (!*ledger) co_return context.problem(Code::ledger_not_found);
    auto const known = co_await context.known_outcome(in.canonical());
    if (known) co_return context.answer(*known, 201);
    domain::RevertTransfer command;
    // Transfers never change, so the original may be read before the batch.
    if (auto const id = domain::Uuid::parse(context.parameter("id"))) {
        domain::TransferId const original{*id};
        auto found = co_await context.services.store.find_transfer((*ledger)->id, original,
                                                                   context.deadline);
        if (!found) co_return context.failure(found.error());
        command.original = std::move(*found);
    }
    co_return co_await perform_on_ledger(context, std::move(command), in.canonical(), 201);
}

}  // namespace penstock::server::routes
