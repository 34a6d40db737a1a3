// Are jobs done: each once in effect, by whichever worker lives, and never by two at a time?
#include "server/jobs/worker.hpp"

#include <boost/test/unit_test.hpp>
#include <map>

#include "db/memory_store.hpp"
#include "reactor/deadline.hpp"
#include "tests/db/postgres_fixture.hpp"
#include "tests/support/jobs.hpp"

namespace penstock::tests {
namespace {

using namespace server;
using domain::Job;
using domain::JobStatus;

/// The handlers of a test: what they saw, and what they do.
struct Deeds {
    std::map<domain::JobId, int> begun;
    std::map<domain::JobId, int> done;
    int running = 0;
    int running_most = 0;
    bool overlapped = false;  ///< one job twice at a time
    std::map<domain::JobId, int> inside;

    void enter(Job const& job) {
        ++begun[job.id];
        overlapped = overlapped || ++inside[job.id] > 1;
        running_most = std::max(running_most, ++running);
    }
    void leave(Job const& job) {
        --inside[job.id];
        --running;
    }
};

/// Takes part in `deeds` while a job is handled, however that ends.
class Inside {
public:
    Inside(Deeds& deeds, Job job) : deeds_(deeds), job_(std::move(job)) { deeds_.enter(job_); }
    Inside(Inside&&) = delete;
    ~Inside() { deeds_.leave(job_); }

private:
    Deeds& deeds_;
    Job job_;
};

asio::awaitable<Result<std::string>> do_it(Deeds& deeds, Job job, milliseconds lasts) {
    Inside inside(deeds, job);
    bool const awake = co_await reactor::sleep_until(steady_now() + lasts);
    if (!awake) co_return asio::error::operation_aborted;
    ++deeds.done[job.id];
    co_return std::string(R"({"done":true})");
}

/// Ends by cancellation only.
asio::awaitable<Result<std::string>> wait_for_ever(Deeds& deeds, Job job) {
    Inside inside(deeds, std::move(job));
    co_await reactor::sleep_until(never);
    co_return asio::error::operation_aborted;
}

/// A store, and workers on it that a test starts and stops.
class Scene {
public:
    Scene(asio::any_io_executor executor, db::Store& store)
        : executor_(executor), store_(store), source(executor, store) {
        // What announces nothing must not be needed; what is announced must be enough.
        options.poll = std::chrono::hours{1};
        options.retry = {milliseconds{1}, milliseconds{4}};
    }

    void start(JobHandler handler) {
        JobKind only;
        only.name = kind;
        only.handle = std::move(handler);
        only.attempt_max = attempt_max;
        std::vector<JobKind> kinds;
        kinds.push_back(std::move(only));
        start(std::move(kinds));
    }
    void start(std::vector<JobKind> kinds) {
        workers.push_back(std::make_unique<JobWorker>(executor_, store_.jobs(), clock_, ids_, log_,
                                                      std::move(kinds), options));
        running_.push_back(std::make_unique<reactor::TaskGroup>(executor_));
        running_.back()->spawn(workers.back()->run());
    }
    asio::awaitable<void> stop() {
        for (auto& group : running_) {
            group->cancel();
            bool const ended = co_await group->join(soon());
            BOOST_REQUIRE(ended);
        }
        running_.clear();
    }
    asio::awaitable<void> finish() {
        co_await stop();
        co_await source.finish();
    }

