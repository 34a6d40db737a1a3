// Transfers, of one ledger or of all, and the entries of an account.
#include "server/exports/transfer_reader.hpp"

#include <algorithm>

#include "server/exports/period.hpp"
#include "server/exports/rendered_rows.hpp"
#include "server/http/cursor.hpp"
#include "server/members.hpp"

namespace penstock::server {
namespace {

using domain::ExportSource;

constexpr auto place_kind = CursorKind::transfers_export;
constexpr std::size_t ledgers_at_once = 50;

}  // namespace

TransferReader::TransferReader(db::Store& store, domain::Export const& row,
                               std::string const& position)
    : store_(store), row_(row), resumed_(read_place(position)) {}

std::optional<TransferReader::Place> TransferReader::read_place(std::string const& position) {
    if (position.empty()) return std::nullopt;
    CursorReader in(place_kind, position);
    Place place;
    place.ledger = in.string();
    place.id.value.bytes = in.id();
    place.booking.at.ms = in.integer();
    place.booking.version = in.integer();
    return place;
}

asio::awaitable<Result<std::unique_ptr<ExportRows>>> TransferReader::next(std::size_t rows_max,
                                                                          SteadyTime deadline) {
    std::unique_ptr<ExportRows> page;
    for (;;) {
        if (!scanner_) {
            auto const error = co_await find_ledgers(deadline);
            if (error) co_return error;
            if (waiting_.empty()) break;
            open_ledger();
        }
        auto rows = co_await scanner_->next(rows_max, deadline);
        if (!rows) co_return rows.error();
        if (!rows->items.empty()) {
            page = rendered(std::move(*rows));
            break;
        }
        scanner_.reset();
    }
    co_return std::move(page);
}

/// The next ones, when none is waiting; none: there are no more.
asio::awaitable<error_code> TransferReader::find_ledgers(SteadyTime deadline) {
    if (!waiting_.empty() || all_known_) co_return error_code();
    if (row_.ledger) {
        all_known_ = true;
        co_return co_await find_one(*row_.ledger_name, deadline);
    }
    if (resumed_ && !listed_to_) {
        listed_to_ = resumed_->ledger;
        auto const error = co_await find_one(resumed_->ledger, deadline);
        if (error || !waiting_.empty()) co_return error;
    }
    auto const found =
        co_await store_.list_ledgers(row_.organization, listed_to_, ledgers_at_once, deadline);
    if (!found) co_return found.error();
    for (auto const& ledger : *found) waiting_.push_back({ledger.id, ledger.name});
    if (!found->empty()) listed_to_ = found->back().name;
    all_known_ = found->size() < ledgers_at_once;
    co_return error_code();
}

asio::awaitable<error_code> TransferReader::find_one(std::string name, SteadyTime deadline) {
    domain::LedgerName const wanted{row_.organization, name};
    auto const found = co_await store_.find_ledger(wanted, deadline);
    if (!found) co_return found.error();
    bool const is_it = *found && (!row_.ledger || (*found)->id == *row_.ledger);
    if (is_it) waiting_.push_back({(*found)->id, name});
    co_return error_code();
}

void TransferReader::open_ledger() {
    auto const period = period_of(row_);
    db::TransferScan scan;
    scan.ledger = waiting_.front().id;
    scan.account = row_.filter.account;
    scan.from = period.from;
    scan.to = period.to;
    ledger_ = std::move(waiting_.front().name);
    waiting_.pop_front();
    if (resumed_ && resumed_->ledger == ledger_) {
        if (scan.account)
            scan.before = resumed_->booking;
        else
            scan.before_id = resumed_->id;
    }
    resumed_.reset();
    scanner_ = store_.exports().scan(std::move(scan));
}

std::unique_ptr<ExportRows> TransferReader::rendered(db::TransferRows rows) const {
    auto const& last = rows.items.back();
    db::Booking booking{last.created_at(), 0};
    if (row_.filter.account) booking.version = last.leg_of(*row_.filter.account).version;
    auto behind = CursorWriter(place_kind)
                      .string(ledger_)
                      .id(last.id.value.bytes)
                      .integer(booking.at.ms)
                      .integer(booking.version)
                      .text();
    if (row_.source == ExportSource::entries) {
        auto members = [address = *row_.filter.account](auto& out, db::TransferView const& item) {
            entry_members(out, item, address);
        };
        return rendered_rows(std::move(rows.items), std::move(behind), row_.format,
                             std::move(members), std::move(rows.texts));
    }
    auto members = [ledger = ledger_](auto& out, db::TransferView const& item) {
        transfer_members(out, item, ledger);
    };
    return rendered_rows(std::move(rows.items), std::move(behind), row_.format, std::move(members),
                         std::move(rows.texts));
}

}  // namespace penstock::server
