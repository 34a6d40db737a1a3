// WAS the coroutine that asks cancelled, now or before?
#pragma once

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>

#include "reactor/result.hpp"

namespace penstock::reactor {

/// What an operation that had ended by itself does not tell who waited for it.
inline bool is_cancelled(asio::cancellation_state const& state) {
    return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace penstock::reactor
