#include "reactor/collector.hpp"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>
#include <vector>

#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"
#include "tests/support/run.hpp"

using namespace penstock;
using namespace penstock::reactor;

namespace {

using Replies = std::vector<Result<int>>;
using Execute = std::function<asio::awaitable<Replies>(std::vector<int>)>;

/// Asks for 0 to count - 1 at once, tells `answered` of each reply, and ends when all are in.
void ask_all(asio::io_context& context, BatchLimits limits, int count, Execute execute,
             std::function<void(int)> answered) {
    Collector<int, int> collector(context.get_executor(), limits, std::move(execute));
    TaskGroup tasks(context.get_executor()), clients(context.get_executor());
    auto ask = [&](int n) -> asio::awaitable<void> {
        auto const reply = co_await collector.submit(n, steady_now() + std::chrono::seconds{5});
        BOOST_TEST(reply.value() == n);
        answered(n);
    };
    auto body = [&]() -> asio::awaitable<void> {
        for (int n = 0; n < count; ++n) clients.spawn(ask(n));
        tasks.spawn(collector.run());
        co_await clients.join();
        collector.close();
        co_await tasks.join();
    };
    tests::run(context, body);
}

void ask_all(BatchLimits limits, int count, Execute execute, std::function<void(int)> answered) {
    asio::io_context context{1};
    ask_all(context, limits, count, std::move(execute), std::move(answered));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(collector)

BOOST_AUTO_TEST_CASE(in_a_crowd_a_batch_begins_before_the_replies_of_the_last_are_handed_out) {
    std::vector<std::string> events;
    auto execute = [&](std::vector<int> requests) -> asio::awaitable<Replies> {
        events.push_back("batch");
        Replies replies(requests.begin(), requests.end());
        co_await sleep_until(steady_now() + milliseconds{1});
        co_return replies;
    };
    BatchLimits limits;
    limits.items_max = 2;
    ask_all(limits, 6, execute, [&](int n) { events.push_back(std::to_string(n)); });
    std::vector<std::string> const expected{"batch", "batch", "0", "1", "batch",
                                            "2",     "3",     "4", "5"};
    BOOST_TEST(events == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(whoever_comes_while_many_replies_go_out_does_not_wait_for_all_of_them) {
    constexpr int crowd = 200;
    int answered = 0, answered_before_it = 0;
    asio::io_context context{1};
    auto execute = [](std::vector<int> requests) -> asio::awaitable<Replies> {
        co_return Replies(requests.begin(), requests.end());
    };
    BatchLimits limits;
    limits.items_max = crowd;
    ask_all(context, limits, crowd, execute, [&](int) {
        if (++answered == 1) asio::post(context, [&] { answered_before_it = answered; });
    });
    BOOST_TEST(answered == crowd);
    BOOST_TEST(answered_before_it > 0);
    BOOST_TEST(answered_before_it < crowd / 4);
}

BOOST_AUTO_TEST_CASE(a_consumer_that_never_waits_still_lets_replies_out) {
    int begun = 0, begun_at_first = 0;
    auto execute = [&](std::vector<int> requests) -> asio::awaitable<Replies> {
        ++begun;
        co_return Replies(requests.begin(), requests.end());
    };
    BatchLimits limits;
    limits.items_max = 1;
    auto answered = [&](int n) {
        if (n == 0) begun_at_first = begun;
    };
    ask_all(limits, 20, execute, answered);
    BOOST_TEST(begun == 20);
    BOOST_TEST(begun_at_first < 5);
}

BOOST_AUTO_TEST_CASE(a_batch_never_holds_more_than_items_max_and_keeps_the_order) {
    asio::io_context context{1};
    std::vector<std::vector<int>> batches;
    auto execute = [&](std::vector<int> requests) -> asio::awaitable<std::vector<Result<int>>> {
        batches.push_back(requests);
        std::vector<Result<int>> replies;
        for (int request : requests) replies.push_back(request * 10);
        co_await sleep_until(steady_now() + milliseconds{1});
        co_return replies;
    };
    BatchLimits limits;
    limits.items_max = 4;
    Collector<int, int> collector(context.get_executor(), limits, execute);
    TaskGroup tasks(context.get_executor());
    tasks.spawn(collector.run());
    int answered = 0;
    auto ask = [&](int n) -> asio::awaitable<void> {
        auto reply = co_await collector.submit(n, steady_now() + std::chrono::seconds{5});
        BOOST_TEST(reply.value() == n * 10);
        ++answered;
    };
    for (int n = 0; n < 11; ++n) tasks.spawn(ask(n));
    auto close = [&]() -> asio::awaitable<void> {
        while (answered < 11) co_await sleep_until(steady_now() + milliseconds{1});
        collector.close();
        co_await tasks.join();
    };
    tests::run(context, close);
    BOOST_TEST(batches.size() == 3u);
    int next = 0;
    for (auto const& batch : batches) {
        BOOST_TEST(batch.size() <= 4u);
        for (int item : batch) BOOST_TEST(item == next++);
    }
}

BOOST_AUTO_TEST_CASE(a_delay_closes_a_batch_by_age_and_never_sooner) {
    asio::io_context context{1};
    auto execute = [](std::vector<int> requests) -> asio::awaitable<Replies> {
        BOOST_TEST(requests.size() == 3U);
        co_return Replies(requests.begin(), requests.end());
    };
    BatchLimits limits;
    limits.delay_max = milliseconds{30};
    limits.flush_when_idle = false;
    Collector<int, int> collector(context.get_executor(), limits, execute);
    TaskGroup tasks(context.get_executor()), clients(context.get_executor());
    auto ask = [&](int n) -> asio::awaitable<void> {
        auto const began = steady_now();
        auto const reply = co_await collector.submit(n, steady_now() + std::chrono::seconds{20});
        BOOST_TEST(reply.value() == n);
        if (n == 0) BOOST_TEST((steady_now() - began >= limits.delay_max));
    };
    auto body = [&]() -> asio::awaitable<void> {
        tasks.spawn(collector.run());
        for (int n = 0; n < 3; ++n) clients.spawn(ask(n));
        co_await clients.join();
        collector.close();
        co_await tasks.join();
    };
    tests::run(context, body);
    BOOST_TEST(collector.metrics().batches_by_age.get() == 1U);
    BOOST_TEST(collector.metrics().batches_by_size.get() == 0U);
    BOOST_TEST(collector.metrics().batches_by_idle.get() == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_batch_does_not_wait_for_its_delay) {
    asio::io_context context{1};
    auto execute = [](std::vector<int> requests) -> asio::awaitable<Replies> {
        co_return Replies(requests.begin(), requests.end());
    };
    BatchLimits limits;
    limits.items_max = 3;
    limits.delay_max = std::chrono::hours{1};
    limits.flush_when_idle = false;
    // Who had to wait for the delay would miss the deadline of ask_all().
    ask_all(context, limits, 6, execute, [](int) {});
}

BOOST_AUTO_TEST_SUITE_END()
