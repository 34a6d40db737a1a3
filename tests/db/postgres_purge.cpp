// Does the purge keep out of everybody's way, and its reads to its own rows?
#include "db/postgres_purge.hpp"

#include <boost/test/unit_test.hpp>

#include "db/sql.hpp"
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

/// Everything that these tests write is from Books::now or somewhat before.
Instant const answers_free{Books::now.ms + 1};
Instant const ledgers_free{Books::now.ms + milliseconds(db::purge_slack).count() + 1};

/// Whoever waits for a lock fails.
db::PostgresOptions impatient(tests::MigratedDatabase const& database) {
    auto options = database.store_options();
    options.connection.lock_timeout = milliseconds{50};
    return options;
}

asio::awaitable<std::size_t> purge(db::Store& store, Instant before, std::size_t limit) {
    auto const removed = co_await store.purge(before, limit, soon());
    BOOST_REQUIRE_MESSAGE(removed.has_value(), removed.error().message());
    co_return *removed;
}

asio::awaitable<std::size_t> purge_all(db::Store& store, Instant before, std::size_t limit) {
    std::size_t all = 0;
    for (;;) {
        auto const removed = co_await purge(store, before, limit);
        if (removed == 0) co_return all;
        all += removed;
    }
}

asio::awaitable<std::vector<Answer>> answer_often(LivingWriter& writer, std::size_t count) {
    Changes changes;
    for (std::size_t i = 0; i < count; ++i) {
        Answer answer;
        answer.key_use = tests::some_key();
        answer.status = 201;
        // Four in a millisecond.
        answer.created_at = Instant{Books::now.ms - static_cast<std::int64_t>(i / 4)};
        changes.answers.push_back(answer);
    }
    auto answers = changes.answers;
    co_await tests::write(writer, KeySet(), std::move(changes));
    co_return answers;
}

/// `count` deposits on account a.
asio::awaitable<void> deposit_often(LivingWriter& writer, Books& books, std::size_t count) {
    Changes changes;
    for (std::size_t i = 0; i < count; ++i)
        changes.transfers.push_back(books.book("@world", "a", 1, TransferKind::deposit));
    changes.totals.push_back(books.total(changes.transfers, TransferKind::deposit));
    changes.changed_accounts = books.all_accounts();
    co_await tests::write(writer, books.keys(), std::move(changes));
}

/// A ledger with two accounts, `count` transfers and a total, marked as deleted. The store does
/// not ask what the rules would say to that.
asio::awaitable<void> found_and_delete(LivingWriter& writer, std::string name, std::size_t count) {
    Books books(std::move(name));
    books.open("a");
    co_await found(writer, books);
    co_await deposit_often(writer, books, count);
    Changes deleting;
    deleting.deleted_ledgers.emplace_back(books.ledger.id, Books::now);
    co_await tests::write(writer, KeySet(), std::move(deleting));
}

constexpr std::size_t rows_beside_transfers = 3;  // two accounts, and the ledger with its total

std::string quoted(std::string const& text) { return '\'' + text + '\''; }

/// Runs a statement of the program by another session.
std::string execute(tests::Operator& sql, db::Statement const& statement,
                    std::string const& arguments) {
    auto const name = std::string(statement.name);
    sql("PREPARE " + name + " AS " + std::string(statement.text));
    return sql("EXECUTE " + name + '(' + arguments + ')');
}

/// As many rows as `n` says in each table whose rows hang on a ledger's accounts, but transfers.
void hang_on(tests::Operator& sql, std::string const& ledger, std::string const& n) {
    auto const fill = [&](std::string const& table, std::string const& values) {
        sql("INSERT INTO " + table + " SELECT " + values + " FROM generate_series(1, " + n + ") g");
    };
    auto const id = std::string("gen_random_uuid()"), scope = quoted(ledger) + "::uuid";
    fill(
        "purchases (ledger_id, id, buyer, author, price, author_amount, platform_amount,"
        " royalty_percent)",
        scope + ", " + id + ", " + id + ", " + id + ", 1, 1, 0, 70");
    fill("holds (ledger_id, id, from_account, to_account, amount, status)",
         scope + ", " + id + ", " + id + ", " + id + ", 1, g % 4");
    fill(
        "streams (ledger_id, id, sender, recipient, total, duration_s, released, refunded,"
        " updated_at, status)",
        scope + ", " + id + ", " + id + ", " + id + ", 1, 1, 0, 0, '2020-1-1', 0");
    fill("events (scope_id, id, organization_id, type, subject)",
         scope + ", " + id + ", " + id + ", g % 5, " + id);
    fill("credit_operations (ledger_id, id, kind, reference, minted, drain)",
         scope + ", " + id + ", 0, g, true, 0");
    auto const parts = std::string("SELECT id, id, 1, 0") + " FROM credit_operations";
    sql("INSERT INTO credit_entries (operation_id, account_id, amount, index) " + parts);
    sql("INSERT INTO credit_lots (operation_id, account_id, amount, index, amount_remaining, "
        "is_open)"
        " SELECT id, id, 1, 0, 0, false FROM credit_operations");
}

