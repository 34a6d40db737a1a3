#include "server/http/event_feed.hpp"

#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include "reactor/deadline.hpp"
#include "tests/support/run.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;
using reactor::TaskGroup;
using server::BodySource;
using server::EventFeeds;
using server::FeedLimits;
using server::FeedNews;

constexpr domain::Uuid first_subject{{1}};
constexpr domain::Uuid second_subject{{2}};

FeedLimits quick_limits() {
    FeedLimits limits;
    limits.gap_min = 1ms;
    limits.failure_pause = 1ms;
    limits.watchers_max = 3;
    return limits;
}

/// Feeds over a number that the test sets, on the loop of the test.
struct Watched {
    explicit Watched(FeedLimits limits = quick_limits())
        : feeds(context.get_executor(), limits, "sale", reader()), group(context.get_executor()) {}

    EventFeeds::Read reader() {
        return [this](domain::Uuid, SteadyTime) { return read(); };
    }
    asio::awaitable<Result<FeedNews>> read() {
        ++reads;
        if (fails) co_return error_code(asio::error::broken_pipe);
        auto const text = std::to_string(state);
        FeedNews news;
        news.id = "v" + text;
        news.data = "{\"state\":" + text + "}";
        news.next_in = pause;
        co_return news;
    }
    /// Runs the test's coroutine beside the feeds, and ends them.
    template <class Body>
    void go(Body body) {
        auto const whole = [this, &body]() -> asio::awaitable<void> {
            group.spawn(feeds.run());
            co_await body();
            group.cancel();
            co_await group.join();
        };
        run(context, whole);
    }

    asio::io_context context{1};
    int state = 1;
    int reads = 0;
    bool fails = false;
    milliseconds pause{1};
    EventFeeds feeds;
    TaskGroup group;
};

std::string event(int state) {
    auto const text = std::to_string(state);
    return "id: v" + text + "\nevent: sale\ndata: {\"state\":" + text + "}\n\n";
}

asio::awaitable<std::string> piece_of(BodySource& source) {
    auto piece = co_await source.next();
    BOOST_REQUIRE(piece.has_value());
    co_return std::move(*piece);
}

asio::awaitable<void> until_read_again(Watched& watched, int times = 2) {
    int const wanted = watched.reads + times;
    while (watched.reads < wanted) {
        bool const awake = co_await reactor::sleep_until(steady_now() + 1ms);
        BOOST_REQUIRE(awake);
    }
}

BOOST_AUTO_TEST_SUITE(http_event_feed)

BOOST_AUTO_TEST_CASE(a_watcher_is_told_at_once_and_then_on_change) {
    Watched watched;
    watched.go([&]() -> asio::awaitable<void> {
        auto const source = watched.feeds.watch(first_subject, "", 1234ms);
        auto const greeting = co_await piece_of(*source);
        BOOST_TEST(greeting == "retry: 1234\n" + event(1));
        watched.state = 2;
        auto const change = co_await piece_of(*source);
        BOOST_TEST(change == event(2));
        BOOST_TEST(watched.feeds.metrics().events.get() == 2U);
    });
}

