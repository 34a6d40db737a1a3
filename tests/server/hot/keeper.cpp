// Hot ledgers through everything that befalls Redis and the servers that keep them.
#include "server/hot/keeper.hpp"

#include "tests/server/hot/household.hpp"

using namespace penstock;
using namespace penstock::tests;

namespace {

using server::HotInspector;

std::vector<std::string> with_aof() { return {"--appendonly", "yes", "--appendfsync", "always"}; }

/// Of a ledger with alice and bob that nobody has opened.
Nothing make_till(HotCounter& counter, std::string name = "hot") {
    counter.ledger = co_await counter.make_ledger(std::move(name), domain::Posting::hot,
                                                  AccountPolicy::explicit_);
    co_await counter.add_account("alice");
    co_await counter.add_account("bob");
}

Nothing pay_in(HotCounter& counter, Amount amount, int key = 0) {
    auto const outcome = co_await counter.ask(counter.deposit("alice", amount), key);
    BOOST_TEST_REQUIRE(refusal_of(outcome) == "done");
}

asio::awaitable<HotCounter::Outcome> erase(HotCounter& counter) {
    domain::DeleteLedger command;
    command.ledger = counter.ledger.id;
    co_return co_await counter.ask(command);
}

/// As a client does that is told to come again.
asio::awaitable<HotCounter::Outcome> persist(HotCounter& counter, Amount amount, int key) {
    std::optional<HotCounter::Outcome> last;
    auto const is_answered = [&]() -> asio::awaitable<bool> {
        auto const outcome = co_await counter.ask(counter.deposit("alice", amount), key);
        last.emplace(outcome);
        co_return outcome.has_value();
    };
    co_await until(is_answered, "nobody answers");
    co_return *last;
}

/// Redis has said that it forgets nothing.
Nothing until_allowed(Household& home) {
    auto const is_allowed = [&]() -> asio::awaitable<bool> {
        co_return home.keeper.metrics().bar.get() == 0;
    };
    co_await until(is_allowed, "nothing may be posted");
}

Nothing until_open(Household& home, domain::LedgerId ledger) {
    auto const is_open = [&]() -> asio::awaitable<bool> { co_return home.is_open(ledger); };
    co_await until(is_open, "the ledger was not opened");
}

/// Everything that was posted is in the store, as it is in Redis.
Nothing until_home(HotCounter& counter) {
    auto const is_home = [&]() -> asio::awaitable<bool> {
        auto const standing = co_await counter.journal.look(counter.ledger.id, patient());
        if (!standing || !*standing) co_return false;
        co_return server::is_at_rest(**standing);
    };
    co_await until(is_home, "not everything came home");
}

asio::awaitable<std::string> failed_checks(HotCounter& counter,
                                           server::HotInspectorOptions options = {}) {
    HotInspector inspector(counter.store, counter.client, counter.desk.options().database, options);
    auto const checks = co_await inspector.verify(counter.ledger.id, patient());
    BOOST_TEST_REQUIRE(checks.has_value());
    std::string failed;
    for (auto const& check : *checks)
        if (!check.ok) failed += check.name + ": " + check.detail + "\n";
    co_return failed;
}

asio::awaitable<Amount> stored_balance(HotCounter& counter, std::string address) {
    domain::AccountName name{counter.ledger.id, std::move(address)};
    auto const found = co_await counter.store.find_account(std::move(name), patient());
    co_return (*found)->standing.balance;
}

/// Everything came home, and every rule holds.
Nothing expect_home(HotCounter& counter, Amount balance_of_alice) {
    co_await until_home(counter);
    auto const alice = co_await stored_balance(counter, "alice");
    BOOST_TEST(alice == balance_of_alice);
    auto const failed = co_await failed_checks(counter);
    BOOST_TEST(failed == "");
}

std::string key_of(HotCounter const& counter, std::string_view part) {
    return cache::HotKeys(counter.desk.options().database).part(counter.ledger.id, part);
}

BOOST_AUTO_TEST_SUITE(hot_keeper)

BOOST_AUTO_TEST_CASE(a_ledger_is_opened_when_somebody_posts_and_comes_home) {
    at_counter([](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        Household home(counter, executor);
        co_await until_allowed(home);
        co_await make_till(counter);
        co_await pay_in(counter, 100);
        auto const paid = co_await counter.ask(counter.transfer("alice", "bob", 30));
        BOOST_TEST(refusal_of(paid) == "done");
        co_await expect_home(counter, 70);
        co_await home.stop();
    });
}

BOOST_AUTO_TEST_CASE(a_ledger_is_opened_though_nobody_posts) {
    at_counter([](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await make_till(counter);
        Household home(counter, executor);
        co_await until_open(home, counter.ledger.id);
        BOOST_TEST(home.lives().built.get() == 1U);
        co_await home.stop();
    });
}

BOOST_AUTO_TEST_CASE(redis_that_is_started_again_with_its_file_has_lost_nothing) {
    RedisServer redis(with_aof());
    at_counter(redis, [&](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await make_till(counter);
        Household idle(counter, executor, Habits{false});
        co_await until_open(idle, counter.ledger.id);
        co_await pay_in(counter, 100, 1);
        co_await pay_in(counter, 20, 2);
        redis.kill();
        redis.start();
        // The post finds another process, and waits until the ledger is open for it.
        auto const third = co_await persist(counter, 3, 3);
        BOOST_TEST(is_done(third));
        auto const again = co_await counter.ask(counter.deposit("alice", 20), 2);
        BOOST_TEST(is_replay(again));
        BOOST_TEST(idle.lives().opened.get() == 1U);
        BOOST_TEST(idle.lives().built.get() == 1U);
        BOOST_TEST(idle.lives().lost.get() == 0U);
        co_await idle.stop();
        Household home(counter, executor);
        co_await expect_home(counter, 123);
        co_await home.stop();
    });
}

/// What is not in the store is gone with Redis's data, and whoever saw it says so.
Nothing lose_all(HotCounter& counter, std::function<void()> lose) {
    auto const executor = co_await asio::this_coro::executor;
    co_await make_till(counter);
    Household first(counter, executor);
    co_await until_open(first, counter.ledger.id);
    co_await pay_in(counter, 100, 1);
    co_await until_home(counter);
    co_await first.stop();
    Household idle(counter, executor, Habits{false});
    co_await until_open(idle, counter.ledger.id);
    co_await pay_in(counter, 30, 2);
    co_await pay_in(counter, 30, 3);
    auto const ledger = counter.ledger.id;
    auto const has_seen = [&]() -> asio::awaitable<bool> { co_return idle.position(ledger) == 3; };
    co_await until(has_seen, "the posts were not seen");
    lose();
    auto const is_built = [&]() -> asio::awaitable<bool> {
        co_return idle.lives().built.get() == 1 && idle.position(ledger) == 1;
    };
    co_await until(is_built, "the books were not built");
    BOOST_TEST(idle.lives().lost.get() == 2U);
    co_await idle.stop();
    Household home(counter, executor);
    co_await until_open(home, counter.ledger.id);
    // Its key was never used, as far as anyone knows.
    auto const once_more = co_await counter.ask(counter.deposit("alice", 30), 2);
    BOOST_TEST((is_done(once_more) && !is_replay(once_more)));
    auto const known = co_await counter.ask(counter.deposit("alice", 100), 1);
    BOOST_TEST(is_replay(known));
    co_await expect_home(counter, 130);
    co_await home.stop();
}

BOOST_AUTO_TEST_CASE(redis_that_comes_back_empty_is_filled_from_the_store_and_the_loss_told) {
    RedisServer redis;
    at_counter(redis, [&](HotCounter& counter) -> Nothing {
        auto const restart = [&] {
            redis.kill();
            redis.start();
        };
        co_await lose_all(counter, restart);
    });
}

BOOST_AUTO_TEST_CASE(whose_balance_was_lost_on_its_way_home_is_mended_though_nobody_posts) {
    RedisServer redis;
    at_counter(redis, [&](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await counter.set_up();
        co_await pay_in(counter, 100);
        co_await counter.drain();
        auto const before = co_await stored_balance(counter, "alice");
        BOOST_TEST(before == 0);
        RedisTalk(redis.socket_path())("FLUSHALL");
        Household home(counter, executor);
        co_await until_open(home, counter.ledger.id);
        co_await until_home(counter);
        auto const alice = co_await stored_balance(counter, "alice");
        BOOST_TEST(alice == 100);
        BOOST_TEST(home.workers.sync_metrics().mended.get() == 2U);
        auto const failed = co_await failed_checks(counter);
        BOOST_TEST(failed == "");
        co_await home.stop();
    });
}

BOOST_AUTO_TEST_CASE(redis_that_is_flushed_is_filled_though_nobody_posts) {
    RedisServer redis;
    at_counter(redis, [&](HotCounter& counter) -> Nothing {
        auto const flush = [&] { RedisTalk(redis.socket_path())("FLUSHALL"); };
        co_await lose_all(counter, flush);
    });
}

BOOST_AUTO_TEST_CASE(redis_that_was_away_goes_on_where_it_was) {
    RedisServer redis;
    at_counter(redis, [&](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await make_till(counter);
        Household home(counter, executor);
        co_await until_open(home, counter.ledger.id);
        co_await pay_in(counter, 100);
        redis.freeze();
        auto envelope = counter.envelope(counter.deposit("alice", 5), 1);
        auto const soon = steady_now() + milliseconds{50};
        auto const late = co_await counter.desk.submit(counter.ledger, std::move(envelope), soon);
        BOOST_TEST(!late.has_value());
        redis.thaw();
        // Whether it was done before or is done now: it is done once.
        auto const again = co_await persist(counter, 5, 1);
        BOOST_TEST(is_done(again));
        co_await until_home(counter);
        auto const alice = co_await stored_balance(counter, "alice");
        BOOST_TEST(alice == 105);
        BOOST_TEST(home.lives().lost.get() == 0U);
        co_await home.stop();
    });
}

BOOST_AUTO_TEST_CASE(damaged_books_are_sealed_until_their_journal_is_home) {
    RedisServer redis;
    at_counter(redis, [&](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await make_till(counter);
        Household idle(counter, executor, Habits{false});
        co_await until_open(idle, counter.ledger.id);
        for (int key = 1; key <= 3; ++key) co_await pay_in(counter, 10, key);
        co_await idle.stop();
        RedisTalk talk(redis.socket_path());
        talk("XADD", key_of(counter, "journal"), "4-0", "entry", "no entry of ours");
        talk("DEL", key_of(counter, "due"));
        Habits habits;
        // Out of the journal, and not yet known to the store.
        habits.losses_take = milliseconds{100};
        Household home(counter, executor, habits);
        co_await until_open(home, counter.ledger.id);
        co_await pay_in(counter, 5, 4);
        BOOST_TEST(home.lives().sealed.get() == 1U);
        BOOST_TEST(home.lives().built.get() == 1U);
        co_await until_home(counter);
        auto const alice = co_await stored_balance(counter, "alice");
        BOOST_TEST(alice == 35);
        BOOST_TEST(talk("XLEN", key_of(counter, "dead")).number == 1);
        auto const failed = co_await failed_checks(counter);
        BOOST_TEST(failed == "");
        co_await home.stop();
    });
}

BOOST_AUTO_TEST_CASE(a_journal_that_somebody_deleted_or_overwrote_is_made_anew) {
    RedisServer redis;
    at_counter(redis, [&](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await make_till(counter);
        Household home(counter, executor);
        co_await until_open(home, counter.ledger.id);
        co_await pay_in(counter, 100);
        co_await until_home(counter);
        RedisTalk talk(redis.socket_path());
        talk("DEL", key_of(counter, "journal"));
        co_await pay_in(counter, 5);
        co_await until_home(counter);
        talk("SET", key_of(counter, "journal"), "nonsense");
        auto const last = co_await persist(counter, 1, 1);
        BOOST_TEST(is_done(last));
        co_await until_home(counter);
        auto const alice = co_await stored_balance(counter, "alice");
        BOOST_TEST(alice == 106);
        BOOST_TEST(home.lives().lost.get() == 0U);
        auto const failed = co_await failed_checks(counter);
        BOOST_TEST(failed == "");
        co_await home.stop();
    });
}

BOOST_AUTO_TEST_CASE(two_servers_open_one_ledger_and_one_of_them_may_go) {
    at_counter([](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await make_till(counter);
        Household one(counter, executor);
        Household two(counter, executor);
        co_await until_open(two, counter.ledger.id);
        for (int i = 0; i < 20; ++i) co_await pay_in(counter, 1);
        co_await one.stop();
        for (int i = 0; i < 20; ++i) co_await pay_in(counter, 1);
        co_await expect_home(counter, 40);
        co_await two.stop();
    });
}

BOOST_AUTO_TEST_CASE(a_ledger_with_money_on_it_is_not_deleted_and_goes_on) {
    at_counter([](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await make_till(counter);
        Household home(counter, executor);
        co_await until_open(home, counter.ledger.id);
        co_await pay_in(counter, 100);
        co_await until_open(home, counter.ledger.id);
        auto const refused = co_await erase(counter);
        BOOST_TEST(refusal_of(refused) == "ledger_not_empty");
        BOOST_TEST(home.lives().closed.get() == 0U);
        co_await pay_in(counter, 1);
        co_await home.stop();
    });
}

BOOST_AUTO_TEST_CASE(what_one_owes_another_is_found_out_by_closing_and_the_ledger_opens_again) {
    at_counter([](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await make_till(counter);
        domain::CreateAccount in_debt{counter.ledger.id, "carol"};
        in_debt.overdraft_limit = 100;
        co_await counter.decide(in_debt);
        Household home(counter, executor);
        co_await until_open(home, counter.ledger.id);
        auto const owed = co_await counter.ask(counter.transfer("carol", "bob", 30));
        BOOST_TEST(refusal_of(owed) == "done");
        auto const refused = co_await erase(counter);
        BOOST_TEST(refusal_of(refused) == "ledger_not_empty");
        BOOST_TEST(home.lives().closed.get() == 1U);
        auto const paid = co_await counter.ask(counter.transfer("bob", "carol", 30));
        BOOST_TEST(refusal_of(paid) == "done");
        BOOST_TEST(home.lives().opened.get() == 1U);
        co_await until_open(home, counter.ledger.id);
        auto const deleted = co_await erase(counter);
        BOOST_TEST(refusal_of(deleted) == "done");
        co_await home.stop();
    });
}

BOOST_AUTO_TEST_CASE(a_deleted_ledger_is_brought_home_first_and_forgotten_by_everyone) {
    RedisServer redis;
    at_counter(redis, [&](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await make_till(counter);
        Household other(counter, executor);
        Household home(counter, executor);
        co_await until_open(home, counter.ledger.id);
        co_await pay_in(counter, 100);
        auto const out = co_await counter.ask(
            counter.movement(TransferKind::withdrawal, "alice", domain::world_address, 100));
        BOOST_TEST(is_done(out));
        co_await until_open(home, counter.ledger.id);
        co_await until_open(other, counter.ledger.id);
        auto const deleted = co_await erase(counter);
        BOOST_TEST(refusal_of(deleted) == "done");
        auto const ledger = counter.ledger.id;
        auto const has_ended = [&]() -> asio::awaitable<bool> {
            co_return !home.keeper.find(ledger) && !other.keeper.find(ledger);
        };
        co_await until(has_ended, "the lives of a deleted ledger go on");
        RedisTalk talk(redis.socket_path());
        auto const is_forgotten = [&]() -> asio::awaitable<bool> {
            co_return talk("EXISTS", key_of(counter, "books"), key_of(counter, "journal"),
                           key_of(counter, "due"))
                    .number == 0;
        };
        co_await until(is_forgotten, "a deleted ledger is still in Redis");
        co_await home.stop();
        co_await other.stop();
    });
}

BOOST_AUTO_TEST_CASE(a_ledger_that_is_slow_to_open_delays_no_other) {
    at_counter([](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await make_till(counter, "slow");
        auto const slow = counter.ledger.id;
        Habits habits;
        habits.neglected.insert(slow);
        Household home(counter, executor, habits);
        co_await until_allowed(home);
        co_await make_till(counter, "quick");
        co_await pay_in(counter, 100);
        co_await until_home(counter);
        co_await until_open(home, counter.ledger.id);
        BOOST_TEST(!home.is_open(slow));
        co_await home.stop();
    });
}

BOOST_AUTO_TEST_CASE(nothing_is_posted_where_redis_may_evict_until_it_may_not) {
    RedisServer redis({"--maxmemory-policy", "allkeys-lru"});
    at_counter(redis, [&](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await make_till(counter);
        Household home(counter, executor);
        auto const refused = co_await counter.ask(counter.deposit("alice", 1));
        BOOST_TEST(!refused.has_value());
        BOOST_TEST(!home.is_open(counter.ledger.id));
        RedisTalk talk(redis.socket_path());
        talk("CONFIG", "SET", "maxmemory-policy", "noeviction");
        co_await until_open(home, counter.ledger.id);
        co_await pay_in(counter, 1);
        co_await home.stop();
    });
}

BOOST_AUTO_TEST_CASE(nothing_is_posted_while_redis_has_used_its_share_of_memory) {
    RedisServer redis({"--maxmemory", "500mb"});
    at_counter(redis, [&](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await make_till(counter);
        Household home(counter, executor);
        co_await until_open(home, counter.ledger.id);
        co_await pay_in(counter, 1);
        RedisTalk talk(redis.socket_path());
        talk("CONFIG", "SET", "maxmemory", "1000");
        auto const is_barred = [&]() -> asio::awaitable<bool> {
            co_return home.keeper.metrics().bar.get() ==
                static_cast<std::uint64_t>(server::HotBar::memory);
        };
        co_await until(is_barred, "the memory was not looked at");
        auto const refused = co_await counter.ask(counter.deposit("alice", 1));
        BOOST_TEST((refused.error() == reactor::Errc::overloaded));
        talk("CONFIG", "SET", "maxmemory", "500mb");
        co_await until_allowed(home);
        co_await pay_in(counter, 1);
        co_await home.stop();
    });
}

BOOST_AUTO_TEST_CASE(verify_finds_what_redis_and_the_store_do_not_agree_on) {
    RedisServer redis;
    at_counter(redis, [&](HotCounter& counter) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        co_await make_till(counter);
        Household home(counter, executor);
        co_await until_open(home, counter.ledger.id);
        co_await pay_in(counter, 100);
        co_await until_home(counter);
        co_await home.stop();
        RedisTalk talk(redis.socket_path());
        auto const books = key_of(counter, "books");
        auto const good = talk("HGET", books, "alice").text;
        server::HotInspectorOptions hasty;
        hasty.rest_max = milliseconds{200};
        hasty.pause = milliseconds{5};
        auto bad = good;
        bad.replace(bad.find(" 100 "), 5, " 101 ");
        talk("HSET", books, "alice", bad);
        auto failed = co_await failed_checks(counter, hasty);
        BOOST_TEST(failed.find("redis_equals_accounts: ") == 0U, failed);
        BOOST_TEST(failed.find("alice: Redis has balance 101") != failed.npos, failed);
        talk("HSET", books, "alice", 'd' + good.substr(1));
        failed = co_await failed_checks(counter, hasty);
        BOOST_TEST(failed.find("1 were not brought home") != failed.npos, failed);
        talk("HSET", books, "alice", "nonsense");
        failed = co_await failed_checks(counter, hasty);
        BOOST_TEST(failed.find("alice: no account in Redis") != failed.npos, failed);
        talk("HSET", books, "alice", good);
        failed = co_await failed_checks(counter, hasty);
        BOOST_TEST(failed == "");
        talk("DEL", books);
        failed = co_await failed_checks(counter, hasty);
        BOOST_TEST(failed.find("redis_books_equal_journal: there are no books") == 0U, failed);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
