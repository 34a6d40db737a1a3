// Who does the jobs: claims them, keeps their leases, runs their handlers, and ends them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "db/job_queue.hpp"
#include "domain/job.hpp"
#include "reactor/counters.hpp"
#include "reactor/pulse.hpp"
#include "reactor/task_group.hpp"
#include "server/clock.hpp"
#include "server/id_source.hpp"
#include "server/periodic.hpp"
#include "server/telemetry/log.hpp"

namespace penstock::server {

/// What a job comes to: its result, a JSON value; or an error, and it is tried again later. A job
/// may be begun again after its effect (its server died before it could say so): handlers are
/// idempotent. They end on cancellation.
using JobHandler = std::function<asio::awaitable<Result<std::string>>(domain::Job job)>;

struct JobKind {
    std::string name;
    JobHandler handle;
    milliseconds attempt_max{60'000};  ///< then the attempt has failed
    /// Of a worker's jobs: what lasts long leaves room for the others.
    std::size_t at_once = std::numeric_limits<std::size_t>::max();
};

struct WorkerOptions {
    std::size_t jobs_max = 4;  ///< at once
    milliseconds lease{30'000};
    milliseconds poll{30'000};     ///< looks at the queue this often although nobody called
    milliseconds step_max{5'000};  ///< one call of the queue
    domain::RetryLimits retry = {};
    std::chrono::hours keep_completed{168};
    std::chrono::hours keep_dead{2'160};
    milliseconds sample_every{5'000};   ///< the backlog, for metrics
    milliseconds purge_every{600'000};  ///< on average
};

/// Of one kind. The first four are the queue's, so every server says the same.
struct JobMetrics {
    explicit JobMetrics(std::string its_kind) : kind(std::move(its_kind)) {}

    std::string kind;
    reactor::Count queued;
    reactor::Count running;
    reactor::Count dead;
    reactor::Count oldest_ms;  ///< how long the longest waiting one has been due

    reactor::Count completed;
    reactor::Count failed;    ///< attempts
    reactor::Count died;      ///< jobs whose last attempt failed
    reactor::Count lost;      ///< attempts whose lease passed on to another worker
    reactor::Count released;  ///< given back by a server that stopped
    reactor::Histogram duration;
};

/// One per process, on one event loop.
class JobWorker {
public:
    /// `queue`, `clock`, `ids` and `log` outlive it.
    JobWorker(asio::any_io_executor executor, db::JobQueue& queue, Clock& clock, IdSource& ids,
              Log& log, std::vector<JobKind> kinds, WorkerOptions options);
    JobWorker(JobWorker&&) = delete;
    ~JobWorker();

    /// Its one background life. On cancellation it claims no more, cancels what runs, gives it
    /// back to the queue and ends.
    asio::awaitable<void> run();

    /// Any thread; the list never changes shape.
    std::vector<std::unique_ptr<JobMetrics>> const& metrics() const { return metrics_; }
    PeriodicMetrics const& retention() const { return retention_.metrics(); }

private:
    struct Hold;
    struct Attempt;

    asio::awaitable<void> claim_jobs();
    /// Of every kind that there is room for; none: of no kind.
    db::ClaimOrder order();
    asio::awaitable<void> take(std::vector<domain::Job> jobs, SteadyTime leased_until);
    SteadyTime next_look(std::optional<domain::Instant> next_due);

    asio::awaitable<void> work(domain::Job job, SteadyTime leased_until);
    asio::awaitable<Attempt> attempt(std::size_t kind, domain::Job job, Hold& hold);
    asio::awaitable<Attempt> handle(std::size_t kind, domain::Job job);
    asio::awaitable<Attempt> keep(Hold& hold, milliseconds attempt_max);
    asio::awaitable<void> end(JobMetrics& metrics, domain::Job const& job, Hold const& hold,
                              Attempt const& attempt);
    asio::awaitable<void> complete(JobMetrics& metrics, Hold const& hold, std::string result);
    asio::awaitable<void> fail(JobMetrics& metrics, domain::Job const& job, Hold const& hold,
                               std::string error);
    asio::awaitable<void> release(JobMetrics& metrics, db::HeldJob held);

    asio::awaitable<void> sample();
    void note(std::vector<db::JobBacklog> const& backlog);
    asio::awaitable<Result<std::size_t>> purge(SteadyTime deadline);

    std::size_t index_of(std::string const& kind) const;
    SteadyTime step_deadline() const { return steady_now() + options_.step_max; }

    asio::any_io_executor executor_;
    db::JobQueue& queue_;
    Clock& clock_;
    IdSource& ids_;
    Log& log_;
    std::vector<JobKind> kinds_;
    std::vector<std::unique_ptr<JobMetrics>> metrics_;  ///< of the same index
    WorkerOptions options_;
    reactor::Pulse changed_;  ///< there may be something to claim, or a place for it
    reactor::TaskGroup running_;
    Periodic retention_;
    std::size_t busy_ = 0;
    std::vector<std::size_t> busy_with_;  ///< by kind
    bool is_full_ = false;                ///< a kind waits for a place
    bool stopping_ = false;
    LogLimit queue_errors_;
};

}  // namespace penstock::server
