// Runs one coroutine to its end on an event loop of its own, with a deadline.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "reactor/result.hpp"

namespace penstock::tests {

/// Runs `body` (a callable that returns awaitable<void>) on `context`; whatever it throws reaches
/// the test. A body that is not done after `limit` fails the test: a hang is an answer too.
template <class Body>
void run(asio::io_context& context, Body body,
         std::chrono::seconds limit = std::chrono::seconds{30}) {
    std::exception_ptr failure;
    bool done = false;
    asio::co_spawn(context, body(), [&](std::exception_ptr e) {
        failure = e;
        done = true;
        context.stop();
    });
    context.restart();
    context.run_for(limit);
    BOOST_REQUIRE_MESSAGE(done, "the coroutine did not end in time");
    if (failure) std::rethrow_exception(failure);
}

template <class Body>
void run(Body body, std::chrono::seconds limit = std::chrono::seconds{30}) {
    asio::io_context context{1};
    run(context, std::move(body), limit);
}

}  // namespace penstock::tests
