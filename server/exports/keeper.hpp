// WHAT becomes of exports when nobody asks: they fail with their jobs, expire, and go.
#pragma once

#include <chrono>

#include "db/export_store.hpp"
#include "server/clock.hpp"
#include "server/id_source.hpp"

namespace penstock::server {

/// Several servers may do it at once.
class ExportKeeper {
public:
    ExportKeeper(db::ExportStore& exports, Clock& clock, IdSource& ids,
                 std::chrono::hours retention)
        : exports_(exports), clock_(clock), ids_(ids), retention_(retention) {}

    /// One round: how much it did.
    asio::awaitable<Result<std::size_t>> run_once(SteadyTime deadline) {
        db::ExportCare care;
        care.now = clock_.now();
        care.failed_until = {care.now.ms + milliseconds(retention_).count()};
        for (std::uint32_t i = 0; i < exports_at_once; ++i) {
            care.failed.push_back({domain::make_uuid7(care.now, i, ids_.nonce())});
            care.expired.push_back({domain::make_uuid7(care.now, i, ids_.nonce())});
        }
        co_return co_await exports_.care(std::move(care), deadline);
    }

private:
    static constexpr std::uint32_t exports_at_once = 32;

    db::ExportStore& exports_;
    Clock& clock_;
    IdSource& ids_;
    std::chrono::hours retention_;
};

}  // namespace penstock::server
