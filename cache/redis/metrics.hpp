// What a Redis client counts about itself.
#pragma once

#include "reactor/counters.hpp"

namespace penstock::cache {

struct RedisMetrics {
    reactor::Count commands;            ///< handed to the connection
    reactor::Count posted;              ///< of these, the ones whose reply nobody waits for
    reactor::Count posted_refused;      ///< of these, the ones that got an error reply
    reactor::Count failed_lost;         ///< in flight when the connection was lost
    reactor::Count failed_unavailable;  ///< breaker open, not connected, not yet sent, loading …
    reactor::Count failed_refused;      ///< an error reply that is about the command
    reactor::Count failed_overloaded;   ///< commands_max or outbox_bytes_max reached
    reactor::Count failed_late;         ///< the deadline or the patience ended first
    reactor::Count abandoned;           ///< answers that nobody waited for any more
    reactor::Count connects;            ///< successful ones
    reactor::Count reconnects;          ///< of these, all but the first
    reactor::Count connect_failures;
    reactor::Count drops;           ///< connections that ended, whoever ended them
    reactor::Count drops_silent;    ///< of these, for an answer that did not come
    reactor::Count drops_protocol;  ///< of these, for bytes that were no answer
    reactor::Count scripts_sent;    ///< EVAL after a NOSCRIPT
    reactor::Count breaker_openings;
    reactor::Count breaker_state;   ///< a gauge: BreakerState as a number
    reactor::Count in_flight;       ///< a gauge
    reactor::Count up;              ///< a gauge: 1 while connected and logged in
    reactor::Histogram round_trip;  ///< Histogram::duration_unit
};

}  // namespace penstock::cache
