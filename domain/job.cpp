// What becomes of a job that failed.
#include "domain/job.hpp"

#include <algorithm>
#include <boost/describe/enum_to_string.hpp>

namespace penstock::domain {

std::chrono::milliseconds pause_before_retry(RetryLimits limits, std::int32_t attempts,
                                             std::uint64_t random) {
    // Beyond this many doublings every bound is `most`; without it the shift would overflow.
    constexpr std::int32_t doublings_max = 40;
    auto const doublings = std::clamp(attempts - 1, 0, doublings_max);
    auto const doubled = Sum{limits.first.count()} << doublings;
    auto const bound = static_cast<std::uint64_t>(std::min(doubled, Sum{limits.most.count()}));
    __extension__ using Wide = unsigned __int128;
    auto const pause = static_cast<std::int64_t>((Wide{random} * (Wide{bound} + 1)) >> 64);
    return std::chrono::milliseconds{pause};
}

void make_due_again(Job& job, Instant at) {
    job.status = JobStatus::queued;
    job.attempts = 0;
    job.due_at = at;
    job.lease.reset();
    job.finished_at.reset();
}

void add_keys(RetryJob const& command, Envelope const&, KeySet& keys) {
    keys.jobs.insert(command.job);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, RetryJob const& command) {
    auto const* job = set.find_job(command.job);
    if (!job || job->organization != envelope.organization)
        return Refusal{Rejection::job_not_found};
    if (job->status != JobStatus::failed)
        return Refusal{Rejection::illegal_transition, "",
                       std::string("A job that is ") +
                           boost::describe::enum_to_string(job->status, "") +
                           " cannot be retried: only a dead letter can."};
    set.retry_job(command.job);
    return Receipt{*set.find_job(command.job)};
}

}  // namespace penstock::domain
