// How jobs are claimed, kept and ended.
#include "server/jobs/worker.hpp"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstring>
#include <utility>

#include "domain/assert.hpp"
#include "reactor/backoff.hpp"
#include "reactor/deadline.hpp"

namespace penstock::server {
namespace {

constexpr reactor::BackoffLimits queue_rests{milliseconds{50}, milliseconds{2'000}};
/// Before a claim is repeated because somebody else is just taking what is due.
constexpr milliseconds contention_rest{20};
constexpr milliseconds complete_rest{200};
constexpr std::size_t purge_batch = 500;
constexpr std::size_t error_bytes_max = 1'000;

domain::Instant after(domain::Instant at, milliseconds pause) { return {at.ms + pause.count()}; }

std::uint64_t to_count(std::int64_t number) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, number));
}

PeriodicOptions retention_options(WorkerOptions const& options) {
    PeriodicOptions periodic;
    periodic.interval = options.purge_every;
    periodic.run_max = options.step_max;
    return periodic;
}

std::string shortened(std::string text) {
    if (text.size() > error_bytes_max) text.resize(error_bytes_max);
    return text;
}

/// PostgreSQL takes no text with these, and an error may quote anything.
std::string cleaned(std::string text) {
    for (auto& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
    return text;
}

}  // namespace

/// A claimed job and the end of its lease, by this process's own measure.
struct JobWorker::Hold {
    db::HeldJob job;
    SteadyTime until;
};

/// What an attempt came to.
struct JobWorker::Attempt {
    enum class End { failed, done, stopped, lost };

    Attempt() {}
    Attempt(End its_end, std::string its_text) : end(its_end), text(std::move(its_text)) {}

    End end = End::failed;
    std::string text;  ///< done: the result; failed: why
};

JobWorker::JobWorker(asio::any_io_executor executor, db::JobQueue& queue, Clock& clock,
                     IdSource& ids, Log& log, std::vector<JobKind> kinds, WorkerOptions options)
    : executor_(executor),
      queue_(queue),
      clock_(clock),
      ids_(ids),
      log_(log),
      kinds_(std::move(kinds)),
      options_(options),
      changed_(executor),
      running_(executor),
      retention_(
          retention_options(options), [this](SteadyTime deadline) { return purge(deadline); },
          [this] { return static_cast<std::uint32_t>(ids_.nonce()); }) {
    PENSTOCK_ASSERT(options_.jobs_max > 0 && !kinds_.empty());
    for (auto const& kind : kinds_) metrics_.push_back(std::make_unique<JobMetrics>(kind.name));
    busy_with_.resize(kinds_.size());
}

JobWorker::~JobWorker() = default;

asio::awaitable<void> JobWorker::run() {
    reactor::TaskGroup background(executor_);
    reactor::TaskGroup claiming(executor_);
    auto wake = [this] { changed_.notify(); };
    background.spawn(queue_.listen(wake));
    background.spawn(sample());
    background.spawn(retention_.run());
    claiming.spawn(claim_jobs());
    co_await asio::this_coro::throw_if_cancelled(false);
    // Nobody notifies it: it ends when this is cancelled.
    reactor::Pulse cancelled(executor_);
    co_await cancelled.wait();
    stopping_ = true;
    changed_.notify();
    running_.cancel();
    background.cancel();
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    // A claim is never cancelled: what it took would lie idle until its lease ends. Everything
    // that is joined here has the deadline of one call of the queue, handlers that of an attempt.
    co_await claiming.join();
    co_await running_.join();
    co_await background.join();
}

asio::awaitable<void> JobWorker::claim_jobs() {
    reactor::Backoff rests(queue_rests);
    while (!stopping_) {
        auto wanted = order();
        is_full_ = wanted.kinds.size() < kinds_.size();
        if (wanted.kinds.empty()) {
            co_await changed_.wait();
            continue;
        }
        auto const leased_until = steady_now() + options_.lease;
        auto claimed = co_await queue_.claim(std::move(wanted), step_deadline());
        if (!claimed) {
            log_.limited(queue_errors_, LogLevel::warning, "job_queue_failed",
                         {{"step", "claim"}, {"error", claimed.error().message()}});
            auto const rest = rests.next(static_cast<std::uint32_t>(ids_.nonce()));
            co_await changed_.wait(steady_now() + rest);
            continue;
        }
        rests.succeeded(queue_rests.good_after);
        if (claimed->dead > 0) log_.error("jobs_died_with_their_servers", {{"n", claimed->dead}});
        bool const any_left = claimed->any_left;
        auto const look_at = next_look(claimed->next_due);
        co_await take(std::move(claimed->jobs), leased_until);
        if (!any_left && !stopping_) co_await changed_.wait(look_at);
    }
}

db::ClaimOrder JobWorker::order() {
    db::ClaimOrder order;
    order.limit = options_.jobs_max - busy_;
    for (std::size_t i = 0; i < kinds_.size() && order.limit > 0; ++i) {
        if (busy_with_[i] >= kinds_[i].at_once) continue;
        order.kinds.push_back(kinds_[i].name);
        // All that is claimed may be of this kind.
        order.limit = std::min(order.limit, kinds_[i].at_once - busy_with_[i]);
    }
    ids_.fill(order.lease.value.bytes);
    order.now = clock_.now();
    order.lease_until = after(order.now, options_.lease);
    return order;
}

asio::awaitable<void> JobWorker::take(std::vector<domain::Job> jobs, SteadyTime leased_until) {
    for (auto& job : jobs) {
        if (stopping_) {
            auto& metrics = *metrics_[index_of(job.kind)];
            db::HeldJob const held{job.id, *job.lease};
            co_await release(metrics, held);
            continue;
        }
        ++busy_;
        ++busy_with_[index_of(job.kind)];
        running_.spawn(work(std::move(job), leased_until));
    }
}

/// When the queue has something again, as far as is known; an announcement comes earlier.
SteadyTime JobWorker::next_look(std::optional<domain::Instant> next_due) {
    auto rest = options_.poll;
    if (next_due) {
        // The clock is cut to whole milliseconds: a timer may end within the one before.
        milliseconds const until_due{next_due->ms - clock_.now().ms + 1};
        rest = std::min(rest, std::max(until_due, contention_rest));
    }
    return steady_now() + rest;
}

asio::awaitable<void> JobWorker::work(domain::Job job, SteadyTime leased_until) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const kind = index_of(job.kind);
    Hold hold{{job.id, *job.lease}, leased_until};
    Attempt came_to(Attempt::End::stopped, "");
    auto const start = steady_now();
    if (!stopping_) came_to = co_await attempt(kind, job, hold);
    // What was begun is ended in the queue, too, even when this is being stopped.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    metrics_[kind]->duration.record(steady_now() - start);
    co_await end(*metrics_[kind], job, hold, came_to);
    --busy_;
    --busy_with_[kind];
    if (is_full_ || stopping_) changed_.notify();
}

