// Did it commit? Asked on a new connection when the one that sent COMMIT was lost.
#pragma once

#include <cstdint>

#include "db/pg/options.hpp"
#include "reactor/result.hpp"

namespace penstock::db::pg {

/// A number, and the memory that it was counted in. A server that crashed hands out again what it
/// had not written down, and a replica that took over what had not reached it: in another memory
/// the same number may be another transaction.
struct TransactionId {
    std::uint64_t number = 0;       ///< of pg_current_xact_id()
    std::int64_t memory_since = 0;  ///< µs; as sql/current_transaction.sql has it
};

enum class TransactionOutcome {
    committed,
    aborted,
    in_progress,
    /// The server has crashed since, or another one took its place, and there a transaction of
    /// that number committed: it, or another one.
    number_committed,
};

/// Asks pg_xact_status() for the number. Reconnects until the deadline; `in_progress` is asked
/// again with growing pauses, for the old server process may not have noticed yet that its client
/// is gone, and is the answer only at the deadline. In another memory whatever did not commit is
/// `aborted`: its number unknown (after a failover the new primary never heard of it), or given
/// to somebody who is at it. commit_unknown when nothing could be learnt: no connection before the
/// deadline, or so old that the server has forgotten.
///
/// What committed is said to be so after a commit of our own: where PostgreSQL confirms those only
/// when a replica has them, the replica has what came before. (A session that is ended while it
/// waits for the replica leaves a commit that it does not have.)
asio::awaitable<Result<TransactionOutcome>> ask_outcome(ConnectionOptions options,
                                                        TransactionId transaction,
                                                        SteadyTime deadline);

}  // namespace penstock::db::pg
