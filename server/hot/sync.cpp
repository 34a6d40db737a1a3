// WHOSE balance comes into the store: claimed, collected, written when the drain has passed it, and
// released.
#include "server/hot/sync.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "db/pg/error.hpp"
#include "reactor/deadline.hpp"
#include "reactor/take_batch.hpp"

namespace penstock::server {
namespace {

using What = HotNotice::What;

/// Claims are bounded by the room that there is; the window takes all of them.
reactor::BatchLimits window_of(reactor::BatchLimits limits) {
    limits.queue_max = std::numeric_limits<std::size_t>::max();
    return limits;
}

domain::HotBalance balance_of(cache::Claim const& claim) {
    auto const& account = *claim.account;
    return {claim.address, account.balance, account.version, account.updated_at, account.position};
}

}  // namespace

Sync::Sync(HotLedgerParts parts, SyncOptions options)
    : parts_(std::move(parts)),
      options_(options),
      owner_(parts_.ids.request_id()),
      steps_(parts_.executor),
      window_(window_of(options.batch)),
      polls_(options.polls),
      pauses_(options.pauses) {}

asio::awaitable<void> Sync::run() {
    Steps::Step const step = [this] { return this->step(); };
    co_await steps_.run(step);
    co_await finish();
    end_ = ending_.value_or(HotEnd::cancelled);
}

asio::awaitable<std::optional<SteadyTime>> Sync::step() {
    std::optional<SteadyTime> next;
    auto error = co_await renew();
    if (!error) error = co_await claim(room());
    if (ending_) co_return next;
    if (error) {
        next = fail(error, "schedule");
        co_return next;
    }
    let_pass();
    if (batch_.empty() && window_.due(steady_now())) take_batch();
    if (!batch_.empty()) {
        next = co_await flush();
        if (ending_) next.reset();
        co_return next;
    }
    if (!waiting_.empty()) polls_.succeeded(milliseconds{0});
    next = after(polls_);
    *next = std::min(*next, window_.due_at());
    if (!claims_.empty()) *next = std::min(*next, renew_at_);
    co_return next;
}

asio::awaitable<error_code> Sync::renew() {
    if (claims_.empty() || steady_now() < renew_at_) co_return error_code();
    Addresses addresses;
    for (auto const& [address, claim] : claims_) addresses.push_back(address);
    domain::Instant const until{parts_.clock.now().ms + options_.lease.count()};
    auto const lost = co_await parts_.schedule.renew(parts_.ledger, owner_, until,
                                                     std::move(addresses), in(options_.step_max));
    if (!lost) co_return note(lost.error());
    renew_at_ = steady_now() + options_.lease / 2;
    parts_.sync_metrics.claims_lost.add(lost->size());
    // Somebody else's by now, or due.
    for (auto const& address : *lost) forget(address);
    co_return error_code();
}

void Sync::forget(std::string const& address) {
    claims_.erase(address);
    waiting_.erase(address);
    refusals_.erase(address);
}

/// A batch and no more is in hand, so that servers share.
std::size_t Sync::room() const {
    auto const most = options_.batch.items_max;
    return most - std::min(most, claims_.size());
}

/// Where there is no room it only asks how far the drain is.
asio::awaitable<error_code> Sync::claim(std::size_t room) {
    if (room == 0 && waiting_.empty()) co_return error_code();
    auto const now = parts_.clock.now();
    domain::Instant const due_until{now.ms - options_.delay.count()};
    auto claims =
        co_await parts_.schedule.claim(parts_.ledger, parts_.epoch, owner_, now, due_until, room,
                                       options_.lease, in(options_.step_max));
    if (!claims) co_return note(claims.error());
    if (!*claims) {
        ending_ = HotEnd::superseded;
        co_return error_code();
    }
    drained_ = std::max(drained_, (*claims)->drained);
    if ((*claims)->items.empty()) co_return error_code();
    polls_.succeeded(milliseconds{0});
    if (claims_.empty()) renew_at_ = steady_now() + options_.lease / 2;
    co_return co_await take_in(std::move((*claims)->items));
}

asio::awaitable<error_code> Sync::take_in(std::vector<cache::Claim> claims) {
    parts_.sync_metrics.claimed.add(claims.size());
    Addresses poison;
    for (auto& claim : claims) {
        auto const address = claim.address;
        if (!claim.account)
            poison.push_back(address);
        else if (has_passed(claim))
            window_.add(address, steady_now());
        else
            waiting_.insert(address);
        claims_.insert_or_assign(address, std::move(claim));
    }
    parts_.sync_metrics.waits.add(waiting_.size());
    error_code failed;
    for (auto const& address : poison) {
        auto const error = co_await bury(address, "no account");
        if (!error) continue;
        // Its claim ends by itself, and whoever claims it next lays it aside.
        forget(address);
        failed = error;
    }
    co_return failed;
}

bool Sync::has_passed(cache::Claim const& claim) const {
    return claim.account->position <= drained_;
}

void Sync::let_pass() {
    for (auto next = waiting_.begin(); next != waiting_.end();) {
        auto const address = next++;
        if (!has_passed(claims_.at(*address))) continue;
        window_.add(*address, steady_now());
        waiting_.erase(address);
    }
}

/// Those that are still ours.
void Sync::take_batch() {
    batch_ = reactor::take_batch(window_, parts_.sync_metrics.batches, steady_now());
    std::ranges::sort(batch_);
    batch_.erase(std::unique(batch_.begin(), batch_.end()), batch_.end());
    std::erase_if(batch_, [this](auto const& address) {
        return !claims_.contains(address) || waiting_.contains(address);
    });
}

asio::awaitable<SteadyTime> Sync::flush() {
    auto accounts = batch_.size();
    if (accounts_max_ > 0) accounts = std::min(accounts, accounts_max_);
    auto const start = steady_now();
    auto const outcome = co_await submit(accounts);
    if (!outcome) co_return co_await note_refusal(outcome.error(), accounts);
    auto const [row, end] = row_of(*outcome, parts_.epoch);
    ending_ = end;
    if (ending_) co_return at_once();
    parts_.sync_metrics.flush.record(steady_now() - start);
    pauses_.succeeded(milliseconds{0});
    has_written_ = true;
    drained_ = row.drained;
    last_flush_at_ = parts_.clock.now();
    accounts_max_ = accounts_max_ < batch_.size() ? accounts_max_ * 2 : 0;
    co_await note_written(accounts);
    // Posts come first, and who is posted to all the time is written less often.
    co_return steady_now() + options_.rests*(steady_now() - start);
}

asio::awaitable<Result<domain::Outcome>> Sync::submit(std::size_t accounts) {
    domain::SyncBalances command;
    command.ledger = parts_.ledger;
    command.epoch = parts_.epoch;
    command.balances.reserve(accounts);
    for (std::size_t i = 0; i < accounts; ++i) {
        auto const claim = claims_.find(batch_[i]);
        if (claim != claims_.end()) command.balances.push_back(balance_of(claim->second));
    }
    auto envelope = hot_envelope(parts_, "sync", std::move(command));
    return parts_.submit(std::move(envelope), in(options_.flush_max));
}

/// The store has taken these, but not what is ahead of its journal, whatever Redis said.
asio::awaitable<void> Sync::note_written(std::size_t accounts) {
    auto const now = parts_.clock.now();
    Addresses written;
    auto const behind = batch_.begin() + static_cast<std::ptrdiff_t>(accounts);
    for (auto address = batch_.begin(); address != behind; ++address) {
        auto const claim = claims_.find(*address);
        if (claim == claims_.end()) continue;
        if (!has_passed(claim->second)) {
            waiting_.insert(*address);
            continue;
        }
        auto const age = std::max<std::int64_t>(0, now.ms - claim->second.account->updated_at.ms);
        parts_.sync_metrics.lag.record(milliseconds{age});
        written.push_back(*address);
    }
    batch_.erase(batch_.begin(), behind);
    co_await release(std::move(written), true);
}

/// Ends claims. Where Redis does not take that, they end by themselves.
asio::awaitable<void> Sync::release(Addresses addresses, bool is_written) {
    if (addresses.empty()) co_return;
    std::vector<cache::Claim> claims;
    for (auto const& address : addresses) {
        claims.push_back(std::move(claims_.at(address)));
        forget(address);
    }
    auto const released = claims.size();
    auto const clean =
        co_await parts_.schedule.release(parts_.ledger, owner_, parts_.clock.now(),
                                         std::move(claims), is_written, in(options_.step_max));
    if (!clean) {
        fail(note(clean.error()), "release");
        co_return;
    }
    auto const kept = std::min<std::uint64_t>(static_cast<std::uint64_t>(*clean), released);
    auto& metrics = parts_.sync_metrics;
    metrics.clean.add(kept);
    (is_written ? metrics.changed : metrics.released).add(released - kept);
}

/// Whoever is at fault is found by writing fewer, until it stands alone.
asio::awaitable<SteadyTime> Sync::note_refusal(error_code error, std::size_t accounts) {
    if (may_be_split(error) && accounts > 1) {
        accounts_max_ = accounts / 2;
        co_return at_once();
    }
    if (error == db::Errc::refused_by_database && accounts == 1) {
        // The others are not to wait for it: it comes with a later batch, or never again.
        auto const address = batch_.front();
        batch_.erase(batch_.begin());
        bool const is_at_fault = ++refusals_[address] >= options_.refusals_max && has_written_;
        if (!is_at_fault) {
            window_.add(address, steady_now());
            co_return fail(error, "flush");
        }
        has_written_ = false;
        auto const failed = co_await bury(address, error.message());
        if (!failed) co_return at_once();
        window_.add(address, steady_now());
    }
    co_return fail(error, "flush");
}

asio::awaitable<error_code> Sync::bury(std::string address, std::string why) {
    auto claim = claims_.at(address);
    auto const buried = co_await parts_.schedule.bury(parts_.ledger, owner_, std::move(claim), why,
                                                      parts_.clock.now(), in(options_.step_max));
    if (!buried) co_return note(buried.error());
    forget(address);
    if (!*buried) co_return error_code();
    parts_.sync_metrics.dead_letters.add();
    if (parts_.tell) parts_.tell({What::dead_letter, parts_.ledger, address, why});
    co_return error_code();
}

/// What the drain has passed is still written; nothing stays claimed.
asio::awaitable<void> Sync::finish() {
    stop_at_ = steady_now() + options_.stop_max;
    if (!ending_) co_await claim(0);
    if (!ending_) let_pass();
    while (!ending_) {
        if (batch_.empty() && !window_.empty()) take_batch();
        if (batch_.empty() && window_.empty()) break;
        if (batch_.empty()) continue;
        auto const failures = parts_.sync_metrics.failures.get();
        co_await flush();
        if (parts_.sync_metrics.failures.get() != failures || steady_now() >= stop_at_) break;
    }
    stop_at_ = steady_now() + options_.step_max;
    Addresses left;
    for (auto const& [address, claim] : claims_) left.push_back(address);
    waiting_.clear();
    batch_.clear();
    co_await release(std::move(left), false);
}

error_code Sync::note(cache::Failure const& failure) {
    complaint_ = failure.text;
    if (is_damage(failure)) ending_ = HotEnd::superseded;
    return failure.code;
}

SteadyTime Sync::after(reactor::Backoff& pauses) {
    auto const pause = pauses.next(static_cast<std::uint32_t>(parts_.ids.nonce()));
    return steady_now() + pause;
}

SteadyTime Sync::fail(error_code error, char const* what) {
    parts_.sync_metrics.failures.add();
    auto why = std::exchange(complaint_, {});
    if (why.empty()) why = error.message();
    if (parts_.tell) parts_.tell({What::failure, parts_.ledger, what, std::move(why)});
    return after(pauses_);
}

SteadyTime Sync::in(milliseconds limit) const { return std::min(stop_at_, steady_now() + limit); }

}  // namespace penstock::server
