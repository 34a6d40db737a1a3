// Credits in PostgreSQL: what a batch loads and writes of them, and what can be asked.
#pragma once

#include <memory>

#include "db/credit_store.hpp"
#include "db/due_rows.hpp"
#include "db/pg/pool.hpp"
#include "db/pg/segment.hpp"

namespace penstock::db {

class PostgresLots;

/// Asks through the store's connections for reads.
class PostgresCredits final : public CreditStore {
public:
    PostgresCredits(pg::Pool& pool, std::unique_ptr<PostgresLots> lots);
    ~PostgresCredits() override;

    Lots list_valid_lots(domain::AccountName, domain::Instant at, SteadyTime) override;
    Balances list_balances(domain::LedgerId, CreditBalancePage, SteadyTime) override;
    asio::awaitable<Result<std::int64_t>> count_balances(domain::LedgerId, domain::Instant at,
                                                         domain::Amount min_balance,
                                                         SteadyTime) override;
    History list_history(domain::LedgerId, CreditHistoryPage, SteadyTime) override;
    Listed<domain::Lot> list_due_lots(domain::Instant now, std::size_t limit, SteadyTime) override;
    Listed<domain::Lot> list_due_lots(DuePage page, SteadyTime);
    Listed<domain::CreditOperation> list_operations(domain::LedgerId,
                                                    std::optional<domain::CreditOperationId> after,
                                                    std::size_t limit, SteadyTime) override;
    Listed<domain::CreditEntry> list_entries(domain::LedgerId,
                                             std::vector<domain::CreditOperationId>,
                                             SteadyTime) override;
    Listed<domain::Lot> list_lots(std::vector<domain::CreditOperationId>, SteadyTime) override;
    Repaired compare_lots(domain::LedgerId, SteadyTime) override;
    Repaired repair_lots(domain::LedgerId, std::optional<std::string> address, SteadyTime) override;
    Listed<LedgerBehind> list_ledgers_behind(std::optional<domain::LedgerId> after,
                                             std::size_t limit, SteadyTime) override;

private:
    History scan_history(domain::LedgerId, CreditHistoryPage, SteadyTime);

    pg::Pool& pool_;
    std::unique_ptr<PostgresLots> lots_;
};

namespace credits {

using Reader = void (*)(pg::Row, domain::Loaded&);
/// Adds a statement to the segment of a load, with what reads its rows.
using Add = std::function<void(Statement const&, pg::Params, Reader)>;

/// Before the accounts: how far the ledgers are, locked.
void load_roots(domain::KeySet const& keys, Add const& add);
/// After the accounts: lots, and references that are taken.
void load_children(domain::KeySet const& keys, Add const& add);
/// The operations that the keys made, without what their answers said.
void load_keys(pg::Params const& keys, Add const& add);
/// The keys that load_keys() found, and a row of credit_lines_by_key for one of them.
std::vector<domain::IdempotencyKey> found_keys(domain::Loaded const& loaded);
void add_line(pg::Row row, domain::Loaded& to);
void write(pg::Segment& segment, domain::Changes const& changes);

}  // namespace credits

}  // namespace penstock::db
