// Exports in PostgreSQL: what a batch writes of them, and what can be asked.
#pragma once

#include <memory>
#include <string>

#include "db/export_store.hpp"
#include "db/pg/pool.hpp"
#include "db/pg/segment.hpp"

namespace penstock::db {

/// Asks through the store's connections for reads.
class PostgresExports final : public ExportStore {
public:
    explicit PostgresExports(pg::Pool& pool) : pool_(pool) {}

    Found<domain::Export> find(std::optional<domain::OrganizationId>, domain::ExportId,
                               SteadyTime) override;
    Listed<domain::Export> list(ExportPage, SteadyTime) override;
    Listed<domain::ExportAudit> list_audit(ExportAuditPage, SteadyTime) override;
    Found<ExportProgress> begin(HeldJob, SteadyTime) override;
    asio::awaitable<Result<JobEnd>> append(HeldJob, ExportChunk, SteadyTime) override;
    asio::awaitable<Result<JobEnd>> finish(HeldJob, ExportEnd, SteadyTime) override;
    asio::awaitable<Result<std::string>> read(domain::ExportId, std::int64_t from,
                                              std::size_t bytes_max, SteadyTime) override;
    asio::awaitable<Result<std::size_t>> care(ExportCare, SteadyTime) override;
    asio::awaitable<Result<std::string>> secret(SteadyTime) override;
    asio::awaitable<error_code> settle(SteadyTime deadline) override;
    std::unique_ptr<TransferScanner> scan(TransferScan) override;

private:
    asio::awaitable<Result<pg::Rows>> write(Statement const& statement, pg::Params params,
                                            SteadyTime deadline);

    pg::Pool& pool_;
};

namespace exports {

void write(pg::Segment& segment, domain::Changes const& changes);

}  // namespace exports

}  // namespace penstock::db
