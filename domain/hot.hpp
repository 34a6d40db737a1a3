// Hot ledgers brought home: their accounts, epochs, journal and balances. All of these commands are
// the server's own, no client asks for them, and all but the first answer with the ledger's row.
#pragma once

#include <string>
#include <vector>

#include "domain/hot_rows.hpp"
#include "domain/journal.hpp"

namespace penstock::domain {

/// The accounts that are to be paid on an implicit ledger. Those that are there stay as they are.
struct OpenAccounts {
    LedgerId ledger;
    std::vector<std::string> addresses;
};

/// From now on nothing of an earlier epoch is taken.
struct BeginEpoch {
    LedgerId ledger;
};

/// Entries in their order. What the store has already is skipped; at a gap it ends, and whoever
/// has what is missing comes first. Of another epoch than the row's: nothing happens.
struct BookJournal {
    LedgerId ledger;
    std::int64_t epoch = 0;
    std::vector<JournalEntry> entries;
    /// Everything up to here that is not among the entries is lost or laid aside for good.
    std::int64_t lost_to = 0;
};

/// Sets what is newer than the account's row and not ahead of the journal. Of another epoch than
/// the row's: nothing happens.
struct SyncBalances {
    LedgerId ledger;
    std::int64_t epoch = 0;
    std::vector<HotBalance> balances;
};

}  // namespace penstock::domain
