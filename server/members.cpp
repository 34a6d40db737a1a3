// WHICH members a row has: those that are objects and lists themselves.
#include "server/members.hpp"

#include <algorithm>

#include "server/http/json_writer.hpp"

namespace penstock::server {
namespace {

/// What became of a stream, but for its start and what was withdrawn: those are movements of money.
bool is_of_stream(db::ActivityType type) {
    using enum domain::EventType;
    if (type == db::stream_created) return true;
    auto const events = {stream_paused,  stream_resumed,   stream_stopped,
                         stream_settled, stream_cancelled, stream_deleted};
    return std::ranges::any_of(events, [&](auto event) { return type == db::activity_of(event); });
}

/// A product's price or what was added to its stock; an order by its own members.
void write_sale(JsonWriter& json, db::Activity const& item) {
    json.member("product_id", item.product->to_string());
    if (item.user) json.member("user", *item.user);
    if (item.quantity) json.member("quantity", *item.quantity);
    if (item.amount) json.member(item.user ? "total" : "price", *item.amount);
    if (item.counterparty) json.member("seller", *item.counterparty);
}

/// Who had a part in it is said if it is one address; its history says more.
void write_credits(JsonWriter& json, db::Activity const& item) {
    json.member("reference", item.reference);
    if (item.type == db::activity_of(domain::CreditKind::transfer))
        json.member("from", item.account).member("to", item.counterparty);
    else
        json.member("address", item.account);
    json.member("amount", item.amount);
}

/// `refunded`: what its sender got back with it.
void write_stream(JsonWriter& json, db::Activity const& item) {
    bool const is_created = item.type == db::stream_created;
    json.member("sender", item.account).member("recipient", item.counterparty);
    if (item.amount) json.member(is_created ? "total" : "refunded", *item.amount);
    if (item.transfer) json.member("transfer_id", item.transfer->to_string());
}

}  // namespace

std::string activity_data(db::Activity const& item) {
    bool const is_purchase = item.type == db::purchase_completed ||
                             item.type == db::activity_of(domain::EventType::purchase_refunded);
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    if (item.type == db::account_created) {
        json.member("address", item.subject);
    } else if (item.reference) {
        write_credits(json, item);
    } else if (item.product) {
        write_sale(json, item);
    } else if (is_of_stream(item.type)) {
        write_stream(json, item);
    } else {
        json.member(is_purchase ? "buyer" : "from", item.account)
            .member(is_purchase ? "author" : "to", item.counterparty);
        if (item.amount) json.member(is_purchase ? "price" : "amount", *item.amount);
        if (item.transfer) json.member("transfer_id", item.transfer->to_string());
    }
    json.end_object();
    return text;
}

std::string next_actions_of(domain::Stream const& stream, domain::Instant at) {
    using boost::describe::enum_to_string;
    std::string text;
    JsonWriter json(text);
    json.begin_array();
    for (auto const action : domain::next_actions(stream, at))
        json.value(action == domain::StreamAction::remove ? "delete" : enum_to_string(action, ""));
    json.end_array();
    return text;
}

}  // namespace penstock::server
