// What asking for an export leaves in the store.
#include "domain/export.hpp"

namespace penstock::domain {
namespace {

ExportAudit audit_of(WorkingSet& set, Envelope const& envelope, ExportId subject,
                     ExportAuditType type) {
    return {{set.next_id(envelope.nonce)}, subject, type, envelope.request_id};
}

}  // namespace

void add_keys(RequestExport const&, Envelope const&, KeySet&) {}

/// A ledger that is deleted meanwhile leaves an export of nothing.
Outcome apply(WorkingSet& set, Envelope const& envelope, RequestExport const& command) {
    Export row = command.draft;
    row.id = {set.next_id(envelope.nonce)};
    row.organization = envelope.organization;
    Job job;
    // One name for both: whoever holds the job writes the export.
    job.id = {row.id.value};
    set.add_export(row);
    set.add_export_audit(audit_of(set, envelope, row.id, ExportAuditType::requested));
    job.organization = envelope.organization;
    job.ledger = row.ledger;
    job.kind = export_job;
    job.payload = R"({"export":")" + row.id.to_string() + "\"}";
    job.due_at = set.now();
    set.add_job(std::move(job));
    return Receipt{std::move(row)};
}

void add_keys(RecordDownload const&, Envelope const&, KeySet&) {}

Outcome apply(WorkingSet& set, Envelope const& envelope, RecordDownload const& command) {
    set.add_export_audit(audit_of(set, envelope, command.subject, ExportAuditType::downloaded));
    return Receipt{Done{}};
}

}  // namespace penstock::domain