constexpr char const* hanging_tables[] = {
    "purchases",         "holds",          "streams",    "events",
    "credit_operations", "credit_entries", "credit_lots"};

}  // namespace

BOOST_AUTO_TEST_SUITE(postgres_purge)

BOOST_AUTO_TEST_CASE(what_somebody_holds_is_left_for_another_time) {
    tests::MigratedDatabase database;
    auto holder = database.connect();
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        auto const answers = co_await answer_often(one, 3);
        co_await found_and_delete(one, "held", 2);
        holder("BEGIN");
        holder("SELECT 1 FROM answers WHERE idempotency_key = " +
               quoted(answers[1].key_use.key.to_string()) + " FOR UPDATE");
        holder("SELECT 1 FROM ledgers WHERE name = 'held' FOR UPDATE");
        auto removed = co_await purge_all(store, ledgers_free, 10);
        BOOST_TEST(removed == 2u);
        holder("ROLLBACK");
        removed = co_await purge_all(store, ledgers_free, 10);
        BOOST_TEST(removed == 1u + 2 + rows_beside_transfers);
    };
    with_store(impatient(database), body);
}

BOOST_AUTO_TEST_CASE(a_transfer_that_somebody_holds_keeps_its_ledger_until_it_is_free) {
    tests::MigratedDatabase database;
    auto holder = database.connect();
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        co_await found_and_delete(one, "held", 5);
        holder("BEGIN");
        holder(
            "SELECT 1 FROM transfers WHERE id = (SELECT id FROM transfers ORDER BY id OFFSET 2 "
            "LIMIT "
            "1)"
            " FOR UPDATE");
        auto removed = co_await purge_all(store, ledgers_free, 2);
        BOOST_TEST(removed == 4u);
        BOOST_TEST(holder("SELECT count(*) FROM accounts") == "2");
        holder("ROLLBACK");
        removed = co_await purge_all(store, ledgers_free, 2);
        BOOST_TEST(removed == 1u + rows_beside_transfers);
    };
    with_store(impatient(database), body);
}

BOOST_AUTO_TEST_CASE(writers_do_not_wait_for_a_purge_that_is_under_way) {
    tests::MigratedDatabase database;
    auto purging = database.connect();
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("alive");
        books.open("a");
        co_await found(one, books);
        co_await answer_often(one, 5);
        co_await found_and_delete(one, "dead", 5);
        purging("BEGIN");
        auto const then = quoted("2100-01-01");
        execute(purging, db::sql::purge_answers, then + ", 3, '-infinity'");
        auto const dead = execute(purging, db::sql::lock_purged_ledger, then);
        auto const place = quoted(dead) + ", -1, " + quoted(Uuid().to_string());
        auto const page = execute(purging, db::sql::purge_transfers, place + ", 3");
        BOOST_TEST(page == "3");

        // A batch with accounts, transfers, totals and an answer; and another server's purge.
        co_await deposit_often(one, books, 10);
        co_await answer_often(one, 1);
        auto const removed = co_await purge_all(store, ledgers_free, 10);
        BOOST_TEST(removed == 3u);
        purging("COMMIT");
        auto const rest = co_await purge_all(store, ledgers_free, 10);
        BOOST_TEST(rest == 2u + rows_beside_transfers);
    };
    with_store(impatient(database), body);
}

BOOST_AUTO_TEST_CASE(several_servers_share_the_work) {
    tests::MigratedDatabase database;
    constexpr std::size_t ledgers = 4, transfers = 300, answers = 200;
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        co_await answer_often(one, answers);
        for (std::size_t i = 0; i < ledgers; ++i)
            co_await found_and_delete(one, "dead " + std::to_string(i), transfers);
        auto const executor = co_await asio::this_coro::executor;
        db::PostgresStore other(executor, impatient(database));
        std::size_t all = 0;
        auto work = [&](db::Store& server) -> asio::awaitable<void> {
            auto const removed = co_await purge_all(server, ledgers_free, 50);
            all += removed;
        };
        reactor::TaskGroup servers(executor);
        servers.spawn(work(store));
        servers.spawn(work(other));
        co_await servers.join();
        // One may have ended while the other held the last ledger.
        BOOST_TEST(all == answers + ledgers * (transfers + rows_beside_transfers));
    };
    with_store(impatient(database), body);
    auto sql = database.connect();
    for (auto const* table : {"answers", "transfers", "accounts", "ledger_totals", "ledgers"})
        BOOST_TEST(sql("SELECT count(*) FROM " + std::string(table)) == "0", table);
}

