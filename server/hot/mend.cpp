// Page by page: which rows are older than their newest transfer, and what that says.
#include "server/hot/mend.hpp"

#include <utility>

#include "cache/hot_journal.hpp"
#include "cache/hot_schedule.hpp"
#include "server/hot/sync.hpp"

namespace penstock::server {
namespace {

/// What the store's own transfers say is never ahead of its journal.
constexpr std::int64_t home_already = 0;

}  // namespace

Mend::Mend(HotLedgerParts parts, db::HotStore& store, MendOptions options)
    : parts_(std::move(parts)),
      store_(store),
      options_(options),
      steps_(parts_.executor),
      pauses_(options.pauses) {}

asio::awaitable<void> Mend::run() {
    Steps::Step const step = [this] { return this->step(); };
    co_await steps_.run(step);
}

asio::awaitable<std::optional<SteadyTime>> Mend::step() {
    std::optional<SteadyTime> next;
    error_code error;
    if (base_ == 0)
        error = co_await begin();
    else if (!has_seen_all_)
        error = co_await look_at_page();
    else
        error = co_await finish();
    if (is_done_) co_return next;
    if (error) {
        next = fail(error);
        co_return next;
    }
    pauses_.succeeded(milliseconds{0});
    next = steady_now();
    co_return next;
}

asio::awaitable<error_code> Mend::begin() {
    auto const standing = co_await parts_.journal.look(parts_.ledger, step_deadline());
    if (!standing) co_return standing.error().code;
    bool const is_ours = *standing && (*standing)->epoch == parts_.epoch;
    if (is_ours) base_ = (*standing)->unmended;
    if (base_ == 0) is_done_ = true;
    co_return error_code();
}

asio::awaitable<error_code> Mend::look_at_page() {
    auto const page =
        co_await store_.list_standings(parts_.ledger, after_, options_.page, step_deadline());
    if (!page) co_return page.error();
    std::vector<domain::HotBalance> behind;
    for (auto const& [account, is_behind] : *page) {
        auto const& now = account.standing;
        if (is_behind)
            behind.push_back(
                {account.address, now.balance, now.version, now.updated_at, home_already});
    }
    if (!behind.empty()) {
        auto const error = co_await write(std::move(behind));
        if (error || is_done_) co_return error;
    }
    has_seen_all_ = page->size() < options_.page;
    if (!page->empty()) after_ = page->back().account.address;
    co_return error_code();
}

asio::awaitable<error_code> Mend::write(std::vector<domain::HotBalance> behind) {
    auto const accounts = behind.size();
    domain::SyncBalances command;
    command.ledger = parts_.ledger;
    command.epoch = parts_.epoch;
    command.balances = std::move(behind);
    auto envelope = hot_envelope(parts_, "mend", std::move(command));
    auto const outcome = co_await parts_.submit(std::move(envelope), step_deadline());
    if (!outcome) co_return outcome.error();
    auto const [row, end] = row_of(*outcome, parts_.epoch);
    if (end) is_done_ = true;
    if (!end) parts_.sync_metrics.mended.add(accounts);
    co_return error_code();
}

asio::awaitable<error_code> Mend::finish() {
    auto const mended = co_await parts_.schedule.mended(parts_.ledger, base_, step_deadline());
    if (!mended) co_return mended.error().code;
    is_done_ = true;
    co_return error_code();
}

SteadyTime Mend::fail(error_code error) {
    parts_.sync_metrics.failures.add();
    if (parts_.tell)
        parts_.tell({HotNotice::What::failure, parts_.ledger, "mending", error.message()});
    return steady_now() + pauses_.next(static_cast<std::uint32_t>(parts_.ids.nonce()));
}

}  // namespace penstock::server
