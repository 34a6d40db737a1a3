#include "db/postgres_hot.hpp"

#include <set>
#include <utility>

#include "db/postgres_columns.hpp"
#include "db/postgres_reads.hpp"
#include "db/sql.hpp"

namespace penstock::db {
namespace {

using namespace domain;
using namespace rows;
using reads::limit_of;

HotLedger hot_ledger(pg::Row row) { return {{uuid(row, 0)}, row.int8(1), row.int8(2)}; }

HotStanding standing(pg::Row row) { return {account_for_decisions(row), row.boolean(10)}; }

}  // namespace

namespace hot {

void add_locked(pg::Row row, Loaded& to) { to.hot_ledgers.push_back(hot_ledger(row)); }

void write(pg::Segment& segment, Changes const& changes) {
    if (changes.hot_ledgers.empty()) return;
    pg::UuidArray ids;
    pg::Int8Array epochs;
    pg::Int8Array drained;
    for (auto const& ledger : changes.hot_ledgers) {
        ids.push(ledger.ledger.value.bytes);
        epochs.push(ledger.epoch);
        drained.push(ledger.drained);
    }
    pg::Params params;
    params.add(ids).add(epochs).add(drained);
    segment.add(sql::set_hot_ledgers, std::move(params));
}

}  // namespace hot

asio::awaitable<Result<std::vector<Ledger>>> PostgresHot::list_hot_ledgers(
    std::optional<LedgerId> after, std::size_t limit, SteadyTime deadline) {
    pg::Params params;
    params.uuid(after.value_or(LedgerId()).value.bytes).int8(limit_of(limit));
    return reads::list<Ledger>(pool_, sql::list_hot_ledgers, std::move(params), deadline, ledger);
}

asio::awaitable<Result<std::optional<HotLedger>>> PostgresHot::find_hot_ledger(
    LedgerId id, SteadyTime deadline) {
    pg::Params params;
    params.uuid(id.value.bytes);
    auto const items = co_await reads::list<HotLedger>(pool_, sql::find_hot_ledger,
                                                       std::move(params), deadline, hot_ledger);
    if (!items) co_return items.error();
    std::optional<HotLedger> found;
    if (!items->empty()) found = items->front();
    co_return found;
}

asio::awaitable<Result<std::vector<HotStanding>>> PostgresHot::find_standings(
    LedgerId id, std::vector<std::string> addresses, SteadyTime deadline) {
    pg::TextArray names;
    for (auto const& address : addresses) names.push(address);
    pg::Params params;
    params.uuid(id.value.bytes).add(names);
    return reads::list<HotStanding>(pool_, sql::find_hot_standings, std::move(params), deadline,
                                    standing);
}

asio::awaitable<Result<std::vector<HotStanding>>> PostgresHot::list_standings(
    LedgerId id, std::optional<std::string> after, std::size_t limit, SteadyTime deadline) {
    pg::Params params;
    params.uuid(id.value.bytes).text(after.value_or("")).int8(limit_of(limit));
    return reads::list<HotStanding>(pool_, sql::list_hot_standings, std::move(params), deadline,
                                    standing);
}

asio::awaitable<Result<std::vector<Hold>>> PostgresHot::find_holds(LedgerId id,
                                                                   std::vector<HoldId> holds,
                                                                   SteadyTime deadline) {
    std::set<std::pair<LedgerId, HoldId>> names;
    for (auto const& hold_id : holds) names.insert({id, hold_id});
    return reads::list<Hold>(pool_, sql::holds_by_id, children(names), deadline, hold);
}

}  // namespace penstock::db
