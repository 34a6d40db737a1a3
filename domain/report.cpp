// Reports: asked for here, written by a job.
#include "domain/report.hpp"

#include "domain/organization.hpp"

namespace penstock::domain {

char const* name_of(ReportType type) {
    switch (type) {
        case ReportType::financial:
            return "financial";
    }
    return "";
}

void add_keys(RequestReport const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, RequestReport const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (!ledger) return Refusal{Rejection::ledger_not_found};
    if (ledger->kind != LedgerKind::money)
        return Refusal{Rejection::unsupported_on_ledger, "",
                       "A ledger of credits has no financial report."};
    Job job;
    job.id = {set.next_id(envelope.nonce)};
    job.organization = envelope.organization;
    job.ledger = ledger->id;
    job.kind = report_job;
    // Names of ledgers and of types need no escaping.
    job.payload = R"({"ledger":")" + ledger->name + R"(","type":")" + name_of(command.type) + "\"}";
    job.due_at = set.now();
    set.add_job(job);
    return Receipt{Accepted{job.id}};
}

}  // namespace penstock::domain
