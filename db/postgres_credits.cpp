#include "db/postgres_credits.hpp"

#include "db/postgres_columns.hpp"
#include "db/postgres_lots.hpp"
#include "db/postgres_reads.hpp"
#include "db/postgres_scan.hpp"
#include "db/sql.hpp"

namespace penstock::db {
namespace {

using namespace domain;
using namespace rows;
using reads::last_id;
using reads::limit_of;
using reads::list_scanned;
using reads::Scanned;
using reads::within_range;

CreditOperation operation(pg::Row row) {
    CreditOperation operation;
    operation.ledger = {uuid(row, 0)};
    operation.id = {uuid(row, 1)};
    operation.kind = enumerator<CreditKind>(row, 2);
    operation.reference = row.text(3);
    if (!row.is_null(4)) operation.sender = party(row, 4);
    operation.minted = row.boolean(6);
    operation.drain = enumerator<Drain>(row, 7);
    operation.key_use = key_use(row, 8);
    return operation;
}

CreditEntry entry(pg::Row row) {
    CreditEntry entry;
    entry.ledger = {uuid(row, 0)};
    entry.operation = {uuid(row, 1)};
    entry.index = row.int4(2);
    entry.kind = enumerator<CreditKind>(row, 3);
    entry.reference = row.text(4);
    entry.party = party(row, 5);
    entry.amount = row.int8(7);
    entry.shortfall = row.int8(8);
    entry.expires_at = optional_instant(row, 9);
    return entry;
}

Scanned<CreditEntry> scanned_entry(pg::Row row) {
    return {entry(row), row.boolean(10), row.boolean(11)};
}

Lot lot(pg::Row row) {
    Lot lot;
    lot.ledger = {uuid(row, 0)};
    lot.party = party(row, 1);
    lot.place = {{uuid(row, 3)}, row.int4(4)};
    lot.amount = row.int8(5);
    lot.remaining = row.int8(6);
    lot.expires_at = optional_instant(row, 7);
    lot.is_open = row.boolean(8);
    return lot;
}

/// A lot, and by which policy its address would pay.
struct ValidLot {
    ReferencedLot referenced;
    Drain drain = Drain::emission;
};

ValidLot valid_lot(pg::Row row) {
    ValidLot valid;
    auto& lot = valid.referenced.lot;
    lot.party.account = {uuid(row, 0)};
    lot.place = {{uuid(row, 1)}, row.int4(2)};
    lot.amount = row.int8(3);
    lot.remaining = row.int8(4);
    lot.expires_at = optional_instant(row, 5);
    lot.is_open = true;
    valid.referenced.reference = row.text(6);
    valid.drain = enumerator<Drain>(row, 7);
    return valid;
}

Scanned<CreditBalance> scanned_balance(pg::Row row) {
    return {{std::string(row.text(0)), row.int8(1)}, row.boolean(2), row.boolean(3)};
}

LedgerBehind ledger_behind(pg::Row row) {
    return {{uuid(row, 0)}, std::string(row.text(1)), std::string(row.text(2))};
}

CreditLine line(pg::Row row) {
    return {std::string(row.text(1)), row.int4(2), row.int8(3), row.int8(4),
            optional_instant(row, 5)};
}

pg::Params one_list(pg::UuidArray ids) {
    pg::Params params;
    params.add(std::move(ids));
    return params;
}

pg::Params insert_operations(std::vector<CreditOperation> const& operations) {
    pg::UuidArray senders;
    KeyColumns keys;
    for (auto const& each : operations) {
        senders.push_optional(each.sender ? std::optional(each.sender->account.value.bytes)
                                          : std::nullopt);
        keys.push(each.key_use);
    }
    pg::Params params;
    params.add(ids(operations, &CreditOperation::ledger));
    params.add(ids(operations, &CreditOperation::id));
    params.add(column<pg::Int2Array>(operations, [](auto const& o) { return number(o.kind); }));
    params.add(column<pg::TextArray>(operations, &CreditOperation::reference));
    params.add(senders);
    params.add(column<pg::BooleanArray>(operations, &CreditOperation::minted));
    params.add(column<pg::Int2Array>(operations, [](auto const& o) { return number(o.drain); }));
    params.add(keys.keys).add(keys.fingerprints);
    return params;
}

pg::Params insert_entries(std::vector<CreditEntry> const& entries) {
    pg::UuidArray accounts;
    pg::Int8Array shortfalls;
    pg::InstantMsArray expiries;
    for (auto const& each : entries) {
        accounts.push(each.party.account.value.bytes);
        shortfalls.push_optional(each.shortfall ? std::optional(each.shortfall) : std::nullopt);
        expiries.push_optional(ms(each.expires_at));
    }
    pg::Params params;
    params.add(ids(entries, &CreditEntry::operation)).add(accounts);
    params.add(column<pg::Int8Array>(entries, &CreditEntry::amount));
    params.add(column<pg::Int4Array>(entries, &CreditEntry::index));
    params.add(shortfalls).add(expiries);
    return params;
}

pg::Params insert_lots(std::vector<Lot> const& lots) {
    pg::UuidArray operations, accounts;
    pg::Int4Array indexes;
    pg::InstantMsArray expiries;
    for (auto const& each : lots) {
        operations.push(each.place.operation.value.bytes);
        accounts.push(each.party.account.value.bytes);
        indexes.push(each.place.index);
        expiries.push_optional(ms(each.expires_at));
    }
    pg::Params params;
    params.add(operations).add(accounts);
    params.add(column<pg::Int8Array>(lots, &Lot::amount));
    params.add(column<pg::Int8Array>(lots, &Lot::remaining));
    params.add(expiries).add(indexes);
    params.add(column<pg::BooleanArray>(lots, &Lot::is_open));
    return params;
}

pg::Params update_lots(std::vector<Lot> const& lots) {
    pg::UuidArray operations;
    pg::Int4Array indexes;
    for (auto const& each : lots) {
        operations.push(each.place.operation.value.bytes);
        indexes.push(each.place.index);
    }
    pg::Params params;
    params.add(operations).add(indexes);
    params.add(column<pg::Int8Array>(lots, &Lot::remaining));
    params.add(column<pg::BooleanArray>(lots, &Lot::is_open));
    return params;
}

pg::Params history_page(LedgerId ledger, CreditHistoryPage const& page) {
    pg::Int2Array kinds;
    if (page.kind) kinds.push(number(*page.kind));
    auto const before = page.before.value_or(LotPlace{{last_id()}, 0});
    auto const from = page.from ? first_uuid7(within_range(*page.from)) : Uuid();
    auto const end = page.to ? first_uuid7(within_range(*page.to)) : last_id();
    pg::Params params;
    params.uuid(ledger.value.bytes).add(page.kind ? kinds : all_numbers<CreditKind>());
    params.uuid(before.operation.value.bytes).int4(before.index);
    params.uuid(from.bytes).uuid(end.bytes);
    return params;
}

}  // namespace

namespace credits {

void load_roots(KeySet const& keys, Add const& add) {
    if (!keys.credit_ledgers.empty())
        add(sql::lock_credit_ledgers, one_list(uuids(keys.credit_ledgers)),
            [](pg::Row row, Loaded& to) {
                to.credit_ledgers.push_back({{uuid(row, 0)}, {uuid(row, 1)}});
            });
}

void load_children(KeySet const& keys, Add const& add) {
    if (!keys.lots_of.empty())
        add(sql::open_credit_lots, names(keys.lots_of),
            [](pg::Row row, Loaded& to) { to.lots.push_back(lot(row)); });
    if (!keys.credit_references.empty())
        add(sql::taken_credit_references, names(keys.credit_references),
            [](pg::Row row, Loaded& to) {
                to.credit_references.emplace(LedgerId{uuid(row, 0)}, row.text(1));
            });
}

void load_keys(pg::Params const& keys, Add const& add) {
    add(sql::credit_operations_by_key, keys, [](pg::Row row, Loaded& to) {
        auto found = operation(row);
        if (!found.key_use) throw pg::BadReply(8, "an operation with a key");
        auto const use = *found.key_use;
        auto const at = found.created_at();
        Credited credited{std::move(found), {}};
        to.keys.emplace_back(use.key, KeyRecord{use.fingerprint, at, std::move(credited)});
    });
}

std::vector<IdempotencyKey> found_keys(Loaded const& loaded) {
    std::vector<IdempotencyKey> keys;
    for (auto const& [key, record] : loaded.keys)
        if (std::holds_alternative<Credited>(record.made)) keys.push_back(key);
    return keys;
}

void add_line(pg::Row row, Loaded& to) {
    IdempotencyKey const key{uuid(row, 0)};
    auto const at = std::ranges::find(to.keys, key, [](auto const& each) { return each.first; });
    if (at == to.keys.end()) throw pg::BadReply(0, "an operation's key");
    std::get<Credited>(at->second.made).lines.push_back(line(row));
}

void write(pg::Segment& segment, Changes const& changes) {
    if (!changes.credit_ledgers.empty()) {
        pg::Params params;
        params.add(ids(changes.credit_ledgers, &CreditLedger::ledger));
        params.add(ids(changes.credit_ledgers, &CreditLedger::last));
        segment.add(sql::set_credit_ledgers, std::move(params));
    }
    if (!changes.credit_operations.empty())
        segment.add(sql::insert_credit_operations, insert_operations(changes.credit_operations));
    if (!changes.credit_entries.empty())
        segment.add(sql::insert_credit_entries, insert_entries(changes.credit_entries));
    if (!changes.new_lots.empty())
        segment.add(sql::insert_credit_lots, insert_lots(changes.new_lots));
    if (!changes.changed_lots.empty())
        segment.add(sql::update_credit_lots, update_lots(changes.changed_lots));
}

}  // namespace credits

PostgresCredits::PostgresCredits(pg::Pool& pool, std::unique_ptr<PostgresLots> lots)
    : pool_{pool}, lots_{std::move(lots)} {}

PostgresCredits::~PostgresCredits() = default;

CreditStore::Lots PostgresCredits::list_valid_lots(AccountName name, Instant at,
                                                   SteadyTime deadline) {
    pg::Params params;
    params.uuid(name.ledger.value.bytes).text(name.address).instant_ms(at.ms);
    auto rows = co_await reads::list<ValidLot>(pool_, sql::list_valid_lots, std::move(params),
                                               deadline, valid_lot);
    if (!rows) co_return rows.error();
    ValidLots list;
    for (auto& row : *rows) {
        // Whose it is, is what was asked for.
        row.referenced.lot.ledger = name.ledger;
        row.referenced.lot.party.address = name.address;
        list.lots.push_back(std::move(row.referenced));
        list.drain = row.drain;
    }
    co_return list;
}

CreditStore::Balances PostgresCredits::list_balances(LedgerId ledger, CreditBalancePage page,
                                                     SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes).text(page.after.value_or("")).instant_ms(page.at.ms);
    params.int8(page.min_balance).int8(limit_of(page.limit));
    params.int8(limit_of(page.passes_over_rows() ? page.scan_max : page.limit));
    auto rows = co_await reads::list<Scanned<CreditBalance>>(
        pool_, sql::list_credit_balances, std::move(params), deadline, scanned_balance);
    if (!rows) co_return rows.error();
    auto const place_of = [](CreditBalance const& one) { return one.address; };
    auto list = list_scanned<CreditBalanceList>(std::move(*rows), place_of);
    if (!page.passes_over_rows()) list.scanned_to.reset();
    co_return list;
}

