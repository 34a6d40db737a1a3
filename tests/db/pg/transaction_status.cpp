#include "db/pg/transaction_status.hpp"

#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <memory>

#include "db/sql.hpp"
#include "tests/db/pg/with_session.hpp"

using namespace penstock;
using namespace penstock::db::pg;
using tests::soon;

namespace {

tests::Database& database() {
    static tests::Database instance;
    return instance;
}

Result<TransactionOutcome> ask(TransactionId id, SteadyTime deadline,
                               ConnectionOptions options = database().options()) {
    Result<TransactionOutcome> outcome = db::Errc::commit_unknown;
    auto body = [&]() -> asio::awaitable<void> {
        outcome = co_await ask_outcome(options, id, deadline);
    };
    tests::run(body);
    return outcome;
}

/// Of the transaction that is open there.
TransactionId id_of(tests::Operator& sql) {
    auto const ask_for = [&](std::string const& column) {
        return sql("SELECT " + column + " FROM (" + std::string(db::sql::current_transaction.text) +
                   "\n) batch (number, waited, memory_since)");
    };
    TransactionId id;
    id.number = std::stoull(ask_for("number"));
    id.memory_since = std::stoll(ask_for("memory_since"));
    return id;
}

/// A server that forgot a transaction when it crashed, and has given its number to another one,
/// which is still open.
struct Forgetful {
    Forgetful() {
        // A number that has reached the log is not given again: until it is, once more.
        for (int i = 0; i < 10 && !again; ++i) {
            forgotten = forget_one();
            auto next = std::make_unique<tests::Operator>(cluster.url());
            while (!again) {
                (*next)("BEGIN");
                auto const number = id_of(*next).number;
                if (number > forgotten.number) break;
                if (number == forgotten.number) again = std::move(next);
                if (!again) (*next)("ROLLBACK");
            }
        }
        BOOST_REQUIRE_MESSAGE(again, "no number came again");
    }

    TransactionId forget_one() {
        tests::Operator sql(cluster.url());
        sql("BEGIN");
        auto const id = id_of(sql);
        cluster.stop_immediately();
        cluster.start();
        return id;
    }
    Result<TransactionOutcome> ask() const {
        return ::ask(forgotten, soon(), ConnectionOptions(Address::parse(cluster.url()).value()));
    }

    tests::Cluster cluster{"-c wal_writer_delay=10s"};
    TransactionId forgotten;
    std::unique_ptr<tests::Operator> again;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(pg_transaction_status)

BOOST_AUTO_TEST_CASE(a_committed_transaction_is_committed) {
    auto sql = database().connect();
    sql("BEGIN");
    auto const id = id_of(sql);
    sql("COMMIT");
    BOOST_TEST((ask(id, soon()).value() == TransactionOutcome::committed));
}

BOOST_AUTO_TEST_CASE(a_rolled_back_transaction_is_aborted) {
    auto sql = database().connect();
    sql("BEGIN");
    auto const id = id_of(sql);
    sql("ROLLBACK");
    BOOST_TEST((ask(id, soon()).value() == TransactionOutcome::aborted));
}

BOOST_AUTO_TEST_CASE(a_transaction_in_progress_is_asked_again_until_it_has_ended) {
    auto sql = database().connect();
    sql("BEGIN");
    auto const id = id_of(sql);
    // Longer and longer, until a busy machine has answered once in that time.
    auto still = ask(id, steady_now() + milliseconds{100});
    for (milliseconds patience{200}; !still && patience < milliseconds{20'000}; patience *= 2)
        still = ask(id, steady_now() + patience);
    BOOST_TEST((still.value() == TransactionOutcome::in_progress));
    asio::io_context context{1};
    reactor::TaskGroup tasks(context.get_executor());
    auto commit_later = [&]() -> asio::awaitable<void> {
        co_await reactor::sleep_until(steady_now() + milliseconds{50});
        sql("COMMIT");
    };
    auto body = [&]() -> asio::awaitable<void> {
        tasks.spawn(commit_later());
        auto const outcome = co_await ask_outcome(database().options(), id, soon());
        BOOST_TEST((outcome.value() == TransactionOutcome::committed));
        co_await tasks.join();
    };
    tests::run(context, body);
}

BOOST_AUTO_TEST_CASE(a_transaction_that_the_server_has_not_reached_is_aborted) {
    auto sql = database().connect();
    auto id = id_of(sql);
    id.number += 1'000'000;
    auto const outcome = ask(id, soon());
    BOOST_TEST((outcome.value() == TransactionOutcome::aborted));
}

BOOST_AUTO_TEST_CASE(without_a_server_the_outcome_stays_unknown) {
    auto const address = Address::parse("postgresql://postgres@127.0.0.1:1/x").value();
    auto body = [&]() -> asio::awaitable<void> {
        auto const started = steady_now();
        auto const deadline = started + milliseconds{100};
        TransactionId const any;
        auto const outcome = co_await ask_outcome(ConnectionOptions(address), any, deadline);
        BOOST_TEST((outcome.error() == db::Errc::commit_unknown));
        BOOST_TEST((steady_now() - started < milliseconds{10'000}));
    };
    tests::run(body);
}

BOOST_AUTO_TEST_CASE(a_server_that_comes_back_is_asked_then_and_vouches_for_the_number_only) {
    tests::Cluster cluster;
    TransactionId id;
    {
        tests::Operator sql(cluster.url());
        sql("BEGIN");
        sql("CREATE TABLE durable (id int)");  // a transaction that wrote nothing is not flushed
        id = id_of(sql);
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
        auto const outcome = co_await ask_outcome(options, id, soon());
        BOOST_TEST((outcome.value() == TransactionOutcome::number_committed));
        co_await tasks.join();
    };
    tests::run(context, body);
}

BOOST_AUTO_TEST_CASE(whoever_has_the_number_after_a_crash_does_not_speak_for_who_had_it_before) {
    Forgetful server;
    // In progress is the other one: the first one is gone.
    BOOST_TEST((server.ask().value() == TransactionOutcome::aborted));
    (*server.again)("CREATE TABLE other (id int)");
    (*server.again)("COMMIT");
    BOOST_TEST((server.ask().value() == TransactionOutcome::number_committed));
}

BOOST_AUTO_TEST_CASE(a_number_that_was_given_again_and_rolled_back_is_aborted) {
    Forgetful server;
    (*server.again)("ROLLBACK");
    BOOST_TEST((server.ask().value() == TransactionOutcome::aborted));
}

BOOST_AUTO_TEST_CASE(a_crash_that_the_server_survives_is_another_memory_too) {
    tests::Cluster cluster;
    auto sql = std::make_unique<tests::Operator>(cluster.url());
    (*sql)("BEGIN");
    (*sql)("CREATE TABLE durable (id int)");
    auto const id = id_of(*sql);
    (*sql)("COMMIT");
    auto const victim =
        (*sql)("SELECT pid FROM pg_stat_activity WHERE backend_type = 'background writer'");
    BOOST_TEST_REQUIRE(::kill(std::stoi(victim), SIGKILL) == 0);
    ConnectionOptions const options(Address::parse(cluster.url()).value());
    // Until it has noticed, it is as it was.
    auto outcome = ask(id, soon(), options);
    for (int i = 0; i < 1000 && outcome.value() == TransactionOutcome::committed; ++i)
        outcome = ask(id, soon(), options);
    BOOST_TEST((outcome.value() == TransactionOutcome::number_committed));
}

BOOST_AUTO_TEST_SUITE_END()
