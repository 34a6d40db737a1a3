#include "db/postgres_store.hpp"

#include <algorithm>
#include <utility>

#include "db/pg/plain_connection.hpp"
#include "db/postgres_purge.hpp"
#include "db/postgres_rows.hpp"
#include "db/postgres_writer.hpp"
#include "db/sql.hpp"

namespace penstock::db {
namespace {

using namespace domain;

/// Above every text of the API: the largest code point, in UTF-8.
constexpr std::string_view last_text = "\xf4\x8f\xbf\xbf";

/// Beyond every instant that an API can name: the end of year 9999.
constexpr std::int64_t end_of_time_ms = 253'402'300'800'000;

/// Beyond every UUIDv7: those have other bits in the middle.
Uuid last_id() {
    Uuid id;
    id.bytes.fill(0xff);
    return id;
}

std::int64_t limit_of(std::size_t limit) { return static_cast<std::int64_t>(limit); }

pg::Int2Array kinds_of(std::optional<TransferKind> kind) {
    if (!kind) return rows::all_kinds();
    pg::Int2Array one;
    one.push(static_cast<std::int16_t>(*kind));
    return one;
}

pg::Int2Array statuses_of(std::optional<HoldStatus> status) {
    if (!status) return rows::all_statuses();
    pg::Int2Array one;
    one.push(static_cast<std::int16_t>(*status));
    return one;
}

/// A page's times as ids: lowest ≤ id < end.
struct IdRange {
    Uuid lowest;
    Uuid end;
};

Instant within_range(Instant at) { return {std::clamp<std::int64_t>(at.ms, 0, end_of_time_ms)}; }

IdRange ids_of(TransferPage const& page) {
    IdRange range{Uuid(), last_id()};
    if (page.from) range.lowest = first_uuid7(within_range(*page.from));
    if (page.to) range.end = first_uuid7(within_range(*page.to));
    if (page.before_id) range.end = std::min(range.end, page.before_id->value);
    return range;
}

pg::Params params_of(AccountName const& name) {
    pg::Params params;
    params.uuid(name.ledger.value.bytes).text(name.address);
    return params;
}

pg::Params account_page(AccountName const& name, TransferPage const& page) {
    auto params = params_of(name);
    params.instant_ms(within_range(page.from.value_or(Instant{0})).ms);
    // One bound for the end of the period and the place where the page before this one ended.
    Booking end{page.to.value_or(Instant{end_of_time_ms}), INT64_MIN};
    if (page.before) end = std::min(end, *page.before);
    params.instant_ms(within_range(end.at).ms).int8(end.version);
    params.add(kinds_of(page.kind)).optional_text(page.reference).int8(limit_of(page.limit));
    return params;
}

Statement const& purchases_statement(PurchasePage const& page) {
    if (page.buyer && page.author) return sql::list_purchases_by_both;
    if (page.buyer) return sql::list_purchases_by_buyer;
    if (page.author) return sql::list_purchases_by_author;
    return sql::list_purchases;
}

PastStanding past_standing(pg::Row row) { return {row.int8(0), row.int8(1)}; }

pg::ConnectionOptions for_reads(pg::ConnectionOptions options) {
    // Every read is a walk along one named index: nothing for the planner to choose.
    options.plans = pg::Plans::pinned;
    options.application_name += "-read";
    return options;
}

}  // namespace

PostgresStore::PostgresStore(asio::any_io_executor executor, PostgresOptions options)
    : executor_(executor),
      options_(std::move(options)),
      readers_(executor, for_reads(options_.connection), options_.read_connections,
               options_.backoff, options_.on_connection),
      jobs_(executor, options_.connection, options_.backoff, readers_),
      purge_(std::make_unique<PostgresPurge>(executor, options_)) {}

PostgresStore::~PostgresStore() = default;

asio::awaitable<void> PostgresStore::run() { return readers_.run(); }

std::unique_ptr<Writer> PostgresStore::make_writer() {
    return std::make_unique<PostgresWriter>(executor_, options_);
}

template <class T>
Store::Listed<T> PostgresStore::list(Statement const& statement, pg::Params params,
                                     SteadyTime deadline, T (*read)(pg::Row)) {
    auto const answer = co_await readers_.query(statement, std::move(params), deadline);
    if (!answer) co_return answer.error();
    auto read_all = [&] {
        std::vector<T> items;
        items.reserve(answer->size());
        for (pg::Row const row : *answer) items.push_back(read(row));
        return items;
    };
    co_return pg::decoded(read_all);
}

template <class T>
Store::Found<T> PostgresStore::find(Statement const& statement, pg::Params params,
                                    SteadyTime deadline, T (*read)(pg::Row)) {
    auto items = co_await list<T>(statement, std::move(params), deadline, read);
    if (!items) co_return items.error();
    std::optional<T> found;
    if (!items->empty()) found = std::move(items->front());
    co_return found;
}

asio::awaitable<error_code> PostgresStore::ping(SteadyTime deadline) {
    auto const answer = co_await readers_.query(sql::ping, pg::Params(), deadline);
    co_return answer ? error_code() : answer.error();
}

Store::Found<ApiKey> PostgresStore::find_api_key(SecretDigest digest, SteadyTime deadline) {
    pg::Params params;
    params.bytea(digest);
    return find(sql::find_api_key, std::move(params), deadline, rows::api_key);
}

Store::Found<Organization> PostgresStore::find_organization(OrganizationId id,
                                                            SteadyTime deadline) {
    pg::Params params;
    params.uuid(id.value.bytes);
    return find(sql::find_organization, std::move(params), deadline, rows::organization);
}

Store::Listed<Organization> PostgresStore::list_organizations(std::optional<OrganizationId> after,
                                                              std::size_t limit,
                                                              SteadyTime deadline) {
    std::optional<pg::UuidBytes> cursor;
    if (after) cursor = after->value.bytes;
    pg::Params params;
    params.uuid(after.value_or(OrganizationId{}).value.bytes).optional_uuid(cursor);
    params.int8(limit_of(limit));
    return list(sql::list_organizations, std::move(params), deadline, rows::organization);
}

Store::Listed<ApiKey> PostgresStore::list_api_keys(OrganizationId organization,
                                                   std::optional<ApiKeyId> after, std::size_t limit,
                                                   SteadyTime deadline) {
    pg::Params params;
    params.uuid(organization.value.bytes).uuid(after.value_or(ApiKeyId{}).value.bytes);
    params.int8(limit_of(limit));
    return list(sql::list_api_keys, std::move(params), deadline, rows::api_key);
}

Store::Found<Ledger> PostgresStore::find_ledger(LedgerName name, SteadyTime deadline) {
    pg::Params params;
    params.uuid(name.organization.value.bytes).text(name.name);
    return find(sql::find_ledger, std::move(params), deadline, rows::ledger);
}

Store::Listed<Ledger> PostgresStore::list_ledgers(OrganizationId organization,
                                                  std::optional<std::string> after,
                                                  std::size_t limit, SteadyTime deadline) {
    pg::Params params;
    params.uuid(organization.value.bytes).text(after.value_or("")).int8(limit_of(limit));
    return list(sql::list_ledgers, std::move(params), deadline, rows::ledger);
}

Store::Found<Account> PostgresStore::find_account(AccountName name, SteadyTime deadline) {
    return find(sql::find_account, params_of(name), deadline, rows::account);
}

Store::Found<PastStanding> PostgresStore::find_account_at(AccountName name, Instant at,
                                                          SteadyTime deadline) {
    auto params = params_of(name);
    params.instant_ms(within_range(at).ms);
    return find(sql::find_account_at, std::move(params), deadline, past_standing);
}

Store::Listed<Account> PostgresStore::list_accounts(LedgerId ledger, AccountPage page,
                                                    SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes).text(page.prefix).text(page.after.value_or(""));
    params.text(page.prefix + std::string(last_text)).boolean(page.prefix.empty());
    params.int8(limit_of(page.limit));
    return list(sql::list_accounts, std::move(params), deadline, rows::account);
}

