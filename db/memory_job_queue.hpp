// The queue of jobs without a database.
#pragma once

#include <list>
#include <map>

#include "db/job_queue.hpp"

namespace penstock::db {

/// For one event loop: every answer is ready at once.
class MemoryJobQueue : public JobQueue {
public:
    asio::awaitable<Result<Claimed>> claim(ClaimOrder order, SteadyTime) override;
    asio::awaitable<Result<JobEnd>> renew(HeldJob held, domain::Instant until, SteadyTime) override;
    asio::awaitable<Result<JobEnd>> complete(HeldJob held, std::string result, domain::Instant now,
                                             SteadyTime) override;
    asio::awaitable<Result<JobEnd>> fail(HeldJob held, std::string error, domain::Instant retry_at,
                                         domain::Instant now, SteadyTime) override;
    asio::awaitable<Result<JobEnd>> release(HeldJob held, domain::Instant now, SteadyTime) override;
    asio::awaitable<Result<std::optional<domain::Job>>> find(domain::OrganizationId organization,
                                                             domain::JobId id, SteadyTime) override;
    asio::awaitable<Result<std::vector<domain::Job>>> list(JobPage page, SteadyTime) override;
    asio::awaitable<Result<std::vector<JobBacklog>>> backlog(SteadyTime) override;
    asio::awaitable<Result<std::size_t>> purge(domain::JobStatus status, domain::Instant before,
                                               std::size_t limit, SteadyTime) override;
    asio::awaitable<void> listen(std::function<void()> wake) override;

    // The store's side.
    domain::Job const* find(domain::JobId id) const;
    bool is_held(HeldJob const& held) const;
    void add(domain::Job job);
    void make_due_again(domain::JobId id, domain::Instant at);

private:
    /// Null when the lease has passed on.
    domain::Job* held(HeldJob const& held);
    void wake_all();

    std::map<domain::JobId, domain::Job> jobs_;
    std::list<std::function<void()>> listeners_;
};

}  // namespace penstock::db
