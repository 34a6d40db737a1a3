// One coroutine, from an ordinary function: for what happens before or without serving.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "domain/assert.hpp"
#include "reactor/result.hpp"

namespace penstock::server {

/// Runs `work` on an event loop of its own and gives back what it returns or throws. The work
/// bounds itself by its deadlines.
template <class T>
T run_to_end(asio::awaitable<T> work) {
    asio::io_context context{1};
    std::exception_ptr failure;
    std::optional<T> value;
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown, T result) {
        failure = thrown;
        if (!failure) value.emplace(std::move(result));
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    PENSTOCK_ASSERT(value.has_value());
    return std::move(*value);
}

}  // namespace penstock::server
