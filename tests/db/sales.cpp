// What sales cost PostgreSQL, who waits for whom, and whether verify sees what was tampered with.
#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/db/driver.hpp"
#include "tests/db/postgres_fixture.hpp"
#include "tests/db/statistics.hpp"
#include "tests/domain/scene.hpp"

using namespace penstock;
using namespace penstock::domain;
using tests::Books;
using tests::Driver;
using tests::LivingWriter;
using tests::made;
using tests::soon;
using tests::with_store;

namespace {

template <class T>
T value_of(Result<T> result) {
    BOOST_REQUIRE_MESSAGE(result.has_value(), result.error().message());
    return std::move(*result);
}

CreateProduct offer(Driver const& driver, std::int64_t stock, std::int64_t limit = 1) {
    CreateProduct create;
    create.draft.name = "shirt";
    create.draft.price = 100;
    create.draft.stock = stock;
    create.draft.per_user_limit = limit;
    create.draft.starts_at = driver.at;
    return create;
}

PlaceOrder place(Product const& product, std::string user, std::int64_t quantity = 1) {
    return {product.id, product.payment, std::move(user), quantity};
}

asio::awaitable<Product> offered(Driver& driver, CreateProduct create) {
    auto const outcome = co_await driver.one(std::move(create));
    co_return made<Offered>(outcome).product;
}

/// One driver or more on a store, ended whatever the body comes to.
template <class Body>
asio::awaitable<void> with_drivers(db::Store& store, Body body) {
    auto const executor = co_await asio::this_coro::executor;
    Driver first(executor, store);
    Driver second(executor, store);
    std::exception_ptr failure;
    try {
        co_await body(first, second);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await first.finish();
    co_await second.finish();
    if (failure) std::rethrow_exception(failure);
}

/// A ledger into which a product is paid: one order of three units, and one of one, cancelled.
asio::awaitable<LedgerId> sound_sale(Driver& driver) {
    CreateLedger create;
    create.draft.name = "l-" + Books::next().to_string();
    auto const ledger = made<Ledger>(co_await driver.one(create));
    std::vector<Envelope> batch;
    for (auto const* address : {"alice", "bob"})
        batch.push_back(driver.envelope(CreateAccount{ledger.id, address}));
    MoveMoney const deposit{ledger.id, TransferKind::deposit, Movement{"@world", "alice", 1000}};
    batch.push_back(driver.envelope(deposit));
    co_await driver.batch(std::move(batch));
    auto draft = offer(driver, 10, 5);
    draft.payment = PayInto{ledger.id, ledger.name, "bob"};
    auto const product = co_await offered(driver, draft);
    co_await driver.one(place(product, "alice", 3));
    auto const order = made<Order>(co_await driver.one(place(product, "alice")));
    CancelOrder const cancel{product.id, product.payment, order};
    co_await driver.one(cancel);
    co_return ledger.id;
}

struct Tampering {
    char const* statement;  ///< P stands for the product
    char const* failing;
};

constexpr Tampering tamperings[] = {
    {"UPDATE products SET version = version WHERE id = P", ""},
    {"UPDATE products SET sold = 4 WHERE id = P", "sold_equals_orders "},
    {"UPDATE orders SET quantity = 2 WHERE product_id = P AND status = 0",
     "sold_equals_orders orders_equal_purchases "},
    {"DELETE FROM orders WHERE product_id = P AND status = 0", "sold_equals_orders "},
    {"UPDATE orders SET status = 0 WHERE product_id = P",
     "sold_equals_orders orders_equal_purchases "},
    {"UPDATE orders SET status = 1 WHERE product_id = P",
     "sold_equals_orders orders_equal_purchases "},
    {"UPDATE products SET per_user_limit = 2 WHERE id = P", "users_within_limit "},
    {"UPDATE products SET price = 99 WHERE id = P", "orders_equal_purchases "},
    {"UPDATE orders SET unit_price = 99 WHERE product_id = P", "orders_equal_purchases "},
    {"UPDATE orders SET user_name = 'bob' WHERE product_id = P", "orders_equal_purchases "},
    {"UPDATE orders SET purchase = NULL WHERE product_id = P", "orders_equal_purchases "},
    {"UPDATE orders SET purchase = id WHERE product_id = P AND status = 0",
     "orders_equal_purchases "},
    {"UPDATE orders SET cancelled_at = NULL WHERE product_id = P AND status = 1",
     "orders_equal_purchases "},
    {"UPDATE orders SET cancelled_at = to_timestamp(1) WHERE product_id = P AND status = 0",
     "orders_equal_purchases "},
};

std::string failing(std::vector<db::Check> const& checks) {
    std::string names;
    for (auto const& check : checks) {
        BOOST_TEST(!check.detail.empty(), check.name);
        if (!check.ok) names += check.name + ' ';
    }
    return names;
}

/// Rows by SQL, in their thousands: orders of one product by many users, and products of long ago.
void load(tests::Operator& sql, ProductId product, OrganizationId organization, int orders,
          int products) {
    auto const id_of = [](std::string const& ms) {
        return "(lpad(to_hex(" + ms + " + i), 12, '0') || '70008000000000000000')::uuid";
    };
    auto const now = std::to_string(Books::now.ms);
    sql("INSERT INTO orders (product_id, id, user_name, quantity, unit_price, status,"
        " idempotency_key, fingerprint) SELECT '" +
        product.to_string() + "', " + id_of(now) + ", 'user ' || i % " +
        std::to_string(orders / 5) + ", 1, 100, 0, " + id_of("0") + ", '\\x" +
        std::string(64, '0') + "' FROM generate_series(1, " + std::to_string(orders) + ") i");
    sql("INSERT INTO products (id, organization_id, name, price, stock, sold, version, starts_at,"
        " ends_at, per_user_limit) SELECT " +
        id_of("0") + ", '" + organization.to_string() +
        "', 'old', 1, 0, 0, 0, to_timestamp(1), to_timestamp(2 + i), 1 FROM generate_series(1, " +
        std::to_string(products) + ") i");
}

/// Every statement that reads products and orders, once.
asio::awaitable<void> read_everything(db::Store& store, LivingWriter& writer,
                                      Product const& product, Uuid some) {
    constexpr std::size_t limit = 5;
    OrderId const order{some};
    IdempotencyKey const key{some};
    KeySet keys;
    keys.products.insert(product.id);
    keys.sale_users.insert({product.id, "user 7"});
    keys.orders.insert({product.id, order});
    keys.keys.insert(key);
    static_cast<void>(value_of(co_await writer->load(std::move(keys), soon())));
    co_await writer->abandon();
    std::vector<ProductId> const ids(1, product.id);
    std::vector<IdempotencyKey> const used(1, key);
    auto const since = Books::now;
    auto const owner = product.organization;
    static_cast<void>(value_of(co_await store.find_product(owner, product.id, soon())));
    static_cast<void>(value_of(co_await store.find_products(ids, soon())));
    static_cast<void>(value_of(co_await store.list_products(owner, product.id, limit, soon())));
    auto const all_of = co_await store.list_open_sales(since, std::nullopt, limit, owner, soon());
    static_cast<void>(value_of(all_of));
    static_cast<void>(value_of(co_await store.find_order(product.id, order, soon())));
    db::OrderPage page;
    page.limit = limit;
    page.before = order;
    static_cast<void>(value_of(co_await store.list_orders(product.id, page, soon())));
    page.user = "user 7";
    static_cast<void>(value_of(co_await store.list_orders(product.id, page, soon())));
    static_cast<void>(value_of(co_await store.list_sold(product.id, order, limit, soon())));
    static_cast<void>(value_of(co_await store.find_orders_by_keys(product.id, used, soon())));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sales_in_postgresql)

BOOST_AUTO_TEST_CASE(verify_finds_what_was_tampered_with) {
    tests::MigratedDatabase database;
    auto sql = database.connect();
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        auto tamper = [&](Driver& driver, Driver&) -> asio::awaitable<void> {
            for (auto const& [statement, expected] : tamperings) {
                auto const ledger = co_await sound_sale(driver);
                auto const of_ledger = " WHERE payment_ledger = '" + ledger.to_string() + "'";
                std::string text = statement;
                text.replace(text.find("= P") + 2, 1, "(SELECT id FROM products" + of_ledger + ")");
                sql(text);
                auto const of_one = value_of(co_await store.verify(ledger, soon()));
                BOOST_TEST(failing(of_one) == expected, statement << ": " << failing(of_one));
                auto const of_all = value_of(co_await store.verify_sales(soon()));
                BOOST_TEST(failing(of_all) == expected, statement << ": " << failing(of_all));
                auto const orders = "DELETE FROM orders o USING products p" + of_ledger;
                sql(orders + " AND p.id = o.product_id");
                sql("DELETE FROM products" + of_ledger);
            }
        };
        co_await with_drivers(store, tamper);
    };
    with_store(database.store_options(), body);
}

// A thousand buyers of one product are one update of its row, and that touches no index.
BOOST_AUTO_TEST_CASE(a_batch_of_orders_is_one_update_of_the_products_row) {
    tests::MigratedDatabase database;
    tests::keep_autovacuum_away(database);
    constexpr int batches = 20, orders = 50;
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        auto sell = [&](Driver& driver, Driver&) -> asio::awaitable<void> {
            auto const product = co_await offered(driver, offer(driver, 1'000'000));
            for (int i = 0; i < batches; ++i) {
                std::vector<Envelope> batch;
                for (int j = 0; j < orders; ++j) {
                    auto const user = std::to_string(i) + "/" + std::to_string(j);
                    batch.push_back(driver.envelope(place(product, user), tests::some_key()));
                }
                co_await driver.batch(std::move(batch));
            }
            auto const now = co_await store.find_product(product.organization, product.id, soon());
            BOOST_TEST(value_of(now)->sold == batches * orders);
        };
        co_await with_drivers(store, sell);
    };
    with_store(database.store_options(), body);
    auto sql = database.connect();
    sql.await("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()", "1");
    BOOST_TEST(sql("SELECT n_tup_upd || ' ' || n_tup_hot_upd FROM pg_stat_user_tables"
                   " WHERE relname = 'products'") ==
               std::to_string(batches) + " " + std::to_string(batches));
}

