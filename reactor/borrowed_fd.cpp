#include "reactor/borrowed_fd.hpp"

#include <boost/asio/error.hpp>

namespace penstock::reactor {

void BorrowedFd::track(int fd) {
    if (descriptor_.is_open() && descriptor_.native_handle() == fd) return;
    forget();
    if (fd >= 0) descriptor_.assign(fd);
}

void BorrowedFd::forget() {
    if (descriptor_.is_open()) descriptor_.release();
}

asio::awaitable<error_code> BorrowedFd::readable() {
    if (!descriptor_.is_open()) co_return asio::error::bad_descriptor;
    auto [error] =
        co_await descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, as_result);
    co_return error;
}

asio::awaitable<error_code> BorrowedFd::writable() {
    if (!descriptor_.is_open()) co_return asio::error::bad_descriptor;
    auto [error] =
        co_await descriptor_.async_wait(asio::posix::stream_descriptor::wait_write, as_result);
    co_return error;
}

}  // namespace penstock::reactor
