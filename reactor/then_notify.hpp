// WHO waits for whichever of several lives ends first hears of it by a pulse.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <utility>

#include "reactor/pulse.hpp"

namespace penstock::reactor {

/// `ended` outlives it.
inline asio::awaitable<void> then_notify(asio::awaitable<void> life, Pulse& ended) {
    co_await std::move(life);
    ended.notify();
}

}  // namespace penstock::reactor
