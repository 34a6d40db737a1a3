// HOW a part that consists of several lives lives itself: as long as nobody cancels it.
#pragma once

#include "reactor/task_group.hpp"

namespace penstock::reactor {

/// Until the caller is cancelled; then its tasks are, too, and are waited for. From there on the
/// caller hears of no cancellation: what its tasks use must outlive them.
asio::awaitable<void> until_cancelled(TaskGroup& lives);

}  // namespace penstock::reactor
