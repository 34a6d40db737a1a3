// The queue of jobs in PostgreSQL: claimed with SKIP LOCKED, announced with NOTIFY.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "db/job_queue.hpp"
#include "db/pg/listener.hpp"
#include "db/pg/pool.hpp"

namespace penstock::db {

/// Works through the store's connections for reads: each step is one statement that commits by
/// itself. Only listen() has a connection of its own.
class PostgresJobQueue final : public JobQueue {
public:
    PostgresJobQueue(asio::any_io_executor executor, pg::ConnectionOptions const& connection,
                     reactor::BackoffLimits backoff, pg::Pool& pool);

    asio::awaitable<Result<Claimed>> claim(ClaimOrder order, SteadyTime deadline) override;
    asio::awaitable<Result<JobEnd>> renew(HeldJob held, domain::Instant until,
                                          SteadyTime deadline) override;
    asio::awaitable<Result<JobEnd>> complete(HeldJob held, std::string result, domain::Instant now,
                                             SteadyTime deadline) override;
    asio::awaitable<Result<JobEnd>> fail(HeldJob held, std::string error, domain::Instant retry_at,
                                         domain::Instant now, SteadyTime deadline) override;
    asio::awaitable<Result<JobEnd>> release(HeldJob held, domain::Instant now,
                                            SteadyTime deadline) override;
    asio::awaitable<Result<std::optional<domain::Job>>> find(domain::OrganizationId organization,
                                                             domain::JobId id,
                                                             SteadyTime deadline) override;
    asio::awaitable<Result<std::vector<domain::Job>>> list(JobPage page,
                                                           SteadyTime deadline) override;
    asio::awaitable<Result<std::vector<JobBacklog>>> backlog(SteadyTime deadline) override;
    asio::awaitable<Result<std::size_t>> purge(domain::JobStatus status, domain::Instant before,
                                               std::size_t limit, SteadyTime deadline) override;
    asio::awaitable<void> listen(std::function<void()> wake) override;

private:
    asio::awaitable<Result<pg::Rows>> write(Statement const& statement, pg::Params params,
                                            SteadyTime deadline);
    /// Of a statement that answers one row when the job was still held.
    asio::awaitable<Result<JobEnd>> end(Statement const& statement, pg::Params params, JobEnd done,
                                        SteadyTime deadline);

    asio::any_io_executor executor_;
    pg::ConnectionOptions connection_;
    reactor::BackoffLimits backoff_;
    pg::Pool& pool_;
};

}  // namespace penstock::db