BOOST_AUTO_TEST_CASE(a_purge_reads_its_own_rows_only_and_each_of_them_once) {
    tests::MigratedDatabase database;
    constexpr std::size_t dead = 4000, alive = 8000, pages = 20;
    auto load = [&](db::Store&, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("alive");
        books.open("a");
        co_await found(one, books);
        co_await deposit_often(one, books, alive);
        co_await found_and_delete(one, "dead", dead);
        co_await answer_often(one, dead);
    };
    auto sql = database.connect();
    tests::keep_autovacuum_away(database);
    with_store(database.store_options(), load);
    auto const sessions =
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend'";
    sql.await(sessions, "1");
    // Younger than every purge.
    sql("INSERT INTO answers SELECT gen_random_uuid(), '', NULL, 201, '', '', '{}', '{}', "
        "'2100-1-1'"
        " FROM generate_series(1, 4000)");
    sql("SELECT pg_stat_reset()");
    // While anybody's transaction is open, in whatever database, nobody may pass over the entries
    // of what died since: a page must not begin among them.
    tests::Operator elsewhere(tests::Database::server_url());
    elsewhere("BEGIN");
    elsewhere("SELECT pg_current_xact_id()");
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        auto const removed = co_await purge_all(store, ledgers_free, dead / pages);
        BOOST_TEST(removed == 2 * dead + rows_beside_transfers);
    };
    with_store(database.store_options(), body);
    sql.await(sessions, "1");
    BOOST_TEST(sql("SELECT string_agg(relname || ' ' || seq_scan, ', ') FROM pg_stat_user_tables"
                   " WHERE relname IN ('transfers', 'accounts', 'answers', 'ledgers',"
                   " 'ledger_totals') AND seq_tup_read > 0") == "");
    // Found, removed, and passed once more by whoever looks for what is left.
    for (auto const* index : {"transfers_pkey", "answers_pkey", "answers_by_age"}) {
        auto const read =
            sql("SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = '" +
                std::string(index) + "'");
        BOOST_TEST(std::stoul(read) <= 4 * dead, index << " " << read);
    }
}

BOOST_AUTO_TEST_CASE(what_hangs_on_accounts_is_read_once_as_well_and_all_of_it_goes) {
    tests::MigratedDatabase database;
    constexpr std::size_t dead = 2000, pages = 20;
    auto load = [&](db::Store&, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        co_await found_and_delete(one, "dead", 1);
    };
    auto sql = database.connect();
    tests::keep_autovacuum_away(database);
    with_store(database.store_options(), load);
    hang_on(sql, sql("SELECT id FROM ledgers WHERE name = 'dead'"), std::to_string(dead));
    sql("SELECT pg_stat_reset()");
    tests::Operator elsewhere(tests::Database::server_url());
    elsewhere("BEGIN");
    elsewhere("SELECT pg_current_xact_id()");
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        auto const removed = co_await purge_all(store, ledgers_free, dead / pages);
        BOOST_TEST(removed == 1u + 5 * dead + rows_beside_transfers);
    };
    with_store(database.store_options(), body);
    sql.await(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend'",
        "1");
    for (auto const* table : hanging_tables)
        BOOST_TEST(sql(std::string("SELECT count(*) FROM ") + table) == "0", table);
    for (auto const* index :
         {"purchases_pkey", "holds_by_status", "holds_pkey", "streams_pkey", "events_pkey",
          "credit_operations_pkey", "credit_entries_pkey", "credit_lots_pkey"}) {
        auto const read =
            sql("SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = '" +
                std::string(index) + "'");
        BOOST_TEST(std::stoul(read) <= 4 * dead, index << " " << read);
    }
}

BOOST_AUTO_TEST_CASE(whatever_somebody_holds_keeps_its_ledger_until_it_is_free) {
    for (std::string const table : {"purchases", "holds", "streams", "credit_operations"}) {
        tests::MigratedDatabase database;
        auto holder = database.connect();
        auto body = [&](db::Store& store, LivingWriter& one,
                        LivingWriter&) -> asio::awaitable<void> {
            co_await found_and_delete(one, "held", 1);
            hang_on(holder, holder("SELECT id FROM ledgers WHERE name = 'held'"), "3");
            holder("BEGIN");
            holder("SELECT 1 FROM " + table + " WHERE id = (SELECT id FROM " + table +
                   " LIMIT 1) FOR UPDATE");
            auto removed = co_await purge_all(store, ledgers_free, 2);
            BOOST_TEST(removed == 1u + 5 * 3 - 1);
            BOOST_TEST(holder("SELECT count(*) FROM accounts") == "2");
            holder("ROLLBACK");
            removed = co_await purge_all(store, ledgers_free, 2);
            BOOST_TEST(removed == 1u + rows_beside_transfers);
            BOOST_TEST(holder("SELECT count(*) FROM " + table) == "0");
        };
        BOOST_TEST_CONTEXT(table) { with_store(impatient(database), body); }
    }
}

BOOST_AUTO_TEST_CASE(a_purge_without_a_server_says_unavailable) {
    auto const nowhere = std::string("postgresql://postgres@/x?host=/nonexistent");
    db::PostgresOptions options(db::pg::Address::parse(nowhere).value());
    int failures = 0;
    options.on_failure = [&](auto const&) { ++failures; };
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        auto const removed = co_await store.purge(answers_free, 1, soon());
        BOOST_TEST(removed.has_error());
        BOOST_TEST(failures == 1);
    };
    with_store(options, body);
}

BOOST_AUTO_TEST_SUITE_END()
