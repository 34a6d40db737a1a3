#include "server/expiry.hpp"

#include <algorithm>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <variant>

#include "reactor/cancellation.hpp"

namespace penstock::server {
namespace {

std::size_t ended_by(domain::Outcome const& outcome) {
    auto const* receipt = std::get_if<domain::Receipt>(&outcome);
    auto const* done = receipt ? std::get_if<domain::Done>(&receipt->what) : nullptr;
    return done ? done->items : 0;
}

}  // namespace

Expiry::Expiry(Submit submit, Clock& clock, IdSource& ids, ExpiryOptions options,
               OnFailure on_failure)
    : submit_(std::move(submit)),
      clock_(clock),
      ids_(ids),
      options_(options),
      on_failure_(std::move(on_failure)) {}

db::DuePage Expiry::next_page() {
    auto const now = steady_now();
    // Whoever has not failed again for so long has nothing due any more.
    std::erase_if(failing_, [&](auto const& one) {
        return one.second.until + 2 * options_.pauses.most < now;
    });
    db::DuePage page;
    page.now = clock_.now();
    page.limit = options_.batch;
    for (auto const& [ledger, failing] : failing_)
        if (failing.until > now) page.without.push_back(ledger);
    metrics_.left_out.set(page.without.size());
    return page;
}

asio::awaitable<std::size_t> Expiry::end(std::vector<Work> work, SteadyTime deadline) {
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    // Those that failed before come last: what they wait for, nobody else does.
    std::stable_partition(work.begin(), work.end(),
                          [this](Work const& one) { return !failing_.contains(one.ledger); });
    std::size_t ended = 0;
    for (auto& one : work) {
        if (steady_now() >= deadline) break;
        auto const outcome = co_await submit(std::move(one.command), deadline);
        if (reactor::is_cancelled(cancellation)) break;
        if (!outcome) {
            leave_out(one.ledger, outcome.error());
            continue;
        }
        failing_.erase(one.ledger);
        ended += ended_by(*outcome);
    }
    co_return ended;
}

asio::awaitable<Result<domain::Outcome>> Expiry::submit(domain::Command command,
                                                        SteadyTime deadline) {
    domain::Envelope envelope;
    envelope.request_id = "expiry";
    envelope.nonce = ids_.nonce();
    envelope.command = std::move(command);
    return submit_(std::move(envelope), std::min(deadline, steady_now() + options_.step_max));
}

void Expiry::leave_out(domain::LedgerId ledger, error_code error) {
    metrics_.failures.add();
    if (on_failure_) on_failure_(ledger, error);
    if (failing_.size() >= options_.left_out_max && !failing_.contains(ledger)) {
        auto const sooner = [](auto const& a, auto const& b) {
            return a.second.until < b.second.until;
        };
        failing_.erase(std::ranges::min_element(failing_, sooner));
    }
    auto& failing =
        failing_.try_emplace(ledger, Failing{reactor::Backoff(options_.pauses), {}}).first->second;
    auto const pause = failing.pauses.next(static_cast<std::uint32_t>(ids_.nonce()));
    failing.until = steady_now() + pause;
}

}  // namespace penstock::server
