#include "db/pg/connection.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/db/pg/notes.hpp"

using namespace penstock;
using namespace penstock::db::pg;
using db::Errc;
using db::Statement;
using namespace tests::notes;
using tests::one;
using tests::soon;
using tests::with_session;

namespace {

constexpr Statement missing{"missing", "SELECT * FROM no_such_table"};
constexpr Statement swell{"swell", "SELECT $1, repeat('d', 2048)"};
constexpr Statement nap{"nap", "SELECT pg_sleep($1::int8 / 1000.0)"};
constexpr Statement setting{"setting", "SELECT current_setting($1)"};
constexpr Statement widen{"widen", "SELECT * FROM widening"};
constexpr Statement lock_notes{"lock_notes", "LOCK TABLE notes IN ACCESS EXCLUSIVE MODE"};
constexpr Statement pass_gate{"pass_gate", "SELECT pg_advisory_xact_lock_shared(4711)"};
constexpr Statement forget_all{"forget_all", "DEALLOCATE ALL"};

asio::awaitable<std::int64_t> count(Session& session) {
    auto const answer = co_await session.execute(one(count_notes), soon());
    require(answer);
    co_return answer->front()[0].int8(0);
}

/// Nobody passes the gate until it is opened.
class Gate {
public:
    explicit Gate(tests::Database const& database) : keeper_(database.connect()) {
        keeper_("SELECT pg_advisory_lock(4711)");
    }
    void open() { keeper_("SELECT pg_advisory_unlock(4711)"); }

private:
    tests::Operator keeper_;
};

/// Options of a session that waits there for as long as the test likes.
ConnectionOptions patient_options() {
    auto options = database().options();
    options.lock_timeout = options.statement_timeout = milliseconds{60'000};
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pg_connection)

BOOST_AUTO_TEST_CASE(each_statement_of_a_segment_has_its_rows_in_order) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        Segment segment;
        for (std::int64_t i = 0; i < 10; ++i) segment.add(add_one, number(i));
        BOOST_TEST(segment.add(insert, number(1)) == 10u);
        auto const answer = co_await session.execute(segment, soon());
        require(answer);
        BOOST_TEST_REQUIRE(answer->size() == 11u);
        for (std::size_t i = 0; i < 10; ++i)
            BOOST_TEST((*answer)[i][0].int8(0) == static_cast<std::int64_t>(i) + 1);
        BOOST_TEST((*answer)[10].affected() == 1u);
        BOOST_TEST((*answer)[10].tag() == "INSERT 0 1");
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(many_segments_in_flight_are_matched_by_position) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        reactor::TaskGroup tasks(executor);
        int right = 0;
        auto ask = [&](std::int64_t i) -> asio::awaitable<void> {
            auto const answer = co_await session.execute(one(add_one, number(i)), soon());
            require(answer);
            if (answer->front()[0].int8(0) == i + 1) ++right;
        };
        for (std::int64_t i = 0; i < 50; ++i) tasks.spawn(ask(i));
        co_await tasks.join(soon());
        BOOST_TEST(right == 50);
        BOOST_TEST(session.depth() == 0u);
        BOOST_TEST(session.metrics().prepared.get() == 1u);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(an_error_fails_its_whole_segment_and_not_the_next_one) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        Segment segment;
        segment.add(insert, number(1));
        segment.add(divide, number(0));
        segment.add(insert, number(2));
        auto const answer = co_await session.execute(segment, soon());
        BOOST_TEST_REQUIRE(!answer.has_value());
        BOOST_TEST((answer.error().code == Errc::refused_by_database));
        BOOST_TEST(answer.error().sqlstate == "22012");
        BOOST_TEST(answer.error().statement_index == 1u);
        BOOST_TEST(answer.error().statement == "divide");
        auto const left = co_await count(session);
        BOOST_TEST(left == 0);
        BOOST_TEST(session.metrics().failed.get() == 1u);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(a_violated_constraint_is_named) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const check = co_await session.execute(one(insert, number(-1)), soon());
        BOOST_TEST((check.error().code == Errc::refused_by_database));
        BOOST_TEST(check.error().constraint == "notes_id_check");
        auto const first = co_await session.execute(one(insert, number(1)), soon());
        require(first);
        auto const second = co_await session.execute(one(insert, number(1)), soon());
        BOOST_TEST((second.error().code == Errc::retry_transaction));
        BOOST_TEST(second.error().constraint == "notes_pkey");
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(a_statement_that_cannot_be_prepared_says_why_and_is_tried_again_later) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        Segment segment;
        segment.add(insert, number(1));
        segment.add(missing);
        auto const answer = co_await session.execute(segment, soon());
        BOOST_TEST_REQUIRE(!answer.has_value());
        BOOST_TEST(answer.error().sqlstate == "42P01");
        BOOST_TEST(answer.error().statement_index == 1u);
        BOOST_TEST(session.up());
        auto const nothing = co_await count(session);
        BOOST_TEST(nothing == 0);
        auto sql = database().connect();
        sql("CREATE TABLE no_such_table (id int)");
        auto const again = co_await session.execute(one(missing), soon());
        require(again);
        sql("DROP TABLE no_such_table");
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(twenty_thousand_statements_up_and_down_in_one_segment_do_not_deadlock) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        Segment segment;
        std::string const kilobyte(1024, 'u');
        for (int i = 0; i < 20'000; ++i) {
            Params params;
            params.text(kilobyte);
            segment.add(swell, std::move(params));
        }
        auto const deadline = steady_now() + std::chrono::seconds{50};
        auto const answer = co_await session.execute(segment, deadline);
        require(answer);
        BOOST_TEST(answer->size() == 20'000u);
        BOOST_TEST(answer->back()[0].text(0) == kilobyte);
        BOOST_TEST(answer->back()[0].text(1).size() == 2048u);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(an_explicit_transaction_spans_segments) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto lease = session.lease();
        Segment load;
        load.begin();
        load.add(insert, number(1));
        auto const loaded = co_await lease.execute(load, soon());
        require(loaded);
        Segment write;
        write.add(insert, number(2));
        write.commit();
        auto const written = co_await lease.execute(write, soon());
        require(written);
        auto const both = co_await count(session);
        BOOST_TEST(both == 2);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(a_failed_transaction_is_rolled_back_by_the_connection_itself) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        Segment load;
        load.begin();
        load.add(insert, number(1));
        auto const loaded = co_await session.execute(load, soon());
        require(loaded);
        Segment write;
        write.add(divide, number(0));
        write.commit();
        auto const written = co_await session.execute(write, soon());
        BOOST_TEST((written.error().code == Errc::refused_by_database));
        // Without the ROLLBACK this would be 25P02.
        auto const nothing = co_await count(session);
        BOOST_TEST(nothing == 0);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(a_commit_that_rolled_back_is_not_a_success) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        reactor::TaskGroup tasks(executor);
        Segment load;
        load.begin();
        load.add(divide, number(0));
        Segment commit;
        commit.commit();
        // Both in flight at once, so that COMMIT meets the failed transaction.
        error_code first;
        error_code second;
        auto send_load = [&]() -> asio::awaitable<void> {
            auto const answer = co_await session.execute(load, soon());
            first = answer.error().code;
        };
        auto send_commit = [&]() -> asio::awaitable<void> {
            auto const answer = co_await session.execute(commit, soon());
            BOOST_TEST_REQUIRE(!answer.has_value());
            second = answer.error().code;
        };
        tasks.spawn(send_load());
        tasks.spawn(send_commit());
        co_await tasks.join(soon());
        BOOST_TEST((first == Errc::refused_by_database));
        BOOST_TEST((second == Errc::retry_transaction));
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_CASE(at_its_deadline_a_segment_is_abandoned_and_the_next_answers_are_still_right) {
    auto const options = patient_options();
    auto body = [&](Session& session) -> asio::awaitable<void> {
        Gate gate(database());
        auto const slow = co_await session.execute(one(pass_gate), steady_now() + milliseconds{20});
        BOOST_TEST((slow.error().code == reactor::Errc::deadline_exceeded));
        BOOST_TEST(session.depth() >= 1u);
        gate.open();
        for (std::int64_t i = 0; i < 5; ++i) {
            auto const answer = co_await session.execute(one(add_one, number(i)), soon());
            require(answer);
            BOOST_TEST(answer->front()[0].int8(0) == i + 1);
        }
        BOOST_TEST(session.metrics().abandoned.get() == 1u);
        BOOST_TEST(session.metrics().connects.get() == 1u);
    };
    with_session(options, body);
}

BOOST_AUTO_TEST_CASE(an_abandoned_transaction_is_rolled_back) {
    auto const options = patient_options();
    auto body = [&](Session& session) -> asio::awaitable<void> {
        Gate gate(database());
        Segment load;
        load.begin();
        load.add(insert, number(1));
        load.add(pass_gate);
        auto const loaded = co_await session.execute(load, steady_now() + milliseconds{20});
        BOOST_TEST((loaded.error().code == reactor::Errc::deadline_exceeded));
        gate.open();
        co_await tests::eventually([&] { return session.depth() == 0; });
        auto const nothing = co_await count(session);
        BOOST_TEST(nothing == 0);
    };
    with_session(options, body);
}

BOOST_AUTO_TEST_CASE(an_abandoned_commit_is_unknown) {
    auto const options = patient_options();
    auto body = [&](Session& session) -> asio::awaitable<void> {
        Gate gate(database());
        Segment segment;
        segment.begin();
        segment.add(insert, number(1));
        segment.add(pass_gate);
        segment.commit();
        auto const answer = co_await session.execute(segment, steady_now() + milliseconds{20});
        BOOST_TEST((answer.error().code == Errc::commit_unknown));
        gate.open();
        co_await tests::eventually([&] { return session.depth() == 0; });
        auto const done = co_await count(session);
        BOOST_TEST(done == 1);
    };
    with_session(options, body);
}

BOOST_AUTO_TEST_CASE(a_connection_stuck_for_response_max_is_dropped) {
    auto options = database().options();
    options.response_max = milliseconds{1500};
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const stuck = co_await session.execute(one(nap, number(30'000)), soon());
        BOOST_TEST((stuck.error().code == Errc::connection_lost));
        BOOST_TEST(session.metrics().stuck.get() == 1u);
        bool const back = co_await session.ready(soon());
        BOOST_TEST(back);
        auto const answer = co_await session.execute(one(add_one, number(1)), soon());
        require(answer);
    };
    with_session(options, body);
}

BOOST_AUTO_TEST_CASE(segments_beyond_the_limit_are_refused_and_nothing_is_sent) {
    auto options = database().options();
    options.segments_max = 4;
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const warm = co_await session.execute(one(insert, number(0)), soon());
        require(warm);
        auto const executor = co_await asio::this_coro::executor;
        reactor::TaskGroup tasks(executor);
        int done = 0;
        int refused = 0;
        auto ask = [&](std::int64_t i) -> asio::awaitable<void> {
            auto const answer = co_await session.execute(one(insert, number(i)), soon());
            if (answer) ++done;
            if (!answer && answer.error().code == reactor::Errc::overloaded) ++refused;
        };
        for (std::int64_t i = 1; i <= 10; ++i) tasks.spawn(ask(i));
        co_await tasks.join(soon());
        BOOST_TEST(done == 4);
        BOOST_TEST(refused == 6);
        auto const rows = co_await count(session);
        BOOST_TEST(rows == 5);
    };
    with_session(options, body);
}

BOOST_AUTO_TEST_CASE(statement_timeout_means_unavailable_and_lock_timeout_means_again) {
    auto options = database().options();
    options.statement_timeout = milliseconds{400};
    options.lock_timeout = milliseconds{50};
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const slow = co_await session.execute(one(nap, number(5000)), soon());
        BOOST_TEST(slow.error().sqlstate == "57014");
        BOOST_TEST((slow.error().code == Errc::unavailable));
        auto other = database().connect();
        other("BEGIN");
        other("LOCK TABLE notes");
        Segment segment;
        segment.begin();
        segment.add(lock_notes);
        auto const locked = co_await session.execute(segment, soon());
        other("ROLLBACK");
        BOOST_TEST(locked.error().sqlstate == "55P03");
        BOOST_TEST((locked.error().code == Errc::retry_transaction));
    };
    with_session(options, body);
}

BOOST_AUTO_TEST_CASE(the_session_has_the_settings_that_its_options_name) {
    auto options = database().options();
    options.plans = Plans::pinned;
    options.application_name = "settings-test";
    auto body = [&](Session& session) -> asio::awaitable<void> {
        struct {
            char const* name;
            char const* value;
        } const expected[] = {
            {"statement_timeout", "10s"},
            {"lock_timeout", "5s"},
            {"TimeZone", "UTC"},
            {"synchronous_commit", "on"},
            {"enable_seqscan", "off"},
            {"enable_hashjoin", "off"},
            {"enable_mergejoin", "off"},
            {"enable_bitmapscan", "off"},
            {"jit", "off"},
            {"client_encoding", "UTF8"},
            {"plan_cache_mode", "force_generic_plan"},
            {"application_name", "settings-test"},
            {"idle_in_transaction_session_timeout", "15s"},
        };
        for (auto const& one_setting : expected) {
            Params params;
            params.text(one_setting.name);
            auto const answer = co_await session.execute(one(setting, params), soon());
            require(answer);
            BOOST_TEST(answer->front()[0].text(0) == one_setting.value);
        }
    };
    with_session(options, body);
}

BOOST_AUTO_TEST_CASE(a_plan_whose_columns_changed_is_answered_with_again_on_a_new_connection) {
    auto sql = database().connect();
    sql("CREATE TABLE widening (a int)");
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const before = co_await session.execute(one(widen), soon());
        require(before);
        sql("ALTER TABLE widening ADD b int");
        auto const stale = co_await session.execute(one(widen), soon());
        BOOST_TEST(stale.error().sqlstate == "0A000");
        BOOST_TEST((stale.error().code == Errc::retry_transaction));
        co_await tests::eventually([&] { return session.metrics().connects.get() == 2; });
        auto const after = co_await session.execute(one(widen), soon());
        require(after);
        BOOST_TEST(after->front().columns() == 2u);
    };
    with_session(database().options(), body);
    sql("DROP TABLE widening");
}

BOOST_AUTO_TEST_CASE(prepared_statements_that_vanished_are_prepared_again_on_a_new_connection) {
    auto body = [&](Session& session) -> asio::awaitable<void> {
        auto const before = co_await session.execute(one(add_one, number(1)), soon());
        require(before);
        auto const gone = co_await session.execute(one(forget_all), soon());
        require(gone);
        auto const stale = co_await session.execute(one(add_one, number(1)), soon());
        BOOST_TEST((stale.error().code == Errc::retry_transaction));
        co_await tests::eventually([&] { return session.metrics().connects.get() == 2; });
        auto const after = co_await session.execute(one(add_one, number(1)), soon());
        require(after);
    };
    with_session(database().options(), body);
}

BOOST_AUTO_TEST_SUITE_END()
