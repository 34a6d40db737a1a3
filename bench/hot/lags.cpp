#include "bench/hot/lags.hpp"

#include <algorithm>

namespace penstock::bench::hot {
namespace {

constexpr std::size_t quarters = 4;

std::int64_t middle_of(std::vector<std::int64_t> const& sorted) {
    return sorted.empty() ? 0 : sorted[sorted.size() / 2];
}

}  // namespace

void SyncStatus::add(SyncStatus const& other) {
    journal_lag += other.journal_lag;
    journal_oldest_ms = std::max(journal_oldest_ms, other.journal_oldest_ms);
    schedule_depth += other.schedule_depth;
    schedule_oldest_ms = std::max(schedule_oldest_ms, other.schedule_oldest_ms);
    claimed += other.claimed;
    dead_letters += other.dead_letters;
}

Figures Lags::figures() const {
    Figures figures;
    if (looks_.empty()) return figures;
    describe(figures, "journal lag", "items", [](auto const& s) { return s.journal_lag; });
    describe(figures, "journal lag, oldest", "ms",
             [](auto const& s) { return s.journal_oldest_ms; });
    describe(figures, "to be synced", "accounts", [](auto const& s) { return s.schedule_depth; });
    describe(figures, "to be synced, oldest", "ms",
             [](auto const& s) { return s.schedule_oldest_ms; });
    figures.emplace_back("looks at the lags", std::to_string(looks_.size()));
    return figures;
}

std::vector<std::int64_t> Lags::sorted(Of const& of, std::size_t from, std::size_t to) const {
    std::vector<std::int64_t> values;
    for (std::size_t i = from; i < to; ++i) values.push_back(of(looks_[i]));
    std::sort(values.begin(), values.end());
    return values;
}

void Lags::describe(Figures& figures, char const* what, char const* unit, Of const& of) const {
    auto const all = sorted(of, 0, looks_.size());
    std::string value = std::to_string(middle_of(all)) + " " + unit + ", at most " +
                        std::to_string(all.back()) + "; by quarters";
    for (std::size_t i = 0; i < quarters; ++i) {
        auto const from = looks_.size() * i / quarters;
        auto const to = looks_.size() * (i + 1) / quarters;
        value += " " + std::to_string(middle_of(sorted(of, from, to)));
    }
    figures.emplace_back(what, std::move(value));
}

}  // namespace penstock::bench::hot
