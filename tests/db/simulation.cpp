// Random commands through load, decide and commit, with batches that are lost on the way and
// clients that ask again: whatever happens, every invariant holds and a key has one effect.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <random>

#include "db/memory_store.hpp"
#include "tests/db/driver.hpp"
#include "tests/domain/scene.hpp"
#include "tests/support/run.hpp"

namespace penstock::tests {
namespace {

std::uint64_t number_from(char const* name, std::uint64_t otherwise) {
    auto const* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// What a client remembers of a request that was answered 2xx.
struct Remembered {
    Envelope envelope;
    Receipt receipt;
};

class Simulation {
public:
    Simulation(asio::any_io_executor executor, std::uint64_t seed)
        : random_{seed}, driver_{executor, store_} {}

    asio::awaitable<void> run(std::uint64_t steps) {
        co_await found_ledgers();
        for (std::uint64_t step = 0; step < steps; ++step) {
            co_await one_batch();
            driver_.at.ms += below(10) == 0 ? below(4) * 1000 : below(3);
            if (below(10) == 0) co_await expire_due_holds();
            if (below(40) == 0) co_await check_invariants();
        }
        driver_.at.ms += hold_seconds_max * 1000;
        co_await expire_due_holds();
        auto const due = co_await store_.list_due_holds(driver_.at, 1, in_time());
        BOOST_TEST((due && due->empty()));
        co_await check_invariants();
        co_await driver_.finish();
    }

    std::uint64_t accepted() const { return accepted_; }
    std::uint64_t refused() const { return refused_; }
    std::uint64_t replayed() const { return replayed_; }
    std::uint64_t purchased() const { return purchases_.size(); }
    std::uint64_t refunded() const { return refunded_; }
    std::uint64_t held() const { return holds_.size(); }
    std::uint64_t expired() const { return expired_; }

private:
    static constexpr std::int64_t hold_seconds_max = 6;

    std::int64_t below(std::int64_t limit) {
        return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
    }

    asio::awaitable<void> found_ledgers() {
        for (auto const policy : {AccountPolicy::explicit_, AccountPolicy::implicit}) {
            CreateLedger create;
            create.draft.name = policy == AccountPolicy::implicit ? "implicit" : "explicit";
            create.draft.accounts = policy;
            Command const command = create;
            auto const outcome = co_await driver_.one(command);
            ledgers_.push_back(made<Ledger>(outcome));
            co_await open_some_accounts(ledgers_.back().id);
        }
    }

    /// Half of the addresses, with money on them.
    asio::awaitable<void> open_some_accounts(LedgerId ledger) {
        std::vector<Envelope> batch;
        for (std::int64_t number = 1; number < addresses; number += 2) {
            MoveMoney deposit{ledger, TransferKind::deposit, Movement{world_address, "", 5000}};
            deposit.movement.to = address(number);
            batch.push_back(driver_.envelope(CreateAccount{ledger, address(number)}));
            batch.push_back(driver_.envelope(deposit));
        }
        co_await driver_.batch(std::move(batch));
    }

    static constexpr std::int64_t addresses = 12;

    static std::string address(std::int64_t number) {
        if (number == 0) return platform_address;
        return std::string{"account-with-a-rather-long-name-"} + std::to_string(number);
    }

    std::string address() { return address(below(addresses)); }

    Amount amount() {
        switch (below(60)) {
            case 0:
                return amount_max;
            case 1:
                return INT64_MAX;
            default:
                return 1 + below(1000);
        }
    }

    Movement movement() { return {address(), address(), amount()}; }

    Command money_command(LedgerId ledger) {
        MoveMoney move{ledger, TransferKind::transfer, movement()};
        auto const kind = below(5);
        if (kind < 2) {
            move.kind = TransferKind::deposit;
            move.movement.from = world_address;
        }
        if (kind == 2) {
            move.kind = TransferKind::withdrawal;
            move.movement.to = world_address;
        }
        return move;
    }

    template <class T>
    T const& any_of(std::vector<T> const& known) {
        return known[static_cast<std::size_t>(below(static_cast<std::int64_t>(known.size())))];
    }

    /// What the API lets through.
    Amount price() { return std::min(amount(), amount_max); }

    Command purchase_command(LedgerId ledger) {
        if (purchases_.empty() || below(3) != 0)
            return MakePurchase{ledger, address(), address(), price()};
        auto const& original = any_of(purchases_);
        return RefundPurchase{below(10) == 0 ? ledger : original.ledger, original};
    }

    Command hold_command(LedgerId ledger) {
        auto const choice = holds_.empty() ? 0 : below(4);
        if (choice < 2) {
            PlaceHold place{ledger, address(), address(), price()};
            if (below(3) != 0) place.expires_in = std::chrono::seconds{1 + below(hold_seconds_max)};
            return place;
        }
        auto const& original = any_of(holds_);
        auto const of = below(10) == 0 ? ledger : original.ledger;
        if (choice == 2) return VoidHold{of, original};
        CaptureHold capture{of, original};
        if (below(2) == 0) capture.amount = 1 + below(original.amount);
        if (below(10) == 0) capture.amount = original.amount + 1;
        return capture;
    }

    /// As the server does it, by its clock. The same due hold may be named again and again.
    asio::awaitable<void> expire_due_holds() {
        auto const due = co_await store_.list_due_holds(driver_.at, 1000, in_time());
        BOOST_REQUIRE(due);
        for (auto const& ledger : ledgers_) {
            ExpireHolds expire{ledger.id, {}};
            for (auto const& hold : *due)
                if (hold.ledger == ledger.id) expire.originals.push_back(hold);
            if (expire.originals.empty()) continue;
            expired_ += expire.originals.size();
            Command const command = expire;
            auto const done = co_await driver_.one(command);
            BOOST_TEST(refusal_of(done) == "");
        }
    }

    Command any_command() {
        auto const ledger = ledgers_[static_cast<std::size_t>(below(2))].id;
        auto const choice = below(30);
        if (choice == 0) return CreateAccount{ledger, address(), below(3) * 100};
        if (choice == 1 && !transfers_.empty()) {
            auto const index = below(static_cast<std::int64_t>(transfers_.size()));
            return RevertTransfer{ledger, transfers_[static_cast<std::size_t>(index)]};
        }
        if (choice == 2) {
            MoveInBulk bulk{ledger, below(2) == 0, {}};
            for (auto items = 1 + below(6); items > 0; --items) bulk.items.push_back(movement());
            return bulk;
        }
        if (choice == 3) return ChangeLedger{ledger, {}, {}, static_cast<std::int16_t>(below(101))};
        if (choice == 4) return DeleteLedger{ledgers_.front().id};
        if (choice < 10) return purchase_command(ledger);
        if (choice < 16) return hold_command(ledger);
        return money_command(ledger);
    }

    /// Most requests are new; some are sent again, a few of those with another body.
    Envelope any_envelope() {
        if (!remembered_.empty() && below(8) == 0) {
            auto at = remembered_.lower_bound(key_named(random_()));
            if (at == remembered_.end()) at = remembered_.begin();
            auto envelope = at->second.envelope;
            if (below(4) == 0) envelope.key_use->fingerprint[0] ^= 1;
            return envelope;
        }
        if (!lost_.empty() && below(2) == 0) {
            auto envelope = lost_.back();
            lost_.pop_back();
            return envelope;
        }
        auto command = any_command();
        // An empty ledger may go; the one that is used here must stay.
        if (std::holds_alternative<DeleteLedger>(command) && transfers_.empty())
            command = money_command(ledgers_.back().id);
        auto envelope = driver_.envelope(std::move(command));
        envelope.nonce = random_();
        if (below(4) != 0) envelope.key_use = use_of(random_());
        return envelope;
    }

    asio::awaitable<void> one_batch() {
        std::vector<Envelope> batch;
        for (auto size = 1 + below(16); size > 0; --size) batch.push_back(any_envelope());
        for (std::size_t i = 0; i < batch.size(); ++i)
            if (batch[i].key_use && below(10) == 0) batch.push_back(batch[i]);
        if (below(5) == 0) {
            co_await driver_.abandoned(batch);
            for (auto const& envelope : batch)
                if (envelope.key_use && lost_.size() < 100) lost_.push_back(envelope);
            co_return;
        }
        auto const outcomes = co_await driver_.batch(batch);
        for (std::size_t i = 0; i < batch.size(); ++i) learn(batch[i], outcomes[i]);
    }

    void learn(Envelope const& envelope, Outcome const& outcome) {
        auto const* receipt = std::get_if<Receipt>(&outcome);
        auto const known =
            envelope.key_use ? remembered_.find(envelope.key_use->key) : remembered_.end();
        if (known != remembered_.end()) return check_repeat(known->second, envelope, outcome);
        if (!receipt) {
            ++refused_;
            return;
        }
        ++accepted_;
        BOOST_TEST(!receipt->replayed);
        if (auto const* transfer = std::get_if<Transfer>(&receipt->what))
            transfers_.push_back(*transfer);
        if (auto const* captured = std::get_if<Captured>(&receipt->what))
            transfers_.push_back(captured->transfer);
        if (auto const* purchase = std::get_if<Purchase>(&receipt->what)) learn(*purchase);
        if (auto const* hold = std::get_if<Hold>(&receipt->what); hold && !hold->ended_at)
            holds_.push_back(*hold);
        if (envelope.key_use)
            remembered_.emplace(envelope.key_use->key, Remembered{envelope, *receipt});
    }

    void learn(Purchase const& purchase) {
        if (!purchase.refunded_at) {
            purchases_.push_back(purchase);
            return;
        }
        ++refunded_;
    }

    void check_repeat(Remembered const& first, Envelope const& envelope, Outcome const& outcome) {
        if (first.envelope.key_use != envelope.key_use) {
            BOOST_TEST(refusal_of(outcome) == "idempotency_key_reused");
            return;
        }
        ++replayed_;
        BOOST_TEST(is_replayed(outcome));
        auto const& what = std::get<Receipt>(outcome).what;
        bool const is_body = std::holds_alternative<Recorded>(what);
        BOOST_TEST((is_body || what == first.receipt.what));
    }

    asio::awaitable<void> check_invariants() {
        for (auto const& ledger : ledgers_) {
            auto const checks = co_await store_.verify(ledger.id, in_time());
            BOOST_REQUIRE(checks);
            for (auto const& check : *checks)
                BOOST_TEST(check.ok, check.name << ": " << check.detail);
        }
    }

    std::mt19937_64 random_;
    db::MemoryStore store_;
    Driver driver_;
    std::vector<Ledger> ledgers_;
    std::vector<Transfer> transfers_;
    std::vector<Purchase> purchases_;
    std::vector<Hold> holds_;
    std::map<IdempotencyKey, Remembered> remembered_;
    std::vector<Envelope> lost_;  ///< decided in a batch that was never committed
    std::uint64_t accepted_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t replayed_ = 0;
    std::uint64_t refunded_ = 0;
    std::uint64_t expired_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(random_commands_keep_every_invariant_and_every_key_has_one_effect) {
    constexpr std::uint64_t runs = 8;
    auto const first_seed = number_from("PENSTOCK_SIM_SEED", 1);
    auto const steps = number_from("PENSTOCK_SIM_STEPS", 150);
    for (auto seed = first_seed; seed < first_seed + runs; ++seed) {
        BOOST_TEST_CONTEXT("PENSTOCK_SIM_SEED=" << seed) {
            asio::io_context context{1};
            Simulation simulation{context.get_executor(), seed};
            auto body = [&]() -> asio::awaitable<void> { co_await simulation.run(steps); };
            run(context, body, std::chrono::seconds{300});
            // A run in which nothing succeeds, fails or repeats would prove nothing.
            BOOST_TEST(simulation.accepted() > steps);
            BOOST_TEST(simulation.refused() > steps / 4);
            BOOST_TEST(simulation.replayed() > steps / 10);
            BOOST_TEST(simulation.purchased() > steps / 6);
            BOOST_TEST(simulation.refunded() > steps / 30);
            BOOST_TEST(simulation.held() > steps / 6);
            BOOST_TEST(simulation.expired() > steps / 50);
        }
    }
}

}  // namespace penstock::tests
