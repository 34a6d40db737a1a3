// Which ledger a name means: a short-lived memory of what never changes about a ledger.
#pragma once

#include <unordered_map>

#include "db/store.hpp"

namespace penstock::server {

/// Caches name → ledger for a moment, so that a request does not cost a read. Deciding looks at
/// the ledger's own row again; what may be stale here is at worst a ledger that was deleted and
/// made anew, and the decision says ledger_not_found then. One per shard.
class LedgerDirectory {
public:
    static constexpr std::size_t entries_max = 10'000;
    static constexpr milliseconds believed_for{1'000};
    /// While the store does not answer: repetitions of what was done are answered without it.
    static constexpr milliseconds believed_at_most{60'000};
    static constexpr milliseconds refresh_max{250};

    explicit LedgerDirectory(db::Store& store) : store_(store) {}

    asio::awaitable<Result<std::optional<domain::Ledger>>> find(domain::LedgerName name,
                                                                SteadyTime deadline);
    /// After a change or a deletion that this shard made or met.
    void forget(domain::LedgerName const& name);

private:
    struct Entry {
        domain::Ledger ledger;
        SteadyTime until;
        SteadyTime at_most_until;
    };
    struct Hash {
        std::size_t operator()(domain::LedgerName const& name) const noexcept {
            return domain::UuidHash{}(name.organization) ^ std::hash<std::string>{}(name.name);
        }
    };

    db::Store& store_;
    std::unordered_map<domain::LedgerName, Entry, Hash> entries_;
};

}  // namespace penstock::server
