#include "server/periodic.hpp"

#include <boost/test/unit_test.hpp>

#include "db/pg/error.hpp"
#include "reactor/task_group.hpp"
#include "tests/support/run.hpp"

using namespace penstock;
using namespace penstock::server;

namespace {

/// Runs work until it has run `runs` times, then cancels it.
struct Fixture {
    asio::io_context context{1};
    std::function<Result<std::size_t>(int run)> script;
    std::function<std::uint32_t()> random = [] { return std::uint32_t{0}; };
    PeriodicOptions options{
        milliseconds{1}, milliseconds{30'000}, {milliseconds{1}, milliseconds{2}, milliseconds{0}}};
    int failures_told = 0;

    /// The instants at which the runs began.
    std::vector<SteadyTime> run_until(int runs, PeriodicMetrics const*& metrics,
                                      std::unique_ptr<Periodic>& periodic) {
        std::vector<SteadyTime> starts;
        reactor::Pulse enough(context.get_executor());
        Periodic::Work work = [&](SteadyTime deadline) -> asio::awaitable<Result<std::size_t>> {
            BOOST_TEST((deadline > steady_now()));
            starts.push_back(steady_now());
            int const run = static_cast<int>(starts.size());
            if (run == runs) enough.notify();
            co_return script(run);
        };
        periodic = std::make_unique<Periodic>(options, work, random,
                                              [this](error_code) { ++failures_told; });
        metrics = &periodic->metrics();
        auto body = [&]() -> asio::awaitable<void> {
            reactor::TaskGroup tasks(context.get_executor());
            tasks.spawn(periodic->run());
            co_await enough.wait();
            tasks.cancel();
            bool const ended = co_await tasks.join(steady_now() + std::chrono::seconds{20});
            BOOST_TEST(ended);
        };
        tests::run(context, body);
        return starts;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(periodic, Fixture)

BOOST_AUTO_TEST_CASE(an_interval_is_spread_around_its_length) {
    BOOST_TEST(jittered(milliseconds{1'000}, 0).count() == 500);
    BOOST_TEST(jittered(milliseconds{1'000}, 1U << 31U).count() == 1'000);
    BOOST_TEST(jittered(milliseconds{1'000}, 0xFFFFFFFF).count() == 1'500);
}

BOOST_AUTO_TEST_CASE(while_there_is_more_it_runs_at_once_again_and_then_waits) {
    options.interval = milliseconds{400};
    // Every pause asks for its length.
    int pauses = 0;
    random = [&] {
        ++pauses;
        return std::uint32_t{0};
    };
    std::vector<int> pauses_before;
    script = [&](int run) {
        pauses_before.push_back(pauses);
        return run < 4 ? std::size_t{10} : std::size_t{0};
    };
    PeriodicMetrics const* metrics = nullptr;
    std::unique_ptr<Periodic> periodic;
    auto const starts = run_until(5, metrics, periodic);
    BOOST_TEST_REQUIRE(starts.size() == 5u);
    std::vector<int> const expected{1, 1, 1, 1, 2};
    BOOST_TEST(pauses_before == expected, boost::test_tools::per_element());
    BOOST_TEST((starts[4] - starts[3] >= milliseconds{200}));
    BOOST_TEST(metrics->items.get() == 30u);
    BOOST_TEST(metrics->failures.get() == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_wanted_at_once_does_not_wait_for_its_first_interval) {
    options.interval = std::chrono::hours{1};
    options.at_once = true;
    int pauses = 0;
    random = [&] {
        ++pauses;
        return std::uint32_t{0};
    };
    script = [](int) { return std::size_t{0}; };
    PeriodicMetrics const* metrics = nullptr;
    std::unique_ptr<Periodic> periodic;
    run_until(1, metrics, periodic);
    BOOST_TEST(pauses <= 1);
}

BOOST_AUTO_TEST_CASE(a_failure_is_told_counted_and_tried_again_after_a_pause) {
    options.interval = milliseconds{10'000};
    options.backoff.first = milliseconds{20};
    options.backoff.most = milliseconds{20};
    int asked = 0;
    // The first pause is an interval's: none of it here.
    random = [&] { return asked++ == 0 ? std::uint32_t{0} : ~std::uint32_t{0}; };
    options.interval = milliseconds{4};
    script = [](int) { return Result<std::size_t>(db::Errc::unavailable); };
    PeriodicMetrics const* metrics = nullptr;
    std::unique_ptr<Periodic> periodic;
    auto const starts = run_until(3, metrics, periodic);
    BOOST_TEST_REQUIRE(starts.size() == 3u);
    BOOST_TEST((starts[2] - starts[0] >= milliseconds{40}));
    BOOST_TEST(failures_told >= 2);
    BOOST_TEST(metrics->failures.get() >= 2u);
}

BOOST_AUTO_TEST_CASE(work_that_is_cancelled_in_the_middle_is_not_a_failure) {
    Periodic::Work work = [](SteadyTime) -> asio::awaitable<Result<std::size_t>> {
        auto const executor = co_await asio::this_coro::executor;
        reactor::Pulse never_notified(executor);
        co_await never_notified.wait();
        co_return db::Errc::unavailable;
    };
    Periodic periodic(options, work, random, [this](error_code) { ++failures_told; });
    auto body = [&]() -> asio::awaitable<void> {
        reactor::TaskGroup tasks(context.get_executor());
        tasks.spawn(periodic.run());
        reactor::Pulse pause(context.get_executor());
        co_await pause.wait(steady_now() + milliseconds{20});
        tasks.cancel();
        bool const ended = co_await tasks.join(steady_now() + std::chrono::seconds{20});
        BOOST_TEST(ended);
    };
    tests::run(context, body);
    BOOST_TEST(failures_told == 0);
    BOOST_TEST(periodic.metrics().runs.get() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
