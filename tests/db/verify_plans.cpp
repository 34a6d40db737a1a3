// Does a check read every row a few times at most, also of a ledger that is younger than what the
// planner knows?
#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/db/postgres_fixture.hpp"
#include "tests/db/statistics.hpp"

using namespace penstock;
using namespace penstock::domain;
using tests::Books;
using tests::found;
using tests::LivingWriter;
using tests::soon;
using tests::with_store;

namespace {

constexpr int accounts = 200;
constexpr int purchases = 20'000;

Books books_of(std::string name) {
    Books books(std::move(name));
    for (int i = 0; i < accounts; ++i) books.open("account " + std::to_string(i));
    return books;
}

/// Purchases that no transfer has paid: what a check says of them is not asked here.
void load(tests::Operator& sql, Books const& books, int count) {
    auto const ledger = '\'' + books.ledger.id.to_string() + '\'';
    sql("INSERT INTO purchases (id, ledger_id, buyer, author, price, author_amount,"
        " platform_amount, royalty_percent) SELECT gen_random_uuid(), " +
        ledger + ", a.ids[1 + i % " + std::to_string(accounts) +
        "], a.ids[1], 1, 0, 1, 70 FROM generate_series(1, " + std::to_string(count) +
        ") i, (SELECT array_agg(id) AS ids FROM accounts WHERE ledger_id = " + ledger + ") a");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(verify_plans)

BOOST_AUTO_TEST_CASE(a_check_reads_each_row_a_few_times_also_of_a_ledger_without_statistics) {
    tests::MigratedDatabase fresh;
    tests::keep_autovacuum_away(fresh);
    auto sql = fresh.connect();
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        auto old = books_of("old");
        co_await found(one, old);
        load(sql, old, accounts);
        sql("ANALYZE");
        auto young = books_of("young");
        co_await found(one, young);
        load(sql, young, purchases);
        sql("SELECT pg_stat_force_next_flush()");
        sql("SELECT pg_stat_reset()");
        auto const checks = co_await store.verify(young.ledger.id, soon());
        BOOST_REQUIRE_MESSAGE(checks.has_value(), checks.error().message());
        BOOST_TEST(checks->size() > 5u);
    };
    with_store(fresh.store_options(), body);
    // Who leaves has told what was read.
    sql.await(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend'",
        "1");
    auto const read = sql(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'accounts'");
    BOOST_TEST(std::stoi(read) < 100 * accounts);
}

BOOST_AUTO_TEST_SUITE_END()
