// Do both stores name what is due, of every ledger but those that are left out?
#include "db/due_rows.hpp"

#include <boost/test/unit_test.hpp>

#include "db/memory_store.hpp"
#include "tests/db/credit_rules.hpp"
#include "tests/db/driver.hpp"
#include "tests/db/postgres_fixture.hpp"
#include "tests/domain/scene.hpp"

using namespace penstock;
using namespace penstock::domain;
using namespace std::chrono_literals;
using tests::Driver;
using tests::in_time;

namespace {

template <class T>
T value_of(Result<T> result) {
    BOOST_REQUIRE_MESSAGE(result.has_value(), result.error().message());
    return std::move(*result);
}

asio::awaitable<Ledger> open_ledger(Driver& driver, std::string name) {
    CreateLedger create;
    create.draft.name = std::move(name);
    create.draft.asset_code = "EUR";
    create.draft.accounts = AccountPolicy::implicit;
    Command const opening = create;
    auto const ledger = tests::made<Ledger>(co_await driver.one(opening));
    Movement const money{std::string(world_address), "alice", 1'000};
    Command const deposit = MoveMoney{ledger.id, TransferKind::deposit, money};
    co_await driver.one(deposit);
    co_return ledger;
}

asio::awaitable<void> place(Driver& driver, LedgerId ledger, std::chrono::seconds expires_in) {
    Command const hold = PlaceHold{ledger, "alice", "bob", 1, expires_in};
    auto const outcome = co_await driver.one(hold);
    BOOST_TEST(tests::refusal_of(outcome) == "");
}

/// "1 2 2": whose rows, by their place in `ledgers`.
template <class Row>
std::string owners(std::vector<Row> const& rows, std::vector<LedgerId> const& ledgers) {
    std::string text;
    for (auto const& row : rows) {
        auto const at = std::ranges::find(ledgers, row.ledger) - ledgers.begin();
        text += (text.empty() ? "" : " ") + std::to_string(at);
    }
    return text;
}

db::DuePage page_of(Instant now, std::size_t limit, std::vector<LedgerId> without = {}) {
    db::DuePage page;
    page.now = now;
    page.limit = limit;
    page.without = std::move(without);
    return page;
}

template <class Store>
asio::awaitable<void> check_holds(Store& store, Driver& driver) {
    std::vector<LedgerId> ledgers;
    for (char const* const name : {"a", "b", "c"}) {
        Ledger const ledger = co_await open_ledger(driver, name);
        ledgers.push_back(ledger.id);
    }
    for (auto const expires_in : {1s, 2s, 3s}) co_await place(driver, ledgers[0], expires_in);
    co_await place(driver, ledgers[1], 4s);
    co_await place(driver, ledgers[2], 5s);
    co_await place(driver, ledgers[2], 60s);
    Instant const now{driver.at.ms + 10'000};
    auto page = page_of(now, 3);
    auto due = value_of(co_await store.list_due_holds(page, in_time()));
    BOOST_TEST(owners(due, ledgers) == "0 0 0");
    page = page_of(now, 3, {ledgers[0]});
    due = value_of(co_await store.list_due_holds(page, in_time()));
    BOOST_TEST(owners(due, ledgers) == "1 2");
    page = page_of(now, 3, {ledgers[0], ledgers[1]});
    due = value_of(co_await store.list_due_holds(page, in_time()));
    BOOST_TEST(owners(due, ledgers) == "2");
    page = page_of(now, 3, ledgers);
    due = value_of(co_await store.list_due_holds(page, in_time()));
    BOOST_TEST(due.empty());
}

template <class Store>
asio::awaitable<void> check_lots(Store& store, Driver& driver) {
    std::vector<LedgerId> ledgers;
    std::vector<OrganizationId> owners_of;
    for (int i = 0; i < 2; ++i) {
        Ledger const ledger = co_await tests::open_credits(driver);
        ledgers.push_back(ledger.id);
        owners_of.push_back(driver.organization);
    }
    for (int i = 0; i < 4; ++i) {
        CreditDraft draft;
        draft.address = "ann";
        draft.amount = 5;
        draft.expires_at = Instant{driver.at.ms + 1'000 * (i + 1)};
        std::size_t const which = i < 3 ? 0 : 1;
        driver.organization = owners_of[which];
        Command const grant = GrantCredits{ledgers[which], "grant " + std::to_string(i), {draft}};
        auto const outcome = co_await driver.one(grant);
        BOOST_TEST(tests::refusal_of(outcome) == "");
    }
    Instant const now{driver.at.ms + 10'000};
    auto page = page_of(now, 2);
    auto due = value_of(co_await store.list_due_lots(page, in_time()));
    BOOST_TEST(owners(due, ledgers) == "0 0");
    page = page_of(now, 2, {ledgers[0]});
    due = value_of(co_await store.list_due_lots(page, in_time()));
    BOOST_TEST(owners(due, ledgers) == "1");
}

template <class Store>
asio::awaitable<void> check(Store& store) {
    Driver driver(co_await asio::this_coro::executor, store);
    driver.at = Instant{1'700'000'000'000};
    std::exception_ptr failure;
    try {
        co_await check_holds(store, driver);
        co_await check_lots(store, driver);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await driver.finish();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(due_rows)

BOOST_AUTO_TEST_CASE(in_memory_a_ledger_that_is_left_out_hides_nobody) {
    db::MemoryStore store;
    auto body = [&]() -> asio::awaitable<void> { co_await check(store); };
    tests::run(body);
}

BOOST_AUTO_TEST_CASE(in_postgresql_a_ledger_that_is_left_out_hides_nobody) {
    tests::MigratedDatabase const database;
    asio::io_context context{1};
    db::PostgresStore store(context.get_executor(), database.store_options());
    auto body = [&]() -> asio::awaitable<void> { co_await check(store); };
    tests::run_beside(context, store, body);
}

BOOST_AUTO_TEST_SUITE_END()
