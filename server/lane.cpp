// The one write path: load, decide, commit; and what happens when one of them fails.
#include "server/lane.hpp"

#include <algorithm>
#include <optional>

#include "db/pg/error.hpp"
#include "domain/assert.hpp"
#include "domain/decide.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"
#include "server/render.hpp"

namespace penstock::server {
namespace {

/// What a batch pays for it: about the rows that it writes.
struct WeightOf {
    template <class Command>
    std::size_t operator()(Command const& command) const {
        if constexpr (requires { command.items.size(); })
            return command.items.size();
        else if constexpr (requires { command.entries.size(); })
            return command.entries.size();
        else if constexpr (requires { command.originals.size(); })
            return command.originals.size();
        else
            return 1;
    }
    std::size_t operator()(domain::BookJournal const& command) const {
        std::size_t items = 0;
        for (auto const& entry : command.entries) items += entry.items.size();
        return items;
    }
    std::size_t operator()(domain::SyncBalances const& command) const {
        return command.balances.size();
    }
};

std::size_t weight_of(domain::Envelope const& envelope) {
    return std::max<std::size_t>(1, std::visit(WeightOf{}, envelope.command));
}

domain::KeySet keys_of(std::vector<domain::Envelope> const& batch) {
    domain::KeySet keys;
    for (auto const& envelope : batch) domain::add_keys_of(envelope, keys);
    return keys;
}

/// A serialization failure, a deadlock or a key that another server took: decide again, soon. A
/// lost connection before COMMIT: again on a new one.
bool worth_another_try(error_code error) {
    return error == db::Errc::retry_transaction || error == db::Errc::connection_lost;
}

milliseconds pause_before(int attempt, error_code error) {
    if (error == db::Errc::connection_lost) return milliseconds{20 << std::min(attempt, 5)};
    return milliseconds{attempt - 1};
}

std::string const empty_name;

/// The ledger that a receipt's row lies in; nullopt for what lies in none.
struct LedgerOf {
    using Answer = std::optional<domain::LedgerId>;

    Answer operator()(domain::Captured const& captured) const { return captured.hold.ledger; }
    Answer operator()(domain::Streamed const& streamed) const { return streamed.stream.ledger; }
    template <class Row>
    Answer operator()(Row const& row) const {
        if constexpr (requires { row.ledger; }) return row.ledger;
        return std::nullopt;
    }
};

std::string const& ledger_name(domain::WorkingSet const& set, domain::Receipt const& receipt) {
    auto const id = std::visit(LedgerOf{}, receipt.what);
    auto const* ledger = id ? set.find_ledger(*id) : nullptr;
    return ledger ? ledger->name : empty_name;
}

std::chrono::nanoseconds since(SteadyTime start) { return steady_now() - start; }

}  // namespace

Lane::Lane(asio::any_io_executor executor, db::Store& store, Clock& clock, LaneOptions options)
    : executor_(executor),
      clock_(clock),
      options_(options),
      writer_(store.make_writer()),
      collector_(executor, options.batch,
                 [this](Batch batch) { return execute(std::move(batch)); }) {}

asio::awaitable<Result<domain::Outcome>> Lane::submit(domain::Envelope envelope,
                                                      SteadyTime deadline) {
    auto const weight = weight_of(envelope);
    return collector_.submit(std::move(envelope), deadline, weight);
}

asio::awaitable<void> Lane::run() {
    // A batch that is cut short is answered, and what it was sent on outlives it.
    co_await asio::this_coro::throw_if_cancelled(false);
    reactor::TaskGroup connection(executor_);
    connection.spawn(writer_->run());
    co_await collector_.run();
    connection.cancel();
    // The writer ends on cancellation: this wait is bounded by it.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await connection.join();
}

asio::awaitable<Lane::Outcomes> Lane::execute(Batch batch) {
    auto const give_up_at = steady_now() + options_.step_deadline;
    error_code error;
    for (int attempt = 1;; ++attempt) {
        Outcomes outcomes;
        error = co_await this->attempt(batch, outcomes);
        if (!error) co_return outcomes;
        if (!worth_another_try(error) || attempt == options_.attempts_max) break;
        auto const again_at = steady_now() + pause_before(attempt, error);
        if (again_at >= give_up_at) break;
        metrics_.retries.add();
        bool const awake = co_await reactor::sleep_until(again_at);
        if (!awake) break;
    }
    bool const one_is_at_fault =
        error == db::Errc::refused_by_database || error == db::Errc::retry_transaction;
    if (one_is_at_fault && batch.size() > 1) co_return co_await execute_halves(std::move(batch));
    if (error == db::Errc::commit_unknown) metrics_.unknown_commits.add();
    co_return Outcomes(batch.size(), Result<domain::Outcome>(error));
}

/// Splits until the command that PostgreSQL refuses stands alone, and fails it alone.
asio::awaitable<Lane::Outcomes> Lane::execute_halves(Batch batch) {
    metrics_.splits.add();
    auto const middle = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
    Batch behind(std::make_move_iterator(middle), std::make_move_iterator(batch.end()));
    batch.erase(middle, batch.end());
    auto outcomes = co_await execute(std::move(batch));
    auto rest = co_await execute(std::move(behind));
    std::move(rest.begin(), rest.end(), std::back_inserter(outcomes));
    co_return outcomes;
}

asio::awaitable<error_code> Lane::attempt(Batch const& batch, Outcomes& outcomes) {
    auto start = steady_now();
    auto keys = keys_of(batch);
    auto loaded = co_await writer_->load(std::move(keys), start + options_.step_deadline);
    if (!loaded) co_return loaded.error();
    metrics_.load.record(since(start));

    start = steady_now();
    auto changes = decide(batch, std::move(*loaded), outcomes);
    metrics_.decide.record(since(start));
    if (changes.empty()) {
        co_await writer_->abandon();
        co_return error_code();
    }

    bool const has_orders = !changes.new_orders.empty();
    start = steady_now();
    auto const error = co_await writer_->commit(std::move(changes), start + options_.step_deadline);
    metrics_.commit.record(since(start));
    if (error) co_return error;
    if (has_orders) metrics_.order_insert.record(since(start));
    metrics_.commits.add();
    metrics_.commands.add(batch.size());
    co_return error_code();
}

domain::Changes Lane::decide(Batch const& batch, domain::Loaded loaded, Outcomes& outcomes) {
    auto const now = clock_.now();
    // Within a lane ids ascend in the order of decision, also across batches of one millisecond.
    auto const stamp = last_stamp_.at >= now ? last_stamp_ : domain::Stamp{now, 0};
    auto const retention = std::chrono::milliseconds(options_.key_retention).count();
    domain::WorkingSet set(std::move(loaded), stamp, domain::Instant{now.ms - retention});
    outcomes.reserve(batch.size());
    for (auto const& envelope : batch) outcomes.push_back(domain::decide(set, envelope));
    auto changes = set.changes();
    for (auto& answer : changes.answers) {
        if (!answer.items.empty()) continue;  // a bulk: rendered again from its transfers
        auto const* receipt = set.find_receipt(answer.key_use.key);
        PENSTOCK_ASSERT(receipt);
        answer.body = body_of(*receipt, ledger_name(set, *receipt));
    }
    last_stamp_ = set.stamp();
    return changes;
}

}  // namespace penstock::server
