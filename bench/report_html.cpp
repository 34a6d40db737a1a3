// The results for people who want to see them: one page, plots included, no foreign resource.
#include <algorithm>
#include <cmath>

#include "bench/plot.hpp"
#include "bench/report.hpp"

namespace penstock::bench {
namespace {

constexpr std::size_t differences_shown_max = 20;

constexpr char const* style = R"(<style>
:root{color-scheme:light dark;--ink:#1c1e21;--paper:#fff;--soft:#5f6670;--grid:#e2e5e9;
--c0:#0b62c4;--c1:#c2410c;--c2:#15803d;--c3:#7e22ce;--c4:#a16207;--good:#15803d;--bad:#b91c1c}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--paper:#15181c;--soft:#a0a8b3;--grid:#2c323a;
--c0:#6cb2ff;--c1:#ff9f6b;--c2:#6ddf95;--c3:#cf9bff;--c4:#e6c35c;--good:#6ddf95;--bad:#ff8a8a}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:920px;
margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin:2rem 0 .3rem}p.soft,.legend{color:var(--soft)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.3rem .5rem;border-bottom:1px solid var(--grid)}
th:first-child,td:first-child{text-align:left}
.wide{overflow-x:auto}svg{width:100%;height:auto}svg text{font-size:12px;fill:var(--soft)}
.grid{stroke:var(--grid)}polyline{fill:none;stroke-width:2;stroke-linejoin:round}
polyline.s0{stroke:var(--c0)}polyline.s1{stroke:var(--c1)}polyline.s2{stroke:var(--c2)}
polyline.s3{stroke:var(--c3)}polyline.s4{stroke:var(--c4)}
span.s0{color:var(--c0)}span.s1{color:var(--c1)}span.s2{color:var(--c2)}span.s3{color:var(--c3)}
span.s4{color:var(--c4)}.good{color:var(--good)}.bad{color:var(--bad)}
</style>)";

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

/// How many nines: 90 % is 1, 99 % is 2.
double nines(double percent) { return -std::log10(1 - percent / 100); }

PlotSeries latency_series(std::string label, Histogram const& latency) {
    PlotSeries series;
    series.label = std::move(label);
    constexpr int steps_per_nine = 12;
    constexpr double nines_max = 4;
    for (int step = 0; step <= static_cast<int>(nines_max * steps_per_nine); ++step) {
        double const x = static_cast<double>(step) / steps_per_nine;
        double const percent = 100 * (1 - std::pow(10.0, -x));
        // Beyond one sample per step a percentile is the maximum again and says nothing.
        if (static_cast<double>(latency.count()) < std::pow(10.0, x)) break;
        auto const value =
            static_cast<double>(std::max<std::uint64_t>(latency.percentile(percent), 1000));
        series.points.push_back({x, std::log10(value)});
    }
    return series;
}

Plot latency_plot(RunResult const& result) {
    Plot plot;
    plot.title = "Latency by percentile";
    plot.x_title = "percentile";
    plot.y_title = "latency (logarithmic)";
    for (std::size_t i = 0; i < result.arms.size(); ++i) {
        auto const& stats = result.arms[i].stats;
        bool const by_route = result.arms.size() == 1 && stats.routes.size() > 1;
        if (!by_route) plot.series.push_back(latency_series(arm_label(result, i), stats.latency()));
        if (!by_route) continue;
        for (auto const& route : stats.routes) {
            plot.series.push_back(latency_series(route.label, route.latency));
        }
    }
    plot.x_ticks = {{0, "0"}, {nines(50), "50 %"}};
    plot.x_ticks.insert(plot.x_ticks.end(),
                        {{1, "90 %"}, {2, "99 %"}, {3, "99.9 %"}, {4, "99.99 %"}});
    double least = 12;
    double most = 3;
    for (auto const& series : plot.series) {
        for (auto const& point : series.points) {
            least = std::min(least, point.y);
            most = std::max(most, point.y);
        }
    }
    for (double decade = std::floor(std::min(least, most)); decade <= std::ceil(most) + 0.5;) {
        plot.y_ticks.push_back({decade, duration_text(static_cast<std::uint64_t>(
                                            std::llround(std::pow(10.0, decade))))});
        decade += 1;
    }
    return plot;
}

std::string cell(std::string const& text) { return "<td>" + html_text(text) + "</td>"; }

std::string row(std::string const& label, std::uint64_t accepted, double seconds,
                Histogram const& latency) {
    double const rate = seconds > 0 ? static_cast<double>(accepted) / seconds : 0;
    std::string out = "<tr>" + cell(label) + cell(std::to_string(accepted)) + cell(rate_text(rate));
    for (double const percent : shown_percentiles) {
        out += cell(duration_text(latency.percentile(percent)));
    }
    return out + cell(duration_text(latency.max())) + "</tr>";
}

std::string counts(char const* label, StatusCounts const& values) {
    std::string out;
    for (auto const& [what, count] : values) {
        out += "<p>" + std::string(label) + ": " + std::to_string(count) + " × " + html_text(what) +
               "</p>";
    }
    return out;
}

std::string arm_section(RunResult const& result, std::size_t index) {
    auto const& arm = result.arms[index];
    auto const& stats = arm.stats;
    std::string out = "<h2>" + html_text(arm_label(result, index)) + "</h2><p class=\"soft\">" +
                      html_text(arm.server) + "</p><div class=\"wide\"><table><tr><th>route</th>" +
                      "<th>accepted</th><th>per second</th><th>p50</th><th>p90</th><th>p99</th>" +
                      "<th>p99.9</th><th>max</th></tr>";
    for (auto const& route : stats.routes) {
        out += row(route.label, route.accepted, stats.seconds(), route.latency);
    }
    if (stats.routes.size() > 1) {
        out += row("all", stats.accepted(), stats.seconds(), stats.latency());
    }
    if (stats.units() != stats.accepted()) {
        out += row(result.unit, stats.units(), stats.seconds(), stats.latency());
    }
    out += "</table></div>" + counts("turned away", stats.refused) +
           counts("unclear at first", stats.unclear) + counts("wrong answers", stats.wrong);
    for (auto const& [name, value] : arm.figures) {
        out += "<p>" + html_text(name) + ": " + html_text(value) + "</p>";
    }
    std::size_t shown = 0;
    for (auto const& difference : arm.off) {
        if (++shown > differences_shown_max) break;
        out += "<p class=\"bad\">" + html_text(difference) + "</p>";
    }
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
    std::string out =
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\"><title>penstock-bench " +
        html_text(result.options.scenario) + "</title>";
    out += style;
    out += "</head><body><h1>penstock-bench: " + html_text(result.options.scenario) +
           "</h1><p class=\"soft\">" + html_text(conditions(result)) + " · " +
           html_text(result.started_at) + "</p>";
    out += ratio_section(result);
    for (std::size_t i = 0; i < result.arms.size(); ++i) out += arm_section(result, i);
    out += svg(throughput_plot(result)) + svg(latency_plot(result));
    return out + "</body></html>\n";
}

}  // namespace penstock::bench
