// HOW a gate comes to stand: from the store's orders, under a generation of its own.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "cache/gate.hpp"
#include "db/store.hpp"
#include "reactor/promise.hpp"
#include "reactor/task_group.hpp"
#include "server/clock.hpp"

namespace penstock::server {

struct GateBuilderOptions {
    std::size_t orders_at_once = 500;  ///< read and told per step
    milliseconds step_max{4'000};      ///< of one step, shorter than the lease of a building
    milliseconds build_max{60'000};
    milliseconds poll{10};  ///< while another server builds
    /// A gate stands so long after its sale has ended.
    std::chrono::hours kept{24};
};

struct GateBuilderMetrics {
    reactor::Count builds;  ///< finished by this shard
    reactor::Count failures;
    reactor::Histogram duration;  ///< of the finished ones, Histogram::duration_unit
};

/// One per shard, and one building per sale: the others wait for it. Of several servers the gate
/// itself lets one build.
class GateBuilder {
public:
    GateBuilder(asio::any_io_executor executor, cache::Gate& gate, db::Store& store, Clock& clock,
                GateBuilderOptions options)
        : executor_(executor),
          gate_(gate),
          store_(store),
          clock_(clock),
          options_(options),
          building_(executor) {}
    GateBuilder(GateBuilder&&) = delete;

    /// Until the gate stands, built by whomever; `seen` is the generation that is to be replaced,
    /// empty where there is none. False: it does not, by then.
    asio::awaitable<bool> build(domain::ProductId sale, std::string seen, SteadyTime deadline);

    /// No more building; returns when what was under way has ended.
    asio::awaitable<void> stop();

    /// When a sale that ends there has no gate any more.
    domain::Instant gone_at(domain::Instant ends_at) const {
        return {ends_at.ms + milliseconds(options_.kept).count()};
    }

    GateBuilderMetrics const& metrics() const { return metrics_; }

private:
    enum class Built : std::uint8_t { yes, no };
    struct Flight {
        std::string seen;
        std::vector<std::shared_ptr<reactor::Promise<Built>>> waiting;
    };

    asio::awaitable<void> fly(domain::ProductId sale);
    asio::awaitable<Built> raise(domain::ProductId sale, std::string seen);
    asio::awaitable<bool> fill(domain::ProductId sale, std::string generation, SteadyTime deadline);
    asio::awaitable<std::optional<domain::Product>> find(domain::ProductId sale,
                                                         SteadyTime deadline);

    asio::any_io_executor executor_;
    cache::Gate& gate_;
    db::Store& store_;
    Clock& clock_;
    GateBuilderOptions options_;
    GateBuilderMetrics metrics_;
    std::unordered_map<domain::ProductId, Flight, domain::UuidHash> flights_;
    bool stopped_ = false;
    reactor::TaskGroup building_;
};

/// What a gate keys an order by: its idempotency key, or its own id when it has none any more.
domain::IdempotencyKey token_of(std::optional<domain::IdempotencyKey> const& key,
                                domain::OrderId const& order);

/// A stock as a gate counts it: exactly up to more than anybody sells.
std::int64_t gate_stock(domain::Product const& product);

/// What the store says became of an order.
cache::GateNote note_of(db::Sold const& sold);

}  // namespace penstock::server
