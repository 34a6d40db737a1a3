#include "server/hot/ledger_life.hpp"

#include <algorithm>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "cache/redis_client.hpp"
#include "domain/model.hpp"
#include "reactor/cancellation.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"
#include "reactor/then_notify.hpp"
#include "server/hot/status.hpp"

namespace penstock::server {
namespace {

/// By so much the clocks of servers may differ: new books do not claim to know the keys of those
/// who thought it was later.
constexpr milliseconds clocks_differ_max{60'000};

using How = cache::HotOpened::How;

/// Since when new books know every key that is used on the ledger. A ledger of which the store has
/// nothing yet has no keys in the store that could be asked for either: else the posts of every new
/// ledger would read the store first, for as long as keys are kept.
domain::Instant keys_known_from(domain::Instant now, std::int64_t drained) {
    if (drained == 0) return {};
    return {now.ms + clocks_differ_max.count()};
}

std::string_view name_of(How how) { return how == How::built ? "built" : "open"; }

}  // namespace

HotLedgerLife::HotLedgerLife(domain::LedgerId ledger, HotLifeParts const& parts, bool is_allowed)
    : parts_(parts),
      ledger_(ledger),
      lease_(parts.redis, parts.closing.opener(ledger), parts.ids.request_id(),
             parts.options.opener_lease),
      woken_(parts.executor),
      shut_(parts.executor),
      pauses_(parts.options.pauses),
      is_allowed_(is_allowed) {}

void HotLedgerLife::wake() {
    is_woken_ = true;
    woken_.notify();
}

asio::awaitable<void> HotLedgerLife::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        auto const epoch = co_await settle();
        if (!epoch) break;
        auto const began = steady_now();
        co_await serve(*epoch);
        pauses_.succeeded(std::chrono::duration_cast<milliseconds>(steady_now() - began));
        // Of its own accord, though the books looked well: not at once again.
        if (spent_epoch_ == *epoch) co_await pause();
    }
    standing_.reset();
    lease_.give_up();
    has_ended_ = true;
    shut_.notify();
}

/// Until the books are as they are wanted. Nothing: cancelled, or the ledger is gone.
asio::awaitable<HotLedgerLife::Try> HotLedgerLife::settle() {
    for (;;) {
        bool const stopped = co_await is_stopped();
        if (stopped) co_return std::nullopt;
        auto const epoch = co_await attempt();
        if (epoch || is_gone_) co_return epoch;
        co_await pause();
    }
}

asio::awaitable<void> HotLedgerLife::pause() {
    bool const stopped = co_await is_stopped();
    if (stopped) co_return;
    auto const length = pauses_.next(static_cast<std::uint32_t>(parts_.ids.nonce()));
    co_await reactor::sleep_until(steady_now() + length);
}

asio::awaitable<HotLedgerLife::Try> HotLedgerLife::attempt() {
    if (!is_allowed_) co_return std::nullopt;
    bool const up = co_await parts_.redis.up_before(step_deadline());
    if (!up) co_return std::nullopt;
    if (door_ != Door::open) co_return co_await shut();
    auto epoch = co_await find_open();
    if (epoch || is_gone_) co_return epoch;
    bool const mine = co_await lease_.hold(step_deadline());
    if (!mine) co_return std::nullopt;
    // Whoever had it a moment ago may have opened it.
    epoch = co_await find_open();
    if (!epoch && !is_gone_) epoch = co_await open();
    lease_.give_up();
    co_return epoch;
}

/// A load of nothing looks at what a post looks at.
asio::awaitable<bool> HotLedgerLife::is_ready() {
    std::vector<std::pair<std::string, cache::HotAccount>> const nobody;
    std::vector<domain::Hold> const no_holds;
    std::string const no_token;
    auto const loaded = co_await parts_.books.load(ledger_, no_token, parts_.clock.now(), nobody,
                                                   no_holds, step_deadline());
    if (!loaded) failed("probe", loaded.error());
    if (!loaded) co_return false;
    co_return *loaded != cache::HotLoaded::unready;
}

