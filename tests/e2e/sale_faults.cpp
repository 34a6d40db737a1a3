// Is a sale never oversold and no acknowledged order lost, whatever fails in the middle of it?
#include "tests/e2e/shop.hpp"
#include "tests/support/redis_talk.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t crowd_size = 1'000;
constexpr std::int64_t stock = 100;

std::string url_of(RedisServer const& redis) { return "unix://" + redis.socket_path(); }

/// A database, a Redis, and servers that share both.
struct Town {
    std::vector<std::string> options() const {
        return {"--database-url",  url_of(database), "--redis-url",          url_of(redis),
                "--gate-lease-ms", "1000",           "--reconcile-every-ms", "200"};
    }

    Database database;
    RedisServer redis;
};

/// The same with a PostgreSQL of the test's own, which it may stop.
struct TownWithItsOwnPostgres {
    std::vector<std::string> options() const {
        return {"--database-url",       cluster.url(), "--redis-url",          url_of(redis),
                "--gate-lease-ms",      "1000",        "--reconcile-every-ms", "200",
                "--request-timeout-ms", "3000"};
    }

    Cluster cluster;
    RedisServer redis;
};

/// Returns when somebody has bought: the sale is in its middle.
void await_first_sale(ServerProcess const& server, std::string const& product) {
    Shop shop(server);
    await_that([&] { return shop.product(product).at("sold").as_int64() > 0; }, "the first order");
}

/// Everybody has a definite answer now: as many have bought as could, and the books say the same.
void check_sold_out(Shop& shop, std::string const& product, Crowd const& crowd) {
    BOOST_TEST(crowd.count(201) == static_cast<std::size_t>(stock));
    BOOST_TEST(crowd.count("sold_out") == crowd_size - stock);
    BOOST_TEST(shop.product(product).at("remaining").as_int64() == 0);
    check_sale(shop, product, crowd);
}

/// After all that was open has been settled the gate says what the database says.
void check_gate(Shop& shop, std::string const& product) {
    auto const settled = [&] {
        auto const answer = shop.post("/v1/admin/reconciliation", "{}");
        BOOST_TEST_REQUIRE(answer.status == 200U, answer.body);
        auto const document = answer.document();
        for (auto const& sale : document.at("sales").as_array()) {
            if (sale.at("product_id").as_string() != product) continue;
            auto const left = sale.at("stock").as_int64() - sale.at("sold").as_int64();
            return !sale.at("gate_remaining").is_null() && sale.at("reserved").as_int64() == 0 &&
                   sale.at("drift").as_int64() == 0 && sale.at("gate_remaining").as_int64() == left;
        }
        return false;
    };
    await_that(settled, "a gate that agrees with the database");
}

BOOST_AUTO_TEST_SUITE(sale_faults)

BOOST_AUTO_TEST_CASE(two_servers_sell_one_stock) {
    Town town;
    ServerProcess one(town.options());
    ServerProcess two(town.options());
    Shop shop(one);
    auto const product = shop.new_product(stock);
    auto crowd = Crowd::of_distinct_users(crowd_size);
    crowd.buy(product, {one.port(), two.port()});
    crowd.insist(product, two.port());
    check_sold_out(shop, product, crowd);
    check_gate(shop, product);
}

BOOST_AUTO_TEST_CASE(redis_that_forgets_everything_in_the_middle_changes_no_answer) {
    Town town;
    ServerProcess server(town.options());
    Shop shop(server);
    auto const product = shop.new_product(stock);
    auto crowd = Crowd::of_distinct_users(crowd_size);
    crowd.buy(product, {server.port()}, [&] {
        await_first_sale(server, product);
        RedisTalk redis(town.redis.socket_path());
        for (int i = 0; i < 5; ++i) redis("FLUSHALL");
    });
    crowd.insist(product, server.port());
    check_sold_out(shop, product, crowd);
    check_gate(shop, product);
}

BOOST_AUTO_TEST_CASE(redis_that_dies_and_comes_back_empty_changes_no_answer) {
    Town town;
    ServerProcess server(town.options());
    Shop shop(server);
    auto const product = shop.new_product(stock);
    auto crowd = Crowd::of_distinct_users(crowd_size);
    crowd.buy(product, {server.port()}, [&] {
        await_first_sale(server, product);
        town.redis.kill();
    });
    crowd.insist(product, server.port());
    check_sold_out(shop, product, crowd);
    town.redis.start();
    check_gate(shop, product);
}

