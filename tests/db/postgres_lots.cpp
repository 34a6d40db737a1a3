// Are lots rebuilt as they were when their rows are gone, and may writers go on meanwhile?
#include <boost/test/unit_test.hpp>

#include "db/credit_store.hpp"
#include "tests/db/credit_rules.hpp"
#include "tests/db/driver.hpp"
#include "tests/db/postgres_fixture.hpp"

using namespace penstock;
using namespace penstock::domain;
using tests::Driver;
using tests::LivingWriter;
using tests::soon;

namespace {

template <class T>
T value_of(Result<T> result) {
    BOOST_REQUIRE_MESSAGE(result.has_value(), result.error().message());
    return std::move(*result);
}

asio::awaitable<void> check_sound(db::Store& store, LedgerId ledger) {
    for (auto const& check : value_of(co_await store.verify(ledger, soon())))
        BOOST_TEST(check.ok, check.name << ": " << check.detail);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(postgres_lots)

BOOST_AUTO_TEST_CASE(lots_that_are_gone_are_rebuilt_row_by_row_their_recorded_expiry_included) {
    tests::MigratedDatabase database;
    auto sql = database.connect();
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        Driver driver(co_await asio::this_coro::executor, store);
        auto& credits = store.credits();
        auto const ledger = co_await tests::open_credits(driver);
        co_await tests::make_history(store, driver, ledger, 60);
        auto const sound = co_await tests::all_lots(credits, ledger.id);
        sql("DELETE FROM credit_lots");
        sql("UPDATE credit_ledgers SET lots_last = '00000000-0000-0000-0000-000000000000'");
        auto const behind =
            value_of(co_await credits.list_ledgers_behind(std::nullopt, 10, soon()));
        BOOST_TEST_REQUIRE(behind.size() == 1u);
        BOOST_TEST((behind.front().ledger == ledger.id));
        BOOST_TEST(behind.front().name == "points");
        std::size_t failed = 0;
        for (auto const& check : value_of(co_await store.verify(ledger.id, soon())))
            if (!check.ok) ++failed;
        BOOST_TEST(failed == 3u);  // what is left, how far, and the replay
        auto const repaired =
            value_of(co_await credits.repair_lots(ledger.id, std::nullopt, soon()));
        BOOST_TEST(repaired.missing == static_cast<std::int64_t>(sound.size()));
        auto const mended = co_await tests::all_lots(credits, ledger.id);
        BOOST_TEST((mended == sound));
        auto const still = value_of(co_await credits.list_ledgers_behind(std::nullopt, 10, soon()));
        BOOST_TEST(still.empty());
        co_await check_sound(store, ledger.id);
        co_await driver.finish();
    };
    tests::with_store(database.store_options(), body);
}

BOOST_AUTO_TEST_CASE(of_lots_that_agree_in_all_but_their_expiry_the_first_to_be_over_is_closed) {
    tests::MigratedDatabase database;
    auto sql = database.connect();
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        Driver driver(co_await asio::this_coro::executor, store);
        auto& credits = store.credits();
        auto const ledger = co_await tests::open_credits(driver);
        CreditDraft draft;
        draft.address = "ann";
        draft.amount = 5;
        std::vector<CreditDraft> drafts;
        for (int seconds : {30, 10, 20}) {
            draft.expires_at = Instant{driver.at.ms + seconds * 1'000};
            drafts.push_back(draft);
        }
        Command const grant = GrantCredits{ledger.id, "alike", drafts};
        co_await driver.one(grant);
        driver.at.ms += 25'000;
        auto due = value_of(co_await credits.list_due_lots(driver.at, 1, soon()));
        Command const expire = ExpireLots{ledger.id, due};
        co_await driver.one(expire);
        auto const sound = co_await tests::all_lots(credits, ledger.id);
        BOOST_TEST((sound[0].is_open && !sound[1].is_open && sound[2].is_open));
        sql("DELETE FROM credit_lots");
        co_await credits.repair_lots(ledger.id, "ann", soon());
        auto const mended = co_await tests::all_lots(credits, ledger.id);
        BOOST_TEST((mended == sound));
        co_await check_sound(store, ledger.id);
        co_await driver.finish();
    };
    tests::with_store(database.store_options(), body);
}

BOOST_AUTO_TEST_CASE(writers_and_repairs_do_each_other_no_harm) {
    tests::MigratedDatabase database;
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        Driver driver(executor, store);
        auto const ledger = co_await tests::open_credits(driver);
        bool writing = true;
        auto write = [&]() -> asio::awaitable<void> {
            co_await tests::make_history(store, driver, ledger, 60);
            writing = false;
        };
        reactor::TaskGroup writers(executor);
        writers.spawn(write());
        int repairs = 0;
        while (writing) {
            auto const found =
                value_of(co_await store.credits().repair_lots(ledger.id, std::nullopt, soon()));
            BOOST_TEST(is_clean(found), describe(found));
            ++repairs;
        }
        bool const ended = co_await writers.join(soon());
        BOOST_TEST(ended);
        BOOST_TEST(repairs > 0);
        co_await check_sound(store, ledger.id);
        co_await driver.finish();
    };
    tests::with_store(database.store_options(), body);
}

BOOST_AUTO_TEST_SUITE_END()
