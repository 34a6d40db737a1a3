// Which ledger a name means: a short-lived memory of what never changes about a ledger.
#include "server/ledger_directory.hpp"

#include <algorithm>

namespace penstock::server {

asio::awaitable<Result<std::optional<domain::Ledger>>> LedgerDirectory::find(
    domain::LedgerName name, SteadyTime deadline) {
    auto const now = steady_now();
    auto const known = entries_.find(name);
    if (known != entries_.end() && now < known->second.until)
        co_return std::optional(known->second.ledger);
    // One request asks again and the others believe what is known meanwhile: a crowd that all
    // asked at once overran the read connections, and was turned away.
    if (known != entries_.end()) {
        known->second.until = now + believed_for;
        if (now < known->second.at_most_until) deadline = std::min(deadline, now + refresh_max);
    }
    auto found = co_await store_.find_ledger(name, deadline);
    if (!found) {
        auto const old = entries_.find(name);
        bool const believed = old != entries_.end() && now < old->second.at_most_until;
        if (believed) co_return std::optional(old->second.ledger);
        co_return found.error();
    }
    if (!*found) {
        entries_.erase(name);
        co_return std::optional<domain::Ledger>();
    }
    if (entries_.size() >= entries_max) entries_.clear();
    Entry entry{**found, now + believed_for, now + believed_at_most};
    entries_.insert_or_assign(std::move(name), std::move(entry));
    co_return std::move(*found);
}

void LedgerDirectory::forget(domain::LedgerName const& name) { entries_.erase(name); }

}  // namespace penstock::server
