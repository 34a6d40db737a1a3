// Redis behind the address is another one, which has not heard the last of what the first was told:
// a replica that took over.
#include <array>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <tuple>

#include "tests/server/sales/market.hpp"

namespace penstock::tests {
namespace {

/// An address that leads to one Redis, and from some moment on to its replica.
class Pair {
public:
    explicit Pair(RedisServer& first)
        : first_(first), replica_(follow(first)), address_(first.socket_path() + ".address") {
        std::filesystem::create_symlink(first.socket_path(), address_);
        RedisTalk talk(replica_.socket_path());
        wait_for([&] { return talk("INFO", "replication").text.find("link_status:up") != npos; });
    }

    std::string const& address() const { return address_; }

    /// From here on the replica hears nothing more.
    void part() {
        RedisTalk there(replica_.socket_path());
        RedisTalk here(first_.socket_path());
        auto const offset = [](std::string const& info) {
            std::string const name = "master_repl_offset:";
            return std::stoll(info.substr(info.find(name) + name.size()));
        };
        auto const heard = offset(here("INFO", "replication").text);
        wait_for([&] { return offset(there("INFO", "replication").text) >= heard; });
        there("REPLICAOF", "NO", "ONE");
    }

    /// The first is gone; whoever connects finds the other.
    void fail_over() {
        std::filesystem::remove(address_);
        std::filesystem::create_symlink(replica_.socket_path(), address_);
        first_.kill();
    }

private:
    static constexpr auto npos = std::string::npos;

    static std::vector<std::string> follow(RedisServer& first) {
        RedisTalk talk(first.socket_path());
        talk("CONFIG", "SET", "repl-diskless-sync-delay", "0");
        return {"--replicaof", "127.0.0.1", std::to_string(first.port())};
    }

    template <class Condition>
    static void wait_for(Condition holds) {
        auto const deadline = patient();
        while (!holds()) BOOST_REQUIRE(steady_now() < deadline);
    }