asio::awaitable<Result<std::int64_t>> PostgresCredits::count_balances(LedgerId ledger, Instant at,
                                                                      Amount min_balance,
                                                                      SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes).instant_ms(at.ms).int8(min_balance);
    auto const read = [](pg::Row row) { return row.int8(0); };
    auto const counted = co_await reads::list<std::int64_t>(pool_, sql::count_credit_balances,
                                                            std::move(params), deadline, read);
    if (!counted) co_return counted.error();
    co_return counted->at(0);
}

CreditStore::History PostgresCredits::list_history(LedgerId ledger, CreditHistoryPage page,
                                                   SteadyTime deadline) {
    if (page.address && !page.reference)
        co_return co_await scan_history(ledger, std::move(page), deadline);
    auto params = history_page(ledger, page);
    auto const* statement = &sql::list_credit_history;
    if (page.reference) {
        params.text(*page.reference);
        statement = &sql::list_credit_history_by_reference;
    }
    if (page.address) {
        params.text(*page.address);
        statement = &sql::list_credit_history_by_both;
    }
    params.int8(limit_of(page.limit));
    auto items =
        co_await reads::list<CreditEntry>(pool_, *statement, std::move(params), deadline, entry);
    if (!items) co_return items.error();
    CreditHistoryList list;
    list.items = std::move(*items);
    co_return list;
}

