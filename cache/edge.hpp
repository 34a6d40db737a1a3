// HAS this idempotency key been answered, and is anybody at it: asked of Redis before PostgreSQL.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "cache/breaker.hpp"
#include "cache/edge_record.hpp"
#include "cache/redis/command.hpp"
#include "cache/redis/error.hpp"
#include "cache/redis/reply.hpp"
#include "domain/model.hpp"
#include "reactor/counters.hpp"
#include "reactor/promise.hpp"

namespace penstock::cache {

class RedisClient;

struct EdgeOptions {
    /// A mark lives so long unless it is renewed: how long a crashed server blocks its keys.
    milliseconds lease{3'000};
    /// How long a finished answer stands in Redis.
    milliseconds answer_kept{60'000};
    /// How long a request waits for Redis before it goes on without.
    milliseconds command_max{5};
    /// How long a repetition waits for whoever is at its key: most are done by then, and what is
    /// still running is refused. The first of several repetitions may itself be one.
    milliseconds join_max{250};
    /// Requests that may wait so; more are refused at once.
    std::size_t joined_max = 4'096;
    /// Longer bodies are left to the database, which keeps them shorter.
    std::size_t body_bytes_max = 16 << 10;
    /// Releases and answers that wait for a lost connection to come back.
    std::size_t unsent_max = 4'096;
    BreakerLimits breaker{.failures_in_a_row = 3};
    /// Which database's keys these are: two installations on one Redis do not see each other's.
    domain::Uuid database;
};

struct EdgeMetrics {
    reactor::Count marked;           ///< fresh keys: the request went on to the database
    reactor::Count replayed;         ///< answered from Redis
    reactor::Count replayed_here;    ///< answered by the request that was at the key
    reactor::Count reused;           ///< 422 from Redis
    reactor::Count in_flight_here;   ///< 409: this event loop is at it
    reactor::Count in_flight_there;  ///< 409: somebody else is
    // Requests that went on to the database unmarked, by reason:
    reactor::Count bypassed_down;       ///< not connected, or the connection was lost
    reactor::Count bypassed_breaker;    ///< Redis was too slow a moment ago
    reactor::Count bypassed_late;       ///< command_max passed
    reactor::Count bypassed_refused;    ///< an error reply: wrong type, out of memory …
    reactor::Count bypassed_malformed;  ///< what is there is no record of ours
    reactor::Count answers_stored;
    reactor::Count answers_too_large;
    reactor::Count released;
    reactor::Count renewed;
    reactor::Count unsent_dropped;  ///< unsent_max reached, or too old to matter
    reactor::Count breaker_openings;
    reactor::Count breaker_state;  ///< a gauge: BreakerState as a number
    reactor::Count in_flight;      ///< a gauge
    reactor::Count joined;         ///< a gauge: requests that wait for another's answer
    reactor::Histogram wait;       ///< what it costs a request; Histogram::duration_unit
};

/// One per shard. It only ever saves work: a mark gives a 409 while its lease is alive, an answer
/// is written after its commit was acknowledged, and whatever Redis does, the request that comes
/// out of here goes on to a database path that is exactly-once by itself. Tickets end before it.
class Edge {
    /// What became of a key: its answer, or null when it was left without one and is free.
    using End = std::shared_ptr<EdgeAnswer const>;
    using Joined = reactor::Promise<End>;

    /// One key that a request of this event loop is working on.
    struct Flight {
        std::string redis_key;
        domain::Fingerprint fingerprint{};
        EdgeMark mark;
        /// Redis may hold our mark, or garbage that our answer will replace.
        bool concerns_redis = false;
        SteadyTime renew_at{};
        /// Repetitions of it on this event loop.
        std::vector<std::shared_ptr<Joined>> joined;
    };
    using Flights = std::unordered_map<domain::IdempotencyKey, Flight, domain::UuidHash>;

public:
    /// The right to work on a key. It ends with finish(), or unanswered with its own life: then
    /// the key is free at once.
    class Ticket {
    public:
        Ticket(Ticket&& other) noexcept
            : edge_(std::exchange(other.edge_, nullptr)), flight_(other.flight_) {}
        Ticket& operator=(Ticket&&) = delete;
        ~Ticket() {
            if (edge_ != nullptr) edge_->release(*flight_);
        }

        /// The answer is durable: repetitions may be answered from Redis from now on. Nobody
        /// waits for it. At most once.
        void finish(unsigned status, std::string_view body);

    private:
        friend class Edge;
        Ticket(Edge& edge, Flights::value_type& flight) : edge_(&edge), flight_(&flight) {}

        Edge* edge_;
        Flights::value_type* flight_;
    };

    struct Replay {
        unsigned status = 0;
        std::string body;
    };
    /// The key was used with another request.
    struct Reused {};
    /// A request with this key is running.
    struct InFlight {};
    using Entry = std::variant<Ticket, Replay, Reused, InFlight>;

    /// `redis` null: only what is in flight on this event loop is known. `owner`: a number that
    /// no other edge has.
    Edge(RedisClient* redis, EdgeOptions options, std::uint64_t owner);
    Edge(Edge&&) = delete;
    ~Edge();  ///< asserts that no ticket is left

    /// One round trip, or less, bounded by command_max and by `deadline`; if somebody is at the
    /// key, up to join_max for what that comes to. It never fails: where Redis is of no help, the
    /// answer is a ticket.
    asio::awaitable<Entry> enter(domain::OrganizationId organization, domain::KeyUse use,
                                 SteadyTime deadline);

    /// Renews the marks of requests that take long; ends on cancellation.
    asio::awaitable<void> run();

    EdgeMetrics const& metrics() const { return metrics_; }

private:
    struct Mine {};  ///< marked, or gone past: the key is this request's
    using Found = std::variant<Mine, EdgeAnswer, InFlight>;

    asio::awaitable<Entry> begin(Flights::value_type& flight, std::string redis_key,
                                 SteadyTime join_until, SteadyTime deadline);
    asio::awaitable<Found> ask(Flight& flight, SteadyTime deadline);
    asio::awaitable<std::optional<End>> join(Flight& flight, SteadyTime until);
    Entry repeat(EdgeAnswer const& answer, domain::Fingerprint const& fingerprint,
                 reactor::Count& counter);
    static void tell(Flight& flight, End end);

    std::optional<Breaker::Pass> admit();
    asio::awaitable<Answer<Reply>> set_mark(Flight const& flight, Breaker::Pass pass,
                                            SteadyTime deadline);
    asio::awaitable<bool> is_alive(std::string redis_key, SteadyTime deadline);
    void count_bypass(Failure const& failure);
    std::string redis_key(domain::OrganizationId const& organization,
                          domain::IdempotencyKey const& key) const;

    void finish(Flights::value_type& flight, unsigned status, std::string_view body);
    void release(Flights::value_type& flight);
    void renew_marks(SteadyTime now);
    void post(Command command);
    void post_unsent();
    void show_breaker();

    struct Unsent {
        Command command;
        SteadyTime until;
    };

    RedisClient* redis_;
    EdgeOptions options_;
    std::uint64_t owner_;
    std::uint64_t flights_begun_ = 0;
    Breaker breaker_;
    Flights flights_;
    std::deque<Unsent> unsent_;
    EdgeMetrics metrics_;
};

}  // namespace penstock::cache
