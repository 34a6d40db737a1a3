// WHAT an export is made of: every source but transfers, and which reader is whose.
#include <algorithm>
#include <deque>
#include <optional>

#include "db/activity.hpp"
#include "db/credit_store.hpp"
#include "db/stream_store.hpp"
#include "server/exports/period.hpp"
#include "server/exports/rendered_rows.hpp"
#include "server/exports/transfer_reader.hpp"
#include "server/http/cursor.hpp"
#include "server/members.hpp"

namespace penstock::server {
namespace {

using domain::ExportSource;

using NextRows = asio::awaitable<Result<std::unique_ptr<ExportRows>>>;

/// The last id before an instant, for what is listed by ids.
template <class Id>
Id end_at(domain::Instant at) {
    return {domain::first_uuid7(at)};
}

/// What is older than the period ends a list that is newest first; true: there was something.
template <class Item, class At>
bool cut_at(domain::Instant from, std::vector<Item>& items, At at) {
    auto const older =
        std::find_if(items.begin(), items.end(), [&](Item const& item) { return at(item) < from; });
    bool const was_cut = older != items.end();
    items.erase(older, items.end());
    return was_cut;
}

struct OrderMembers {
    template <class Out>
    void operator()(Out& out, domain::Order const& order) const {
        order_members(out, order);
    }
};

struct CreditEntryMembers {
    template <class Out>
    void operator()(Out& out, domain::CreditEntry const& entry) const {
        credit_entry_members(out, entry);
    }
};

/// As it is when it was asked for, or after what has become of it since.
struct StreamMembers {
    template <class Out>
    void operator()(Out& out, domain::Stream const& stream) const {
        stream_members(out, stream, std::max(requested, stream.updated_at));
    }
    domain::Instant requested;
};

struct ActivityMembers {
    template <class Out>
    void operator()(Out& out, db::Activity const& item) const {
        activity_members(out, item);
    }
};

/// The orders of every product, the newest product first.
class OrderReader final : public ExportReader {
public:
    OrderReader(db::Store& store, domain::Export const& row, std::string const& position)
        : store_(store), row_(row), period_(period_of(row)) {
        if (position.empty()) return;
        CursorReader in(place_kind, position);
        domain::ProductId product;
        domain::OrderId order;
        product.value.bytes = in.id();
        order.value.bytes = in.id();
        product_ = product;
        before_ = order;
        listed_to_ = product;
    }

    NextRows next(std::size_t rows_max, SteadyTime deadline) override {
        std::vector<domain::Order> rows;
        // Many products have few orders: a page is not worth less than half of what it may be.
        while (rows.size() < (rows_max + 1) / 2) {
            auto const error = co_await find_product(deadline);
            if (error) co_return error;
            if (!product_) break;
            db::OrderPage wanted;
            wanted.before = before_;
            wanted.limit = rows_max - rows.size();
            auto items = co_await store_.list_orders(*product_, wanted, deadline);
            if (!items) co_return items.error();
            bool const is_full = items->size() == wanted.limit;
            bool const was_cut =
                cut_at(period_.from, *items, [](auto const& order) { return order.created_at(); });
            if (!items->empty()) before_ = items->back().id;
            if (!is_full || was_cut) product_.reset();
            rows.insert(rows.end(), std::make_move_iterator(items->begin()),
                        std::make_move_iterator(items->end()));
        }
        std::unique_ptr<ExportRows> page;
        if (!rows.empty()) page = rendered(std::move(rows));
        co_return std::move(page);
    }

private:
    static constexpr auto place_kind = CursorKind::orders_export;
    static constexpr std::size_t products_at_once = 200;

    /// The next one, when there is none; none: there are no more.
    asio::awaitable<error_code> find_product(SteadyTime deadline) {
        if (product_) co_return error_code();
        if (waiting_.empty() && !all_known_) {
            auto const found = co_await store_.list_products(row_.organization, listed_to_,
                                                             products_at_once, deadline);
            if (!found) co_return found.error();
            for (auto const& product : *found) waiting_.push_back(product.id);
            if (!found->empty()) listed_to_ = found->back().id;
            all_known_ = found->size() < products_at_once;
        }
        if (waiting_.empty()) co_return error_code();
        product_ = waiting_.front();
        waiting_.pop_front();
        before_ = end_at<domain::OrderId>(period_.to);
        co_return error_code();
    }

