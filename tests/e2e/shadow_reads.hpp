// How many reads of a server its shadow has answered.
#pragma once

#include <cstdlib>
#include <sstream>
#include <string>

#include "tests/e2e/api.hpp"

namespace penstock::tests {

/// Over all threads.
inline double answered_by_shadow(Api& api) {
    std::istringstream text(api.get("/metrics").body);
    double sum = 0;
    for (std::string line; std::getline(text, line);)
        if (line.starts_with("penstock_shadow_reads_total") &&
            line.find("by=\"shadow\"") != std::string::npos)
            sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
    return sum;
}

}  // namespace penstock::tests
