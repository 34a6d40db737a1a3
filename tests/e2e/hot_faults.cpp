// Is everything that a hot ledger acknowledged in PostgreSQL exactly once, whoever dies on the way,
// and is PostgreSQL never ahead of itself meanwhile?
#include <boost/test/unit_test.hpp>

#include "tests/e2e/hot_town.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

unsigned seed_of_this_run() {
    static unsigned const seed = std::random_device()();
    BOOST_TEST_MESSAGE("seed " << seed);
    return seed;
}

/// What is claimed for the sync and not released, by anybody, and who says so.
std::int64_t claims(RedisServer const& server) {
    RedisTalk redis(server.socket_path());
    std::int64_t sum = 0;
    for (auto const& key : redis("KEYS", "*:claimed").elements)
        sum += redis("ZCARD", key.text).number;
    for (auto const& key : redis("KEYS", "*:owners").elements)
        sum += redis("HLEN", key.text).number;
    return sum;
}

/// One ledger, so many servers, and clients on all of them: what the rounds of kills are done to.
struct Scene {
    Scene(std::size_t servers, unsigned seed)
        : town(keeping_everything()),
          fleet(servers, town.options()),
          ledger([this] {
              Api api(fleet.at(0));
              return funded_hot_ledger(api);
          }()),
          eye(town.database.connect(), ledger),
          load(fleet, ledger, log, seed) {}

    /// Looks at PostgreSQL until `n` more were acknowledged.
    void go_on(std::size_t n) {
        auto const wanted = log.count_acknowledged() + n;
        eye.look_until([&] { return log.count_acknowledged() >= wanted; }, "acknowledgements");
    }

    void check() {
        load.stop();
        BOOST_TEST(log.unexpected() == std::vector<std::string>(),
                   boost::test_tools::per_element());
        Api api(fleet.at(0));
        settle(api, log);
        eye.look_until([&] { return is_home(api, ledger); }, "everything");
        check_home(api, town.database.connect(), ledger, log);
        BOOST_TEST(claims(town.redis) == 0);
    }

    HotTown town;
    Fleet fleet;
    std::string ledger;
    Eye eye;
    HotLog log;
    HotLoad load;
};

constexpr int kills = 6;

BOOST_AUTO_TEST_SUITE(hot_faults, *boost::unit_test::timeout(600))

BOOST_AUTO_TEST_CASE(servers_killed_at_random_points_bring_everything_home_exactly_once) {
    std::mt19937 random(seed_of_this_run());
    for (std::size_t const servers : {2U, 3U}) {
        Scene scene(servers, static_cast<unsigned>(random()));
        for (int i = 0; i < kills; ++i) {
            scene.go_on(1 + random() % 60);
            auto const victim = random() % servers;
            scene.fleet.kill(victim);
            // Now and then nobody is left for a while.
            bool const all = i == kills / 2;
            for (std::size_t other = 0; all && other < servers; ++other) scene.fleet.kill(other);
            if (!all) scene.go_on(1 + random() % 30);
            for (std::size_t dead = 0; dead < servers; ++dead)
                if (all || dead == victim) scene.fleet.start(dead);
        }
        scene.go_on(30);
        scene.check();
    }
}

BOOST_AUTO_TEST_CASE(servers_that_come_and_go_in_order_share_the_work) {
    std::mt19937 random(seed_of_this_run());
    Scene scene(3, static_cast<unsigned>(random()));
    for (int i = 0; i < kills; ++i) {
        scene.go_on(1 + random() % 60);
        auto const one = random() % 3;
        scene.fleet.terminate(one);
        scene.go_on(10);
        scene.fleet.start(one);
    }
    scene.go_on(30);
    scene.check();
}

BOOST_AUTO_TEST_CASE(redis_that_is_killed_with_its_file_whole_loses_nothing) {
    std::mt19937 random(seed_of_this_run());
    Scene scene(2, static_cast<unsigned>(random()));
    for (int i = 0; i < 3; ++i) {
        scene.go_on(1 + random() % 60);
        scene.town.redis.kill();
        scene.eye.look();
        if (i == 1) scene.fleet.kill(0);
        scene.town.redis.start();
        if (i == 1) scene.fleet.start(0);
    }
    scene.go_on(30);
    scene.check();
}

