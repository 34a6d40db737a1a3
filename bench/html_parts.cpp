#include "bench/html_parts.hpp"

#include <algorithm>
#include <cmath>

#include "bench/report.hpp"

namespace penstock::bench {
namespace {

constexpr std::size_t notes_shown_max = 20;

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

}  // namespace

std::string html_page(std::string const& title, std::string const& body) {
    std::string out =
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\"><title>" +
        html_text(title) + "</title>";
    out += style;
    return out + "</head><body>" + body + "</body></html>\n";
}

std::string html_cell(std::string const& text) { return "<td>" + html_text(text) + "</td>"; }

std::string latency_cell_heads() {
    return "<th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th>";
}

std::string latency_cells(Histogram const& latency) {
    std::string out;
    for (double const percent : shown_percentiles) {
        out += html_cell(duration_text(latency.percentile(percent)));
    }
    return out + html_cell(duration_text(latency.max()));
}

std::string html_counts(char const* label, StatusCounts const& values) {
    std::string out;
    for (auto const& [what, count] : values) {
        out += "<p>" + std::string(label) + ": " + std::to_string(count) + " × " + html_text(what) +
               "</p>";
    }
    return out;
}

std::string html_notes(char const* css_class, std::vector<std::string> const& notes) {
    std::string out;
    for (std::size_t i = 0; i < std::min(notes.size(), notes_shown_max); ++i) {
        out += std::string("<p class=\"") + css_class + "\">" + html_text(notes[i]) + "</p>";
    }
    return out;
}

Plot latency_plot(std::vector<std::pair<std::string, Histogram>> const& series) {
    Plot plot;
    plot.title = "Latency by percentile";
    plot.x_title = "percentile";
    plot.y_title = "latency (logarithmic)";
    for (auto const& [label, latency] : series) {
        plot.series.push_back(latency_series(label, latency));
    }
    plot.x_ticks = {{0, "0"}, {nines(50), "50 %"}};
    plot.x_ticks.insert(plot.x_ticks.end(),
                        {{1, "90 %"}, {2, "99 %"}, {3, "99.9 %"}, {4, "99.99 %"}});
    double least = 12;
    double most = 3;
    for (auto const& curve : plot.series) {
        for (auto const& point : curve.points) {
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

}  // namespace penstock::bench
