// When a run was, what it is called, and what the generator itself has cost.
#pragma once

#include <string>

#include "reactor/result.hpp"

namespace penstock::bench {

std::string utc_now();

/// Twelve hexadecimal digits that no other run has.
std::string new_run_id();

/// Processor time of this program from here on.
class CpuShare {
public:
    CpuShare();
    double of_one_core() const;

private:
    double spent_;
    SteadyTime since_;
};

}  // namespace penstock::bench
