// WHAT a hot ledger acknowledged comes into the store: in its order, once, and then leaves the
// journal.
#include "server/hot/drain.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "db/pg/error.hpp"
#include "reactor/deadline.hpp"
#include "reactor/take_batch.hpp"

namespace penstock::server {
namespace {

using What = HotNotice::What;

std::size_t weight_of(cache::ReadEntry const& entry) {
    return entry.entry ? std::max<std::size_t>(1, entry.entry->items.size()) : 1;
}

/// A read is bounded by its bytes; the window takes all of it.
reactor::BatchLimits window_of(reactor::BatchLimits limits) {
    limits.queue_max = std::numeric_limits<std::size_t>::max();
    return limits;
}

bool comes_before(cache::ReadEntry const& a, cache::ReadEntry const& b) {
    return a.position != b.position ? a.position < b.position : a.id < b.id;
}

bool is_same(cache::ReadEntry const& a, cache::ReadEntry const& b) { return a.id == b.id; }

void add_ended(domain::JournalEntry const& entry, std::vector<domain::HoldId>& to) {
    for (auto const& item : entry.items) {
        auto const* captured = std::get_if<domain::Captured>(&item);
        auto const* hold = captured ? &captured->hold : std::get_if<domain::Hold>(&item);
        if (hold && hold->status != domain::HoldStatus::pending) to.push_back(hold->id);
    }
}

}  // namespace

void ReadSize::brought(std::size_t entries, std::size_t bytes) {
    if (entries == 0) return;
    bool const was_all = entries < count_;
    auto const fitting = bytes_max_ / std::max<std::size_t>(1, bytes / entries);
    auto const wanted = was_all ? count_ : count_ * 2;
    count_ = std::clamp<std::size_t>(std::min(wanted, fitting), 1, most_);
}

void ReadSize::failed() { count_ = std::max<std::size_t>(1, count_ / 4); }

Drain::Drain(HotLedgerParts parts, DrainOptions options)
    : parts_(std::move(parts)),
      options_(options),
      steps_(parts_.executor),
      window_(window_of(options.batch)),
      read_size_(options.entries_at_once, options.read_bytes_max),
      polls_(options.polls),
      gaps_(options.gaps),
      pauses_(options.pauses) {}

asio::awaitable<void> Drain::run() {
    Steps::Step const step = [this] { return this->step(); };
    co_await steps_.run(step);
    co_await finish();
    end_ = ending_.value_or(HotEnd::cancelled);
}

asio::awaitable<std::optional<SteadyTime>> Drain::step() {
    std::optional<SteadyTime> next;
    auto error = co_await settle();
    if (!error && !ending_) error = co_await fetch();
    if (ending_) co_return next;
    if (error) {
        next = fail(error, "journal");
        co_return next;
    }
    if (batch_.empty() && window_.due(steady_now()))
        batch_ = reactor::take_batch(window_, parts_.drain_metrics.batches, steady_now());
    if (!batch_.empty() || lost_to_ > 0) {
        if (is_waiting_)
            next = co_await unblock();
        else
            next = co_await bring_home();
        if (ending_) next.reset();
        co_return next;
    }
    next = after(polls_);
    *next = std::min(*next, window_.due_at());
    co_return next;
}

/// All that there is to be had, until a batch is due.
asio::awaitable<error_code> Drain::fetch() {
    error_code error;
    if (has_missed_) error = co_await read_missed();
    if (!error && steady_now() >= take_over_at_) error = co_await take_over();
    while (!error && !ending_ && batch_.empty() && !window_.due(steady_now())) {
        auto const before = window_.weight();
        error = co_await read();
        if (window_.weight() == before) break;
    }
    co_return error;
}

asio::awaitable<error_code> Drain::read_missed() {
    std::string after = "0";
    for (;;) {
        auto const limit = read_size_.next();
        auto answer = co_await parts_.journal.read_own(parts_.ledger, parts_.server, after, limit,
                                                       in(options_.step_max));
        auto const error = note(answer);
        if (error || ending_) co_return error;
        if ((*answer)->empty()) break;
        after = (*answer)->back().id;
        add_old(std::move(**answer));
    }
    has_missed_ = false;
    co_return error_code();
}

asio::awaitable<error_code> Drain::take_over() {
    auto answer = co_await parts_.journal.take_over(parts_.ledger, parts_.server, options_.idle,
                                                    read_size_.next(), in(options_.step_max));
    auto const error = note(answer);
    if (error || ending_) co_return error;
    parts_.drain_metrics.taken_over.add((*answer)->size());
    // While there is more of it, at once.
    if ((*answer)->size() < read_size_.next()) take_over_at_ = steady_now() + options_.idle / 2;
    add_old(std::move(**answer));
    co_return error_code();
}

asio::awaitable<error_code> Drain::read() {
    auto answer = co_await parts_.journal.read(parts_.ledger, parts_.server, read_size_.next(),
                                               in(options_.step_max));
    auto const error = note(answer);
    if (error) has_missed_ = true;
    if (error || ending_) co_return error;
    parts_.drain_metrics.reads.add();
    if (!(*answer)->empty()) polls_.succeeded(milliseconds{0});
    for (auto& entry : **answer) {
        auto const weight = weight_of(entry);
        window_.add(std::move(entry), steady_now(), weight);
    }
    co_return error_code();
}

error_code Drain::note(cache::Failure const& failure) {
    complaint_ = failure.text;
    if (is_damage(failure)) ending_ = HotEnd::superseded;
    return failure.code;
}

/// Without a group the ledger is to be opened.
error_code Drain::note(Read const& answer) {
    if (!answer) {
        read_size_.failed();
        return note(answer.error());
    }
    if (!*answer) {
        ending_ = HotEnd::superseded;
        return {};
    }
    std::size_t bytes = 0;
    for (auto const& entry : **answer) bytes += entry.bytes;
    read_size_.brought((*answer)->size(), bytes);
    return {};
}

/// What was given out before: it comes before what is in the window, and is due already.
void Drain::add_old(Entries entries) {
    if (entries.empty()) return;
    std::ranges::move(entries, std::back_inserter(batch_));
    take_window();
}

void Drain::take_window() {
    while (!window_.empty())
        std::ranges::move(reactor::take_batch(window_, parts_.drain_metrics.batches, steady_now()),
                          std::back_inserter(batch_));
    std::ranges::sort(batch_, comes_before);
    batch_.erase(std::unique(batch_.begin(), batch_.end(), is_same), batch_.end());
}

asio::awaitable<SteadyTime> Drain::bring_home() {
    auto const entries = portion();
    auto const sent_to = entries == 0 ? 0 : batch_[entries - 1].position;
    auto const start = steady_now();
    auto const outcome = co_await submit(entries);
    if (!outcome) co_return co_await note_refusal(outcome.error(), entries);
    auto const [row, end] = row_of(*outcome, parts_.epoch);
    ending_ = end;
    if (ending_) co_return at_once();
    parts_.drain_metrics.commit.record(steady_now() - start);
    pauses_.succeeded(milliseconds{0});
    note_home(row, entries);
    auto const error = co_await settle();
    if (error) co_return fail(error, "settling");
    if (ending_) co_return at_once();
    if (batch_.empty()) co_return co_await rest(start);
    bool const was_sent = !batch_.front().entry || batch_.front().position <= sent_to;
    if (!was_sent) co_return at_once();
    co_return co_await unblock();
}

/// Posts come first, as long as the journal has room for them.
asio::awaitable<SteadyTime> Drain::rest(SteadyTime since) {
    auto const took = steady_now() - since;
    auto const standing = co_await parts_.journal.look(parts_.ledger, in(options_.step_max));
    bool const has_room =
        standing && *standing && (*standing)->position - drained_ <= options_.rests_up_to;
    co_return has_room ? steady_now() + options_.rests* took : at_once();
}

/// How many entries at the head of the batch go together: up to what is none, and a batch's worth.
std::size_t Drain::portion() const {
    std::size_t entries = 0;
    std::size_t weight = 0;
    for (auto const& entry : batch_) {
        weight += weight_of(entry);
        bool const is_too_much = entries > 0 && weight > options_.batch.items_max;
        if (!entry.entry || is_too_much) break;
        ++entries;
        if (entries == entries_max_) break;
    }
    return entries;
}

asio::awaitable<Result<domain::Outcome>> Drain::submit(std::size_t entries) {
    domain::BookJournal command;
    command.ledger = parts_.ledger;
    command.epoch = parts_.epoch;
    command.lost_to = lost_to_;
    command.entries.reserve(entries);
    // Copies: it may have to be sent again.
    for (std::size_t i = 0; i < entries; ++i) command.entries.push_back(*batch_[i].entry);
    auto envelope = hot_envelope(parts_, "drain", std::move(command));
    return parts_.submit(std::move(envelope), in(options_.commit_max));
}

/// What the row of the ledger is past is in the store, whoever brought it there.
void Drain::note_home(domain::HotLedger row, std::size_t entries) {
    lost_to_ = 0;
    if (row.drained > drained_) {
        is_first_ = false;
        refusals_ = 0;
        has_brought_ = has_brought_ || entries > 0;
        gaps_.succeeded(milliseconds{0});
        entries_max_ = entries_max_ < batch_.size() ? entries_max_ * 2 : 0;
    }
    drained_ = row.drained;
    auto const now = parts_.clock.now();
    auto behind = batch_.begin();
    for (; behind != batch_.end() && behind->position <= drained_; ++behind) {
        if (!behind->entry) {
            rubbish_.push_back(std::move(*behind));
            continue;
        }
        unsettled_.push_back(behind->position);
        add_ended(*behind->entry, ended_);
        auto const age = std::max<std::int64_t>(0, now.ms - behind->entry->at.ms);
        parts_.drain_metrics.lag.record(milliseconds{age});
    }
    batch_.erase(batch_.begin(), behind);
}

asio::awaitable<error_code> Drain::settle() {
    auto error = co_await settle_rubbish();
    if (error || unsettled_.empty()) co_return error;
    auto const settled = co_await parts_.journal.settle(parts_.ledger, parts_.epoch, drained_,
                                                        unsettled_, ended_, in(options_.step_max));
    if (!settled) co_return note(settled.error());
    if (!*settled) ending_ = HotEnd::superseded;
    parts_.drain_metrics.entries.add(unsettled_.size());
    unsettled_.clear();
    ended_.clear();
    co_return error_code();
}

asio::awaitable<error_code> Drain::settle_rubbish() {
    while (!rubbish_.empty()) {
        auto const error = co_await bury(rubbish_.back(), "no entry");
        if (error) co_return error;
        rubbish_.pop_back();
    }
    co_return error_code();
}

/// Whoever is at fault is found by sending fewer, until it stands alone.
asio::awaitable<SteadyTime> Drain::note_refusal(error_code error, std::size_t entries) {
    if (may_be_split(error) && entries > 1) {
        entries_max_ = entries / 2;
        co_return at_once();
    }
    if (error == db::Errc::refused_by_database && entries == 1) {
        ++refusals_;
        bool const is_at_fault = refusals_ >= options_.refusals_max && has_brought_;
        if (is_at_fault) co_return co_await pass_over(error.message());
    }
    co_return fail(error, "commit");
}

/// The head of the batch was sent and is still here: something comes before it, or it cannot be
/// taken at all.
asio::awaitable<SteadyTime> Drain::unblock() {
    auto const first =
        co_await parts_.journal.first_behind(parts_.ledger, drained_, in(options_.step_max));
    if (!first) co_return fail(note(first.error()), "journal");
    auto const position = batch_.front().position;
    is_waiting_ = *first && **first < position;
    if (is_waiting_) co_return wait_for_others();
    if (!*first || **first > position) {
        // It has left the journal: another server settled it, or the books are gone. What else is
        // here is read again, if it is still there.
        batch_.clear();
        has_missed_ = true;
        co_return at_once();
    }
    // What lay before it was home when it left the journal: so the store says, asked again.
    if (!std::exchange(is_first_, true)) co_return at_once();
    auto const& head = batch_.front();
    if (!head.entry) co_return co_await pass_over("no entry");
    auto const lost = head.entry->after - drained_;
    if (lost <= 0) co_return co_await pass_over("it does not fit what the store has");
    lost_to_ = head.entry->after;
    is_first_ = false;
    parts_.drain_metrics.lost.add(static_cast<std::uint64_t>(lost));
    if (parts_.tell) parts_.tell({What::lost, parts_.ledger, head.id, {}, lost});
    co_return at_once();
}

/// Somebody has the entries before these; perhaps it is we who do.
SteadyTime Drain::wait_for_others() {
    is_first_ = false;
    auto const front = batch_.front().position;
    take_window();
    if (batch_.front().position < front) return at_once();
    parts_.drain_metrics.gaps.add();
    return after(gaps_);
}

asio::awaitable<SteadyTime> Drain::pass_over(std::string why) {
    auto const position = batch_.front().position;
    auto const error = co_await bury(batch_.front(), std::move(why));
    if (error) co_return fail(error, "burial");
    batch_.erase(batch_.begin());
    lost_to_ = position;
    is_first_ = false;
    has_brought_ = false;
    refusals_ = 0;
    entries_max_ = 0;
    co_return at_once();
}

asio::awaitable<error_code> Drain::bury(Entry entry, std::string why) {
    auto notice = HotNotice{What::dead_letter, parts_.ledger, entry.id, why};
    auto const buried = co_await parts_.journal.bury(
        parts_.ledger, std::move(entry), std::move(why), parts_.clock.now(), in(options_.step_max));
    if (!buried) co_return note(buried.error());
    if (!*buried) co_return error_code();
    parts_.drain_metrics.dead_letters.add();
    if (parts_.tell) parts_.tell(notice);
    co_return error_code();
}

/// What is in hand still comes home. What cannot is pending, for this server's next life or for
/// another one.
asio::awaitable<void> Drain::finish() {
    stop_at_ = steady_now() + options_.stop_max;
    if (!ending_) take_window();
    for (;;) {
        if (ending_) co_return;
        auto const error = co_await settle();
        if (error || ending_ || (batch_.empty() && lost_to_ == 0)) co_return;
        // Nobody waits for others here: they may be stopping, too.
        auto const next = co_await bring_home();
        if (is_waiting_ || next >= stop_at_) co_return;
        co_await reactor::sleep_until(next);
        if (steady_now() >= stop_at_) co_return;
    }
}

SteadyTime Drain::after(reactor::Backoff& pauses) {
    auto const pause = pauses.next(static_cast<std::uint32_t>(parts_.ids.nonce()));
    return steady_now() + pause;
}

SteadyTime Drain::fail(error_code error, char const* what) {
    parts_.drain_metrics.failures.add();
    auto why = std::exchange(complaint_, {});
    if (why.empty()) why = error.message();
    if (parts_.tell) parts_.tell({What::failure, parts_.ledger, what, std::move(why)});
    return after(pauses_);
}

SteadyTime Drain::in(milliseconds limit) const { return std::min(stop_at_, steady_now() + limit); }

}  // namespace penstock::server