/// Opened by somebody, for the process of Redis that answers now, in the epoch that the store has.
asio::awaitable<HotLedgerLife::Try> HotLedgerLife::find_open() {
    bool const ready = co_await is_ready();
    if (!ready) co_return std::nullopt;
    auto const standing = co_await parts_.journal.look(ledger_, step_deadline());
    if (!standing) failed("look", standing.error());
    if (!standing || !*standing) co_return std::nullopt;
    auto const row = co_await parts_.store.find_hot_ledger(ledger_, step_deadline());
    if (!row) failed("find", row.error());
    if (!row) co_return std::nullopt;
    if (!*row) is_gone_ = true;
    if (!*row || (*row)->epoch != (*standing)->epoch) co_return std::nullopt;
    if ((*row)->epoch == spent_epoch_) co_return std::nullopt;
    parts_.metrics.adopted.add();
    note_lost((*standing)->position);
    process_ = (*standing)->process;
    standing_ = *standing;
    parts_.log.info("hot_ledger_adopted", {{"ledger_id", ledger_.to_string()},
                                           {"epoch", (*standing)->epoch},
                                           {"position", (*standing)->position},
                                           {"drained", (*standing)->drained}});
    co_await parts_.opened(ledger_);
    co_return (*row)->epoch;
}

asio::awaitable<std::optional<domain::HotLedger>> HotLedgerLife::begin_epoch() {
    domain::Envelope envelope;
    envelope.request_id = "hot-keeper";
    envelope.nonce = parts_.ids.nonce();
    envelope.command = domain::BeginEpoch{ledger_};
    std::optional<domain::HotLedger> row;
    auto const outcome = co_await parts_.submit(std::move(envelope), step_deadline());
    if (!outcome) {
        failed("begin", outcome.error());
        co_return row;
    }
    auto const* receipt = std::get_if<domain::Receipt>(&*outcome);
    auto const* begun = receipt ? std::get_if<domain::HotLedger>(&receipt->what) : nullptr;
    if (begun) row = *begun;
    // Refused only where there is no such ledger.
    if (!begun) is_gone_ = true;
    co_return row;
}

asio::awaitable<std::optional<cache::HotOpened>> HotLedgerLife::open_books(domain::HotLedger row) {
    auto const keys_from = keys_known_from(parts_.clock.now(), row.drained);
    auto const answer =
        co_await parts_.books.open(ledger_, row.epoch, row.drained, keys_from, step_deadline());
    std::optional<cache::HotOpened> opened;
    if (!answer) failed("open", answer.error());
    if (answer) opened = *answer;
    co_return opened;
}

asio::awaitable<HotLedgerLife::Try> HotLedgerLife::open() {
    auto const row = co_await begin_epoch();
    if (!row) co_return std::nullopt;
    auto const opened = co_await open_books(*row);
    if (!opened) co_return std::nullopt;
    if (opened->how == How::sealed) co_return co_await rebuild(*opened, row->epoch);
    co_return co_await opened_as(*opened, row->epoch, row->drained);
}

asio::awaitable<HotLedgerLife::Try> HotLedgerLife::opened_as(cache::HotOpened opened,
                                                             std::int64_t epoch,
                                                             std::int64_t drained) {
    if (opened.how != How::open && opened.how != How::built) {
        failed("open", {{}, "somebody began a later epoch"});
        co_return std::nullopt;
    }
    bool const is_built = opened.how == How::built;
    (is_built ? parts_.metrics.built : parts_.metrics.opened).add();
    known_ = std::max(known_, opened.position);
    auto const position = is_built ? drained : opened.position;
    parts_.log.info("hot_ledger_opened", {{"ledger_id", ledger_.to_string()},
                                          {"epoch", epoch},
                                          {"how", name_of(opened.how)},
                                          {"position", position},
                                          {"drained", drained}});
    note_lost(position);
    process_.clear();
    co_await parts_.opened(ledger_);
    co_return epoch;
}

/// What the journal has that the store lacks is drained; then nothing of the old books is needed.
/// How far that came is said by another epoch: what our own drain still has on its way when it is
/// asked is refused from there on.
asio::awaitable<HotLedgerLife::Try> HotLedgerLife::rebuild(cache::HotOpened sealed,
                                                           std::int64_t epoch) {
    parts_.metrics.sealed.add();
    parts_.log.error(
        "hot_ledger_sealed",
        {{"ledger_id", ledger_.to_string()}, {"epoch", epoch}, {"position", sealed.position}});
    bool const is_drained = co_await drained_to(sealed.position, epoch);
    if (!is_drained) co_return std::nullopt;
    auto const row = co_await begin_epoch();
    if (!row) co_return std::nullopt;
    auto const opened = co_await open_books(*row);
    if (!opened) co_return std::nullopt;
    co_return co_await opened_as(*opened, row->epoch, row->drained);
}

