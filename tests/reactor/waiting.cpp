// Pulse, Promise, TaskGroup and deadlines: the few ways in which this program waits.
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "reactor/deadline.hpp"
#include "reactor/promise.hpp"
#include "reactor/pulse.hpp"
#include "reactor/task_group.hpp"
#include "tests/support/run.hpp"

using namespace penstock;
using namespace penstock::reactor;

namespace {

SteadyTime in(milliseconds time) { return steady_now() + time; }

asio::awaitable<Result<int>> stall() {
    auto const slept = co_await sleep_until(in(milliseconds{60'000}));
    co_return slept ? 1 : 0;
}

asio::awaitable<Result<int>> fail() {
    co_await asio::this_coro::executor;
    throw std::logic_error("wrong");
}

/// Ends by an exception when it is cancelled, as most of Asio's own operations do.
asio::awaitable<Result<int>> stall_and_throw() {
    auto const executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    timer.expires_at(in(milliseconds{60'000}));
    co_await timer.async_wait(asio::use_awaitable);
    co_return 1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(waiting)

BOOST_AUTO_TEST_CASE(a_pulse_that_nobody_waits_for_is_kept) {
    asio::io_context context{1};
    Pulse pulse(context.get_executor());
    auto body = [&]() -> asio::awaitable<void> {
        pulse.notify();
        auto const start = steady_now();
        bool const awake = co_await pulse.wait(in(milliseconds{20'000}));
        BOOST_TEST(awake);
        BOOST_TEST((steady_now() - start < milliseconds{15'000}));
    };
    tests::run(context, body);
}

BOOST_AUTO_TEST_CASE(a_promise_answers_its_waiter_and_forgets_a_late_value) {
    asio::io_context context{1};
    auto body = [&]() -> asio::awaitable<void> {
        Promise<int> promise(context.get_executor());
        auto late = co_await promise.wait(in(milliseconds{1}));
        BOOST_TEST((late.error() == Errc::deadline_exceeded));
        Promise<int> kept(context.get_executor());
        asio::post(context, [&] { kept.set(7); });
        auto value = co_await kept.wait(in(milliseconds{5'000}));
        BOOST_TEST(value.value() == 7);
        promise.set(1);
        promise.set(2);
    };
    tests::run(context, body);
}

BOOST_AUTO_TEST_CASE(with_deadline_cancels_what_takes_too_long) {
    auto body = []() -> asio::awaitable<void> {
        auto const start = steady_now();
        auto result = co_await with_deadline(stall(), in(milliseconds{2}));
        BOOST_TEST((result.error() == Errc::deadline_exceeded));
        BOOST_TEST((steady_now() - start < milliseconds{5'000}));
    };
    tests::run(body);
}

BOOST_AUTO_TEST_CASE(with_deadline_throws_on_what_the_operation_throws_and_at_once) {
    auto body = []() -> asio::awaitable<void> {
        auto const start = steady_now();
        bool caught = false;
        try {
            co_await with_deadline(fail(), never);
        } catch (std::logic_error const&) {
            caught = true;
        }
        BOOST_TEST(caught);
        BOOST_TEST((steady_now() - start < milliseconds{5'000}));
    };
    tests::run(body);
}

BOOST_AUTO_TEST_CASE(a_cancelled_wait_with_a_deadline_ends_with_an_error_and_throws_nothing) {
    asio::io_context context{1};
    TaskGroup tasks(context.get_executor());
    std::vector<std::string> ends;
    auto wait = [&](asio::awaitable<Result<int>> operation) -> asio::awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        try {
            auto const result = co_await with_deadline(std::move(operation), never);
            ends.push_back(result ? "value" : result.error().message());
        } catch (...) {
            ends.emplace_back("thrown");
        }
    };
    auto body = [&]() -> asio::awaitable<void> {
        tasks.spawn(wait(stall()));
        tasks.spawn(wait(stall_and_throw()));
        co_await asio::post(context, asio::deferred);
        tasks.cancel();
        co_await tasks.join(in(milliseconds{5'000}));
    };
    tests::run(context, body);
    BOOST_TEST_REQUIRE(ends.size() == 2U);
    for (auto const& end : ends) BOOST_TEST(end != "thrown");
}

BOOST_AUTO_TEST_CASE(nobody_sleeps_who_was_cancelled_while_he_was_busy) {
    asio::io_context context{1};
    TaskGroup tasks(context.get_executor());
    bool has_slept = true;
    auto task = [&]() -> asio::awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        // Ends as if nothing had happened, in the turn of the cancellation.
        co_await asio::post(context, asio::deferred);
        has_slept = co_await sleep_until(in(milliseconds{60'000}));
    };
    auto body = [&]() -> asio::awaitable<void> {
        tasks.spawn(task());
        tasks.cancel();
        bool const joined = co_await tasks.join(in(milliseconds{15'000}));
        BOOST_TEST_REQUIRE(joined);
    };
    tests::run(context, body);
    BOOST_TEST(!has_slept);
}

BOOST_AUTO_TEST_CASE(a_group_is_joined_after_cancel_and_not_before) {
    asio::io_context context{1};
    TaskGroup tasks(context.get_executor());
    int ended = 0;
    auto task = [&]() -> asio::awaitable<void> {
        co_await sleep_until(in(milliseconds{60'000}));
        ++ended;
    };
    auto body = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i) tasks.spawn(task());
        bool const early = co_await tasks.join(in(milliseconds{2}));
        BOOST_TEST(!early);
        tasks.cancel();
        bool const joined = co_await tasks.join(in(milliseconds{5'000}));
        BOOST_TEST(joined);
        BOOST_TEST(ended == 3);
    };
    tests::run(context, body);
}

BOOST_AUTO_TEST_SUITE_END()
