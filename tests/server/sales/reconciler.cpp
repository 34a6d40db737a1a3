// Reservations that nobody settled, and gates that say something else than the store.
#include "server/sales/reconciler.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/server/sales/market.hpp"

namespace penstock::tests {
namespace {

std::string key_of_gate(domain::Product const& product, std::string const& part) {
    return "ps:{" + domain::Uuid().to_string() + ":" + product.id.to_string() + "}:" + part;
}

/// Killed after the gate let it in and before the lane heard of it.
Nothing died_before_the_commit(Market& market) {
    auto& shop = *co_await market.open_connected();
    auto const product = co_await market.offer(shop, 2, 1);
    {
        auto const dead = co_await shop.admit(product, Buy("a", 1));
        BOOST_REQUIRE(std::holds_alternative<SaleDesk::Ticket>(dead));
    }
    auto const early = co_await market.reconcile(shop);
    BOOST_TEST(early.reserved == 1);
    BOOST_TEST(early.gate_remaining.value_or(-1) == 1);
    BOOST_TEST(early.drift == 0);
    market.clock.pass(milliseconds{9'999});
    auto const still = co_await market.reconcile(shop);
    BOOST_TEST(still.reserved == 1);
    market.clock.pass(milliseconds{1});
    auto const settled = co_await market.reconcile(shop);
    BOOST_TEST(settled.reserved == 0);
    BOOST_TEST(settled.gate_remaining.value_or(-1) == 2);
    BOOST_TEST(shop.desk.reconciler().metrics().settled_released.get() == 1U);
    BOOST_TEST(shop.desk.reconciler().metrics().drifts.get() == 0U);
    co_await market.check_agreement(product, shop);
}

/// Killed after the commit and before the gate heard of it.
Nothing died_after_the_commit(Market& market) {
    auto& shop = *co_await market.open_connected();
    auto const product = co_await market.offer(shop, 3, 1);
    co_await shop.buy_and_die(product, Buy("a", 1));
    auto const gone = co_await shop.buy_and_die(product, Buy("b", 2));
    auto const order = std::get<domain::Order>(std::get<domain::Receipt>(gone).what);
    // Cancelled by a server that Redis did not hear: the reservation is all that the gate has.
    domain::CancelOrder cancel;
    cancel.product = product.id;
    cancel.original = order;
    auto const cancelled = co_await shop.submit(domain::Command(std::move(cancel)), 3);
    BOOST_REQUIRE(is_accepted(cancelled));
    market.clock.pass(milliseconds{10'000});
    auto const row = co_await market.reconcile(shop);
    BOOST_TEST(row.sold == 1);
    BOOST_TEST(row.reserved == 0);
    BOOST_TEST(row.drift == 0);
    auto const& metrics = shop.desk.reconciler().metrics();
    BOOST_TEST(metrics.settled_confirmed.get() == 1U);
    BOOST_TEST(metrics.settled_cancelled.get() == 1U);
    BOOST_TEST(metrics.repairs.get() == 0U);
    co_await market.check_agreement(product, shop);
}

/// The gate was told something that never happened.
Nothing drift_is_mended(Market& market) {
    std::vector<server::SaleReconciliation> reported;
    auto options = unhurried();
    options.reconciler.on_drift = [&](server::SaleReconciliation const& row) {
        reported.push_back(row);
    };
    auto& shop = *co_await market.open_connected(options);
    auto const product = co_await market.offer(shop, 10, 5);
    co_await shop.buy(product, Buy("a", 1, 3));
    co_await shop.told();
    RedisTalk talk(market.redis.socket_path());
    talk("HINCRBY", key_of_gate(product, "gate"), "taken", 4);
    auto const row = co_await market.reconcile(shop);
    BOOST_TEST(row.drift == -4);
    BOOST_TEST(row.gate_remaining.value_or(-1) == 3);
    BOOST_TEST(row.repaired);
    BOOST_REQUIRE(reported.size() == 1U);
    BOOST_TEST((reported.front() == row));
    auto const& metrics = shop.desk.reconciler().metrics();
    BOOST_TEST(metrics.drifts.get() == 1U);
    BOOST_TEST(metrics.drift_units.get() == 4U);
    BOOST_TEST(metrics.repairs.get() == 1U);
    co_await market.check_agreement(product, shop);
    // The stock is compared as well.
    talk("HSET", key_of_gate(product, "gate"), "stock", 12);
    auto const stock = co_await market.reconcile(shop);
    BOOST_TEST(stock.drift == 2);
    BOOST_TEST(stock.repaired);
    co_await market.check_agreement(product, shop);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sale_reconciler)

BOOST_AUTO_TEST_CASE(units_of_a_server_that_died_before_the_commit_come_back_after_the_lease) {
    with_market(died_before_the_commit);
    with_postgres_market(died_before_the_commit);
}

BOOST_AUTO_TEST_CASE(orders_of_a_server_that_died_after_the_commit_are_counted) {
    with_market(died_after_the_commit);
    with_postgres_market(died_after_the_commit);
}

BOOST_AUTO_TEST_CASE(drift_is_reported_and_mended_in_the_gate) {
    with_market(drift_is_mended);
    with_postgres_market(drift_is_mended);
}

BOOST_AUTO_TEST_CASE(a_reservation_whose_order_was_committed_is_no_drift) {
    with_market([](Market& market) -> Nothing {
        auto& shop = *co_await market.open_connected();
        auto const product = co_await market.offer(shop, 3, 1);
        co_await shop.buy_and_die(product, Buy("a", 1));
        // Long before the end of its lease.
        auto const row = co_await market.reconcile(shop);
        BOOST_TEST(row.drift == 0);
        BOOST_TEST(row.reserved == 0);
        BOOST_TEST(!row.repaired);
        BOOST_TEST(shop.desk.reconciler().metrics().settled_confirmed.get() == 1U);
        BOOST_TEST(shop.desk.reconciler().metrics().drifts.get() == 0U);
        co_await market.check_agreement(product, shop);
    });
}

BOOST_AUTO_TEST_CASE(a_sale_that_is_on_gets_a_gate_and_one_that_is_not_needs_none) {
    with_market([](Market& market) -> Nothing {
        auto& shop = *co_await market.open_connected();
        auto const product = co_await market.offer(shop, 3, 1);
        auto const row = co_await market.reconcile(shop);
        BOOST_TEST((row.product == product.id));
        BOOST_TEST(row.gate_remaining.value_or(-1) == 3);
        domain::CreateProduct later;
        later.draft.stock = 7;
        later.draft.starts_at = domain::Instant{market.clock.now().ms + 60'000};
        auto const upcoming = co_await market.offer(shop, later);
        auto const report = co_await shop.desk.reconcile(domain::default_organization, patient());
        BOOST_REQUIRE(report->size() == 2U);
        auto const& second = report->at(1);
        BOOST_TEST((second.product == upcoming.id));
        BOOST_TEST(!second.gate_remaining);
        BOOST_TEST(second.stock == 7);
        domain::OrganizationId const stranger{{{1}}};
        auto const others = co_await shop.desk.reconcile(stranger, patient());
        BOOST_TEST(others->empty());
    });
}

BOOST_AUTO_TEST_CASE(a_sale_that_ended_more_than_a_day_ago_is_left_alone) {
    with_market([](Market& market) -> Nothing {
        auto& shop = *co_await market.open_connected();
        co_await market.offer(shop, 3, 1, milliseconds{1'000});
        market.clock.pass(std::chrono::hours{24});
        auto const on = co_await shop.desk.reconcile(domain::default_organization, patient());
        BOOST_TEST(on->size() == 1U);
        BOOST_TEST(!on->front().gate_remaining);
        market.clock.pass(milliseconds{1'001});
        auto const gone = co_await shop.desk.reconcile(domain::default_organization, patient());
        BOOST_TEST(gone->empty());
    });
}

BOOST_AUTO_TEST_CASE(without_redis_the_report_is_what_the_store_says) {
    with_market([](Market& market) -> Nothing {
        auto& shop = *co_await market.open_connected();
        auto const product = co_await market.offer(shop, 3, 1);
        co_await shop.buy(product, Buy("a", 1));
        market.redis.kill();
        co_await eventually([&] { return !shop.redis.up(); });
        auto const row = co_await market.reconcile(shop);
        BOOST_TEST(!row.gate_remaining);
        BOOST_TEST(row.sold == 1);
        BOOST_TEST(row.reserved == 0);
        BOOST_TEST(row.drift == 0);
        BOOST_TEST(!row.repaired);
    });
}

BOOST_AUTO_TEST_CASE(each_server_passes_once_and_then_one_leads_until_it_gives_up_or_dies) {
    with_market([](Market& market) -> Nothing {
        auto& here = *co_await market.open_connected();
        auto& there = *co_await market.open_connected();
        milliseconds const length{60'000};
        auto& first_metrics = here.desk.reconciler().metrics();
        auto& second_metrics = there.desk.reconciler().metrics();
        server::LedReconciliation first(cache::Lease(here.redis, "lead", "one", length),
                                        here.desk.reconciler());
        server::LedReconciliation second(cache::Lease(there.redis, "lead", "two", length),
                                         there.desk.reconciler());
        for (int round = 0; round < 3; ++round) {
            auto const led = co_await first.run_once(patient());
            BOOST_TEST((led && *led == 0U));
            auto const followed = co_await second.run_once(patient());
            BOOST_TEST((followed && *followed == 0U));
        }
        BOOST_TEST(first_metrics.passes.get() == 3U);
        BOOST_TEST(second_metrics.passes.get() == 1U);
        // Somebody else's lease cannot be given up.
        second.give_up();
        co_await second.run_once(patient());
        BOOST_TEST(second_metrics.passes.get() == 1U);
        first.give_up();
        auto const pong = co_await here.redis.ping(patient());
        BOOST_TEST(!pong);
        co_await second.run_once(patient());
        BOOST_TEST(second_metrics.passes.get() == 2U);
        // A dead one's ends by itself.
        RedisTalk talk(market.redis.socket_path());
        talk("PEXPIRE", "lead", 1);
        co_await eventually([&] { return talk("EXISTS", "lead") == cache::Reply::of(0); });
        co_await first.run_once(patient());
        BOOST_TEST(first_metrics.passes.get() == 4U);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
