// Who does what was asked for, and what became of it: the durable queue of jobs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "domain/model.hpp"
#include "reactor/result.hpp"

namespace penstock::db {

/// What a worker asks for.
struct ClaimOrder {
    std::vector<std::string> kinds;  ///< those that it can handle
    domain::LeaseId lease;           ///< drawn for this claim
    domain::Instant now;
    domain::Instant lease_until;
    std::size_t limit = 1;
};

struct Claimed {
    std::vector<domain::Job> jobs;  ///< now processing, under the order's lease
    std::size_t dead = 0;           ///< found with their lease ended and no attempt left
    bool any_left = false;          ///< as many as the order allows: there may be more
    /// When the next one is due, or the next lease ends; it may be in the past when somebody else
    /// is just taking it.
    std::optional<domain::Instant> next_due;
};

/// One job in the hands of one claim.
struct HeldJob {
    domain::JobId job;
    domain::LeaseId lease;
};

/// What became of a job that a worker ends. `lost`: the lease had ended and the job is another's,
/// or it is gone; nothing was changed.
enum class JobEnd { lost, completed, again, dead };

/// Newest first. With `ledger` and `kind`, a ledger's; else the organization's.
struct JobPage {
    domain::OrganizationId organization;
    std::optional<domain::LedgerId> ledger;
    std::optional<domain::JobStatus> status;  ///< not with `ledger`
    std::optional<std::string> kind;
    std::optional<domain::JobId> before;
    std::size_t limit = 50;
};

/// Of one kind, over all organizations.
struct JobBacklog {
    std::string kind;
    std::int64_t queued = 0;
    std::int64_t running = 0;
    std::int64_t dead = 0;
    std::optional<domain::Instant> oldest_due;  ///< of the queued ones

    bool operator==(JobBacklog const&) const = default;
};

/// Jobs get in by a commit (Changes::new_jobs) and back in by one (Changes::retried_jobs). Here
/// they are worked on. Every call is one round trip; time comes from the caller, and servers whose
/// clocks differ by less than a lease never run one job at once.
class JobQueue {
public:
    virtual ~JobQueue() = default;

    /// The oldest due first. A job is handed to one claim only until its lease ends.
    virtual asio::awaitable<Result<Claimed>> claim(ClaimOrder order, SteadyTime deadline) = 0;
    /// JobEnd::again: still held.
    virtual asio::awaitable<Result<JobEnd>> renew(HeldJob held, domain::Instant until,
                                                  SteadyTime deadline) = 0;
    /// May be repeated after an error: the second time says `completed` as well.
    virtual asio::awaitable<Result<JobEnd>> complete(HeldJob held, std::string result,
                                                     domain::Instant now, SteadyTime deadline) = 0;
    /// `again` at `retry_at`, or `dead` after the last attempt.
    virtual asio::awaitable<Result<JobEnd>> fail(HeldJob held, std::string error,
                                                 domain::Instant retry_at, domain::Instant now,
                                                 SteadyTime deadline) = 0;
    /// Gives a job back unharmed: `again`, and the attempt does not count.
    virtual asio::awaitable<Result<JobEnd>> release(HeldJob held, domain::Instant now,
                                                    SteadyTime deadline) = 0;

    virtual asio::awaitable<Result<std::optional<domain::Job>>> find(domain::OrganizationId,
                                                                     domain::JobId,
                                                                     SteadyTime deadline) = 0;
    virtual asio::awaitable<Result<std::vector<domain::Job>>> list(JobPage page,
                                                                   SteadyTime deadline) = 0;
    virtual asio::awaitable<Result<std::vector<JobBacklog>>> backlog(SteadyTime deadline) = 0;

    /// Deletes up to `limit` jobs of that status (completed or failed) that had finished before;
    /// answers how many.
    virtual asio::awaitable<Result<std::size_t>> purge(domain::JobStatus status,
                                                       domain::Instant before, std::size_t limit,
                                                       SteadyTime deadline) = 0;

    /// Calls `wake` whenever a job has become due by a commit of anybody, and when one may have
    /// been missed. Its one background life; ends on cancellation.
    virtual asio::awaitable<void> listen(std::function<void()> wake) = 0;
};

}  // namespace penstock::db
