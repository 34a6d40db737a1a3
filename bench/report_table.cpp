// The results for a terminal, and whether the run was sound.
#include <cstdio>

#include "bench/report.hpp"

namespace penstock::bench {
namespace {

constexpr std::size_t differences_shown_max = 20;

template <class... Arguments>
std::string format(char const* pattern, Arguments... arguments) {
    char text[256];
    std::snprintf(text, sizeof text, pattern, arguments...);
    return text;
}

double per_second(std::uint64_t count, double seconds) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::string latency_row(char const* label, std::uint64_t accepted, double seconds,
                        Histogram const& latency) {
    auto row = format("  %-28s %10s/s", label, rate_text(per_second(accepted, seconds)).c_str());
    for (double const percent : shown_percentiles) {
        row += format(" %9s", duration_text(latency.percentile(percent)).c_str());
    }
    return row + format(" %9s\n", duration_text(latency.max()).c_str());
}

std::string counts_row(char const* label, StatusCounts const& counts) {
    if (counts.empty()) return {};
    std::string row = format("  %-28s", label);
    for (auto const& [what, count] : counts) {
        row += " " + std::to_string(count) + " × " + what + ";";
    }
    row.back() = '\n';
    return row;
}

std::string open_loop_row(Stats const& stats) {
    if (stats.scheduled == 0) return {};
    return format("  %-28s %llu due, %llu never sent: no connection came free\n", "arrivals",
                  static_cast<unsigned long long>(stats.scheduled),
                  static_cast<unsigned long long>(stats.not_sent));
}

std::string verdict_rows(ArmResult const& arm) {
    auto const& stats = arm.stats;
    std::string out;
    for (auto const& fault : stats.faults) out += "  FAULT " + fault.substr(0, 300) + "\n";
    if (stats.unresolved > 0) {
        out += "  FAULT " + std::to_string(stats.unresolved) + " requests of unknown fate\n";
    }
    std::size_t shown = 0;
    for (auto const& difference : arm.off) {
        if (++shown > differences_shown_max) break;
        out += "  OFF   " + difference + "\n";
    }
    if (arm.off.size() > differences_shown_max) {
        out += "  OFF   and " + std::to_string(arm.off.size() - differences_shown_max) + " more\n";
    }
    if (arm.off.empty()) out += "  books agree with every acknowledged amount\n";
    return out;
}

std::string arm_table(ArmResult const& arm, RunResult const& result) {
    auto const& stats = arm.stats;
    double const seconds = stats.seconds();
    std::string out = "\n" + arm.url + "  " + arm.server + "\n";
    out += format("  %-28s %12s %9s %9s %9s %9s %9s\n", "", "throughput", "p50", "p90", "p99",
                  "p99.9", "max");
    for (auto const& route : stats.routes) {
        out += latency_row(route.label.c_str(), route.accepted, seconds, route.latency);
    }
    if (stats.routes.size() > 1) {
        out += latency_row("all", stats.accepted(), seconds, stats.latency());
    }
    if (stats.units() != stats.accepted()) {
        out += format("  %-28s %10s/s\n", result.unit.c_str(),
                      rate_text(per_second(stats.units(), seconds)).c_str());
    }
    out += open_loop_row(stats);
    out += counts_row("turned away", stats.refused);
    out += counts_row("unclear at first", stats.unclear);
    out += counts_row("wrong answers", stats.wrong);
    if (stats.resent > 0) {
        out += "  sent again under the same key: " + std::to_string(stats.resent) + "\n";
    }
    for (auto const& [name, value] : arm.figures) {
        out += format("  %-28s ", name.c_str()) + value + "\n";
    }
    return out + verdict_rows(arm);
}

std::string share_text(Options const& o) {
    std::string const target = format("%.2f", o.repeat);
    return o.repeat_against ? target + " against " + format("%.2f", *o.repeat_against) : target;
}

std::string ratio_row(char const* label, Spread const& spread) {
    return format("  %-28s median %7.3f   min %7.3f   max %7.3f\n", label, spread.median,
                  spread.min, spread.max);
}

}  // namespace

bool ArmResult::sound() const {
    bool const answers = stats.fault_count == 0 && stats.wrong.empty();
    return answers && stats.unresolved == 0 && off.empty();
}

bool RunResult::sound() const {
    for (auto const& arm : arms) {
        if (!arm.sound()) return false;
    }
    return true;
}

std::string duration_text(std::uint64_t nanoseconds) {
    auto const value = static_cast<double>(nanoseconds);
    if (value < 1e6) return format("%.0f us", value / 1e3);
    if (value < 1e9) return format(value < 1e8 ? "%.2f ms" : "%.0f ms", value / 1e6);
    return format("%.2f s", value / 1e9);
}

std::string rate_text(double per_second) {
    return format(per_second < 100 ? "%.1f" : "%.0f", per_second);
}

std::string conditions(RunResult const& result) {
    auto const& o = result.options;
    std::string out = o.scenario;
    bool const told_as = o.scenario == "retail" || o.scenario == "replays";
    if (told_as) out += std::string(" as ") + name_of(o.as);
    if (o.scenario != "retail" && o.scenario != "flat") {
        out += std::string(", ") + name_of(o.pattern) + ", " + std::to_string(o.accounts) +
               " accounts in each of " + std::to_string(o.ledgers) + " ledger(s)";
    }
    if (o.scenario == "bulk") out += ", " + std::to_string(o.batch) + " transfers per request";
    if (o.scenario == "replays") out += ", share of repeated keys " + share_text(o);
    out += ", " + std::to_string(o.connections) + " connections";
    out += o.rate > 0 ? ", open loop at " + rate_text(o.rate) + "/s" : ", closed loop";
    return out;
}

std::string table(RunResult const& result) {
    std::string out = conditions(result) + "\n";
    for (auto const& arm : result.arms) {
        out += arm_table(arm, result);
        out += format("  %-28s %.1f s\n", "measured", arm.stats.seconds());
    }
    for (auto const& comparison : result.comparisons) {
        auto const& ratios = comparison.ratios;
        out += "\ntarget ÷ " + comparison.against + ", over " + std::to_string(ratios.pairs) +
               " pairs of slices\n";
        out += ratio_row("throughput", ratios.throughput);
        out += ratio_row("p50", ratios.p50);
        out += ratio_row("p99", ratios.p99);
        out +=
            format("  %-28s        %7.3f\n", "throughput of all slices", ratios.throughput_of_all);
    }
    out += format("\ngenerator: %.0f %% of one core\n", result.generator_cpu * 100);
    return out;
}

}  // namespace penstock::bench
