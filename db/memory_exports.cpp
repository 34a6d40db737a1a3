#include "db/memory_exports.hpp"

#include <openssl/rand.h>

#include <algorithm>

#include "db/memory_rows.hpp"
#include "domain/assert.hpp"

namespace penstock::db {

using namespace domain;

namespace {

TransferView::Side side_of(Leg const& leg) { return {leg.address, leg.balance_after, leg.version}; }

TransferView view_of(Transfer const& transfer) {
    TransferView view;
    view.id = transfer.id;
    view.kind = transfer.kind;
    view.from = side_of(transfer.from);
    view.to = side_of(transfer.to);
    view.amount = transfer.amount;
    if (transfer.reference) view.reference = *transfer.reference;
    view.metadata = transfer.metadata;
    return view;
}

class MemoryScanner final : public TransferScanner {
public:
    MemoryScanner(MemoryTransfers transfers, TransferScan scan)
        : transfers_(transfers), scan_(std::move(scan)) {}

    asio::awaitable<Result<TransferRows>> next(std::size_t limit, SteadyTime) override {
        auto page = std::make_shared<std::vector<Transfer>>();
        if (scan_.account)
            read_history(*page, limit);
        else
            read_by_id(*page, limit);
        TransferRows rows;
        for (auto const& transfer : *page) rows.items.push_back(view_of(transfer));
        rows.texts = std::move(page);
        co_return rows;
    }

private:
    void read_by_id(std::vector<Transfer>& page, std::size_t limit) {
        auto end = first_uuid7(scan_.to);
        if (scan_.before_id) end = std::min(end, scan_.before_id->value);
        auto at = transfers_.by_id.lower_bound({end});
        while (at != transfers_.by_id.begin() && page.size() < limit) {
            --at;
            auto const& transfer = transfers_.rows.at(at->second);
            if (transfer.created_at() < scan_.from) break;
            if (transfer.ledger == scan_.ledger) page.push_back(transfer);
        }
        if (!page.empty()) scan_.before_id = page.back().id;
    }

    void read_history(std::vector<Transfer>& page, std::size_t limit) {
        auto const* booked =
            memory::find_in(transfers_.by_account, AccountName{scan_.ledger, *scan_.account});
        if (!booked) return;
        Booking end{scan_.to, INT64_MIN};
        if (scan_.before) end = std::min(end, *scan_.before);
        for (auto at = booked->rbegin(); at != booked->rend() && page.size() < limit; ++at) {
            auto const& transfer = transfers_.rows.at(*at);
            auto const place = booking_of(transfer, *scan_.account);
            if (place.at < scan_.from) break;
            if (place < end) page.push_back(transfer);
        }
        if (!page.empty()) scan_.before = booking_of(page.back(), *scan_.account);
    }

