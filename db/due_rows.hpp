// What has to end now, of every ledger at once: holds, and lots of credits.
#pragma once

#include <cstddef>
#include <vector>

#include "domain/credit_rows.hpp"
#include "domain/working_set.hpp"
#include "reactor/result.hpp"

namespace penstock::db {

struct DuePage {
    domain::Instant now;
    std::vector<domain::LedgerId> without = {};  ///< ledgers that hide no other one's rows
    std::size_t limit = 256;
};

/// Of a store: what is due by `now`, the longest overdue first.
class DueRows {
public:
    virtual ~DueRows() = default;

    /// Pending holds.
    virtual asio::awaitable<Result<std::vector<domain::Hold>>> list_due_holds(DuePage,
                                                                              SteadyTime) = 0;
    /// Open lots.
    virtual asio::awaitable<Result<std::vector<domain::Lot>>> list_due_lots(DuePage,
                                                                            SteadyTime) = 0;
};

}  // namespace penstock::db