/// PostgreSQL dies while orders are committed, and is away until somebody was left in doubt.
BOOST_AUTO_TEST_CASE(a_database_that_dies_in_the_middle_loses_no_order_and_no_unit) {
    TownWithItsOwnPostgres town;
    ServerProcess server(town.options());
    Shop shop(server);
    auto const orders = [&](char const* outcome) {
        return labelled(shop, "penstock_sale_orders_total", outcome);
    };
    // A quick server may have sold everything by then: once more.
    std::size_t in_doubt = 0;
    for (int round = 1; round <= 10 && in_doubt == 0; ++round) {
        auto const product = shop.new_product(crowd_size);
        auto crowd = Crowd::of_distinct_users(crowd_size);
        auto const is_felt = [&] {
            return orders("failed") > 0 ||
                   orders("accepted") ==
                       static_cast<double>(round) * static_cast<double>(crowd_size);
        };
        crowd.buy(product, {server.port()}, [&] {
            await_first_sale(server, product);
            town.cluster.stop_immediately();
            await_that(is_felt, "an order that failed");
            town.cluster.start();
        });
        in_doubt = crowd_size - crowd.count(201);
        crowd.insist(product, server.port());
        BOOST_TEST(crowd.count(201) == crowd_size);
        BOOST_TEST(shop.product(product).at("remaining").as_int64() == 0);
        check_sale(shop, product, crowd);
        check_gate(shop, product);
    }
    BOOST_TEST(in_doubt > 0U);
}

BOOST_AUTO_TEST_CASE(a_database_that_dies_with_the_whole_stock_on_its_way_sells_it_in_the_end) {
    TownWithItsOwnPostgres town;
    ServerProcess server(town.options());
    Shop shop(server);
    auto const product = shop.new_product(stock);
    auto crowd = Crowd::of_distinct_users(crowd_size);
    Operator holder(town.cluster.url());
    holder("BEGIN");
    holder("SELECT 1 FROM products WHERE id = '" + product + "' FOR UPDATE");
    crowd.buy(product, {server.port()}, [&] {
        Operator(town.cluster.url())
            .await("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "t");
        town.cluster.stop_immediately();
        town.cluster.start();
    });
    crowd.insist(product, server.port());
    check_sold_out(shop, product, crowd);
    check_gate(shop, product);
}

BOOST_AUTO_TEST_CASE(a_server_killed_in_the_middle_loses_no_order_and_no_unit) {
    Town town;
    ServerProcess survivor(town.options());
    Shop shop(survivor);
    auto const product = shop.new_product(stock);
    auto crowd = Crowd::of_distinct_users(crowd_size);
    {
        ServerProcess victim(town.options());
        crowd.buy(product, {victim.port()}, [&] {
            await_first_sale(survivor, product);
            victim.kill();
        });
    }
    ServerProcess restarted(town.options());
    crowd.insist(product, restarted.port());
    // What the victim had reserved comes back when its leases end, so somebody may have been told
    // that nothing is left while a unit was still held.
    auto late = Crowd(crowd_size, [](std::size_t i) { return "late-" + std::to_string(i); });
    check_gate(shop, product);
    late.buy(product, {survivor.port()});
    late.insist(product, survivor.port());
    BOOST_TEST(crowd.count(201) + late.count(201) == static_cast<std::size_t>(stock));
    BOOST_TEST(shop.product(product).at("remaining").as_int64() == 0);
    check_sale(shop, product, crowd);
    check_sale(shop, product, late);
    check_gate(shop, product);
}

BOOST_AUTO_TEST_CASE(restock_and_cancel_are_seen_by_the_other_server_at_once) {
    Town town;
    ServerProcess one(town.options());
    ServerProcess two(town.options());
    Shop here(one);
    Shop there(two);
    auto const product = here.new_product(1);
    auto const made = here.order(product, "ann");
    BOOST_TEST(made.status == 201U);
    BOOST_TEST(there.order(product, "bob").code() == "sold_out");
    BOOST_TEST(here.cancel(product, made).status == 200U);
    await_that([&] { return there.order(product, "bob").status == 201; }, "the unit");
    BOOST_TEST(here.order(product, "cid").code() == "sold_out");
    BOOST_TEST(there.restock(product, 1).status == 200U);
    await_that([&] { return here.order(product, "cid").status == 201; }, "the restock");
    check_gate(here, product);
}

BOOST_AUTO_TEST_CASE(reconciliation_tells_of_every_open_sale_also_without_redis) {
    Town town;
    ServerProcess server(town.options());
    Shop shop(server);
    auto const open = shop.new_product(5);
    auto const ended =
        shop.new_product(5, ",\"ends_at\":" + in_ms(-2 * 24 * hour_ms), in_ms(-3 * 24 * hour_ms));
    BOOST_TEST(shop.order(open, "ann").status == 201U);
    check_gate(shop, open);
    auto const answer = shop.post("/v1/admin/reconciliation", "{}");
    BOOST_TEST(answer.body.find(open) != std::string::npos);
    BOOST_TEST(answer.body.find(ended) == std::string::npos);
    town.redis.kill();
    auto const alone = shop.post("/v1/admin/reconciliation", "{}");
    BOOST_TEST_REQUIRE(alone.status == 200U, alone.body);
    auto const document = alone.document();
    auto const& sale = document.at("sales").at(0);
    BOOST_TEST(text_of(sale, "product_id") == open);
    BOOST_TEST(sale.at("stock").as_int64() == 5);
    BOOST_TEST(sale.at("sold").as_int64() == 1);
    BOOST_TEST(sale.at("gate_remaining").is_null());
    BOOST_TEST(!sale.at("repaired").as_bool());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
