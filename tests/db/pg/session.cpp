#include "db/pg/session.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/db/pg/notes.hpp"
#include "tests/db/pg/proxied.hpp"

using namespace penstock;
using namespace penstock::db::pg;
using db::Errc;
using db::Statement;
using namespace tests::notes;
using tests::FaultProxy;
using tests::one;
using tests::server_place;
using tests::soon;
using tests::Way;
using tests::with_session;

namespace {

constexpr Statement backend{"backend", "SELECT pg_backend_pid()"};
constexpr Statement nap{"nap", "SELECT pg_sleep(20)"};
constexpr Statement swell{"swell", "SELECT repeat('d', 100000)"};

asio::awaitable<std::string> pid_of(Session& session) {
    auto const answer = co_await session.execute(one(backend), soon());
    BOOST_REQUIRE_MESSAGE(answer.has_value(), answer.error().message);
    co_return std::to_string(answer->front()[0].int4(0));
}

/// The session answers again, and rightly.
asio::awaitable<void> require_back(Session& session) {
    bool const back = co_await session.ready(soon());
    BOOST_TEST_REQUIRE(back);
    auto const answer = co_await session.execute(one(add_one, number(41)), soon());
    BOOST_REQUIRE_MESSAGE(answer.has_value(), answer.error().message);
    BOOST_TEST(answer->front()[0].int8(0) == 42);
}

/// A session's options that lead through the proxy.
ConnectionOptions through(FaultProxy const& proxy) {
    ConnectionOptions options(tests::address_through(proxy, database().name()));
    options.connect_max = milliseconds{20'000};
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pg_session)

BOOST_AUTO_TEST_CASE(an_idle_session_notices_its_end_and_comes_back) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const pid = co_await pid_of(session);
        database().connect()("SELECT pg_terminate_backend(" + pid + ")");
        co_await tests::eventually([&] { return session.metrics().connects.get() == 2; });
        BOOST_TEST(session.last_failure().sqlstate == "57P01");
        co_await require_back(session);
        auto const other = co_await pid_of(session);
        BOOST_TEST(other != pid);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(everything_in_flight_fails_with_the_servers_own_reason) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const pid = co_await pid_of(session);
        auto const executor = co_await asio::this_coro::executor;
        reactor::TaskGroup tasks(executor);
        int lost = 0;
        auto ask = [&](Segment segment) -> asio::awaitable<void> {
            auto const answer = co_await session.execute(std::move(segment), soon());
            BOOST_TEST_REQUIRE(!answer.has_value());
            BOOST_TEST(answer.error().sqlstate == "57P01");
            if (answer.error().code == Errc::connection_lost) ++lost;
        };
        for (int i = 0; i < 5; ++i) tasks.spawn(ask(one(nap)));
        co_await tests::eventually([&] { return session.depth() >= 5; });
        database().connect()("SELECT pg_terminate_backend(" + pid + ")");
        co_await tasks.join(soon());
        BOOST_TEST(lost == 5);
        BOOST_TEST(session.metrics().lost.get() == 5u);
        co_await require_back(session);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(a_lease_never_reaches_a_connection_that_did_not_see_its_begin) {
    auto sql = database().connect();
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const pid = co_await pid_of(session);
        auto lease = session.lease();
        Segment load;
        load.begin();
        load.add(insert, number(1));
        auto const loaded = co_await lease.execute(load, soon());
        BOOST_TEST_REQUIRE(loaded.has_value());
        sql("SELECT pg_terminate_backend(" + pid + ")");
        co_await tests::eventually([&] { return session.metrics().connects.get() == 2; });
        Segment write;
        write.add(insert, number(2));
        write.commit();
        auto const written = co_await lease.execute(write, soon());
        BOOST_TEST_REQUIRE(!written.has_value());
        BOOST_TEST((written.error().code == Errc::connection_lost));
        BOOST_TEST(sql("SELECT count(*) FROM notes") == "0");
        co_await require_back(session);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(a_server_process_killed_during_commit_leaves_the_commit_unknown) {
    auto sql = database().connect();
    sql("CREATE FUNCTION doze() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(20); RETURN NULL; END'");
    sql("CREATE TABLE slow_notes (id bigint)");
    sql("CREATE CONSTRAINT TRIGGER doze AFTER INSERT ON slow_notes"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION doze()");
    static constexpr Statement slow{"slow", "INSERT INTO slow_notes VALUES ($1)"};
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const pid = co_await pid_of(session);
        auto const executor = co_await asio::this_coro::executor;
        reactor::TaskGroup tasks(executor);
        error_code ended;
        auto write = [&]() -> asio::awaitable<void> {
            Segment segment;
            segment.begin();
            segment.add(slow, number(1));
            segment.commit();
            auto const answer = co_await session.execute(segment, soon());
            ended = answer.error().code;
        };
        tasks.spawn(write());
        co_await tests::eventually([&] { return session.depth() >= 1; });
        sql.await("SELECT wait_event FROM pg_stat_activity WHERE pid = " + pid, "PgSleep");
        sql("SELECT pg_terminate_backend(" + pid + ")");
        co_await tasks.join(soon());
        BOOST_TEST((ended == Errc::commit_unknown));
        co_await require_back(session);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(an_immediate_stop_and_start_of_the_server_is_survived) {
    tests::Cluster cluster;
    ConnectionOptions const options(Address::parse(cluster.url()).value());
    auto body = [&](Session& session) -> asio::awaitable<void> {
        co_await require_back(session);
        auto const executor = co_await asio::this_coro::executor;
        reactor::TaskGroup tasks(executor);
        error_code ended;
        auto ask = [&]() -> asio::awaitable<void> {
            auto const answer = co_await session.execute(one(nap), soon());
            ended = answer.error().code;
        };
        tasks.spawn(ask());
        co_await tests::eventually([&] { return session.depth() >= 1; });
        cluster.stop_immediately();
        co_await tasks.join(soon());
        BOOST_TEST((ended == Errc::connection_lost));
        co_await tests::eventually([&] { return session.metrics().connect_failures.get() >= 2; });
        auto const down = co_await session.execute(one(backend), soon());
        BOOST_TEST((down.error().code == Errc::connection_lost));
        bool const up = co_await session.ready(steady_now() + milliseconds{20});
        BOOST_TEST(!up);
        cluster.start();
        co_await require_back(session);
    };
    with_session(options, body);
}

BOOST_AUTO_TEST_CASE(a_connection_cut_at_any_byte_of_the_answer_is_lost_and_comes_back) {
    FaultProxy proxy(FaultProxy::Place::tcp(), server_place());
    auto body = [&](Session& session) -> asio::awaitable<void> {
        for (std::size_t after : {0U, 1U, 5U, 40U, 5'000U, 90'000U}) {
            co_await require_back(session);
            proxy.set(Way::to_client, tests::Fault::Kind::cut, after);
            auto const answer = co_await session.execute(one(swell), soon());
            BOOST_TEST_REQUIRE(!answer.has_value());
            BOOST_TEST((answer.error().code == Errc::connection_lost));
        }
        co_await require_back(session);
        proxy.set(Way::to_client, tests::Fault::Kind::reset, 10);
        auto const answer = co_await session.execute(one(swell), soon());
        BOOST_TEST((answer.error().code == Errc::connection_lost));
        proxy.heal();
        co_await require_back(session);
    };
    with_session(through(proxy), body);
}

BOOST_AUTO_TEST_CASE(a_cut_after_commit_was_sent_is_unknown_and_before_it_reached_nobody_too) {
    FaultProxy proxy(FaultProxy::Place::tcp(), server_place());
    auto sql = database().connect();
    auto const write = [](std::int64_t id) {
        Segment segment;
        segment.begin();
        segment.add(insert, number(id));
        segment.commit();
        return segment;
    };
    auto body = [&](Session& session) -> asio::awaitable<void> {
        std::int64_t id = 100;
        for (auto way : {Way::to_client, Way::to_server}) {
            // With everything prepared the server answers at the Sync, after it has committed.
            co_await require_back(session);
            auto const warm = co_await session.execute(write(++id), soon());
            BOOST_TEST_REQUIRE(warm.has_value());
            proxy.set(way, tests::Fault::Kind::cut, 3);
            auto const answer = co_await session.execute(write(++id), soon());
            BOOST_TEST((answer.error().code == Errc::commit_unknown));
        }
        co_await require_back(session);
        // What the program cannot know, the test can: the answer was cut, then the request.
        sql.await("SELECT string_agg(id::text, ',' ORDER BY id) FROM notes", "101,102,103");
    };
    with_session(through(proxy), body);
}

BOOST_AUTO_TEST_CASE(a_server_that_falls_silent_costs_response_max_and_a_new_connection) {
    FaultProxy proxy(FaultProxy::Place::tcp(), server_place());
    auto options = through(proxy);
    options.response_max = milliseconds{1500};
    auto body = [&](Session& session) -> asio::awaitable<void> {
        co_await require_back(session);
        proxy.set(Way::to_client, tests::Fault::Kind::stall);
        auto const answer = co_await session.execute(one(backend), soon());
        BOOST_TEST((answer.error().code == Errc::connection_lost));
        proxy.heal();
        co_await require_back(session);
    };
    with_session(options, body);
}

BOOST_AUTO_TEST_CASE(bytes_that_trickle_one_by_one_make_the_same_answers) {
    FaultProxy proxy(FaultProxy::Place::tcp(), server_place());
    auto body = [&](Session& session) -> asio::awaitable<void> {
        co_await require_back(session);
        proxy.set(Way::to_client, tests::Fault::Kind::trickle);
        for (std::int64_t i = 0; i < 20; ++i) {
            Segment segment;
            segment.add(add_one, number(i));
            segment.add(add_one, number(i + 1));
            auto const answer = co_await session.execute(segment, soon());
            BOOST_TEST_REQUIRE(answer.has_value());
            BOOST_TEST((*answer)[1][0].int8(0) == i + 2);
        }
        proxy.heal();
    };
    with_session(through(proxy), body);
}

BOOST_AUTO_TEST_CASE(garbage_from_the_server_ends_the_connection_and_nothing_else) {
    FaultProxy proxy(FaultProxy::Place::tcp(), server_place());
    auto body = [&](Session& session) -> asio::awaitable<void> {
        std::string const garbage[] = {std::string(64, '\xff'), std::string(64, '\0'),
                                       "D\x7f\xff\xff\xff"
                                       "abcdefgh",
                                       std::string("Z\0\0\0\5X", 6), std::string("E\0\0\0\4", 5)};
        for (auto const& bytes : garbage) {
            co_await require_back(session);
            proxy.set(Way::to_client, tests::Fault::Kind::insert, 0, bytes);
            auto const answer = co_await session.execute(one(backend), soon());
            static_cast<void>(answer);  // libpq may skip what it does not know
            session.drop("next");
            proxy.heal();
        }
        co_await require_back(session);
    };
    with_session(through(proxy), body);
}

BOOST_AUTO_TEST_CASE(a_host_that_does_not_answer_does_not_keep_the_next_one_from_being_asked) {
    FaultProxy silent(FaultProxy::Place::tcp(), server_place());
    silent.set(Way::to_client, tests::Fault::Kind::swallow);
    FaultProxy good(FaultProxy::Place::tcp(), server_place());
    auto const url = "postgresql://postgres@127.0.0.1:" + std::to_string(silent.port()) +
                     ",127.0.0.1:" + std::to_string(good.port()) + '/' + database().name() +
                     "?sslmode=disable&target_session_attrs=read-write";
    ConnectionOptions options(Address::parse(url).value());
    options.connect_max = milliseconds{1000};
    with_session(options, require_back);
}

BOOST_AUTO_TEST_CASE(a_server_of_the_wrong_kind_is_passed_over) {
    for (auto const* demand : {"standby", "read-only"}) {
        auto address =
            Address::parse(tests::Database::server_url() + "&target_session_attrs=" + demand);
        BOOST_TEST_REQUIRE(address.has_value());
        auto look = [&]() -> asio::awaitable<void> {
            auto const dialled = co_await dial(ConnectionOptions(*address), soon());
            BOOST_TEST_REQUIRE(!dialled.has_value());
            BOOST_TEST((dialled.error().code == Errc::unavailable));
        };
        tests::run(look);
    }
    auto preferred =
        Address::parse(tests::Database::server_url() + "&target_session_attrs=prefer-standby");
    auto look = [&]() -> asio::awaitable<void> {
        auto const dialled = co_await dial(ConnectionOptions(*preferred), soon());
        BOOST_TEST(dialled.has_value());
    };
    tests::run(look);
}

BOOST_AUTO_TEST_CASE(a_refused_login_never_shows_the_password) {
    auto const url = "postgresql://nobody_s3cret:s3cret@127.0.0.1:1/s3cret";
    auto look = [&]() -> asio::awaitable<void> {
        auto const dialled = co_await dial(ConnectionOptions(Address::parse(url).value()), soon());
        BOOST_TEST_REQUIRE(!dialled.has_value());
        BOOST_TEST((dialled.error().code == Errc::unavailable));
        BOOST_TEST(!dialled.error().message.empty());
        BOOST_TEST(dialled.error().message.find("s3cret") == std::string::npos);
    };
    tests::run(look);
}

BOOST_AUTO_TEST_CASE(dialling_ends_at_its_deadline_and_on_cancellation) {
    FaultProxy silent(FaultProxy::Place::tcp(), server_place());
    silent.set(Way::to_client, tests::Fault::Kind::swallow);
    auto late = [&]() -> asio::awaitable<void> {
        auto const started = steady_now();
        auto const options = through(silent);
        auto const dialled = co_await dial(options, started + milliseconds{50});
        BOOST_TEST(!dialled.has_value());
        BOOST_TEST((steady_now() - started < options.connect_max));
    };
    tests::run(late);
    asio::io_context context{1};
    Session session(context.get_executor(), through(silent));
    auto cancelled = [&]() -> asio::awaitable<void> {
        co_await tests::eventually([&] { return silent.accepted() >= 2; });
    };
    tests::run_beside(context, session, cancelled);
    BOOST_TEST(!session.up());
}

BOOST_AUTO_TEST_CASE(cancelling_a_session_fails_what_is_in_flight_and_ends_it) {
    asio::io_context context{1};
    Session session(context.get_executor(), database().options());
    reactor::TaskGroup lives(context.get_executor());
    reactor::TaskGroup tasks(context.get_executor());
    error_code ended;
    auto ask = [&]() -> asio::awaitable<void> {
        auto const answer = co_await session.execute(one(nap), soon());
        ended = answer.error().code;
    };
    auto body = [&]() -> asio::awaitable<void> {
        lives.spawn(session.run());
        bool const ready = co_await session.ready(soon());
        BOOST_TEST(ready);
        tasks.spawn(ask());
        co_await tests::eventually([&] { return session.depth() >= 1; });
        lives.cancel();
        co_await lives.join(soon());
        co_await tasks.join(soon());
    };
    tests::run(context, body);
    BOOST_TEST((ended == Errc::connection_lost));
    BOOST_TEST(!session.up());
}

BOOST_AUTO_TEST_CASE(a_cancelled_waiter_leaves_its_segment_behind_and_harms_nobody) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        reactor::TaskGroup tasks(executor);
        static constexpr Statement short_nap{"short_nap", "SELECT pg_sleep(0.1)"};
        auto ask = [&]() -> asio::awaitable<void> {
            co_await session.execute(one(short_nap), soon());
        };
        tasks.spawn(ask());
        co_await tests::eventually([&] { return session.depth() >= 1; });
        tasks.cancel();
        co_await tasks.join(soon());
        co_await require_back(session);
        BOOST_TEST(session.metrics().connects.get() == 1u);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(an_observer_hears_of_every_up_and_down) {
    asio::io_context context{1};
    std::string heard;
    auto observe = [&](SessionEvent const& event) {
        heard += event.up ? 'u' : 'd';
        if (!event.up) BOOST_TEST(event.reason->sqlstate == "57P01");
    };
    Session session(context.get_executor(), database().options(), tests::fast_backoff(), observe);
    auto body = [&]() -> asio::awaitable<void> {
        bool const ready = co_await session.ready(soon());
        BOOST_TEST_REQUIRE(ready);
        auto const pid = co_await pid_of(session);
        database().connect()("SELECT pg_terminate_backend(" + pid + ")");
        co_await tests::eventually([&] { return heard == "udu"; });
    };
    tests::run_beside(context, session, body);
}

BOOST_AUTO_TEST_SUITE_END()
