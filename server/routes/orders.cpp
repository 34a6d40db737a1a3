// Orders of a flash sale: placed, cancelled, read and listed, and what a user has.
#include "db/primary.hpp"
#include "server/http/json_reader.hpp"
#include "server/render.hpp"
#include "server/routes/by_key.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/on_product.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"
#include "server/sales/desk.hpp"

namespace penstock::server::routes {
namespace {

constexpr std::size_t user_bytes_max = 128;
/// A user's orders that are shown; what he has is counted over all of them.
constexpr std::size_t orders_shown_max = 200;
constexpr std::size_t orders_at_once = 1'000;

/// The body of an order, as far as it can be judged without the product.
domain::PlaceOrder read_order(JsonObject& in) {
    domain::PlaceOrder command;
    command.user =
        in.text("user", 1, user_bytes_max, is_printable, "must not hold control characters");
    command.quantity = in.optional_integer("quantity", 1, domain::amount_max).value_or(1);
    command.metadata = in.object_text("metadata").value_or("{}");
    return command;
}

/// What is paid for is paid by an account.
bool may_buy(domain::Product const& product, std::string_view user) {
    return !product.payment || is_payable_address(user);
}

Problem bad_user() {
    std::vector<Fault> faults;
    faults.push_back({Fault::Where::pointer, "/user", std::string(payable_expected)});
    return Problem(Code::invalid_request, "", std::move(faults));
}

bool has_quota(RequestContext const& context) {
    return context.is_limited(RateClass::address) || context.is_limited(RateClass::user);
}

/// What a user has bought, over all of his orders.
struct Bought {
    std::int64_t quantity = 0;
    std::vector<domain::Order> orders;  ///< the newest
};

asio::awaitable<Result<Bought>> bought_by(RequestContext& context, domain::ProductId product,
                                          std::string user) {
    Bought bought;
    db::OrderPage wanted;
    wanted.user = std::move(user);
    wanted.limit = orders_at_once;
    for (;;) {
        auto page = co_await context.services.store.list_orders(product, wanted, context.deadline);
        if (!page) co_return page.error();
        for (auto& order : *page) {
            if (order.status == domain::OrderStatus::completed) bought.quantity += order.quantity;
            wanted.before = order.id;
            if (bought.orders.size() < orders_shown_max) bought.orders.push_back(std::move(order));
        }
        if (page->size() < orders_at_once) co_return bought;
    }
}

}  // namespace

Answer create_order(RequestContext& context) {
    JsonReader in(context.request.body);
    auto command = read_order(in);
    if (!in.finish()) co_return context.problem(in.problem());
    if (has_quota(context)) {
        auto refused = co_await context.over_address_limit();
        if (!refused) refused = co_await context.over_user_limit(command.user);
        if (refused) co_return std::move(*refused);
    }
    auto const product = co_await find_product(context, "product");
    if (!product) co_return context.failure(product.error());
    if (!*product)
        co_return co_await refuse_unless_known(context, context.problem(Code::product_not_found),
                                               in.canonical(), 201);
    if (!may_buy(**product, command.user)) co_return context.problem(bad_user());
    auto verdict = co_await context.services.sales.admit(
        *product, context.idempotency_key(), command.user, command.quantity, context.deadline);
    if (auto const* refusal = std::get_if<domain::Refusal>(&verdict))
        co_return context.refuse(*refusal);
    auto& ticket = std::get<SaleDesk::Ticket>(verdict);
    command.product = (*product)->id;
    command.payment = (*product)->payment;
    command.admitted_at = ticket.at();
    domain::Command any = std::move(command);
    auto const outcome = co_await context.submit(std::move(any), in.canonical());
    ticket.settle(outcome);
    co_return context.answer(outcome, 201);
}

Answer cancel_order(RequestContext& context) {
    JsonReader in(context.request.body);
    if (!in.finish()) co_return context.problem(in.problem());
    auto const product = co_await find_product(context, "product");
    if (!product) co_return context.failure(product.error());
    if (!*product)
        co_return co_await refuse_unless_known(context, context.problem(Code::product_not_found),
                                               in.canonical(), 200);
    auto const known = co_await context.known_outcome(in.canonical());
    if (known) co_return context.answer(*known, 200);
    domain::CancelOrder command;
    command.product = (*product)->id;
    command.payment = (*product)->payment;
    if (auto const id = domain::Uuid::parse(context.parameter("id"))) {
        domain::OrderId const order{*id};
        auto& store = db::primary_of(context.services.store);
        auto found = co_await store.find_order(command.product, order, context.deadline);
        if (!found) co_return context.failure(found.error());
        command.original = std::move(*found);
    }
    domain::Command any = std::move(command);
    auto const outcome = co_await context.submit(std::move(any), in.canonical());
    if (auto const* order = made<domain::Order>(outcome))
        context.services.sales.cancelled(**product, *order);
    co_return context.answer(outcome, 200);
}

Answer get_order(RequestContext& context) {
    auto const product = co_await find_product(context, "product");
    if (!product) co_return context.failure(product.error());
    if (!*product) co_return context.problem(Code::product_not_found);
    auto const id = domain::Uuid::parse(context.parameter("id"));
    if (!id) co_return context.problem(Code::order_not_found);
    domain::OrderId const order_id{*id};
    auto const order =
        co_await context.services.store.find_order((*product)->id, order_id, context.deadline);
    if (!order) co_return context.failure(order.error());
    if (!*order) co_return context.problem(Code::order_not_found);
    std::string body;
    JsonWriter json(body);
    write(json, **order);
    co_return Response(200, std::move(body));
}

Answer list_orders(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    db::OrderPage wanted;
    wanted.limit = *limit + 1;
    if (auto const user = context.query("user")) wanted.user = std::string(*user);
    if (!read_id_cursor(context, CursorKind::orders, wanted.before))
        co_return context.problem(Code::invalid_cursor);
    auto const product = co_await find_product(context, "product");
    if (!product) co_return context.failure(product.error());
    if (!*product) co_return context.problem(Code::product_not_found);
    auto const items = co_await context.services.store.list_orders(
        (*product)->id, std::move(wanted), context.deadline);
    if (!items) co_return context.failure(items.error());
    co_return page_by_id(*items, *limit, "", CursorKind::orders);
}

Answer get_sale_user(RequestContext& context) {
    auto const& user = context.parameter("user");
    if (user.size() > user_bytes_max)
        co_return context.bad_parameter("user", "must be at most 128 bytes");
    auto const product = co_await find_product(context, "product");
    if (!product) co_return context.failure(product.error());
    if (!*product) co_return context.problem(Code::product_not_found);
    auto const bought = co_await bought_by(context, (*product)->id, user);
    if (!bought) co_return context.failure(bought.error());
    std::string body;
    JsonWriter json(body);
    json.begin_object()
        .member("purchased", bought->quantity > 0)
        .member("quantity", bought->quantity)
        .begin_array("orders");
    for (auto const& order : bought->orders) write(json, order);
    json.end_array().end_object();
    co_return Response(200, std::move(body));
}

}  // namespace penstock::server::routes