BOOST_AUTO_TEST_CASE(every_session_of_the_database_ended_under_load_changes_nothing) {
    std::mt19937 random(seed_of_this_run());
    Scene scene(2, static_cast<unsigned>(random()));
    auto maintenance = Operator(Database::server_url());
    for (int i = 0; i < 4; ++i) {
        scene.go_on(1 + random() % 60);
        maintenance(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '" +
            scene.town.database.name() + "' AND application_name LIKE 'penstock%'");
    }
    scene.go_on(30);
    scene.check();
}

/// Whether it can finish its flush or not.
BOOST_AUTO_TEST_CASE(a_server_that_is_asked_to_stop_in_mid_flush_leaves_no_lock_behind) {
    for (bool const can_finish : {true, false}) {
        HotTown town;
        std::string ledger;
        {
            ServerProcess server(town.options());
            Api api(server);
            ledger = new_hot_ledger(api);
            api.new_account(ledger, "ann");
            insist(api, ledger, "ann", 5);
            await_home(api, ledger);
            RowLock lock(town.database, ledger);
            insist(api, ledger, "ann", 1);
            await_that([&] { return claims(town.redis) > 0; }, "a claim");
            server.terminate();
            if (can_finish) lock.release();
            auto const code = server.exit_code(60s);
            BOOST_TEST_REQUIRE(code.has_value());
            BOOST_TEST(*code == 0);
            BOOST_TEST(claims(town.redis) == 0);
            if (!can_finish) lock.release();
        }
        ServerProcess next(town.options());
        Api api(next);
        await_home(api, ledger);
        BOOST_TEST(row_of_ann(town) == "6 2");
        check_verified(api, ledger);
    }
}

BOOST_AUTO_TEST_CASE(a_claim_of_a_server_that_died_is_taken_over) {
    HotTown town;
    auto const options = town.options();
    auto victim = std::make_unique<ServerProcess>(options);
    std::string ledger;
    {
        Api api(*victim);
        ledger = new_hot_ledger(api);
        api.new_account(ledger, "ann");
        insist(api, ledger, "ann", 5);
        await_home(api, ledger);
        RowLock lock(town.database, ledger);
        insist(api, ledger, "ann", 1);
        await_that([&] { return claims(town.redis) > 0; }, "a claim");
        victim->kill();
        BOOST_TEST(claims(town.redis) > 0);
        lock.release();
    }
    ServerProcess next(options);
    Api api(next);
    await_home(api, ledger);
    BOOST_TEST(claims(town.redis) == 0);
    BOOST_TEST(row_of_ann(town) == "6 2");
    check_verified(api, ledger);
}

/// Somebody else has claimed the head of the schedule and never comes back to it.
BOOST_AUTO_TEST_CASE(a_claimed_head_of_the_schedule_hides_nobody_and_is_due_when_its_lease_ends) {
    HotTown town;
    ServerProcess server(hot_options(url_of(town.database), town.redis, {}, "2000"));
    Api api(server);
    auto const ledger = new_hot_ledger(api);
    for (auto const* name : {"ann", "bob"}) api.new_account(ledger, name);
    insist(api, ledger, "ann", 5);
    RedisTalk redis(town.redis.socket_path());
    auto const keys = redis("KEYS", "*:due");
    BOOST_TEST_REQUIRE(keys.elements.size() == 1U);
    auto const due = keys.elements.front().text;
    auto const head = due.substr(0, due.rfind(':') + 1);
    auto const seized = redis(
        "EVAL",
        "redis.call('ZADD', KEYS[2], '9000000000000', 'ann') "
        "redis.call('HSET', KEYS[3], 'ann', 'somebody') return redis.call('ZREM', KEYS[1], 'ann')",
        "3", due, head + "claimed", head + "owners");
    BOOST_TEST_REQUIRE(seized.number == 1);
    insist(api, ledger, "bob", 7);
    auto const row = [&](std::string const& who) {
        return town.sql("SELECT balance || ' ' || version FROM accounts WHERE address = '" + who +
                        "'");
    };
    await_that([&] { return row("bob") == "7 1"; }, "bob's balance");
    BOOST_TEST(row("ann") == "0 0");
    BOOST_TEST(api.balance(ledger, "ann") == 5);
    redis("ZADD", head + "claimed", "1", "ann");
    await_home(api, ledger);
    BOOST_TEST(row("ann") == "5 1");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
