// A connection or client with its background life, for the length of one test body.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <exception>
#include <string>
#include <utility>

#include "cache/redis_client.hpp"
#include "reactor/task_group.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/run.hpp"

namespace penstock::tests {

inline SteadyTime in(milliseconds delay) { return steady_now() + delay; }

/// Long enough for anything on a busy machine; a test that needs it has failed.
inline SteadyTime patient() { return in(milliseconds{20'000}); }

inline cache::RedisAddress on_socket(std::string path) {
    cache::RedisAddress address;
    address.socket_path = std::move(path);
    return address;
}

inline cache::RedisAddress on_port(std::uint16_t port) {
    cache::RedisAddress address;
    address.port = port;
    return address;
}

inline std::uint32_t half() { return 1U << 31U; }

/// Runs `life` beside `body`, and returns when both have ended.
template <class Body>
asio::awaitable<void> beside(asio::awaitable<void> life, Body body) {
    auto const executor = co_await asio::this_coro::executor;
    reactor::TaskGroup tasks(executor);
    tasks.spawn(std::move(life));
    std::exception_ptr failure;
    try {
        co_await body();
    } catch (...) {
        failure = std::current_exception();
    }
    tasks.cancel();
    bool const joined = co_await tasks.join(patient());
    BOOST_CHECK_MESSAGE(joined, "run() did not end on cancellation");
    if (failure) std::rethrow_exception(failure);
}

/// `body(connection, metrics)` with the connection's run() beside it.
template <class Body>
void with_connection(cache::RedisAddress address, cache::ConnectionLimits limits, Body body) {
    asio::io_context context{1};
    cache::RedisMetrics metrics;
    cache::Connection connection(context.get_executor(), std::move(address), limits, half, metrics);
    auto main = [&]() -> asio::awaitable<void> {
        auto inner = [&]() -> asio::awaitable<void> { co_await body(connection, metrics); };
        co_await beside(connection.run(), inner);
    };
    run(context, main);
}

template <class Body>
void with_connection(cache::RedisAddress address, Body body) {
    with_connection(std::move(address), cache::ConnectionLimits{}, std::move(body));
}

/// `body(client)` with the client's run() beside it, once it is up.
template <class Body>
void with_client(cache::RedisClientOptions options, Body body) {
    asio::io_context context{1};
    cache::RedisClient client(context.get_executor(), std::move(options), half);
    auto main = [&]() -> asio::awaitable<void> {
        auto inner = [&]() -> asio::awaitable<void> {
            bool const up = co_await client.up_before(patient());
            BOOST_REQUIRE_MESSAGE(up, client.complaint());
            co_await body(client);
        };
        co_await beside(client.run(), inner);
    };
    run(context, main);
}

}  // namespace penstock::tests
