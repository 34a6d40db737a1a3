// Who has answered a server's reads that were to come from its shadow.
#pragma once

#include <cstdlib>
#include <sstream>
#include <string>

#include "tests/e2e/api.hpp"

namespace penstock::tests {

/// `by`: shadow or primary. Over all threads.
inline double reads_answered(Api& api, std::string const& by = "shadow") {
    std::istringstream text(api.get("/metrics").body);
    double sum = 0;
    for (std::string line; std::getline(text, line);)
        if (line.starts_with("penstock_shadow_reads_total") &&
            line.find("by=\"" + by + '"') != std::string::npos)
            sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
    return sum;
}

}  // namespace penstock::tests