// Two servers on one product: the second one waits for the first, and then sees what is left.
BOOST_AUTO_TEST_CASE(whoever_sells_the_same_product_waits_and_sees_what_is_left) {
    tests::MigratedDatabase database;
    auto sql = database.connect();
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        auto race = [&](Driver& first, Driver& second) -> asio::awaitable<void> {
            auto const product = co_await offered(first, offer(first, 1));
            std::vector<Envelope> const ann(1, first.envelope(place(product, "ann")));
            auto const prepared = co_await first.prepare(ann);
            std::optional<Outcome> late;
            auto wait = [&]() -> asio::awaitable<void> {
                late = co_await second.one(place(product, "ben"));
            };
            reactor::TaskGroup tasks(co_await asio::this_coro::executor);
            tasks.spawn(wait());
            co_await tests::eventually([&] {
                return sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                           " AND datname = current_database()") == "1";
            });
            BOOST_TEST(!late.has_value());
            auto const error = co_await first.commit(prepared);
            BOOST_TEST(!error, error.message());
            co_await tasks.join(soon());
            BOOST_TEST_REQUIRE(late.has_value());
            BOOST_TEST(tests::refusal_of(*late) == "sold_out");
        };
        co_await with_drivers(store, race);
    };
    with_store(database.store_options(), body);
}