BOOST_AUTO_TEST_CASE(one_loop_reads_for_all_watchers_and_ends_with_the_last) {
    Watched watched;
    watched.go([&]() -> asio::awaitable<void> {
        auto one = watched.feeds.watch(first_subject, "", 1s);
        auto two = watched.feeds.watch(first_subject, "", 1s);
        auto other = watched.feeds.watch(second_subject, "", 1s);
        BOOST_TEST(watched.feeds.metrics().feeds.get() == 2U);
        BOOST_TEST(watched.feeds.metrics().watchers.get() == 3U);
        auto const to_one = co_await piece_of(*one);
        auto const to_two = co_await piece_of(*two);
        BOOST_TEST(to_one == to_two);
        one.reset();
        two.reset();
        other.reset();
        while (watched.feeds.metrics().feeds.get() > 0) {
            bool const awake = co_await reactor::sleep_until(steady_now() + 1ms);
            BOOST_REQUIRE(awake);
        }
        BOOST_TEST(watched.feeds.metrics().watchers.get() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(a_slow_watcher_gets_the_newest_state_only) {
    Watched watched;
    watched.go([&]() -> asio::awaitable<void> {
        auto const source = watched.feeds.watch(first_subject, "", 1s);
        co_await piece_of(*source);
        for (watched.state = 2; watched.state < 9; ++watched.state)
            co_await until_read_again(watched);
        co_await until_read_again(watched);
        auto const newest = co_await piece_of(*source);
        BOOST_TEST(newest == event(9));
    });
}

BOOST_AUTO_TEST_CASE(what_the_client_has_is_not_told_again) {
    Watched watched;
    watched.go([&]() -> asio::awaitable<void> {
        auto const source = watched.feeds.watch(first_subject, "v1", 1s);
        auto const greeting = co_await piece_of(*source);
        BOOST_TEST(greeting == "retry: 1000\n: still here\n\n");
        watched.state = 2;
        auto const change = co_await piece_of(*source);
        BOOST_TEST(change == event(2));
        auto const behind = watched.feeds.watch(first_subject, "v1", 1s);
        auto const newest = co_await piece_of(*behind);
        BOOST_TEST(newest == "retry: 1000\n" + event(2));
    });
}

BOOST_AUTO_TEST_CASE(watchers_are_bounded_over_all_feeds) {
    Watched watched;
    watched.go([&]() -> asio::awaitable<void> {
        auto one = watched.feeds.watch(first_subject, "", 1s);
        auto const two = watched.feeds.watch(first_subject, "", 1s);
        auto const three = watched.feeds.watch(second_subject, "", 1s);
        BOOST_TEST(!watched.feeds.watch(second_subject, "", 1s));
        BOOST_TEST(watched.feeds.metrics().refused.get() == 1U);
        one.reset();
        BOOST_TEST(bool(watched.feeds.watch(second_subject, "", 1s)));
        co_return;
    });
}

BOOST_AUTO_TEST_CASE(silence_is_filled_with_heartbeats) {
    auto limits = quick_limits();
    limits.heartbeat = 2ms;
    Watched watched(limits);
    watched.go([&]() -> asio::awaitable<void> {
        auto const source = watched.feeds.watch(first_subject, "v1", 1s);
        co_await piece_of(*source);
        auto const beat = co_await piece_of(*source);
        BOOST_TEST(beat == ": still here\n\n");
    });
}

BOOST_AUTO_TEST_CASE(a_read_that_fails_is_tried_again) {
    Watched watched;
    watched.fails = true;
    watched.go([&]() -> asio::awaitable<void> {
        auto const source = watched.feeds.watch(first_subject, "", 1s);
        co_await until_read_again(watched, 3);
        watched.fails = false;
        auto const greeting = co_await piece_of(*source);
        BOOST_TEST(greeting.ends_with(event(1)));
        BOOST_TEST(watched.feeds.metrics().failures.get() >= 3U);
    });
}

BOOST_AUTO_TEST_CASE(reads_are_at_least_the_gap_apart) {
    auto limits = quick_limits();
    limits.gap_min = 50ms;
    Watched watched(limits);
    watched.pause = 0ms;
    watched.go([&]() -> asio::awaitable<void> {
        auto const began = steady_now();
        auto const source = watched.feeds.watch(first_subject, "", 1s);
        co_await until_read_again(watched, 3);
        BOOST_TEST((steady_now() - began >= 100ms));
    });
}

BOOST_AUTO_TEST_CASE(a_finished_watcher_ends_also_while_it_waits) {
    Watched watched;
    watched.go([&]() -> asio::awaitable<void> {
        auto const source = watched.feeds.watch(first_subject, "v1", 1s);
        co_await piece_of(*source);
        asio::post(watched.context, [&] { source->finish(); });
        auto const end = co_await piece_of(*source);
        BOOST_TEST(end.empty());
    });
}

BOOST_AUTO_TEST_CASE(feeds_that_have_ended_take_no_watcher) {
    Watched watched;
    watched.go([]() -> asio::awaitable<void> { co_return; });
    BOOST_TEST(!watched.feeds.watch(first_subject, "", 1s));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