/// Until the store has the journal up to `position`. False: superseded, or ended.
asio::awaitable<bool> HotLedgerLife::drained_to(std::int64_t position, std::int64_t epoch) {
    reactor::TaskGroup tasks(parts_.executor);
    tasks.spawn(reactor::then_notify(parts_.work(ledger_, epoch, HotTasks::drain), woken_));
    bool is_drained = false;
    for (;;) {
        bool const undisturbed = co_await woken_.wait(steady_now() + parts_.options.look_soon);
        if (!undisturbed) break;
        auto const row = co_await parts_.store.find_hot_ledger(ledger_, step_deadline());
        if (!row) failed("find", row.error());
        if (!row) continue;
        if (!*row || (*row)->epoch != epoch) break;
        // Nothing is left, however far the last entry is said to be.
        auto const next =
            co_await parts_.journal.first_behind(ledger_, (*row)->drained, step_deadline());
        is_drained = (*row)->drained >= position || (next && !*next);
        if (is_drained || tasks.size() == 0) break;
        bool const mine = co_await lease_.hold(step_deadline());
        if (!mine) break;
    }
    co_await end(tasks);
    co_return is_drained;
}

/// Books that nobody posts to, in an epoch of their own.
asio::awaitable<HotLedgerLife::Try> HotLedgerLife::shut() {
    bool const mine = co_await lease_.hold(step_deadline());
    if (!mine) co_return std::nullopt;
    auto const row = co_await begin_epoch();
    if (!row) co_return std::nullopt;
    auto const closed =
        co_await parts_.closing.close(ledger_, row->epoch, row->drained, step_deadline());
    if (!closed) failed("close", closed.error());
    if (!closed) co_return std::nullopt;
    // Damaged: it is to be opened, which mends it, before anything can be said of it.
    if (closed->how == How::sealed) door_ = Door::open;
    if (closed->how != How::open && closed->how != How::built) co_return std::nullopt;
    note_lost(closed->how == How::open ? closed->position : row->drained);
    closed_epoch_ = row->epoch;
    parts_.metrics.closed.add();
    parts_.log.info("hot_ledger_closed",
                    {{"ledger_id", ledger_.to_string()}, {"epoch", row->epoch}});
    co_return row->epoch;
}

/// As long as it is the epoch, and the door is as it was.
asio::awaitable<void> HotLedgerLife::serve(std::int64_t epoch) {
    reactor::TaskGroup tasks(parts_.executor);
    tasks.spawn(reactor::then_notify(parts_.work(ledger_, epoch, HotTasks::all), woken_));
    for (;;) {
        bool const goes_on = co_await watch(epoch);
        if (goes_on && tasks.size() == 0) spent_epoch_ = epoch;
        if (!goes_on || tasks.size() == 0) break;
    }
    standing_.reset();
    co_await end(tasks);
}

/// What works flushes and releases what it holds, within a bound of its own.
asio::awaitable<void> HotLedgerLife::end(reactor::TaskGroup& tasks) {
    tasks.cancel();
    co_await tasks.join();
    if (tasks.size() == 0) co_return;
    // Cancelled meanwhile, and nothing else is to be heard of: what works lives in our frame.
    has_stopped_ = true;
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await tasks.join();
}

asio::awaitable<bool> HotLedgerLife::is_stopped() {
    auto const state = co_await asio::this_coro::cancellation_state;
    if (reactor::is_cancelled(state)) has_stopped_ = true;
    co_return has_stopped_;
}

asio::awaitable<bool> HotLedgerLife::watch(std::int64_t epoch) {
    bool const is_soon = door_ == Door::closing;
    auto const pause = is_soon ? parts_.options.look_soon : parts_.options.look_every;
    bool const undisturbed = co_await woken_.wait(steady_now() + pause);
    if (!undisturbed) co_return false;
    bool const is_over = is_woken_ || steady_now() >= closed_until_;
    if (door_ == Door::shut && is_over) door_ = Door::open;
    bool const is_closed = closed_epoch_ == epoch;
    if (is_closed != (door_ != Door::open)) co_return false;
    co_return co_await look(epoch);
}

