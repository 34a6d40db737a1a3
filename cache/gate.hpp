// MAY this attempt to buy go on to the store: a sale's stock, users and window, kept in Redis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "cache/breaker.hpp"
#include "cache/redis/error.hpp"
#include "cache/redis/reply.hpp"
#include "domain/ids.hpp"
#include "domain/instant.hpp"
#include "reactor/counters.hpp"

namespace penstock::cache {

class RedisClient;

/// Lua counts in doubles: no stock and no quantity beyond this is given to a gate.
inline constexpr std::int64_t gate_units_max = (std::int64_t{1} << 53) - 1;

struct GateOptions {
    /// How long an attempt waits for Redis before it goes to the store without.
    milliseconds command_max{100};
    /// After so long a reservation is settled by what the store says.
    milliseconds lease{10'000};
    /// After so long without news a gate whose builder died is gone.
    milliseconds build_lease{5'000};
    BreakerLimits breaker{.failures_in_a_row = 3};
    /// Which database's gates these are: two installations on one Redis do not see each other's.
    domain::Uuid database;
};

/// One per shard.
struct GateMetrics {
    reactor::Histogram wait;  ///< what asking costs an attempt; Histogram::duration_unit
    reactor::Count breaker_openings;
    reactor::Count breaker_state;  ///< a gauge: BreakerState as a number
};

/// What of a sale never changes.
struct GateRules {
    domain::Instant starts_at;
    std::optional<domain::Instant> ends_at;
    std::int64_t limit = 1;  ///< per user
};

struct Attempt {
    domain::IdempotencyKey key;
    std::string user;           ///< not empty
    std::int64_t quantity = 1;  ///< 1 … gate_units_max
    domain::Instant at;         ///< the instant at which it is judged
};

enum class GateAnswer : std::uint8_t {
    admitted,  ///< reserved: its order may be placed
    again,     ///< its key is reserved already, and its lease renewed
    known,     ///< its order is known: the store repeats the answer
    building,
    missing,  ///< or not whole
    sale_ended,
    sale_not_started,
    sold_out,
    purchase_limit_reached,
};

std::ostream& operator<<(std::ostream& out, GateAnswer answer);

/// The numbers are the gate's after the attempt; all 0 where it is missing.
struct GateJudgement {
    GateAnswer answer = GateAnswer::missing;
    std::int64_t remaining = 0;  ///< below 0 while the store has sold what was reserved as well
    std::int64_t reserved = 0;
    std::int64_t changes = 0;
    std::string generation;

    /// Nothing is left, and nothing that is reserved may come back.
    bool is_final() const {
        return answer == GateAnswer::sold_out && remaining <= 0 && reserved == 0;
    }
    bool operator==(GateJudgement const&) const = default;
};

/// What became of an order. Each may be told twice, late, and in any order.
struct GateNote {
    enum class Kind : std::uint8_t {
        confirm,  ///< committed
        cancel,   ///< cancelled
        release,  ///< refused: gives a reservation back
        expire,   ///< unknown to the store: the same, if its lease is over
        doubt,    ///< may have been committed: reserved until that is known
    };
    Kind kind = Kind::confirm;
    domain::IdempotencyKey key;
    std::string user = {};      ///< not of release and expire
    std::int64_t quantity = 0;  ///< the same
};

enum class GateTold : std::uint8_t { recorded, missing, taken_over };

/// A whole gate at one moment.
struct GateView {
    bool ready = false;
    std::string generation;
    std::int64_t stock = 0;
    std::int64_t version = 0;   ///< of the product, when it had that stock
    std::int64_t taken = 0;     ///< confirmed or reserved
    std::int64_t reserved = 0;  ///< of these
    std::int64_t changes = 0;
    std::vector<domain::IdempotencyKey> reservations;  ///< those that were asked for

    std::int64_t remaining() const { return stock - taken; }
};

/// Who builds: begun with a generation of one's own, or what stands there instead.
struct GateBegun {
    enum class State : std::uint8_t { begun, building, ready };
    State state = State::begun;
    std::string generation;
};

/// The gates of all sales as one shard sees them. Nothing here is the truth: it is the store that
/// decides, and a gate only spares it those attempts that it would refuse.
class Gate {
public:
    using Keys = std::unordered_set<domain::IdempotencyKey, domain::UuidHash>;

    Gate(RedisClient& redis, GateOptions options);
    Gate(Gate&&) = delete;

    /// One round trip, bounded by command_max and by `deadline`. deadline_exceeded and
    /// connection_lost: it may have been reserved; every other failure: it was not.
    asio::awaitable<Answer<GateJudgement>> admit(domain::ProductId sale, Attempt attempt,
                                                 SteadyTime deadline);

    /// Tells what became of orders, at once. `generation`: only to the unfinished gate of its own
    /// builder, whose lease it renews.
    asio::awaitable<Answer<GateTold>> record(domain::ProductId sale, std::vector<GateNote> notes,
                                             domain::Instant now, std::string generation,
                                             SteadyTime deadline);

    asio::awaitable<Answer<Reply>> restock(domain::ProductId sale, std::int64_t stock,
                                           std::int64_t version, SteadyTime deadline);

    /// With at most `limit` reservations whose lease ends by then (nullopt: of all). Nothing:
    /// there is no whole gate.
    asio::awaitable<Answer<std::optional<GateView>>> look(
        domain::ProductId sale, std::optional<domain::Instant> leases_end_by, std::size_t limit,
        SteadyTime deadline);

    /// Every key that the gate knows; nothing if they are more than `limit`, or the gate is not
    /// (any more) at that number of changes.
    asio::awaitable<Answer<std::optional<Keys>>> known_keys(domain::ProductId sale,
                                                            GateJudgement seen, std::size_t limit,
                                                            SteadyTime deadline);

    /// Begins to build in place of generation `seen` (empty: of none).
    asio::awaitable<Answer<GateBegun>> begin(domain::ProductId sale, GateRules rules,
                                             std::string seen, SteadyTime deadline);
    /// Opens what was begun. `goes_at`: when Redis may forget it. taken_over: another builds.
    asio::awaitable<Answer<GateTold>> finish(domain::ProductId sale, std::string generation,
                                             std::int64_t stock, std::int64_t version,
                                             std::optional<domain::Instant> goes_at,
                                             SteadyTime deadline);

    GateOptions const& options() const { return options_; }
    GateMetrics const& metrics() const { return metrics_; }

private:
    std::string key(domain::ProductId const& sale, std::string_view part) const;
    std::vector<std::string> keys(domain::ProductId const& sale) const;
    void show_breaker();

    RedisClient& redis_;
    GateOptions options_;
    Breaker breaker_;
    GateMetrics metrics_;
};

}  // namespace penstock::cache
