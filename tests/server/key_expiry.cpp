// How long is a key remembered? Through a lane, on both stores, with the clock in the test's hand.
#include <boost/test/unit_test.hpp>

#include "db/memory_store.hpp"
#include "reactor/task_group.hpp"
#include "server/lane.hpp"
#include "tests/db/postgres_fixture.hpp"
#include "tests/support/run.hpp"

using namespace penstock;
using namespace penstock::server;

namespace {

constexpr std::int64_t day_ms = 86'400'000;

class TurnedClock final : public Clock {
public:
    domain::Instant now() noexcept override { return at; }
    domain::Instant at{1'800'000'000'000};
};

SteadyTime in_time() { return steady_now() + std::chrono::seconds{20}; }

domain::Envelope envelope(std::uint64_t nonce, std::uint64_t key, domain::Command command) {
    domain::Envelope made;
    domain::KeyUse use;
    use.key = {domain::make_uuid7({1}, 1, key)};
    use.fingerprint[0] = static_cast<std::uint8_t>(key);
    made.key_use = use;
    made.nonce = nonce;
    made.request_id = "request " + std::to_string(nonce);
    made.command = std::move(command);
    return made;
}

domain::Command deposit(domain::LedgerId ledger, domain::Amount amount) {
    domain::MoveMoney made;
    made.ledger = ledger;
    made.kind = domain::TransferKind::deposit;
    made.movement.from = domain::world_address;
    made.movement.to = "alice";
    made.movement.amount = amount;
    return made;
}

domain::Command account(domain::LedgerId ledger, std::string address) {
    domain::CreateAccount made;
    made.ledger = ledger;
    made.address = std::move(address);
    return made;
}

/// A lane on a store, asked one thing after the other.
class Client {
public:
    Client(asio::any_io_executor executor, db::Store& store)
        : store_(store), lane_(executor, store, clock, LaneOptions()), tasks_(executor) {
        tasks_.spawn(lane_.run());
    }

    asio::awaitable<domain::Receipt> ask(std::uint64_t key, domain::Command command) {
        auto asked = envelope(++nonce_, key, std::move(command));
        auto const outcome = co_await lane_.submit(std::move(asked), in_time());
        BOOST_REQUIRE_MESSAGE(outcome.has_value(), outcome.error().message());
        auto const* receipt = std::get_if<domain::Receipt>(&*outcome);
        BOOST_REQUIRE(receipt != nullptr);
        co_return *receipt;
    }

    asio::awaitable<std::size_t> purge() {
        domain::Instant const before{clock.at.ms - day_ms};
        auto const removed = co_await store_.purge(before, 100, in_time());
        BOOST_REQUIRE_MESSAGE(removed.has_value(), removed.error().message());
        co_return *removed;
    }

    asio::awaitable<void> close() {
        lane_.close();
        co_await tasks_.join();
    }

    TurnedClock clock;

private:
    db::Store& store_;
    Lane lane_;
    reactor::TaskGroup tasks_;
    std::uint64_t nonce_ = 0;
};

asio::awaitable<void> keys_live_for_a_day(Client& client, bool purged) {
    domain::CreateLedger found;
    found.draft.name = "main";
    found.draft.asset_code = "EUR";
    domain::Command const founding = found;
    auto const ledger = std::get<domain::Ledger>((co_await client.ask(1, founding)).what).id;
    co_await client.ask(2, account(ledger, "alice"));
    auto const first = co_await client.ask(3, deposit(ledger, 100));
    BOOST_TEST(!first.replayed);

    client.clock.at.ms += day_ms;
    auto const removed_early = co_await client.purge();
    BOOST_TEST(removed_early == 0u);
    auto const same = co_await client.ask(3, deposit(ledger, 100));
    BOOST_TEST(same.replayed);
    auto const same_account = co_await client.ask(2, account(ledger, "alice"));
    BOOST_TEST(same_account.replayed);

    client.clock.at.ms += 1;
    if (purged) {
        auto const removed = co_await client.purge();
        BOOST_TEST(removed == 2u);  // the ledger's and the account's answers
    }
    auto const again = co_await client.ask(3, deposit(ledger, 23));
    BOOST_TEST(!again.replayed);
    BOOST_TEST(std::get<domain::Transfer>(again.what).to.balance_after == 123);
    auto const bob = co_await client.ask(2, account(ledger, "bob"));
    BOOST_TEST(!bob.replayed);

    // The second life of a key is as long as its first.
    client.clock.at.ms += day_ms;
    auto const replay = co_await client.ask(3, deposit(ledger, 23));
    BOOST_TEST(replay.replayed);
    BOOST_TEST(std::get<domain::Transfer>(replay.what).to.balance_after == 123);
    auto const bob_again = co_await client.ask(2, account(ledger, "bob"));
    BOOST_TEST(bob_again.replayed);
}

/// On a store that lives in `context`.
void check(asio::io_context& context, db::Store& store, bool purged) {
    auto body = [&]() -> asio::awaitable<void> {
        Client client(context.get_executor(), store);
        std::exception_ptr failure;
        try {
            co_await keys_live_for_a_day(client, purged);
        } catch (...) {
            failure = std::current_exception();
        }
        co_await client.close();
        if (failure) std::rethrow_exception(failure);
    };
    tests::run_beside(context, store, body);
}

void check_in_memory(bool purged) {
    asio::io_context context{1};
    db::MemoryStore store;
    check(context, store, purged);
}

void check_in_postgres(bool purged) {
    tests::MigratedDatabase database;
    asio::io_context context{1};
    db::PostgresStore store(context.get_executor(), database.store_options());
    check(context, store, purged);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(key_expiry)

BOOST_AUTO_TEST_CASE(a_key_is_free_after_a_day_whether_or_not_a_purge_came_by) {
    for (bool const purged : {false, true}) {
        BOOST_TEST_CONTEXT("purged: " << purged) {
            check_in_memory(purged);
            check_in_postgres(purged);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
