// HOW a file gets out: piece by piece, as fast as the client reads it.
#include "server/exports/download.hpp"

#include <algorithm>

namespace penstock::server {
namespace {

constexpr std::uint64_t piece_bytes = 262'144;
constexpr milliseconds piece_max{10'000};

}  // namespace

ExportDownload::ExportDownload(db::ExportStore& exports, ExportDeskMetrics& metrics,
                               domain::ExportId id, std::uint64_t first, std::uint64_t size)
    : exports_(exports),
      metrics_(metrics),
      id_(id),
      at_(static_cast<std::int64_t>(first)),
      left_(size) {}

asio::awaitable<Result<std::string>> ExportDownload::next() {
    if (left_ == 0) co_return std::string();
    auto const wanted = static_cast<std::size_t>(std::min(left_, piece_bytes));
    // Nothing: it has expired meanwhile. The session sees that the body is too short.
    auto piece = co_await exports_.read(id_, at_, wanted, steady_now() + piece_max);
    if (!piece) co_return piece.error();
    at_ += static_cast<std::int64_t>(piece->size());
    left_ -= piece->size();
    metrics_.bytes.add(piece->size());
    co_return std::move(*piece);
}

}  // namespace penstock::server
