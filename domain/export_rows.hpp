// The rows of an export: what was asked for, how far it is, and who fetched it.
#pragma once

#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "domain/model.hpp"

namespace penstock::domain {

/// The numbers are what the store keeps: append, never renumber.
BOOST_DEFINE_FIXED_ENUM_CLASS(ExportSource, std::int16_t, transfers, entries, orders,
                              credit_history, streams, activity)
BOOST_DEFINE_FIXED_ENUM_CLASS(ExportFormat, std::int16_t, csv, ndjson)
BOOST_DEFINE_FIXED_ENUM_CLASS(ExportStatus, std::int16_t, pending, processing, ready, failed,
                              expired)

/// from ≤ created_at < to.
struct ExportFilter {
    std::optional<std::string> account = {};
    std::optional<Instant> from = {};
    std::optional<Instant> to = {};

    bool operator==(ExportFilter const&) const = default;
};

/// A file that a job writes, in chunks that lie in the store, so that any server can hand it out.
struct Export {
    ExportId id;  ///< UUIDv7 of requested_at
    OrganizationId organization;
    ExportSource source{};
    ExportFormat format{};
    std::optional<LedgerId> ledger = {};  ///< nullopt: of all that the organization has
    std::optional<std::string> ledger_name = {};
    ExportFilter filter = {};
    ExportStatus status = ExportStatus::pending;
    std::int64_t rows = 0;                    ///< written so far
    std::int64_t bytes = 0;                   ///< likewise
    std::optional<std::string> sha256 = {};   ///< of the whole file, lower-case hex; once ready
    std::optional<Instant> finished_at = {};  ///< ready or failed
    std::optional<Instant> expires_at = {};   ///< once ready

    Instant requested_at() const { return instant_of(id.value); }
    bool operator==(Export const&) const = default;
};

/// The number is what the store keeps: append, never renumber.
BOOST_DEFINE_FIXED_ENUM_CLASS(ExportAuditType, std::int16_t, requested, ready, downloaded, expired,
                              failed)

struct ExportAudit {
    EventId id;  ///< UUIDv7 of its instant
    ExportId subject;
    ExportAuditType type{};
    std::string request_id = {};  ///< empty: no request, the server itself

    Instant at() const { return instant_of(id.value); }
    bool operator==(ExportAudit const&) const = default;
};

}  // namespace penstock::domain