Store::Listed<Transfer> PostgresStore::list_entries(AccountName name, EntryPage page,
                                                    SteadyTime deadline) {
    TransferPage all;
    all.before = page.before;
    all.limit = page.limit;
    return list(sql::list_account_transfers, account_page(name, all), deadline, rows::transfer);
}

Store::Found<Transfer> PostgresStore::find_transfer(LedgerId ledger, TransferId id,
                                                    SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes).add(rows::all_kinds()).uuid(id.value.bytes);
    return find(sql::find_transfer, std::move(params), deadline, rows::transfer);
}

Store::Listed<Transfer> PostgresStore::list_transfers(LedgerId ledger, TransferPage page,
                                                      SteadyTime deadline) {
    if (page.account) {
        auto params = account_page({ledger, *page.account}, page);
        return list(sql::list_account_transfers, std::move(params), deadline, rows::transfer);
    }
    auto const range = ids_of(page);
    pg::Params params;
    params.uuid(ledger.value.bytes);
    if (page.reference) params.text(*page.reference);
    params.add(kinds_of(page.kind)).uuid(range.lowest.bytes).uuid(range.end.bytes);
    params.int8(limit_of(page.limit));
    auto const& statement = page.reference ? sql::list_transfers_by_reference : sql::list_transfers;
    return list(statement, std::move(params), deadline, rows::transfer);
}

