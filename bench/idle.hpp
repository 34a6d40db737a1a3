// What idle connections cost a server: its memory before them and with them.
#pragma once

#include <string>

#include "bench/options.hpp"

namespace penstock::bench {

struct IdleResult {
    unsigned connections = 0;
    unsigned answered_first = 0;  ///< each connection's first request
    unsigned answered_again = 0;  ///< its second, after the silence
    double silence_s = 0;
    double resident_before = 0;  ///< bytes, of the server's whole process
    double resident_with = 0;    ///< at the end of the silence

    /// Nobody was turned away and nobody was dropped.
    bool sound() const { return answered_first == connections && answered_again == connections; }
};

/// Opens --connections, asks each for /healthz, leaves them alone for --duration and asks each
/// again. Memory is what the server's own /metrics says, so it may be any server. Throws Unusable.
IdleResult hold_idle(Options const& options);

std::string table(IdleResult const& result);
std::string to_json(IdleResult const& result);

}  // namespace penstock::bench
