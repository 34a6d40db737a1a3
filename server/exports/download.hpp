// HOW a file gets out: piece by piece, as fast as the client reads it.
#pragma once

#include "db/export_store.hpp"
#include "server/exports/desk.hpp"
#include "server/http/response.hpp"

namespace penstock::server {

class ExportDownload final : public BodySource {
public:
    /// `size` bytes of it, from `first` on. The store and the metrics outlive every request.
    ExportDownload(db::ExportStore& exports, ExportDeskMetrics& metrics, domain::ExportId id,
                   std::uint64_t first, std::uint64_t size);

    asio::awaitable<Result<std::string>> next() override;

private:
    db::ExportStore& exports_;
    ExportDeskMetrics& metrics_;
    domain::ExportId id_;
    std::int64_t at_;
    std::uint64_t left_;
};

}  // namespace penstock::server
