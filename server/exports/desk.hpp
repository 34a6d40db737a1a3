// WHO may download an export: links that expire, signed so that nobody can make one up.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "db/export_store.hpp"
#include "reactor/counters.hpp"

namespace penstock::server {

struct ExportDeskOptions {
    std::string signing_key;  ///< empty: the one that the store keeps
    std::chrono::minutes link_ttl{60};
};

/// One per shard.
struct ExportDeskMetrics {
    reactor::Count downloads;
    reactor::Count bytes;    ///< served
    reactor::Count refused;  ///< signatures that were not ours
};

struct ExportLink {
    std::string url;  ///< path and query
    domain::Instant expires_at;
};

class ExportDesk {
public:
    enum class Signature { valid, invalid, expired };

    ExportDesk(db::ExportStore& exports, ExportDeskOptions options);

    /// Once it has returned without an error there is a key to sign with.
    asio::awaitable<error_code> ready(SteadyTime deadline);

    /// Of an export that can be downloaded now; nullopt: of any other. After ready().
    std::optional<ExportLink> link_of(domain::Export const& row, domain::Instant now) const;
    /// What a link's parameters are worth. After ready().
    Signature check(domain::ExportId id, std::string_view expires, std::string_view signature,
                    domain::Instant now) const;

    ExportDeskMetrics& metrics() { return metrics_; }
    ExportDeskMetrics const& metrics() const { return metrics_; }

private:
    std::string signature_of(domain::ExportId id, std::string_view expires) const;

    db::ExportStore& exports_;
    std::string key_;
    std::chrono::minutes link_ttl_;
    ExportDeskMetrics metrics_;
};

}  // namespace penstock::server
