// A round of expiry: what is due, by ledger, into the lanes.
#include "server/hold_expiry.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace penstock::server {

asio::awaitable<Result<std::size_t>> HoldExpiry::run_once(SteadyTime deadline) {
    auto due = co_await store_.list_due_holds(clock_.now(), batch_, deadline);
    if (!due) co_return due.error();
    std::size_t const found = due->size();
    std::map<domain::LedgerId, std::vector<domain::Hold>> by_ledger;
    for (auto& hold : *due) by_ledger[hold.ledger].push_back(std::move(hold));
    error_code failed;
    for (auto& [ledger, holds] : by_ledger) {
        domain::Envelope envelope;
        envelope.request_id = "hold-expiry";
        envelope.nonce = ids_.nonce();
        envelope.command = domain::ExpireHolds{ledger, std::move(holds)};
        auto const step_deadline = std::min(deadline, steady_now() + step_max);
        auto const outcome = co_await engine_.submit(std::move(envelope), step_deadline);
        if (!outcome) failed = outcome.error();
    }
    if (failed) co_return failed;
    co_return found;
}

}  // namespace penstock::server