// The plans are made while the tables are empty and must still be right when they are not.
BOOST_AUTO_TEST_CASE(reads_of_sales_walk_indexes_and_only_their_own_rows) {
    tests::MigratedDatabase database;
    tests::keep_autovacuum_away(database);
    constexpr int rounds = 10, orders = 200'000, products = 50'000;
    auto sql = database.connect();
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        auto read = [&](Driver& driver, Driver&) -> asio::awaitable<void> {
            Product nothing;
            co_await read_everything(store, one, nothing, Books::next());
            auto const product = co_await offered(driver, offer(driver, orders, orders));
            load(sql, product.id, product.organization, orders, products);
            sql("SELECT pg_stat_force_next_flush()");
            sql("SELECT pg_stat_reset()");
            for (int round = 1; round <= rounds; ++round) {
                auto const some = Instant{Books::now.ms + orders / (rounds + 1) * round};
                co_await read_everything(store, one, product, first_uuid7(some));
            }
        };
        co_await with_drivers(store, read);
    };
    with_store(database.store_options(), body);
    sql.await("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()", "1");
    BOOST_TEST(sql("SELECT string_agg(relname, ', ') FROM pg_stat_user_tables"
                   " WHERE relname IN ('orders', 'products') AND seq_scan > 0") == "");
    // Ten reads a round, of five rows or so each, three blocks down an index.
    auto const of_sales = std::string(" WHERE relname IN ('orders', 'products') AND ");
    BOOST_TEST(sql("SELECT string_agg(indexrelname || ' ' || idx_blks_hit + idx_blks_read, ', ')"
                   " FROM pg_statio_user_indexes" +
                   of_sales + "idx_blks_hit + idx_blks_read > " + std::to_string(rounds * 30)) ==
               "");
    BOOST_TEST(sql("SELECT string_agg(relname || ' ' || heap_blks_hit + heap_blks_read, ', ')"
                   " FROM pg_statio_user_tables" +
                   of_sales + "heap_blks_hit + heap_blks_read > " + std::to_string(rounds * 40)) ==
               "");
}

BOOST_AUTO_TEST_SUITE_END()
