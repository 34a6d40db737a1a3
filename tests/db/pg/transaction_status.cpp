#include "db/pg/transaction_status.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/db/pg/with_session.hpp"

using namespace penstock;
using namespace penstock::db::pg;
using tests::soon;

namespace {

tests::Database& database() {
    static tests::Database instance;
    return instance;
}

Result<TransactionOutcome> ask(std::uint64_t xid, SteadyTime deadline) {
    Result<TransactionOutcome> outcome = db::Errc::commit_unknown;
    auto body = [&]() -> asio::awaitable<void> {
        outcome = co_await ask_outcome(database().options(), xid, deadline);
    };
    tests::run(body);
    return outcome;
}

std::uint64_t xid_of(tests::Operator& sql) {
    return std::stoull(sql("SELECT pg_current_xact_id()"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pg_transaction_status)

BOOST_AUTO_TEST_CASE(a_committed_transaction_is_committed) {
    auto sql = database().connect();
    sql("BEGIN");
    auto const xid = xid_of(sql);
    sql("COMMIT");
    BOOST_TEST((ask(xid, soon()).value() == TransactionOutcome::committed));
}

BOOST_AUTO_TEST_CASE(a_rolled_back_transaction_is_aborted) {
    auto sql = database().connect();
    sql("BEGIN");
    auto const xid = xid_of(sql);
    sql("ROLLBACK");
    BOOST_TEST((ask(xid, soon()).value() == TransactionOutcome::aborted));
}

BOOST_AUTO_TEST_CASE(a_transaction_in_progress_is_asked_again_until_it_has_ended) {
    auto sql = database().connect();
    sql("BEGIN");
    auto const xid = xid_of(sql);
    // Longer and longer, until a busy machine has answered once in that time.
    auto still = ask(xid, steady_now() + milliseconds{100});
    for (milliseconds patience{200}; !still && patience < milliseconds{20'000}; patience *= 2)
        still = ask(xid, steady_now() + patience);
    BOOST_TEST((still.value() == TransactionOutcome::in_progress));
    asio::io_context context{1};
    reactor::TaskGroup tasks(context.get_executor());
    auto commit_later = [&]() -> asio::awaitable<void> {
        co_await reactor::sleep_until(steady_now() + milliseconds{50});
        sql("COMMIT");
    };
    auto body = [&]() -> asio::awaitable<void> {
        tasks.spawn(commit_later());
        auto const outcome = co_await ask_outcome(database().options(), xid, soon());
        BOOST_TEST((outcome.value() == TransactionOutcome::committed));
        co_await tasks.join();
    };
    tests::run(context, body);
}

BOOST_AUTO_TEST_CASE(a_transaction_that_the_server_has_not_reached_is_aborted) {
    auto sql = database().connect();
    auto const outcome = ask(xid_of(sql) + 1'000'000, soon());
    BOOST_TEST((outcome.value() == TransactionOutcome::aborted));
}

BOOST_AUTO_TEST_CASE(without_a_server_the_outcome_stays_unknown) {
    auto const address = Address::parse("postgresql://postgres@127.0.0.1:1/x").value();
    auto body = [&]() -> asio::awaitable<void> {
        auto const started = steady_now();
        auto const deadline = started + milliseconds{100};
        auto const outcome = co_await ask_outcome(ConnectionOptions(address), 700, deadline);
        BOOST_TEST((outcome.error() == db::Errc::commit_unknown));
        BOOST_TEST((steady_now() - started < milliseconds{10'000}));
    };
    tests::run(body);
}

BOOST_AUTO_TEST_CASE(a_server_that_comes_back_is_asked_then) {
    tests::Cluster cluster;
    std::uint64_t xid = 0;
    {
        tests::Operator sql(cluster.url());
        sql("BEGIN");
        sql("CREATE TABLE durable (id int)");  // a transaction that wrote nothing is not flushed
        xid = xid_of(sql);
        sql("COMMIT");
    }
    cluster.stop_immediately();
    ConnectionOptions const options(Address::parse(cluster.url()).value());
    asio::io_context context{1};
    reactor::TaskGroup tasks(context.get_executor());
    auto start_later = [&]() -> asio::awaitable<void> {
        co_await reactor::sleep_until(steady_now() + milliseconds{50});
        cluster.start();
    };
    auto body = [&]() -> asio::awaitable<void> {
        tasks.spawn(start_later());
        auto const outcome = co_await ask_outcome(options, xid, soon());
        BOOST_TEST((outcome.value() == TransactionOutcome::committed));
        co_await tasks.join();
    };
    tests::run(context, body);
}

BOOST_AUTO_TEST_SUITE_END()
