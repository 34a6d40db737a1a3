// Exports in the store without a database.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "db/export_store.hpp"
#include "db/memory_job_queue.hpp"
#include "domain/working_set.hpp"

namespace penstock::db {

/// Where the store around it has the transfers, in the order of their commits.
struct MemoryTransfers {
    std::map<std::uint64_t, domain::Transfer> const& rows;
    std::map<domain::TransferId, std::uint64_t> const& by_id;
    std::map<domain::AccountName, std::vector<std::uint64_t>> const& by_account;
};

class MemoryExports : public ExportStore {
public:
    MemoryExports(MemoryJobQueue& jobs, MemoryTransfers transfers);

    void commit(domain::Changes const& changes);

    Found<domain::Export> find(std::optional<domain::OrganizationId> organization,
                               domain::ExportId id, SteadyTime) override;
    Listed<domain::Export> list(ExportPage page, SteadyTime) override;
    Listed<domain::ExportAudit> list_audit(ExportAuditPage page, SteadyTime) override;
    Found<ExportProgress> begin(HeldJob held, SteadyTime) override;
    asio::awaitable<Result<JobEnd>> append(HeldJob held, ExportChunk chunk, SteadyTime) override;
    asio::awaitable<Result<JobEnd>> finish(HeldJob held, ExportEnd end, SteadyTime) override;
    asio::awaitable<Result<std::string>> read(domain::ExportId id, std::int64_t from,
                                              std::size_t bytes_max, SteadyTime) override;
    asio::awaitable<Result<std::size_t>> care(ExportCare care, SteadyTime) override;
    asio::awaitable<Result<std::string>> secret(SteadyTime) override;
    asio::awaitable<error_code> settle(SteadyTime deadline) override;
    std::unique_ptr<TransferScanner> scan(TransferScan scan) override;

private:
    struct Kept {
        domain::Export row;
        std::optional<std::string> position;
        std::map<std::int64_t, std::string> chunks;
    };

    /// Null: its job is not held, or nothing is to be written.
    Kept* held(HeldJob const& held);
    void record(domain::EventId id, domain::ExportId subject, domain::ExportAuditType type);

    MemoryJobQueue& jobs_;
    MemoryTransfers transfers_;
    std::string secret_;
    std::map<domain::ExportId, Kept> exports_;
    std::map<std::pair<domain::ExportId, domain::EventId>, domain::ExportAudit> audits_;
};

}  // namespace penstock::db
