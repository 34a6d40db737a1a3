// HOW many clients watch one thing: it is read once for all of them, and each is told the newest.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "domain/ids.hpp"
#include "reactor/counters.hpp"
#include "reactor/pulse.hpp"
#include "reactor/task_group.hpp"
#include "server/http/response.hpp"

namespace penstock::server {

struct FeedLimits {
    milliseconds gap_min{100};       ///< between two reads, and between two events to one watcher
    milliseconds heartbeat{15'000};  ///< a comment, where nothing else was sent for so long
    milliseconds read_timeout{2'000};
    milliseconds failure_pause{1'000};
    std::size_t watchers_max = 10'000;  ///< of all feeds of the shard together
};

/// What is watched, as it stood when it was read.
struct FeedNews {
    std::string id;           ///< another one when there is something to tell
    std::string data;         ///< one line
    milliseconds next_in{0};  ///< when it may be otherwise: the pause until the next read
};

struct FeedMetrics {
    reactor::Count feeds;     ///< a gauge
    reactor::Count watchers;  ///< a gauge
    reactor::Count refused;   ///< watchers above the limit
    reactor::Count reads;
    reactor::Count failures;  ///< reads without an answer
    reactor::Count events;    ///< sent, to all watchers
    reactor::Count heartbeats;
};

/// The server-sent event feeds of one kind on one shard. A feed exists while it has watchers and
/// is read by one loop; a watcher that reads slowly misses states, never the newest one, and
/// nothing is queued for it.
class EventFeeds {
public:
    using Read =
        std::function<asio::awaitable<Result<FeedNews>>(domain::Uuid subject, SteadyTime deadline)>;

    EventFeeds(asio::any_io_executor executor, FeedLimits limits, std::string event_name,
               Read read);
    EventFeeds(EventFeeds&&) = delete;
    ~EventFeeds();

    /// The body of a `text/event-stream`. What `last_event_id` names is known there already and
    /// not told again. Null: there are as many watchers as there may be.
    std::unique_ptr<BodySource> watch(domain::Uuid subject, std::string last_event_id,
                                      milliseconds reconnect_after);

    /// Owns the reading; ends on cancellation.
    asio::awaitable<void> run();

    FeedMetrics const& metrics() const { return metrics_; }

private:
    struct Feed;
    class Watcher;

    asio::awaitable<void> follow(std::shared_ptr<Feed> feed);
    void publish(Feed& feed, FeedNews news);

    asio::any_io_executor executor_;
    FeedLimits limits_;
    std::string event_name_;
    Read read_;
    FeedMetrics metrics_;
    std::unordered_map<domain::Uuid, std::shared_ptr<Feed>, domain::UuidHash> feeds_;
    reactor::TaskGroup loops_;
    reactor::Pulse ended_;
    std::size_t watchers_ = 0;
    bool closed_ = false;
};

}  // namespace penstock::server
