// WHAT gates have yet to be told: nobody waits for it, and nothing of it is lost without a trace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "cache/gate.hpp"
#include "reactor/pulse.hpp"
#include "server/clock.hpp"
#include "server/sales/gate_builder.hpp"

namespace penstock::cache {
class RedisClient;
}

namespace penstock::server {

struct GateNotesOptions {
    /// What waits while Redis is away; a sale with more than that gets a new gate afterwards.
    std::size_t unsent_max = 4'096;
    /// Redis does nothing else while it takes them: few enough that no attempt waits long.
    std::size_t notes_at_once = 500;
    milliseconds tell_max{1'000};
    milliseconds pause{20};  ///< after a failure
};

struct GateNotesMetrics {
    reactor::Count confirmed;
    reactor::Count cancelled;
    reactor::Count released;
    reactor::Count doubts;
    reactor::Count restocks;
    reactor::Count failures;  ///< times that Redis did not take what it was told; told again
    reactor::Count dropped;   ///< sales whose notes were too many: their gates were built anew
    reactor::Count unsent;    ///< a gauge
};

/// One per shard. Each sale is told in order, as many notes at once as there are; what fails is
/// told again, because everything may be told twice.
class GateNotes {
public:
    GateNotes(asio::any_io_executor executor, cache::RedisClient& redis, cache::Gate& gate,
              GateBuilder& builder, Clock& clock, GateNotesOptions options)
        : redis_(redis),
          gate_(gate),
          builder_(builder),
          clock_(clock),
          options_(options),
          added_(executor),
          emptied_(executor) {}
    GateNotes(GateNotes&&) = delete;

    /// Of an order that the gate has reserved: if it never hears of it, the lease ends.
    void add(domain::ProductId sale, cache::GateNote note) { add(sale, std::move(note), false); }
    /// Of what the gate does not expect: until it has heard it, its refusals are not to be
    /// believed.
    void add_news(domain::ProductId sale, cache::GateNote note) {
        add(sale, std::move(note), true);
    }
    void restocked(domain::ProductId sale, std::int64_t stock, std::int64_t version);

    /// Has the gate of this sale not heard some news yet?
    bool has_news(domain::ProductId sale) const;

    /// The notes' one background life; ends on cancellation.
    asio::awaitable<void> run();

    /// Returns when all is told, or at the deadline.
    asio::awaitable<void> flush(SteadyTime deadline);

    GateNotesMetrics const& metrics() const { return metrics_; }

private:
    struct Note {
        cache::GateNote note;
        bool news = false;
    };
    struct Stock {
        std::int64_t stock = 0;
        std::int64_t version = 0;

        bool operator==(Stock const&) const = default;
    };
    struct OfSale {
        std::deque<Note> notes;
        std::optional<Stock> stock;
        std::size_t news = 0;  ///< among the notes
        bool lost = false;     ///< notes were dropped: only a new gate can know
        bool building = false;
    };

    void add(domain::ProductId sale, cache::GateNote note, bool news);
    void drop(OfSale& of_sale);
    void count(cache::GateNote::Kind kind);
    asio::awaitable<bool> tell(domain::ProductId sale);
    asio::awaitable<bool> tell_notes(domain::ProductId sale);
    asio::awaitable<bool> tell_stock(domain::ProductId sale);
    asio::awaitable<bool> build_anew(domain::ProductId sale);

    cache::RedisClient& redis_;
    cache::Gate& gate_;
    GateBuilder& builder_;
    Clock& clock_;
    GateNotesOptions options_;
    GateNotesMetrics metrics_;
    /// Ordered, because the loop goes from one to the next while others are added.
    std::map<domain::ProductId, OfSale> sales_;
    std::size_t unsent_ = 0;
    reactor::Pulse added_;
    reactor::Pulse emptied_;
};

}  // namespace penstock::server
