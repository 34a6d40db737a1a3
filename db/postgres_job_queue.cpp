#include "db/postgres_job_queue.hpp"

#include <algorithm>
#include <utility>

#include "db/postgres_rows.hpp"
#include "db/sql.hpp"
#include "domain/assert.hpp"

namespace penstock::db {
namespace {

using namespace domain;

/// The channel that notify_jobs.sql and release_job.sql name.
constexpr char const* channel = "penstock_jobs";

pg::TextArray texts(std::vector<std::string> const& values) {
    pg::TextArray array;
    for (auto const& value : values) array.push(value);
    return array;
}

pg::Params params_of(HeldJob const& held) {
    pg::Params params;
    params.uuid(held.job.value.bytes).uuid(held.lease.value.bytes);
    return params;
}

std::int64_t limit_of(std::size_t limit) { return static_cast<std::int64_t>(limit); }

/// Beyond every UUIDv7.
pg::UuidBytes end_of(JobPage const& page) {
    if (page.before) return page.before->value.bytes;
    pg::UuidBytes last;
    last.fill(0xff);
    return last;
}

pg::Int2Array statuses_of(std::optional<JobStatus> status) {
    pg::Int2Array statuses;
    if (status) {
        statuses.push(static_cast<std::int16_t>(*status));
        return statuses;
    }
    for (auto const each :
         {JobStatus::queued, JobStatus::processing, JobStatus::completed, JobStatus::failed})
        statuses.push(static_cast<std::int16_t>(each));
    return statuses;
}

Claimed claimed_of(pg::Rows const& taken, pg::Rows const& next, std::size_t limit) {
    Claimed claimed;
    claimed.any_left = taken.size() == limit;
    for (pg::Row const row : taken) {
        auto job = rows::job(row);
        if (job.status == JobStatus::processing)
            claimed.jobs.push_back(std::move(job));
        else
            ++claimed.dead;
    }
    if (!next.empty()) claimed.next_due = rows::instant(next[0], 0);
    return claimed;
}

JobBacklog backlog_of(pg::Row row) {
    JobBacklog backlog;
    backlog.kind = row.text(0);
    backlog.queued = row.int8(1);
    backlog.running = row.int8(2);
    backlog.dead = row.int8(3);
    if (!row.is_null(4)) backlog.oldest_due = rows::instant(row, 4);
    return backlog;
}

template <class T>
Result<std::vector<T>> read_all(pg::Rows const& rows, T (*read)(pg::Row)) {
    auto each = [&] {
        std::vector<T> items;
        for (pg::Row const row : rows) items.push_back(read(row));
        return items;
    };
    return pg::decoded(each);
}

}  // namespace

PostgresJobQueue::PostgresJobQueue(asio::any_io_executor executor,
                                   pg::ConnectionOptions const& connection,
                                   reactor::BackoffLimits backoff, pg::Pool& pool)
    : executor_(std::move(executor)), connection_(connection), backoff_(backoff), pool_(pool) {}

asio::awaitable<Result<pg::Rows>> PostgresJobQueue::write(Statement const& statement,
                                                          pg::Params params, SteadyTime deadline) {
    pg::Segment segment;
    segment.add(statement, std::move(params));
    // The pool sends again what was certainly not applied; a lost answer is commit_unknown.
    segment.commits_by_itself();
    auto answer = co_await pool_.read(std::move(segment), deadline);
    if (!answer) co_return answer.error().code;
    co_return std::move(answer->front());
}

asio::awaitable<Result<JobEnd>> PostgresJobQueue::end(Statement const& statement, pg::Params params,
                                                      JobEnd done, SteadyTime deadline) {
    auto const rows = co_await write(statement, std::move(params), deadline);
    if (!rows) co_return rows.error();
    co_return rows->empty() ? JobEnd::lost : done;
}

asio::awaitable<Result<Claimed>> PostgresJobQueue::claim(ClaimOrder order, SteadyTime deadline) {
    pg::Params wanted;
    wanted.instant_ms(order.now.ms).add(texts(order.kinds)).uuid(order.lease.value.bytes);
    wanted.instant_ms(order.lease_until.ms).int8(limit_of(order.limit));
    pg::Params kinds;
    kinds.add(texts(order.kinds));
    pg::Segment segment;
    segment.add(sql::walk_indexes_in_order);
    auto const taken = segment.add(sql::claim_jobs, std::move(wanted));
    auto const next = segment.add(sql::next_due_job, std::move(kinds));
    segment.commits_by_itself();
    auto const answer = co_await pool_.read(std::move(segment), deadline);
    if (!answer) co_return answer.error().code;
    auto read = [&] { return claimed_of(answer->at(taken), answer->at(next), order.limit); };
    co_return pg::decoded(read);
}

asio::awaitable<Result<JobEnd>> PostgresJobQueue::renew(HeldJob held, Instant until,
                                                        SteadyTime deadline) {
    auto params = params_of(held);
    params.instant_ms(until.ms);
    return end(sql::renew_job, std::move(params), JobEnd::again, deadline);
}

asio::awaitable<Result<JobEnd>> PostgresJobQueue::complete(HeldJob held, std::string result,
                                                           Instant now, SteadyTime deadline) {
    auto params = params_of(held);
    params.text(result).instant_ms(now.ms);
    return end(sql::complete_job, std::move(params), JobEnd::completed, deadline);
}

asio::awaitable<Result<JobEnd>> PostgresJobQueue::fail(HeldJob held, std::string error,
                                                       Instant retry_at, Instant now,
                                                       SteadyTime deadline) {
    auto params = params_of(held);
    params.text(error).instant_ms(retry_at.ms).instant_ms(now.ms);
    auto const rows = co_await write(sql::fail_job, std::move(params), deadline);
    if (!rows) co_return rows.error();
    if (rows->empty()) co_return JobEnd::lost;
    auto read = [&] { return static_cast<JobStatus>((*rows)[0].int2(0)); };
    auto const status = pg::decoded(read);
    if (!status) co_return status.error();
    co_return *status == JobStatus::failed ? JobEnd::dead : JobEnd::again;
}

asio::awaitable<Result<JobEnd>> PostgresJobQueue::release(HeldJob held, Instant now,
                                                          SteadyTime deadline) {
    auto params = params_of(held);
    params.instant_ms(now.ms);
    return end(sql::release_job, std::move(params), JobEnd::again, deadline);
}

asio::awaitable<Result<std::optional<Job>>> PostgresJobQueue::find(OrganizationId organization,
                                                                   JobId id, SteadyTime deadline) {
    pg::Params params;
    params.uuid(id.value.bytes).uuid(organization.value.bytes);
    auto const rows = co_await pool_.query(sql::find_job, std::move(params), deadline);
    if (!rows) co_return rows.error();
    auto read = [&] {
        std::optional<Job> found;
        if (!rows->empty()) found = rows::job((*rows)[0]);
        return found;
    };
    co_return pg::decoded(read);
}

asio::awaitable<Result<std::vector<Job>>> PostgresJobQueue::list(JobPage page,
                                                                 SteadyTime deadline) {
    pg::Params params;
    if (page.ledger) {
        PENSTOCK_ASSERT(page.kind && !page.status);
        params.uuid(page.ledger->value.bytes).text(*page.kind);
        params.uuid(end_of(page)).int8(limit_of(page.limit));
    } else {
        params.uuid(page.organization.value.bytes).add(statuses_of(page.status));
        params.uuid(end_of(page)).optional_text(page.kind).int8(limit_of(page.limit));
    }
    auto const& statement = page.ledger ? sql::list_ledger_jobs : sql::list_jobs;
    auto const rows = co_await pool_.query(statement, std::move(params), deadline);
    if (!rows) co_return rows.error();
    co_return read_all(*rows, rows::job);
}

asio::awaitable<Result<std::vector<JobBacklog>>> PostgresJobQueue::backlog(SteadyTime deadline) {
    auto const rows = co_await pool_.query(sql::job_backlog, pg::Params(), deadline);
    if (!rows) co_return rows.error();
    co_return read_all(*rows, backlog_of);
}

asio::awaitable<Result<std::size_t>> PostgresJobQueue::purge(JobStatus status, Instant before,
                                                             std::size_t limit,
                                                             SteadyTime deadline) {
    PENSTOCK_ASSERT(status == JobStatus::completed || status == JobStatus::failed);
    pg::Params params;
    params.int2(static_cast<std::int16_t>(status)).instant_ms(before.ms).int8(limit_of(limit));
    auto const rows = co_await write(sql::purge_jobs, std::move(params), deadline);
    if (!rows) co_return rows.error();
    co_return rows->affected();
}

asio::awaitable<void> PostgresJobQueue::listen(std::function<void()> wake) {
    pg::Listener listener(executor_, connection_, backoff_, channel, std::move(wake));
    co_await listener.run();
}

}  // namespace penstock::db
