#include "server/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

namespace penstock::server {
namespace {

/// Standard streams, signals, name resolution, the migration's connection.
constexpr std::size_t process_own = 32;
/// Event loop, acceptor, Redis, and clients that are told that there are too many.
constexpr std::size_t thread_own = 32;

}  // namespace

std::size_t claim_descriptors() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::numeric_limits<std::size_t>::max();
    auto const before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return before;
    return limit.rlim_cur;
}

std::size_t descriptors_reserved(Options const& options) {
    auto const sessions = options.lanes + options.read_connections;
    // Twice: while a lost session's descriptor closes, its successor's is open.
    return process_own + options.threads * (thread_own + 2 * sessions) +
           2 * options.single_connections;
}

std::size_t connections_within(std::size_t granted, Options const& options) {
    auto const reserved = descriptors_reserved(options);
    auto const left = granted > reserved ? granted - reserved : 0;
    return std::clamp<std::size_t>(left / options.threads, 1, options.connections_max);
}

}  // namespace penstock::server