/// Of one address: the rows of the kinds that are not asked for are passed over.
CreditStore::History PostgresCredits::scan_history(LedgerId ledger, CreditHistoryPage page,
                                                   SteadyTime deadline) {
    auto params = history_page(ledger, page);
    params.text(*page.address).int8(limit_of(page.limit));
    params.int8(limit_of(page.passes_over_rows() ? page.scan_max : page.limit));
    auto rows = co_await reads::list<Scanned<CreditEntry>>(
        pool_, sql::list_credit_history_of_address, std::move(params), deadline, scanned_entry);
    if (!rows) co_return rows.error();
    auto const place_of = [](CreditEntry const& one) { return LotPlace{one.operation, one.index}; };
    auto list = list_scanned<CreditHistoryList>(std::move(*rows), place_of);
    if (!page.passes_over_rows()) list.scanned_to.reset();
    co_return list;
}

CreditStore::Listed<Lot> PostgresCredits::list_due_lots(Instant now, std::size_t limit,
                                                        SteadyTime deadline) {
    return list_due_lots(DuePage{now, {}, limit}, deadline);
}

CreditStore::Listed<Lot> PostgresCredits::list_due_lots(DuePage page, SteadyTime deadline) {
    return reads::list<Lot>(pool_, sql::list_due_lots, reads::due_page(page), deadline, lot);
}

