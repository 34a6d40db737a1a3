#include "domain/sale.hpp"

#include <rapidcheck.h>

#include <map>

#include "tests/domain/scene.hpp"

namespace penstock::tests {
namespace {

constexpr Instant later(std::int64_t ms) { return {noon.ms + ms}; }

Product draft(std::int64_t stock, std::int64_t limit = 1, Amount price = 100) {
    Product product;
    product.name = "shirt";
    product.price = price;
    product.stock = stock;
    product.starts_at = day_before;
    product.per_user_limit = limit;
    return product;
}

/// One product, offered in a scene; orders by whoever wants it.
class Shop {
public:
    explicit Shop(Product const& offer, std::optional<PayInto> payment = {},
                  Loaded rows = Scene::loaded())
        : scene{std::move(rows)} {
        CreateProduct command;
        command.draft = offer;
        command.payment = std::move(payment);
        id_ = made<Offered>(scene.decide(command)).product.id;
    }

    Product const& product() { return *scene.set().find_product(id_); }
    std::int64_t bought(std::string const& user) { return scene.set().bought_by(id_, user); }

    PlaceOrder wish(std::string user, std::int64_t quantity = 1, std::optional<Instant> at = {}) {
        return {id_, product().payment, std::move(user), quantity, "{}", at};
    }
    Outcome order(std::string user, std::int64_t quantity = 1, std::optional<Instant> at = {}) {
        return scene.decide(wish(std::move(user), quantity, at));
    }
    Outcome cancel(std::optional<Order> order) {
        return scene.decide(CancelOrder{id_, product().payment, std::move(order)});
    }
    Outcome restock(std::int64_t quantity) {
        return scene.decide(RestockProduct{id_, quantity, product().payment});
    }

