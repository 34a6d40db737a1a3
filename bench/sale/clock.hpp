// What time is it on the server: from the times that its answers carry. Pure.
#pragma once

#include <cstdint>

#include "reactor/result.hpp"

namespace penstock::bench::sale {

/// Each answer was made between its request and itself; the one that took least knows best.
class ServerClock {
public:
    void observe(SteadyTime sent, SteadyTime received, std::int64_t server_ms) {
        auto const took = received - sent;
        if (took >= least_) return;
        least_ = took;
        at_ = sent + took / 2;
        server_ms_ = server_ms;
    }

    bool known() const { return least_ != SteadyTime::duration::max(); }

    /// How far off it may be: half of the way there and back, and the millisecond that is cut off.
    SteadyTime::duration error() const { return least_ / 2 + milliseconds{1}; }

    std::int64_t server_ms(SteadyTime at) const {
        return server_ms_ + std::chrono::duration_cast<milliseconds>(at - at_).count();
    }
    SteadyTime steady(std::int64_t server_ms) const {
        return at_ + milliseconds(server_ms - server_ms_);
    }

private:
    SteadyTime::duration least_ = SteadyTime::duration::max();
    SteadyTime at_{};
    std::int64_t server_ms_ = 0;
};

}  // namespace penstock::bench::sale