CreditStore::Listed<CreditOperation> PostgresCredits::list_operations(
    LedgerId ledger, std::optional<CreditOperationId> after, std::size_t limit,
    SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes).uuid(after.value_or(CreditOperationId{}).value.bytes);
    params.int8(limit_of(limit));
    return reads::list<CreditOperation>(pool_, sql::list_credit_operations, std::move(params),
                                        deadline, operation);
}

CreditStore::Listed<CreditEntry> PostgresCredits::list_entries(
    LedgerId ledger, std::vector<CreditOperationId> operations, SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes).add(uuids(operations));
    return reads::list<CreditEntry>(pool_, sql::list_credit_entries, std::move(params), deadline,
                                    entry);
}

CreditStore::Listed<Lot> PostgresCredits::list_lots(std::vector<CreditOperationId> operations,
                                                    SteadyTime deadline) {
    return reads::list<Lot>(pool_, sql::list_credit_lots, one_list(uuids(operations)), deadline,
                            lot);
}

CreditStore::Repaired PostgresCredits::compare_lots(LedgerId ledger, SteadyTime deadline) {
    return lots_->compare(ledger, deadline);
}

CreditStore::Repaired PostgresCredits::repair_lots(LedgerId ledger,
                                                   std::optional<std::string> address,
                                                   SteadyTime deadline) {
    if (!address) co_return co_await lots_->repair(ledger, std::nullopt, deadline);
    pg::Params name;
    name.uuid(ledger.value.bytes).text(*address);
    auto const found = co_await reads::list<Account>(pool_, sql::find_account, std::move(name),
                                                     deadline, rows::account);
    if (!found) co_return found.error();
    if (found->empty()) co_return LotRepair();
    co_return co_await lots_->repair(ledger, found->front().id, deadline);
}

CreditStore::Listed<LedgerBehind> PostgresCredits::list_ledgers_behind(
    std::optional<LedgerId> after, std::size_t limit, SteadyTime deadline) {
    pg::Params params;
    params.int8(limit_of(limit)).uuid(after.value_or(LedgerId{}).value.bytes);
    return reads::list<LedgerBehind>(pool_, sql::list_credit_ledgers_behind, std::move(params),
                                     deadline, ledger_behind);
}

}  // namespace penstock::db