    std::unique_ptr<ExportRows> rendered(std::vector<domain::Order> rows) const {
        auto const& last = rows.back();
        auto behind =
            CursorWriter(place_kind).id(last.product.value.bytes).id(last.id.value.bytes).text();
        return rendered_rows(std::move(rows), std::move(behind), row_.format, OrderMembers());
    }

    db::Store& store_;
    domain::Export row_;
    Period period_;
    std::deque<domain::ProductId> waiting_;
    std::optional<domain::ProductId> listed_to_;
    bool all_known_ = false;
    std::optional<domain::ProductId> product_;
    domain::OrderId before_;
};

class CreditHistoryReader final : public ExportReader {
public:
    CreditHistoryReader(db::Store& store, domain::Export const& row, std::string const& position)
        : store_(store), row_(row) {
        auto const period = period_of(row);
        page_.address = row.filter.account;
        page_.from = period.from;
        page_.to = period.to;
        if (position.empty()) return;
        CursorReader in(place_kind, position);
        domain::LotPlace place;
        place.operation.value.bytes = in.id();
        place.index = static_cast<std::int32_t>(in.integer());
        page_.before = place;
    }

    NextRows next(std::size_t rows_max, SteadyTime deadline) override {
        std::unique_ptr<ExportRows> rows;
        domain::LedgerName const name{row_.organization, *row_.ledger_name};
        auto const ledger = co_await store_.find_ledger(name, deadline);
        if (!ledger) co_return ledger.error();
        bool const is_there = *ledger && (*ledger)->id == *row_.ledger;
        if (!is_there) co_return std::move(rows);
        page_.limit = rows_max;
        auto list = co_await store_.credits().list_history(*row_.ledger, page_, deadline);
        if (!list) co_return list.error();
        if (list->items.empty()) co_return std::move(rows);
        auto const& last = list->items.back();
        page_.before = domain::LotPlace{last.operation, last.index};
        auto behind =
            CursorWriter(place_kind).id(last.operation.value.bytes).integer(last.index).text();
        rows = rendered_rows(std::move(list->items), std::move(behind), row_.format,
                             CreditEntryMembers());
        co_return std::move(rows);
    }

private:
    static constexpr auto place_kind = CursorKind::credit_history_export;

    db::Store& store_;
    domain::Export row_;
    db::CreditHistoryPage page_;
};

class StreamReader final : public ExportReader {
public:
    StreamReader(db::Store& store, domain::Export const& row, std::string const& position)
        : store_(store), row_(row), period_(period_of(row)) {
        page_.before = end_at<domain::StreamId>(period_.to);
        if (position.empty()) return;
        CursorReader in(place_kind, position);
        page_.before->value.bytes = in.id();
    }

    NextRows next(std::size_t rows_max, SteadyTime deadline) override {
        std::unique_ptr<ExportRows> rows;
        bool const is_there = co_await ledger_is_there(deadline);
        if (failure_) co_return failure_;
        while (is_there && !ended_ && !rows) {
            page_.limit = rows_max;
            page_.scan_max = rows_max;
            auto list = co_await store_.streams().list_streams(*row_.ledger, page_, deadline);
            if (!list) co_return list.error();
            rows = rendered(std::move(list->items));
        }
        co_return std::move(rows);
    }

private:
    static constexpr auto place_kind = CursorKind::streams_export;

    asio::awaitable<bool> ledger_is_there(SteadyTime deadline) {
        domain::LedgerName const name{row_.organization, *row_.ledger_name};
        auto const ledger = co_await store_.find_ledger(name, deadline);
        if (!ledger) failure_ = ledger.error();
        co_return ledger&&* ledger && (*ledger)->id == *row_.ledger;
    }

