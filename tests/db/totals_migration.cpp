// Are totals that are missing or wrong counted from the history while servers go on writing?
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>

#include "db/credit_store.hpp"
#include "tests/db/credit_rules.hpp"
#include "tests/db/old_server.hpp"

using namespace penstock;
using namespace penstock::domain;
using namespace penstock::tests;

namespace {

constexpr char const* missing = "DELETE FROM ledger_totals";
constexpr char const* wrong = "UPDATE ledger_totals SET count = count + 7, amount = amount - 3";

/// A connection of the old server, and what it says there.
class OldConnection {
public:
    asio::awaitable<void> open(Database const& database) {
        auto const executor = co_await asio::this_coro::executor;
        auto dialled = co_await db::pg::dial(database.options(), soon());
        BOOST_REQUIRE(dialled.has_value());
        connection_ = std::make_unique<db::pg::PlainConnection>(executor, std::move(*dialled));
        co_await say(prepare_old);
    }
    asio::awaitable<void> say(std::string text) {
        auto const done = co_await connection_->script(text, soon());
        BOOST_REQUIRE_MESSAGE(done.has_value(), done.error().message);
    }

private:
    std::unique_ptr<db::pg::PlainConnection> connection_;
};

asio::awaitable<void> migrate_all(Database const& database) {
    auto const report = co_await db::migrate(database.address(), db::migrations::all, soon());
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().message);
    BOOST_TEST(!report->applied.empty());
}

/// A database as before the migration, with a history whose totals are not what they should be.
struct Spoilt {
    explicit Spoilt(char const* how) {
        migrate_to(database, migrations_before("_totals"));
        fill(database);
        database.connect()(how);
    }

    /// `body` beside a store on the database.
    template <class Body>
    void with_store(Body body) {
        asio::io_context context{1};
        db::PostgresOptions options(database.address());
        options.backoff = fast_backoff();
        db::PostgresStore store(context.get_executor(), options);
        auto whole = [&]() -> asio::awaitable<void> { co_await body(store); };
        run_beside(context, store, whole);
    }

    Database database;
};

/// Two transactions are open when the count begins: of one only the history is written, of the
/// other one the totals too.
asio::awaitable<void> count_amid_open_transactions(Database const& database, db::Store& store) {
    OldConnection early;
    co_await early.open(database);
    co_await early.say(old_history);
    co_await early.say(old_totals);
    auto sql = database.connect();
    reactor::TaskGroup tasks(co_await asio::this_coro::executor);
    tasks.spawn(migrate_all(database));
    auto const waits = [&] {
        return sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                   " AND application_name = 'penstock-migrate'"
                   " AND datname = current_database()") == "1";
    };
    // For the row that the transaction has added to.
    co_await eventually(waits);
    co_await early.say("COMMIT");
    bool const migrated = co_await tasks.join(soon());
    BOOST_TEST(migrated);
    co_await require_sound(store, transfers_before + 1);
}

asio::awaitable<void> count_before_the_totals_are_added(Database const& database,
                                                        db::Store& store) {
    OldConnection late;
    co_await late.open(database);
    co_await late.say(old_history);
    co_await migrate_all(database);
    co_await late.say(old_totals);
    co_await late.say("COMMIT");
    co_await require_sound(store, transfers_before + 1);
}

