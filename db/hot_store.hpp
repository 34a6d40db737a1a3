// What can be asked of a store about hot ledgers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/hot_rows.hpp"
#include "domain/model.hpp"
#include "reactor/result.hpp"

namespace penstock::db {

/// An account as its row or its newest transfer says, whichever is newer. No metadata.
struct HotStanding {
    domain::Account account;
    bool is_behind = false;  ///< the row is older than its newest transfer

    bool operator==(HotStanding const&) const = default;
};

/// One per Store. Reads see every commit that was confirmed before them.
class HotStore {
public:
    virtual ~HotStore() = default;

    /// Ledgers that are posted hot and not deleted, of every organization, by id.
    virtual asio::awaitable<Result<std::vector<domain::Ledger>>> list_hot_ledgers(
        std::optional<domain::LedgerId> after, std::size_t limit, SteadyTime) = 0;
    virtual asio::awaitable<Result<std::optional<domain::HotLedger>>> find_hot_ledger(
        domain::LedgerId, SteadyTime) = 0;

    /// Those of the addresses that exist, in any order.
    virtual asio::awaitable<Result<std::vector<HotStanding>>> find_standings(
        domain::LedgerId, std::vector<std::string> addresses, SteadyTime) = 0;
    /// All accounts of the ledger, by address, the system's included.
    virtual asio::awaitable<Result<std::vector<HotStanding>>> list_standings(
        domain::LedgerId, std::optional<std::string> after, std::size_t limit, SteadyTime) = 0;

    /// Those of the holds that exist, in any order.
    virtual asio::awaitable<Result<std::vector<domain::Hold>>> find_holds(
        domain::LedgerId, std::vector<domain::HoldId>, SteadyTime) = 0;
};

}  // namespace penstock::db
