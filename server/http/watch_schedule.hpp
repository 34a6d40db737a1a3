// WHAT one watcher of a feed is due, and when. Pure: the time is an argument.
#pragma once

#include <algorithm>

#include "reactor/result.hpp"

namespace penstock::server {

/// Events at least `gap` apart, and a sign of life wherever nothing was sent for `heartbeat`.
class WatchSchedule {
public:
    enum class Due { nothing, event, heartbeat };

    WatchSchedule(milliseconds gap, milliseconds heartbeat, SteadyTime now)
        : gap_(gap), heartbeat_(heartbeat), event_from_(now), heartbeat_at_(now + heartbeat) {}

    /// `has_news`: there is something that this watcher has not been told.
    Due due(SteadyTime now, bool has_news) const {
        if (has_news && now >= event_from_) return Due::event;
        return now >= heartbeat_at_ ? Due::heartbeat : Due::nothing;
    }
    SteadyTime due_at(bool has_news) const {
        return has_news ? std::min(event_from_, heartbeat_at_) : heartbeat_at_;
    }
    void sent(Due what, SteadyTime now) {
        heartbeat_at_ = now + heartbeat_;
        if (what == Due::event) event_from_ = now + gap_;
    }

private:
    milliseconds gap_;
    milliseconds heartbeat_;
    SteadyTime event_from_;
    SteadyTime heartbeat_at_;
};

}  // namespace penstock::server
