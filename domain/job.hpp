// What becomes of a job that failed: when it is tried again, and who may revive a dead one.
#pragma once

#include <chrono>
#include <cstdint>

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "domain/working_set.hpp"

namespace penstock::domain {

struct RetryLimits {
    std::chrono::milliseconds first{1'000};   ///< bound of the pause after the first attempt
    std::chrono::milliseconds most{300'000};  ///< bound of every pause
};

/// Exponential with full jitter: uniform between 0 and a bound that doubles with each attempt, so
/// that jobs that failed together do not come back in step. `random`: all of its bits are used.
std::chrono::milliseconds pause_before_retry(RetryLimits limits, std::int32_t attempts,
                                             std::uint64_t random);

/// Queued as on its first day, but for what is known of its last failure.
void make_due_again(Job& job, Instant at);

/// A command's share of add_keys_of().
void add_keys(RetryJob const& command, Envelope const& envelope, KeySet& keys);

/// A command's own rules, after its idempotency key.
Outcome apply(WorkingSet& set, Envelope const& envelope, RetryJob const& command);

}  // namespace penstock::domain
