// The results for people who want to see them: one page, plots included, no foreign resource.
#include <algorithm>
#include <cmath>

#include "bench/html_parts.hpp"
#include "bench/report.hpp"

namespace penstock::bench {
namespace {

std::string arm_label(RunResult const& result, std::size_t index) {
    if (result.arms.size() < 2) return result.arms[index].url;
    return (index == 0 ? "target " : "against ") + result.arms[index].url;
}

Plot throughput_plot(RunResult const& result) {
    Plot plot;
    plot.title = "Throughput over time";
    plot.x_title = "measured second";
    plot.y_title = "accepted requests per second";
    double most = 0;
    double last = 1;
    for (std::size_t i = 0; i < result.arms.size(); ++i) {
        auto const& arm = result.arms[i];
        auto const& counts = arm.stats.accepted_per_second;
        // The last second is not whole: it would draw a fall that did not happen.
        auto const whole = static_cast<std::size_t>(arm.stats.seconds());
        PlotSeries series;
        series.label = arm_label(result, i);
        for (std::size_t second = 0; second < std::min(whole, counts.size()); ++second) {
            auto const y = static_cast<double>(counts[second]);
            series.points.push_back({static_cast<double>(second + 1), y});
            most = std::max(most, y);
            last = std::max(last, static_cast<double>(second + 1));
        }
        plot.series.push_back(std::move(series));
    }
    plot.x_ticks = linear_ticks(last);
    plot.y_ticks = linear_ticks(most);
    return plot;
}

Plot latency_plot(RunResult const& result) {
    std::vector<std::pair<std::string, Histogram>> series;
    for (std::size_t i = 0; i < result.arms.size(); ++i) {
        auto const& stats = result.arms[i].stats;
        bool const by_route = result.arms.size() == 1 && stats.routes.size() > 1;
        if (!by_route) series.emplace_back(arm_label(result, i), stats.latency());
        if (!by_route) continue;
        for (auto const& route : stats.routes) series.emplace_back(route.label, route.latency);
    }
    return latency_plot(series);
}

std::string row(std::string const& label, std::uint64_t accepted, double seconds,
                Histogram const& latency) {
    return "<tr>" + html_cell(label) + html_cell(std::to_string(accepted)) +
           html_cell(rate_text(per_second(accepted, seconds))) + latency_cells(latency) + "</tr>";
}

std::string arm_section(RunResult const& result, std::size_t index) {
    auto const& arm = result.arms[index];
    auto const& stats = arm.stats;
    std::string out = "<h2>" + html_text(arm_label(result, index)) + "</h2><p class=\"soft\">" +
                      html_text(arm.server) + "</p><div class=\"wide\"><table><tr><th>route</th>" +
                      "<th>accepted</th><th>per second</th>" + latency_cell_heads() + "</tr>";
    for (auto const& route : stats.routes) {
        out += row(route.label, route.accepted, stats.seconds(), route.latency);
    }
    if (stats.routes.size() > 1) {
        out += row("all", stats.accepted(), stats.seconds(), stats.latency());
    }
    if (stats.units() != stats.accepted()) {
        out += row(result.unit, stats.units(), stats.seconds(), stats.latency());
    }
    out += "</table></div>" + html_counts("turned away", stats.refused) +
           html_counts("unclear at first", stats.unclear) +
           html_counts("wrong answers", stats.wrong);
    for (auto const& [name, value] : arm.figures) {
        out += "<p>" + html_text(name) + ": " + html_text(value) + "</p>";
    }
    out += html_notes("bad", arm.off);
    out += arm.sound() ? "<p class=\"good\">Books agree with every acknowledged amount.</p>"
                       : "<p class=\"bad\">Not sound.</p>";
    return out;
}

std::string ratio_row(char const* label, Spread const& spread) {
    char text[160];
    std::snprintf(text, sizeof text, "<tr><td>%s</td><td>%.3f</td><td>%.3f</td><td>%.3f</td></tr>",
                  label, spread.median, spread.min, spread.max);
    return text;
}

std::string ratio_section(RunResult const& result) {
    std::string out;
    for (auto const& [against, ratios] : result.comparisons) {
        out += "<h2>Target ÷ " + html_text(against) + ", over " + std::to_string(ratios.pairs) +
               " pairs of neighbouring slices</h2><div class=\"wide\"><table><tr><th></th>"
               "<th>median</th><th>min</th><th>max</th></tr>" +
               ratio_row("throughput", ratios.throughput) + ratio_row("p50", ratios.p50) +
               ratio_row("p99", ratios.p99) + "</table></div>";
    }
    return out;
}

}  // namespace

std::string to_html(RunResult const& result) {
    std::string const title = "penstock-bench: " + result.options.scenario;
    std::string body = "<h1>" + html_text(title) + "</h1><p class=\"soft\">" +
                       html_text(conditions(result)) + " · " + html_text(result.started_at) +
                       "</p>" + ratio_section(result);
    for (std::size_t i = 0; i < result.arms.size(); ++i) body += arm_section(result, i);
    body += svg(throughput_plot(result)) + svg(latency_plot(result));
    return html_page(title, body);
}

}  // namespace penstock::bench
