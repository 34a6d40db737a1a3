// How a session with PostgreSQL behaves: every limit that a connection has, by name.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "db/pg/address.hpp"
#include "reactor/backoff.hpp"
#include "reactor/result.hpp"

namespace penstock::db::pg {

/// Which plans the session may use. A statement prepared on an empty table may keep its
/// sequential scan for ever, or collect and sort a whole account's history for a page of it: what
/// walks an index pins its plans (no seqscan, bitmap scan, hash or merge join, no JIT, generic
/// plans), what scans everything lets the planner choose.
enum class Plans { chosen, pinned };

struct ConnectionOptions {
    explicit ConnectionOptions(Address where) : address(std::move(where)) {}

    Address address;
    std::string application_name = "penstock";
    Plans plans = Plans::chosen;
    milliseconds connect_max{5'000};               ///< one attempt, all hosts together
    milliseconds ready_max{3'000};                 ///< for a lost connection to return
    milliseconds statement_timeout{10'000};        ///< the server cancels: unavailable
    milliseconds lock_timeout{5'000};              ///< the server cancels: retry_transaction
    milliseconds idle_in_transaction_max{15'000};  ///< the server ends the session
    /// A segment at the head of the pipeline for longer than this: the connection is dropped.
    milliseconds response_max{20'000};
    std::size_t segments_max = 64;  ///< in flight; more is reactor::Errc::overloaded
};

/// Between attempts to connect. A connection that lived for five seconds was good.
inline constexpr reactor::BackoffLimits reconnect_pauses{milliseconds{50}, milliseconds{5'000},
                                                         milliseconds{5'000}};

}  // namespace penstock::db::pg