    RedisServer& first_;
    RedisServer replica_;
    std::string address_;
};

server::SaleDeskOptions without_memory() {
    auto options = unhurried();
    options.memory.believed = milliseconds{0};
    return options;
}

asio::awaitable<Shop*> open_at(Market& market, std::string address) {
    auto& shop = market.open(without_memory(), std::move(address));
    bool const up = co_await shop.redis.up_before(patient());
    BOOST_REQUIRE(up);
    co_return &shop;
}

Nothing change_over(Pair& pair, Shop& here, Shop& there) {
    std::array<Shop*, 2> const shops{&here, &there};
    std::array<std::uint64_t, 2> before{};
    for (std::size_t i = 0; i < 2; ++i) before[i] = shops[i]->redis.metrics().connects.get();
    pair.fail_over();
    co_await eventually([&] {
        bool all = true;
        for (std::size_t i = 0; i < 2; ++i) {
            auto const& redis = shops[i]->redis;
            all = all && redis.up() && redis.metrics().connects.get() > before[i];
        }
        return all;
    });
}

/// The replica misses the last orders, and the one that was cancelled.
Nothing a_replica_takes_over(Market& market) {
    Pair pair(market.redis);
    auto& here = *co_await open_at(market, pair.address());
    auto& there = *co_await open_at(market, pair.address());
    auto const product = co_await market.offer(here, 5, 2);
    auto const first = co_await here.buy(product, Buy("a", 1, 2));
    co_await there.buy(product, Buy("b", 2));
    co_await here.told();
    co_await there.told();
    pair.part();

    auto const missed = co_await here.buy(product, Buy("c", 3));
    BOOST_TEST(is_accepted(missed));
    auto const last = co_await there.buy(product, Buy("d", 4));
    BOOST_TEST(is_accepted(last));
    auto const order = order_of(first);
    co_await here.cancel(product, order, 5);
    auto const again = co_await here.buy(product, Buy("e", 6, 2));
    BOOST_TEST(is_accepted(again));
    co_await here.told();
    co_await there.told();
    for (auto* shop : {&here, &there}) {
        auto const late = co_await shop->buy(product, Buy("f", 7));
        BOOST_TEST(is_refused(late, Rejection::sold_out));
    }

    co_await change_over(pair, here, there);
    for (auto* shop : {&here, &there}) {
        // Nobody is sold what is gone, and whoever has bought hears so at either server.
        auto const late = co_await shop->buy(product, Buy("f", 7));
        BOOST_TEST(is_refused(late, Rejection::sold_out));
        for (auto const& [user, key, quantity] : {std::tuple("c", 3, 1), std::tuple("d", 4, 1),
                                                  std::tuple("e", 6, 2), std::tuple("a", 1, 2)}) {
            auto const repeated = co_await shop->buy(product, Buy(user, key, quantity));
            BOOST_TEST(is_replayed(repeated), user);
        }
    }
    BOOST_TEST(here.desk.metrics().set_back.get() + there.desk.metrics().set_back.get() >= 1U);
    auto const truth = co_await market.now(product);
    BOOST_TEST(truth.sold == 5);
    // The reconciler finds nothing left to mend.
    co_await market.check_agreement(product, here);
}

/// The sums of the replica are right, its orders are not: one was cancelled, another placed.
Nothing the_sums_are_right(Market& market) {
    Pair pair(market.redis);
    auto& here = *co_await open_at(market, pair.address());
    auto const product = co_await market.offer(here, 2, 1);
    co_await here.buy(product, Buy("a", 1));
    auto const first = co_await here.buy(product, Buy("b", 2));
    co_await here.told();
    pair.part();
    auto const order = order_of(first);
    co_await here.cancel(product, order, 3);
    co_await here.told();
    auto const accepted = co_await here.buy(product, Buy("c", 4));
    BOOST_TEST(is_accepted(accepted));
    co_await here.told();
    auto const before = co_await market.reconcile(here);
    BOOST_TEST(before.drift == 0);
    co_await change_over(pair, here, here);
    auto const after = co_await market.reconcile(here);
    BOOST_TEST(after.drift == 0);
    BOOST_TEST(here.desk.reconciler().metrics().set_back.get() == 1U);
    auto const repeated = co_await here.buy(product, Buy("c", 4));
    BOOST_TEST(is_replayed(repeated));
    BOOST_TEST(here.desk.metrics().set_back.get() == 0U);
    co_await market.check_agreement(product, here);
}

/// A server that saw nothing of the first Redis cannot know: the reconciler tells.
Nothing a_stranger_meets_the_replica(Market& market) {
    Pair pair(market.redis);
    auto& here = *co_await open_at(market, pair.address());
    auto const product = co_await market.offer(here, 3, 3);
    co_await here.buy(product, Buy("a", 1));
    co_await here.told();
    pair.part();
    co_await here.buy(product, Buy("b", 2, 2));
    co_await here.told();
    pair.fail_over();
    auto& stranger = *co_await open_at(market, pair.address());
    auto const late = co_await stranger.buy(product, Buy("c", 3));
    BOOST_TEST(is_refused(late, Rejection::sold_out));
    BOOST_TEST(stranger.desk.metrics().lane_sold_out.get() == 1U);
    co_await stranger.told();
    auto const row = co_await market.reconcile(stranger);
    BOOST_TEST(row.drift == 2);
    BOOST_TEST(row.repaired);
    auto const truth = co_await market.now(product);
    BOOST_TEST(truth.sold == 3);
    bool const up = co_await here.redis.up_before(patient());
    BOOST_REQUIRE(up);
    co_await market.check_agreement(product, here);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sale_failover)

BOOST_AUTO_TEST_CASE(servers_that_saw_more_than_a_replica_knows_build_its_gate_anew_at_once) {
    with_market(a_replica_takes_over);
    with_postgres_market(a_replica_takes_over);
}

BOOST_AUTO_TEST_CASE(the_reconciler_sees_a_replica_by_its_place_where_its_sums_are_right) {
    with_market(the_sums_are_right);
    with_postgres_market(the_sums_are_right);
}

BOOST_AUTO_TEST_CASE(what_nobody_saw_is_found_and_mended_by_the_reconciler) {
    with_market(a_stranger_meets_the_replica);
    with_postgres_market(a_stranger_meets_the_replica);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
