#include "tests/db/sale_rules.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "tests/db/rules.hpp"

namespace penstock::tests {
namespace {

constexpr std::int64_t day_ms = 86'400'000;

Product shirt(Driver const& driver, std::int64_t stock, std::int64_t limit = 1) {
    Product draft;
    draft.name = "shirt 'é'";
    draft.price = 100;
    draft.stock = stock;
    draft.starts_at = Instant{driver.at.ms - 1};
    draft.per_user_limit = limit;
    return draft;
}

Command offer(Product draft, Ledger const* ledger = nullptr, std::string seller = "bob") {
    CreateProduct command;
    command.draft = std::move(draft);
    if (ledger) command.payment = PayInto{ledger->id, ledger->name, std::move(seller)};
    return command;
}

Command place(Product const& product, std::string user, std::int64_t quantity = 1,
              std::string metadata = "{}") {
    return PlaceOrder{product.id, product.payment, std::move(user), quantity, std::move(metadata)};
}

Command cancel(Product const& product, std::optional<Order> order) {
    return CancelOrder{product.id, product.payment, std::move(order)};
}

Command restock(Product const& product, std::int64_t quantity) {
    return RestockProduct{product.id, quantity, product.payment};
}

Product offered(Outcome const& outcome) { return made<Offered>(outcome).product; }

asio::awaitable<Product> offer_shirts(Driver& driver, std::int64_t stock, std::int64_t limit = 1) {
    auto outcome = co_await driver.one(offer(shirt(driver, stock, limit)));
    co_return offered(outcome);
}

asio::awaitable<Product> stored(db::Store& store, Product product) {
    co_return found(co_await store.find_product(product.organization, product.id, in_time()));
}

asio::awaitable<Order> stored(db::Store& store, Order order) {
    co_return found(co_await store.find_order(order.product, order.id, in_time()));
}

asio::awaitable<void> check_sales(db::Store& store) {
    for (auto const& check : value_of(co_await store.verify_sales(in_time())))
        BOOST_TEST(check.ok, check.name << ": " << check.detail);
}

asio::awaitable<void> a_product_is_kept_as_it_was_offered(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto draft = shirt(driver, 5, 2);
    auto const plain = offered(co_await driver.one(offer(draft)));
    draft.ends_at = Instant{driver.at.ms + day_ms};
    draft.metadata = R"({"colour":"grün"})";
    draft.price = 0;
    draft.stock = 0;
    auto const full = offered(co_await driver.one(offer(draft, &ledger)));
    auto const read_plain = co_await stored(store, plain);
    auto const read_full = co_await stored(store, full);
    BOOST_TEST((read_plain == plain));
    BOOST_TEST((read_full == full));
    BOOST_TEST(read_full.payment->seller.address == "bob");
    auto const of_others =
        value_of(co_await store.find_product(default_organization, plain.id, in_time()));
    BOOST_TEST(!of_others.has_value());

    std::vector<ProductId> wanted{full.id, ProductId{make_uuid7(driver.at, 0, 1)}, plain.id};
    auto several = value_of(co_await store.find_products(wanted, in_time()));
    std::ranges::sort(several, {}, &Product::id);
    BOOST_TEST((several == std::vector{plain, full}));
    std::vector<ProductId> const nobody;
    auto const nothing = value_of(co_await store.find_products(nobody, in_time()));
    BOOST_TEST(nothing.empty());
}

asio::awaitable<void> products_are_paged_newest_first(db::Store& store, Driver& driver) {
    co_await open_ledger(driver);
    std::vector<Product> all;
    for (int i = 0; i < 5; ++i) {
        driver.at.ms += i % 2;
        all.push_back(co_await offer_shirts(driver, i));
    }
    std::ranges::reverse(all);
    std::vector<Product> paged;
    std::optional<ProductId> before;
    for (;;) {
        auto const page =
            value_of(co_await store.list_products(driver.organization, before, 2, in_time()));
        if (page.empty()) break;
        BOOST_TEST(page.size() <= 2U);
        paged.insert(paged.end(), page.begin(), page.end());
        before = page.back().id;
    }
    BOOST_TEST((paged == all));
}

asio::awaitable<void> sales_that_ended_long_ago_are_not_open(db::Store& store, Driver& driver) {
    co_await open_ledger(driver);
    std::vector<Product> open;
    Instant const since{driver.at.ms - day_ms};
    for (std::int64_t const ends : {-1, 0, 1, 2}) {
        auto draft = shirt(driver, 1);
        draft.starts_at = Instant{since.ms - 10};
        draft.ends_at = Instant{since.ms + ends};
        auto const product = offered(co_await driver.one(offer(draft)));
        if (ends >= 0) open.push_back(product);
    }
    open.push_back(co_await offer_shirts(driver, 0));  // never ends
    auto const list = [&](std::optional<ProductId> after, std::size_t limit) {
        return store.list_open_sales(since, after, limit, driver.organization, in_time());
    };
    auto const own = value_of(co_await list(std::nullopt, 100));
    BOOST_TEST((own == open));
    auto const behind = value_of(co_await list(open[0].id, 2));
    BOOST_TEST((behind == std::vector{open[1], open[2]}));

    // Everybody's, of which there may be any number in a store that rules share.
    std::set<ProductId> all;
    std::optional<ProductId> after;
    for (;;) {
        auto const page =
            value_of(co_await store.list_open_sales(since, after, 3, std::nullopt, in_time()));
        if (page.empty()) break;
        for (auto const& product : page) BOOST_TEST(all.insert(product.id).second);
        BOOST_TEST(std::ranges::is_sorted(page, {}, &Product::id));
        after = page.back().id;
    }
    for (auto const& product : open) BOOST_TEST(all.contains(product.id));
}

asio::awaitable<void> orders_take_from_the_stock_and_are_kept(db::Store& store, Driver& driver) {
    co_await open_ledger(driver);
    auto const product = co_await offer_shirts(driver, 5, 3);
    auto const use = new_key(driver);
    std::vector<Envelope> batch;
    batch.push_back(driver.envelope(place(product, "ann", 2, R"({"size":"M"})"), use));
    batch.push_back(driver.envelope(place(product, "ben", 4)));
    batch.push_back(driver.envelope(place(product, "ann", 1)));
    batch.push_back(driver.envelope(place(product, "ann", 1)));
    auto const outcomes = co_await driver.batch(std::move(batch));
    BOOST_TEST(refusal_of(outcomes[1]) == "purchase_limit_reached");
    BOOST_TEST(refusal_of(outcomes[3]) == "purchase_limit_reached");
    auto const first = made<Order>(outcomes[0]);
    auto const second = made<Order>(outcomes[2]);
    BOOST_TEST((first.key_use == use));

    // Across batches it is the rows that remember.
    auto const too_many = co_await driver.one(place(product, "ann", 1));
    BOOST_TEST(refusal_of(too_many) == "purchase_limit_reached");
    auto const too_few = co_await driver.one(place(product, "ben", 3));
    BOOST_TEST(refusal_of(too_few) == "sold_out");
    auto const third = made<Order>(co_await driver.one(place(product, "ben", 2)));
    auto const none = co_await driver.one(place(product, "ann", 1));
    BOOST_TEST(refusal_of(none) == "sold_out");

    for (auto const& order : {first, second, third}) {
        auto const read = co_await stored(store, order);
        BOOST_TEST((read == order));
    }
    auto const now = co_await stored(store, product);
    BOOST_TEST(now.sold == 5);
    BOOST_TEST(now.version == 3);
    ProductId const other{make_uuid7(driver.at, 0, 1)};
    auto const elsewhere = value_of(co_await store.find_order(other, first.id, in_time()));
    BOOST_TEST(!elsewhere.has_value());
    co_await check_sales(store);
}

asio::awaitable<void> orders_are_filtered_and_paged(db::Store& store, Driver& driver) {
    co_await open_ledger(driver);
    auto const product = co_await offer_shirts(driver, 100, 100);
    auto const other = co_await offer_shirts(driver, 100, 100);
    std::vector<Order> all;
    for (int i = 0; i < 7; ++i) {
        driver.at.ms += i % 2;
        auto const* user = i % 3 == 0 ? "ann" : "ben";
        all.push_back(made<Order>(co_await driver.one(place(product, user, 1 + i))));
        co_await driver.one(place(other, user));
    }
    std::ranges::reverse(all);
    for (auto const* user : {"", "ann", "ben", "nobody"}) {
        std::vector<Order> wanted;
        for (auto const& order : all)
            if (!*user || order.user == user) wanted.push_back(order);
        std::vector<Order> paged;
        db::OrderPage page;
        if (*user) page.user = user;
        page.limit = 2;
        for (;;) {
            auto const items = value_of(co_await store.list_orders(product.id, page, in_time()));
            if (items.empty()) break;
            BOOST_TEST(items.size() <= 2U);
            paged.insert(paged.end(), items.begin(), items.end());
            page.before = items.back().id;
        }
        BOOST_TEST((paged == wanted), "orders of " << user);
    }
}

asio::awaitable<void> what_was_sold_is_listed_with_its_keys(db::Store& store, Driver& driver) {
    co_await open_ledger(driver);
    auto const product = co_await offer_shirts(driver, 100, 100);
    auto const other = co_await offer_shirts(driver, 100, 100);
    auto const one = new_key(driver);
    auto const two = new_key(driver);
    auto const foreign = new_key(driver);
    auto const first = made<Order>(co_await driver.one(place(product, "ann", 2), one));
    auto const second = made<Order>(co_await driver.one(place(product, "ben"), two));
    auto const third = made<Order>(co_await driver.one(place(product, "ann")));
    co_await driver.one(place(other, "ann"), foreign);
    co_await driver.one(cancel(product, second));

    db::Sold const wanted_first{first.id, one.key, "ann", 2, OrderStatus::completed};
    db::Sold const wanted_second{second.id, two.key, "ben", 1, OrderStatus::cancelled};
    db::Sold const wanted_third{third.id, std::nullopt, "ann", 1, OrderStatus::completed};
    auto const all = value_of(co_await store.list_sold(product.id, std::nullopt, 100, in_time()));
    BOOST_TEST((all == std::vector{wanted_first, wanted_second, wanted_third}));
    auto const behind = value_of(co_await store.list_sold(product.id, first.id, 1, in_time()));
    BOOST_TEST((behind == std::vector{wanted_second}));

    std::vector<IdempotencyKey> keys{two.key, foreign.key, one.key, new_key(driver).key};
    auto by_key = value_of(co_await store.find_orders_by_keys(product.id, keys, in_time()));
    std::ranges::sort(by_key, {}, &db::Sold::id);
    BOOST_TEST((by_key == std::vector{wanted_first, wanted_second}));
}

asio::awaitable<void> a_cancelled_order_stays_and_frees_what_it_held(db::Store& store,
                                                                     Driver& driver) {
    co_await open_ledger(driver);
    auto const product = co_await offer_shirts(driver, 1);
    auto const order = made<Order>(co_await driver.one(place(product, "ann")));
    driver.at.ms += 5;
    // What the first frees is there for the next of the same batch.
    std::vector<Envelope> batch;
    batch.push_back(driver.envelope(cancel(product, order)));
    batch.push_back(driver.envelope(cancel(product, order)));
    batch.push_back(driver.envelope(place(product, "ann")));
    auto const outcomes = co_await driver.batch(std::move(batch));
    auto const cancelled = made<Order>(outcomes[0]);
    BOOST_TEST((cancelled.cancelled_at == driver.at));
    BOOST_TEST(refusal_of(outcomes[1]) == "illegal_transition");
    auto const next = made<Order>(outcomes[2]);
    auto const read = co_await stored(store, order);
    BOOST_TEST((read == cancelled));
    auto const again = co_await driver.one(cancel(product, order));
    BOOST_TEST(refusal_of(again) == "illegal_transition");
    auto const unknown = co_await driver.one(cancel(product, std::nullopt));
    BOOST_TEST(refusal_of(unknown) == "order_not_found");
    auto const now = co_await stored(store, product);
    BOOST_TEST(now.sold == 1);
    co_await driver.one(cancel(product, next));
    auto const empty = co_await stored(store, product);
    BOOST_TEST(empty.sold == 0);
    BOOST_TEST(empty.version == 4);
    co_await check_sales(store);
}

asio::awaitable<void> a_restock_is_there_for_the_next_order(db::Store& store, Driver& driver) {
    co_await open_ledger(driver);
    auto const product = co_await offer_shirts(driver, 0);
    auto const none = co_await driver.one(place(product, "ann"));
    BOOST_TEST(refusal_of(none) == "sold_out");
    std::vector<Envelope> batch;
    batch.push_back(driver.envelope(restock(product, 2), new_key(driver)));
    batch.push_back(driver.envelope(place(product, "ann")));
    batch.push_back(driver.envelope(place(product, "ben")));
    batch.push_back(driver.envelope(place(product, "cem")));
    auto const outcomes = co_await driver.batch(std::move(batch));
    BOOST_TEST(offered(outcomes[0]).stock == 2);
    BOOST_TEST(refusal_of(outcomes[3]) == "sold_out");
    auto const now = co_await stored(store, product);
    BOOST_TEST(now.stock == 2);
    BOOST_TEST(now.sold == 2);
    BOOST_TEST(now.version == 3);
}

asio::awaitable<void> an_order_is_paid_in_the_same_commit(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const product = offered(co_await driver.one(offer(shirt(driver, 99, 99), &ledger)));
    auto const order = made<Order>(co_await driver.one(place(product, "alice", 3)));
    BOOST_TEST_REQUIRE(order.purchase.has_value());
    auto const purchase =
        found(co_await store.find_purchase(ledger.id, *order.purchase, in_time()));
    BOOST_TEST(purchase.price == 300);
    BOOST_TEST((purchase.reference == order.id.to_string()));
    auto const poor = co_await driver.one(place(product, "alice", 8));
    BOOST_TEST(refusal_of(poor) == "insufficient_funds");
    auto const bob = found(co_await store.find_account(name_in(ledger, "bob"), in_time()));
    BOOST_TEST(bob.standing.balance == 210);

    co_await driver.one(cancel(product, order));
    auto const refunded =
        found(co_await store.find_purchase(ledger.id, *order.purchase, in_time()));
    BOOST_TEST((refunded.refunded_at == driver.at));
    auto const alice = found(co_await store.find_account(name_in(ledger, "alice"), in_time()));
    BOOST_TEST(alice.standing.balance == 1000);
    auto const checks = value_of(co_await store.verify(ledger.id, in_time()));
    for (auto const& check : checks) BOOST_TEST(check.ok, check.name << ": " << check.detail);
    for (auto const* name : {"sold_equals_orders", "users_within_limit", "orders_equal_purchases"})
        BOOST_TEST(std::ranges::count(checks, name, &db::Check::name) == 1);
    co_await check_sales(store);
}

asio::awaitable<void> a_key_replays_the_order_as_it_was_made(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const product = offered(co_await driver.one(offer(shirt(driver, 5, 5), &ledger)));
    auto const use = new_key(driver);
    auto const first = co_await driver.one(place(product, "alice", 2), use);
    auto const order = made<Order>(first);
    auto const again = co_await driver.one(place(product, "alice", 2), use);
    BOOST_TEST(is_replayed(again));
    BOOST_TEST((made<Order>(again) == order));
    co_await driver.one(cancel(product, order));
    auto const later = co_await driver.one(place(product, "alice", 2), use);
    BOOST_TEST(is_replayed(later));
    BOOST_TEST((made<Order>(later) == order));

    // A key is used up for whatever else it may be sent with, and the other way round.
    auto other = use;
    other.fingerprint[0] ^= 1;
    auto const elsewhere = co_await driver.one(deposit(ledger, "alice", 1), other);
    BOOST_TEST(refusal_of(elsewhere) == "idempotency_key_reused");
    auto const of_transfer = new_key(driver);
    co_await driver.one(deposit(ledger, "alice", 1), of_transfer);
    other = of_transfer;
    other.fingerprint[0] ^= 1;
    auto const reused = co_await driver.one(place(product, "alice"), other);
    BOOST_TEST(refusal_of(reused) == "idempotency_key_reused");
    auto const now = co_await stored(store, product);
    BOOST_TEST(now.sold == 0);
}

asio::awaitable<void> an_orders_key_past_its_retention_is_free(db::Store& store, Driver& driver) {
    co_await open_ledger(driver);
    auto const product = co_await offer_shirts(driver, 5, 5);
    auto const use = new_key(driver);
    auto const first = made<Order>(co_await driver.one(place(product, "ann"), use));
    driver.at.ms += day_ms + 1;
    driver.keys_since = Instant{driver.at.ms - day_ms};
    auto const again = co_await driver.one(place(product, "ann"), use);
    BOOST_TEST(!is_replayed(again));
    auto const second = made<Order>(again);
    auto const freed = co_await stored(store, first);
    BOOST_TEST(!freed.key_use);
    std::vector<IdempotencyKey> const keys(1, use.key);
    auto const by_key = value_of(co_await store.find_orders_by_keys(product.id, keys, in_time()));
    BOOST_TEST_REQUIRE(by_key.size() == 1U);
    BOOST_TEST((by_key.front().id == second.id));
}

asio::awaitable<void> an_abandoned_sale_leaves_nothing(db::Store& store, Driver& driver) {
    co_await open_ledger(driver);
    auto const product = co_await offer_shirts(driver, 5);
    std::vector<Envelope> batch;
    batch.push_back(driver.envelope(place(product, "ann"), new_key(driver)));
    batch.push_back(driver.envelope(restock(product, 1)));
    batch.push_back(driver.envelope(offer(shirt(driver, 1))));
    co_await driver.abandoned(std::move(batch));
    auto const now = co_await stored(store, product);
    BOOST_TEST((now == product));
    auto const sold = value_of(co_await store.list_sold(product.id, std::nullopt, 10, in_time()));
    BOOST_TEST(sold.empty());
    auto const all =
        value_of(co_await store.list_products(driver.organization, std::nullopt, 10, in_time()));
    BOOST_TEST(all.size() == 1U);
}

asio::awaitable<std::vector<db::Activity>> feed(db::Store& store, Driver& driver,
                                                db::ActivityPage page) {
    co_return value_of(co_await store.list_activity(driver.organization, page, in_time()));
}

std::vector<std::string> types_in(std::vector<db::Activity> const& items) {
    std::vector<std::string> types;
    for (auto const& item : items) types.emplace_back(db::activity_name(item.type));
    return types;
}

/// What an account or a resource had to do with it, each filter alone and both together.
asio::awaitable<void> check_filters(db::Store& store, Driver& driver,
                                    std::vector<db::Activity> sales) {
    db::ActivityPage of_subject;
    of_subject.subject = sales[1].subject;
    auto const life = co_await feed(store, driver, of_subject);
    BOOST_TEST((life == std::vector{sales[1], sales[3]}));
    of_subject.account = "bob";
    auto const of_seller = co_await feed(store, driver, of_subject);
    BOOST_TEST((of_seller == life));
    of_subject.account = "nobody";
    auto const of_nobody = co_await feed(store, driver, of_subject);
    BOOST_TEST(of_nobody.empty());
    of_subject.account.reset();
    of_subject.subject = sales[0].subject;
    auto const of_product = co_await feed(store, driver, of_subject);
    BOOST_TEST((of_product == std::vector{sales[0], sales[4]}));
    db::ActivityPage of_account;
    of_account.account = "alice";
    of_account.type = db::order_completed;
    auto const bought = co_await feed(store, driver, of_account);
    BOOST_TEST((bought == std::vector{sales[3]}));
    of_account.type = db::activity_of(EventType::order_cancelled);
    of_account.account = "bob";
    auto const taken_back = co_await feed(store, driver, of_account);
    BOOST_TEST((taken_back == std::vector{sales[1]}));
    of_account.type = db::product_created;
    auto const sold = co_await feed(store, driver, of_account);
    BOOST_TEST((sold == std::vector{sales[5]}));
}

asio::awaitable<void> what_happened_to_sales_is_listed_under_every_filter(db::Store& store,
                                                                          Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const paid = offered(co_await driver.one(offer(shirt(driver, 9, 9), &ledger)));
    auto const plain = co_await offer_shirts(driver, 1);
    auto const order = made<Order>(co_await driver.one(place(paid, "alice", 2)));
    auto const other = made<Order>(co_await driver.one(place(plain, "alice")));
    co_await driver.one(cancel(paid, order));
    co_await driver.one(restock(plain, 4));

    db::ActivityPage page;
    auto const whole = co_await feed(store, driver, page);
    BOOST_TEST(std::ranges::is_sorted(whole, std::greater(), &db::Activity::id));
    std::vector<db::Activity> sales;
    for (auto const& item : whole)
        if (item.product) sales.push_back(item);
    std::vector<std::string> const wanted{"product.restocked", "order.cancelled",
                                          "order.completed",   "order.completed",
                                          "product.created",   "product.created"};
    BOOST_TEST(types_in(sales) == wanted, boost::test_tools::per_element());
    BOOST_TEST((sales[0].quantity == 4));
    BOOST_TEST(sales[0].subject == plain.id.to_string());
    BOOST_TEST(!sales[0].ledger);
    BOOST_TEST(sales[1].subject == order.id.to_string());
    BOOST_TEST((sales[1].user == "alice"));
    BOOST_TEST((sales[1].amount == 200));
    BOOST_TEST((sales[1].account == "alice"));
    BOOST_TEST((sales[1].counterparty == "bob"));
    BOOST_TEST((sales[1].ledger == "main"));
    BOOST_TEST(sales[2].subject == other.id.to_string());
    BOOST_TEST(!sales[2].account);
    BOOST_TEST((sales[3].quantity == 2));
    BOOST_TEST((sales[3].product == paid.id));

    // Two accounts and a deposit, the purchase and its two legs, two legs back, the refund; and of
    // the product that is paid into the ledger three.
    page.ledger = ledger.id;
    auto const of_ledger = co_await feed(store, driver, page);
    BOOST_TEST(of_ledger.size() == 12U);
    for (std::size_t limit = 1; limit < 5; ++limit) {
        db::ActivityPage part;
        part.limit = limit;
        part.before = whole[limit].id;
        auto const middle = co_await feed(store, driver, part);
        auto const same = std::span(whole).subspan(limit + 1, limit);
        BOOST_TEST(std::ranges::equal(middle, same));
    }
    co_await check_filters(store, driver, sales);
}

asio::awaitable<void> a_sale_outlives_the_ledger_of_its_payments(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const product = offered(co_await driver.one(offer(shirt(driver, 9, 9), &ledger)));
    auto const order = made<Order>(co_await driver.one(place(product, "alice")));
    auto const kept = made<Order>(co_await driver.one(place(product, "alice")));
    co_await driver.one(cancel(product, order));
    co_await driver.one(move(ledger, "bob", "alice", 70));
    co_await driver.one(move(ledger, "@platform", "alice", 30));
    co_await driver.one(move(ledger, "alice", world_address, 1000));
    co_await driver.one(delete_ledger(ledger));

    auto const look = [&]() -> asio::awaitable<void> {
        auto const now = co_await stored(store, product);
        BOOST_TEST(now.sold == 1);
        BOOST_TEST((now.payment == product.payment));
        auto const read = co_await stored(store, kept);
        BOOST_TEST((read == kept));
        db::ActivityPage page;
        auto const items = co_await feed(store, driver, page);
        std::vector<std::string> const wanted{"order.cancelled", "order.completed",
                                              "order.completed", "product.created"};
        BOOST_TEST(types_in(items) == wanted, boost::test_tools::per_element());
        for (auto const& item : items) BOOST_TEST((!item.ledger && !item.account));
        page.account = "alice";
        auto const of_alice = co_await feed(store, driver, page);
        BOOST_TEST(of_alice.empty());
        co_await check_sales(store);
    };
    co_await look();
    auto const refused = co_await driver.one(place(product, "alice"));
    BOOST_TEST(refusal_of(refused) == "ledger_not_found");
    auto const stuck = co_await driver.one(cancel(product, kept));
    BOOST_TEST(refusal_of(stuck) == "ledger_not_found");
    auto const purged_at = Instant{driver.at.ms + milliseconds(db::purge_slack).count() + 1};
    for (std::size_t removed = 1; removed > 0;)
        removed = value_of(co_await store.purge(purged_at, 100, in_time()));
    co_await look();
}

constexpr ConformanceRule rules[] = {
    PENSTOCK_RULE(a_product_is_kept_as_it_was_offered),
    PENSTOCK_RULE(products_are_paged_newest_first),
    PENSTOCK_RULE(sales_that_ended_long_ago_are_not_open),
    PENSTOCK_RULE(orders_take_from_the_stock_and_are_kept),
    PENSTOCK_RULE(orders_are_filtered_and_paged),
    PENSTOCK_RULE(what_was_sold_is_listed_with_its_keys),
    PENSTOCK_RULE(a_cancelled_order_stays_and_frees_what_it_held),
    PENSTOCK_RULE(a_restock_is_there_for_the_next_order),
    PENSTOCK_RULE(an_order_is_paid_in_the_same_commit),
    PENSTOCK_RULE(a_key_replays_the_order_as_it_was_made),
    PENSTOCK_RULE(an_orders_key_past_its_retention_is_free),
    PENSTOCK_RULE(an_abandoned_sale_leaves_nothing),
    PENSTOCK_RULE(what_happened_to_sales_is_listed_under_every_filter),
    PENSTOCK_RULE(a_sale_outlives_the_ledger_of_its_payments),
};

}  // namespace

std::span<ConformanceRule const> sale_rules() { return rules; }

}  // namespace penstock::tests
