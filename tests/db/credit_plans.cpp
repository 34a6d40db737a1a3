// Does what an address has now cost the same, however much it has had, by plans that were made
// while the tables were empty?
#include <boost/test/unit_test.hpp>
#include <string>

#include "db/credit_store.hpp"
#include "tests/db/credit_rules.hpp"
#include "tests/db/driver.hpp"
#include "tests/db/postgres_fixture.hpp"
#include "tests/db/statistics.hpp"
#include "tests/domain/scene.hpp"

using namespace penstock;
using namespace penstock::domain;
using tests::Driver;
using tests::LivingWriter;
using tests::soon;

namespace {

constexpr int past_lots = 100'000;
constexpr int users = 30'000;
constexpr int rounds = 20;
constexpr std::size_t limit = 5;
constexpr Instant start{1'700'000'000'000};
// Later than all that there is of the past.
char const* const wide_id = "018bcfff-ffff-7000-8000-000000000000";

template <class T>
T value_of(Result<T> result) {
    BOOST_REQUIRE_MESSAGE(result.has_value(), result.error().message());
    return std::move(*result);
}

std::string quoted(std::string const& text) { return '\'' + text + '\''; }

/// What has been granted and spent long ago: an operation, an entry and a lot each.
void load_past(tests::Operator& sql, LedgerId ledger) {
    auto const id = "(lpad(to_hex(" + std::to_string(start.ms) +
                    " + i), 12, '0') || '70008000000000000000')::uuid";
    auto const series = " FROM generate_series(1, " + std::to_string(past_lots) + ") i";
    auto const ann = "(SELECT id FROM accounts WHERE address = 'ann' AND ledger_id = " +
                     quoted(ledger.to_string()) + ")";
    sql("INSERT INTO credit_operations (ledger_id, id, kind, reference, minted, drain) SELECT " +
        quoted(ledger.to_string()) + ", " + id + ", 1, 'past ' || i, false, 0" + series);
    sql("INSERT INTO credit_entries (operation_id, account_id, amount, index) SELECT " + id + ", " +
        ann + ", 1, 0" + series);
    sql("INSERT INTO credit_lots (operation_id, account_id, amount, amount_remaining, index,"
        " is_open) SELECT " +
        id + ", " + ann + ", 1, 0, 0, false" + series);
}

Command grant_to_ann(LedgerId ledger, std::string reference) {
    CreditDraft draft;
    draft.address = "ann";
    draft.amount = 7;
    return GrantCredits{ledger, std::move(reference), {draft}};
}

/// Every statement that asks what an address has, or for a page of what it had.
asio::awaitable<std::size_t> read_all(db::Store& store, LivingWriter& writer, LedgerId ledger,
                                      OrganizationId organization, std::optional<int> depth) {
    auto& credits = store.credits();
    Instant const now{start.ms + 3'600'000};
    AccountName const ann{ledger, "ann"};
    std::size_t rows = value_of(co_await credits.list_valid_lots(ann, now, soon())).lots.size();
    db::CreditBalancePage balances;
    balances.at = now;
    balances.min_balance = 1;
    balances.limit = limit;
    rows += value_of(co_await credits.list_balances(ledger, balances, soon())).items.size();
    auto const many = value_of(co_await credits.count_balances(ledger, now, 1, soon()));
    rows += static_cast<std::size_t>(many);
    rows += value_of(co_await credits.list_due_lots(now, limit, soon())).size();
    KeySet keys;
    keys.accounts.insert(ann);
    keys.lots_of.insert(ann);
    auto const loaded = value_of(co_await writer->load(keys, soon()));
    co_await writer->abandon();
    rows += loaded.lots.size();
    db::CreditHistoryPage page;
    page.limit = limit;
    if (depth) page.before = LotPlace{{first_uuid7(Instant{start.ms + *depth})}, 0};
    rows += value_of(co_await credits.list_history(ledger, page, soon())).items.size();
    page.kind = CreditKind::expense;
    rows += value_of(co_await credits.list_history(ledger, page, soon())).items.size();
    page.kind.reset();
    page.address = "ann";
    rows += value_of(co_await credits.list_history(ledger, page, soon())).items.size();
    db::ActivityPage feed;
    feed.limit = limit;
    feed.ledger = ledger;
    feed.type = db::activity_of(CreditKind::grant);
    if (depth) feed.before = EventId{first_uuid7(Instant{start.ms + *depth})};
    rows += value_of(co_await store.list_activity(organization, feed, soon())).size();
    feed.account = "ann";
    rows += value_of(co_await store.list_activity(organization, feed, soon())).size();
    feed.type = db::activity_of(CreditKind::transfer);
    feed.account.reset();
    rows += value_of(co_await store.list_activity(organization, feed, soon())).size();
    co_return rows;
}

/// So many users in one operation, "wide": each has 10 booked, of which one is left.
void load_users(tests::Operator& sql, LedgerId ledger) {
    auto const of = quoted(ledger.to_string());
    auto const series = " FROM generate_series(0, " + std::to_string(users - 1) + ") i";
    auto const user = "('u' || lpad(i::text, 6, '0'))";
    auto const id = "md5(" + of + " || i)::uuid";
    auto const wide = quoted(wide_id) + "::uuid";
    auto const when = "to_timestamp(" + std::to_string(start.ms / 1000) + ")";
    sql("INSERT INTO accounts (id, ledger_id, address, overdraft_limit, balance, held, fraction,"
        " version, metadata, created_at, updated_at) SELECT " +
        id + ", " + of + ", " + user + ", 0, 10, 0, 0, 1, '{}', " + when + ", " + when + series);
    sql("INSERT INTO credit_operations (ledger_id, id, kind, reference, minted, drain) VALUES (" +
        of + ", " + wide + ", 1, 'wide', false, 0)");
    sql("INSERT INTO credit_entries (operation_id, account_id, amount, index) SELECT " + wide +
        ", " + id + ", 10, i" + series);
    sql("INSERT INTO credit_lots (operation_id, account_id, amount, amount_remaining, index,"
        " is_open) SELECT " +
        wide + ", " + id + ", 10, 1, i, true" + series);
}

/// Where each of the lists goes on.
struct Places {
    std::optional<LotPlace> history = {};
    std::optional<std::string> balances = {};
};

/// Lists that show nothing of what they look at, and one row among thousands.
asio::awaitable<void> read_in_vain(db::Store& store, LedgerId ledger, Places& places, bool filled) {
    auto& credits = store.credits();
    db::CreditHistoryPage spent;
    spent.address = "ann";
    spent.kind = CreditKind::expense;
    spent.before = places.history;
    auto const history = value_of(co_await credits.list_history(ledger, spent, soon()));
    BOOST_TEST(history.items.empty());
    BOOST_TEST(history.scanned_to.has_value() == filled);
    places.history = history.scanned_to;
    db::CreditBalancePage rich;
    rich.at = Instant{start.ms + 3'600'000};
    rich.min_balance = 2;
    rich.after = places.balances.value_or("b");
    auto const balances = value_of(co_await credits.list_balances(ledger, rich, soon()));
    BOOST_TEST(balances.items.empty());
    BOOST_TEST(balances.scanned_to.has_value() == filled);
    places.balances = balances.scanned_to;
    db::CreditHistoryPage one;
    one.reference = "wide";
    one.address = "u012345";
    auto const found = value_of(co_await credits.list_history(ledger, one, soon()));
    BOOST_TEST(found.items.size() == (filled ? 1u : 0u));
    one.address.reset();
    one.kind = CreditKind::transfer;
    auto const nothing = value_of(co_await credits.list_history(ledger, one, soon()));
    BOOST_TEST(nothing.items.empty());
}

/// Everything that a test of statistics has done is in them.
void await_statistics(tests::Operator& sql) {
    sql.await(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend'",
        "1");
}

/// What was read more than it may.
std::string too_much(tests::Operator& sql, std::string const& what, int most) {
    return sql("SELECT string_agg(name || ' ' || blocks, ', ') FROM (" + what +
               ") s WHERE blocks > " + std::to_string(most));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(credit_plans)

BOOST_AUTO_TEST_CASE(a_balance_costs_the_same_after_a_hundred_thousand_lots) {
    tests::MigratedDatabase fresh;
    tests::keep_autovacuum_away(fresh);
    auto sql = fresh.connect();
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Driver driver(co_await asio::this_coro::executor, store);
        auto const ledger = (co_await tests::open_credits(driver)).id;
        // Prepared here, while there is nothing.
        auto const owner = driver.organization;
        auto const nothing = co_await read_all(store, one, ledger, owner, std::nullopt);
        BOOST_TEST(nothing == 0u);
        Command const first = grant_to_ann(ledger, "first");
        co_await driver.one(first);
        load_past(sql, ledger);
        driver.at = Instant{start.ms + 1'000'000};
        Command const second = grant_to_ann(ledger, "second");
        co_await driver.one(second);
        sql("SELECT pg_stat_force_next_flush()");
        sql("SELECT pg_stat_reset()");
        for (int round = 1; round <= rounds; ++round) {
            auto const depth = past_lots / (rounds + 1) * round;
            auto const rows = co_await read_all(store, one, ledger, owner, depth);
            // Two lots twice, one balance, counted, and four full pages.
            BOOST_TEST(rows == 2 * 2 + 1 + 1 + 4 * limit);
        }
        co_await driver.finish();
    };
    tests::with_store(fresh.store_options(), body);
    await_statistics(sql);
    BOOST_TEST(sql("SELECT string_agg(relname, ', ') FROM pg_stat_user_tables"
                   " WHERE relname LIKE 'credit_%' AND relname <> 'credit_ledgers'"
                   " AND seq_scan > 0") == "");
    auto const of_credits = " WHERE relname LIKE 'credit_%'";
    auto const of_lots = " WHERE relname = 'credit_lots'";
    std::string const index_blocks =
        "SELECT indexrelname AS name, idx_blks_hit + idx_blks_read AS blocks"
        " FROM pg_statio_user_indexes";
    std::string const table_blocks =
        "SELECT relname AS name, heap_blks_hit + heap_blks_read AS blocks"
        " FROM pg_statio_user_tables";
    // Four statements look for the lots of an address: a descent and its rows each.
    BOOST_TEST(too_much(sql, index_blocks + of_lots, rounds * 15) == "");
    BOOST_TEST(too_much(sql, table_blocks + of_lots, rounds * 10) == "");
    // A page of history joins each of its rows to its operation.
    BOOST_TEST(too_much(sql, index_blocks + of_credits, rounds * 120) == "");
    BOOST_TEST(too_much(sql, table_blocks + of_credits, rounds * 60) == "");
    auto const smallest =
        sql("SELECT min(pg_relation_size(indexrelid) / 8192) FROM pg_stat_user_indexes" +
            std::string(of_credits) +
            " AND indexrelname IN ('credit_lots_pkey', 'credit_entries_by_account',"
            " 'credit_operations_by_kind')");
    BOOST_TEST(std::stoi(smallest) > 300);
}

// A page may show nothing, but it looks at a thousand rows and no more.
BOOST_AUTO_TEST_CASE(what_a_page_passes_over_is_bounded) {
    constexpr int most = 1'000;
    tests::MigratedDatabase fresh;
    tests::keep_autovacuum_away(fresh);
    auto sql = fresh.connect();
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        Driver driver(co_await asio::this_coro::executor, store);
        auto const ledger = (co_await tests::open_credits(driver)).id;
        // Prepared here, while there is nothing.
        Places places;
        co_await read_in_vain(store, ledger, places, false);
        Command const first = grant_to_ann(ledger, "first");
        co_await driver.one(first);
        load_past(sql, ledger);
        load_users(sql, ledger);
        sql("SELECT pg_stat_force_next_flush()");
        sql("SELECT pg_stat_reset()");
        for (int round = 0; round < rounds; ++round)
            co_await read_in_vain(store, ledger, places, true);
        co_await driver.finish();
    };
    tests::with_store(fresh.store_options(), body);
    await_statistics(sql);
    for (std::string const table :
         {"credit_entries", "credit_operations", "credit_lots", "accounts"}) {
        auto const figure = [&](std::string const& name) {
            return std::stol(sql("SELECT " + name +
                                 " FROM pg_stat_user_tables WHERE relname = " + quoted(table)));
        };
        BOOST_TEST(figure("seq_scan") == 0, table);
        // The first pages are full, and those who were looked at pay for no more than themselves.
        BOOST_TEST(figure("idx_tup_fetch") >= rounds * most, table);
        BOOST_TEST(figure("idx_tup_fetch") <= rounds * (most + 10), table);
    }
}

BOOST_AUTO_TEST_SUITE_END()
