// What can be asked of a store about exports: the files, who fetched them, and what is written
// into them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/job_queue.hpp"
#include "db/store.hpp"
#include "domain/export_rows.hpp"

namespace penstock::db {

/// Newest first, by id.
struct ExportPage {
    domain::OrganizationId organization;
    std::optional<domain::ExportId> before;
    std::size_t limit = 50;
};

/// Newest first, by id.
struct ExportAuditPage {
    domain::ExportId subject;
    std::optional<domain::EventId> before;
    std::size_t limit = 50;
};

/// What is written so far, and where the source is read on; no position: from the beginning.
struct ExportProgress {
    domain::Export row;
    std::optional<std::string> position;
};

/// The next bytes of a file; never empty.
struct ExportChunk {
    std::int64_t start = 0;  ///< where in the file
    std::int64_t rows = 0;
    std::string data;
    std::string position;  ///< where the source is read on behind it
};

struct ExportEnd {
    std::string sha256;
    domain::Instant at;
    domain::Instant expires_at;
    domain::EventId audit;
};

/// One round of what becomes of exports when nobody asks.
struct ExportCare {
    domain::Instant now;
    domain::Instant failed_until;  ///< how long one is kept that fails now
    /// Of the audit records, for each of its two steps; as many exports as there are ids.
    std::vector<domain::EventId> failed;
    std::vector<domain::EventId> expired;
    std::size_t chunks_max = 64;  ///< deleted at once
};

/// A transfer where the store has it: all texts lie in its page.
struct TransferView {
    struct Side {
        std::string_view address;
        domain::Amount balance_after = 0;  ///< this and the version: only in the scan of an account
        std::int64_t version = 0;
    };

    domain::TransferId id;
    domain::TransferKind kind{};
    Side from;
    Side to;
    domain::Amount amount = 0;
    std::optional<std::string_view> reference;
    std::string_view metadata;

    domain::Instant created_at() const { return domain::instant_of(id.value); }
    Side const& leg_of(std::string_view address) const { return to.address == address ? to : from; }
};

/// A page of them, and what they view.
struct TransferRows {
    std::vector<TransferView> items;
    std::shared_ptr<void const> texts;
};

/// The transfers of a ledger with from ≤ created_at < to, newest first: by id or, with `account`,
/// in the order of its history.
struct TransferScan {
    domain::LedgerId ledger;
    std::optional<std::string> account;
    domain::Instant from;
    domain::Instant to;
    std::optional<domain::TransferId> before_id;  ///< without `account`
    std::optional<Booking> before;                ///< with it
};

/// Reads as many transfers as there are, page by page.
class TransferScanner {
public:
    virtual ~TransferScanner() = default;
    /// The next page; empty at the end.
    virtual asio::awaitable<Result<TransferRows>> next(std::size_t limit, SteadyTime deadline) = 0;
};

/// One per Store. Exports get in by a commit (Changes::new_exports), and so does what is recorded
/// of a request or a download.
class ExportStore {
public:
    virtual ~ExportStore() = default;

    template <class T>
    using Found = asio::awaitable<Result<std::optional<T>>>;
    template <class T>
    using Listed = asio::awaitable<Result<std::vector<T>>>;

    /// Of that organization; without one, of any.
    virtual Found<domain::Export> find(std::optional<domain::OrganizationId>, domain::ExportId,
                                       SteadyTime) = 0;
    virtual Listed<domain::Export> list(ExportPage, SteadyTime) = 0;
    virtual Listed<domain::ExportAudit> list_audit(ExportAuditPage, SteadyTime) = 0;

    // An export's job has its id: who holds the job writes the export.

    /// From now on it is `processing`; also after it had failed. nullopt: the job is another's by
    /// now, or nothing is to be written.
    virtual Found<ExportProgress> begin(HeldJob, SteadyTime) = 0;
    /// JobEnd::lost: the job is another's by now, or the file does not end there; nothing was
    /// written. After an error begin() says what is there.
    virtual asio::awaitable<Result<JobEnd>> append(HeldJob, ExportChunk, SteadyTime) = 0;
    virtual asio::awaitable<Result<JobEnd>> finish(HeldJob, ExportEnd, SteadyTime) = 0;

    /// Up to `bytes_max` bytes from there on; empty where there is nothing (any more).
    virtual asio::awaitable<Result<std::string>> read(domain::ExportId, std::int64_t from,
                                                      std::size_t bytes_max, SteadyTime) = 0;

    /// Exports whose job is a dead letter fail, those whose time is over expire, and of the
    /// expired ones the chunks go. Answers how much it did; 0: nothing is left for now. Several
    /// servers may do it at once.
    virtual asio::awaitable<Result<std::size_t>> care(ExportCare, SteadyTime) = 0;

    /// What signs the links of downloads: the same for all servers of a database, for ever.
    virtual asio::awaitable<Result<std::string>> secret(SteadyTime) = 0;

    /// Returns when all that was being committed when it was called is there, or has failed.
    virtual asio::awaitable<error_code> settle(SteadyTime deadline) = 0;
    virtual std::unique_ptr<TransferScanner> scan(TransferScan) = 0;
};

}  // namespace penstock::db
