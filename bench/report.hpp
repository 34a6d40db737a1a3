// The results, as a table, as JSON, and as one HTML page with plots.
#pragma once

#include <string>
#include <vector>

#include "bench/options.hpp"
#include "bench/ratios.hpp"
#include "bench/scenario.hpp"
#include "bench/stats.hpp"
#include "bench/text_parts.hpp"

namespace penstock::bench {

struct ArmResult {
    std::string url;
    std::string server;  ///< what GET /version said, as it came
    Stats stats;
    std::vector<std::string> off;  ///< what is wrong with the books
    Figures figures;

    bool sound() const;
};

/// The target compared with one other server.
struct Comparison {
    std::string against;
    Ratios ratios;
};

struct RunResult {
    Options options;
    std::string unit;
    std::string started_at;               ///< RFC 3339
    std::vector<ArmResult> arms;          ///< target, then what it is compared with
    std::vector<Comparison> comparisons;  ///< one for each arm but the first
    double generator_cpu = 0;             ///< of one core, while load was on

    bool sound() const;
};

std::string table(RunResult const& result);
std::string to_json(RunResult const& result);
std::string to_html(RunResult const& result);

/// The conditions in one line: a figure without them is not a figure.
std::string conditions(RunResult const& result);

inline constexpr double shown_percentiles[] = {50, 90, 99, 99.9};

}  // namespace penstock::bench
