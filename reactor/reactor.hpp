// This program's event loop: N shards, each one thread with one io_context.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "domain/assert.hpp"
#include "reactor/result.hpp"

namespace penstock::reactor {

/// Everything that lives on a shard is touched by its thread alone, so nothing below needs a lock.
class Reactor {
public:
    using Executor = asio::io_context::executor_type;

    explicit Reactor(std::size_t shards);
    Reactor(Reactor&&) = delete;
    ~Reactor();

    std::size_t size() const { return shards_.size(); }
    Executor executor(std::size_t shard) { return shards_.at(shard)->context.get_executor(); }

    /// Runs every shard, shard 0 on the calling thread, until release() and no work is left.
    void run();

    /// Lets run() return once the shards have nothing left to do. Any thread.
    void release();

    /// Runs `fn` (a callable that returns awaitable<T>) on another shard and brings its result
    /// back: the only way across threads. `fn` owns what it needs.
    template <class Fn>
    std::invoke_result_t<Fn&> on(std::size_t shard, Fn fn) {
        auto const home = co_await asio::this_coro::executor;
        auto const target = executor(shard);
        if (home == asio::any_io_executor(target)) co_return co_await fn();
        // The frame of this coroutine keeps `fn` alive until the other side has ended.
        co_return co_await asio::co_spawn(target, fn(), asio::use_awaitable);
    }

private:
    struct Shard {
        asio::io_context context{1};
        asio::executor_work_guard<Executor> work{context.get_executor()};
    };
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace penstock::reactor
