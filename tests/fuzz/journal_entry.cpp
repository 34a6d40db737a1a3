// Do any bytes in a hot ledger's journal make an entry that breaks what is believed of entries?
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cache/journal_text.hpp"
#include "domain/assert.hpp"

namespace {

bool is_counted_exactly(std::int64_t number) {
    return number >= -penstock::domain::amount_max && number <= penstock::domain::amount_max;
}

void check(penstock::domain::Transfer const& transfer) {
    PENSTOCK_ASSERT(transfer.amount > 0 && is_counted_exactly(transfer.amount));
    for (auto const* leg : {&transfer.from, &transfer.to})
        PENSTOCK_ASSERT(is_counted_exactly(leg->balance_after) && leg->version >= 0);
}

}  // namespace

/// The first line is the entry's position.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace penstock;
    std::string_view const bytes(static_cast<char const*>(static_cast<void const*>(data)), size);
    auto const end = bytes.find('\n');
    if (end == bytes.npos) return 0;
    domain::LedgerId const ledger;
    auto const entry = cache::read_entry(ledger, bytes.substr(0, end), bytes.substr(end + 1));
    if (!entry) return 0;
    auto const items = static_cast<std::int64_t>(entry->items.size());
    PENSTOCK_ASSERT(items > 0 && entry->position - entry->after == items);
    for (auto const& item : entry->items) {
        if (auto const* transfer = std::get_if<domain::Transfer>(&item)) check(*transfer);
        if (auto const* captured = std::get_if<domain::Captured>(&item)) {
            check(captured->transfer);
            PENSTOCK_ASSERT(captured->hold.status == domain::HoldStatus::captured);
        }
    }
    return 0;
}
