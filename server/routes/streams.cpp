// Payment streams: made, read, listed, and every action on one.
#include <array>
#include <boost/describe/enum_from_string.hpp>

#include "db/stream_store.hpp"
#include "domain/stream.hpp"
#include "server/http/json_reader.hpp"
#include "server/render.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/on_ledger.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"

namespace penstock::server::routes {
namespace {

using domain::StreamAction;
using std::chrono::seconds;

/// A hundred years.
constexpr std::int64_t stream_seconds_max = 3'153'600'000;

/// What a rate is counted by, in the order of the names that a request may use.
constexpr std::array intervals{seconds{1},      seconds{60},      seconds{3'600},
                               seconds{86'400}, seconds{604'800}, seconds{2'592'000}};

/// How much per interval.
struct Rate {
    domain::Amount amount = 0;
    seconds interval{};
};

std::optional<Rate> read_rate(JsonReader& in) {
    auto object = in.optional_object("rate");
    if (!object) return std::nullopt;
    Rate rate;
    rate.amount = object->integer("amount", 1, domain::amount_max);
    rate.interval =
        intervals.at(object->choice("per", {"second", "minute", "hour", "day", "week", "month"}));
    return rate;
}

/// An action on the stream that the path names.
Answer act(RequestContext& context, StreamAction action, unsigned status) {
    std::string canonical;
    domain::ActOnStream command;
    command.action = action;
    if (context.match.route->method == Method::post) {
        JsonReader in(context.request.body);
        if (action == StreamAction::withdraw)
            command.amount = in.optional_integer("amount", 1, domain::amount_max);
        if (!in.finish()) co_return context.problem(in.problem());
        canonical = in.canonical();
    }
    co_return co_await perform_on_original(
        context, std::move(command), &db::StreamStore::find_stream, std::move(canonical), status);
}

}  // namespace

Answer create_stream(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::CreateStream command;
    auto& draft = command.draft;
    draft.sender.address = read_payable(in, "sender");
    draft.recipient.address = read_payable(in, "recipient");
    auto const total = in.optional_integer("total", 1, domain::amount_max);
    auto const rate = read_rate(in);
    if (in.has("total") == in.has("rate")) in.fault("", "must have either a total or a rate");
    draft.duration = seconds{in.integer("duration_s", 1, stream_seconds_max)};
    draft.label = in.optional_text("label", 1, name_bytes_max, is_printable,
                                   "must not hold control characters");
    draft.metadata = in.object_text("metadata").value_or("{}");
    if (!in.finish()) co_return context.problem(in.problem());
    draft.total = total.value_or(0);
    if (rate) {
        auto const whole = domain::total_of_rate(rate->amount, rate->interval, draft.duration);
        if (auto const* refusal = std::get_if<domain::Refusal>(&whole))
            co_return context.refuse(*refusal);
        draft.total = std::get<domain::Amount>(whole);
    }
    co_return co_await perform_on_ledger(context, std::move(command), in.canonical(), 201);
}

Answer get_stream(RequestContext& context) {
    auto const id = domain::Uuid::parse(context.parameter("id"));
    if (!id) co_return context.problem(Code::stream_not_found);
    auto of_money = co_await find_ledger_of(context, domain::LedgerKind::money);
    if (auto* problem = std::get_if<Response>(&of_money)) co_return std::move(*problem);
    auto const ledger = std::get<domain::Ledger>(of_money).id;
    domain::StreamId const stream_id{*id};
    auto& streams = context.services.store.streams();
    auto const found = co_await streams.find_stream(ledger, stream_id, context.deadline);
    if (!found) co_return context.failure(found.error());
    if (!*found) co_return context.problem(Code::stream_not_found);
    std::string body;
    JsonWriter json(body);
    write(json, **found, context.services.clock.now());
    co_return Response(200, std::move(body));
}

Answer list_streams(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    db::StreamPage wanted;
    wanted.limit = *limit + 1;
    if (auto const sender = context.query("sender")) wanted.sender = std::string(*sender);
    if (auto const recipient = context.query("recipient"))
        wanted.recipient = std::string(*recipient);
    if (auto const text = context.query("status")) {
        domain::StreamStatus status{};
        bool const is_known =
            boost::describe::enum_from_string(std::string(*text).c_str(), status) &&
            status != domain::StreamStatus::deleted;
        if (!is_known)
            co_return context.bad_parameter(
                "status", "must be draft, active, paused, ended, withdrawn or cancelled");
        wanted.status = status;
    }
    if (!read_id_cursor(context, CursorKind::streams, wanted.before))
        co_return context.problem(Code::invalid_cursor);
    auto of_money = co_await find_ledger_of(context, domain::LedgerKind::money);
    if (auto* problem = std::get_if<Response>(&of_money)) co_return std::move(*problem);
    auto const ledger = std::get<domain::Ledger>(of_money).id;
    auto& streams = context.services.store.streams();
    auto const found = co_await streams.list_streams(ledger, wanted, context.deadline);
    if (!found) co_return context.failure(found.error());
    auto const now = context.services.clock.now();
    auto const write_item = [now](JsonWriter& json, domain::Stream const& one) {
        write(json, one, now);
    };
    auto const cursor_at = [](domain::StreamId last) {
        return CursorWriter(CursorKind::streams).id(last.value.bytes).text();
    };
    std::optional<std::string> rest;
    if (found->scanned_to) rest = cursor_at(*found->scanned_to);
    auto const after = [&](domain::Stream const& last) { return cursor_at(last.id); };
    co_return page(found->items, *limit, write_item, after, rest);
}

Answer delete_stream(RequestContext& context) { return act(context, StreamAction::remove, 204); }

Answer start_stream(RequestContext& context) { return act(context, StreamAction::start, 200); }

Answer pause_stream(RequestContext& context) { return act(context, StreamAction::pause, 200); }

Answer stop_stream(RequestContext& context) { return act(context, StreamAction::stop, 200); }

Answer settle_stream(RequestContext& context) { return act(context, StreamAction::settle, 200); }

Answer withdraw_stream(RequestContext& context) {
    return act(context, StreamAction::withdraw, 200);
}

Answer cancel_stream(RequestContext& context) { return act(context, StreamAction::cancel, 200); }

}  // namespace penstock::server::routes
