#include "tests/db/job_rules.hpp"

#include <algorithm>
#include <set>

#include "reactor/deadline.hpp"
#include "reactor/pulse.hpp"
#include "tests/db/driver.hpp"
#include "tests/domain/scene.hpp"
#include "tests/support/jobs.hpp"

namespace penstock::tests {
namespace {

using namespace domain;
using db::Claimed;
using db::ClaimOrder;
using db::HeldJob;
using db::JobBacklog;
using db::JobEnd;
using db::JobPage;
using db::JobQueue;

constexpr Instant start{1'700'000'000'000};
constexpr std::int64_t lease_ms = 30'000;

Instant at(std::int64_t ms) { return {start.ms + ms}; }

template <class T>
T value_of(Result<T> result) {
    BOOST_REQUIRE_MESSAGE(result, result.error().message());
    return *std::move(result);
}

ClaimOrder order(std::string kind, Instant now, std::size_t limit = 100) {
    ClaimOrder order;
    order.kinds = {std::move(kind), "never_made"};
    order.lease = new_lease();
    order.now = now;
    order.lease_until = {now.ms + lease_ms};
    order.limit = limit;
    return order;
}

asio::awaitable<Claimed> claim(JobQueue& queue, std::string kind, Instant now,
                               std::size_t limit = 100) {
    auto wanted = order(std::move(kind), now, limit);
    co_return value_of(co_await queue.claim(std::move(wanted), in_time()));
}

/// The one job that there is to claim.
asio::awaitable<Job> claim_one(JobQueue& queue, std::string kind, Instant now) {
    auto claimed = co_await claim(queue, std::move(kind), now);
    BOOST_REQUIRE(claimed.jobs.size() == 1);
    co_return claimed.jobs.front();
}

HeldJob held(Job const& job) { return {job.id, *job.lease}; }

asio::awaitable<Job> stored(JobQueue& queue, Job job) {
    auto const found = value_of(co_await queue.find(job.organization, job.id, in_time()));
    BOOST_REQUIRE(found.has_value());
    co_return *found;
}

std::set<JobId> ids(std::vector<Job> const& jobs) {
    std::set<JobId> all;
    for (auto const& job : jobs) all.insert(job.id);
    return all;
}

/// A queue with a way into it, and a kind of its own.
struct Fixture {
    Fixture(asio::any_io_executor executor, db::Store& store)
        : queue(store.jobs()), source(executor, store), kind(unique_kind()) {}

