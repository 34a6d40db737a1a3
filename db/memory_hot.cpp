#include "db/memory_hot.hpp"

#include <algorithm>
#include <utility>

#include "db/memory_rows.hpp"

namespace penstock::db {

using namespace domain;
using memory::copy_of;
using memory::find_in;

void MemoryHot::load(KeySet const& keys, Loaded& loaded) const {
    for (auto const& id : keys.hot_ledgers)
        if (auto const* row = find_in(rows_, id)) loaded.hot_ledgers.push_back(*row);
}

void MemoryHot::commit(Changes const& changes) {
    for (auto const& row : changes.hot_ledgers) rows_.insert_or_assign(row.ledger, row);
}

asio::awaitable<Result<std::vector<Ledger>>> MemoryHot::list_hot_ledgers(
    std::optional<LedgerId> after, std::size_t limit, SteadyTime) {
    std::vector<Ledger> list;
    auto row = after ? rows_.upper_bound(*after) : rows_.begin();
    for (; row != rows_.end() && list.size() < limit; ++row)
        if (auto const* ledger = find_in(neighbours_.ledgers, row->first)) list.push_back(*ledger);
    co_return list;
}

asio::awaitable<Result<std::optional<HotLedger>>> MemoryHot::find_hot_ledger(LedgerId id,
                                                                             SteadyTime) {
    co_return copy_of(find_in(rows_, id));
}

HotStanding MemoryHot::standing_of(AccountName const& name, Account account) const {
    HotStanding standing{std::move(account)};
    standing.account.metadata = "{}";
    auto& row = standing.account.standing;
    auto const* newest = neighbours_.newest_transfer(name);
    if (newest == nullptr) return standing;
    auto const& leg = newest->leg_of(name.address);
    row.updated_at = std::max(row.updated_at, newest->created_at());
    standing.is_behind = leg.version > row.version;
    if (!standing.is_behind) return standing;
    row.balance = leg.balance_after;
    row.version = leg.version;
    return standing;
}

asio::awaitable<Result<std::vector<HotStanding>>> MemoryHot::find_standings(
    LedgerId id, std::vector<std::string> addresses, SteadyTime) {
    std::vector<HotStanding> found;
    for (auto& address : addresses) {
        AccountName const name{id, std::move(address)};
        if (auto const* account = find_in(neighbours_.accounts, name))
            found.push_back(standing_of(name, *account));
    }
    co_return found;
}

asio::awaitable<Result<std::vector<HotStanding>>> MemoryHot::list_standings(
    LedgerId id, std::optional<std::string> after, std::size_t limit, SteadyTime) {
    std::vector<HotStanding> list;
    auto at = neighbours_.accounts.upper_bound({id, after.value_or("")});
    for (; at != neighbours_.accounts.end() && list.size() < limit; ++at) {
        if (at->first.ledger != id) break;
        list.push_back(standing_of(at->first, at->second));
    }
    co_return list;
}

asio::awaitable<Result<std::vector<Hold>>> MemoryHot::find_holds(LedgerId id,
                                                                 std::vector<HoldId> holds,
                                                                 SteadyTime) {
    std::vector<Hold> found;
    for (auto const& hold_id : holds)
        if (auto const* hold = find_in(neighbours_.holds, std::pair{id, hold_id}))
            found.push_back(*hold);
    co_return found;
}

}  // namespace penstock::db
