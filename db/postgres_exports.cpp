#include "db/postgres_exports.hpp"

#include <algorithm>
#include <utility>

#include "db/postgres_columns.hpp"
#include "db/postgres_reads.hpp"
#include "db/postgres_transfer_scanner.hpp"
#include "db/sql.hpp"
#include "reactor/deadline.hpp"

namespace penstock::db {
namespace {

using namespace domain;
using namespace reads;

constexpr milliseconds settle_poll{20};
constexpr int position_column = 15;

Export export_row(pg::Row row) {
    Export item;
    item.id = {rows::uuid(row, 0)};
    item.organization = {rows::uuid(row, 1)};
    item.source = rows::enumerator<ExportSource>(row, 2);
    item.format = rows::enumerator<ExportFormat>(row, 3);
    item.ledger = rows::optional_id<LedgerTag>(row, 4);
    item.ledger_name = rows::optional_string(row, 5);
    item.filter.account = rows::optional_string(row, 6);
    item.filter.from = rows::optional_instant(row, 7);
    item.filter.to = rows::optional_instant(row, 8);
    item.status = rows::enumerator<ExportStatus>(row, 9);
    item.rows = row.int8(10);
    item.bytes = row.int8(11);
    item.sha256 = rows::optional_string(row, 12);
    item.finished_at = rows::optional_instant(row, 13);
    item.expires_at = rows::optional_instant(row, 14);
    return item;
}

ExportAudit audit_row(pg::Row row) {
    ExportAudit audit;
    audit.id = {rows::uuid(row, 0)};
    audit.subject = {rows::uuid(row, 1)};
    audit.type = rows::enumerator<ExportAuditType>(row, 2);
    audit.request_id = row.text(3);
    return audit;
}

ExportProgress progress_row(pg::Row row) {
    return {export_row(row), rows::optional_string(row, position_column)};
}

pg::Params params_of(HeldJob const& held) {
    pg::Params params;
    params.uuid(held.job.value.bytes).uuid(held.lease.value.bytes);
    return params;
}

template <class T>
Result<std::optional<T>> first_of(Result<std::vector<T>> items) {
    if (!items) return items.error();
    std::optional<T> first;
    if (!items->empty()) first = std::move(items->front());
    return first;
}

std::string text_row(pg::Row row) { return std::string(row.text(0)); }

std::string bytes_row(pg::Row row) {
    auto const bytes = row.bytea(0);
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

pg::Params insert_params(std::vector<Export> const& items) {
    auto const filter = [](auto member) {
        return [member](Export const& item) { return item.filter.*member; };
    };
    auto const at = [](auto member) {
        return [member](Export const& item) { return rows::ms(item.filter.*member); };
    };
    auto const ledger = [](Export const& item) { return rows::bytes(item.ledger); };
    pg::Params params;
    params.add(rows::ids(items, &Export::id)).add(rows::ids(items, &Export::organization));
    params.add(rows::column<pg::Int2Array>(
        items, [](Export const& item) { return rows::number(item.source); }));
    params.add(rows::column<pg::Int2Array>(
        items, [](Export const& item) { return rows::number(item.format); }));
    params.add(rows::optional_column<pg::UuidArray>(items, ledger));
    params.add(rows::optional_column<pg::TextArray>(items, &Export::ledger_name));
    params.add(rows::optional_column<pg::TextArray>(items, filter(&ExportFilter::account)));
    params.add(rows::optional_column<pg::InstantMsArray>(items, at(&ExportFilter::from)));
    params.add(rows::optional_column<pg::InstantMsArray>(items, at(&ExportFilter::to)));
    return params;
}

pg::Params insert_params(std::vector<ExportAudit> const& audits) {
    pg::Params params;
    params.add(rows::ids(audits, &ExportAudit::subject)).add(rows::ids(audits, &ExportAudit::id));
    params.add(rows::column<pg::Int2Array>(
        audits, [](ExportAudit const& audit) { return rows::number(audit.type); }));
    params.add(rows::column<pg::TextArray>(audits, &ExportAudit::request_id));
    return params;
}

}  // namespace

namespace exports {

void write(pg::Segment& segment, Changes const& changes) {
    if (!changes.new_exports.empty())
        segment.add(sql::insert_exports, insert_params(changes.new_exports));
    if (!changes.export_audits.empty())
        segment.add(sql::insert_export_audit, insert_params(changes.export_audits));
}

}  // namespace exports

ExportStore::Found<Export> PostgresExports::find(std::optional<OrganizationId> organization,
                                                 ExportId id, SteadyTime deadline) {
    pg::Params params;
    params.uuid(id.value.bytes).optional_uuid(rows::bytes(organization));
    auto items =
        co_await reads::list(pool_, sql::find_export, std::move(params), deadline, export_row);
    co_return first_of(std::move(items));
}

ExportStore::Listed<Export> PostgresExports::list(ExportPage page, SteadyTime deadline) {
    pg::Params params;
    params.uuid(page.organization.value.bytes).uuid(below(page.before));
    params.int8(limit_of(page.limit));
    return reads::list(pool_, sql::list_exports, std::move(params), deadline, export_row);
}

ExportStore::Listed<ExportAudit> PostgresExports::list_audit(ExportAuditPage page,
                                                             SteadyTime deadline) {
    pg::Params params;
    params.uuid(page.subject.value.bytes).uuid(below(page.before)).int8(limit_of(page.limit));
    return reads::list(pool_, sql::list_export_audit, std::move(params), deadline, audit_row);
}

ExportStore::Found<ExportProgress> PostgresExports::begin(HeldJob held, SteadyTime deadline) {
    auto const rows = co_await write(sql::begin_export, params_of(held), deadline);
    if (!rows) co_return rows.error();
    auto read = [&] {
        std::optional<ExportProgress> progress;
        if (!rows->empty()) progress = progress_row((*rows)[0]);
        return progress;
    };
    co_return pg::decoded(read);
}

asio::awaitable<Result<JobEnd>> PostgresExports::append(HeldJob held, ExportChunk chunk,
                                                        SteadyTime deadline) {
    auto params = params_of(held);
    params.int8(chunk.start).int8(chunk.rows).bytea(pg::bytes_of(chunk.data));
    params.text(chunk.position);
    auto const rows = co_await write(sql::append_export, std::move(params), deadline);
    if (!rows) co_return rows.error();
    co_return rows->affected() == 1 ? JobEnd::again : JobEnd::lost;
}

asio::awaitable<Result<JobEnd>> PostgresExports::finish(HeldJob held, ExportEnd end,
                                                        SteadyTime deadline) {
    auto params = params_of(held);
    params.text(end.sha256).instant_ms(end.at.ms).instant_ms(end.expires_at.ms);
    params.uuid(end.audit.value.bytes);
    auto const rows = co_await write(sql::finish_export, std::move(params), deadline);
    if (!rows) co_return rows.error();
    co_return rows->affected() == 1 ? JobEnd::completed : JobEnd::lost;
}

asio::awaitable<Result<std::string>> PostgresExports::read(ExportId id, std::int64_t from,
                                                           std::size_t bytes_max,
                                                           SteadyTime deadline) {
    pg::Params params;
    params.uuid(id.value.bytes).int8(from).int8(limit_of(bytes_max));
    auto pieces =
        co_await reads::list(pool_, sql::export_piece, std::move(params), deadline, bytes_row);
    if (!pieces) co_return pieces.error();
    std::string piece;
    if (!pieces->empty()) piece = std::move(pieces->front());
    co_return piece;
}

asio::awaitable<Result<std::size_t>> PostgresExports::care(ExportCare care, SteadyTime deadline) {
    pg::Params failing;
    failing.add(rows::ids(care.failed, std::identity())).instant_ms(care.now.ms);
    failing.instant_ms(care.failed_until.ms);
    pg::Params expiring;
    expiring.add(rows::ids(care.expired, std::identity())).instant_ms(care.now.ms);
    pg::Params deleting;
    deleting.instant_ms(care.now.ms).int8(limit_of(care.chunks_max));
    pg::Params closing;
    closing.instant_ms(care.now.ms);
    pg::Segment segment;
    segment.add(sql::fail_exports, std::move(failing));
    segment.add(sql::expire_exports, std::move(expiring));
    segment.add(sql::delete_export_chunks, std::move(deleting));
    segment.add(sql::close_expired_exports, std::move(closing));
    segment.commits_by_itself();
    auto const answer = co_await pool_.read(std::move(segment), deadline);
    if (!answer) co_return answer.error().code;
    std::size_t done = 0;
    for (auto const& rows : *answer) done += rows.affected();
    co_return done;
}

asio::awaitable<Result<std::string>> PostgresExports::secret(SteadyTime deadline) {
    auto secrets =
        co_await reads::list(pool_, sql::find_export_secret, pg::Params(), deadline, bytes_row);
    if (!secrets) co_return secrets.error();
    if (secrets->empty()) co_return make_error_code(Errc::unexpected_reply);
    co_return std::move(secrets->front());
}

/// Whoever was at it when this was called has ended. Who has not written or locked anything by then
/// will decide later than that.
asio::awaitable<error_code> PostgresExports::settle(SteadyTime deadline) {
    std::optional<std::vector<std::string>> waited_for;
    for (;;) {
        auto const running = co_await reads::list(pool_, sql::running_transactions, pg::Params(),
                                                  deadline, text_row);
        if (!running) co_return running.error();
        if (!waited_for) waited_for = *running;
        auto const has_ended = [&](std::string const& transaction) {
            return std::ranges::find(*running, transaction) == running->end();
        };
        std::erase_if(*waited_for, has_ended);
        if (waited_for->empty()) co_return error_code();
        auto const again_at = std::min(deadline, steady_now() + settle_poll);
        bool const awake = co_await reactor::sleep_until(again_at);
        if (!awake) co_return make_error_code(asio::error::operation_aborted);
        if (steady_now() >= deadline) co_return make_error_code(reactor::Errc::deadline_exceeded);
    }
}

std::unique_ptr<TransferScanner> PostgresExports::scan(TransferScan scan) {
    return std::make_unique<PostgresTransferScanner>(pool_, std::move(scan));
}

asio::awaitable<Result<pg::Rows>> PostgresExports::write(Statement const& statement,
                                                         pg::Params params, SteadyTime deadline) {
    pg::Segment segment;
    segment.add(statement, std::move(params));
    // The pool sends again what was certainly not applied; a lost answer is commit_unknown.
    segment.commits_by_itself();
    auto answer = co_await pool_.read(std::move(segment), deadline);
    if (!answer) co_return answer.error().code;
    co_return std::move(answer->front());
}

}  // namespace penstock::db
