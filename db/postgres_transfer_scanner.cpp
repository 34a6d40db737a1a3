#include "db/postgres_transfer_scanner.hpp"

#include <unordered_set>
#include <utility>

#include "db/postgres_columns.hpp"
#include "db/postgres_reads.hpp"
#include "db/sql.hpp"

namespace penstock::db {
namespace {

using namespace domain;
using namespace reads;

constexpr int from_column = 2;
constexpr int to_column = 3;

/// What the views of a page lie in.
struct PageTexts {
    pg::Rows rows;
    std::vector<std::shared_ptr<AddressBook::Addresses const>> addresses;
};

AccountId account(pg::Row row, int column) { return {{row.uuid(column)}}; }

}  // namespace

std::string const* AddressBook::find(AccountId id) {
    auto const found = newer_->find(id);
    if (found != newer_->end()) return &found->second;
    auto const old = older_->find(id);
    if (old == older_->end()) return nullptr;
    // A copy: pages before this one view the old one.
    return &newer_->emplace(id, old->second).first->second;
}

void AddressBook::add(AccountId id, std::string_view address) { newer_->emplace(id, address); }

void AddressBook::tidy() {
    if (newer_->size() < accounts_max_) return;
    older_ = std::exchange(newer_, std::make_shared<Addresses>());
}

asio::awaitable<Result<TransferRows>> PostgresTransferScanner::next(std::size_t limit,
                                                                    SteadyTime deadline) {
    auto page = co_await read_page(limit, deadline);
    if (!page) co_return page.error();
    book_.tidy();
    auto find_unknown = [&] { return unknown_in(*page); };
    auto unknown = pg::decoded(find_unknown);
    if (!unknown) co_return unknown.error();
    if (!unknown->empty()) {
        auto const error = co_await look_up(std::move(*unknown), deadline);
        if (error) co_return error;
    }
    auto read_all = [&] {
        TransferRows rows;
        rows.items.reserve(page->size());
        for (pg::Row const row : *page) rows.items.push_back(view_of(row));
        return rows;
    };
    auto rows = pg::decoded(read_all);
    if (!rows) co_return rows.error();
    if (!rows->items.empty()) go_on_behind(rows->items.back());
    auto texts = std::make_shared<PageTexts>();
    texts->rows = std::move(*page);
    texts->addresses = book_.in_use();
    rows->texts = std::move(texts);
    co_return rows;
}

asio::awaitable<Result<pg::Rows>> PostgresTransferScanner::read_page(std::size_t limit,
                                                                     SteadyTime deadline) {
    auto const from = within_range(scan_.from);
    auto const to = within_range(scan_.to);
    pg::Params params;
    params.uuid(scan_.ledger.value.bytes);
    if (scan_.account) {
        // One bound for the end of the period and the place where the page before this one ended.
        Booking end{to, INT64_MIN};
        if (scan_.before) end = std::min(end, *scan_.before);
        params.text(*scan_.account).instant_ms(from.ms);
        params.instant_ms(end.at.ms).int8(end.version).int8(limit_of(limit));
        co_return co_await pool_.query(sql::export_account_transfers, std::move(params), deadline);
    }
    auto end = first_uuid7(to);
    if (scan_.before_id) end = std::min(end, scan_.before_id->value);
    params.uuid(first_uuid7(from).bytes).uuid(end.bytes).int8(limit_of(limit));
    co_return co_await pool_.query(sql::export_transfers, std::move(params), deadline);
}

std::vector<AccountId> PostgresTransferScanner::unknown_in(pg::Rows const& page) {
    std::unordered_set<AccountId, UuidHash> unknown;
    for (pg::Row const row : page)
        for (auto const column : {from_column, to_column}) {
            auto const id = account(row, column);
            if (book_.find(id) == nullptr) unknown.insert(id);
        }
    return {unknown.begin(), unknown.end()};
}

asio::awaitable<error_code> PostgresTransferScanner::look_up(std::vector<AccountId> unknown,
                                                             SteadyTime deadline) {
    pg::Params params;
    params.add(rows::ids(unknown, std::identity()));
    auto const found =
        co_await pool_.query(sql::addresses_of_accounts, std::move(params), deadline);
    if (!found) co_return found.error();
    auto read = [&] {
        for (pg::Row const row : *found) book_.add(account(row, 0), row.text(1));
        return found->size();
    };
    auto const done = pg::decoded(read);
    co_return done ? error_code() : done.error();
}

/// An account of a ledger that is being purged may be gone already.
std::string_view PostgresTransferScanner::address_of(pg::Row row, int column) {
    auto const* const address = book_.find(account(row, column));
    return address ? std::string_view(*address) : std::string_view();
}

TransferView PostgresTransferScanner::view_of(pg::Row row) {
    TransferView view;
    view.id = {rows::uuid(row, 0)};
    view.kind = rows::enumerator<TransferKind>(row, 1);
    view.from.address = address_of(row, from_column);
    view.to.address = address_of(row, to_column);
    view.amount = row.int8(4);
    view.reference = row.optional_text(5);
    view.metadata = row.optional_text(6).value_or(rows::no_metadata);
    if (!scan_.account) return view;
    view.from.balance_after = row.int8(7);
    view.from.version = row.int8(8);
    view.to.balance_after = row.int8(9);
    view.to.version = row.int8(10);
    return view;
}

void PostgresTransferScanner::go_on_behind(TransferView const& last) {
    if (scan_.account)
        scan_.before = Booking{last.created_at(), last.leg_of(*scan_.account).version};
    else
        scan_.before_id = last.id;
}

}  // namespace penstock::db
