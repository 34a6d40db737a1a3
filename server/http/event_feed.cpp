// HOW many clients watch one thing.
#include "server/http/event_feed.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "reactor/deadline.hpp"
#include "server/http/watch_schedule.hpp"

namespace penstock::server {
namespace {

constexpr std::string_view heartbeat_text = ": still here\n\n";

}  // namespace

struct EventFeeds::Feed {
    explicit Feed(domain::Uuid its_subject) : subject(its_subject) {}

    domain::Uuid subject;
    std::string id;              ///< of the newest state
    std::string event;           ///< the newest state as it is sent
    std::uint64_t sequence = 0;  ///< of states; 0: nothing is known yet
    std::list<Watcher*> watchers;
};

class EventFeeds::Watcher final : public BodySource {
public:
    Watcher(EventFeeds& owner, std::shared_ptr<Feed> feed, std::string last_event_id,
            milliseconds reconnect_after)
        : owner_(owner),
          feed_(std::move(feed)),
          known_(std::move(last_event_id)),
          reconnect_after_(reconnect_after),
          schedule_(owner.limits_.gap_min, owner.limits_.heartbeat, steady_now()),
          woken_(owner.executor_),
          place_(feed_->watchers.insert(feed_->watchers.end(), this)) {
        owner_.metrics_.watchers.set(++owner_.watchers_);
    }
    Watcher(Watcher&&) = delete;
    ~Watcher() override {
        feed_->watchers.erase(place_);
        owner_.metrics_.watchers.set(--owner_.watchers_);
    }

    bool is_endless() const override { return true; }
    void finish() override {
        finished_ = true;
        woken_.notify();
    }
    void wake() { woken_.notify(); }

    asio::awaitable<Result<std::string>> next() override {
        while (!finished_) {
            auto const now = steady_now();
            bool const has_news = feed_->sequence != seen_;
            auto const due = schedule_.due(now, has_news);
            if (due != WatchSchedule::Due::nothing) {
                schedule_.sent(due, now);
                co_return text_of(due);
            }
            bool const awake = co_await woken_.wait(schedule_.due_at(has_news));
            if (!awake) co_return error_code(asio::error::operation_aborted);
        }
        co_return std::string();
    }

private:
    std::string text_of(WatchSchedule::Due due) {
        std::string text;
        if (std::exchange(greets_, false))
            text = "retry: " + std::to_string(reconnect_after_.count()) + "\n";
        bool const has_event = due == WatchSchedule::Due::event && known_ != feed_->id;
        if (due == WatchSchedule::Due::event) seen_ = feed_->sequence;
        auto& counted = has_event ? owner_.metrics_.events : owner_.metrics_.heartbeats;
        counted.add();
        if (!has_event) return text.append(heartbeat_text);
        known_ = feed_->id;
        return text + feed_->event;
    }

    EventFeeds& owner_;
    std::shared_ptr<Feed> feed_;
    std::string known_;  ///< the state that the client has
    milliseconds reconnect_after_;
    WatchSchedule schedule_;
    reactor::Pulse woken_;
    std::list<Watcher*>::iterator place_;
    std::uint64_t seen_ = 0;
    bool greets_ = true;
    bool finished_ = false;
};

EventFeeds::EventFeeds(asio::any_io_executor executor, FeedLimits limits, std::string event_name,
                       Read read)
    : executor_(executor),
      limits_(limits),
      event_name_(std::move(event_name)),
      read_(std::move(read)),
      loops_(executor),
      ended_(executor) {}

EventFeeds::~EventFeeds() = default;

std::unique_ptr<BodySource> EventFeeds::watch(domain::Uuid subject, std::string last_event_id,
                                              milliseconds reconnect_after) {
    if (closed_ || watchers_ >= limits_.watchers_max) {
        metrics_.refused.add();
        return nullptr;
    }
    auto& feed = feeds_[subject];
    bool const is_new = feed == nullptr;
    if (is_new) feed = std::make_shared<Feed>(subject);
    auto watcher =
        std::make_unique<Watcher>(*this, feed, std::move(last_event_id), reconnect_after);
    metrics_.feeds.set(feeds_.size());
    if (is_new) loops_.spawn(follow(feed));
    return watcher;
}

asio::awaitable<void> EventFeeds::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        bool const awake = co_await ended_.wait();
        if (!awake) break;
    }
    co_await asio::this_coro::reset_cancellation_state();
    closed_ = true;
    loops_.cancel();
    co_await loops_.join();
}

/// The one reader of a feed, for as long as somebody watches.
asio::awaitable<void> EventFeeds::follow(std::shared_ptr<Feed> feed) {
    while (!feed->watchers.empty()) {
        auto const deadline = steady_now() + limits_.read_timeout;
        auto news = co_await read_(feed->subject, deadline);
        metrics_.reads.add();
        if (!news) metrics_.failures.add();
        auto pause = limits_.failure_pause;
        if (news) pause = std::max(news->next_in, limits_.gap_min);
        if (news) publish(*feed, std::move(*news));
        bool const awake = co_await reactor::sleep_until(steady_now() + pause);
        if (!awake) break;
    }
    feeds_.erase(feed->subject);
    metrics_.feeds.set(feeds_.size());
}

void EventFeeds::publish(Feed& feed, FeedNews news) {
    if (feed.sequence > 0 && news.id == feed.id) return;
    feed.id = std::move(news.id);
    feed.event = "id: " + feed.id + "\nevent: " + event_name_ + "\ndata: " + news.data + "\n\n";
    ++feed.sequence;
    for (auto* watcher : feed.watchers) watcher->wake();
}

}  // namespace penstock::server
