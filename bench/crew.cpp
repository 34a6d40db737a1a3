#include "bench/crew.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "reactor/task_group.hpp"

namespace penstock::bench {
namespace {

struct Work {
    CrewPlan plan;
    Piece piece;
    SteadyTime end = {};
    std::uint64_t begun = 0;
    std::uint64_t done = 0;
    std::exception_ptr failure = {};
};

asio::awaitable<void> labour(Work& work, Client& client) {
    while (!work.failure && work.begun < work.plan.pieces) {
        try {
            if (steady_now() > work.end)
                throw Unusable("the set-up is not done in time: " + std::to_string(work.done) +
                               " of " + std::to_string(work.plan.pieces) + " pieces");
            co_await work.piece(client, work.begun++);
            ++work.done;
            if (work.plan.progress) work.plan.progress(work.done);
        } catch (...) {
            if (!work.failure) work.failure = std::current_exception();
        }
    }
}

}  // namespace

asio::awaitable<void> work_through(Target target, CrewPlan plan, Piece piece) {
    auto const executor = co_await asio::this_coro::executor;
    asio::ip::tcp::resolver resolver(executor);
    auto const [error, found] =
        co_await resolver.async_resolve(target.host, target.port, reactor::as_result);
    if (error) throw Unusable("cannot resolve " + target.url + ": " + error.message());
    auto const endpoint = found.begin()->endpoint();

    Sweeper sweeper;
    reactor::TaskGroup background(executor);
    background.spawn(sweeper.run());
    Work work{std::move(plan), std::move(piece)};
    work.end = steady_now() + work.plan.time_max;
    {
        std::vector<std::unique_ptr<Client>> clients;
        reactor::TaskGroup crew(executor);
        auto const hands = std::min<std::uint64_t>(work.plan.connections, work.plan.pieces);
        for (std::uint64_t i = 0; i < hands; ++i) {
            clients.push_back(std::make_unique<Client>(executor, sweeper, endpoint, target,
                                                       work.plan.key_seed + i));
            crew.spawn(labour(work, *clients.back()));
        }
        // Ends by itself: a client gives up when its patience does.
        co_await crew.join();
    }
    background.cancel();
    co_await background.join();
    if (work.failure) std::rethrow_exception(work.failure);
}

}  // namespace penstock::bench
