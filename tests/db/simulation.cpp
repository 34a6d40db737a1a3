// Random commands through load, decide and commit, on several servers whose clocks disagree, with
// batches that are lost on the way, answers that never arrive, servers that are killed, purges, and
// clients that ask again: whatever happens, every invariant holds and a key has one effect.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "db/credit_store.hpp"
#include "db/memory_store.hpp"
#include "db/pg/error.hpp"
#include "domain/report.hpp"
#include "tests/db/credit_source.hpp"
#include "tests/db/driver.hpp"
#include "tests/db/postgres_fixture.hpp"
#include "tests/db/stream_model.hpp"
#include "tests/domain/scene.hpp"
#include "tests/support/run.hpp"

namespace penstock::tests {
namespace {

constexpr std::int64_t day_ms = 86'400'000;

std::optional<std::uint64_t> number_from(char const* name) {
    auto const* text = std::getenv(name);
    if (!text) return std::nullopt;
    return std::strtoull(text, nullptr, 10);
}

/// What the store must remember of a key whose request had an effect, whoever was told of it.
struct Remembered {
    Envelope envelope;
    Receipt receipt;
    Instant at;

    /// The row that the command made carries the key; no answer of its own does.
    bool in_a_row() const {
        return std::holds_alternative<Transfer>(receipt.what) ||
               std::holds_alternative<Credited>(receipt.what) ||
               (std::holds_alternative<Purchase>(receipt.what) &&
                !std::get<Purchase>(receipt.what).refunded_at) ||
               (std::holds_alternative<Order>(receipt.what) &&
                !std::get<Order>(receipt.what).cancelled_at);
    }
};

/// What happened in a run: one in which nothing of a kind happens would prove nothing about it.
struct Tally {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
    std::uint64_t replayed = 0;
    std::uint64_t killed = 0;       ///< servers, between load and commit
    std::uint64_t unanswered = 0;   ///< batches that were committed, and nobody was told
    std::uint64_t overtaken = 0;    ///< batches decided again because another server was faster
    std::uint64_t turned_back = 0;  ///< clocks
    std::uint64_t expired = 0;      ///< keys that were free when they were used again
    std::uint64_t purged = 0;       ///< rows
    std::uint64_t purchased = 0;
    std::uint64_t refunded = 0;
    std::uint64_t held = 0;
    std::uint64_t holds_expired = 0;
    std::uint64_t credited = 0;  ///< grants, expenses and transfers of credits
    std::uint64_t lots_expired = 0;
    std::uint64_t ordered = 0;
    std::uint64_t cancelled = 0;
    std::uint64_t reported = 0;
    std::uint64_t jobs_dead = 0;
    std::uint64_t jobs_retried = 0;
    std::uint64_t streamed = 0;  ///< streams made, and what was done to them
    std::set<std::string> stream_cases;

    /// All that can befall a stream has.
    bool has_seen_every_stream() const { return stream_cases == StreamModel::all_cases(); }

    void operator+=(Tally const& other) {
        accepted += other.accepted;
        refused += other.refused;
        replayed += other.replayed;
        killed += other.killed;
        unanswered += other.unanswered;
        overtaken += other.overtaken;
        turned_back += other.turned_back;
        expired += other.expired;
        purged += other.purged;
        purchased += other.purchased;
        refunded += other.refunded;
        held += other.held;
        holds_expired += other.holds_expired;
        credited += other.credited;
        lots_expired += other.lots_expired;
        ordered += other.ordered;
        cancelled += other.cancelled;
        reported += other.reported;
        jobs_dead += other.jobs_dead;
        jobs_retried += other.jobs_retried;
        streamed += other.streamed;
        stream_cases.insert(other.stream_cases.begin(), other.stream_cases.end());
    }
};

/// Which of the faults a store can take part in: on PostgreSQL a second server waits for the first
/// one's locks, and here one coroutine is all of them.
enum class Servers { in_turn, overlapping };

class Simulation {
public:
    Simulation(asio::any_io_executor executor, db::Store& store, Servers servers,
               std::uint64_t seed)
        : executor_{executor},
          store_{store},
          overlapping_{servers == Servers::overlapping},
          random_{seed} {}

