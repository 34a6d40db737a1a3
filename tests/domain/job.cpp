#include "domain/job.hpp"

#include <random>

#include "domain/report.hpp"
#include "tests/domain/scene.hpp"

namespace penstock::tests {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t most_random = std::numeric_limits<std::uint64_t>::max();

/// A scene that has loaded one job.
Scene scene_with(Job job) {
    auto rows = Scene::loaded();
    rows.jobs.push_back(std::move(job));
    return Scene(std::move(rows));
}

Job dead_letter() {
    Job job;
    job.id = {make_uuid7(day_before, 0, 5)};
    job.kind = report_job;
    job.status = JobStatus::failed;
    job.attempts = job.attempts_max;
    job.due_at = day_before;
    job.lease = LeaseId{make_uuid7(day_before, 0, 6)};
    job.last_error = "no";
    job.finished_at = day_before;
    return job;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(jobs)

BOOST_AUTO_TEST_CASE(the_bound_of_a_pause_doubles_with_each_attempt_up_to_the_most) {
    RetryLimits const limits{milliseconds{1'000}, milliseconds{60'000}};
    struct {
        std::int32_t attempts;
        std::int64_t bound_ms;
    } const table[] = {{0, 1'000},  {1, 1'000},  {2, 2'000},   {3, 4'000},
                       {6, 32'000}, {7, 60'000}, {63, 60'000}, {1'000'000, 60'000}};
    for (auto const& row : table) {
        BOOST_TEST(pause_before_retry(limits, row.attempts, most_random).count() == row.bound_ms);
        BOOST_TEST(pause_before_retry(limits, row.attempts, 0).count() == 0);
    }
}

BOOST_AUTO_TEST_CASE(pauses_are_spread_over_the_whole_bound) {
    RetryLimits const limits{milliseconds{100}, milliseconds{10'000}};
    std::mt19937_64 random(42);
    constexpr int draws = 10'000;
    std::int64_t sum = 0;
    std::array<int, 4> quarters{};
    for (int i = 0; i < draws; ++i) {
        auto const pause = pause_before_retry(limits, 4, random()).count();
        BOOST_TEST_REQUIRE(pause >= 0);
        BOOST_TEST_REQUIRE(pause <= 800);
        sum += pause;
        ++quarters[static_cast<std::size_t>(std::min<std::int64_t>(pause / 200, 3))];
    }
    BOOST_TEST(sum / draws > 380);
    BOOST_TEST(sum / draws < 420);
    for (auto const quarter : quarters) BOOST_TEST(quarter > draws / 5);
}

BOOST_AUTO_TEST_CASE(a_report_is_a_job_in_the_commit_that_asked_for_it) {
    Scene scene;
    auto const accepted = made<Accepted>(scene.decide(RequestReport{Scene::ledger_id()}));
    auto const jobs = scene.set().changes().new_jobs;
    BOOST_TEST_REQUIRE(jobs.size() == 1u);
    BOOST_TEST((jobs[0].id == accepted.job));
    BOOST_TEST((jobs[0].organization == default_organization));
    BOOST_TEST((jobs[0].ledger == Scene::ledger_id()));
    BOOST_TEST(jobs[0].kind == "report");
    BOOST_TEST(jobs[0].payload == R"({"ledger":"main","type":"financial"})");
    BOOST_TEST((jobs[0].status == JobStatus::queued));
    BOOST_TEST(jobs[0].attempts == 0);
    BOOST_TEST(jobs[0].due_at.ms == noon.ms);
    BOOST_TEST(jobs[0].created_at().ms == noon.ms);
}

BOOST_AUTO_TEST_CASE(one_key_asks_for_one_report) {
    Scene scene;
    auto const first = scene.decide(RequestReport{Scene::ledger_id()}, use_of(1));
    auto const second = scene.decide(RequestReport{Scene::ledger_id()}, use_of(1));
    BOOST_TEST(is_replayed(second));
    BOOST_TEST((made<Accepted>(second) == made<Accepted>(first)));
    auto const changes = scene.set().changes();
    BOOST_TEST(changes.new_jobs.size() == 1u);
    BOOST_TEST_REQUIRE(changes.answers.size() == 1u);
    BOOST_TEST(changes.answers[0].status == 202);
}

BOOST_AUTO_TEST_CASE(a_report_is_of_ones_own_ledger_of_money) {
    Scene scene;
    OrganizationId const stranger{make_uuid7({1}, 0, 99)};
    BOOST_TEST(refusal_of(scene.decide(RequestReport{{}})) == "ledger_not_found");
    BOOST_TEST(refusal_of(scene.decide(RequestReport{Scene::ledger_id()}, {}, stranger)) ==
               "ledger_not_found");
    Scene credits(AccountPolicy::explicit_, LedgerKind::credits);
    BOOST_TEST(refusal_of(credits.decide(RequestReport{Scene::ledger_id()})) ==
               "unsupported_on_ledger");
    BOOST_TEST(scene.set().changes().empty());
    BOOST_TEST(credits.set().changes().empty());
}

BOOST_AUTO_TEST_CASE(a_dead_letter_that_is_retried_has_all_its_attempts_again) {
    auto const dead = dead_letter();
    auto scene = scene_with(dead);
    auto const job = made<Job>(scene.decide(RetryJob{dead.id}));
    auto wanted = dead;
    wanted.status = JobStatus::queued;
    wanted.attempts = 0;
    wanted.due_at = noon;
    wanted.lease.reset();
    wanted.finished_at.reset();
    BOOST_TEST((job == wanted));
    auto const changes = scene.set().changes();
    BOOST_TEST_REQUIRE(changes.retried_jobs.size() == 1u);
    BOOST_TEST((changes.retried_jobs[0] == std::pair{dead.id, noon}));
    // The second one of the same batch comes too late.
    BOOST_TEST(refusal_of(scene.decide(RetryJob{dead.id})) == "illegal_transition");
    BOOST_TEST(scene.set().changes().retried_jobs.size() == 1u);
}

BOOST_AUTO_TEST_CASE(only_ones_own_dead_letters_can_be_retried) {
    auto job = dead_letter();
    OrganizationId const stranger{make_uuid7({1}, 0, 99)};
    auto scene = scene_with(job);
    BOOST_TEST(refusal_of(scene.decide(RetryJob{job.id}, {}, stranger)) == "job_not_found");
    BOOST_TEST(refusal_of(scene.decide(RetryJob{{}})) == "job_not_found");
    for (auto const status : {JobStatus::queued, JobStatus::processing, JobStatus::completed}) {
        job.status = status;
        auto other = scene_with(job);
        BOOST_TEST(refusal_of(other.decide(RetryJob{job.id})) == "illegal_transition");
        BOOST_TEST(other.set().changes().empty());
    }
}

BOOST_AUTO_TEST_CASE(jobs_are_undone_with_what_asked_for_them) {
    auto const dead = dead_letter();
    auto scene = scene_with(dead);
    auto const before = scene.set().mark();
    made<Accepted>(scene.decide(RequestReport{Scene::ledger_id()}, use_of(1)));
    made<Job>(scene.decide(RetryJob{dead.id}));
    scene.set().undo(before);
    BOOST_TEST(scene.set().changes().empty());
    BOOST_TEST((*scene.set().find_job(dead.id) == dead));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
