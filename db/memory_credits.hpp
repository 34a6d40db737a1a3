// Credits in memory: the part of the store in memory that knows lots and their history.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "db/check.hpp"
#include "db/credit_store.hpp"
#include "db/due_rows.hpp"

namespace penstock::db {

class MemoryCredits : public CreditStore {
public:
    using Accounts = std::map<domain::AccountName, domain::Account>;

    using Ledgers = std::map<domain::LedgerId, domain::Ledger>;
    using Events = std::vector<domain::Event>;

    /// The store's own, of all ledgers.
    MemoryCredits(Ledgers const& ledgers, Accounts const& accounts, Events const& events)
        : ledgers_of_store_{ledgers}, accounts_{accounts}, events_{events} {}

    void load(domain::KeySet const& keys, domain::Loaded& loaded) const;
    /// nullptr: no operation carries the key.
    domain::CreditOperation const* find_key(domain::IdempotencyKey key) const;
    domain::KeyRecord record_of(domain::CreditOperation const& operation) const;
    void free_key(domain::IdempotencyKey key);
    void commit(domain::Changes const& changes);
    bool has_open_lots(domain::LedgerId ledger) const;
    std::map<domain::CreditOperationId, domain::CreditOperation> const& operations() const {
        return operations_;
    }
    std::vector<domain::CreditEntry const*> entries_of(domain::CreditOperationId operation) const;
    /// An operation of a deleted ledger with its entries and lots, at last the ledger itself.
    /// False: nothing is left.
    bool forget_oldest(domain::LedgerId ledger);
    /// The invariants of one ledger, on its accounts and totals.
    std::vector<Check> verify(domain::LedgerId ledger,
                              std::vector<domain::Account const*> const& accounts,
                              std::vector<domain::Total> const& totals) const;

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
    /// Lots that are not what the history says; and those that follow from nothing.
    struct WrongLots {
        std::vector<domain::Lot> as_they_should_be;
        std::vector<domain::LotPlace> surplus;
        LotRepair found;
    };
    using Only = std::optional<domain::AccountId>;

    domain::Amount balance_of(domain::AccountId account, domain::Instant at) const;

    WrongLots hold_against_history(domain::LedgerId ledger, Only only) const;
    std::vector<domain::Lot> replay(domain::LedgerId ledger, LotRepair& found) const;
    void mend(WrongLots const& wrong);
    void put(domain::Lot const& lot);
    void forget(domain::LotPlace place);
    std::vector<domain::LotPlace> misclosed(domain::LedgerId ledger, Only only) const;

    Ledgers const& ledgers_of_store_;
    Accounts const& accounts_;
    Events const& events_;
    std::map<domain::LedgerId, domain::CreditOperationId> ledgers_;
    std::map<domain::CreditOperationId, domain::CreditOperation> operations_;
    std::map<std::pair<domain::LedgerId, std::string>, domain::CreditOperationId> references_;
    std::map<domain::IdempotencyKey, domain::CreditOperationId> keys_;
    std::map<domain::LotPlace, domain::CreditEntry> entries_;  ///< by where they stand
    std::map<domain::LotPlace, domain::Lot> lots_;
    // Of the open lots alone: what has gone by is in nobody's way.
    std::map<domain::AccountId, std::set<domain::LotPlace>> open_lots_;
    std::set<std::pair<domain::Instant, domain::LotPlace>> due_;  ///< those that expire
};

}  // namespace penstock::db
