// Does a page of purchases or holds cost that page, however many there are, by plans that were
// made while the tables were empty?
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

constexpr int open_holds = 1'000'000;
constexpr int ended_holds = 100'000;
constexpr int purchases = 100'000;
constexpr int accounts = 100;
constexpr int rounds = 20;
constexpr std::size_t limit = 5;

template <class T>
T value_of(Result<T> result) {
    BOOST_REQUIRE_MESSAGE(result.has_value(), result.error().message());
    return std::move(*result);
}

std::string quoted(std::string const& text) { return '\'' + text + '\''; }

/// The id of row `i`, and its SQL: one row in each millisecond.
Uuid id_of(int i) { return first_uuid7(Instant{Books::now.ms + i}); }

std::string const id_in_sql = "(lpad(to_hex(" + std::to_string(Books::now.ms) +
                              " + i), 12, '0') || '70008000000000000000')" + "::uuid";

/// Rows by SQL, in their thousands: everybody has a part in them, and the last account in all.
void load(tests::Operator& sql, Books const& books) {
    auto const ledger = quoted(books.ledger.id.to_string());
    auto const people = ", (SELECT array_agg(id ORDER BY address) AS ids FROM accounts" +
                        (" WHERE ledger_id = " + ledger) + " AND address <> '@world') a";
    auto const last = "a.ids[" + std::to_string(accounts) + "]";
    auto const someone = [](int count) {
        return "a.ids[1 + (i - 1)::int8 * " + std::to_string(accounts - 1) + " / " +
               std::to_string(count) + "]";
    };
    auto const series = [](int from, int to) {
        return " FROM generate_series(" + std::to_string(from) + ", " + std::to_string(to) + ") i";
    };
    sql("INSERT INTO holds (id, ledger_id, from_account, to_account, amount, expires_at, status)"
        " SELECT " +
        id_in_sql + ", " + ledger + ", " + someone(open_holds) + ", " + last +
        ", 1, to_timestamp((" + std::to_string(Books::now.ms) + " + i) / 1000.0), 0" +
        series(1, open_holds) + people);
    // Newer than all that are open, so that who looks for those would have to pass them.
    sql("INSERT INTO holds (id, ledger_id, from_account, to_account, amount, expires_at, status,"
        " ended_at) SELECT " +
        id_in_sql + ", " + ledger + ", a.ids[1], " + last + ", 1, to_timestamp(0), 2," +
        " to_timestamp(1)" + series(open_holds + 1, open_holds + ended_holds) + people);
    sql("INSERT INTO purchases (id, ledger_id, buyer, author, price, author_amount,"
        " platform_amount, royalty_percent, idempotency_key, fingerprint) SELECT " +
        id_in_sql + ", " + ledger + ", " + someone(purchases) + ", " + last + ", 1, 0, 1, 70, " +
        id_in_sql + ", '\\x" + std::string(64, '0') + "'" + series(1, purchases) + people);
}

/// Every statement about holds that reads, from row `depth` downwards.
asio::awaitable<std::size_t> read_holds(db::Store& store, LivingWriter& writer, Books const& books,
                                        int depth) {
    std::size_t rows = 0;
    HoldId const id{id_of(depth)};
    KeySet keys;
    keys.holds.insert({books.ledger.id, id});
    auto const loaded = value_of(co_await writer->load(keys, soon()));
    co_await writer->abandon();
    rows += loaded.holds.size();
    auto const one = value_of(co_await store.find_hold(books.ledger.id, id, soon()));
    rows += one ? 1 : 0;
    auto const due = value_of(co_await store.list_due_holds(instant_of(id.value), limit, soon()));
    rows += due.size();
    std::optional<std::string> const nobody;
    std::optional<std::string> const payer = one ? one->from.address : "account 0";
    for (auto const& account : {nobody, payer, std::optional<std::string>("zz receiver")}) {
        db::HoldPage page;
        page.account = account;
        page.limit = limit;
        page.before = id;
        rows += value_of(co_await store.list_holds(books.ledger.id, page, soon())).size();
        page.before.reset();
        page.status = HoldStatus::pending;
        rows += value_of(co_await store.list_holds(books.ledger.id, page, soon())).size();
    }
    co_return rows;
}

