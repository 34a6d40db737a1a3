// One server and an event loop: what a load stands on that compares nothing.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "bench/connection.hpp"
#include "bench/options.hpp"
#include "bench/target.hpp"

namespace penstock::bench {

/// Takes the hard limit of open files. Throws Unusable when so many connections do not fit.
void claim_descriptors(unsigned connections);

class Ground {
public:
    /// Throws Unusable when the target's name cannot be resolved.
    explicit Ground(Options const& options);
    Ground(Ground&&) = delete;

    asio::any_io_executor executor() { return context_.get_executor(); }
    Sweeper& sweeper() { return sweeper_; }
    Target const& target() const { return target_; }
    asio::ip::tcp::endpoint const& endpoint() const { return endpoint_; }

    /// Runs `body` to its end, and throws what it throws.
    void run(asio::awaitable<void> body);

private:
    asio::awaitable<void> watch_over(asio::awaitable<void> body);

    asio::io_context context_{1};
    Sweeper sweeper_;
    Target target_;
    asio::ip::tcp::endpoint endpoint_;
};

}  // namespace penstock::bench
