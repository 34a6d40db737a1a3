// How the activity feed is read: what happened in ledgers, and what happened to products.
#include <functional>

#include "db/postgres_reads.hpp"
#include "db/postgres_rows.hpp"
#include "db/sql.hpp"

namespace penstock::db {

using namespace domain;
using namespace reads;

namespace {

bool is_of_sales(ActivityType type) {
    return type == product_created || type == order_completed ||
           type == activity_of(EventType::order_cancelled) ||
           type == activity_of(EventType::product_restocked);
}

bool is_of_credits(ActivityType type) {
    return type == activity_of(CreditKind::grant) || type == activity_of(CreditKind::expense) ||
           type == activity_of(CreditKind::transfer);
}

/// What a page's type leaves of the types of the one half of the feed or of the other.
std::vector<ActivityType> types_of(ActivityPage const& page, bool of_sales) {
    std::vector<ActivityType> types;
    for (auto const& [type, name] : activity_names())
        if (is_of_sales(type) == of_sales && (!page.type || type == *page.type))
            types.push_back(type);
    return types;
}

pg::Params params_of(OrganizationId organization, ActivityPage const& page) {
    std::optional<pg::UuidBytes> ledger;
    if (page.ledger) ledger = page.ledger->value.bytes;
    pg::Params params;
    params.uuid(organization.value.bytes).optional_uuid(ledger);
    return params;
}

/// Which of a half's statements a page takes; each of them has parameters of its own behind these.
struct Statements {
    Statement const& all;
    Statement const& of_subject;
    Statement const& of_account;
};

Statement const& choose(Statements const& statements, ActivityPage const& page) {
    if (page.subject) return statements.of_subject;
    return page.account ? statements.of_account : statements.all;
}

/// What the statements have not looked at. (Of credits they have: an operation has many parties.)
bool has_party(Activity const& activity, std::string const& address) {
    if (is_of_credits(activity.type)) return true;
    return activity.account == address || activity.counterparty == address;
}

/// The newest of both, as many as a page has.
std::vector<Activity> merged(std::vector<Activity> ledgers, std::vector<Activity> sales,
                             std::size_t limit) {
    auto const middle = static_cast<std::ptrdiff_t>(ledgers.size());
    std::move(sales.begin(), sales.end(), std::back_inserter(ledgers));
    std::ranges::inplace_merge(ledgers, ledgers.begin() + middle, std::greater(), &Activity::id);
    if (ledgers.size() > limit) ledgers.resize(limit);
    return ledgers;
}

}  // namespace

Store::Listed<Activity> PostgresStore::list_ledger_activity(OrganizationId organization,
                                                            ActivityPage page,
                                                            SteadyTime deadline) {
    pg::Int2Array types, kinds;
    for (auto const type : types_of(page, false)) {
        types.push(type);
        if (type > 100 && type < 200) kinds.push(static_cast<std::int16_t>(type - 100));
    }
    auto params = params_of(organization, page);
    params.add(types).add(kinds).uuid(below(page.before)).int8(limit_of(page.limit));
    auto const newest = page.before ? instant_of(page.before->value) : Instant{end_of_time_ms};
    if (page.subject) {
        params.uuid(Uuid::parse(*page.subject).value_or(Uuid()).bytes).text(*page.subject);
        params.optional_text(page.account).instant_ms(within_range(newest).ms);
    } else if (page.account) {
        params.text(*page.account).instant_ms(within_range(newest).ms);
    }
    Statements const statements{sql::list_activity, sql::list_subject_activity,
                                sql::list_account_activity};
    return list(choose(statements, page), std::move(params), deadline, rows::ledger_activity);
}

Store::Listed<Activity> PostgresStore::list_sale_activity(OrganizationId organization,
                                                          ActivityPage page, SteadyTime deadline) {
    pg::Int2Array types;
    for (auto const type : types_of(page, true)) types.push(type);
    auto params = params_of(organization, page);
    params.add(types).uuid(below(page.before)).int8(limit_of(page.limit));
    if (page.subject)
        params.uuid(Uuid::parse(*page.subject).value_or(Uuid()).bytes);
    else if (page.account)
        params.text(*page.account);
    Statements const statements{sql::list_sale_activity, sql::list_sale_subject_activity,
                                sql::list_sale_account_activity};
    return list(choose(statements, page), std::move(params), deadline, rows::sale_activity);
}

Store::Listed<Activity> PostgresStore::list_activity(OrganizationId organization, ActivityPage page,
                                                     SteadyTime deadline) {
    std::vector<Activity> items;
    if (!page.type || !is_of_sales(*page.type)) {
        auto found = co_await list_ledger_activity(organization, page, deadline);
        if (!found) co_return found.error();
        items = std::move(*found);
    }
    if (!page.type || is_of_sales(*page.type)) {
        auto found = co_await list_sale_activity(organization, page, deadline);
        if (!found) co_return found.error();
        items = merged(std::move(items), std::move(*found), page.limit);
    }
    // Of what stands here, a resource's parties are the same in all that happens to it: all of it
    // stays, or none. Only a stream's are not, and the statement has looked at those.
    if (page.subject && page.account)
        std::erase_if(items, [&](auto const& item) { return !has_party(item, *page.account); });
    co_return items;
}

}  // namespace penstock::db