    Scene scene;

private:
    ProductId id_;
};

/// A ledger in which "ann" and "bob" have money and "seller" has none; products cost 100.
Shop paid_shop(Product const& offer, Amount money = 1'000) {
    auto rows = Scene::loaded();
    Scene::add(rows, "ann", money);
    Scene::add(rows, "bob", money);
    Scene::add(rows, "seller", 0);
    return Shop(offer, PayInto{Scene::ledger_id(), "main", "seller"}, std::move(rows));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sales)

BOOST_AUTO_TEST_CASE(status_is_what_the_clock_and_the_stock_make_of_it) {
    auto product = draft(1);
    product.starts_at = noon;
    product.ends_at = later(1'000);
    auto const status = [&](std::int64_t ms) { return sale_status(product, later(ms)); };
    BOOST_TEST((status(-1) == SaleStatus::upcoming));
    BOOST_TEST((status(0) == SaleStatus::active));
    BOOST_TEST((status(999) == SaleStatus::active));
    BOOST_TEST((status(1'000) == SaleStatus::ended));
    product.sold = 1;
    BOOST_TEST((status(-1) == SaleStatus::upcoming));
    BOOST_TEST((status(0) == SaleStatus::sold_out));
    BOOST_TEST((status(1'000) == SaleStatus::ended));
    product.ends_at.reset();
    BOOST_TEST((status(1'000'000'000) == SaleStatus::sold_out));
}

BOOST_AUTO_TEST_CASE(a_product_is_offered_as_it_was_drafted) {
    auto wanted = draft(5, 2);
    wanted.sold = 3;
    wanted.version = 9;
    wanted.ends_at = later(1);
    Scene scene;
    CreateProduct command;
    command.draft = wanted;
    auto const offered = made<Offered>(scene.decide(command, use_of(1)));
    BOOST_TEST((offered.at == noon));
    BOOST_TEST((offered.product.created_at() == noon));
    wanted.id = offered.product.id;
    wanted.sold = 0;
    wanted.version = 0;
    BOOST_TEST((offered.product == wanted));
    auto const changes = scene.set().changes();
    BOOST_TEST_REQUIRE(changes.new_products.size() == 1U);
    BOOST_TEST((changes.new_products.front() == wanted));
    BOOST_TEST(changes.events.empty());
    BOOST_TEST_REQUIRE(changes.answers.size() == 1U);
    BOOST_TEST(changes.answers.front().status == 201);
}

BOOST_AUTO_TEST_CASE(a_payment_into_nothing_is_refused_when_the_product_is_made) {
    auto rows = Scene::loaded();
    Scene::add(rows, "seller", 0);
    Scene scene(rows);
    auto const refused = [&](LedgerId ledger, std::string seller,
                             OrganizationId organization = default_organization) {
        CreateProduct command;
        command.draft = draft(1);
        command.payment = PayInto{ledger, "main", std::move(seller)};
        return refusal_of(scene.decide(command, {}, organization));
    };
    OrganizationId const stranger{make_uuid7(noon, 0, 9)};
    BOOST_TEST(refused({}, "seller") == "ledger_not_found /payment/ledger");
    BOOST_TEST(refused(Scene::ledger_id(), "nobody") == "account_not_found /payment/seller");
    BOOST_TEST(refused(Scene::ledger_id(), "seller", stranger) ==
               "ledger_not_found /payment/ledger");
    BOOST_TEST(scene.set().changes().empty());
    BOOST_TEST(refused(Scene::ledger_id(), "seller") == "");
    auto const changes = scene.set().changes();
    auto const& payment = *changes.new_products.front().payment;
    BOOST_TEST(payment.ledger_name == "main");
    BOOST_TEST((payment.seller.account == rows.accounts.back().id));
}

BOOST_AUTO_TEST_CASE(a_payment_into_credits_is_refused) {
    Scene scene(AccountPolicy::implicit, LedgerKind::credits);
    CreateProduct command;
    command.draft = draft(1);
    command.payment = PayInto{Scene::ledger_id(), "main", "seller"};
    BOOST_TEST(refusal_of(scene.decide(command)) == "unsupported_on_ledger /payment/ledger");
}

BOOST_AUTO_TEST_CASE(an_implicit_ledger_opens_the_sellers_account) {
    Scene scene(AccountPolicy::implicit);
    CreateProduct command;
    command.draft = draft(1);
    command.payment = PayInto{Scene::ledger_id(), "main", "seller"};
    made<Offered>(scene.decide(command));
    BOOST_TEST(scene.balance("seller") == 0);
}

BOOST_AUTO_TEST_CASE(an_order_takes_its_units_from_the_stock) {
    Shop shop(draft(5, 3));
    auto wish = shop.wish("ann", 2);
    wish.metadata = R"({"size":"M"})";
    auto const order = made<Order>(shop.scene.decide(wish, use_of(1)));
    BOOST_TEST((order.product == shop.product().id));
    BOOST_TEST(order.user == "ann");
    BOOST_TEST(order.quantity == 2);
    BOOST_TEST(order.unit_price == 100);
    BOOST_TEST(order.total == 200);
    BOOST_TEST((order.status == OrderStatus::completed));
    BOOST_TEST(order.metadata == R"({"size":"M"})");
    BOOST_TEST(!order.purchase);
    BOOST_TEST((order.created_at() == noon));
    BOOST_TEST(shop.product().sold == 2);
    BOOST_TEST(shop.product().remaining() == 3);
    BOOST_TEST(shop.product().version == 1);
    BOOST_TEST(shop.bought("ann") == 2);
    auto const changes = shop.scene.set().changes();
    BOOST_TEST((changes.new_orders == std::vector<Order>{order}));
    BOOST_TEST(changes.answers.empty());
    BOOST_TEST(changes.events.empty());
}

BOOST_AUTO_TEST_CASE(many_orders_of_a_stored_product_are_one_change_of_its_row) {
    auto rows = Scene::loaded();
    auto product = draft(1'000);
    product.id = {make_uuid7(day_before, 0, 5)};
    product.version = 7;
    rows.products.push_back(product);
    Scene scene(std::move(rows));
    for (int i = 0; i < 300; ++i)
        made<Order>(scene.decide(PlaceOrder{product.id, {}, "user-" + std::to_string(i)}));
    auto const changes = scene.set().changes();
    BOOST_TEST(changes.new_orders.size() == 300U);
    BOOST_TEST(changes.new_products.empty());
    BOOST_TEST_REQUIRE(changes.changed_products.size() == 1U);
    BOOST_TEST(changes.changed_products.front().sold == 300);
    BOOST_TEST(changes.changed_products.front().version == 307);
}

BOOST_AUTO_TEST_CASE(refusals_come_in_the_documented_order) {
    auto offer = draft(2, 2);
    offer.starts_at = later(-1'000);
    offer.ends_at = later(1'000);
    Shop shop(offer);
    auto const refused = [&](std::string user, std::int64_t quantity, std::int64_t ms) {
        return refusal_of(shop.order(std::move(user), quantity, later(ms)));
    };
    // The window before everything.
    BOOST_TEST(refused("ann", 9, -1'001) == "sale_not_started");
    BOOST_TEST(refused("ann", 9, 1'000) == "sale_ended");
    // The limit before too little stock.
    BOOST_TEST(refused("ann", 3, 0) == "purchase_limit_reached");
    made<Order>(shop.order("ann", 1));
    BOOST_TEST(refused("ann", 2, 0) == "purchase_limit_reached");
    BOOST_TEST(refused("bob", 2, 0) == "sold_out");
    // Nothing left at all before the limit.
    made<Order>(shop.order("ann", 1));
    BOOST_TEST(refused("ann", 1, 0) == "sold_out");
    BOOST_TEST(refused("ann", 1, 1'000) == "sale_ended");
    BOOST_TEST(shop.product().sold == 2);
    BOOST_TEST(shop.product().version == 2);
}

BOOST_AUTO_TEST_CASE(a_sale_that_has_not_started_says_when_it_will) {
    auto offer = draft(0);
    offer.starts_at = later(5'000);
    Shop shop(offer);
    auto const outcome = shop.order("ann");
    auto const* refusal = std::get_if<Refusal>(&outcome);
    BOOST_TEST_REQUIRE(refusal);
    BOOST_TEST((refusal->code == Rejection::sale_not_started));
    BOOST_TEST((refusal->starts_at == later(5'000)));
}

BOOST_AUTO_TEST_CASE(an_attempt_is_judged_when_it_was_admitted_else_by_the_batch) {
    auto offer = draft(9, 9);
    offer.starts_at = later(-2'000);
    offer.ends_at = noon;
    Shop shop(offer);
    BOOST_TEST(refusal_of(shop.order("ann")) == "sale_ended");
    BOOST_TEST(refusal_of(shop.order("ann", 1, later(-1))) == "");
    offer.starts_at = noon;
    offer.ends_at = later(1);
    Shop open(offer);
    BOOST_TEST(refusal_of(open.order("ann", 1, later(-1))) == "sale_not_started");
    BOOST_TEST(refusal_of(open.order("ann")) == "");
}

BOOST_AUTO_TEST_CASE(nothing_is_known_of_a_product_of_another_organization) {
    Shop shop(draft(5));
    auto const order = made<Order>(shop.order("ann"));
    OrganizationId const stranger{make_uuid7(noon, 0, 9)};
    auto const id = shop.product().id;
    auto const refused = [&](Command command, OrganizationId who) {
        return refusal_of(shop.scene.decide(std::move(command), {}, who));
    };
    BOOST_TEST(refused(shop.wish("bob"), stranger) == "product_not_found");
    BOOST_TEST(refused(RestockProduct{id, 1}, stranger) == "product_not_found");
    BOOST_TEST(refused(CancelOrder{id, {}, order}, stranger) == "product_not_found");
    PlaceOrder unknown;
    unknown.user = "bob";
    BOOST_TEST(refused(unknown, default_organization) == "product_not_found");
}

BOOST_AUTO_TEST_CASE(price_and_stock_may_be_nothing) {
    Shop gift(draft(1, 1, 0));
    BOOST_TEST(made<Order>(gift.order("ann")).total == 0);
    Shop empty(draft(0));
    BOOST_TEST(refusal_of(empty.order("ann")) == "sold_out");
    made<Offered>(empty.restock(1));
    BOOST_TEST(refusal_of(empty.order("ann")) == "");
}

BOOST_AUTO_TEST_CASE(a_total_beyond_the_largest_amount_is_an_overflow) {
    Shop shop(draft(amount_max, amount_max, amount_max));
    BOOST_TEST(refusal_of(shop.order("ann", 2)) == "amount_overflow /quantity");
    BOOST_TEST(refusal_of(shop.order("ann", amount_max)) == "amount_overflow /quantity");
    BOOST_TEST(made<Order>(shop.order("ann", 1)).total == amount_max);
}

BOOST_AUTO_TEST_CASE(restock_raises_the_stock_at_once_and_is_told_of) {
    Shop shop(draft(1));
    made<Order>(shop.order("ann"));
    auto const offered = made<Offered>(shop.restock(4));
    BOOST_TEST(offered.product.stock == 5);
    BOOST_TEST(offered.product.sold == 1);
    BOOST_TEST(offered.product.version == 2);
    BOOST_TEST((offered.at == noon));
    auto const changes = shop.scene.set().changes();
    BOOST_TEST_REQUIRE(changes.events.size() == 1U);
    auto const& event = changes.events.front();
    BOOST_TEST((event.type == EventType::product_restocked));
    BOOST_TEST((event.subject == shop.product().id.value));
    BOOST_TEST((event.product == shop.product().id));
    BOOST_TEST((event.quantity == 4));
    BOOST_TEST(!event.ledger);
    BOOST_TEST(refusal_of(shop.order("bob")) == "");
}

BOOST_AUTO_TEST_CASE(a_stock_beyond_the_largest_amount_is_an_overflow) {
    Shop shop(draft(amount_max - 1));
    BOOST_TEST(refusal_of(shop.restock(2)) == "amount_overflow /quantity");
    BOOST_TEST(refusal_of(shop.restock(amount_max)) == "amount_overflow /quantity");
    BOOST_TEST(made<Offered>(shop.restock(1)).product.stock == amount_max);
}

BOOST_AUTO_TEST_CASE(an_order_with_a_payment_is_a_purchase_of_its_total) {
    auto shop = paid_shop(draft(9, 9));
    auto const order = made<Order>(shop.scene.decide(shop.wish("ann", 3), use_of(1)));
    BOOST_TEST(shop.scene.balance("ann") == 700);
    BOOST_TEST(shop.scene.balance("seller") == 210);
    BOOST_TEST(shop.scene.balance("@platform") == 90);
    auto const changes = shop.scene.set().changes();
    BOOST_TEST_REQUIRE(changes.new_purchases.size() == 1U);
    auto const& purchase = changes.new_purchases.front();
    BOOST_TEST((order.purchase == purchase.id));
    BOOST_TEST(purchase.price == 300);
    BOOST_TEST(purchase.buyer.address == "ann");
    BOOST_TEST((purchase.author == shop.product().payment->seller));
    BOOST_TEST((purchase.reference == order.id.to_string()));
    BOOST_TEST(!purchase.key_use);
    BOOST_TEST((order.key_use == use_of(1)));
    BOOST_TEST(changes.transfers.size() == 2U);
}

BOOST_AUTO_TEST_CASE(an_order_that_cannot_be_paid_leaves_nothing_behind) {
    auto shop = paid_shop(draft(9, 9), 199);
    auto const refused = [&](std::string user, std::int64_t quantity = 1) {
        return refusal_of(shop.order(std::move(user), quantity));
    };
    BOOST_TEST(refused("ann", 2) == "insufficient_funds");
    BOOST_TEST(refused("seller") == "self_purchase /user");
    BOOST_TEST(refused("@platform") == "self_purchase /user");
    BOOST_TEST(refused("@world") == "account_not_found /user");
    BOOST_TEST(refused("nobody") == "account_not_found /user");
    BOOST_TEST(shop.product().sold == 0);
    BOOST_TEST(shop.product().version == 0);
    BOOST_TEST(shop.bought("ann") == 0);
    BOOST_TEST(shop.scene.balance("ann") == 199);
    BOOST_TEST(shop.scene.set().changes().new_orders.empty());
    // What it did not take is there for the next one.
    BOOST_TEST(refused("ann", 1) == "");
    // Stock and limit come before the money.
    BOOST_TEST(refused("ann", 9) == "purchase_limit_reached");
    BOOST_TEST(refused("bob", 9) == "sold_out");
}

BOOST_AUTO_TEST_CASE(an_order_for_nothing_moves_no_money) {
    auto shop = paid_shop(draft(9, 9, 0));
    // Nobody has to have an account for it, either.
    auto const order = made<Order>(shop.order("nobody", 2));
    BOOST_TEST(!order.purchase);
    made<Order>(shop.cancel(order));
    auto const changes = shop.scene.set().changes();
    BOOST_TEST(changes.new_purchases.empty());
    BOOST_TEST(changes.transfers.empty());
}

BOOST_AUTO_TEST_CASE(a_cancelled_order_returns_stock_limit_and_money) {
    auto shop = paid_shop(draft(2, 2));
    auto const order = made<Order>(shop.order("ann", 2));
    BOOST_TEST(refusal_of(shop.order("bob")) == "sold_out");
    auto const cancelled = made<Order>(shop.cancel(order));
    BOOST_TEST((cancelled.status == OrderStatus::cancelled));
    BOOST_TEST((cancelled.cancelled_at == noon));
    BOOST_TEST(shop.product().sold == 0);
    BOOST_TEST(shop.product().version == 2);
    BOOST_TEST(shop.bought("ann") == 0);
    BOOST_TEST(shop.scene.balance("ann") == 1'000);
    BOOST_TEST(shop.scene.balance("seller") == 0);
    BOOST_TEST(shop.scene.balance("@platform") == 0);
    auto const changes = shop.scene.set().changes();
    BOOST_TEST((changes.cancelled_orders == std::vector<Order>{cancelled}));
    BOOST_TEST(changes.refunded_purchases.size() == 1U);
    BOOST_TEST((types_of(changes) ==
                std::vector{EventType::purchase_refunded, EventType::order_cancelled}));
    auto const& event = changes.events.back();
    BOOST_TEST((event.subject == order.id.value));
    BOOST_TEST((event.product == order.product));
    BOOST_TEST((event.amount == 200));
    BOOST_TEST((event.quantity == 2));
    BOOST_TEST((event.counterparty == shop.product().payment->seller.account));
    BOOST_TEST(refusal_of(shop.order("ann", 2)) == "");
}

BOOST_AUTO_TEST_CASE(an_order_is_cancelled_once) {
    Shop shop(draft(2, 2));
    auto const order = made<Order>(shop.order("ann"));
    made<Order>(shop.cancel(order));
    BOOST_TEST(refusal_of(shop.cancel(order)) == "illegal_transition");
    BOOST_TEST(shop.product().sold == 0);
    BOOST_TEST(refusal_of(shop.cancel(std::nullopt)) == "order_not_found");
    auto foreign = order;
    foreign.product = {make_uuid7(noon, 0, 77)};
    BOOST_TEST(refusal_of(shop.cancel(foreign)) == "order_not_found");
}

BOOST_AUTO_TEST_CASE(an_order_can_be_cancelled_after_the_end) {
    auto offer = draft(2);
    offer.ends_at = noon;
    Shop shop(offer);
    auto const order = made<Order>(shop.order("ann", 1, later(-1)));
    BOOST_TEST(refusal_of(shop.order("bob")) == "sale_ended");
    BOOST_TEST(refusal_of(shop.cancel(order)) == "");
}

BOOST_AUTO_TEST_CASE(an_order_whose_seller_has_spent_the_money_is_not_cancelled) {
    auto shop = paid_shop(draft(2, 2));
    auto const order = made<Order>(shop.order("ann"));
    made<Transfer>(shop.scene.move("seller", "bob", 70));
    BOOST_TEST(refusal_of(shop.cancel(order)) == "insufficient_funds");
    BOOST_TEST(shop.product().sold == 1);
    BOOST_TEST(shop.bought("ann") == 1);
    BOOST_TEST(shop.scene.set().changes().cancelled_orders.empty());
    made<Transfer>(shop.scene.move("bob", "seller", 70));
    BOOST_TEST(refusal_of(shop.cancel(order)) == "");
}

BOOST_AUTO_TEST_CASE(what_was_refunded_before_is_not_refunded_by_the_cancellation) {
    auto shop = paid_shop(draft(2, 2));
    auto const order = made<Order>(shop.order("ann"));
    auto const purchase = *shop.scene.set().find_purchase(*order.purchase);
    made<Purchase>(shop.scene.decide(RefundPurchase{Scene::ledger_id(), purchase}));
    BOOST_TEST(shop.scene.balance("ann") == 1'000);
    BOOST_TEST(refusal_of(shop.cancel(order)) == "");
    BOOST_TEST(shop.scene.balance("ann") == 1'000);
    BOOST_TEST(shop.scene.set().changes().refunded_purchases.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_repeated_key_is_answered_with_the_order_as_it_was_made) {
    Shop shop(draft(1));
    auto const order = made<Order>(shop.scene.decide(shop.wish("ann"), use_of(1)));
    BOOST_TEST(is_replayed(shop.scene.decide(shop.wish("ann"), use_of(1))));
    made<Order>(shop.cancel(order));
    auto const again = shop.scene.decide(shop.wish("ann"), use_of(1));
    BOOST_TEST(is_replayed(again));
    BOOST_TEST((made<Order>(again) == order));
    BOOST_TEST(refusal_of(shop.scene.decide(shop.wish("ann"), use_of(1, 2))) ==
               "idempotency_key_reused");
    BOOST_TEST(shop.product().sold == 0);
    BOOST_TEST(shop.scene.set().changes().new_orders.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_stored_order_replays_as_it_was_made) {
    auto rows = Scene::loaded();
    Order order;
    order.id = {make_uuid7(day_before, 1, 3)};
    order.user = "ann";
    order.status = OrderStatus::cancelled;
    order.cancelled_at = noon;
    order.key_use = use_of(1);
    rows.keys.emplace_back(use_of(1).key, KeyRecord{use_of(1).fingerprint, noon, order});
    Scene scene(std::move(rows));
    PlaceOrder command;
    command.user = "ann";
    auto const replayed = scene.decide(command, use_of(1));
    BOOST_TEST(is_replayed(replayed));
    BOOST_TEST((made<Order>(replayed).status == OrderStatus::completed));
    BOOST_TEST(!made<Order>(replayed).cancelled_at);
}

BOOST_AUTO_TEST_CASE(of_5000_users_at_once_200_get_one_of_200_units) {
    Shop shop(draft(200));
    std::map<std::string, int> outcomes;
    for (int i = 0; i < 5'000; ++i) ++outcomes[refusal_of(shop.order("user-" + std::to_string(i)))];
    BOOST_TEST((outcomes == std::map<std::string, int>{{"", 200}, {"sold_out", 4'800}}));
    BOOST_TEST(shop.scene.set().changes().new_orders.size() == 200U);
}

BOOST_AUTO_TEST_CASE(of_50_attempts_of_one_user_one_succeeds) {
    Shop shop(draft(200));
    std::map<std::string, int> outcomes;
    for (int i = 0; i < 50; ++i) ++outcomes[refusal_of(shop.order("ann"))];
    BOOST_TEST((outcomes == std::map<std::string, int>{{"", 1}, {"purchase_limit_reached", 49}}));
}

BOOST_AUTO_TEST_CASE(keys_name_what_an_order_touches_and_no_more) {
    auto shop = paid_shop(draft(2));
    auto const order = made<Order>(shop.order("ann"));
    auto const id = shop.product().id;
    auto const keys_of = [](Command command) {
        Envelope envelope;
        envelope.command = std::move(command);
        KeySet keys;
        add_keys_of(envelope, keys);
        return keys;
    };
    auto const placed = keys_of(shop.wish("bob"));
    BOOST_TEST((placed.products == std::set{id}));
    BOOST_TEST((placed.sale_users == std::set{std::pair{id, std::string("bob")}}));
    BOOST_TEST(placed.accounts.size() == 3U);
    BOOST_TEST((placed.ledgers == std::set{Scene::ledger_id()}));
    auto const ended = keys_of(CancelOrder{id, shop.product().payment, order});
    BOOST_TEST((ended.orders == std::set{std::pair{id, order.id}}));
    BOOST_TEST(ended.accounts.size() == 3U);
    BOOST_TEST(ended.purchases.size() == 1U);
    auto const restocked = keys_of(RestockProduct{id, 1, shop.product().payment});
    BOOST_TEST((restocked.products == std::set{id}));
    BOOST_TEST(restocked.accounts.empty());
    BOOST_TEST(keys_of(PlaceOrder{id, {}, "bob"}).accounts.empty());
}

// Whatever is ordered, cancelled, restocked and spent in whatever order: what is sold is what the
// completed orders hold and never more than the stock, nobody has more than the limit, and money
// is conserved.
BOOST_AUTO_TEST_CASE(sold_is_what_the_completed_orders_hold) {
    bool const holds = rc::check("sold = Σ completed ≤ stock", [] {
        auto const limit = *rc::gen::inRange<std::int64_t>(1, 4);
        auto const stock = *rc::gen::inRange<std::int64_t>(0, 12);
        auto const price = *rc::gen::element<Amount>(0, 1, 33, 99);
        bool const is_paid = *rc::gen::arbitrary<bool>();
        auto shop =
            is_paid ? paid_shop(draft(stock, limit, price), 250) : Shop(draft(stock, limit, price));
        auto const steps = *rc::gen::inRange<std::size_t>(1, 60);
        auto expected_stock = stock;
        std::map<OrderId, Order> orders;
        for (std::size_t i = 0; i < steps; ++i) {
            auto const user = *rc::gen::element<std::string>("ann", "bob");
            auto const number = *rc::gen::inRange<int>(0, 10);
            Outcome outcome;
            if (number < 6) {
                outcome = shop.order(user, *rc::gen::inRange<std::int64_t>(1, 4));
            } else if (number < 9 && !orders.empty()) {
                auto const at = *rc::gen::inRange<std::size_t>(0, orders.size());
                outcome = shop.cancel(std::next(orders.begin(), static_cast<long>(at))->second);
            } else if (is_paid && number == 9) {
                outcome = shop.scene.move("seller", user, 1);
            } else {
                auto const quantity = *rc::gen::inRange<std::int64_t>(1, 3);
                outcome = shop.restock(quantity);
                expected_stock += quantity;
            }
            if (auto const* receipt = std::get_if<Receipt>(&outcome))
                if (auto const* order = std::get_if<Order>(&receipt->what))
                    orders.insert_or_assign(order->id, *order);
        }
        std::map<std::string, std::int64_t> bought;
        std::int64_t sold = 0;
        for (auto const& [id, order] : orders) {
            RC_ASSERT(*shop.scene.set().find_order(id) == order);
            if (order.status != OrderStatus::completed) continue;
            bought[order.user] += order.quantity;
            sold += order.quantity;
        }
        RC_ASSERT(shop.product().sold == sold);
        RC_ASSERT(shop.product().stock == expected_stock);
        RC_ASSERT(sold <= expected_stock);
        for (auto const& [user, quantity] : bought) {
            RC_ASSERT(quantity <= limit);
            RC_ASSERT(shop.bought(user) == quantity);
        }
        if (!is_paid) return;
        Amount sum = shop.scene.balance("@platform");
        for (auto const* one : {"ann", "bob", "seller"}) {
            RC_ASSERT(shop.scene.balance(one) >= 0);
            sum += shop.scene.balance(one);
        }
        RC_ASSERT(sum == 500);
    });
    BOOST_TEST(holds);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