    Job new_job(std::int32_t attempts_max = 3) {
        return queued_job(kind, clock_.now(), attempts_max);
    }
    asio::awaitable<Job> find(Job job) {
        auto const found = co_await store_.jobs().find(job.organization, job.id, soon());
        BOOST_REQUIRE_MESSAGE(found, found.error().message());
        BOOST_REQUIRE(found->has_value());
        co_return **found;
    }
    asio::awaitable<Job> await(Job job, JobStatus status) {
        for (auto const deadline = soon(); steady_now() < deadline;) {
            auto const found = co_await find(job);
            if (found.status == status) co_return found;
            co_await reactor::sleep_until(steady_now() + milliseconds{5});
        }
        BOOST_FAIL("the job never came to its end");
        co_return job;
    }
    asio::awaitable<void> await_purge(Job job) {
        for (auto const deadline = soon(); steady_now() < deadline;) {
            auto const found = co_await queue().find(job.organization, job.id, soon());
            if (!found->has_value()) co_return;
            co_await reactor::sleep_until(steady_now() + milliseconds{5});
        }
        BOOST_FAIL("the job was never purged");
    }
    domain::Instant now() { return clock_.now(); }
    db::JobQueue& queue() { return store_.jobs(); }
    JobMetrics const& metrics(std::size_t worker = 0) const {
        return *workers.at(worker)->metrics().front();
    }

private:
    asio::any_io_executor executor_;
    db::Store& store_;
    SystemClock clock_;
    SystemIdSource ids_;
    Log log_{LogLevel::off};
    std::vector<std::unique_ptr<reactor::TaskGroup>> running_;

public:
    JobSource source;
    std::string kind = unique_kind();
    WorkerOptions options;
    milliseconds attempt_max{20'000};
    Deeds deeds;
    std::vector<std::unique_ptr<JobWorker>> workers;
};

/// body(Scene&) on a store of that kind.
template <class Body>
void on(db::MemoryStore*, Body body) {
    asio::io_context context{1};
    db::MemoryStore store;
    auto whole = [&]() -> asio::awaitable<void> {
        Scene scene(context.get_executor(), store);
        co_await body(scene);
        co_await scene.finish();
    };
    run(context, whole);
}

template <class Body>
void on(db::PostgresStore*, Body body) {
    MigratedDatabase database;
    asio::io_context context{1};
    db::PostgresStore store(context.get_executor(), database.store_options());
    auto whole = [&]() -> asio::awaitable<void> {
        Scene scene(context.get_executor(), store);
        co_await body(scene);
        co_await scene.finish();
    };
    run_beside(context, store, whole);
}

using Stores = std::tuple<db::MemoryStore, db::PostgresStore>;

template <class Store, class Body>
void on(Body body) {
    on(static_cast<Store*>(nullptr), std::move(body));
}

BOOST_AUTO_TEST_SUITE(job_worker)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_job_is_done_as_soon_as_it_is_announced, Store, Stores) {
    auto body = [](Scene& scene) -> asio::awaitable<void> {
        scene.start([&](Job job) { return do_it(scene.deeds, std::move(job), milliseconds{1}); });
        for (int i = 0; i < 3; ++i) {
            auto const job = scene.new_job();
            co_await scene.source.add(job);
            auto const done = co_await scene.await(job, JobStatus::completed);
            BOOST_TEST((done.result == R"({"done":true})"));
            BOOST_TEST(done.attempts == 1);
            BOOST_TEST(done.finished_at.has_value());
            BOOST_TEST(scene.deeds.done[job.id] == 1);
        }
        auto counted = [&] { return scene.metrics().completed.get() == 3u; };
        co_await eventually(counted);
        BOOST_TEST(scene.metrics().failed.get() == 0u);
    };
    on<Store>(body);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_kind_that_lasts_leaves_room_for_the_others, Store, Stores) {
    auto body = [](Scene& scene) -> asio::awaitable<void> {
        std::vector<JobKind> kinds(2);
        kinds[0].name = scene.kind;
        kinds[0].at_once = 2;
        kinds[0].handle = [&](Job job) { return wait_for_ever(scene.deeds, std::move(job)); };
        kinds[1].name = unique_kind();
        Deeds quick;
        kinds[1].handle = [&](Job job) { return do_it(quick, std::move(job), milliseconds{1}); };
        auto const quick_kind = kinds[1].name;
        scene.options.jobs_max = 3;
        std::vector<Job> lasting;
        for (int i = 0; i < 5; ++i) lasting.push_back(scene.new_job());
        co_await scene.source.add(lasting);
        scene.start(std::move(kinds));
        auto begun = [&] { return scene.deeds.running == 2; };
        co_await eventually(begun);
        for (int i = 0; i < 5; ++i) {
            auto const job = queued_job(quick_kind, scene.now());
            co_await scene.source.add(job);
            co_await scene.await(job, JobStatus::completed);
        }
        BOOST_TEST(quick.done.size() == 5u);
        BOOST_TEST(scene.deeds.running_most == 2);
        BOOST_TEST(scene.deeds.begun.size() == 2u);
        // Before what the handlers refer to ends.
        co_await scene.stop();
    };
    on<Store>(body);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(jobs_that_were_there_before_the_worker_are_done, Store, Stores) {
    auto body = [](Scene& scene) -> asio::awaitable<void> {
        std::vector<Job> jobs;
        for (int i = 0; i < 20; ++i) jobs.push_back(scene.new_job());
        co_await scene.source.add(jobs);
        scene.start([&](Job job) { return do_it(scene.deeds, std::move(job), milliseconds{1}); });
        for (auto const& job : jobs) co_await scene.await(job, JobStatus::completed);
        BOOST_TEST(scene.deeds.done.size() == jobs.size());
    };
    on<Store>(body);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(two_workers_never_do_one_job_at_once, Store, Stores) {
    auto body = [](Scene& scene) -> asio::awaitable<void> {
        scene.options.jobs_max = 3;
        for (int i = 0; i < 2; ++i)
            scene.start(
                [&](Job job) { return do_it(scene.deeds, std::move(job), milliseconds{3}); });
        std::vector<Job> jobs;
        for (int i = 0; i < 60; ++i) jobs.push_back(scene.new_job());
        for (auto const& job : jobs) co_await scene.source.add(job);
        for (auto const& job : jobs) co_await scene.await(job, JobStatus::completed);
        BOOST_TEST(!scene.deeds.overlapped);
        BOOST_TEST(scene.deeds.running_most <= 6);
        for (auto const& job : jobs) BOOST_TEST(scene.deeds.begun[job.id] == 1);
        auto counted = [&] {
            auto const first = scene.metrics(0).completed.get();
            return first + scene.metrics(1).completed.get() == jobs.size();
        };
        co_await eventually(counted);
    };
    on<Store>(body);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_worker_does_no_more_at_once_than_it_may, Store, Stores) {
    auto body = [](Scene& scene) -> asio::awaitable<void> {
        scene.options.jobs_max = 2;
        std::vector<Job> jobs;
        for (int i = 0; i < 10; ++i) jobs.push_back(scene.new_job());
        co_await scene.source.add(jobs);
        scene.start([&](Job job) { return do_it(scene.deeds, std::move(job), milliseconds{2}); });
        for (auto const& job : jobs) co_await scene.await(job, JobStatus::completed);
        BOOST_TEST(scene.deeds.running_most == 2);
    };
    on<Store>(body);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_dead_worker_held_is_done_when_its_lease_has_ended, Store,
                              Stores) {
    auto body = [](Scene& scene) -> asio::awaitable<void> {
        auto const job = scene.new_job();
        co_await scene.source.add(job);
        db::ClaimOrder order;
        order.kinds = {scene.kind};
        order.lease = new_lease();
        order.now = scene.now();
        order.lease_until = {order.now.ms + 300};
        auto const claimed = co_await scene.queue().claim(order, soon());
        BOOST_TEST_REQUIRE(claimed->jobs.size() == 1u);
        // Nobody will ever hear of that claim again.
        scene.start([&](Job one) { return do_it(scene.deeds, std::move(one), milliseconds{1}); });
        auto const done = co_await scene.await(job, JobStatus::completed);
        BOOST_TEST(done.attempts == 2);
        BOOST_TEST(done.finished_at->ms >= order.lease_until.ms);
        BOOST_TEST(scene.deeds.done[job.id] == 1);
    };
    on<Store>(body);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_job_that_outlasts_its_lease_stays_with_its_worker, Store, Stores) {
    auto body = [](Scene& scene) -> asio::awaitable<void> {
        scene.options.lease = milliseconds{1'500};
        for (int i = 0; i < 2; ++i)
            scene.start(
                [&](Job job) { return do_it(scene.deeds, std::move(job), milliseconds{2'500}); });
        auto const job = scene.new_job();
        co_await scene.source.add(job);
        auto const done = co_await scene.await(job, JobStatus::completed);
        BOOST_TEST(done.attempts == 1);
        BOOST_TEST(scene.deeds.begun[job.id] == 1);
    };
    on<Store>(body);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_job_that_always_fails_dies_and_may_live_again, Store, Stores) {
    auto body = [](Scene& scene) -> asio::awaitable<void> {
        bool broken = true;
        scene.start([&](Job job) -> asio::awaitable<Result<std::string>> {
            ++scene.deeds.begun[job.id];
            if (broken) co_return make_error_code(boost::system::errc::io_error);
            co_return std::string("1");
        });
        auto const job = scene.new_job(3);
        co_await scene.source.add(job);
        auto const dead = co_await scene.await(job, JobStatus::failed);
        BOOST_TEST(dead.attempts == 3);
        BOOST_TEST((dead.last_error == "Input/output error"));
        BOOST_TEST(scene.deeds.begun[job.id] == 3);
        BOOST_TEST(scene.metrics().failed.get() == 3u);
        // Counted when the queue has answered.
        auto died = [&] { return scene.metrics().died.get() == 1u; };
        co_await eventually(died);
        broken = false;
        co_await scene.source.retry(job.id, scene.now());
        auto const done = co_await scene.await(job, JobStatus::completed);
        BOOST_TEST(done.attempts == 1);
        BOOST_TEST(scene.deeds.begun[job.id] == 4);
    };
    on<Store>(body);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_throws_has_failed, Store, Stores) {
    auto body = [](Scene& scene) -> asio::awaitable<void> {
        scene.start([&](Job job) -> asio::awaitable<Result<std::string>> {
            if (job.attempts == 1) throw std::runtime_error("a \x01 bad \xff day");
            co_return std::string("1");
        });
        auto const job = scene.new_job(2);
        co_await scene.source.add(job);
        auto const done = co_await scene.await(job, JobStatus::completed);
        BOOST_TEST(done.attempts == 2);
        BOOST_TEST((done.last_error == "a ? bad ? day"));
    };
    on<Store>(body);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_attempt_that_lasts_too_long_has_failed, Store, Stores) {
    auto body = [](Scene& scene) -> asio::awaitable<void> {
        scene.attempt_max = milliseconds{20};
        scene.start([&](Job job) { return wait_for_ever(scene.deeds, std::move(job)); });
        auto const job = scene.new_job(2);
        co_await scene.source.add(job);
        auto const dead = co_await scene.await(job, JobStatus::failed);
        BOOST_TEST((dead.last_error == "the attempt lasted longer than 20 ms"));
        BOOST_TEST(scene.deeds.begun[job.id] == 2);
        BOOST_TEST(scene.deeds.running == 0);
    };
    on<Store>(body);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_worker_that_stops_gives_its_jobs_back, Store, Stores) {
    auto body = [](Scene& scene) -> asio::awaitable<void> {
        scene.start([&](Job job) { return wait_for_ever(scene.deeds, std::move(job)); });
        auto const job = scene.new_job(1);
        co_await scene.source.add(job);
        auto begun = [&] { return scene.deeds.running == 1; };
        co_await eventually(begun);
        co_await scene.stop();
        BOOST_TEST(scene.deeds.running == 0);
        BOOST_TEST(scene.deeds.begun[job.id] == 1);
        // A claim that was on its way takes it once more, and gives it back as well.
        BOOST_TEST(scene.metrics().released.get() >= 1u);
        auto const back = co_await scene.find(job);
        BOOST_TEST((back.status == JobStatus::queued));
        BOOST_TEST(back.attempts == 0);
        // Not after a lease: now.
        scene.start([&](Job one) { return do_it(scene.deeds, std::move(one), milliseconds{1}); });
        auto const done = co_await scene.await(job, JobStatus::completed);
        BOOST_TEST(done.attempts == 1);
        BOOST_TEST(scene.deeds.begun[job.id] == 2);
        BOOST_TEST(scene.deeds.done[job.id] == 1);
    };
    on<Store>(body);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_worker_whose_lease_passed_on_ends_its_attempt, Store, Stores) {
    auto body = [](Scene& scene) -> asio::awaitable<void> {
        scene.options.lease = milliseconds{300};
        scene.start([&](Job job) { return wait_for_ever(scene.deeds, std::move(job)); });
        auto const job = scene.new_job();
        co_await scene.source.add(job);
        auto begun = [&] { return scene.deeds.running == 1; };
        co_await eventually(begun);
        // Another one, whose clock is far ahead, takes it.
        db::ClaimOrder order;
        order.kinds = {scene.kind};
        order.lease = new_lease();
        order.now = {scene.now().ms + 3'600'000};
        order.lease_until = {order.now.ms + 3'600'000};
        auto const claimed = co_await scene.queue().claim(order, soon());
        BOOST_TEST_REQUIRE(claimed->jobs.size() == 1u);
        auto given_up = [&] { return scene.deeds.running == 0; };
        co_await eventually(given_up);
        auto counted = [&] { return scene.metrics().lost.get() == 1u; };
        co_await eventually(counted);
        auto const other = co_await scene.find(job);
        BOOST_TEST((other == claimed->jobs[0]));
    };
    on<Store>(body);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_backlog_is_counted_and_what_is_old_is_purged, Store, Stores) {
    auto body = [](Scene& scene) -> asio::awaitable<void> {
        scene.options.sample_every = milliseconds{5};
        scene.options.purge_every = milliseconds{5};
        scene.options.keep_completed = std::chrono::hours{0};
        scene.options.jobs_max = 1;
        scene.start([&](Job job) -> asio::awaitable<Result<std::string>> {
            if (job.attempts_max == 1) co_return make_error_code(boost::system::errc::io_error);
            if (job.attempts_max == 2) co_return std::string("1");
            co_return co_await wait_for_ever(scene.deeds, std::move(job));
        });
        auto const dies = scene.new_job(1);
        auto const completes = scene.new_job(2);
        co_await scene.source.add(dies);
        co_await scene.await(dies, JobStatus::failed);
        co_await scene.source.add(completes);
        auto purged = [&] { return scene.metrics().completed.get() == 1u; };
        co_await eventually(purged);
        co_await scene.source.add(scene.new_job(3));
        auto begun = [&] { return scene.deeds.running == 1; };
        co_await eventually(begun);
        co_await scene.source.add(scene.new_job(3));
        auto counted = [&] {
            auto const& m = scene.metrics();
            return m.dead.get() == 1u && m.running.get() == 1u && m.queued.get() == 1u &&
                   m.oldest_ms.get() > 0u;
        };
        co_await eventually(counted);
        co_await scene.await_purge(completes);
    };
    on<Store>(body);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