    JobQueue& queue;
    JobSource source;
    std::string kind;
};

// Each rule: a fixture, the rule, finish().

asio::awaitable<void> a_job_that_is_made_is_there(db::Store& store) {
    Fixture it(co_await asio::this_coro::executor, store);
    auto job = queued_job(it.kind, at(7));
    job.ledger = LedgerId{make_uuid7(start, 1, unique_number())};
    job.payload = R"({"a":"ä"})";
    co_await it.source.add(job);
    auto const found = co_await stored(it.queue, job);
    BOOST_TEST((found == job));
    OrganizationId const stranger{make_uuid7(start, 0, 1)};
    auto const hidden = value_of(co_await it.queue.find(stranger, job.id, in_time()));
    BOOST_TEST(!hidden.has_value());
    co_await it.source.finish();
}

asio::awaitable<void> the_oldest_due_comes_first_and_none_before_its_time(db::Store& store) {
    Fixture it(co_await asio::this_coro::executor, store);
    auto const early = queued_job(it.kind, at(10));
    auto const late = queued_job(it.kind, at(20));
    auto const later = queued_job(it.kind, at(31));
    auto const other = queued_job(unique_kind(), at(1));
    for (auto const& job : {later, late, early, other}) co_await it.source.add(job);

    auto const none = co_await claim(it.queue, it.kind, at(9));
    BOOST_TEST(none.jobs.empty());
    BOOST_TEST(!none.any_left);
    BOOST_TEST((none.next_due == at(10)));
    auto const first = co_await claim(it.queue, it.kind, at(30), 1);
    BOOST_TEST((ids(first.jobs) == std::set{early.id}));
    BOOST_TEST(first.any_left);
    BOOST_TEST((first.next_due == at(20)));
    auto const second = co_await claim(it.queue, it.kind, at(30));
    BOOST_TEST((ids(second.jobs) == std::set{late.id}));
    BOOST_TEST(!second.any_left);
    BOOST_TEST((second.next_due == at(31)));
    co_await it.source.finish();
}

asio::awaitable<void> a_claimed_job_is_nobody_elses_until_its_lease_ends(db::Store& store) {
    Fixture it(co_await asio::this_coro::executor, store);
    auto const job = queued_job(it.kind, at(0));
    co_await it.source.add(job);
    auto const first = co_await claim_one(it.queue, it.kind, at(1));
    BOOST_TEST((first.status == JobStatus::processing));
    BOOST_TEST(first.attempts == 1);
    BOOST_TEST((first.due_at == at(1 + lease_ms)));
    auto const none = co_await claim(it.queue, it.kind, at(lease_ms));
    BOOST_TEST(none.jobs.empty());
    BOOST_TEST((none.next_due == at(1 + lease_ms)));

    auto const second = co_await claim_one(it.queue, it.kind, at(1 + lease_ms));
    BOOST_TEST((second.id == job.id));
    BOOST_TEST(second.attempts == 2);
    BOOST_TEST(second.last_error.has_value());
    // The one that lost it can do nothing to it.
    auto const held_once = held(first);
    auto const now = at(2 + lease_ms);
    auto& queue = it.queue;
    BOOST_TEST((value_of(co_await queue.renew(held_once, now, in_time())) == JobEnd::lost));
    BOOST_TEST((value_of(co_await queue.complete(held_once, "1", now, in_time())) == JobEnd::lost));
    BOOST_TEST(
        (value_of(co_await queue.fail(held_once, "no", now, now, in_time())) == JobEnd::lost));
    BOOST_TEST((value_of(co_await queue.release(held_once, now, in_time())) == JobEnd::lost));
    auto const found = co_await stored(queue, job);
    BOOST_TEST((found == second));
    co_await it.source.finish();
}

asio::awaitable<void> a_renewed_lease_ends_later(db::Store& store) {
    Fixture it(co_await asio::this_coro::executor, store);
    co_await it.source.add(queued_job(it.kind, at(0)));
    auto const job = co_await claim_one(it.queue, it.kind, at(0));
    auto const held_job = held(job);
    auto const until = at(2 * lease_ms);
    auto const renewed = value_of(co_await it.queue.renew(held_job, until, in_time()));
    BOOST_TEST((renewed == JobEnd::again));
    auto const none = co_await claim(it.queue, it.kind, at(2 * lease_ms - 1));
    BOOST_TEST(none.jobs.empty());
    auto const next = co_await claim_one(it.queue, it.kind, until);
    BOOST_TEST(next.attempts == 2);
    co_await it.source.finish();
}

asio::awaitable<void> a_completed_job_keeps_its_result_and_is_done(db::Store& store) {
    Fixture it(co_await asio::this_coro::executor, store);
    co_await it.source.add(queued_job(it.kind, at(0)));
    auto const job = co_await claim_one(it.queue, it.kind, at(0));
    auto const held_job = held(job);
    // Twice: the answer to the first may have been lost.
    for (int i = 0; i < 2; ++i) {
        auto const ended =
            value_of(co_await it.queue.complete(held_job, R"({"n":1})", at(5), in_time()));
        BOOST_TEST((ended == JobEnd::completed));
    }
    auto const found = co_await stored(it.queue, job);
    BOOST_TEST((found.status == JobStatus::completed));
    BOOST_TEST((found.result == R"({"n":1})"));
    BOOST_TEST((found.finished_at == at(5)));
    auto const none = co_await claim(it.queue, it.kind, at(10 * lease_ms));
    BOOST_TEST(none.jobs.empty());
    BOOST_TEST(!none.next_due.has_value());
    auto const late = value_of(co_await it.queue.renew(held_job, at(9), in_time()));
    BOOST_TEST((late == JobEnd::lost));
    co_await it.source.finish();
}

asio::awaitable<void> a_failed_job_is_due_again_until_its_last_attempt(db::Store& store) {
    Fixture it(co_await asio::this_coro::executor, store);
    auto const made = queued_job(it.kind, at(0), 2);
    co_await it.source.add(made);
    auto job = co_await claim_one(it.queue, it.kind, at(0));
    auto ended = value_of(co_await it.queue.fail(held(job), "once", at(100), at(1), in_time()));
    BOOST_TEST((ended == JobEnd::again));
    auto const none = co_await claim(it.queue, it.kind, at(99));
    BOOST_TEST(none.jobs.empty());
    BOOST_TEST((none.next_due == at(100)));
    auto found = co_await stored(it.queue, made);
    BOOST_TEST((found.status == JobStatus::queued));
    BOOST_TEST((found.last_error == "once"));
    BOOST_TEST(!found.finished_at.has_value());

    job = co_await claim_one(it.queue, it.kind, at(100));
    ended = value_of(co_await it.queue.fail(held(job), "twice", at(300), at(200), in_time()));
    BOOST_TEST((ended == JobEnd::dead));
    found = co_await stored(it.queue, made);
    BOOST_TEST((found.status == JobStatus::failed));
    BOOST_TEST(found.attempts == 2);
    BOOST_TEST((found.last_error == "twice"));
    BOOST_TEST((found.finished_at == at(200)));
    auto const never_again = co_await claim(it.queue, it.kind, at(lease_ms * 10));
    BOOST_TEST(never_again.jobs.empty());
    co_await it.source.finish();
}

asio::awaitable<void> a_job_that_kills_its_workers_dies_at_last(db::Store& store) {
    Fixture it(co_await asio::this_coro::executor, store);
    auto const made = queued_job(it.kind, at(0), 2);
    co_await it.source.add(made);
    co_await claim_one(it.queue, it.kind, at(0));
    co_await claim_one(it.queue, it.kind, at(lease_ms));
    auto const claimed = co_await claim(it.queue, it.kind, at(2 * lease_ms));
    BOOST_TEST(claimed.jobs.empty());
    BOOST_TEST(claimed.dead == 1u);
    auto const found = co_await stored(it.queue, made);
    BOOST_TEST((found.status == JobStatus::failed));
    BOOST_TEST(found.attempts == 2);
    BOOST_TEST((found.finished_at == at(2 * lease_ms)));
    BOOST_TEST(found.last_error.has_value());
    co_await it.source.finish();
}

asio::awaitable<void> a_released_job_is_due_at_once_and_the_attempt_does_not_count(
    db::Store& store) {
    Fixture it(co_await asio::this_coro::executor, store);
    co_await it.source.add(queued_job(it.kind, at(0), 1));
    auto const first = co_await claim_one(it.queue, it.kind, at(0));
    auto const ended = value_of(co_await it.queue.release(held(first), at(3), in_time()));
    BOOST_TEST((ended == JobEnd::again));
    auto const none = co_await claim(it.queue, it.kind, at(2));
    BOOST_TEST(none.jobs.empty());
    auto const second = co_await claim_one(it.queue, it.kind, at(3));
    BOOST_TEST(second.attempts == 1);
    co_await it.source.finish();
}

asio::awaitable<void> a_dead_letter_lives_again_by_a_commit(db::Store& store) {
    Fixture it(co_await asio::this_coro::executor, store);
    Driver driver(co_await asio::this_coro::executor, store);
    auto const made = queued_job(it.kind, at(0), 1);
    co_await it.source.add(made);
    Command const retry = RetryJob{made.id};
    auto const early = co_await driver.one(retry);
    BOOST_TEST(refusal_of(early) == "illegal_transition");
    auto const job = co_await claim_one(it.queue, it.kind, at(0));
    value_of(co_await it.queue.fail(held(job), "no", at(1), at(1), in_time()));
    driver.at = at(50);
    auto const outcome = co_await driver.one(retry);
    auto const revived = tests::made<Job>(outcome);
    auto const found = co_await stored(it.queue, made);
    BOOST_TEST((found == revived));
    BOOST_TEST((found.status == JobStatus::queued));
    BOOST_TEST((found.last_error == "no"));
    auto const again = co_await claim_one(it.queue, it.kind, at(50));
    BOOST_TEST(again.attempts == 1);
    co_await driver.finish();
    co_await it.source.finish();
}

/// Pages of two until the end.
asio::awaitable<std::vector<Job>> all_pages(JobQueue& queue, JobPage page) {
    std::vector<Job> all;
    page.limit = 2;
    for (;;) {
        auto const items = value_of(co_await queue.list(page, in_time()));
        BOOST_REQUIRE(items.size() <= 2);
        all.insert(all.end(), items.begin(), items.end());
        if (items.size() < 2) break;
        page.before = items.back().id;
    }
    BOOST_TEST(std::ranges::is_sorted(all, std::greater{}, &Job::id));
    co_return all;
}

asio::awaitable<void> lists_are_newest_first_and_of_what_was_asked(db::Store& store) {
    Fixture it(co_await asio::this_coro::executor, store);
    OrganizationId const organization{make_uuid7(start, 0, unique_number())};
    LedgerId const ledger{make_uuid7(start, 0, unique_number())};
    auto const other_kind = unique_kind();
    std::vector<Job> made;
    for (int i = 0; i < 7; ++i) {
        made.push_back(queued_job(i % 2 == 0 ? it.kind : other_kind, at(i), 1));
        made.back().organization = organization;
        if (i < 5) made.back().ledger = ledger;
    }
    made.push_back(queued_job(it.kind, at(8), 1));  // another organization's
    co_await it.source.add(made);
    made.pop_back();
    auto const first = co_await claim(it.queue, it.kind, at(0), 1);
    value_of(co_await it.queue.fail(held(first.jobs.at(0)), "no", at(1), at(1), in_time()));
    auto const second = co_await claim(it.queue, it.kind, at(2), 1);
    value_of(co_await it.queue.complete(held(second.jobs.at(0)), "1", at(2), in_time()));
    co_await claim(it.queue, it.kind, at(4), 1);

    JobPage page;
    page.organization = organization;
    auto const all = co_await all_pages(it.queue, page);
    BOOST_TEST((ids(all) == ids(made)));
    page.kind = it.kind;
    auto const of_kind = co_await all_pages(it.queue, page);
    BOOST_TEST((ids(of_kind) == std::set{made[0].id, made[2].id, made[4].id, made[6].id}));
    page.kind.reset();
    page.status = JobStatus::queued;
    auto const queued = co_await all_pages(it.queue, page);
    BOOST_TEST((ids(queued) == std::set{made[1].id, made[3].id, made[5].id, made[6].id}));
    page.kind = other_kind;
    auto const both = co_await all_pages(it.queue, page);
    BOOST_TEST((ids(both) == std::set{made[1].id, made[3].id, made[5].id}));
    page.kind.reset();
    page.status = JobStatus::failed;
    auto const dead = co_await all_pages(it.queue, page);
    BOOST_TEST((ids(dead) == std::set{made[0].id}));
    page.status.reset();
    page.ledger = ledger;
    page.kind = it.kind;
    auto const of_ledger = co_await all_pages(it.queue, page);
    BOOST_TEST((ids(of_ledger) == std::set{made[0].id, made[2].id, made[4].id}));
    co_await it.source.finish();
}

asio::awaitable<void> the_backlog_counts_by_kind(db::Store& store) {
    Fixture it(co_await asio::this_coro::executor, store);
    std::vector<Job> made;
    for (int i = 0; i < 5; ++i) made.push_back(queued_job(it.kind, at(i), 1));
    co_await it.source.add(made);
    auto const taken = co_await claim(it.queue, it.kind, at(10), 3);
    value_of(co_await it.queue.fail(held(taken.jobs.at(0)), "no", at(1), at(1), in_time()));
    value_of(co_await it.queue.complete(held(taken.jobs.at(1)), "1", at(1), in_time()));
    auto const all = value_of(co_await it.queue.backlog(in_time()));
    auto const found = std::ranges::find(all, it.kind, &JobBacklog::kind);
    BOOST_REQUIRE(found != all.end());
    JobBacklog const wanted{it.kind, 2, 1, 1, at(3)};
    BOOST_TEST((*found == wanted));
    co_await it.source.finish();
}

asio::awaitable<void> a_purge_takes_what_finished_long_ago_and_no_more_than_it_may(
    db::Store& store) {
    Fixture it(co_await asio::this_coro::executor, store);
    auto& queue = it.queue;
    // Older than whatever the other rules finish.
    Instant const long_ago{1'000'000};
    std::vector<Job> made;
    for (int i = 0; i < 5; ++i) made.push_back(queued_job(it.kind, long_ago, 1));
    co_await it.source.add(made);
    auto const taken = co_await claim(queue, it.kind, long_ago, 4);
    for (std::size_t i = 0; i < 3; ++i) {
        Instant const end{long_ago.ms + static_cast<std::int64_t>(i)};
        value_of(co_await queue.complete(held(taken.jobs[i]), "1", end, in_time()));
    }
    value_of(co_await queue.fail(held(taken.jobs[3]), "no", long_ago, long_ago, in_time()));
    Instant const before{long_ago.ms + 2};
    auto const completed = JobStatus::completed;
    BOOST_TEST(value_of(co_await queue.purge(completed, before, 1, in_time())) == 1u);
    BOOST_TEST(value_of(co_await queue.purge(completed, before, 10, in_time())) == 1u);
    BOOST_TEST(value_of(co_await queue.purge(completed, before, 10, in_time())) == 0u);
    auto const kept = co_await stored(queue, taken.jobs[2]);
    BOOST_TEST((kept.status == JobStatus::completed));
    auto const dead = co_await stored(queue, taken.jobs[3]);
    BOOST_TEST((dead.status == JobStatus::failed));
    BOOST_TEST(value_of(co_await queue.purge(JobStatus::failed, before, 10, in_time())) == 1u);
    auto const gone =
        value_of(co_await queue.find(default_organization, taken.jobs[3].id, in_time()));
    BOOST_TEST(!gone.has_value());
    co_await it.source.finish();
}

/// Counts calls; a test waits for the next one.
struct Ear {
    explicit Ear(asio::any_io_executor executor) : heard(executor) {}
    reactor::Pulse heard;
    std::size_t calls = 0;

