// WHICH members a row has, in the order that the API documents: one list for its answers and for
// exports in every format. `Out` is a JsonWriter, a CsvWriter or a CsvHeader.
#pragma once

#include <boost/describe/enum_to_string.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "db/activity.hpp"
#include "domain/credit_rows.hpp"
#include "domain/model.hpp"
#include "domain/stream.hpp"

namespace penstock::server {

/// A domain::Transfer or a view of one.
template <class Out, class Transfer>
void transfer_members(Out& out, Transfer const& transfer, std::string_view ledger) {
    out.id("id", transfer.id.value.bytes)
        .member("ledger", ledger)
        .member("kind", boost::describe::enum_to_string(transfer.kind, ""))
        .member("from", transfer.from.address)
        .member("to", transfer.to.address)
        .member("amount", transfer.amount)
        .member("reference", transfer.reference)
        .raw("metadata", transfer.metadata)
        .instant("created_at", transfer.created_at().ms);
}

/// A transfer as an entry of the account `address`: the credit side if it is on both (it cannot
/// be: nobody pays himself).
template <class Out, class Transfer>
void entry_members(Out& out, Transfer const& transfer, std::string_view address) {
    bool const credited = transfer.to.address == address;
    auto const& own = credited ? transfer.to : transfer.from;
    auto const& other = credited ? transfer.from : transfer.to;
    out.id("transfer_id", transfer.id.value.bytes)
        .member("kind", boost::describe::enum_to_string(transfer.kind, ""))
        .member("direction", credited ? "credit" : "debit")
        .member("amount", transfer.amount)
        .member("balance_after", own.balance_after)
        .member("version", own.version)
        .member("counterparty", other.address)
        .member("reference", transfer.reference)
        .instant("created_at", transfer.created_at().ms);
}

template <class Out>
void order_members(Out& out, domain::Order const& order) {
    out.id("id", order.id.value.bytes)
        .id("product_id", order.product.value.bytes)
        .member("user", order.user)
        .member("quantity", order.quantity)
        .member("unit_price", order.unit_price)
        .member("total", order.total)
        .member("status", boost::describe::enum_to_string(order.status, ""))
        .raw("metadata", order.metadata)
        .instant("created_at", order.created_at().ms);
}

template <class Out>
void credit_entry_members(Out& out, domain::CreditEntry const& entry) {
    std::optional<std::int64_t> expires_at;
    if (entry.expires_at) expires_at = entry.expires_at->ms;
    out.id("id", entry.operation.value.bytes)
        .member("kind", boost::describe::enum_to_string(entry.kind, ""))
        .member("reference", entry.reference)
        .member("index", entry.index)
        .member("address", entry.party.address)
        .member("amount", entry.amount)
        .instant("expires_at", expires_at)
        .instant("created_at", entry.created_at().ms);
}

/// The names of the actions that are possible: a JSON array.
std::string next_actions_of(domain::Stream const& stream, domain::Instant at);

/// As it is at that instant.
template <class Out>
void stream_members(Out& out, domain::Stream const& stream, domain::Instant at) {
    auto const ms_of = [](std::optional<domain::Instant> when) {
        return when ? std::optional(when->ms) : std::nullopt;
    };
    out.id("id", stream.id.value.bytes)
        .member("sender", stream.sender.address)
        .member("recipient", stream.recipient.address)
        .member("total", stream.total)
        .member("duration_s", stream.duration.count())
        .member("label", stream.label)
        .raw("metadata", stream.metadata)
        .member("status", boost::describe::enum_to_string(stream.status, ""))
        .member("vested", domain::vested(stream, at))
        .member("released", stream.released)
        .member("refunded", stream.refunded)
        .member("withdrawable", domain::withdrawable(stream, at))
        .instant("started_at", ms_of(stream.started_at))
        .instant("ends_at", ms_of(stream.ends_at))
        .instant("paused_at", ms_of(stream.paused_at))
        .instant("ended_at", ms_of(stream.ended_at))
        .instant("settled_at", ms_of(stream.settled_at))
        .raw("next_actions", next_actions_of(stream, at))
        .instant("created_at", stream.created_at().ms)
        .instant("updated_at", stream.updated_at.ms);
}

/// What it was about, by the names that the resource itself uses: a JSON object.
std::string activity_data(db::Activity const& item);

template <class Out>
void activity_members(Out& out, db::Activity const& item) {
    out.id("id", item.id.value.bytes)
        .member("type", db::activity_name(item.type))
        .member("ledger", item.ledger)
        .member("subject", item.subject)
        .instant("at", item.at().ms)
        .raw("data", activity_data(item));
}

}  // namespace penstock::server
