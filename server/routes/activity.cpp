// The activity feed: every change of an organization's ledgers, newest first.
#include <algorithm>

#include "db/activity.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"

namespace penstock::server::routes {
namespace {

constexpr std::size_t subject_bytes_max = 128;

/// What became of a stream, but for its start and what was withdrawn: those are movements of money.
bool is_of_stream(db::ActivityType type) {
    using enum domain::EventType;
    if (type == db::stream_created) return true;
    auto const events = {stream_paused,  stream_resumed,   stream_stopped,
                         stream_settled, stream_cancelled, stream_deleted};
    return std::ranges::any_of(events, [&](auto event) { return type == db::activity_of(event); });
}

std::optional<db::ActivityType> type_named(std::string_view name) {
    auto const names = db::activity_names();
    auto const found = std::ranges::find(names, name, &db::ActivityName::name);
    if (found == names.end()) return std::nullopt;
    return found->type;
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

/// What it was about, by the names that the resource itself uses.
void write_data(JsonWriter& json, db::Activity const& item) {
    bool const is_purchase = item.type == db::purchase_completed ||
                             item.type == db::activity_of(domain::EventType::purchase_refunded);
    json.begin_object("data");
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
}

void write(JsonWriter& json, db::Activity const& item) {
    json.begin_object()
        .member("id", item.id.to_string())
        .member("type", db::activity_name(item.type))
        .member("ledger", item.ledger)
        .member("subject", item.subject)
        .instant("at", item.at().ms);
    write_data(json, item);
    json.end_object();
}

}  // namespace

Answer list_activity(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    db::ActivityPage wanted;
    wanted.limit = *limit + 1;
    if (auto const account = context.query("account")) wanted.account = std::string(*account);
    if (auto const subject = context.query("subject")) {
        if (subject->empty() || subject->size() > subject_bytes_max)
            co_return context.bad_parameter("subject", "must be an id or an address");
        wanted.subject = std::string(*subject);
    }
    if (auto const stream = context.query("stream")) {
        auto const id = domain::Uuid::parse(*stream);
        if (!id) co_return context.bad_parameter("stream", "must be a stream's id");
        if (wanted.subject && *wanted.subject != id->to_string())
            co_return context.bad_parameter("stream", "must be the subject, where both are given");
        wanted.subject = id->to_string();
    }
    if (auto const type = context.query("type")) {
        wanted.type = type_named(*type);
        if (!wanted.type) co_return context.bad_parameter("type", "must be a type of activity");
    }
    if (!read_id_cursor(context, CursorKind::activity, wanted.before))
        co_return context.problem(Code::invalid_cursor);
    if (auto const name = context.query("ledger")) {
        domain::LedgerName const ledger_name{context.principal.organization, std::string(*name)};
        auto const ledger = co_await context.ledgers.find(ledger_name, context.deadline);
        if (!ledger) co_return context.failure(ledger.error());
        if (!*ledger) co_return context.problem(Code::ledger_not_found);
        wanted.ledger = (*ledger)->id;
    }
    auto const items = co_await context.services.store.list_activity(context.principal.organization,
                                                                     wanted, context.deadline);
    if (!items) co_return context.failure(items.error());
    auto const write_item = [](JsonWriter& json, db::Activity const& item) { write(json, item); };
    co_return page(*items, *limit, write_item, [](db::Activity const& last) {
        return CursorWriter(CursorKind::activity).id(last.id.value.bytes).text();
    });
}

}  // namespace penstock::server::routes
