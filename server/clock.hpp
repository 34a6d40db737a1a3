// The only place that reads the wall clock. Rules get an Instant as an argument.
#pragma once

#include <algorithm>
#include <chrono>

#include "domain/instant.hpp"

namespace penstock::server {

class Clock {
public:
    virtual ~Clock() = default;
    virtual domain::Instant now() noexcept = 0;
};

/// UTC in whole milliseconds, never going back: a step of the system's clock holds it still.
/// One per shard.
class SystemClock final : public Clock {
public:
    domain::Instant now() noexcept override {
        using namespace std::chrono;
        auto const ms = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
        last_.ms = std::max<std::int64_t>(last_.ms, ms);
        return last_;
    }

private:
    domain::Instant last_;
};

}  // namespace penstock::server
