#include "reactor/reactor.hpp"

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include "reactor/deadline.hpp"

using namespace penstock;
using namespace penstock::reactor;

BOOST_AUTO_TEST_SUITE(reactor_shards)

BOOST_AUTO_TEST_CASE(on_runs_on_the_other_shard_and_returns_home) {
    Reactor reactor(2);
    std::thread::id home, away, back;
    auto body = [&]() -> asio::awaitable<void> {
        home = std::this_thread::get_id();
        auto visit = [&away]() -> asio::awaitable<std::string> {
            away = std::this_thread::get_id();
            co_await sleep_until(steady_now() + milliseconds{1});
            co_return "seen";
        };
        auto const said = co_await reactor.on(1, visit);
        BOOST_TEST(said == "seen");
        back = std::this_thread::get_id();
        reactor.release();
    };
    asio::co_spawn(reactor.executor(0), body, asio::detached);
    reactor.run();
    BOOST_TEST((home == back));
    BOOST_TEST((home != away));
}

BOOST_AUTO_TEST_SUITE_END()
