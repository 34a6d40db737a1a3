// How fast is the write path without HTTP: one writer, one bulk after the other.
#include <cstdio>
#include <random>
#include <stdexcept>

#include "db/postgres_store.hpp"
#include "domain/decide.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"
#include "server/clock.hpp"
#include "server/commands.hpp"
#include "server/id_source.hpp"
#include "server/options.hpp"
#include "server/run_to_end.hpp"
#include "server/schema.hpp"
#include "server/store_options.hpp"

namespace penstock::server {
namespace {

constexpr std::chrono::seconds step_max{30};
constexpr std::chrono::seconds connect_max{10};
constexpr milliseconds connect_pause{20};
constexpr std::size_t funding_batch = 500;
constexpr domain::Amount funds = 1'000'000'000;

/// Loads, decides and commits, one batch at a time.
class Bench {
public:
    Bench(db::Writer& writer, std::size_t accounts)
        : writer_(writer), random_(ids_.nonce()), pick_(0, accounts - 1), accounts_(accounts) {}

    asio::awaitable<void> open_ledger();
    asio::awaitable<void> fund();
    /// Returns how many transfers were made.
    asio::awaitable<std::size_t> one_bulk(std::size_t items);

private:
    using Envelopes = std::vector<domain::Envelope>;
    asio::awaitable<std::vector<domain::Outcome>> commit(Envelopes envelopes);

    domain::Envelope envelope(domain::Command command) {
        domain::Envelope made;
        made.nonce = ids_.nonce();
        made.command = std::move(command);
        return made;
    }
    static std::string address(std::size_t number) { return "a" + std::to_string(number); }

    db::Writer& writer_;
    SystemClock clock_;
    SystemIdSource ids_;
    std::mt19937_64 random_;
    std::uniform_int_distribution<std::size_t> pick_;
    std::size_t accounts_;
    domain::LedgerId ledger_;
    domain::Stamp stamp_;
};

asio::awaitable<std::vector<domain::Outcome>> Bench::commit(Envelopes envelopes) {
    domain::KeySet keys;
    for (auto const& one : envelopes) domain::add_keys_of(one, keys);
    auto loaded = co_await writer_.load(std::move(keys), steady_now() + step_max);
    if (!loaded) throw std::runtime_error("load: " + loaded.error().message());
    auto const now = clock_.now();
    auto const stamp = stamp_.at >= now ? stamp_ : domain::Stamp{now, 0};
    domain::WorkingSet set(std::move(*loaded), stamp, domain::Instant{0});
    std::vector<domain::Outcome> outcomes;
    for (auto const& one : envelopes) outcomes.push_back(domain::decide(set, one));
    stamp_ = set.stamp();
    auto changes = set.changes();
    auto const error = co_await writer_.commit(std::move(changes), steady_now() + step_max);
    if (error) throw std::runtime_error("commit: " + error.message());
    co_return outcomes;
}

asio::awaitable<void> Bench::open_ledger() {
    domain::CreateLedger create;
    create.draft.name = "measure-" + ids_.request_id().substr(0, 12);
    create.draft.asset_code = "EUR";
    create.draft.asset_scale = 2;
    create.draft.accounts = domain::AccountPolicy::implicit;
    Envelopes envelopes;
    envelopes.push_back(envelope(create));
    auto const outcomes = co_await commit(std::move(envelopes));
    auto const* receipt = std::get_if<domain::Receipt>(&outcomes.front());
    if (receipt == nullptr) throw std::runtime_error("the ledger was refused");
    ledger_ = std::get<domain::Ledger>(receipt->what).id;
}

asio::awaitable<void> Bench::fund() {
    for (std::size_t from = 0; from < accounts_; from += funding_batch) {
        Envelopes envelopes;
        for (std::size_t i = from; i < std::min(accounts_, from + funding_batch); ++i) {
            domain::MoveMoney deposit;
            deposit.ledger = ledger_;
            deposit.kind = domain::TransferKind::deposit;
            deposit.movement.from = domain::world_address;
            deposit.movement.to = address(i);
            deposit.movement.amount = funds;
            envelopes.push_back(envelope(deposit));
        }
        co_await commit(std::move(envelopes));
    }
}

asio::awaitable<std::size_t> Bench::one_bulk(std::size_t items) {
    domain::MoveInBulk bulk;
    bulk.ledger = ledger_;
    for (std::size_t i = 0; i < items; ++i) {
        domain::Movement movement;
        auto const from = pick_(random_);
        auto const to = pick_(random_);
        movement.from = address(from);
        movement.to = address(to == from ? (to + 1) % accounts_ : to);
        movement.amount = 1 + static_cast<domain::Amount>(i % 100);
        bulk.items.push_back(std::move(movement));
    }
    Envelopes envelopes;
    envelopes.push_back(envelope(std::move(bulk)));
    auto const outcomes = co_await commit(std::move(envelopes));
    auto const* receipt = std::get_if<domain::Receipt>(&outcomes.front());
    if (receipt == nullptr) throw std::runtime_error("the bulk was refused");
    auto const& made = std::get<domain::BulkReceipt>(receipt->what).items;
    co_return static_cast<std::size_t>(
        std::count_if(made.begin(), made.end(), [](domain::BulkItem const& item) {
            return std::holds_alternative<domain::Transfer>(item);
        }));
}

asio::awaitable<void> answers(db::Store& store) {
    auto const deadline = steady_now() + connect_max;
    for (;;) {
        auto const error = co_await store.ping(deadline);
        if (!error) co_return;
        if (steady_now() >= deadline)
            throw std::runtime_error("the database does not answer: " + error.message());
        co_await reactor::sleep_until(steady_now() + connect_pause);
    }
}

asio::awaitable<void> measure_on(db::Store& store, db::Writer& writer, Options options) {
    co_await answers(store);
    Bench bench(writer, options.measure_accounts);
    co_await bench.open_ledger();
    co_await bench.fund();
    std::size_t batches = 0;
    std::size_t transfers = 0;
    auto const start = steady_now();
    auto const end = start + std::chrono::seconds(options.measure_seconds);
    while (steady_now() < end) {
        transfers += co_await bench.one_bulk(options.measure_batch);
        ++batches;
    }
    std::chrono::duration<double> const took = steady_now() - start;
    std::printf("%.0f transfers/s  %.1f batches/s  (%zu transfers in %zu batches of %zu, %.2f s)\n",
                static_cast<double>(transfers) / took.count(),
                static_cast<double>(batches) / took.count(), transfers, batches,
                options.measure_batch, took.count());
}

asio::awaitable<bool> measure_database(Options options) {
    auto const executor = co_await asio::this_coro::executor;
    auto settings = postgres_options(options);
    auto const store = std::make_unique<db::PostgresStore>(executor, settings);
    auto const writer = store->make_writer();
    reactor::TaskGroup connections(executor);
    connections.spawn(store->run());
    connections.spawn(writer->run());
    std::exception_ptr failure;
    try {
        co_await measure_on(*store, *writer, options);
    } catch (std::exception const&) {
        failure = std::current_exception();
    }
    connections.cancel();
    co_await connections.join();
    if (failure) std::rethrow_exception(failure);
    co_return true;
}

}  // namespace

int measure(Options const& options) {
    if (options.database_url.empty()) throw UnusableOptions("measure needs --database-url");
    migrate_database(options.database_url);
    run_to_end(measure_database(options));
    return 0;
}

}  // namespace penstock::server
