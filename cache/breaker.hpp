// May Redis be asked now? Pure: `now` is an argument, and no event loop is in sight.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>

#include "reactor/result.hpp"

namespace penstock::cache {

struct BreakerLimits {
    unsigned failures_in_a_row = 5;  ///< this many open it
    unsigned failure_percent = 50;   ///< so does this share of the calls of a window
    unsigned window_calls_min = 20;  ///< of which there must be at least so many
    milliseconds window{10'000};
    milliseconds cool_down_first{100};  ///< from opening to the first probe
    milliseconds cool_down_max{2'000};  ///< it doubles with each failed probe up to this
};

enum class BreakerState { closed, half_open, open };

std::ostream& operator<<(std::ostream& out, BreakerState state);

/// How a call ended, as a judgement on Redis. `none`: it says nothing (the caller left early).
enum class Verdict { success, failure, none };

/// A circuit breaker: closed, calls pass; open, they are refused at once; after a cool-down one
/// probe at a time passes, and its success closes the breaker again.
class Breaker {
public:
    explicit Breaker(BreakerLimits limits) : limits_(limits), cool_down_(limits.cool_down_first) {}

    /// What a call carries from admission to judgement: a call of an earlier epoch is too old to
    /// judge the present one.
    struct Pass {
        std::uint64_t epoch = 0;
    };

    /// Nothing: refused. Every Pass must be judged, once.
    std::optional<Pass> admit(SteadyTime now);
    void judge(Pass pass, Verdict verdict, SteadyTime now);

    BreakerState state() const { return state_; }
    std::uint64_t openings() const { return openings_; }

private:
    void enter(BreakerState state);
    void open(SteadyTime now);
    void count(Verdict verdict, SteadyTime now);
    bool too_many_failures() const;

    BreakerLimits limits_;
    BreakerState state_ = BreakerState::closed;
    std::uint64_t epoch_ = 0;  ///< grows with every change of state
    std::uint64_t openings_ = 0;
    milliseconds cool_down_;
    SteadyTime probe_at_{};    ///< while open
    bool probing_ = false;     ///< while half open
    SteadyTime window_end_{};  ///< while closed, as is the rest
    unsigned calls_ = 0;
    unsigned failures_ = 0;
    unsigned failures_in_a_row_ = 0;
};

}  // namespace penstock::cache
