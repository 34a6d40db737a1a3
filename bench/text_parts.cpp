#include "bench/text_parts.hpp"

#include "bench/report.hpp"

namespace penstock::bench {

double per_second(std::uint64_t count, double seconds) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
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

std::string figure_row(std::string const& label, std::string const& value) {
    return format("  %-28s ", label.c_str()) + value + "\n";
}

std::string figure_row(std::string const& label, std::uint64_t value) {
    return figure_row(label, std::to_string(value));
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

std::string latency_head(char const* first) {
    return format("  %-28s %12s %9s %9s %9s %9s %9s\n", "", first, "p50", "p90", "p99", "p99.9",
                  "max");
}

std::string latency_row(char const* label, std::string const& first, Histogram const& latency) {
    auto row = format("  %-28s %12s", label, first.c_str());
    for (double const percent : shown_percentiles) {
        row += format(" %9s", duration_text(latency.percentile(percent)).c_str());
    }
    return row + format(" %9s\n", duration_text(latency.max()).c_str());
}

}  // namespace penstock::bench
