#include "db/pg/pool.hpp"

#include <boost/test/unit_test.hpp>
#include <set>

#include "tests/db/pg/notes.hpp"

using namespace penstock;
using namespace penstock::db::pg;
using db::Errc;
using db::Statement;
using namespace tests::notes;
using tests::soon;

namespace {

constexpr Statement backend{"backend", "SELECT pg_backend_pid(), pg_sleep(0.05)"};

template <class Body>
void with_pool(ConnectionOptions options, std::size_t size, Body body) {
    asio::io_context context{1};
    Pool pool(context.get_executor(), std::move(options), size, tests::fast_backoff());
    auto whole = [&]() -> asio::awaitable<void> { co_await body(pool); };
    tests::run_beside(context, pool, whole);
}

asio::awaitable<void> all_up(Pool& pool) {
    for (std::size_t i = 0; i < pool.size(); ++i)
        co_await tests::eventually([&] { return pool.session(i).up(); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pg_pool)

BOOST_AUTO_TEST_CASE(a_query_waits_for_the_first_connection) {
    auto body = [&](Pool& pool) -> asio::awaitable<void> {
        BOOST_TEST(!pool.up());
        auto const rows = co_await pool.query(add_one, number(1), soon());
        BOOST_TEST_REQUIRE(rows.has_value());
        BOOST_TEST((*rows)[0].int8(0) == 2);
    };
    with_pool(database().options(), 1, body);
}

BOOST_AUTO_TEST_CASE(queries_spread_over_the_least_loaded_connections) {
    auto body = [&](Pool& pool) -> asio::awaitable<void> {
        co_await all_up(pool);
        auto const executor = co_await asio::this_coro::executor;
        reactor::TaskGroup tasks(executor);
        std::multiset<std::int32_t> pids;
        auto ask = [&]() -> asio::awaitable<void> {
            auto const rows = co_await pool.query(backend, Params(), soon());
            BOOST_TEST_REQUIRE(rows.has_value());
            pids.insert((*rows)[0].int4(0));
        };
        for (int i = 0; i < 6; ++i) tasks.spawn(ask());
        co_await tasks.join(soon());
        std::set<std::int32_t> const different(pids.begin(), pids.end());
        BOOST_TEST(pids.size() == 6u);
        BOOST_TEST(different.size() == 3u);
    };
    with_pool(database().options(), 3, body);
}

BOOST_AUTO_TEST_CASE(more_reads_than_fit_wait_in_line) {
    auto options = database().options();
    options.segments_max = 2;
    auto body = [&](Pool& pool) -> asio::awaitable<void> {
        co_await all_up(pool);
        auto const executor = co_await asio::this_coro::executor;
        reactor::TaskGroup tasks(executor);
        std::size_t right = 0;
        std::size_t longest = 0;
        auto ask = [&](std::int32_t value) -> asio::awaitable<void> {
            auto const rows = co_await pool.query(add_one, number(value), soon());
            longest = std::max(longest, pool.waiting());
            if (rows && (*rows)[0].int8(0) == value + 1) ++right;
        };
        for (std::int32_t i = 0; i < 100; ++i) tasks.spawn(ask(i));
        co_await tasks.join(soon());
        BOOST_TEST(right == 100u);
        BOOST_TEST(longest >= 90u);
        BOOST_TEST(pool.waiting() == 0u);
    };
    with_pool(options, 2, body);
}

BOOST_AUTO_TEST_CASE(a_read_is_turned_away_when_the_line_does_not_move) {
    auto options = database().options();
    options.segments_max = 1;
    options.ready_max = milliseconds{50};
    auto body = [&](Pool& pool) -> asio::awaitable<void> {
        co_await all_up(pool);
        auto const executor = co_await asio::this_coro::executor;
        reactor::TaskGroup tasks(executor);
        static constexpr Statement stuck{"stuck", "SELECT pg_advisory_xact_lock_shared(4712)"};
        auto sql = database().connect();
        sql("SELECT pg_advisory_lock(4712)");
        bool answered = false;
        auto hold = [&]() -> asio::awaitable<void> {
            auto const rows = co_await pool.query(stuck, Params(), soon());
            answered = rows.has_value();
        };
        tasks.spawn(hold());
        co_await tests::eventually([&] { return pool.session(0).depth() == 1; });
        auto const refused = co_await pool.query(add_one, number(1), soon());
        BOOST_TEST((refused.error() == reactor::Errc::overloaded));
        sql("SELECT pg_advisory_unlock(4712)");
        co_await tests::eventually([&] { return answered; });
        auto const later = co_await pool.query(add_one, number(1), soon());
        BOOST_TEST(later.has_value());
    };
    with_pool(options, 1, body);
}

BOOST_AUTO_TEST_CASE(a_read_whose_connection_is_lost_is_sent_once_more) {
    auto body = [&](Pool& pool) -> asio::awaitable<void> {
        co_await all_up(pool);
        auto const executor = co_await asio::this_coro::executor;
        reactor::TaskGroup tasks(executor);
        static constexpr Statement slow{"slow", "SELECT pg_advisory_xact_lock_shared(4711), $1"};
        int right = 0;
        auto ask = [&]() -> asio::awaitable<void> {
            auto const rows = co_await pool.query(slow, number(7), soon());
            if (rows && (*rows)[0].int8(1) == 7) ++right;
        };
        auto sql = database().connect();
        sql("SELECT pg_advisory_lock(4711)");
        tasks.spawn(ask());
        co_await tests::eventually([&] {
            return sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                       " AND datname = current_database()") == "1";
        });
        sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()");
        sql("SELECT pg_advisory_unlock(4711)");
        co_await tasks.join(soon());
        BOOST_TEST(right == 1);
    };
    with_pool(database().options(), 2, body);
}

BOOST_AUTO_TEST_CASE(what_the_database_refuses_is_not_sent_twice) {
    auto body = [&](Pool& pool) -> asio::awaitable<void> {
        auto const rows = co_await pool.query(divide, number(0), soon());
        BOOST_TEST_REQUIRE(!rows.has_value());
        BOOST_TEST((rows.error() == Errc::refused_by_database));
        BOOST_TEST(pool.session(0).metrics().segments.get() == 1u);
    };
    with_pool(database().options(), 1, body);
}

BOOST_AUTO_TEST_CASE(without_a_server_a_read_is_unavailable_at_its_deadline) {
    ConnectionOptions const options(Address::parse("postgresql://postgres@127.0.0.1:1/x").value());
    auto body = [&](Pool& pool) -> asio::awaitable<void> {
        auto const started = steady_now();
        auto const rows = co_await pool.query(add_one, number(1), started + milliseconds{60});
        BOOST_TEST((rows.error() == Errc::unavailable));
        BOOST_TEST((steady_now() - started < milliseconds{10'000}));
    };
    with_pool(options, 2, body);
}

BOOST_AUTO_TEST_SUITE_END()