/// False: the epoch is over.
asio::awaitable<bool> HotLedgerLife::look(std::int64_t epoch) {
    bool const is_to_be_ready = door_ == Door::open;
    bool const is_doubted = std::exchange(is_woken_, false) || process_.empty();
    if (!parts_.redis.up()) co_return true;
    if (is_to_be_ready && is_doubted) {
        bool const ready = co_await is_ready();
        if (!ready && parts_.redis.up()) co_return false;
    }
    if (!is_to_be_ready) {
        bool const mine = co_await lease_.hold(step_deadline());
        if (!mine && parts_.redis.up()) co_return false;
    }
    auto const standing = co_await parts_.journal.look(ledger_, step_deadline());
    if (!standing) co_return true;
    if (!*standing || (*standing)->epoch != epoch) co_return false;
    if (is_to_be_ready && process_.empty()) process_ = (*standing)->process;
    if (is_to_be_ready && process_ != (*standing)->process) co_return false;
    note_standing(**standing);
    co_return true;
}

void HotLedgerLife::note_standing(cache::HotStanding standing) {
    known_ = std::max(known_, standing.position);
    standing_ = std::move(standing);
    if (door_ != Door::closing || !is_at_rest(*standing_)) return;
    door_ = Door::shut;
    closed_until_ = steady_now() + parts_.options.closed_max;
    is_woken_ = false;
    shut_.notify();
}

/// Any balance that is not 0 shows in what the world has paid; a ledger in which money only moved
/// back and forth is closed to find out.
asio::awaitable<bool> HotLedgerLife::has_money(SteadyTime deadline) {
    std::vector<std::string> world;
    world.emplace_back(domain::world_address);
    auto const found = co_await parts_.books.find(ledger_, std::move(world), deadline);
    if (!found || !*found) co_return false;
    auto const& account = (*found)->front();
    co_return account && account->balance != 0;
}

/// One that was opened a moment ago is looked at soon.
asio::awaitable<bool> HotLedgerLife::is_seen_open(SteadyTime deadline) {
    auto const until = std::min(deadline, steady_now() + 2 * parts_.options.look_every);
    while (!standing_ && !has_ended_ && steady_now() < until) {
        bool const awake = co_await reactor::sleep_until(steady_now() + parts_.options.look_soon);
        if (!awake) break;
    }
    co_return standing_.has_value();
}

asio::awaitable<Result<std::int64_t>> HotLedgerLife::close(SteadyTime deadline) {
    if (has_caller_ || door_ != Door::open) co_return reactor::Errc::overloaded;
    has_caller_ = true;
    bool const is_open = co_await is_seen_open(deadline);
    if (!is_open) {
        has_caller_ = false;
        co_return cache::Errc::unavailable;
    }
    bool const stays = co_await has_money(deadline);
    if (!stays) {
        door_ = Door::closing;
        woken_.notify();
    }
    while (!stays && door_ == Door::closing && steady_now() < deadline) {
        bool const undisturbed = co_await shut_.wait(deadline);
        if (!undisturbed || has_ended_) break;
    }
    has_caller_ = false;
    if (stays) co_return std::int64_t{0};
    if (door_ == Door::shut) co_return closed_epoch_;
    door_ = Door::open;
    woken_.notify();
    co_return reactor::Errc::deadline_exceeded;
}

/// Whoever has seen a later position than the books are at now knows what is gone.
void HotLedgerLife::note_lost(std::int64_t position) {
    auto const items = std::max<std::int64_t>(known_ - position, 0);
    known_ = position;
    if (items == 0) return;
    parts_.metrics.lost.add(static_cast<std::uint64_t>(items));
    parts_.log.error(
        "hot_posts_lost",
        {{"ledger_id", ledger_.to_string()}, {"items", items}, {"position", position}});
}

void HotLedgerLife::failed(std::string_view step, cache::Failure const& failure) {
    if (failure.code == asio::error::operation_aborted) return;
    parts_.metrics.failures.add();
    parts_.log.limited(failures_, LogLevel::warning, "hot_ledger_not_opened",
                       {{"ledger_id", ledger_.to_string()},
                        {"step", step},
                        {"error", failure.code.message()},
                        {"message", failure.text}});
}

void HotLedgerLife::failed(std::string_view step, error_code error) {
    failed(step, cache::failure_of(error));
}

}  // namespace penstock::server
