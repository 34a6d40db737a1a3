// HAS everything had its turn that was ready a moment ago?
#pragma once

#include <boost/asio/awaitable.hpp>

namespace penstock::reactor {

/// Suspends until everything that was ready when it was called has had its turn, what lay in the
/// sockets included: whoever missed something afterwards did not miss it because this loop was
/// busy.
boost::asio::awaitable<void> whole_turn();

}  // namespace penstock::reactor
