#include "domain/journal.hpp"

#include <algorithm>
#include <utility>

#include "domain/assert.hpp"

namespace penstock::domain {
namespace {

Receipt receipt_of_bulk(JournalEntry entry) {
    BulkReceipt bulk;
    bulk.request_id = std::move(entry.request_id);
    for (auto& item : entry.items) {
        if (auto* const transfer = std::get_if<Transfer>(&item))
            bulk.items.emplace_back(std::move(*transfer));
        else if (auto* const refusal = std::get_if<Refusal>(&item))
            bulk.items.emplace_back(std::move(*refusal));
    }
    return Receipt{std::move(bulk)};
}

/// Holds that are due end in one entry, several of them together, and some had ended before.
bool is_expiry(JournalItem const& item) {
    auto const* hold = std::get_if<Hold>(&item);
    return std::holds_alternative<Refusal>(item) || (hold && hold->status == HoldStatus::expired);
}

Receipt receipt_of_expiries(JournalEntry const& entry) {
    auto const ended = std::ranges::count_if(
        entry.items, [](auto const& item) { return std::holds_alternative<Hold>(item); });
    return Receipt{Done{static_cast<std::size_t>(ended)}};
}

struct ReceiptOf {
    /// is_expiry() has those.
    Receipt operator()(Refusal&) const { return Receipt{Done{}}; }
    template <class Row>
    Receipt operator()(Row& row) const {
        return Receipt{std::move(row)};
    }
};

}  // namespace

Receipt receipt_of(JournalEntry entry) {
    PENSTOCK_ASSERT(!entry.items.empty());
    if (entry.is_bulk) return receipt_of_bulk(std::move(entry));
    if (is_expiry(entry.items.front())) return receipt_of_expiries(entry);
    return std::visit(ReceiptOf{}, entry.items.front());
}

}  // namespace penstock::domain
