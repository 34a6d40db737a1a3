// What must hold for every payment stream at every moment.
#include <map>
#include <string_view>

#include "db/verify.hpp"
#include "domain/stream.hpp"

namespace penstock::db {

using namespace domain;

namespace {

constexpr std::string_view escrow_prefix = "@stream:";

bool is_of_streams(TransferKind kind) {
    return kind == TransferKind::stream_funding || kind == TransferKind::stream_withdrawal ||
           kind == TransferKind::stream_refund || kind == TransferKind::stream_payout;
}

/// What the transfers of a stream come to.
struct Moved {
    std::map<TransferKind, Sum> sums;
    std::map<TransferKind, int> counts;
};

bool is_between_its_parties(Transfer const& transfer, Stream const& stream) {
    auto const escrow = escrow_address(stream.id);
    bool const is_funding = transfer.kind == TransferKind::stream_funding;
    bool const is_refund = transfer.kind == TransferKind::stream_refund;
    auto const& party = is_funding || is_refund ? stream.sender : stream.recipient;
    auto const& from = is_funding ? party.address : escrow;
    auto const& to = is_funding ? escrow : party.address;
    return transfer.from.address == from && transfer.to.address == to;
}

bool is_moved_right(Stream const& stream, Moved moved) {
    using enum TransferKind;
    bool const is_cancelled = stream.status == StreamStatus::cancelled;
    bool const may_refund = stream.settled_at || is_cancelled;
    return moved.sums[stream_funding] == (stream.started_at ? stream.total : 0) &&
           moved.sums[stream_withdrawal] + moved.sums[stream_payout] == stream.released &&
           moved.sums[stream_refund] == stream.refunded && moved.counts[stream_funding] <= 1 &&
           moved.counts[stream_refund] <= (may_refund ? 1 : 0) &&
           moved.counts[stream_payout] <= (is_cancelled ? 1 : 0);
}

Check make_check(std::string name, std::string const& wrong, std::size_t count) {
    return {std::move(name), wrong.empty(),
            wrong.empty() ? std::to_string(count) + " streams" : wrong};
}

Check check_transfers(LedgerRows const& rows) {
    std::map<Uuid, Stream const*> streams;
    for (auto const* stream : rows.streams) streams[stream->id.value] = stream;
    std::map<Uuid, Moved> moved;
    std::string wrong;
    for (auto const* transfer : rows.transfers) {
        if (!is_of_streams(transfer->kind)) continue;
        auto const cause = transfer->cause.value_or(Uuid());
        auto const stream = streams.find(cause);
        if (stream == streams.end() || !is_between_its_parties(*transfer, *stream->second))
            wrong = cause.to_string();
        moved[cause].sums[transfer->kind] += transfer->amount;
        moved[cause].counts[transfer->kind] += 1;
    }
    for (auto const* stream : rows.streams)
        if (!is_moved_right(*stream, moved[stream->id.value])) wrong = stream->id.to_string();
    return make_check("streams_equal_transfers", wrong, rows.streams.size());
}

Check check_escrow(LedgerRows const& rows) {
    std::map<std::string, Amount> balances;
    for (auto const* account : rows.accounts)
        if (account->address.starts_with(escrow_prefix))
            balances[account->address] = account->standing.balance;
    std::string wrong;
    for (auto const* stream : rows.streams) {
        auto const address = escrow_address(stream->id);
        auto const found = balances.find(address);
        auto const owed =
            stream->started_at ? stream->total - stream->released - stream->refunded : 0;
        bool const is_over =
            stream->status == StreamStatus::withdrawn || stream->status == StreamStatus::cancelled;
        if (found == balances.end() || found->second != owed || (is_over && owed != 0))
            wrong = address;
        if (found != balances.end()) balances.erase(found);
    }
    if (!balances.empty()) wrong = balances.begin()->first;
    return make_check("escrow_equals_streams", wrong, rows.streams.size());
}

bool has_instants_of_its_state(Stream const& stream) {
    using enum StreamStatus;
    auto const status = stream.status;
    bool const is_over = status == ended || status == withdrawn || status == cancelled;
    bool const never_started = status == draft || status == deleted;
    bool const has_run = status == active || status == paused || status == cancelled;
    if (stream.started_at.has_value() != stream.ends_at.has_value()) return false;
    if (stream.paused_at.has_value() != (status == paused)) return false;
    if (stream.ended_at.has_value() != is_over) return false;
    if (stream.settled_at && status != ended && status != withdrawn) return false;
    if (!stream.started_at) return !has_run && (status != withdrawn || stream.settled_at);
    std::chrono::milliseconds const length = stream.duration;
    return !never_started && (status != withdrawn || stream.settled_at) &&
           stream.ends_at->ms - stream.started_at->ms >= length.count();
}

bool is_within_vested(Stream const& stream) {
    using enum StreamStatus;
    auto const there = vested(stream, stream.updated_at);
    if (stream.released < 0 || stream.released > there || there > stream.total) return false;
    bool const gives_back = stream.started_at && (stream.settled_at || stream.status == cancelled);
    if (stream.refunded != (gives_back ? stream.total - there : 0)) return false;
    bool const is_over = stream.status == withdrawn || stream.status == cancelled;
    auto const funded = stream.started_at ? stream.total : 0;
    return !is_over || Sum{stream.released} + stream.refunded == funded;
}

Check check_vested(LedgerRows const& rows) {
    std::string wrong;
    for (auto const* stream : rows.streams)
        if (!has_instants_of_its_state(*stream) || !is_within_vested(*stream))
            wrong = stream->id.to_string();
    return make_check("streams_within_vested", wrong, rows.streams.size());
}

}  // namespace

std::vector<Check> verify_streams(LedgerRows const& rows) {
    return {check_transfers(rows), check_escrow(rows), check_vested(rows)};
}

}  // namespace penstock::db
