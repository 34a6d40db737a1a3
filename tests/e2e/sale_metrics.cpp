// Does /metrics tell an operator what a sale is waiting for, and what becomes of its orders?
#include <sstream>

#include "tests/e2e/shop.hpp"

namespace penstock::tests {
namespace {

/// Nobody goes past the gate only because the machine is busy.
struct Town {
    explicit Town(std::string const& memory_ms = "100")
        : server{{"--database-url", url_of(database), "--redis-url",
                  "unix://" + redis.socket_path(), "--gate-wait-ms", "5000", "--gate-build-wait-ms",
                  "5000", "--gate-memory-ms", memory_ms}} {
        await_redis(server);
    }

    Database database;
    RedisServer redis;
    ServerProcess server;
};

double orders(Shop& shop, std::string const& outcome) {
    return labelled(shop, "penstock_sale_orders_total", "outcome=\"" + outcome + '"');
}

double attempts(Shop& shop, std::string const& gate) {
    return labelled(shop, "penstock_sale_attempts_total", "gate=\"" + gate + '"');
}

BOOST_AUTO_TEST_SUITE(sale_metrics)

BOOST_AUTO_TEST_CASE(orders_are_counted_by_what_the_database_said) {
    Town town;
    Shop shop(town.server);
    auto const ledger = shop.new_ledger();
    shop.new_account(ledger, "shop");
    shop.new_account(ledger, "poor");
    auto const name = ledger.substr(ledger.rfind('/') + 1);
    auto const product = shop.new_product(2);
    auto const paid =
        shop.new_product(2, R"(,"payment":{"ledger":")" + name + R"(","seller":"shop"})");
    auto const key = fresh("key");
    BOOST_TEST(shop.order(product, "ann", "", key).status == 201U);
    BOOST_TEST(shop.order(paid, "poor").status == 402U);
    BOOST_TEST(orders(shop, "accepted") == 1.0);
    BOOST_TEST(orders(shop, "insufficient_funds") == 1.0);
    BOOST_TEST(orders(shop, "failed") == 0.0);
    BOOST_TEST(metric(shop, "penstock_sale_gate_seconds_count") >= 2.0);
    BOOST_TEST(metric(shop, "penstock_sale_order_insert_seconds_count") == 1.0);
    BOOST_TEST(metric(shop, "penstock_sale_gates_set_back_total") == 0.0);
    BOOST_TEST(shop.get("/metrics").body.find("penstock_collector_queue{") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(attempts_are_counted_by_what_the_gate_said) {
    Town town("0");
    Shop shop(town.server);
    auto const product = shop.new_product(2);
    auto const later = shop.new_product(2, "", in_ms(hour_ms));
    auto const over = shop.new_product(2, ",\"ends_at\":" + in_ms(-hour_ms), in_ms(-2 * hour_ms));
    auto const key = fresh("key");
    BOOST_TEST(shop.order(product, "ann", "", key).status == 201U);
    BOOST_TEST(shop.order(product, "ann").code() == "purchase_limit_reached");
    BOOST_TEST(shop.order(product, "bob").status == 201U);
    for (auto const* late : {"cid", "dan", "eve"})
        BOOST_TEST(shop.order(product, late).code() == "sold_out");
    BOOST_TEST(shop.order(product, "ann", "", key).header("idempotent-replayed") == "true");
    BOOST_TEST(shop.order(later, "ann").code() == "sale_not_started");
    BOOST_TEST(shop.order(over, "ann").code() == "sale_ended");
    BOOST_TEST(attempts(shop, "admitted") == 2.0);
    BOOST_TEST(attempts(shop, "purchase_limit_reached") == 1.0);
    BOOST_TEST(attempts(shop, "sold_out") == 3.0);
    BOOST_TEST(attempts(shop, "sold_out_by_memory") == 0.0);
    BOOST_TEST(attempts(shop, "known") == 1.0);
    BOOST_TEST(attempts(shop, "sale_not_started") == 1.0);
    BOOST_TEST(attempts(shop, "sale_ended") == 1.0);
    BOOST_TEST(metric(shop, "penstock_sale_attempts_total") == 9.0);
    BOOST_TEST(metric(shop, "penstock_sale_gate_bypasses_total") == 0.0);
    BOOST_TEST(metric(shop, "penstock_sale_drifts_total") == 0.0);
}

BOOST_AUTO_TEST_CASE(who_is_refused_from_memory_and_who_by_the_database_alone_is_counted_apart) {
    Town town("10000");
    Shop shop(town.server);
    auto const product = shop.new_product(1);
    BOOST_TEST(shop.order(product, "ann").status == 201U);
    // Until the gate has heard of the order, and the server of the gate's keys, the gate is asked.
    int asked = 0;
    auto const remembered = [&] {
        ++asked;
        BOOST_TEST(shop.order(product, "bob").code() == "sold_out");
        return attempts(shop, "sold_out_by_memory") == 1.0;
    };
    await_that(remembered, "a refusal from memory");
    BOOST_TEST(attempts(shop, "sold_out") == asked - 1.0);
    town.redis.kill();
    auto const other = shop.new_product(1);
    BOOST_TEST(shop.order(other, "ann").status == 201U);
    BOOST_TEST(metric(shop, "penstock_sale_gate_bypasses_total") == 1.0);
    BOOST_TEST(attempts(shop, "admitted") == 1.0);
}

BOOST_AUTO_TEST_CASE(who_holds_a_row_is_seen_as_lock_wait) {
    Town town;
    Shop shop(town.server);
    auto const product = shop.new_product(2);
    auto holder = town.database.connect();
    auto onlooker = town.database.connect();
    holder("BEGIN");
    holder("SELECT 1 FROM products WHERE id = '" + product + "' FOR UPDATE");
    HttpAnswer answer;
    std::jthread buyer([&] { answer = Shop(town.server).order(product, "ann"); });
    auto const waits = [&] {
        return onlooker(
                   "SELECT count(*) FROM pg_stat_activity"
                   " WHERE datname = current_database() AND wait_event_type = 'Lock'") != "0";
    };
    await_that(waits, "the wait for the row");
    holder("SELECT pg_sleep(0.3)");
    holder("ROLLBACK");
    buyer.join();
    BOOST_TEST(answer.status == 201U);
    BOOST_TEST(metric(shop, "penstock_lane_lock_wait_seconds_sum") >= 0.3);
}

/// As promtool would have it.
BOOST_AUTO_TEST_CASE(names_say_what_they_count_and_in_which_unit) {
    Town town;
    Shop shop(town.server);
    BOOST_TEST(shop.order(shop.new_product(1), "ann").status == 201U);
    std::istringstream lines(shop.get("/metrics").body);
    std::set<std::string> families;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("# TYPE ")) continue;
        auto const end = line.find(' ', 7);
        auto const name = line.substr(7, end - 7);
        auto const type = line.substr(end + 1);
        BOOST_TEST(families.insert(name).second, name << " is there twice");
        BOOST_TEST((type == "counter") == name.ends_with("_total"), name << " is a " << type);
        bool const unit = name.ends_with("_seconds") || name.ends_with("_items");
        if (type == "histogram") BOOST_TEST(unit, name << " has no unit");
    }
    BOOST_TEST(families.size() > 50U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