namespace {

/// What a page's type leaves of the transfers' kinds and of everything.
struct ActivityFilter {
    pg::Int2Array types;
    pg::Int2Array kinds;

    explicit ActivityFilter(std::optional<ActivityType> wanted) {
        for (auto const& [type, name] : activity_names()) {
            if (wanted && type != *wanted) continue;
            types.push(type);
            if (type > 100 && type < 200) kinds.push(static_cast<std::int16_t>(type - 100));
        }
    }
};

pg::Params activity_page(OrganizationId organization, ActivityPage const& page) {
    ActivityFilter const filter(page.type);
    std::optional<pg::UuidBytes> ledger;
    if (page.ledger) ledger = page.ledger->value.bytes;
    pg::Params params;
    params.uuid(organization.value.bytes).optional_uuid(ledger);
    params.add(filter.types).add(filter.kinds);
    params.uuid(page.before ? page.before->value.bytes : last_id().bytes);
    params.int8(limit_of(page.limit));
    return params;
}

bool has_party(Activity const& activity, std::string const& address) {
    return activity.account == address || activity.counterparty == address;
}

}  // namespace

Store::Listed<Activity> PostgresStore::list_activity(OrganizationId organization, ActivityPage page,
                                                     SteadyTime deadline) {
    auto params = activity_page(organization, page);
    if (page.subject) {
        params.uuid(Uuid::parse(*page.subject).value_or(Uuid()).bytes).text(*page.subject);
        auto items =
            co_await list(sql::list_subject_activity, std::move(params), deadline, rows::activity);
        // A resource's parties are the same in all that happens to it: all of it stays, or none.
        if (items && page.account)
            std::erase_if(*items,
                          [&](auto const& item) { return !has_party(item, *page.account); });
        co_return items;
    }
    if (!page.account)
        co_return co_await list(sql::list_activity, std::move(params), deadline, rows::activity);
    auto const newest = page.before ? instant_of(page.before->value) : Instant{end_of_time_ms};
    params.text(*page.account).instant_ms(within_range(newest).ms);
    co_return co_await list(sql::list_account_activity, std::move(params), deadline,
                            rows::activity);
}

Store::Listed<Total> PostgresStore::list_totals(LedgerId ledger, SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes);
    return list(sql::list_totals, std::move(params), deadline, rows::total);
}