    MemoryTransfers transfers_;
    TransferScan scan_;
};

}  // namespace

MemoryExports::MemoryExports(MemoryJobQueue& jobs, MemoryTransfers transfers)
    : jobs_(jobs), transfers_(transfers), secret_(32, '\0') {
    auto* const bytes = reinterpret_cast<unsigned char*>(secret_.data());
    PENSTOCK_ASSERT(RAND_bytes(bytes, static_cast<int>(secret_.size())) == 1);
}

void MemoryExports::commit(Changes const& changes) {
    for (auto const& row : changes.new_exports) {
        Kept kept;
        kept.row = row;
        PENSTOCK_ASSERT(exports_.emplace(row.id, std::move(kept)).second);
    }
    for (auto const& audit : changes.export_audits)
        PENSTOCK_ASSERT(audits_.emplace(std::pair(audit.subject, audit.id), audit).second);
}

ExportStore::Found<Export> MemoryExports::find(std::optional<OrganizationId> organization,
                                               ExportId id, SteadyTime) {
    std::optional<Export> found;
    auto const* kept = memory::find_in(exports_, id);
    bool const is_theirs = kept && (!organization || kept->row.organization == *organization);
    if (is_theirs) found = kept->row;
    co_return found;
}

ExportStore::Listed<Export> MemoryExports::list(ExportPage page, SteadyTime) {
    std::vector<Export> items;
    for (auto at = exports_.rbegin(); at != exports_.rend() && items.size() < page.limit; ++at) {
        auto const& row = at->second.row;
        if (row.organization != page.organization) continue;
        if (!page.before || row.id < *page.before) items.push_back(row);
    }
    co_return items;
}

ExportStore::Listed<ExportAudit> MemoryExports::list_audit(ExportAuditPage page, SteadyTime) {
    std::vector<ExportAudit> items;
    for (auto at = audits_.rbegin(); at != audits_.rend() && items.size() < page.limit; ++at) {
        auto const& audit = at->second;
        if (audit.subject != page.subject) continue;
        if (!page.before || audit.id < *page.before) items.push_back(audit);
    }
    co_return items;
}

MemoryExports::Kept* MemoryExports::held(HeldJob const& held) {
    auto* kept = memory::find_in(exports_, ExportId{held.job.value});
    bool const is_open = kept && jobs_.is_held(held) && kept->row.status != ExportStatus::ready &&
                         kept->row.status != ExportStatus::expired;
    return is_open ? kept : nullptr;
}

ExportStore::Found<ExportProgress> MemoryExports::begin(HeldJob held_job, SteadyTime) {
    std::optional<ExportProgress> progress;
    if (auto* kept = held(held_job)) {
        kept->row.status = ExportStatus::processing;
        kept->row.finished_at.reset();
        kept->row.expires_at.reset();
        progress = ExportProgress{kept->row, kept->position};
    }
    co_return progress;
}

asio::awaitable<Result<JobEnd>> MemoryExports::append(HeldJob held_job, ExportChunk chunk,
                                                      SteadyTime) {
    auto* kept = held(held_job);
    bool const fits =
        kept && kept->row.status == ExportStatus::processing && kept->row.bytes == chunk.start;
    if (!fits) co_return JobEnd::lost;
    kept->row.rows += chunk.rows;
    kept->row.bytes += static_cast<std::int64_t>(chunk.data.size());
    kept->position = std::move(chunk.position);
    kept->chunks.emplace(chunk.start, std::move(chunk.data));
    co_return JobEnd::again;
}

asio::awaitable<Result<JobEnd>> MemoryExports::finish(HeldJob held_job, ExportEnd end, SteadyTime) {
    auto* kept = held(held_job);
    if (!kept || kept->row.status != ExportStatus::processing) co_return JobEnd::lost;
    kept->row.status = ExportStatus::ready;
    kept->row.sha256 = std::move(end.sha256);
    kept->row.finished_at = end.at;
    kept->row.expires_at = end.expires_at;
    record(end.audit, kept->row.id, ExportAuditType::ready);
    co_return JobEnd::completed;
}

asio::awaitable<Result<std::string>> MemoryExports::read(ExportId id, std::int64_t from,
                                                         std::size_t bytes_max, SteadyTime) {
    auto const* kept = memory::find_in(exports_, id);
    if (!kept) co_return std::string();
    auto const behind = kept->chunks.upper_bound(from);
    if (behind == kept->chunks.begin()) co_return std::string();
    auto const& [start, data] = *std::prev(behind);
    auto const skipped = static_cast<std::size_t>(from - start);
    co_return skipped < data.size() ? data.substr(skipped, bytes_max) : std::string();
}

asio::awaitable<Result<std::size_t>> MemoryExports::care(ExportCare care, SteadyTime) {
    std::size_t failed = 0;
    std::size_t expired = 0;
    for (auto& [id, kept] : exports_) {
        auto& row = kept.row;
        bool const unfinished =
            row.status == ExportStatus::pending || row.status == ExportStatus::processing;
        auto const* job = jobs_.find(JobId{id.value});
        bool const is_dead = job && job->status == JobStatus::failed;
        bool const is_over = row.expires_at && *row.expires_at <= care.now;
        if (unfinished && is_dead && failed < care.failed.size()) {
            row.status = ExportStatus::failed;
            row.finished_at = care.now;
            row.expires_at = care.failed_until;
            record(care.failed[failed++], id, ExportAuditType::failed);
        } else if (is_over && row.status != ExportStatus::expired &&
                   expired < care.expired.size()) {
            row.status = ExportStatus::expired;
            kept.chunks.clear();
            record(care.expired[expired++], id, ExportAuditType::expired);
        }
    }
    co_return failed + expired;
}

asio::awaitable<Result<std::string>> MemoryExports::secret(SteadyTime) { co_return secret_; }

asio::awaitable<error_code> MemoryExports::settle(SteadyTime) { co_return error_code(); }

std::unique_ptr<TransferScanner> MemoryExports::scan(TransferScan scan) {
    return std::make_unique<MemoryScanner>(transfers_, std::move(scan));
}

void MemoryExports::record(EventId id, ExportId subject, ExportAuditType type) {
    PENSTOCK_ASSERT(audits_.emplace(std::pair(subject, id), ExportAudit{id, subject, type}).second);
}

}  // namespace penstock::db
