// Products of flash sales: made, listed, read, restocked.
#include "server/http/json_reader.hpp"
#include "server/product_reads.hpp"
#include "server/render.hpp"
#include "server/routes/by_key.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/on_product.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"
#include "server/sales/desk.hpp"

namespace penstock::server::routes {
namespace {

struct PaymentNames {
    std::string ledger;
    std::string seller;
};

std::optional<PaymentNames> read_payment(JsonObject& in) {
    auto payment = in.optional_object("payment");
    if (!payment) return std::nullopt;
    PaymentNames names;
    names.ledger = payment->text("ledger", 1, 63, is_ledger_name, "must be a ledger's name");
    names.seller = read_payable(*payment, "seller");
    return names;
}

domain::Product read_draft(JsonObject& in) {
    domain::Product draft;
    draft.name =
        in.text("name", 1, name_bytes_max, is_printable, "must not hold control characters");
    draft.price = in.integer("price", 0, domain::amount_max);
    draft.stock = in.integer("stock", 0, domain::amount_max);
    draft.starts_at.ms = in.instant("starts_at");
    if (auto const ends_at = in.optional_instant("ends_at")) {
        draft.ends_at = domain::Instant{*ends_at};
        if (*draft.ends_at <= draft.starts_at) in.fault("ends_at", "must be after starts_at");
    }
    draft.per_user_limit = in.optional_integer("per_user_limit", 1, domain::amount_max).value_or(1);
    draft.metadata = in.object_text("metadata").value_or("{}");
    return draft;
}

}  // namespace

Answer create_product(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::CreateProduct command;
    command.draft = read_draft(in);
    auto names = read_payment(in);
    if (!in.finish()) co_return context.problem(in.problem());
    if (names) {
        domain::LedgerName const name{context.principal.organization, names->ledger};
        auto const ledger = co_await context.ledgers.find(name, context.deadline);
        if (!ledger) co_return context.failure(ledger.error());
        domain::PayInto payment;
        // Where there is none, no ledger has this id, and the decision says so.
        if (*ledger) payment.ledger = (*ledger)->id;
        payment.ledger_name = std::move(names->ledger);
        payment.seller = std::move(names->seller);
        command.payment = std::move(payment);
    }
    domain::Command any = std::move(command);
    co_return co_await context.perform(std::move(any), in.canonical(), 201);
}

Answer list_products(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    std::optional<domain::ProductId> before;
    if (!read_id_cursor(context, CursorKind::products, before))
        co_return context.problem(Code::invalid_cursor);
    auto const items = co_await context.services.store.list_products(
        context.principal.organization, before, *limit + 1, context.deadline);
    if (!items) co_return context.failure(items.error());
    auto const now = context.services.clock.now();
    auto const write_item = [now](JsonWriter& json, domain::Product const& one) {
        write(json, one, now);
    };
    co_return page(*items, *limit, write_item, [](domain::Product const& last) {
        return CursorWriter(CursorKind::products).id(last.id.value.bytes).text();
    });
}

Answer get_product(RequestContext& context) {
    auto const product = co_await find_product_now(context, "id");
    if (!product) co_return context.failure(product.error());
    if (!*product) co_return context.problem(Code::product_not_found);
    std::string body;
    JsonWriter json(body);
    write(json, **product, context.services.clock.now());
    co_return Response(200, std::move(body));
}

Answer restock_product(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::RestockProduct command;
    command.quantity = in.integer("quantity", 1, domain::amount_max);
    if (!in.finish()) co_return context.problem(in.problem());
    auto const product = co_await find_product(context, "id");
    if (!product) co_return context.failure(product.error());
    if (!*product)
        co_return co_await refuse_unless_known(context, context.problem(Code::product_not_found),
                                               in.canonical(), 200);
    command.product = (*product)->id;
    command.payment = (*product)->payment;
    domain::Command any = std::move(command);
    auto const outcome = co_await context.submit(std::move(any), in.canonical());
    if (auto const* offered = made<domain::Offered>(outcome))
        context.services.sales.restocked(offered->product);
    co_return context.answer(outcome, 200);
}

}  // namespace penstock::server::routes
