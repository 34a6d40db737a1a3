// Do both queues of jobs keep the rules, and does the one in PostgreSQL what only it can?
#include "db/job_queue.hpp"

#include <boost/test/unit_test.hpp>

#include "db/memory_store.hpp"
#include "db/pg/listener.hpp"
#include "tests/db/job_rules.hpp"
#include "tests/db/postgres_fixture.hpp"
#include "tests/db/statistics.hpp"
#include "tests/support/jobs.hpp"

using namespace penstock;
using namespace penstock::domain;
using tests::JobSource;
using tests::LivingWriter;
using tests::queued_job;
using tests::soon;
using tests::with_store;

namespace {

constexpr Instant start{1'700'000'000'000};

template <class T>
T value_of(Result<T> result) {
    BOOST_REQUIRE_MESSAGE(result.has_value(), result.error().message());
    return std::move(*result);
}

db::ClaimOrder order(std::string kind, std::size_t limit) {
    db::ClaimOrder order;
    order.kinds = {std::move(kind)};
    order.lease = tests::new_lease();
    order.now = start;
    order.lease_until = {start.ms + 30'000};
    order.limit = limit;
    return order;
}

/// Counts what a listener heard; the test waits for it.
struct Heard {
    int times = 0;
    asio::awaitable<void> at_least(int wanted) {
        auto enough = [this, wanted] { return times >= wanted; };
        co_await tests::eventually(enough);
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(job_queue)

BOOST_AUTO_TEST_CASE(the_one_in_memory_keeps_every_rule) {
    db::MemoryStore store;
    for (auto const& rule : tests::job_rules()) {
        BOOST_TEST_CONTEXT(rule.name) {
            auto body = [&]() -> asio::awaitable<void> { co_await rule.check(store); };
            tests::run(body);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_one_in_postgresql_keeps_every_rule) {
    tests::MigratedDatabase database;
    for (auto const& rule : tests::job_rules()) {
        BOOST_TEST_CONTEXT(rule.name) {
            auto body = [&](db::Store& store, LivingWriter&,
                            LivingWriter&) -> asio::awaitable<void> { co_await rule.check(store); };
            with_store(database.store_options(), body);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_job_that_a_command_holds_is_skipped_by_claims_and_purges) {
    tests::MigratedDatabase database;
    auto body = [&](db::Store& store, LivingWriter& writer,
                    LivingWriter&) -> asio::awaitable<void> {
        JobSource source(co_await asio::this_coro::executor, store);
        auto const kind = tests::unique_kind();
        auto const held = queued_job(kind, start);
        auto const free = queued_job(kind, start);
        co_await source.add(held);
        co_await source.add(free);
        KeySet keys;
        keys.jobs.insert(held.id);
        auto const loaded = value_of(co_await writer->load(keys, soon()));
        BOOST_TEST((loaded.jobs == std::vector{held}));
        auto wanted = order(kind, 10);
        auto const claimed = value_of(co_await store.jobs().claim(wanted, soon()));
        BOOST_TEST_REQUIRE(claimed.jobs.size() == 1u);
        BOOST_TEST((claimed.jobs[0].id == free.id));
        co_await writer->abandon();
        co_await source.finish();
    };
    with_store(database.store_options(), body);
}

BOOST_AUTO_TEST_CASE(a_listener_that_lost_its_connection_listens_again_and_says_so) {
    tests::MigratedDatabase database;
    auto sql = database.connect();
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        Heard heard;
        reactor::TaskGroup listening(co_await asio::this_coro::executor);
        auto wake = [&heard] { ++heard.times; };
        listening.spawn(store.jobs().listen(wake));
        co_await heard.at_least(1);
        sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE '%-listen' AND datname = current_database()");
        co_await heard.at_least(2);
        sql("SELECT pg_notify('penstock_jobs', '')");
        co_await heard.at_least(3);
        listening.cancel();
        bool const ended = co_await listening.join(soon());
        BOOST_TEST(ended);
    };
    with_store(database.store_options(), body);
}

// A queue whose table was empty when its plans were made, with a long past and a long backlog.
BOOST_AUTO_TEST_CASE(claims_and_lists_read_no_more_than_their_own_rows) {
    tests::MigratedDatabase database;
    tests::keep_autovacuum_away(database);
    constexpr int past = 20'000, waiting = 3'000;
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        JobSource source(co_await asio::this_coro::executor, store);
        auto const kind = tests::unique_kind();
        LedgerId const ledger{make_uuid7(start, 0, 1)};
        auto use_everything = [&]() -> asio::awaitable<void> {
            auto wanted = order(kind, 5);
            value_of(co_await store.jobs().claim(wanted, soon()));
            db::JobPage page;
            page.limit = 5;
            value_of(co_await store.jobs().list(page, soon()));
            page.status = JobStatus::failed;
            value_of(co_await store.jobs().list(page, soon()));
            page.status.reset();
            page.ledger = ledger;
            page.kind = kind;
            value_of(co_await store.jobs().list(page, soon()));
            Instant const before{1};
            value_of(co_await store.jobs().purge(JobStatus::completed, before, 5, soon()));
        };
        co_await use_everything();
        std::vector<Job> jobs;
        for (int i = 0; i < past; ++i) jobs.push_back(queued_job("past", start));
        co_await source.add(std::move(jobs));
        auto sql = database.connect();
        sql("UPDATE jobs SET status = 2, finished_at = due_at");
        sql("VACUUM jobs");
        jobs.clear();
        for (int i = 0; i < waiting; ++i) jobs.push_back(queued_job(kind, start));
        co_await source.add(std::move(jobs));
        for (int i = 0; i < 10; ++i) co_await use_everything();
        co_await source.finish();
    };
    with_store(database.store_options(), body);
    auto sql = database.connect();
    sql.await("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()", "1");
    // The test's own UPDATE reads the past, once.
    BOOST_TEST(sql("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'jobs'") ==
               std::to_string(past));
    BOOST_TEST(sql("SELECT string_agg(indexrelname || ' ' || idx_tup_read, ', ')"
                   " FROM pg_stat_user_indexes WHERE relname = 'jobs'"
                   " AND idx_tup_read > 1500") == "");
}

BOOST_AUTO_TEST_SUITE_END()