    asio::awaitable<void> run(std::uint64_t steps) {
        for (auto& server : servers_) server = std::make_unique<Driver>(executor_, store_);
        std::exception_ptr failure;
        try {
            co_await found_ledgers();
            for (std::uint64_t step = 0; step < steps; ++step) {
                co_await turn_clocks();
                co_await one_step();
                if (below(10) == 0) co_await expire_due_holds(*any_server());
                if (below(10) == 0) co_await expire_due_lots(*any_server());
                if (below(2) == 0) co_await work_on_jobs(any_server()->at);
            }
            tally_.stream_cases = streams_.seen_cases();
            co_await end_every_hold();
            co_await end_every_job();
            co_await end_every_stream();
            co_await streams_.check_store(store_, servers_.front()->organization);
            co_await check_invariants();
        } catch (...) {
            failure = std::current_exception();
        }
        for (auto& server : servers_) co_await server->finish();
        if (failure) std::rethrow_exception(failure);
    }

    Tally const& tally() const { return tally_; }

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
            auto envelope = servers_.front()->envelope(create);
            envelope.nonce = random_();
            std::vector<Envelope> const batch(1, envelope);
            auto const outcomes = co_await servers_.front()->batch(batch);
            ledgers_.push_back(made<Ledger>(outcomes.front()));
            co_await open_some_accounts(ledgers_.back().id);
        }
        CreateLedger create;
        create.draft.name = "points";
        create.draft.kind = LedgerKind::credits;
        create.draft.issuers.emplace_back(credit_addresses.back());
        auto envelope = servers_.front()->envelope(create);
        envelope.nonce = random_();
        std::vector<Envelope> const batch(1, envelope);
        auto const outcomes = co_await servers_.front()->batch(batch);
        points_ = made<Ledger>(outcomes.front());
    }

    /// Half of the addresses, with money on them.
    asio::awaitable<void> open_some_accounts(LedgerId ledger) {
        auto& server = *servers_.front();
        std::vector<Envelope> batch;
        for (std::int64_t number = 1; number < addresses; number += 2) {
            MoveMoney deposit{ledger, TransferKind::deposit, Movement{world_address, "", 5000}};
            deposit.movement.to = address(number);
            batch.push_back(server.envelope(CreateAccount{ledger, address(number)}));
            batch.push_back(server.envelope(deposit));
        }
        for (auto& envelope : batch) envelope.nonce = random_();
        co_await server.batch(std::move(batch));
    }