    asio::awaitable<void> next(std::size_t after) {
        auto const deadline = in_time();
        while (calls == after && steady_now() < deadline) co_await heard.wait(deadline);
        BOOST_REQUIRE_MESSAGE(calls != after, "nothing was announced in time");
    }
};

asio::awaitable<void> whoever_listens_hears_of_every_job_that_becomes_due(db::Store& store) {
    auto const executor = co_await asio::this_coro::executor;
    Fixture it(executor, store);
    Ear ear(executor);
    reactor::TaskGroup listening(executor);
    auto wake = [&ear] {
        ++ear.calls;
        ear.heard.notify();
    };
    listening.spawn(it.queue.listen(wake));
    // Until it listens, announcements pass it by; that is what the first ones are for.
    while (ear.calls == 0) {
        co_await it.source.add(queued_job(unique_kind(), at(0)));
        co_await ear.heard.wait(steady_now() + milliseconds{5});
    }
    // A connection says that it is up by a call of its own; after it there is silence.
    co_await ear.heard.wait(steady_now() + milliseconds{100});
    auto before = ear.calls;
    auto const made = queued_job(it.kind, at(0), 1);
    co_await it.source.add(made);
    co_await ear.next(before);
    before = ear.calls;
    auto job = co_await claim_one(it.queue, it.kind, at(0));
    value_of(co_await it.queue.release(held(job), at(0), in_time()));
    co_await ear.next(before);
    job = co_await claim_one(it.queue, it.kind, at(0));
    value_of(co_await it.queue.fail(held(job), "no", at(0), at(0), in_time()));
    before = ear.calls;
    co_await it.source.retry(made.id, at(0));
    co_await ear.next(before);
    listening.cancel();
    bool const ended = co_await listening.join(in_time());
    BOOST_TEST(ended);
    co_await it.source.finish();
}

asio::awaitable<void> claims_at_the_same_time_share_without_overlap(db::Store& store) {
    auto const executor = co_await asio::this_coro::executor;
    Fixture it(executor, store);
    std::vector<Job> made;
    for (int i = 0; i < 60; ++i) made.push_back(queued_job(it.kind, at(0)));
    co_await it.source.add(made);
    reactor::TaskGroup claims(executor);
    std::vector<Job> taken;
    auto take_three = [&]() -> asio::awaitable<void> {
        auto const claimed = co_await claim(it.queue, it.kind, at(0), 3);
        taken.insert(taken.end(), claimed.jobs.begin(), claimed.jobs.end());
    };
    // Some find the rows locked and go away with less.
    for (int round = 0; taken.size() < made.size(); ++round) {
        BOOST_REQUIRE(round < 100);
        for (int i = 0; i < 20; ++i) claims.spawn(take_three());
        bool const ended = co_await claims.join(in_time());
        BOOST_REQUIRE(ended);
    }
    BOOST_TEST(taken.size() == made.size());
    BOOST_TEST((ids(taken) == ids(made)));
    co_await it.source.finish();
}

constexpr std::array rules{
    ConformanceRule{"a_job_that_is_made_is_there", a_job_that_is_made_is_there},
    ConformanceRule{"the_oldest_due_comes_first_and_none_before_its_time",
                    the_oldest_due_comes_first_and_none_before_its_time},
    ConformanceRule{"a_claimed_job_is_nobody_elses_until_its_lease_ends",
                    a_claimed_job_is_nobody_elses_until_its_lease_ends},
    ConformanceRule{"a_renewed_lease_ends_later", a_renewed_lease_ends_later},
    ConformanceRule{"a_completed_job_keeps_its_result_and_is_done",
                    a_completed_job_keeps_its_result_and_is_done},
    ConformanceRule{"a_failed_job_is_due_again_until_its_last_attempt",
                    a_failed_job_is_due_again_until_its_last_attempt},
    ConformanceRule{"a_job_that_kills_its_workers_dies_at_last",
                    a_job_that_kills_its_workers_dies_at_last},
    ConformanceRule{"a_released_job_is_due_at_once_and_the_attempt_does_not_count",
                    a_released_job_is_due_at_once_and_the_attempt_does_not_count},
    ConformanceRule{"a_dead_letter_lives_again_by_a_commit", a_dead_letter_lives_again_by_a_commit},
    ConformanceRule{"lists_are_newest_first_and_of_what_was_asked",
                    lists_are_newest_first_and_of_what_was_asked},
    ConformanceRule{"the_backlog_counts_by_kind", the_backlog_counts_by_kind},
    ConformanceRule{"a_purge_takes_what_finished_long_ago_and_no_more_than_it_may",
                    a_purge_takes_what_finished_long_ago_and_no_more_than_it_may},
    ConformanceRule{"whoever_listens_hears_of_every_job_that_becomes_due",
                    whoever_listens_hears_of_every_job_that_becomes_due},
    ConformanceRule{"claims_at_the_same_time_share_without_overlap",
                    claims_at_the_same_time_share_without_overlap},
};

}  // namespace

std::span<ConformanceRule const> job_rules() { return rules; }

}  // namespace penstock::tests
