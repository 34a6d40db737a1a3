#include "bench/chaos/crew.hpp"

#include <algorithm>
#include <exception>

#include "bench/client.hpp"
#include "bench/verdict.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"

namespace penstock::bench::chaos {
namespace {

constexpr milliseconds between_attempts{10};
constexpr milliseconds after_loss{50};
constexpr std::chrono::seconds verdict_max{60};  ///< a key without one for so long is a fault

}  // namespace

void CrewResult::add(CrewResult const& other) {
    sent += other.sent;
    replays_compared += other.replays_compared;
    replays_different += other.replays_different;
    if (other.unusable > unusable) waits = other.waits;
    unusable = std::max(unusable, other.unusable);
    unusable_while_answered = std::max(unusable_while_answered, other.unusable_while_answered);
}

/// One key from the moment its request was lost: how long, and what that was spent on.
class Crew::Loss {
public:
    explicit Loss(SteadyTime at) : at_(at), mark_(at) {}

    void answered(Connection const& connection, End end, SteadyTime now) {
        auto* part = &waits_.silent;
        if (end == End::answered) {
            if (!answered_) answered_ = now;
            auto const code = text_member(connection.response().body, "code");
            part = code == "idempotency_in_flight" ? &waits_.in_flight : &waits_.unable;
        }
        *part += now - mark_;
        mark_ = now;
    }

    void settled(SteadyTime now, CrewResult& result) {
        waits_.verdict = now - mark_;
        if (now - at_ > result.unusable) {
            result.unusable = now - at_;
            result.waits = waits_;
        }
        auto const answering = now - answered_.value_or(now);
        result.unusable_while_answered = std::max(result.unusable_while_answered, answering);
    }

private:
    SteadyTime at_;
    SteadyTime mark_;
    std::optional<SteadyTime> answered_;
    Waits waits_;
};

struct Crew::Worker {
    std::vector<std::unique_ptr<Connection>> connections;  ///< one to each server
    std::size_t home = 0;
    bool patient = false;  ///< its next lost request is asked about at once
};

Crew::Crew(asio::any_io_executor executor, Sweeper& sweeper, Stage const& stage,
           Options const& options, Cargo& cargo)
    : executor_(executor), timeout_(options.timeout), cargo_(cargo) {
    for (unsigned i = 0; i < options.connections; ++i) {
        auto worker = std::make_unique<Worker>();
        worker->home = i;
        worker->patient = i % 2 == 0;
        for (auto const& server : stage.servers()) {
            worker->connections.push_back(
                std::make_unique<Connection>(executor, sweeper, server.endpoint));
        }
        workers_.push_back(std::move(worker));
    }
}

Crew::~Crew() = default;

asio::awaitable<void> Crew::load(Stage& stage, SteadyTime attack_from) {
    reactor::TaskGroup group(executor_);
    for (auto const& worker : workers_) group.spawn(drive(*worker));
    std::exception_ptr failure;
    try {
        co_await reactor::sleep_until(attack_from);
        co_await stage.attack();
    } catch (Unusable const&) {
        failure = std::current_exception();
        given_up_ = true;
    }
    cargo_.attack_is_over();
    co_await group.join();
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> Crew::drive(Worker& worker) {
    auto const persistence = worker.patient ? Persistence::until_known : Persistence::may_leave;
    while (!given_up_) {
        auto const number = co_await cargo_.next();
        if (!number) break;
        auto const word = co_await carry(worker, *number, persistence);
        if (word == Cargo::Word::final) continue;
        co_await reactor::sleep_until(steady_now() + after_loss);
    }
}

asio::awaitable<Cargo::Word> Crew::carry(Worker& worker, std::uint32_t number,
                                         Persistence persistence) {
    auto const started = steady_now();
    std::optional<Loss> loss;
    for (std::size_t attempt = 0; steady_now() < started + verdict_max; ++attempt) {
        auto& connection = *worker.connections[(worker.home + attempt) % worker.connections.size()];
        // Not the log's own bytes: it grows, and moves, while the answer is on its way.
        std::string const request = cargo_.request(number);
        auto const deadline = steady_now() + timeout_;
        auto const end = co_await connection.exchange(request, deadline);
        result_.sent += 1;
        auto const now = steady_now();
        auto word = Cargo::Word::unknown;
        if (end == End::answered) word = cargo_.take_answer(number, connection.response());
        if (word == Cargo::Word::final) {
            if (loss) loss->settled(now, result_);
            co_return word;
        }
        cargo_.lost(number);
        if (persistence == Persistence::may_leave) break;
        if (loss) loss->answered(connection, end, now);
        if (!loss) loss.emplace(now);
        co_await reactor::sleep_until(now + between_attempts);
    }
    co_return Cargo::Word::unknown;
}

asio::awaitable<void> Crew::resolve(std::vector<std::uint32_t> numbers) {
    queue_ = std::move(numbers);
    reactor::TaskGroup group(executor_);
    for (auto const& worker : workers_) group.spawn(resolve_some(*worker));
    co_await group.join();
}

asio::awaitable<void> Crew::resolve_some(Worker& worker) {
    while (!queue_.empty()) {
        auto const number = queue_.back();
        queue_.pop_back();
        co_await carry(worker, number, Persistence::until_known);
    }
}

asio::awaitable<void> Crew::replay(std::vector<std::uint32_t> numbers, Random& random) {
    queue_ = std::move(numbers);
    while (queue_.size() > replays_max) {
        std::swap(queue_[random.below(queue_.size())], queue_.back());
        queue_.pop_back();
    }
    reactor::TaskGroup group(executor_);
    for (auto const& worker : workers_) group.spawn(replay_some(*worker));
    co_await group.join();
}

asio::awaitable<void> Crew::replay_some(Worker& worker) {
    while (!queue_.empty()) {
        auto const number = queue_.back();
        queue_.pop_back();
        auto& connection = *worker.connections[worker.home % worker.connections.size()];
        std::string const request = cargo_.request(number);
        auto const deadline = steady_now() + timeout_;
        auto const end = co_await connection.exchange(request, deadline);
        if (end != End::answered) continue;
        auto const replay = cargo_.compare(number, connection.response());
        if (replay == Cargo::Replay::unclear) continue;
        result_.replays_compared += 1;
        if (replay == Cargo::Replay::different) result_.replays_different += 1;
    }
}

}  // namespace penstock::bench::chaos
