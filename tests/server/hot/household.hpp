// Servers that keep the hot ledgers of a counter open and bring them home.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/hot/keeper.hpp"
#include "server/hot/workers.hpp"
#include "server/id_source.hpp"
#include "tests/server/hot/counter.hpp"

namespace penstock::tests {

/// What a server of these tests is like.
struct Habits {
    bool works = true;                          ///< drains and syncs
    std::set<domain::LedgerId> neglected = {};  ///< the lane never answers what it asks of these
    milliseconds losses_take{0};                ///< on their way to the lane
};

inline server::HotKeeperOptions quick_keeper() {
    server::HotKeeperOptions options;
    options.refresh = milliseconds{20};
    options.health_every = milliseconds{20};
    options.life.look_every = milliseconds{20};
    options.life.look_soon = milliseconds{5};
    options.life.pauses = {milliseconds{5}, milliseconds{50}, milliseconds{1'000}};
    return options;
}

inline server::HotOptions quick_workers(domain::Uuid database) {
    server::HotOptions options;
    options.database = database;
    options.idle = milliseconds{200};
    options.sync_delay = milliseconds{1};
    options.sync_age = milliseconds{1};
    return options;
}

/// One server of several, on a connection of its own; the desk is the counter's, and asks the
/// server that was made last.
class Household {
public:
    Household(HotCounter& counter, asio::any_io_executor executor, Habits habits = {})
        : counter_(counter),
          habits_(std::move(habits)),
          executor_(executor),
          redis(executor, counter_redis(counter.redis), [] { return 1U << 31U; }),
          workers(executor, redis, counter.store.hot(), submit(), clock_, ids_, log_,
                  quick_workers(counter.desk.options().database)),
          keeper(parts(), quick_keeper()),
          connection_(executor),
          life_(executor) {
        counter.desk.on_unready = [this](domain::LedgerId ledger) { keeper.wake(ledger); };
        counter.desk.seal = [this](domain::LedgerId ledger, SteadyTime deadline) {
            return keeper.close(ledger, deadline);
        };
        connection_.spawn(redis.run());
        life_.spawn(keeper.run());
    }

    /// As SIGTERM does.
    Nothing stop() {
        life_.cancel();
        bool const ended = co_await life_.join(patient());
        BOOST_CHECK(ended);
        connection_.cancel();
        co_await connection_.join();
    }

    bool is_open(domain::LedgerId ledger) const {
        auto const* const life = keeper.find(ledger);
        return life && life->standing();
    }
    std::int64_t position(domain::LedgerId ledger) const {
        return is_open(ledger) ? keeper.find(ledger)->standing()->position : -1;
    }
    server::HotLifeMetrics const& lives() const { return keeper.metrics().life; }

private:
    server::HotSubmit submit() {
        return [this](domain::Envelope envelope, SteadyTime deadline) {
            return decide(std::move(envelope), deadline);
        };
    }
    asio::awaitable<Result<domain::Outcome>> decide(domain::Envelope envelope,
                                                    SteadyTime deadline) {
        auto const* const begin = std::get_if<domain::BeginEpoch>(&envelope.command);
        if (begin && habits_.neglected.contains(begin->ledger)) {
            co_await asio::this_coro::throw_if_cancelled(false);
            co_await reactor::sleep_until(deadline);
            co_return reactor::Errc::deadline_exceeded;
        }
        auto const* const journal = std::get_if<domain::BookJournal>(&envelope.command);
        if (journal && journal->lost_to > 0)
            co_await reactor::sleep_until(steady_now() + habits_.losses_take);
        co_return co_await counter_.lane.submit(std::move(envelope), deadline);
    }
    asio::awaitable<void> work(domain::LedgerId ledger, std::int64_t epoch,
                               server::HotTasks tasks) {
        if (habits_.works) co_return co_await workers.run(ledger, epoch, tasks);
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await reactor::sleep_until(never);
    }
    Nothing tell_opened(domain::LedgerId ledger) {
        counter_.desk.opened(ledger);
        co_return;
    }
    server::HotKeeperParts parts() {
        cache::HotBooksOptions books;
        books.database = counter_.desk.options().database;
        server::HotKeeperParts made{
            executor_,
            counter_.store,
            redis,
            books,
            submit(),
            [this](domain::LedgerId ledger, std::int64_t epoch, server::HotTasks tasks) {
                return work(ledger, epoch, tasks);
            },
            clock_,
            ids_,
            log_};
        made.bar = [this](server::HotBar bar) { counter_.desk.bar(bar); };
        made.opened = [this](domain::LedgerId ledger) { return tell_opened(ledger); };
        return made;
    }

    HotCounter& counter_;
    Habits habits_;
    asio::any_io_executor executor_;
    server::SystemClock clock_;
    server::SystemIdSource ids_;
    server::Log log_{server::LogLevel::off};

public:
    cache::RedisClient redis;
    server::HotWorkers workers;
    server::HotKeeper keeper;

private:
    reactor::TaskGroup connection_;
    reactor::TaskGroup life_;
};

/// Looks until it holds; a test that it never holds in has failed.
template <class Predicate>
Nothing until(Predicate holds, char const* what) {
    auto const deadline = patient();
    for (;;) {
        bool const so = co_await holds();
        if (so) co_return;
        BOOST_REQUIRE_MESSAGE(steady_now() < deadline, what);
        auto const soon = steady_now() + milliseconds{2};
        co_await reactor::sleep_until(soon);
    }
}

}  // namespace penstock::tests
