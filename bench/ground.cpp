#include "bench/ground.hpp"

#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "bench/client.hpp"
#include "reactor/task_group.hpp"

namespace penstock::bench {
namespace {

/// Descriptors that are not connections of a load.
constexpr rlim_t spare_descriptors = 32;

}  // namespace

void claim_descriptors(unsigned connections) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    if (limit.rlim_max < connections + spare_descriptors)
        throw Unusable("the hard limit of open files is " + std::to_string(limit.rlim_max) +
                       ": too low for --connections " + std::to_string(connections));
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

Ground::Ground(Options const& options) : target_(*Target::parse(options.target)) {
    target_.api_key = options.api_key;
    error_code error;
    asio::ip::tcp::resolver resolver(context_);
    auto const found = resolver.resolve(target_.host, target_.port, error);
    if (error) throw Unusable("cannot resolve " + target_.url + ": " + error.message());
    endpoint_ = found.begin()->endpoint();
}

void Ground::run(asio::awaitable<void> body) {
    std::exception_ptr failure;
    asio::co_spawn(context_, watch_over(std::move(body)),
                   [&](std::exception_ptr e) { failure = e; });
    context_.run();
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> Ground::watch_over(asio::awaitable<void> body) {
    reactor::TaskGroup background(executor());
    background.spawn(sweeper_.run());
    std::exception_ptr failure;
    try {
        co_await std::move(body);
    } catch (...) {
        failure = std::current_exception();
    }
    background.cancel();
    co_await background.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace penstock::bench
