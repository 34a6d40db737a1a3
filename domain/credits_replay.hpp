// WHAT lots follow from a history: the history is the truth, the lots its projection.
#pragma once

#include <functional>
#include <span>
#include <unordered_map>

#include "domain/credit_rows.hpp"
#include "domain/lots.hpp"

namespace penstock::domain {

/// Takes the operations of one ledger from the first one on, in the order of their ids, and
/// says which lots they leave. It keeps only lots that may still be drained.
class CreditReplay {
public:
    /// Called once for each lot, when nothing can change it any more or at the end. `is_open`
    /// says whether anything is left: when an expiry was recorded is not in the history.
    using Settled = std::function<void(Lot const&)>;

    CreditReplay(LedgerId ledger, Settled settled);

    /// `entries`: the operation's, in the order of their indexes. False: they contradict the
    /// operations before them, so this is no history that was ever decided.
    bool add(CreditOperation const& operation, std::span<CreditEntry const> entries);
    /// How many lots the operation added last has made: their indexes are below it.
    std::int32_t lots_made() const { return lots_made_; }
    /// The lots that are left.
    void finish();

private:
    bool drain(CreditOperation const& operation, Party const& party, Amount wanted,
               std::vector<Portion>& portions);
    void make_lot(CreditOperation const& operation, Party const& party, Portion const& portion);
    void settle_now_and_then(Instant t);
    bool play(CreditOperation const& operation, CreditEntry const& entry);

    LedgerId ledger_;
    Settled settled_;
    std::unordered_map<AccountId, LotBook, UuidHash> books_;
    std::size_t made_since_settling_ = 0;
    std::int32_t lots_made_ = 0;
};

}  // namespace penstock::domain
