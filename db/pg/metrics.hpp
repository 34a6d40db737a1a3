// What a session with PostgreSQL counts about itself.
#pragma once

#include "reactor/counters.hpp"

namespace penstock::db::pg {

struct SessionMetrics {
    reactor::Count segments;
    reactor::Count statements;
    reactor::Count prepared;   ///< statements prepared, over all connections
    reactor::Count refused;    ///< segments_max reached
    reactor::Count abandoned;  ///< nobody waited for the answer any more
    reactor::Count failed;     ///< segments that a statement of theirs failed
    reactor::Count lost;       ///< segments in flight when their connection was lost
    reactor::Count stuck;      ///< connections dropped after response_max
    reactor::Count connects;   ///< successful; all but the first are reconnects
    reactor::Count connect_failures;
    reactor::Count depth;           ///< a gauge: segments in flight
    reactor::Count up;              ///< a gauge: 1 while connected
    reactor::Histogram round_trip;  ///< of a segment, Histogram::duration_unit
};

}  // namespace penstock::db::pg
