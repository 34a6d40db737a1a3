// How far is what a hot ledger has acknowledged from home, while load is on? Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "bench/scenario.hpp"

namespace penstock::bench::hot {

/// What a ledger says about its way home; of several ledgers added up, ages the oldest.
struct SyncStatus {
    std::int64_t journal_lag = 0;  ///< items that PostgreSQL does not have
    std::int64_t journal_oldest_ms = 0;
    std::int64_t schedule_depth = 0;  ///< accounts that PostgreSQL has older, claimed or not
    std::int64_t schedule_oldest_ms = 0;
    std::int64_t claimed = 0;  ///< of these, those that a server writes right now
    std::int64_t dead_letters = 0;

    bool is_home() const { return journal_lag == 0 && schedule_depth == 0 && claimed == 0; }
    void add(SyncStatus const& other);
    bool operator==(SyncStatus const&) const = default;
};

/// Looks at it, in the order of time.
class Lags {
public:
    /// Looks beyond so many are not kept: two hours and more of ten a second.
    static constexpr std::size_t looks_max = 100'000;

    void add(SyncStatus const& status) {
        if (looks_.size() < looks_max) looks_.push_back(status);
    }
    bool empty() const { return looks_.empty(); }

    /// Median and most of each, and the medians of the four quarters of the time: a lag that grows
    /// without bound grows from each to the next.
    Figures figures() const;

private:
    using Of = std::function<std::int64_t(SyncStatus const&)>;

    std::vector<std::int64_t> sorted(Of const& of, std::size_t from, std::size_t to) const;
    void describe(Figures& figures, char const* what, char const* unit, Of const& of) const;

    std::vector<SyncStatus> looks_;
};

}  // namespace penstock::bench::hot
