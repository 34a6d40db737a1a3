// Runs one coroutine to its end on a reactor, for what crosses its shards.
#pragma once

#include <boost/asio/detached.hpp>
#include <exception>

#include "reactor/reactor.hpp"

namespace penstock::tests {

/// Runs `body` (a callable that returns awaitable<void>) on shard 0; whatever it throws reaches
/// the test. Once for each reactor.
template <class Body>
void run_on(reactor::Reactor& reactor, Body body) {
    std::exception_ptr failure;
    auto guarded = [&]() -> asio::awaitable<void> {
        try {
            co_await body();
        } catch (...) {
            failure = std::current_exception();
        }
        reactor.release();
    };
    asio::co_spawn(reactor.executor(0), guarded, asio::detached);
    reactor.run();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace penstock::tests