asio::awaitable<JobWorker::Attempt> JobWorker::attempt(std::size_t kind, domain::Job job,
                                                       Hold& hold) {
    using namespace asio::experimental::awaitable_operators;
    auto const attempt_max = kinds_[kind].attempt_max;
    auto first = co_await (handle(kind, std::move(job)) || keep(hold, attempt_max));
    if (first.index() == 0) co_return std::get<0>(std::move(first));
    co_return std::get<1>(std::move(first));
}

/// The handler; what it throws is one more way to fail.
asio::awaitable<JobWorker::Attempt> JobWorker::handle(std::size_t kind, domain::Job job) {
    std::string why;
    try {
        auto result = co_await kinds_[kind].handle(std::move(job));
        if (result) co_return Attempt(Attempt::End::done, std::move(*result));
        why = result.error().message();
    } catch (std::exception const& error) {
        why = error.what();
    }
    co_return Attempt(stopping_ ? Attempt::End::stopped : Attempt::End::failed, std::move(why));
}

/// Renews the lease in good time until the attempt may last no longer.
asio::awaitable<JobWorker::Attempt> JobWorker::keep(Hold& hold, milliseconds attempt_max) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const give_up_at = steady_now() + attempt_max;
    auto renew_at = hold.until - options_.lease * 2 / 3;
    for (;;) {
        bool const awake = co_await reactor::sleep_until(std::min(renew_at, give_up_at));
        if (!awake) co_return Attempt(Attempt::End::stopped, "");
        if (steady_now() >= give_up_at)
            co_return Attempt(
                Attempt::End::failed,
                "the attempt lasted longer than " + std::to_string(attempt_max.count()) + " ms");
        auto const from = steady_now();
        auto const until = after(clock_.now(), options_.lease);
        auto const renewed = co_await queue_.renew(hold.job, until, hold.until);
        if (renewed && *renewed == db::JobEnd::lost) co_return Attempt(Attempt::End::lost, "");
        if (renewed) hold.until = from + options_.lease;
        renew_at = renewed ? hold.until - options_.lease * 2 / 3 : from + options_.lease / 10;
        if (steady_now() >= hold.until) co_return Attempt(Attempt::End::lost, "");
    }
}

