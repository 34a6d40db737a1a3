// How jobs are kept when nothing has to outlive the process.
#include "db/memory_job_queue.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "domain/assert.hpp"
#include "domain/job.hpp"
#include "reactor/pulse.hpp"

namespace penstock::db {

using namespace domain;

namespace {

constexpr char const* lease_ended = "the lease ended without a word from its worker";

bool is_unfinished(Job const& job) {
    return job.status == JobStatus::queued || job.status == JobStatus::processing;
}

bool is_wanted(Job const& job, ClaimOrder const& order) {
    return is_unfinished(job) && std::ranges::count(order.kinds, job.kind) != 0;
}

bool matches(Job const& job, JobPage const& page) {
    if (job.organization != page.organization) return false;
    if (page.ledger && job.ledger != page.ledger) return false;
    if (page.status && job.status != *page.status) return false;
    if (page.kind && job.kind != *page.kind) return false;
    return !page.before || job.id < *page.before;
}

}  // namespace

asio::awaitable<Result<Claimed>> MemoryJobQueue::claim(ClaimOrder order, SteadyTime) {
    std::vector<Job*> due;
    for (auto& [id, job] : jobs_)
        if (is_wanted(job, order) && job.due_at <= order.now) due.push_back(&job);
    std::ranges::stable_sort(due, {}, [](Job const* job) { return job->due_at; });
    if (due.size() > order.limit) due.resize(order.limit);
    Claimed claimed;
    claimed.any_left = due.size() == order.limit;
    for (auto* job : due) {
        if (job->status == JobStatus::processing) job->last_error = lease_ended;
        job->lease = order.lease;
        if (job->attempts == job->attempts_max) {
            job->status = JobStatus::failed;
            job->finished_at = order.now;
            ++claimed.dead;
            continue;
        }
        job->status = JobStatus::processing;
        job->attempts += 1;
        job->due_at = order.lease_until;
        claimed.jobs.push_back(*job);
    }
    for (auto const& [id, job] : jobs_)
        if (is_wanted(job, order))
            claimed.next_due = std::min(claimed.next_due.value_or(job.due_at), job.due_at);
    co_return claimed;
}

asio::awaitable<Result<JobEnd>> MemoryJobQueue::renew(HeldJob held_job, Instant until, SteadyTime) {
    auto* job = held(held_job);
    if (!job) co_return JobEnd::lost;
    job->due_at = until;
    co_return JobEnd::again;
}

asio::awaitable<Result<JobEnd>> MemoryJobQueue::complete(HeldJob held_job, std::string result,
                                                         Instant now, SteadyTime) {
    auto const found = jobs_.find(held_job.job);
    if (found == jobs_.end() || found->second.lease != held_job.lease) co_return JobEnd::lost;
    auto* job = &found->second;
    bool const is_ours =
        job->status == JobStatus::processing || job->status == JobStatus::completed;
    if (!is_ours) co_return JobEnd::lost;
    job->status = JobStatus::completed;
    job->result = std::move(result);
    job->finished_at = now;
    co_return JobEnd::completed;
}

asio::awaitable<Result<JobEnd>> MemoryJobQueue::fail(HeldJob held_job, std::string error,
                                                     Instant retry_at, Instant now, SteadyTime) {
    auto* job = held(held_job);
    if (!job) co_return JobEnd::lost;
    bool const again = job->attempts < job->attempts_max;
    job->status = again ? JobStatus::queued : JobStatus::failed;
    job->due_at = retry_at;
    job->last_error = std::move(error);
    if (!again) job->finished_at = now;
    co_return again ? JobEnd::again : JobEnd::dead;
}

asio::awaitable<Result<JobEnd>> MemoryJobQueue::release(HeldJob held_job, Instant now, SteadyTime) {
    auto* job = held(held_job);
    if (!job) co_return JobEnd::lost;
    job->status = JobStatus::queued;
    job->attempts -= 1;
    job->due_at = now;
    job->lease.reset();
    wake_all();
    co_return JobEnd::again;
}

asio::awaitable<Result<std::optional<Job>>> MemoryJobQueue::find(OrganizationId organization,
                                                                 JobId id, SteadyTime) {
    auto const* job = find(id);
    if (!job || job->organization != organization) co_return std::optional<Job>{};
    co_return std::optional{*job};
}

asio::awaitable<Result<std::vector<Job>>> MemoryJobQueue::list(JobPage page, SteadyTime) {
    std::vector<Job> list;
    for (auto at = jobs_.rbegin(); at != jobs_.rend() && list.size() < page.limit; ++at)
        if (matches(at->second, page)) list.push_back(at->second);
    co_return list;
}

asio::awaitable<Result<std::vector<JobBacklog>>> MemoryJobQueue::backlog(SteadyTime) {
    std::map<std::string, JobBacklog> by_kind;
    for (auto const& [id, job] : jobs_) {
        if (job.status == JobStatus::completed) continue;
        auto& backlog = by_kind[job.kind];
        backlog.kind = job.kind;
        backlog.queued += job.status == JobStatus::queued;
        backlog.running += job.status == JobStatus::processing;
        backlog.dead += job.status == JobStatus::failed;
        if (job.status == JobStatus::queued)
            backlog.oldest_due = std::min(backlog.oldest_due.value_or(job.due_at), job.due_at);
    }
    std::vector<JobBacklog> list;
    for (auto& [kind, backlog] : by_kind) list.push_back(std::move(backlog));
    co_return list;
}

asio::awaitable<Result<std::size_t>> MemoryJobQueue::purge(JobStatus status, Instant before,
                                                           std::size_t limit, SteadyTime) {
    PENSTOCK_ASSERT(status == JobStatus::completed || status == JobStatus::failed);
    std::size_t purged = 0;
    for (auto at = jobs_.begin(); at != jobs_.end() && purged < limit;) {
        bool const is_old = at->second.status == status && *at->second.finished_at < before;
        at = is_old ? jobs_.erase(at) : std::next(at);
        purged += is_old;
    }
    co_return purged;
}

asio::awaitable<void> MemoryJobQueue::listen(std::function<void()> wake) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const executor = co_await asio::this_coro::executor;
    auto const place = listeners_.insert(listeners_.end(), std::move(wake));
    // Nobody notifies it: it ends when this is cancelled.
    reactor::Pulse ended(executor);
    co_await ended.wait();
    listeners_.erase(place);
}

Job const* MemoryJobQueue::find(JobId id) const {
    auto const found = jobs_.find(id);
    return found == jobs_.end() ? nullptr : &found->second;
}

bool MemoryJobQueue::is_held(HeldJob const& held) const {
    auto const* job = find(held.job);
    return job && job->status == JobStatus::processing && job->lease == held.lease;
}

void MemoryJobQueue::add(Job job) {
    auto const id = job.id;
    PENSTOCK_ASSERT(jobs_.emplace(id, std::move(job)).second);
    wake_all();
}

void MemoryJobQueue::make_due_again(JobId id, Instant at) {
    auto const found = jobs_.find(id);
    if (found == jobs_.end()) return;  // purged since it was loaded
    domain::make_due_again(found->second, at);
    wake_all();
}

Job* MemoryJobQueue::held(HeldJob const& held) {
    return is_held(held) ? &jobs_.at(held.job) : nullptr;
}

void MemoryJobQueue::wake_all() {
    for (auto const& wake : listeners_) wake();
}

}  // namespace penstock::db
