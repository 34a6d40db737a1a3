#include "db/postgres_store.hpp"

#include <algorithm>
#include <utility>

#include "db/postgres_lots.hpp"
#include "db/postgres_purge.hpp"
#include "db/postgres_reads.hpp"
#include "db/postgres_rows.hpp"
#include "db/postgres_scan.hpp"
#include "db/postgres_writer.hpp"
#include "db/sql.hpp"

namespace penstock::db {
namespace {

using namespace domain;
using namespace reads;

/// Above every text of the API: the largest code point, in UTF-8.
constexpr std::string_view last_text = "\xf4\x8f\xbf\xbf";

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
    params.instant_ms(within_range(end.at).ms).int8(end.version).int8(limit_of(page.limit));
    return params;
}

pg::Params reference_page(LedgerId ledger, TransferPage const& page) {
    auto const range = ids_of(page);
    pg::Params params;
    params.uuid(ledger.value.bytes).text(*page.reference).add(kinds_of(page.kind));
    params.uuid(range.lowest.bytes).uuid(range.end.bytes).int8(limit_of(page.limit));
    params.optional_text(page.account);
    params.int8(limit_of(page.passes_over_rows() ? page.scan_max : page.limit));
    return params;
}

reads::Scanned<Transfer> scanned_transfer(pg::Row row) {
    return {rows::transfer(row), row.boolean(18), row.boolean(19)};
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
      credits_(readers_, std::make_unique<PostgresLots>(executor, options_)),
      streams_(readers_),
      hot_(readers_),
      exports_(readers_),
      jobs_(executor, options_.connection, options_.backoff, readers_),
      purge_(std::make_unique<PostgresPurge>(executor, options_)) {}

PostgresStore::~PostgresStore() = default;

asio::awaitable<void> PostgresStore::run() { return readers_.run(); }

std::unique_ptr<Writer> PostgresStore::make_writer() {
    return std::make_unique<PostgresWriter>(executor_, options_, lock_waits_);
}

asio::awaitable<error_code> PostgresStore::ping(SteadyTime deadline) {
    auto const answer = co_await readers_.query(sql::ping, pg::Params(), deadline);
    co_return answer ? error_code() : answer.error();
}

Store::Listed<ApiKey> PostgresStore::find_api_keys(std::vector<SecretDigest> digests,
                                                   SteadyTime deadline) {
    pg::ByteaArray wanted;
    for (auto const& digest : digests) wanted.push(digest);
    pg::Params params;
    params.add(wanted);
    return list(sql::find_api_keys, std::move(params), deadline, rows::api_key);
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

asio::awaitable<Result<TransferList>> PostgresStore::list_transfers(LedgerId ledger,
                                                                    TransferPage page,
                                                                    SteadyTime deadline) {
    if (page.passes_over_rows())
        co_return co_await scan_transfers(ledger, std::move(page), deadline);
    pg::Params params;
    auto const* statement = &sql::list_transfers;
    if (page.account) {
        statement = &sql::list_account_transfers;
        params = account_page({ledger, *page.account}, page);
    } else if (page.reference) {
        statement = &sql::list_transfers_by_reference;
        params = reference_page(ledger, page);
    } else {
        auto const range = ids_of(page);
        params.uuid(ledger.value.bytes).add(kinds_of(page.kind));
        params.uuid(range.lowest.bytes).uuid(range.end.bytes).int8(limit_of(page.limit));
    }
    auto items = co_await list(*statement, std::move(params), deadline, rows::transfer);
    if (!items) co_return items.error();
    TransferList all;
    all.items = std::move(*items);
    co_return all;
}

asio::awaitable<Result<TransferList>> PostgresStore::scan_transfers(LedgerId ledger,
                                                                    TransferPage page,
                                                                    SteadyTime deadline) {
    pg::Params params;
    if (page.reference) {
        params = reference_page(ledger, page);
    } else {
        params = account_page({ledger, *page.account}, page);
        params.add(kinds_of(page.kind)).int8(limit_of(page.scan_max));
    }
    auto const& statement =
        page.reference ? sql::list_transfers_by_reference : sql::list_account_transfers_of_kind;
    auto rows = co_await list(statement, std::move(params), deadline, scanned_transfer);
    if (!rows) co_return rows.error();
    auto const place_of = [](Transfer const& last) { return last; };
    co_return reads::list_scanned<TransferList>(std::move(*rows), place_of);
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
    params.uuid(below(page.before));
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
    params.uuid(below(page.before));
    params.int8(limit_of(page.limit));
    auto const& statement = page.account ? sql::list_account_holds : sql::list_holds;
    return list(statement, std::move(params), deadline, rows::hold);
}

Store::Listed<Hold> PostgresStore::list_due_holds(Instant now, std::size_t limit,
                                                  SteadyTime deadline) {
    return list_due_holds(DuePage{now, {}, limit}, deadline);
}

Store::Listed<Hold> PostgresStore::list_due_holds(DuePage page, SteadyTime deadline) {
    return list(sql::list_due_holds, due_page(page), deadline, rows::hold);
}

Store::Listed<Lot> PostgresStore::list_due_lots(DuePage page, SteadyTime deadline) {
    return credits_.list_due_lots(std::move(page), deadline);
}

asio::awaitable<Result<std::size_t>> PostgresStore::purge(Instant before, std::size_t limit,
                                                          SteadyTime deadline) {
    return purge_->run(before, limit, deadline);
}

}  // namespace penstock::db
