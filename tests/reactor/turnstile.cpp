// How many may be inside at once?
#include "reactor/turnstile.hpp"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "reactor/task_group.hpp"
#include "reactor/turn.hpp"
#include "tests/support/run.hpp"

using namespace penstock;
using namespace penstock::reactor;

namespace {

SteadyTime soon() { return steady_now() + std::chrono::seconds{20}; }

/// Who got in, in order, and why the others did not.
struct Log {
    std::vector<int> in;
    std::vector<error_code> refused;
};

asio::awaitable<void> come(Turnstile& turnstile, Log& log, int who, SteadyTime deadline) {
    auto const error = co_await turnstile.enter(deadline);
    if (error)
        log.refused.push_back(error);
    else
        log.in.push_back(who);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(turnstile)

BOOST_AUTO_TEST_CASE(first_come_first_in) {
    tests::run([]() -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        Turnstile turnstile(executor, 10);
        Log log;
        TaskGroup tasks(executor);
        for (int who = 0; who < 5; ++who) tasks.spawn(come(turnstile, log, who, soon()));
        co_await whole_turn();
        BOOST_TEST(turnstile.waiting() == 5u);
        turnstile.open_to(2);
        co_await whole_turn();
        BOOST_TEST(log.in.size() == 2u);
        turnstile.leave();
        turnstile.leave();
        co_await whole_turn();
        BOOST_TEST(log.in.size() == 4u);
        turnstile.open_to(3);
        co_await tasks.join(soon());
        BOOST_TEST(log.in == (std::vector{0, 1, 2, 3, 4}), boost::test_tools::per_element());
        BOOST_TEST(turnstile.inside() == 3u);
    });
}

BOOST_AUTO_TEST_CASE(the_line_is_bounded) {
    tests::run([]() -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        Turnstile turnstile(executor, 1);
        Log log;
        TaskGroup tasks(executor);
        for (int who = 0; who < 2; ++who) tasks.spawn(come(turnstile, log, who, soon()));
        co_await whole_turn();
        BOOST_TEST(log.refused.size() == 1u);
        BOOST_TEST((log.refused[0] == Errc::overloaded));
        turnstile.open_to(1);
        co_await tasks.join(soon());
        BOOST_TEST(log.in.size() == 1u);
    });
}

BOOST_AUTO_TEST_CASE(whoever_gives_up_leaves_the_line) {
    tests::run([]() -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        Turnstile turnstile(executor, 10);
        Log log;
        auto const late = co_await turnstile.enter(steady_now());
        BOOST_TEST((late == Errc::deadline_exceeded));
        TaskGroup tasks(executor);
        tasks.spawn(come(turnstile, log, 1, soon()));
        co_await whole_turn();
        BOOST_TEST(turnstile.waiting() == 1u);
        tasks.cancel();
        co_await tasks.join(soon());
        BOOST_TEST_REQUIRE(log.refused.size() == 1u);
        BOOST_TEST((log.refused[0] == asio::error::operation_aborted));
        BOOST_TEST(turnstile.waiting() == 0u);
        BOOST_TEST(turnstile.inside() == 0u);
    });
}

BOOST_AUTO_TEST_CASE(a_narrower_turnstile_waits_until_enough_have_left) {
    tests::run([]() -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        Turnstile turnstile(executor, 10);
        turnstile.open_to(2);
        Log log;
        co_await come(turnstile, log, 0, soon());
        co_await come(turnstile, log, 1, soon());
        turnstile.open_to(1);
        TaskGroup tasks(executor);
        tasks.spawn(come(turnstile, log, 2, soon()));
        co_await whole_turn();
        BOOST_TEST(turnstile.waiting() == 1u);
        turnstile.leave();
        BOOST_TEST(turnstile.waiting() == 1u);
        turnstile.leave();
        BOOST_TEST(turnstile.waiting() == 0u);
        co_await tasks.join(soon());
        BOOST_TEST(log.in.size() == 3u);
    });
}

BOOST_AUTO_TEST_SUITE_END()
