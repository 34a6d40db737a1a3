// Is a gate set right without anybody asking for it, and what does it cost to be refused by one?
#include "tests/e2e/shop.hpp"
#include "tests/support/postgres_proxy.hpp"
#include "tests/support/redis_talk.hpp"

namespace penstock::tests {
namespace {

constexpr char const* at_all_times = "200";
constexpr char const* never_again = "3600000";

/// Nobody goes past the gate only because the machine is busy.
std::vector<std::string> options(std::string const& database_url, RedisServer const& redis,
                                 std::string const& reconcile_every_ms) {
    return {
        "--database-url",   database_url, "--redis-url",          "unix://" + redis.socket_path(),
        "--gate-wait-ms",   "5000",       "--gate-build-wait-ms", "5000",
        "--gate-memory-ms", "0",          "--reconcile-every-ms", reconcile_every_ms};
}

struct Town {
    std::vector<std::string> reconciling_every(std::string const& ms) const {
        return options(url_of(database), redis, ms);
    }

    /// The gate of that product believes that so many more are taken.
    void damage(std::string const& product, std::int64_t units) const {
        RedisTalk talk(redis.socket_path());
        auto const gates = talk("KEYS", "ps:{*:" + product + "}:gate");
        BOOST_REQUIRE(gates.elements.size() == 1U);
        talk("HINCRBY", gates.elements.front().text, "taken", std::to_string(units));
    }

    Database database;
    RedisServer redis;
};

/// That it was found, counted and mended: what the gate had hidden can be bought, and no more.
void check_mended(ServerProcess const& server, std::string const& product, int hidden) {
    Shop shop(server);
    auto const repaired = [&] {
        return labelled(shop, "penstock_sale_repairs_total", R"(repaired="true")") > 0;
    };
    await_that(repaired, "the repair");
    BOOST_TEST(metric(shop, "penstock_sale_repairs_total") == 1.0);
    BOOST_TEST(metric(shop, "penstock_sale_drifts_total") == 1.0);
    BOOST_TEST(metric(shop, "penstock_sale_drift_units_total") == static_cast<double>(hidden));
    auto const left = shop.product(product).at("remaining").as_int64();
    BOOST_TEST(left > 0);
    for (std::int64_t i = 0; i < left; ++i)
        BOOST_TEST(shop.order(product, "late-" + std::to_string(i)).status == 201U);
    BOOST_TEST(shop.order(product, "too-late").code() == "sold_out");
    BOOST_TEST(metric(shop, "penstock_sale_gate_bypasses_total") == 0.0);
}

BOOST_AUTO_TEST_SUITE(sale_gate)

BOOST_AUTO_TEST_CASE(a_gate_that_is_off_is_mended_on_schedule) {
    Town town;
    ServerProcess server(town.reconciling_every(at_all_times));
    Shop shop(server);
    await_redis(server);
    auto const product = shop.new_product(10);
    BOOST_TEST(shop.order(product, "ann").status == 201U);
    town.damage(product, 9);
    check_mended(server, product, 9);
}

BOOST_AUTO_TEST_CASE(
    a_gate_that_is_off_is_mended_by_a_server_that_starts_although_a_dead_one_leads) {
    Town town;
    std::string product;
    {
        ServerProcess dead(town.reconciling_every(never_again));
        Shop shop(dead);
        await_that([&] { return metric(shop, "penstock_sale_reconciliation_passes_total") > 0; },
                   "its own first pass, with the lease");
        product = shop.new_product(10);
        BOOST_TEST(shop.order(product, "ann").status == 201U);
        dead.kill();
    }
    town.damage(product, 9);
    ServerProcess server(town.reconciling_every(never_again));
    check_mended(server, product, 9);
}

/// A sale of which PostgreSQL is not heard any more, and what Redis was asked for it.
BOOST_AUTO_TEST_CASE(a_refusal_costs_one_command_of_redis_and_nothing_of_postgresql) {
    Town town;
    FaultProxy proxy(FaultProxy::Place::tcp(), postgres_place());
    ServerProcess server(options(url_through(proxy, town.database), town.redis, never_again));
    // One connection: one event loop, which knows these sales.
    Shop shop(server);
    await_redis(server);
    auto const sold_out = shop.new_product(1);
    auto const limited = shop.new_product(5);
    auto const ended = shop.new_product(5, ",\"ends_at\":" + in_ms(-hour_ms), in_ms(-2 * hour_ms));
    for (auto const& product : {sold_out, limited})
        BOOST_TEST(shop.order(product, "ann").status == 201U);
    BOOST_TEST(shop.order(ended, "ann").code() == "sale_ended");
    auto const is_quiet = [&] {
        return metric(shop, "penstock_sale_reconciliation_passes_total") > 0 &&
               labelled(shop, "penstock_sale_gate_told_total", R"(what="confirmed")") == 2;
    };
    await_that(is_quiet, "the end of what the start and the two orders ask of Redis");
    auto const asked = [&] {
        return labelled(shop, "penstock_redis_commands_total", R"(use="shared")");
    };
    auto const before = asked();
    proxy.set(Way::to_server, Fault::Kind::stall);
    proxy.set(Way::to_client, Fault::Kind::stall);
    for (int i = 0; i < 20; ++i) {
        BOOST_TEST(shop.order(sold_out, "user-" + std::to_string(i)).code() == "sold_out");
        BOOST_TEST(shop.order(limited, "ann").code() == "purchase_limit_reached");
        BOOST_TEST(shop.order(ended, "ann").code() == "sale_ended");
    }
    proxy.heal();
    BOOST_TEST(asked() - before == 60.0);
    BOOST_TEST(metric(shop, "penstock_sale_gate_bypasses_total") == 0.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