asio::awaitable<std::size_t> read_purchases(db::Store& store, LivingWriter& writer,
                                            Books const& books, int depth) {
    std::size_t rows = 0;
    PurchaseId const id{id_of(depth)};
    KeySet keys;
    keys.purchases.insert({books.ledger.id, id});
    keys.keys.insert(IdempotencyKey{id.value});
    auto const loaded = value_of(co_await writer->load(keys, soon()));
    co_await writer->abandon();
    rows += loaded.purchases.size() + loaded.keys.size();
    auto const one = value_of(co_await store.find_purchase(books.ledger.id, id, soon()));
    rows += one ? 1 : 0;
    db::PurchasePage page;
    page.limit = limit;
    page.before = id;
    rows += value_of(co_await store.list_purchases(books.ledger.id, page, soon())).size();
    page.author = "zz receiver";
    rows += value_of(co_await store.list_purchases(books.ledger.id, page, soon())).size();
    page.buyer = one ? one->buyer.address : "account 0";
    rows += value_of(co_await store.list_purchases(books.ledger.id, page, soon())).size();
    page.author.reset();
    rows += value_of(co_await store.list_purchases(books.ledger.id, page, soon())).size();
    co_return rows;
}

/// The index or table that was read most, and how many of its blocks were.
std::string most_read(tests::Operator& sql, std::string const& what, std::string const& most) {
    return sql("SELECT string_agg(name || ' ' || blocks, ', ') FROM (" + what +
               ") s WHERE blocks > " + most);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wallet_plans)

BOOST_AUTO_TEST_CASE(a_page_costs_the_same_beside_a_million_open_holds) {
    tests::MigratedDatabase fresh;
    tests::keep_autovacuum_away(fresh);
    auto sql = fresh.connect();
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("depth");
        for (int i = 0; i + 1 < accounts; ++i) books.open("account " + std::to_string(i));
        books.open("zz receiver");
        // Prepared here, while there is nothing.
        auto nothing = co_await read_holds(store, one, books, 1);
        nothing += co_await read_purchases(store, one, books, 1);
        BOOST_TEST(nothing == 0u);
        co_await found(one, books);
        load(sql, books);
        sql("SELECT pg_stat_force_next_flush()");
        sql("SELECT pg_stat_reset()");
        for (int round = 1; round <= rounds; ++round) {
            auto const hold = open_holds / (rounds + 1) * round;
            auto const purchase = purchases / (rounds + 1) * round;
            auto const holds = co_await read_holds(store, one, books, hold);
            BOOST_TEST(holds == 2 + 7 * limit);
            auto const bought = co_await read_purchases(store, one, books, purchase);
            BOOST_TEST(bought == 3 + 4 * limit);
        }
    };
    with_store(fresh.store_options(), body);
    sql.await(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend'",
        "1");
    BOOST_TEST(sql("SELECT string_agg(relname, ', ') FROM pg_stat_user_tables"
                   " WHERE relname IN ('holds', 'purchases', 'accounts') AND seq_scan > 0") == "");
    // A page descends into one range of an index per status and side: four blocks or so each. Every
    // one of these indexes has hundreds of blocks or thousands.
    std::string const wanted = " WHERE relname IN ('holds', 'purchases')";
    auto const indexes =
        most_read(sql,
                  "SELECT indexrelname AS name, idx_blks_hit + idx_blks_read AS blocks"
                  " FROM pg_statio_user_indexes" +
                      wanted,
                  std::to_string(rounds * 50));
    BOOST_TEST(indexes == "");
    auto const tables = most_read(sql,
                                  "SELECT relname AS name, heap_blks_hit + heap_blks_read AS blocks"
                                  " FROM pg_statio_user_tables" +
                                      wanted,
                                  std::to_string(rounds * 20));
    BOOST_TEST(tables == "");
    auto const smallest =
        sql("SELECT min(pg_relation_size(indexrelid) / 8192) FROM pg_stat_user_indexes" + wanted);
    BOOST_TEST(std::stoi(smallest) > 300);
}

BOOST_AUTO_TEST_SUITE_END()
