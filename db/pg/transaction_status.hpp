// Did it commit? Asked on a new connection when the one that sent COMMIT was lost.
#pragma once

#include <cstdint>

#include "db/pg/options.hpp"
#include "reactor/result.hpp"

namespace penstock::db::pg {

enum class TransactionOutcome { committed, aborted, in_progress };

/// Asks pg_xact_status() for `xid` (from pg_current_xact_id() in the load segment). Reconnects
/// until the deadline; `in_progress` is asked again with growing pauses, for the old server
/// process may not have noticed yet that its client is gone, and is the answer only at the
/// deadline. A transaction id that this server has not reached yet is `aborted`: after a
/// failover the new primary never heard of it. commit_unknown when nothing could be learnt:
/// no connection before the deadline, or so old that the server has forgotten.
asio::awaitable<Result<TransactionOutcome>> ask_outcome(ConnectionOptions options,
                                                        std::uint64_t xid, SteadyTime deadline);

}  // namespace penstock::db::pg
