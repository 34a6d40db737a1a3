// Exports: what the job that writes one does.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>

#include "db/store.hpp"
#include "reactor/counters.hpp"
#include "server/clock.hpp"
#include "server/jobs/worker.hpp"

namespace penstock::server {

struct ExportJobOptions {
    std::size_t at_once = 2;               ///< of a server's jobs
    std::chrono::hours retention{168};     ///< of a finished one
    std::size_t chunk_bytes = 1'048'576;   ///< committed at once, about
    std::size_t rows_max = 8'192;          ///< read at once; fewer while rows are large
    std::size_t slice_rows = 512;          ///< rendered before others have their turn
    milliseconds step_max{20'000};         ///< one page read, or one chunk written
    milliseconds attempt_max{86'400'000};  ///< then the attempt has failed
    /// For what was being committed when it was asked for. Longer than any of this program's
    /// transactions may last.
    milliseconds settle_max{60'000};
};

/// Of this server.
struct ExportJobMetrics {
    reactor::Count running;
    reactor::Count rows;
    reactor::Count bytes;
    reactor::Count resumed;  ///< begun by somebody else, or before a failure
};

/// Reads its source page by page, writes the file chunk by chunk, and knows after each chunk where
/// to go on: whoever comes after it, on this server or another one, writes the same bytes. Memory
/// is that of a few pages. Everything outlives the worker.
JobKind export_kind(db::Store& store, Clock& clock, ExportJobMetrics& metrics,
                    ExportJobOptions options);

}  // namespace penstock::server
