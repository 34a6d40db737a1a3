#include "server/hot/worker.hpp"

#include <utility>
#include <variant>

#include "cache/redis/error.hpp"
#include "db/pg/error.hpp"

namespace penstock::server {

HotRow row_of(domain::Outcome const& outcome, std::int64_t epoch) {
    auto const* receipt = std::get_if<domain::Receipt>(&outcome);
    auto const* row = receipt ? std::get_if<domain::HotLedger>(&receipt->what) : nullptr;
    HotRow answer;
    if (!row) {
        answer.end = HotEnd::removed;
        return answer;
    }
    answer.row = *row;
    if (row->epoch != epoch) answer.end = HotEnd::superseded;
    return answer;
}

domain::Envelope hot_envelope(HotLedgerParts const& parts, std::string request_id,
                              domain::Command command) {
    domain::Envelope envelope;
    envelope.request_id = std::move(request_id);
    envelope.nonce = parts.ids.nonce();
    envelope.command = std::move(command);
    return envelope;
}

bool may_be_split(error_code error) {
    // A unique key that is taken is the latter: it might have been free again, and was not.
    return error == db::Errc::refused_by_database || error == db::Errc::retry_transaction;
}

bool is_damage(cache::Failure const& failure) {
    return failure.text.find("WRONGTYPE") != std::string::npos;
}

}  // namespace penstock::server
