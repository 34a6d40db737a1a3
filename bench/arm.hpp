// Keeps one server busy: N connections that carry a scenario's calls, in slices of time.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "bench/connection.hpp"
#include "bench/scenario.hpp"
#include "bench/schedule.hpp"
#include "bench/stats.hpp"
#include "bench/verdict.hpp"
#include "reactor/pulse.hpp"

namespace penstock::bench {

struct ArmLimits {
    unsigned connections = 64;
    milliseconds timeout{10'000};
    double rate = 0;                    ///< 0: closed loop
    std::uint64_t requests = 0;         ///< measured ones; 0: no limit
    std::size_t unclear_max = 200'000;  ///< more calls of unknown fate than this end the load
    std::chrono::seconds give_up{60};   ///< a call that must succeed is tried for so long
};

/// One server's side of a run. Between slices no request is in flight.
class Arm {
public:
    Arm(asio::any_io_executor executor, Sweeper& sweeper, asio::ip::tcp::endpoint endpoint,
        Scenario& scenario, ArmLimits limits, std::uint64_t seed);
    Arm(Arm&&) = delete;
    ~Arm();

    /// Calls start until `length` has passed (`never` ends with the scenario); those in flight
    /// then are waited for and count. What is not measured changes the books all the same.
    asio::awaitable<void> slice(std::chrono::duration<double> length, bool measured);

    /// Sends the calls of unknown fate again under their keys until their fate is known.
    asio::awaitable<void> resolve();

    /// No new calls from now on: the user has had enough, or something went badly wrong.
    void stop() { stopped_ = true; }

    /// The scenario has no more calls, or as many were measured as were asked for.
    bool exhausted() const { return exhausted_; }
    Stats const& stats() const { return stats_; }

private:
    struct Worker;

    asio::awaitable<void> drive(Worker& worker);
    asio::awaitable<void> carry(Worker& worker);
    asio::awaitable<void> resolve_some(Worker& worker);
    Next take(Worker& worker);
    bool over(SteadyTime now) const;
    /// Books an ended exchange; a delay when the same call must go out again.
    std::optional<milliseconds> settle(Worker& worker, End end);
    std::optional<milliseconds> again(Worker& worker, SteadyTime now);
    void accept(Worker& worker, SteadyTime now);
    void set_aside(Worker& worker);
    void count_latency(Call const& call, SteadyTime now, SteadyTime intended);
    void report_fault(std::string fault);
    void wake_the_waiting();

    asio::any_io_executor executor_;
    Scenario& scenario_;
    ArmLimits limits_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<Worker*> waiting_;
    std::deque<Call> unclear_;
    Stats stats_;

    SteadyTime slice_start_{};
    SteadyTime slice_end_ = never;
    std::optional<Schedule> schedule_;
    std::uint64_t measured_started_ = 0;
    double measured_before_s_ = 0;  ///< by earlier slices
    bool measuring_ = false;
    bool stopped_ = false;
    bool exhausted_ = false;
};

}  // namespace penstock::bench
