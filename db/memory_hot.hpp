// Hot ledgers in memory: the part of the store in memory that knows how far they are.
#pragma once

#include <functional>
#include <map>

#include "db/hot_store.hpp"
#include "domain/working_set.hpp"

namespace penstock::db {

/// What it asks of the rest of the store.
struct HotNeighbours {
    std::map<domain::LedgerId, domain::Ledger> const& ledgers;
    std::map<domain::AccountName, domain::Account> const& accounts;
    std::map<std::pair<domain::LedgerId, domain::HoldId>, domain::Hold> const& holds;
    /// Null: nothing was ever booked on it.
    std::function<domain::Transfer const*(domain::AccountName const&)> newest_transfer;
};

class MemoryHot final : public HotStore {
public:
    explicit MemoryHot(HotNeighbours neighbours) : neighbours_{std::move(neighbours)} {}

    void load(domain::KeySet const& keys, domain::Loaded& loaded) const;
    void commit(domain::Changes const& changes);
    /// Of a deleted ledger. False: there was none.
    bool forget(domain::LedgerId ledger) { return rows_.erase(ledger) > 0; }

    asio::awaitable<Result<std::vector<domain::Ledger>>> list_hot_ledgers(
        std::optional<domain::LedgerId> after, std::size_t limit, SteadyTime) override;
    asio::awaitable<Result<std::optional<domain::HotLedger>>> find_hot_ledger(domain::LedgerId,
                                                                              SteadyTime) override;
    asio::awaitable<Result<std::vector<HotStanding>>> find_standings(
        domain::LedgerId, std::vector<std::string> addresses, SteadyTime) override;
    asio::awaitable<Result<std::vector<HotStanding>>> list_standings(
        domain::LedgerId, std::optional<std::string> after, std::size_t limit, SteadyTime) override;
    asio::awaitable<Result<std::vector<domain::Hold>>> find_holds(domain::LedgerId,
                                                                  std::vector<domain::HoldId>,
                                                                  SteadyTime) override;

private:
    HotStanding standing_of(domain::AccountName const& name, domain::Account account) const;

    HotNeighbours neighbours_;
    std::map<domain::LedgerId, domain::HotLedger> rows_;
};

}  // namespace penstock::db
