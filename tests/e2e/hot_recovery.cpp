// What does a hot ledger answer while Redis or PostgreSQL is away, and is it whole afterwards?
#include <boost/test/unit_test.hpp>

#include "tests/e2e/hot_town.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

std::string ledger_of_ann(Api& api) {
    auto ledger = new_hot_ledger(api);
    api.new_account(ledger, "ann");
    return ledger;
}

std::string deposits_of(HotTown const& town) {
    return town.sql("SELECT count(*) || ' ' || sum(amount) FROM transfers");
}

/// The one key of that kind.
std::string key_of(RedisTalk& redis, std::string const& part) {
    auto const keys = redis("KEYS", "*:" + part);
    BOOST_TEST_REQUIRE(keys.elements.size() == 1U);
    return keys.elements.front().text;
}

BOOST_AUTO_TEST_SUITE(hot_recovery, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(while_redis_is_away_posts_are_refused_and_reads_are_marked_as_old) {
    HotTown town(keeping_everything());
    ServerProcess server(town.options());
    Api api(server);
    auto const ledger = ledger_of_ann(api);
    auto const first = fresh("key");
    auto const done = insist(api, ledger, "ann", 5, first);
    await_home(api, ledger);
    auto const fresh_read = api.get(ledger + "/accounts/ann");
    BOOST_TEST(fresh_read.header("penstock-stale") == "");

    town.redis.kill();
    auto const second = fresh("key");
    HttpAnswer refused;
    await_that(
        [&] {
            refused = api.deposit(ledger, "ann", 7, second);
            return refused.code() == "unavailable";
        },
        "a refusal");
    BOOST_TEST(refused.status == 503U);
    BOOST_TEST(!refused.header("retry-after").empty());
    auto const old = api.get(ledger + "/accounts/ann");
    BOOST_TEST(old.status == 200U);
    BOOST_TEST(old.header("penstock-stale") == "true");
    BOOST_TEST(old.document().at("balance").as_int64() == 5);
    auto const ready = api.get("/readyz");
    BOOST_TEST(ready.status == 200U);
    BOOST_TEST(ready.body.find("degraded") != std::string::npos);

    town.redis.start();
    insist(api, ledger, "ann", 7, second);
    BOOST_TEST(api.balance(ledger, "ann") == 12);
    auto const again = api.deposit(ledger, "ann", 5, first);
    BOOST_TEST(again.body == done.body);
    BOOST_TEST(again.header("idempotent-replayed") == "true");
    await_home(api, ledger);
    BOOST_TEST(row_of_ann(town) == "12 2");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(redis_that_does_not_answer_for_a_while_is_the_same_one_afterwards) {
    HotTown town;
    ServerProcess server(town.options());
    Api api(server);
    auto const ledger = ledger_of_ann(api);
    insist(api, ledger, "ann", 5);
    town.redis.freeze();
    auto const key = fresh("key");
    auto const silent = api.deposit(ledger, "ann", 7, key);
    BOOST_TEST((silent.status == 503U || silent.status == 504U), silent.body);
    town.redis.thaw();
    // It was not applied, or its key replays: never both.
    insist(api, ledger, "ann", 7, key);
    BOOST_TEST(api.balance(ledger, "ann") == 12);
    await_home(api, ledger);
    BOOST_TEST(row_of_ann(town) == "12 2");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(redis_that_comes_back_empty_is_built_from_postgresql_and_then_serves) {
    for (bool const flushed : {false, true}) {
        HotTown town;
        ServerProcess server(town.options());
        Api api(server);
        auto const ledger = ledger_of_ann(api);
        auto const key = fresh("key");
        auto const done = insist(api, ledger, "ann", 5, key);
        api.new_account(ledger, "bob");
        auto const held = api.post(ledger + "/holds", Api::movement("ann", "bob", 2));
        BOOST_TEST_REQUIRE(held.status == 201U, held.body);
        await_home(api, ledger);
        if (flushed) {
            RedisTalk(town.redis.socket_path())("FLUSHALL");
        } else {
            town.redis.kill();
            town.redis.start();
        }
        insist(api, ledger, "ann", 7);
        auto const ann = api.account(ledger, "ann");
        BOOST_TEST(ann.at("balance").as_int64() == 12);
        BOOST_TEST(ann.at("version").as_int64() == 2);
        BOOST_TEST(ann.at("held").as_int64() == 2);
        auto const id = std::string(held.document().at("id").as_string());
        BOOST_TEST(api.post(ledger + "/holds/" + id + "/void", "{}").status == 200U);
        // A key that was used before is known, wherever it is known from.
        auto const again = api.deposit(ledger, "ann", 5, key);
        BOOST_TEST(again.body == done.body);
        BOOST_TEST(again.header("idempotent-replayed") == "true");
        BOOST_TEST(api.deposit(ledger, "ann", 6, key).code() == "idempotency_key_reused");
        await_home(api, ledger);
        BOOST_TEST(row_of_ann(town) == "12 2");
        check_verified(api, ledger);
    }
}

/// Its only copy was Redis's: nothing brings it back, and nothing makes it up.
BOOST_AUTO_TEST_CASE(what_was_lost_with_redis_before_the_drain_is_not_invented) {
    HotTown town;
    auto server = std::make_unique<ServerProcess>(town.options());
    std::string ledger;
    auto const key = fresh("key");
    {
        Api api(*server);
        ledger = ledger_of_ann(api);
        insist(api, ledger, "ann", 5);
        await_home(api, ledger);
        JournalLock lock(town.database.connect());
        insist(api, ledger, "ann", 7, key);
        server->kill();
        town.redis.kill();
        lock.release();
    }
    town.redis.start();
    server = std::make_unique<ServerProcess>(town.options());
    Api api(*server);
    insist(api, ledger, "ann", 1);
    BOOST_TEST(api.balance(ledger, "ann") == 6);
    // Whoever has the key does it once.
    auto const again = insist(api, ledger, "ann", 7, key);
    BOOST_TEST(again.header("idempotent-replayed") == "");
    BOOST_TEST(api.deposit(ledger, "ann", 7, key).body == again.body);
    await_home(api, ledger);
    BOOST_TEST(row_of_ann(town) == "13 3");
    BOOST_TEST(deposits_of(town) == "3 13");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(a_journal_that_nobody_drains_ends_in_503_and_not_in_redis_memory) {
    constexpr long most = 20;
    HotTown town;
    ServerProcess server(town.options({"--hot-undrained-max", std::to_string(most)}));
    Api api(server);
    auto const ledger = ledger_of_ann(api);
    insist(api, ledger, "ann", 1);
    await_home(api, ledger);
    JournalLock lock(town.database.connect());
    long accepted = 0;
    HttpAnswer answer;
    await_that(
        [&] {
            answer = api.deposit(ledger, "ann", 1);
            accepted += answer.status == 201U;
            return answer.code() == "overloaded" || accepted > most;
        },
        "a refusal");
    BOOST_TEST(accepted == most);
    BOOST_TEST(answer.status == 503U);
    BOOST_TEST(answer.code() == "overloaded");
    BOOST_TEST(!answer.header("retry-after").empty());
    BOOST_TEST(sync_of(api, ledger).at("journal_lag") == most);
    lock.release();
    insist(api, ledger, "ann", 1);
    await_home(api, ledger);
    BOOST_TEST(deposits_of(town) == "22 22");
    BOOST_TEST(row_of_ann(town) == "22 22");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(posts_go_on_while_postgresql_is_away) {
    Cluster cluster;
    RedisServer redis;
    ServerProcess server(hot_options(cluster.url(), redis));
    Api api(server);
    auto const ledger = ledger_of_ann(api);
    insist(api, ledger, "ann", 5);
    await_home(api, ledger);
    cluster.stop_immediately();
    for (int i = 0; i < 10; ++i) {
        auto const posted = api.deposit(ledger, "ann", 1);
        BOOST_TEST_REQUIRE(posted.status == 201U, posted.body);
    }
    // What an account is beside its balance is not in Redis.
    BOOST_TEST(api.get(ledger + "/accounts/ann").status == 503U);
    cluster.start();
    await_home(api, ledger);
    BOOST_TEST(api.balance(ledger, "ann") == 15);
    Operator database(cluster.url());
    BOOST_TEST(database("SELECT balance || ' ' || version FROM accounts WHERE address = 'ann'") ==
               "15 11");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(what_nobody_can_read_ends_as_dead_letters_and_hides_nothing) {
    HotTown town;
    ServerProcess server(town.options());
    Api api(server);
    auto const ledger = ledger_of_ann(api);
    insist(api, ledger, "ann", 5);
    await_home(api, ledger);
    RedisTalk redis(town.redis.socket_path());
    auto const journal = key_of(redis, "journal");
    auto const due = key_of(redis, "due");
    // Between two entries of the journal; at the head of the schedule.
    BOOST_TEST(!redis("XADD", journal, "1-1", "e", "no entry at all").is_error());
    redis("ZADD", due, "1", "nobody");
    redis("HSET", key_of(redis, "books"), "liar", "no line at all");
    redis("ZADD", due, "2", "liar");
    insist(api, ledger, "ann", 7);
    await_that(
        [&] {
            auto const status = sync_of(api, ledger);
            return !status.empty() && status.at("dead_letters") == 3;
        },
        "three dead letters");
    await_home(api, ledger);
    BOOST_TEST(row_of_ann(town) == "12 2");
    auto const dead = redis("XRANGE", key_of(redis, "dead"), "-", "+");
    BOOST_TEST(dead.elements.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_ledger_that_is_deleted_is_drained_first) {
    HotTown town;
    ServerProcess server(town.options());
    Api api(server);
    auto const ledger = ledger_of_ann(api);
    insist(api, ledger, "ann", 5);
    BOOST_TEST(api.remove(ledger).code() == "ledger_not_empty");
    // The deletion had closed it.
    await_that(
        [&, key = fresh("key")] { return api.withdraw(ledger, "ann", 5, key).status == 201; },
        "the withdrawal");
    HttpAnswer gone;
    await_that(
        [&] {
            gone = api.remove(ledger);
            return gone.status == 204;
        },
        "the end of the ledger");
    BOOST_TEST(town.sql("SELECT count(*) FROM transfers") == "2");
    BOOST_TEST(api.get(ledger).status == 404U);
    BOOST_TEST(api.deposit(ledger, "ann", 5).status == 404U);
    // Another one, at once, on the same server.
    auto const next = ledger_of_ann(api);
    insist(api, next, "ann", 5);
    await_home(api, next);
    check_verified(api, next);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
