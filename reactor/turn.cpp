#include "reactor/turn.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace penstock::reactor {

boost::asio::awaitable<void> whole_turn() {
    namespace asio = boost::asio;
    auto const executor = co_await asio::this_coro::executor;
    // The first comes round behind a look at the descriptors, the second behind what was found.
    co_await asio::post(executor, asio::use_awaitable);
    co_await asio::post(executor, asio::use_awaitable);
}

}  // namespace penstock::reactor
