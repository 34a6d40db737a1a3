// Jobs put into a store as a commit does it.
#pragma once

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "db/store.hpp"
#include "reactor/task_group.hpp"

namespace penstock::tests {

/// A number that is never the same twice, in any test program.
inline std::uint64_t unique_number() {
    static std::atomic<std::uint64_t> next{
        static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count())};
    return ++next;
}

/// A kind of jobs of the test's own: tests may share a store.
inline std::string unique_kind() { return "kind_" + std::to_string(unique_number()); }

inline domain::LeaseId new_lease() { return {domain::make_uuid7({1}, 0, unique_number())}; }

inline domain::Job queued_job(std::string kind, domain::Instant due_at,
                              std::int32_t attempts_max = 3) {
    domain::Job job;
    job.id = {domain::make_uuid7(due_at, 0, unique_number())};
    job.kind = std::move(kind);
    job.attempts_max = attempts_max;
    job.due_at = due_at;
    return job;
}

/// Commits jobs into a store. End it by finish().
class JobSource {
public:
    JobSource(asio::any_io_executor executor, db::Store& store)
        : tasks_(executor), writer_(store.make_writer()) {
        tasks_.spawn(writer_->run());
    }

    asio::awaitable<void> add(std::vector<domain::Job> jobs) {
        domain::Changes changes;
        changes.new_jobs = std::move(jobs);
        co_await commit(std::move(changes));
    }
    asio::awaitable<void> add(domain::Job job) {
        std::vector<domain::Job> jobs;
        jobs.push_back(std::move(job));
        co_await add(std::move(jobs));
    }
    asio::awaitable<void> retry(domain::JobId job, domain::Instant at) {
        domain::Changes changes;
        changes.retried_jobs.emplace_back(job, at);
        co_await commit(std::move(changes));
    }
    asio::awaitable<void> finish() {
        tasks_.cancel();
        bool const ended = co_await tasks_.join(limit());
        BOOST_REQUIRE(ended);
    }
    db::Writer& writer() { return *writer_; }

private:
    static SteadyTime limit() { return steady_now() + std::chrono::seconds{20}; }

    asio::awaitable<void> commit(domain::Changes changes) {
        domain::KeySet const nothing;
        auto const loaded = co_await writer_->load(nothing, limit());
        BOOST_REQUIRE_MESSAGE(loaded, loaded.error().message());
        auto const error = co_await writer_->commit(std::move(changes), limit());
        BOOST_REQUIRE_MESSAGE(!error, error.message());
    }

    reactor::TaskGroup tasks_;
    std::unique_ptr<db::Writer> writer_;
};

}  // namespace penstock::tests