/// One of everything that has a total, in a ledger of money and in one of credits.
asio::awaitable<std::vector<LedgerId>> one_of_everything(Driver& driver) {
    CreateLedger create;
    create.draft.name = "money";
    create.draft.asset_code = "EUR";
    create.draft.accounts = AccountPolicy::implicit;
    Command const opening = create;
    auto const money = made<Ledger>(co_await driver.one(opening)).id;
    Movement const salary{std::string(world_address), "ann", 1'000};
    Command const deposit = MoveMoney{money, TransferKind::deposit, salary};
    co_await driver.one(deposit);
    Command const buy = MakePurchase{money, "ann", "bob", 99};
    auto const bought = made<Purchase>(co_await driver.one(buy));
    co_await driver.one(buy);
    Command const refund = RefundPurchase{money, bought};
    co_await driver.one(refund);
    Command const place = PlaceHold{money, "ann", "bob", 9};
    auto const held = made<Hold>(co_await driver.one(place));
    Command const capture = CaptureHold{money, held, 8};
    co_await driver.one(capture);

    auto const points = (co_await open_credits(driver)).id;
    CreditDraft draft;
    draft.address = "ann";
    draft.amount = 50;
    draft.expires_at = Instant{driver.at.ms + 1'000};
    Command const grant = GrantCredits{points, "granted", {draft}};
    co_await driver.one(grant);
    draft.expires_at.reset();
    draft.amount = 20;
    Command const spend = SpendCredits{points, "spent", {draft}};
    co_await driver.one(spend);
    draft.address = "bob";
    draft.amount = 5;
    Command const send = TransferCredits{points, "sent", "ann", {draft}};
    co_await driver.one(send);
    co_return std::vector{money, points};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(totals_migration)

BOOST_AUTO_TEST_CASE(totals_are_made_up_while_a_server_keeps_writing) {
    for (auto const* how : {missing, wrong}) {
        Spoilt spoilt(how);
        OldServer old(spoilt.database);
        auto body = [&](db::Store& store) -> asio::awaitable<void> {
            reactor::TaskGroup tasks(co_await asio::this_coro::executor);
            tasks.spawn(old.run());
            co_await old.commit_some();
            co_await migrate_all(spoilt.database);
            co_await old.commit_some();
            old.stop();
            bool const ended = co_await tasks.join(soon());
            BOOST_REQUIRE(ended);
            co_await require_sound(store, transfers_before + old.commits());
        };
        spoilt.with_store(body);
    }
}

BOOST_AUTO_TEST_CASE(a_transaction_that_is_open_meanwhile_is_counted_once) {
    for (auto const* how : {missing, wrong}) {
        Spoilt spoilt(how);
        auto body = [&](db::Store& store) -> asio::awaitable<void> {
            co_await count_amid_open_transactions(spoilt.database, store);
        };
        spoilt.with_store(body);
    }
    for (auto const* how : {missing, wrong}) {
        Spoilt spoilt(how);
        auto body = [&](db::Store& store) -> asio::awaitable<void> {
            co_await count_before_the_totals_are_added(spoilt.database, store);
        };
        spoilt.with_store(body);
    }
}

BOOST_AUTO_TEST_CASE(every_kind_of_total_is_counted_and_right_ones_are_left_alone) {
    MigratedDatabase database;
    auto sql = database.connect();
    std::string const again(db::migrations::all[migrations_before("_totals").size()]->text);
    std::string const all =
        "SELECT string_agg(ledger_id || ' ' || kind || ' ' || count || ' ' || amount, ', '"
        " ORDER BY ledger_id, kind) FROM ledger_totals";
    std::string const rows = "SELECT string_agg(ctid::text, ' ' ORDER BY ctid) FROM ledger_totals";
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        Driver driver(co_await asio::this_coro::executor, store);
        driver.at = Instant{1'700'000'000'000};
        auto const ledgers = co_await one_of_everything(driver);
        driver.at.ms += 10'000;
        auto due = co_await store.credits().list_due_lots(driver.at, 10, soon());
        BOOST_REQUIRE(due.has_value());
        Command const expire = ExpireLots{ledgers.at(1), std::move(*due)};
        co_await driver.one(expire);
        co_await driver.finish();
        auto const expected = sql(all);
        BOOST_TEST(std::count(expected.begin(), expected.end(), ',') == 9);
        auto const places = sql(rows);
        sql(again);
        BOOST_TEST(sql(rows) == places);
        for (auto const* how : {missing, wrong}) {
            sql(how);
            sql(again);
            BOOST_TEST(sql(all) == expected);
        }
        // A total of what never was is gone.
        sql("INSERT INTO ledger_totals SELECT ledger_id, 9, 3, 4 FROM ledger_totals LIMIT 1");
        sql(again);
        BOOST_TEST(sql(all) == expected);
    };
    with_store(database.store_options(), body);
}

BOOST_AUTO_TEST_SUITE_END()
