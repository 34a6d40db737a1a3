// Hot ledgers in PostgreSQL: what a batch loads and writes of them, and what can be asked.
#pragma once

#include "db/hot_store.hpp"
#include "db/pg/pool.hpp"
#include "db/pg/segment.hpp"
#include "domain/working_set.hpp"

namespace penstock::db {

/// Asks through the store's connections for reads.
class PostgresHot final : public HotStore {
public:
    explicit PostgresHot(pg::Pool& pool) : pool_{pool} {}

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
    pg::Pool& pool_;
};

namespace hot {

/// A row of lock_hot_ledgers.
void add_locked(pg::Row row, domain::Loaded& to);
void write(pg::Segment& segment, domain::Changes const& changes);

}  // namespace hot

}  // namespace penstock::db
