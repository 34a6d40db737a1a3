// The activity feed: every change of an organization's ledgers, newest first.
#include <algorithm>

#include "db/activity.hpp"
#include "server/members.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"

namespace penstock::server::routes {
namespace {

constexpr std::size_t subject_bytes_max = 128;

std::optional<db::ActivityType> type_named(std::string_view name) {
    auto const names = db::activity_names();
    auto const found = std::ranges::find(names, name, &db::ActivityName::name);
    if (found == names.end()) return std::nullopt;
    return found->type;
}

void write(JsonWriter& json, db::Activity const& item) {
    json.begin_object();
    activity_members(json, item);
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
