// How the mock keeps streams, and how it breaks their rules on purpose.
#include "mock_streams.hpp"

#include <algorithm>

namespace penstock::tests {
namespace {

namespace json = boost::json;

constexpr std::string_view prefix = "/streams/";

std::string escrow_of(std::size_t number) { return "@stream:s" + std::to_string(number); }

}  // namespace

bool MockStreams::is_load(std::string const& path) {
    if (path.find("/streams") == std::string::npos) return false;
    has_load_ = has_load_ || path.ends_with("/withdraw") || path.ends_with("/settle");
    return has_load_;
}

MockAnswer MockStreams::post(std::string const& ledger, std::string const& route,
                             json::object const& body, bool apply) {
    ++now_ms_;
    auto& streams = ledgers_[ledger];
    if (route == "/streams") return make(streams, body, apply);
    auto const end = route.find('/', prefix.size());
    if (end == std::string::npos) return problem(404, "not_found");
    auto const number = std::stoul(route.substr(prefix.size() + 1, end - prefix.size() - 1));
    if (number >= streams.size()) return problem(404, "stream_not_found");
    auto const action = route.substr(end + 1);
    if (action == "start") return start(ledger, number, apply);
    if (action == "withdraw") return withdraw(ledger, number, body, apply);
    if (action == "settle") return settle(ledger, number, apply);
    return problem(404, "not_found");
}

MockAnswer MockStreams::make(std::vector<MockStream>& streams, json::object const& body,
                             bool apply) {
    MockStream stream;
    stream.sender = text(body, "sender");
    stream.recipient = text(body, "recipient");
    stream.total = integer(body, "total");
    stream.duration_ms = integer(body, "duration_s") * 1'000;
    auto const shown = show(stream, streams.size());
    if (apply) streams.push_back(std::move(stream));
    return {201, json::serialize(shown)};
}

MockAnswer MockStreams::start(std::string const& ledger, std::size_t number, bool apply) {
    auto& stream = ledgers_[ledger][number];
    if (stream.status == "active") return {200, json::serialize(show(stream, number))};
    if (stream.status != "draft") return problem(409, "illegal_transition");
    auto started = stream;
    started.status = "active";
    started.started_ms = now_ms_;
    auto const shown = show(started, number);
    if (!apply) return {200, json::serialize(shown)};
    Movement const funding{"stream_funding", stream.sender, escrow_of(number), stream.total};
    if (!move_(ledger, funding)) return problem(402, "insufficient_funds");
    stream = started;
    return {200, json::serialize(shown)};
}

MockAnswer MockStreams::withdraw(std::string const& ledger, std::size_t number,
                                 json::object const& body, bool apply) {
    auto& stream = ledgers_[ledger][number];
    if (stream.status == "draft") return problem(409, "illegal_transition");
    auto const there = vested(stream) - stream.released;
    auto const* const wanted = body.if_contains("amount");
    auto const amount = wanted ? wanted->as_int64() : there;
    if (there == 0) return problem(422, "nothing_to_withdraw");
    if (amount > there) return problem(422, "over_withdraw");
    auto paid = stream;
    paid.released += amount;
    if (apply) {
        auto const& payer = mischief_.pay_from_sender ? stream.sender : escrow_of(number);
        Movement const withdrawal{"stream_withdrawal", payer, stream.recipient, amount};
        move_(ledger, withdrawal);
        stream = paid;
    }
    auto shown = show(paid, number);
    shown["paid"] = amount;
    return {200, json::serialize(shown)};
}

MockAnswer MockStreams::settle(std::string const& ledger, std::size_t number, bool apply) {
    auto& stream = ledgers_[ledger][number];
    if (stream.ended_ms != 0) return {200, json::serialize(show(stream, number))};
    if (stream.status != "active") return problem(409, "illegal_transition");
    auto settled = stream;
    settled.ended_ms = now_ms_;
    settled.refunded = stream.total - vested(settled);
    if (mischief_.refund_all) settled.refunded = stream.total - stream.released;
    settled.status = vested(settled) == stream.released ? "withdrawn" : "ended";
    if (apply) {
        auto const moved = settled.refunded - (mischief_.keep_back ? 1 : 0);
        Movement const refund{"stream_refund", escrow_of(number), stream.sender, moved};
        move_(ledger, refund);
        stream = settled;
    }
    return {200, json::serialize(show(settled, number))};
}

std::int64_t MockStreams::vested(MockStream const& stream) const {
    if (stream.started_ms == 0) return 0;
    auto const until = stream.ended_ms != 0 ? stream.ended_ms : now_ms_;
    auto const elapsed = std::min(until - stream.started_ms, stream.duration_ms);
    __extension__ using Wide = __int128;
    return static_cast<std::int64_t>(Wide{stream.total} * elapsed / stream.duration_ms);
}

json::object MockStreams::show(MockStream const& stream, std::size_t number) const {
    return {{"id", "s" + std::to_string(number)},
            {"sender", stream.sender},
            {"recipient", stream.recipient},
            {"total", stream.total},
            {"status", stream.status},
            {"vested", vested(stream)},
            {"released", stream.released},
            {"refunded", stream.refunded}};
}

}  // namespace penstock::tests
