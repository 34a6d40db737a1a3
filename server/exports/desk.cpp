// WHO may download an export: links that expire, signed so that nobody can make one up.
#include "server/exports/desk.hpp"

#include <algorithm>
#include <charconv>

#include "server/digest.hpp"

namespace penstock::server {
namespace {

constexpr std::size_t expires_digits_max = 12;

/// Seconds since 1970 as they were signed: no sign, no leading zero.
std::optional<std::int64_t> seconds_of(std::string_view text) {
    if (text.empty() || text.size() > expires_digits_max || text.front() == '0')
        return std::nullopt;
    if (text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
    std::int64_t seconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return seconds;
}

}  // namespace

ExportDesk::ExportDesk(db::ExportStore& exports, ExportDeskOptions options)
    : exports_(exports), key_(std::move(options.signing_key)), link_ttl_(options.link_ttl) {}

asio::awaitable<error_code> ExportDesk::ready(SteadyTime deadline) {
    if (!key_.empty()) co_return error_code();
    auto secret = co_await exports_.secret(deadline);
    if (!secret) co_return secret.error();
    key_ = std::move(*secret);
    co_return error_code();
}

std::optional<ExportLink> ExportDesk::link_of(domain::Export const& row,
                                              domain::Instant now) const {
    if (row.status != domain::ExportStatus::ready || *row.expires_at <= now) return std::nullopt;
    auto const ttl = milliseconds(link_ttl_).count();
    auto const until = std::min(now.ms + ttl, row.expires_at->ms) / 1000;
    auto const expires = std::to_string(until);
    auto const id = row.id.to_string();
    ExportLink link;
    link.url.append("/v1/exports/").append(id).append("/download?expires=").append(expires);
    link.url.append("&signature=").append(signature_of(row.id, expires));
    link.expires_at = {until * 1000};
    return link;
}

ExportDesk::Signature ExportDesk::check(domain::ExportId id, std::string_view expires,
                                        std::string_view signature, domain::Instant now) const {
    auto const until = seconds_of(expires);
    if (!until || !equal_in_constant_time(signature, signature_of(id, expires)))
        return Signature::invalid;
    return now.ms < *until * 1000 ? Signature::valid : Signature::expired;
}

std::string ExportDesk::signature_of(domain::ExportId id, std::string_view expires) const {
    std::string text("penstock export download\n");
    text.append(id.to_string()).append("\n").append(expires);
    return hex_of(hmac_sha256(key_, text));
}

}  // namespace penstock::server