    /// Null: none of them is shown.
    std::unique_ptr<ExportRows> rendered(std::vector<domain::Stream> items) {
        bool const was_cut =
            cut_at(period_.from, items, [](auto const& item) { return item.created_at(); });
        ended_ = was_cut || items.empty();
        if (items.empty()) return nullptr;
        page_.before = items.back().id;
        auto behind = CursorWriter(place_kind).id(page_.before->value.bytes).text();
        if (row_.filter.account)
            std::erase_if(items, [&](auto const& item) { return !is_party(item); });
        if (items.empty()) return nullptr;
        return rendered_rows(std::move(items), std::move(behind), row_.format,
                             StreamMembers{row_.requested_at()});
    }

    bool is_party(domain::Stream const& stream) const {
        auto const& account = *row_.filter.account;
        return stream.sender.address == account || stream.recipient.address == account;
    }

    db::Store& store_;
    domain::Export row_;
    Period period_;
    db::StreamPage page_;
    error_code failure_;
    bool ended_ = false;
};

class ActivityReader final : public ExportReader {
public:
    ActivityReader(db::Store& store, domain::Export const& row, std::string const& position)
        : store_(store), row_(row), period_(period_of(row)) {
        page_.ledger = row.ledger;
        page_.account = row.filter.account;
        page_.before = end_at<domain::EventId>(period_.to);
        if (position.empty()) return;
        CursorReader in(place_kind, position);
        page_.before->value.bytes = in.id();
    }

    NextRows next(std::size_t rows_max, SteadyTime deadline) override {
        std::unique_ptr<ExportRows> rows;
        if (ended_) co_return std::move(rows);
        page_.limit = rows_max;
        auto items = co_await store_.list_activity(row_.organization, page_, deadline);
        if (!items) co_return items.error();
        bool const was_cut =
            cut_at(period_.from, *items, [](auto const& item) { return item.at(); });
        ended_ = was_cut || items->empty();
        if (items->empty()) co_return std::move(rows);
        auto const last = items->back().id;
        page_.before = last;
        auto behind = CursorWriter(place_kind).id(last.value.bytes).text();
        rows = rendered_rows(std::move(*items), std::move(behind), row_.format, ActivityMembers());
        co_return std::move(rows);
    }

private:
    static constexpr auto place_kind = CursorKind::activity_export;

    db::Store& store_;
    domain::Export row_;
    Period period_;
    db::ActivityPage page_;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<ExportReader> make_export_reader(db::Store& store, domain::Export const& row,
                                                 std::string const& position) {
    switch (row.source) {
        case ExportSource::transfers:
        case ExportSource::entries:
            return std::make_unique<TransferReader>(store, row, position);
        case ExportSource::orders:
            return std::make_unique<OrderReader>(store, row, position);
        case ExportSource::credit_history:
            return std::make_unique<CreditHistoryReader>(store, row, position);
        case ExportSource::streams:
            return std::make_unique<StreamReader>(store, row, position);
        case ExportSource::activity:
            break;
    }
    return std::make_unique<ActivityReader>(store, row, position);
}

std::string export_header(ExportSource source, domain::ExportFormat format) {
    std::string line;
    if (format != domain::ExportFormat::csv) return line;
    CsvHeader header(line);
    domain::Stream nothing;
    nothing.duration = std::chrono::seconds{1};
    switch (source) {
        case ExportSource::transfers:
            transfer_members(header, db::TransferView(), "");
            break;
        case ExportSource::entries:
            entry_members(header, db::TransferView(), "");
            break;
        case ExportSource::orders:
            order_members(header, domain::Order());
            break;
        case ExportSource::credit_history:
            credit_entry_members(header, domain::CreditEntry());
            break;
        case ExportSource::streams:
            stream_members(header, nothing, {});
            break;
        case ExportSource::activity:
            activity_members(header, db::Activity());
            break;
    }
    header.end_object();
    return line;
}

}  // namespace penstock::server