Store::Found<Purchase> PostgresStore::find_purchase(LedgerId ledger, PurchaseId id,
                                                    SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes).uuid(id.value.bytes);
    return find(sql::find_purchase, std::move(params), deadline, rows::purchase);
}

Store::Listed<Purchase> PostgresStore::list_purchases(LedgerId ledger, PurchasePage page,
                                                      SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes);
    if (page.buyer) params.text(*page.buyer);
    if (page.author) params.text(*page.author);
    params.uuid(page.before ? page.before->value.bytes : last_id().bytes);
    params.int8(limit_of(page.limit));
    auto const& statement = purchases_statement(page);
    return list(statement, std::move(params), deadline, rows::purchase);
}

Store::Found<Hold> PostgresStore::find_hold(LedgerId ledger, HoldId id, SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes).uuid(id.value.bytes);
    return find(sql::find_hold, std::move(params), deadline, rows::hold);
}

Store::Listed<Hold> PostgresStore::list_holds(LedgerId ledger, HoldPage page, SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes);
    if (page.account) params.text(*page.account);
    params.add(statuses_of(page.status));
    params.uuid(page.before ? page.before->value.bytes : last_id().bytes);
    params.int8(limit_of(page.limit));
    auto const& statement = page.account ? sql::list_account_holds : sql::list_holds;
    return list(statement, std::move(params), deadline, rows::hold);
}

Store::Listed<Hold> PostgresStore::list_due_holds(Instant now, std::size_t limit,
                                                  SteadyTime deadline) {
    pg::Params params;
    params.instant_ms(within_range(now).ms).int8(limit_of(limit));
    return list(sql::list_due_holds, std::move(params), deadline, rows::hold);
}

asio::awaitable<Result<std::size_t>> PostgresStore::purge(Instant before, std::size_t limit,
                                                          SteadyTime deadline) {
    return purge_->run(before, limit, deadline);
}

namespace {

constexpr std::string_view check_prefix = "verify_";

/// The statements whose name is a check's.
constexpr Statement const* checks[] = {
    &sql::verify_balances_sum_to_zero,       &sql::verify_balance_equals_transfers,
    &sql::verify_available_within_overdraft, &sql::verify_versions_without_gap,
    &sql::verify_held_equals_open_holds,     &sql::verify_holds_end_once,
    &sql::verify_purchases_equal_royalties,  &sql::verify_totals_equal_transfers,
};

Check check_of(Statement const& statement, pg::Row row) {
    Check check;
    check.name = statement.name.substr(check_prefix.size());
    check.ok = row.text(0) == "t";
    check.detail = row.text(1);
    return check;
}

}  // namespace

Store::Listed<Check> PostgresStore::verify(LedgerId ledger, SteadyTime deadline) {
    // A connection of its own: full scans may take long, and here the planner must choose.
    auto options = options_.connection;
    options.plans = pg::Plans::chosen;
    options.statement_timeout = options_.verify_max;
    options.application_name += "-verify";
    auto dialled = co_await pg::dial(options, deadline);
    if (!dialled) co_return dialled.error().code;
    pg::PlainConnection connection(executor_, std::move(*dialled));
    // One snapshot for all checks.
    auto const begun = co_await connection.script(
        "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", deadline);
    if (!begun) co_return begun.error().code;
    std::vector<Check> results;
    for (auto const* statement : checks) {
        std::vector<std::string> params(1, ledger.to_string());
        auto const answer =
            co_await connection.query(std::string(statement->text), std::move(params), deadline);
        if (!answer) co_return answer.error().code;
        if (answer->size() != 1) co_return Errc::unexpected_reply;
        auto read = [&] { return check_of(*statement, (*answer)[0]); };
        auto check = pg::decoded(read);
        if (!check) co_return check.error();
        results.push_back(std::move(*check));
    }
    auto const ended = co_await connection.script("COMMIT", deadline);
    if (!ended) co_return ended.error().code;
    co_return results;
}

}  // namespace penstock::db
