// Readiness of a descriptor that a C library owns.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "reactor/result.hpp"

namespace penstock::reactor {

/// Watches a descriptor and never closes it: libpq and hiredis do. Forget it before the library
/// closes it and in the same breath as the library swaps it, or a reused number would receive a
/// stranger's EPOLL_CTL_DEL.
class BorrowedFd {
public:
    explicit BorrowedFd(asio::any_io_executor executor) : descriptor_(std::move(executor)) {}
    BorrowedFd(BorrowedFd&&) = delete;
    ~BorrowedFd() { forget(); }

    /// Follows the library: forgets the old descriptor when `fd` differs; -1 means none.
    void track(int fd);
    void forget();

    /// operation_aborted after forget() or cancellation; bad_descriptor while nothing is tracked.
    asio::awaitable<error_code> readable();
    asio::awaitable<error_code> writable();

private:
    asio::posix::stream_descriptor descriptor_;
};

}  // namespace penstock::reactor
