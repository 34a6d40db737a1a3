#include "cache/breaker.hpp"

#include <algorithm>
#include <ostream>

namespace penstock::cache {

std::ostream& operator<<(std::ostream& out, BreakerState state) {
    switch (state) {
        case BreakerState::closed:
            return out << "closed";
        case BreakerState::half_open:
            return out << "half_open";
        case BreakerState::open:
            break;
    }
    return out << "open";
}

std::optional<Breaker::Pass> Breaker::admit(SteadyTime now) {
    if (state_ == BreakerState::open && now >= probe_at_) enter(BreakerState::half_open);
    if (state_ == BreakerState::open) return std::nullopt;
    if (state_ == BreakerState::half_open) {
        if (probing_) return std::nullopt;
        probing_ = true;
    }
    return Pass{epoch_};
}

void Breaker::judge(Pass pass, Verdict verdict, SteadyTime now) {
    if (pass.epoch != epoch_) return;
    if (state_ == BreakerState::closed) {
        count(verdict, now);
        if (too_many_failures()) open(now);
        return;
    }
    probing_ = false;
    if (verdict == Verdict::none) return;
    if (verdict == Verdict::success) {
        cool_down_ = limits_.cool_down_first;
        enter(BreakerState::closed);
        return;
    }
    cool_down_ = std::min(cool_down_ * 2, limits_.cool_down_max);
    open(now);
}

void Breaker::enter(BreakerState state) {
    state_ = state;
    ++epoch_;
    probing_ = false;
    window_end_ = {};
    calls_ = failures_ = failures_in_a_row_ = 0;
}

void Breaker::open(SteadyTime now) {
    enter(BreakerState::open);
    ++openings_;
    probe_at_ = now + cool_down_;
}

void Breaker::count(Verdict verdict, SteadyTime now) {
    if (verdict == Verdict::none) return;
    if (now >= window_end_) {
        window_end_ = now + limits_.window;
        calls_ = failures_ = 0;
    }
    ++calls_;
    if (verdict == Verdict::success) {
        failures_in_a_row_ = 0;
        return;
    }
    ++failures_;
    ++failures_in_a_row_;
}

bool Breaker::too_many_failures() const {
    if (failures_in_a_row_ >= limits_.failures_in_a_row) return true;
    if (calls_ < limits_.window_calls_min) return false;
    return std::uint64_t{failures_} * 100 >= std::uint64_t{calls_} * limits_.failure_percent;
}

}  // namespace penstock::cache
