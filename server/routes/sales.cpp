// Flash sales as a buyer sees them: the sale, its events, its page; and their reconciliation.
#include "server/http/json_reader.hpp"
#include "server/render.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/on_product.hpp"
#include "server/sales/desk.hpp"
#include "server/storefront.hpp"

namespace penstock::server::routes {
namespace {

/// Watchers that lost their server come back spread over this time.
constexpr std::uint64_t reconnect_after_ms = 1'000;
constexpr std::uint64_t reconnect_within_ms = 2'000;
constexpr std::size_t event_id_bytes_max = 64;

void write(JsonWriter& json, SaleReconciliation const& sale) {
    json.begin_object()
        .member("product_id", sale.product.to_string())
        .member("stock", sale.stock)
        .member("sold", sale.sold)
        .member("reserved", sale.reserved)
        .member("gate_remaining", sale.gate_remaining)
        .member("drift", sale.drift)
        .member("repaired", sale.repaired)
        .end_object();
}

Response sale_response(RequestContext const& context, domain::Product const& product) {
    std::string body;
    JsonWriter json(body);
    write_sale(json, product, context.services.clock.now());
    Response response(200, std::move(body));
    response.add("Cache-Control", "no-store");
    return response;
}

}  // namespace

Answer get_sale(RequestContext& context) {
    auto const product = co_await find_product_now(context, "product");
    if (!product) co_return context.failure(product.error());
    if (!*product) co_return context.problem(Code::product_not_found);
    co_return sale_response(context, **product);
}

Answer get_newest_sale(RequestContext& context) {
    auto const product = co_await context.services.products.find_newest(
        context.principal.organization, context.deadline);
    if (!product) co_return context.failure(product.error());
    if (!*product) co_return context.problem(Code::product_not_found);
    co_return sale_response(context, **product);
}

Answer watch_sale(RequestContext& context) {
    auto const product = co_await find_product(context, "product");
    if (!product) co_return context.failure(product.error());
    if (!*product) co_return context.problem(Code::product_not_found);
    auto known = std::string(context.request.headers.get("Last-Event-ID"));
    if (known.size() > event_id_bytes_max) known.clear();
    auto const spread = context.services.ids.nonce() % reconnect_within_ms;
    milliseconds const reconnect_after{reconnect_after_ms + spread};
    auto source = context.services.products.feeds().watch((*product)->id.value, std::move(known),
                                                          reconnect_after);
    if (!source) co_return context.failure(reactor::Errc::overloaded);
    Response response(200);
    response.content_type = media::events;
    response.source = std::move(source);
    response.add("Cache-Control", "no-store");
    // A buffering proxy would hold the events back.
    response.add("X-Accel-Buffering", "no");
    co_return response;
}

/// Compares and mends; a repetition within the edge's memory gets the first answer.
Answer reconcile_sales(RequestContext& context) {
    JsonReader in(context.request.body);
    if (!in.finish()) co_return context.problem(in.problem());
    auto const known = co_await context.known_outcome(in.canonical());
    if (known) co_return context.answer(*known, 200);
    auto const sales =
        co_await context.services.sales.reconcile(context.principal.organization, context.deadline);
    if (!sales) co_return context.failure(sales.error());
    domain::Recorded recorded;
    recorded.status = 200;
    JsonWriter json(recorded.body);
    json.begin_object().begin_array("sales");
    for (auto const& sale : *sales) write(json, sale);
    json.end_array().end_object();
    domain::Receipt receipt;
    receipt.what = std::move(recorded);
    Result<domain::Outcome> const outcome = domain::Outcome(std::move(receipt));
    co_return context.answer(outcome, 200);
}

/// The page finds out by itself what its address means, so it is the same for every sale.
Answer show_storefront(RequestContext&) {
    auto const& page = storefront();
    Response response(200, media::html, page.html);
    response.add("Content-Security-Policy", page.content_security_policy);
    response.add("Referrer-Policy", "no-referrer");
    response.add("Cache-Control", "no-cache");
    co_return response;
}

}  // namespace penstock::server::routes
