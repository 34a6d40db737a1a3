// Holds: placed, captured, voided, read and listed. Expiring is the server's own business.
#include <boost/describe/enum_from_string.hpp>

#include "server/http/json_reader.hpp"
#include "server/render.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/on_ledger.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"

namespace penstock::server::routes {
namespace {

/// Ten years: longer reservations are meant not to expire.
constexpr std::int64_t hold_seconds_max = 315'360'000;

}  // namespace

Answer create_hold(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::PlaceHold command;
    command.from = read_payable(in, "from");
    command.to = read_payable(in, "to");
    command.amount = in.integer("amount", 1, domain::amount_max);
    if (auto const seconds = in.optional_integer("expires_in_s", 1, hold_seconds_max))
        command.expires_in = std::chrono::seconds(*seconds);
    if (!in.finish()) co_return context.problem(in.problem());
    co_return co_await perform_on_ledger(context, std::move(command), in.canonical(), 201);
}

Answer capture_hold(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::CaptureHold command;
    command.amount = in.optional_integer("amount", 1, domain::amount_max);
    if (!in.finish()) co_return context.problem(in.problem());
    co_return co_await perform_on_original(context, std::move(command), &db::Store::find_hold,
                                           in.canonical(), 200);
}

Answer void_hold(RequestContext& context) {
    JsonReader in(context.request.body);
    if (!in.finish()) co_return context.problem(in.problem());
    domain::VoidHold command;
    co_return co_await perform_on_original(context, std::move(command), &db::Store::find_hold,
                                           in.canonical(), 200);
}

Answer get_hold(RequestContext& context) {
    return show_one<domain::Hold>(context, &db::Store::find_hold, Code::hold_not_found, write);
}

Answer list_holds(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    db::HoldPage wanted;
    wanted.limit = *limit + 1;
    if (auto const account = context.query("account")) wanted.account = std::string(*account);
    if (auto const text = context.query("status")) {
        domain::HoldStatus status{};
        if (!boost::describe::enum_from_string(std::string(*text).c_str(), status))
            co_return context.bad_parameter("status",
                                            "must be pending, captured, voided or expired");
        wanted.status = status;
    }
    if (!read_id_cursor(context, CursorKind::holds, wanted.before))
        co_return context.problem(Code::invalid_cursor);
    auto found = co_await find_ledger_of(context, domain::LedgerKind::money);
    if (auto* problem = std::get_if<Response>(&found)) co_return std::move(*problem);
    auto const& ledger = std::get<domain::Ledger>(found);
    auto const items =
        co_await context.services.store.list_holds(ledger.id, wanted, context.deadline);
    if (!items) co_return context.failure(items.error());
    co_return page_by_id(*items, *limit, ledger.name, CursorKind::holds);
}

}  // namespace penstock::server::routes
