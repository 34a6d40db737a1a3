// Purchases: made, refunded, read and listed.
#include "server/http/json_reader.hpp"
#include "server/render.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/on_ledger.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"

namespace penstock::server::routes {
namespace {}  // namespace

Answer create_purchase(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::MakePurchase command;
    command.buyer = read_payable(in, "buyer");
    command.author = read_payable(in, "author");
    command.price = in.integer("price", 1, domain::amount_max);
    command.reference = read_reference(in);
    command.metadata = in.object_text("metadata").value_or("{}");
    if (!in.finish()) co_return context.problem(in.problem());
    co_return co_await perform_on_ledger(context, std::move(command), in.canonical(), 201);
}

Answer refund_purchase(RequestContext& context) {
    JsonReader in(context.request.body);
    if (!in.finish()) co_return context.problem(in.problem());
    domain::RefundPurchase command;
    co_return co_await perform_on_original(context, std::move(command), &db::Store::find_purchase,
                                           in.canonical(), 200);
}

Answer get_purchase(RequestContext& context) {
    return show_one<domain::Purchase>(context, &db::Store::find_purchase, Code::purchase_not_found,
                                      write);
}

Answer list_purchases(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    db::PurchasePage wanted;
    wanted.limit = *limit + 1;
    if (auto const buyer = context.query("buyer")) wanted.buyer = std::string(*buyer);
    if (auto const author = context.query("author")) wanted.author = std::string(*author);
    if (!read_id_cursor(context, CursorKind::purchases, wanted.before))
        co_return context.problem(Code::invalid_cursor);
    auto found = co_await find_ledger_of(context, domain::LedgerKind::money);
    if (auto* problem = std::get_if<Response>(&found)) co_return std::move(*problem);
    auto const& ledger = std::get<domain::Ledger>(found);
    auto const items =
        co_await context.services.store.list_purchases(ledger.id, wanted, context.deadline);
    if (!items) co_return context.failure(items.error());
    co_return page_by_id(*items, *limit, ledger.name, CursorKind::purchases);
}

}  // namespace penstock::server::routes