asio::awaitable<void> JobWorker::end(JobMetrics& metrics, domain::Job const& job, Hold const& hold,
                                     Attempt const& attempt) {
    switch (attempt.end) {
        case Attempt::End::done:
            co_await complete(metrics, hold, attempt.text);
            co_return;
        case Attempt::End::stopped:
            co_await release(metrics, hold.job);
            co_return;
        case Attempt::End::failed:
            co_await fail(metrics, job, hold, attempt.text);
            co_return;
        case Attempt::End::lost:
            break;
    }
    metrics.lost.add();
    log_.warning("job_lease_lost", {{"job", job.id.to_string()}, {"kind", job.kind}});
}

/// The effect is there: saying so is worth a few attempts, as long as the lease lasts.
asio::awaitable<void> JobWorker::complete(JobMetrics& metrics, Hold const& hold,
                                          std::string result) {
    for (;;) {
        auto const deadline = std::min(step_deadline(), hold.until);
        auto const ended = co_await queue_.complete(hold.job, result, clock_.now(), deadline);
        if (ended) {
            auto& count = *ended == db::JobEnd::lost ? metrics.lost : metrics.completed;
            count.add();
            co_return;
        }
        log_.limited(queue_errors_, LogLevel::warning, "job_queue_failed",
                     {{"step", "complete"}, {"error", ended.error().message()}});
        if (stopping_ || steady_now() + complete_rest >= hold.until) break;
        co_await reactor::sleep_until(steady_now() + complete_rest);
    }
    metrics.lost.add();
}

asio::awaitable<void> JobWorker::fail(JobMetrics& metrics, domain::Job const& job, Hold const& hold,
                                      std::string error) {
    metrics.failed.add();
    error = shortened(cleaned(std::move(error)));
    log_.warning("job_failed", {{"job", job.id.to_string()},
                                {"kind", job.kind},
                                {"attempt", job.attempts},
                                {"error", error}});
    auto const now = clock_.now();
    auto const pause = domain::pause_before_retry(options_.retry, job.attempts, ids_.nonce());
    auto const ended = co_await queue_.fail(hold.job, error, after(now, pause), now,
                                            std::min(step_deadline(), hold.until));
    // Without an answer the lease ends by itself, and that is an attempt as well.
    if (!ended || *ended == db::JobEnd::lost) {
        metrics.lost.add();
    } else if (*ended == db::JobEnd::dead) {
        metrics.died.add();
        log_.error("job_died", {{"job", job.id.to_string()}, {"kind", job.kind}});
    }
    // Nobody announces when it is due again.
    changed_.notify();
}

asio::awaitable<void> JobWorker::release(JobMetrics& metrics, db::HeldJob held) {
    metrics.released.add();
    // Without an answer the lease ends by itself.
    co_await queue_.release(held, clock_.now(), step_deadline());
}

asio::awaitable<void> JobWorker::sample() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        auto const backlog = co_await queue_.backlog(step_deadline());
        if (backlog) note(*backlog);  // else the claims say so in the log
        bool const awake = co_await reactor::sleep_until(steady_now() + options_.sample_every);
        if (!awake) co_return;
    }
}

void JobWorker::note(std::vector<db::JobBacklog> const& backlog) {
    auto const now = clock_.now();
    for (auto const& metrics : metrics_) {
        auto const found = std::ranges::find(backlog, metrics->kind, &db::JobBacklog::kind);
        auto const known = found == backlog.end() ? db::JobBacklog() : *found;
        metrics->queued.set(to_count(known.queued));
        metrics->running.set(to_count(known.running));
        metrics->dead.set(to_count(known.dead));
        metrics->oldest_ms.set(to_count(known.oldest_due ? now.ms - known.oldest_due->ms : 0));
    }
}

/// One small batch: no lock is held for long. Every server does it, each skips what others hold.
asio::awaitable<Result<std::size_t>> JobWorker::purge(SteadyTime deadline) {
    using std::chrono::duration_cast;
    std::size_t all = 0;
    for (auto const status : {domain::JobStatus::completed, domain::JobStatus::failed}) {
        bool const dead = status == domain::JobStatus::failed;
        auto const kept =
            duration_cast<milliseconds>(dead ? options_.keep_dead : options_.keep_completed);
        auto const before = after(clock_.now(), -kept);
        auto const purged = co_await queue_.purge(status, before, purge_batch, deadline);
        if (!purged) co_return purged.error();
        all += *purged;
    }
    co_return all;
}

std::size_t JobWorker::index_of(std::string const& kind) const {
    auto const found = std::ranges::find(kinds_, kind, &JobKind::name);
    PENSTOCK_ASSERT(found != kinds_.end());
    return static_cast<std::size_t>(found - kinds_.begin());
}

}  // namespace penstock::server