    /// Time goes on by a little, seldom by hours; a server's clock may be set back.
    asio::awaitable<void> turn_clocks() {
        time_.ms += below(3);
        if (below(10) == 0) time_.ms += below(day_ms / 4);
        for (std::size_t i = 0; i < servers_.size(); ++i) {
            if (below(40) == 0) {
                skews_[i] = below(20'000) - 10'000;
                ++tally_.turned_back;
            }
            servers_[i]->at = Instant{time_.ms + skews_[i]};
            servers_[i]->keys_since = Instant{servers_[i]->at.ms - day_ms};
        }
        if (below(25) == 0) co_await purge();
    }

    asio::awaitable<void> purge() {
        auto const before = any_server()->keys_since;
        auto const limit = static_cast<std::size_t>(1 + below(50));
        for (;;) {
            auto const removed = co_await store_.purge(before, limit, in_time());
            BOOST_REQUIRE(removed);
            BOOST_TEST(*removed <= limit);
            tally_.purged += *removed;
            if (*removed == 0) break;
        }
        purged_before_ = std::max(purged_before_, before);
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

    /// Little stock and low limits, so that both are met.
    Command sale_command(LedgerId ledger) {
        auto const choice = below(14);
        if (choice == 0 || products_.empty()) {
            CreateProduct create;
            create.draft.price = below(4) * 30;
            create.draft.stock = below(20);
            create.draft.per_user_limit = 1 + below(4);
            create.draft.starts_at = Instant{time_.ms - 20'000};
            if (below(3) == 0) create.draft.ends_at = Instant{time_.ms + below(day_ms)};
            if (below(3) != 0) create.payment = PayInto{ledger, "?", address()};
            return create;
        }
        auto const& product = any_of(products_);
        if (choice == 1) return RestockProduct{product.id, 1 + below(6), product.payment};
        if (choice < 5 && !orders_.empty()) {
            auto const& [of, order] = any_of(orders_);
            auto const& by = below(10) == 0 ? product : of;
            return CancelOrder{by.id, by.payment, order};
        }
        PlaceOrder place{product.id, product.payment, address(), 1 + below(3)};
        if (below(4) == 0) place.admitted_at = Instant{time_.ms - below(1000)};
        return place;
    }

    /// As a server does it, by its clock. The same due hold may be named again and again.
    asio::awaitable<void> expire_due_holds(Driver& server) {
        auto const due = co_await store_.list_due_holds(server.at, 1000, in_time());
        BOOST_REQUIRE(due);
        for (auto const& ledger : ledgers_) {
            ExpireHolds expire{ledger.id, {}};
            for (auto const& hold : *due)
                if (hold.ledger == ledger.id) expire.originals.push_back(hold);
            if (expire.originals.empty()) continue;
            tally_.holds_expired += expire.originals.size();
            auto envelope = server.envelope(expire);
            envelope.nonce = random_();
            std::vector<Envelope> const batch(1, envelope);
            auto const outcomes = co_await server.batch(batch);
            BOOST_TEST(refusal_of(outcomes.front()) == "");
        }
    }

    /// Likewise.
    asio::awaitable<void> expire_due_lots(Driver& server) {
        auto due = co_await store_.credits().list_due_lots(server.at, 1000, in_time());
        BOOST_REQUIRE(due);
        if (due->empty()) co_return;
        tally_.lots_expired += due->size();
        auto envelope = server.envelope(ExpireLots{points_.id, std::move(*due)});
        envelope.nonce = random_();
        std::vector<Envelope> const batch(1, envelope);
        auto const outcomes = co_await server.batch(batch);
        BOOST_TEST(refusal_of(outcomes.front()) == "");
    }

    /// Some of the references are taken.
    Command credit_command() {
        auto const draw = [this](std::uint64_t n) { return below(static_cast<std::int64_t>(n)); };
        auto const reference = "request " + std::to_string(below(10'000));
        return some_credit_command(draw, points_.id, reference, time_);
    }

    /// Once every clock is past the last of them, none is left.
    asio::awaitable<void> end_every_hold() {
        time_.ms += 60'000;
        auto& server = *servers_.front();
        server.at = Instant{time_.ms};
        for (int round = 0; round < 100; ++round) {
            co_await expire_due_holds(server);
            auto const due = co_await store_.list_due_holds(server.at, 1, in_time());
            BOOST_REQUIRE(due);
            if (due->empty()) co_return;
        }
        BOOST_ERROR("holds that are due stay open");
    }

    /// Long after the last end: all is settled and withdrawn, until only those streams are left
    /// whose parties cannot be paid.
    asio::awaitable<void> end_every_stream() {
        auto& server = *servers_.front();
        time_.ms += 1'000 * day_ms;
        server.at = Instant{time_.ms};
        for (int round = 0; round < 10; ++round) {
            std::vector<Envelope> batch;
            for (auto& command : streams_.ends()) {
                batch.push_back(server.envelope(std::move(command)));
                batch.back().nonce = random_();
            }
            if (batch.empty()) co_return;
            auto const prepared = co_await server.prepare(batch);
            auto const error = co_await server.commit(prepared);
            BOOST_REQUIRE_MESSAGE(!error, error.message());
            bool has_moved = false;
            for (std::size_t i = 0; i < batch.size(); ++i) {
                has_moved = has_moved || std::holds_alternative<Receipt>(prepared.outcomes[i]);
                streams_.learn(batch[i].command, prepared.outcomes[i], prepared.at);
            }
            if (!has_moved) co_return;
        }
        BOOST_ERROR("streams do not end");
    }

    Command job_command(LedgerId ledger) {
        if (jobs_.empty() || below(2) == 0) return RequestReport{ledger};
        return RetryJob{std::next(jobs_.begin(), below(std::ssize(jobs_)))->first};
    }

    /// As a worker does it, or does not: most jobs fail here, and some workers die with theirs.
    asio::awaitable<void> work_on_jobs(Instant now) {
        db::ClaimOrder order{{report_job}, {make_uuid7(now, 0, random_())}, now, now, 0};
        order.lease_until.ms += 500;
        order.limit = static_cast<std::size_t>(1 + below(8));
        auto const claimed = co_await store_.jobs().claim(order, in_time());
        BOOST_REQUIRE(claimed);
        tally_.jobs_dead += claimed->dead;
        for (auto const& job : claimed->jobs) {
            db::HeldJob const held{job.id, order.lease};
            BOOST_TEST(jobs_.contains(job.id));
            auto const fate = below(20);
            if (fate == 0) co_await complete(held, now);
            if (fate < 3) continue;
            auto const end = co_await store_.jobs().fail(held, "it failed", now, now, in_time());
            BOOST_REQUIRE(end);
            if (*end == db::JobEnd::dead) ++tally_.jobs_dead;
        }
    }

    /// By whoever still holds it: nobody completes what is completed.
    asio::awaitable<void> complete(db::HeldJob held, Instant now) {
        std::string const result("{}");
        auto const end = co_await store_.jobs().complete(held, result, now, in_time());
        BOOST_REQUIRE(end);
        if (*end == db::JobEnd::completed) BOOST_TEST(++jobs_.at(held.job) == 1);
    }

    /// What was accepted is in the queue once, whatever became of the servers, and ends.
    asio::awaitable<void> end_every_job() {
        Instant const late{time_.ms + 3'600'000};
        for (int round = 0; round < 1'000; ++round) {
            db::ClaimOrder order{{report_job}, {make_uuid7(late, 0, random_())}, late, late, 100};
            auto const claimed = co_await store_.jobs().claim(order, in_time());
            BOOST_REQUIRE(claimed);
            if (claimed->jobs.empty() && claimed->dead == 0) break;
            for (auto const& job : claimed->jobs) {
                db::HeldJob const held{job.id, order.lease};
                co_await complete(held, late);
            }
        }
        db::JobPage all;
        all.limit = 100'000;
        auto const listed = co_await store_.jobs().list(all, in_time());
        BOOST_REQUIRE(listed);
        BOOST_TEST(listed->size() == jobs_.size());
        for (auto const& job : *listed) {
            BOOST_TEST(jobs_.contains(job.id));
            bool const completed = job.status == JobStatus::completed;
            BOOST_TEST((completed || job.status == JobStatus::failed));
            BOOST_TEST(completed == (jobs_.at(job.id) == 1));
        }
    }

    Command any_command() {
        auto const ledger = ledgers_[static_cast<std::size_t>(below(2))].id;
        auto const choice = below(56);
        if (choice >= 46) return streams_.command(ledger, address(), address(), price());
        if (choice >= 38) return credit_command();
        if (choice >= 30) return sale_command(ledger);
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
        if (choice < 18) return job_command(ledger);
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
        auto envelope = servers_.front()->envelope(std::move(command));
        envelope.nonce = random_();
        if (below(4) != 0) envelope.key_use = use_of(random_());
        return envelope;
    }

    std::vector<Envelope> any_batch() {
        std::vector<Envelope> batch;
        for (auto size = 1 + below(20); size > 0; --size) batch.push_back(any_envelope());
        auto const distinct = batch.size();
        for (std::size_t i = 0; i < distinct; ++i)
            if (batch[i].key_use && below(10) == 0) batch.push_back(batch[i]);
        return batch;
    }

    std::unique_ptr<Driver>& any_server() {
        return servers_[static_cast<std::size_t>(below(std::ssize(servers_)))];
    }

    asio::awaitable<void> one_step() {
        auto& server = any_server();
        auto const batch = any_batch();
        auto prepared = co_await server->prepare(batch);
        auto const fate = below(20);
        if (fate < 3) {
            if (fate == 0) {
                co_await kill(server);
            } else {
                co_await server->abandon();
            }
            ask_again(batch);
            co_return;
        }
        bool const writes = !prepared.changes.empty();
        if (overlapping_ && writes && fate < 8) co_await overtake(*server, batch);
        auto error = co_await server->commit(prepared);
        if (error == db::Errc::retry_transaction) {
            ++tally_.overtaken;
            prepared = co_await server->prepare(batch);
            error = co_await server->commit(prepared);
        }
        BOOST_REQUIRE_MESSAGE(!error, error.message());
        learn_all(batch, prepared, *server);
        if (below(8) != 0) co_return;
        // It is durable, but the answer to COMMIT is lost and the clients are not told; sometimes
        // because the whole server is gone.
        ++tally_.unanswered;
        ask_again(batch);
        if (below(4) == 0) co_await kill(server);
    }

    /// Another server commits between this one's load and its commit; half of what it was asked is
    /// the same: clients that did not want to wait.
    asio::awaitable<void> overtake(Driver const& slow, std::vector<Envelope> const& batch) {
        auto const other = std::ranges::find_if(
            servers_, [&](auto const& server) { return server.get() != &slow; });
        auto theirs = any_batch();
        for (auto const& envelope : batch)
            if (envelope.key_use && below(2) == 0) theirs.push_back(envelope);
        auto const prepared = co_await (*other)->prepare(theirs);
        auto const error = co_await (*other)->commit(prepared);
        BOOST_REQUIRE_MESSAGE(!error, error.message());
        learn_all(theirs, prepared, **other);
    }

    /// The next one knows nothing of the batch, the last instant or the last id.
    asio::awaitable<void> kill(std::unique_ptr<Driver>& server) {
        auto const at = server->at;
        auto const keys_since = server->keys_since;
        co_await server->finish();
        server = std::make_unique<Driver>(executor_, store_);
        server->at = at;
        server->keys_since = keys_since;
        ++tally_.killed;
    }

    void ask_again(std::vector<Envelope> const& batch) {
        for (auto const& envelope : batch)
            if (envelope.key_use && lost_.size() < 100) lost_.push_back(envelope);
    }

    /// What is true from now on, in the order of commits.
    void learn_all(std::vector<Envelope> const& batch, Driver::Prepared const& prepared,
                   Driver const& server) {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            auto const& use = batch[i].key_use;
            auto const known = use ? remembered_.find(use->key) : remembered_.end();
            if (known == remembered_.end()) {
                learn(batch[i], prepared.outcomes[i], prepared.at);
            } else if (!is_free(known->second, server)) {
                check_repeat(known->second, batch[i], prepared.outcomes[i]);
            } else if (learn(batch[i], prepared.outcomes[i], prepared.at)) {
                ++tally_.expired;
            }
        }
    }

    /// Was it accepted? What was refused leaves a free key as it was: a server whose clock is slow
    /// may still replay it.
    bool learn(Envelope const& envelope, Outcome const& outcome, Instant at) {
        streams_.learn(envelope.command, outcome, at);
        auto const* receipt = std::get_if<Receipt>(&outcome);
        if (!receipt) {
            ++tally_.refused;
            return false;
        }
        ++tally_.accepted;
        BOOST_TEST(!receipt->replayed);
        if (auto const* transfer = std::get_if<Transfer>(&receipt->what))
            transfers_.push_back(*transfer);
        if (auto const* captured = std::get_if<Captured>(&receipt->what))
            transfers_.push_back(captured->transfer);
        if (auto const* purchase = std::get_if<Purchase>(&receipt->what)) learn(*purchase);
        if (auto const* hold = std::get_if<Hold>(&receipt->what); hold && !hold->ended_at) {
            holds_.push_back(*hold);
            ++tally_.held;
        }
        if (auto const* offered = std::get_if<Offered>(&receipt->what);
            offered && offered->product.version == 0)
            products_.push_back(offered->product);
        if (auto const* order = std::get_if<Order>(&receipt->what)) learn(*order);
        if (std::holds_alternative<Credited>(receipt->what)) ++tally_.credited;
        if (std::holds_alternative<Streamed>(receipt->what)) ++tally_.streamed;
        if (auto const* job = std::get_if<Accepted>(&receipt->what)) {
            BOOST_TEST(jobs_.emplace(job->job, 0).second);
            ++tally_.reported;
        }
        if (std::holds_alternative<Job>(receipt->what)) ++tally_.jobs_retried;
        if (envelope.key_use)
            remembered_.insert_or_assign(envelope.key_use->key, Remembered{envelope, *receipt, at});
        return true;
    }

    void learn(Purchase const& purchase) {
        if (purchase.refunded_at) {
            ++tally_.refunded;
            return;
        }
        purchases_.push_back(purchase);
        ++tally_.purchased;
    }

    void learn(Order const& order) {
        if (order.cancelled_at) {
            ++tally_.cancelled;
            return;
        }
        orders_.emplace_back(*std::ranges::find(products_, order.product, &Product::id), order);
        ++tally_.ordered;
    }

    /// Past the retention by the clock of the server that decided, or purged.
    bool is_free(Remembered const& known, Driver const& server) const {
        auto const* transfer = std::get_if<Transfer>(&known.receipt.what);
        auto const* purchase = std::get_if<Purchase>(&known.receipt.what);
        auto used_at = known.at;
        if (transfer) used_at = transfer->created_at();
        if (purchase && known.in_a_row()) used_at = purchase->created_at();
        auto const* order = std::get_if<Order>(&known.receipt.what);
        if (order && known.in_a_row()) used_at = order->created_at();
        auto const* credited = std::get_if<Credited>(&known.receipt.what);
        if (credited) used_at = credited->operation.created_at();
        if (used_at < server.keys_since) return true;
        return !known.in_a_row() && used_at < purged_before_;
    }

    void check_repeat(Remembered const& first, Envelope const& envelope, Outcome const& outcome) {
        if (first.envelope.key_use != envelope.key_use) {
            BOOST_TEST(refusal_of(outcome) == "idempotency_key_reused");
            return;
        }
        ++tally_.replayed;
        BOOST_TEST(is_replayed(outcome));
        auto const& what = std::get<Receipt>(outcome).what;
        bool const is_body = std::holds_alternative<Recorded>(what);
        BOOST_TEST((is_body || what == first.receipt.what));
    }

    asio::awaitable<void> check_invariants() {
        auto const sales = co_await store_.verify_sales(in_time());
        BOOST_REQUIRE(sales);
        for (auto const& check : *sales) BOOST_TEST(check.ok, check.name << ": " << check.detail);
        co_await check_ledger(points_.id);
        for (auto const& ledger : ledgers_) {
            co_await check_ledger(ledger.id);
            db::AccountPage page;
            page.limit = 1000;
            for (auto const* prefix : {"", "@"}) {
                page.prefix = prefix;
                auto const accounts = co_await store_.list_accounts(ledger.id, page, in_time());
                BOOST_REQUIRE(accounts);
                for (auto const& account : *accounts) co_await check_history(account);
            }
        }
    }

    asio::awaitable<void> check_ledger(LedgerId ledger) {
        auto const checks = co_await store_.verify(ledger, in_time());
        BOOST_REQUIRE(checks);
        for (auto const& check : *checks) BOOST_TEST(check.ok, check.name << ": " << check.detail);
    }

    /// Time does not go back within an account, whatever the clocks did, and no version is missing.
    asio::awaitable<void> check_history(Account account) {
        AccountName const name{account.ledger, account.address};
        db::EntryPage page;
        page.limit = 500;
        auto version = account.standing.version;
        for (;;) {
            auto const entries = co_await store_.list_entries(name, page, in_time());
            BOOST_REQUIRE(entries);
            for (auto const& entry : *entries) {
                auto const booking = db::booking_of(entry, name.address);
                BOOST_TEST(booking.version == version--);
                BOOST_TEST((!page.before || booking.at <= page.before->at));
                page.before = booking;
            }
            if (entries->size() < page.limit) break;
        }
        BOOST_TEST(version == 0);
    }

    asio::any_io_executor executor_;
    db::Store& store_;
    bool overlapping_;
    std::mt19937_64 random_;
    std::array<std::unique_ptr<Driver>, 3> servers_;
    std::array<std::int64_t, 3> skews_{};
    Instant time_{1'700'000'000'000};
    Instant purged_before_;
    std::vector<Ledger> ledgers_;  ///< of money
    Ledger points_;                ///< of credits
    std::vector<Transfer> transfers_;
    std::vector<Purchase> purchases_;
    std::vector<Hold> holds_;
    std::vector<Product> products_;  ///< as they were made
    std::vector<std::pair<Product, Order>> orders_;
    StreamModel streams_{[this](std::int64_t limit) { return below(limit); }};
    std::map<JobId, int> jobs_;  ///< and how often each was completed
    std::map<IdempotencyKey, Remembered> remembered_;
    std::vector<Envelope> lost_;  ///< whose clients were not answered
    Tally tally_;
};

/// One run on a store that lives in `context`.
Tally simulate(asio::io_context& context, db::Store& store, Servers servers, std::uint64_t seed,
               std::uint64_t steps) {
    Simulation simulation{context.get_executor(), store, servers, seed};
    auto body = [&]() -> asio::awaitable<void> { co_await simulation.run(steps); };
    run_beside(context, store, body);
    return simulation.tally();
}

/// Everything happened, and often enough.
void check_tally(Tally const& tally, std::uint64_t steps, Servers servers) {
    BOOST_TEST(tally.accepted > steps);
    BOOST_TEST(tally.refused > steps / 4);
    BOOST_TEST(tally.replayed > steps / 10);
    BOOST_TEST(tally.unanswered > steps / 40);
    BOOST_TEST(tally.killed > steps / 80);
    BOOST_TEST(tally.turned_back > steps / 40);
    BOOST_TEST(tally.expired > steps / 100);
    BOOST_TEST(tally.purged > steps / 100);
    BOOST_TEST(tally.purchased > steps / 6);
    BOOST_TEST(tally.refunded > steps / 40);
    BOOST_TEST(tally.held > steps / 6);
    BOOST_TEST(tally.holds_expired > steps / 50);
    BOOST_TEST(tally.credited > steps / 6);
    BOOST_TEST(tally.lots_expired > steps / 10);
    BOOST_TEST(tally.ordered > steps / 10);
    BOOST_TEST(tally.cancelled > steps / 40);
    BOOST_TEST(tally.reported > steps / 20);
    BOOST_TEST(tally.jobs_dead > steps / 50);
    BOOST_TEST(tally.jobs_retried > steps / 200);
    BOOST_TEST(tally.streamed > steps / 4);
    if (servers == Servers::overlapping) BOOST_TEST(tally.overtaken > steps / 10);
}

/// Below this a kind of event may well be missing by chance.
constexpr std::uint64_t steps_that_tell = 500;
/// What never befell a stream is waited for, up to so many times the steps that were asked for.
constexpr std::uint64_t patience = 20;

}  // namespace

// A campaign is many short runs, so that a store does not outgrow the memory and the run that fails
// can be repeated alone: by its seed and its steps.
BOOST_AUTO_TEST_CASE(random_commands_keep_every_invariant_and_every_key_has_one_effect) {
    constexpr std::uint64_t steps_of_a_run = 500, few = 150, runs_of_the_suite = 8;
    auto const seed = number_from("PENSTOCK_SIM_SEED");
    auto const steps = number_from("PENSTOCK_SIM_STEPS").value_or(few * runs_of_the_suite);
    auto const most = seed ? steps_of_a_run : few;
    Tally tally;
    auto each = seed.value_or(1);
    bool const tells = steps >= steps_that_tell;
    auto const is_enough = [&](std::uint64_t done) {
        bool const has_seen_all = !tells || tally.has_seen_every_stream();
        return done >= steps && (has_seen_all || done >= patience * steps);
    };
    std::uint64_t done = 0;
    while (!is_enough(done)) {
        auto const now = done < steps ? std::min(most, steps - done) : most;
        BOOST_TEST_CONTEXT("PENSTOCK_SIM_SEED=" << each << " PENSTOCK_SIM_STEPS=" << now) {
            asio::io_context context{1};
            db::MemoryStore store;
            tally += simulate(context, store, Servers::overlapping, each++, now);
        }
        done += now;
        if (done % 100'000 == 0 && seed) BOOST_TEST_MESSAGE(done << " steps done");
    }
    if (tells) {
        check_tally(tally, steps, Servers::overlapping);
        for (auto const& name : StreamModel::all_cases())
            BOOST_TEST(tally.stream_cases.contains(name), "never met: " << name);
    }
    BOOST_TEST_MESSAGE(done << " steps: " << tally.accepted << " accepted, " << tally.refused
                            << " refused, " << tally.replayed << " replayed, " << tally.killed
                            << " servers killed, " << tally.unanswered << " commits unanswered, "
                            << tally.overtaken << " overtaken, " << tally.expired
                            << " keys expired, " << tally.purged << " rows purged, "
                            << tally.streamed << " times streams were acted on");
}

BOOST_AUTO_TEST_CASE(random_commands_on_postgres_keep_every_invariant) {
    constexpr std::uint64_t steps = 300;
    MigratedDatabase database;
    asio::io_context context{1};
    db::PostgresStore store(context.get_executor(), database.store_options());
    auto const seed = number_from("PENSTOCK_SIM_SEED").value_or(1);
    BOOST_TEST_CONTEXT("PENSTOCK_SIM_SEED=" << seed) {
        check_tally(simulate(context, store, Servers::in_turn, seed, steps), steps,
                    Servers::in_turn);
    }
}

}  // namespace penstock::tests
