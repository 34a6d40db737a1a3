#include "reactor/collector.hpp"

#include <boost/test/unit_test.hpp>

#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"
#include "tests/support/run.hpp"

using namespace penstock;
using namespace penstock::reactor;

BOOST_AUTO_TEST_SUITE(collector)

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

BOOST_AUTO_TEST_SUITE_END()
