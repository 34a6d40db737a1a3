#include "bench/arm.hpp"

#include <algorithm>

#include "bench/retry.hpp"
#include "domain/assert.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"

namespace penstock::bench {
namespace {

constexpr std::size_t faults_shown_max = 20;
/// A refused or broken connection takes a breath: a closed loop must not become a busy loop.
constexpr milliseconds pause_after_refusal{10};
constexpr milliseconds pause_after_cut{50};
/// A connection without work looks again so often, should nobody wake it.
constexpr milliseconds idle_check{200};

double seconds_between(SteadyTime from, SteadyTime to) {
    return std::chrono::duration<double>(to - from).count();
}

std::string label_of(Response const& response) {
    return std::to_string(response.status) + " " + problem_code(response.body);
}

}  // namespace

struct Arm::Worker {
    Worker(asio::any_io_executor executor, Sweeper& sweeper, asio::ip::tcp::endpoint endpoint,
           std::uint64_t seed)
        : connection(executor, sweeper, std::move(endpoint)), wake(executor), random(seed) {}

    Connection connection;
    reactor::Pulse wake;
    Random random;
    Call call;
    std::optional<SteadyTime> ticket;  ///< open loop: an arrival that waits for its call
    SteadyTime intended{};             ///< when the call should go out: latency starts here
    SteadyTime first_sent{};
    unsigned attempt = 0;
    milliseconds pause{0};  ///< before the next call
};

Arm::Arm(asio::any_io_executor executor, Sweeper& sweeper, asio::ip::tcp::endpoint endpoint,
         Scenario& scenario, ArmLimits limits, std::uint64_t seed)
    : executor_(executor), scenario_(scenario), limits_(limits) {
    PENSTOCK_ASSERT(limits.connections > 0);
    for (unsigned i = 0; i < limits.connections; ++i) {
        workers_.push_back(std::make_unique<Worker>(executor, sweeper, endpoint, seed + i));
    }
    for (auto const& label : scenario.routes()) stats_.routes.emplace_back().label = label;
}

Arm::~Arm() = default;

asio::awaitable<void> Arm::slice(std::chrono::duration<double> length, bool measured) {
    measuring_ = measured;
    slice_start_ = steady_now();
    slice_end_ = slice_start_ + std::chrono::duration_cast<SteadyTime::duration>(length);
    schedule_.reset();
    if (limits_.rate > 0) schedule_.emplace(slice_start_, slice_end_, limits_.rate);
    if (measured) stats_.slices.emplace_back();

    reactor::TaskGroup group(executor_);
    for (auto const& worker : workers_) group.spawn(drive(*worker));
    // Ends by itself: every exchange has a deadline, and nothing starts after the slice.
    co_await group.join();

    if (!measured) co_return;
    auto& slice = stats_.slices.back();
    slice.seconds = seconds_between(slice_start_, steady_now());
    measured_before_s_ += slice.seconds;
    if (!schedule_ || exhausted_ || stopped_) co_return;
    stats_.scheduled += schedule_->taken() + schedule_->left();
    stats_.not_sent += schedule_->left();
}

asio::awaitable<void> Arm::drive(Worker& worker) {
    worker.ticket.reset();
    for (;;) {
        auto const next = take(worker);
        if (next == Next::done) break;
        if (next == Next::wait) {
            waiting_.push_back(&worker);
            co_await worker.wake.wait(steady_now() + idle_check);
            std::erase(waiting_, &worker);
            continue;
        }
        if (worker.intended > steady_now()) co_await reactor::sleep_until(worker.intended);
        co_await carry(worker);
        if (worker.pause.count() == 0) continue;
        co_await reactor::sleep_until(steady_now() + worker.pause);
        worker.pause = milliseconds{0};
    }
    worker.ticket.reset();
    wake_the_waiting();
}

bool Arm::over(SteadyTime now) const {
    if (stopped_ || exhausted_ || now >= slice_end_) return true;
    return unclear_.size() >= limits_.unclear_max;
}

Next Arm::take(Worker& worker) {
    auto const now = steady_now();
    if (over(now)) return Next::done;
    if (measuring_ && limits_.requests > 0 && measured_started_ >= limits_.requests) {
        exhausted_ = true;
        return Next::done;
    }
    if (schedule_ && !worker.ticket) {
        auto const due = schedule_->take();
        if (due >= slice_end_) return Next::done;
        worker.ticket = due;
    }
    auto const next = scenario_.next(worker.call);
    if (next == Next::done) exhausted_ = true;
    if (next != Next::ready) return next;
    if (measuring_) ++measured_started_;
    worker.intended = worker.ticket.value_or(now);
    worker.ticket.reset();
    return Next::ready;
}

asio::awaitable<void> Arm::carry(Worker& worker) {
    worker.first_sent = steady_now();
    worker.attempt = 0;
    for (;;) {
        ++worker.attempt;
        auto const deadline = steady_now() + limits_.timeout;
        auto const end = co_await worker.connection.exchange(worker.call.bytes, deadline);
        auto const delay = settle(worker, end);
        if (!delay) break;
        ++stats_.resent;
        co_await reactor::sleep_until(steady_now() + *delay);
    }
    wake_the_waiting();
}

std::optional<milliseconds> Arm::settle(Worker& worker, End end) {
    auto const now = steady_now();
    if (end == End::malformed) {
        report_fault("an answer that is not HTTP/1.1");
        ++stats_.unclear["malformed"];
        return again(worker, now);
    }
    if (end != End::answered) {
        bool const late = end == End::timed_out;
        ++stats_.unclear[late ? "timed out" : "connection cut"];
        if (late && measuring_) count_latency(worker.call, now, worker.intended);
        if (!late) worker.pause = pause_after_cut;
        return again(worker, now);
    }
    auto const& response = worker.connection.response();
    switch (judge(response, worker.call.expected_status)) {
        case Verdict::accepted:
            accept(worker, now);
            return std::nullopt;
        case Verdict::unclear:
            ++stats_.unclear[label_of(response)];
            worker.pause = pause_after_refusal;
            return again(worker, now);
        case Verdict::refused:
            break;
        case Verdict::wrong:
            ++stats_.wrong[label_of(response)];
            scenario_.on_failure(worker.call);
            return std::nullopt;
    }
    ++stats_.refused[label_of(response)];
    if (scenario_.must_finish()) return again(worker, now);
    worker.pause = pause_after_refusal;
    scenario_.on_failure(worker.call);
    return std::nullopt;
}

std::optional<milliseconds> Arm::again(Worker& worker, SteadyTime now) {
    bool const must_finish = scenario_.must_finish();
    if (must_finish && now >= worker.first_sent + limits_.give_up) {
        // What depends on this call can never start: the load ends here, and the check says why.
        report_fault("gave up on a request that had to be accepted");
        stopped_ = true;
    }
    if (!must_finish || stopped_) {
        set_aside(worker);
        return std::nullopt;
    }
    worker.pause = milliseconds{0};
    return retry_delay(worker.attempt, worker.connection.response().retry_after_s, worker.random);
}

void Arm::set_aside(Worker& worker) {
    if (!worker.call.changes()) {
        scenario_.on_failure(worker.call);
        return;
    }
    unclear_.push_back(std::move(worker.call));
    worker.call = Call{};
}

void Arm::accept(Worker& worker, SteadyTime now) {
    auto fault = scenario_.on_answer(worker.call, worker.connection.response());
    if (fault) report_fault(std::move(*fault));
    if (!measuring_) return;
    auto& route = stats_.routes[worker.call.route];
    auto& slice = stats_.slices.back();
    route.accepted += 1;
    route.units += worker.call.units;
    slice.accepted += 1;
    slice.units += worker.call.units;
    count_latency(worker.call, now, worker.intended);
    auto const second =
        static_cast<std::size_t>(measured_before_s_ + seconds_between(slice_start_, now));
    auto& series = stats_.accepted_per_second;
    if (second >= series.size()) series.resize(second + 1);
    series[second] += 1;
}

void Arm::count_latency(Call const& call, SteadyTime now, SteadyTime intended) {
    auto const spent = std::chrono::duration_cast<std::chrono::nanoseconds>(now - intended);
    auto const value = static_cast<std::uint64_t>(std::max<std::int64_t>(spent.count(), 0));
    stats_.routes[call.route].latency.record(value);
    stats_.slices.back().latency.record(value);
}

void Arm::report_fault(std::string fault) {
    ++stats_.fault_count;
    if (stats_.faults.size() < faults_shown_max) stats_.faults.push_back(std::move(fault));
}

void Arm::wake_the_waiting() {
    // One call is for the connection that has just become free; at the end everybody goes home.
    auto const available = scenario_.available();
    auto count = std::min(available > 0 ? available - 1 : 0, waiting_.size());
    if (exhausted_ || stopped_) count = waiting_.size();
    for (; count > 0; --count) {
        waiting_.back()->wake.notify();
        waiting_.pop_back();
    }
}

asio::awaitable<void> Arm::resolve() {
    measuring_ = false;
    slice_end_ = steady_now() + limits_.give_up;
    reactor::TaskGroup group(executor_);
    for (auto const& worker : workers_) group.spawn(resolve_some(*worker));
    co_await group.join();
    stats_.unresolved = unclear_.size();
}

asio::awaitable<void> Arm::resolve_some(Worker& worker) {
    worker.attempt = 0;
    while (!unclear_.empty() && steady_now() < slice_end_) {
        worker.call = std::move(unclear_.front());
        unclear_.pop_front();
        auto const deadline = std::min(slice_end_, steady_now() + limits_.timeout);
        auto const end = co_await worker.connection.exchange(worker.call.bytes, deadline);
        ++stats_.resent;
        auto const& response = worker.connection.response();
        auto const verdict =
            end == End::answered ? judge(response, worker.call.expected_status) : Verdict::unclear;
        if (verdict == Verdict::accepted) accept(worker, steady_now());
        if (verdict == Verdict::wrong) {
            ++stats_.wrong[label_of(response)];
            scenario_.on_failure(worker.call);
        }
        if (verdict == Verdict::accepted || verdict == Verdict::wrong) {
            ++stats_.resolved;
            worker.attempt = 0;
            continue;
        }
        // A refusal says that this attempt was not applied, not that the first one was not.
        auto const delay = retry_delay(++worker.attempt, response.retry_after_s, worker.random);
        unclear_.push_back(std::move(worker.call));
        co_await reactor::sleep_until(std::min(slice_end_, steady_now() + delay));
    }
}

}  // namespace penstock::bench
