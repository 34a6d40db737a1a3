// What a spike came to: for a terminal, for programs, and as a page with its timeline.
#include <algorithm>
#include <boost/json/serialize.hpp>

#include "bench/html_parts.hpp"
#include "bench/json_parts.hpp"
#include "bench/report.hpp"
#include "bench/sale/crowd.hpp"
#include "bench/sale/spike.hpp"

namespace penstock::bench::sale {
namespace {

namespace json = boost::json;

/// What everybody waits for: the goals of a start second.
constexpr double decided_goal_ms = 1000;

double ms(std::chrono::nanoseconds value) {
    return std::chrono::duration<double, std::milli>(value).count();
}

std::string share(double value) { return format("%.0f %%", value * 100); }

std::string conditions(SpikeResult const& result) {
    auto const& o = result.options;
    auto const& sale = o.sale;
    std::string out = "sale: " + std::to_string(sale.users) + " users for " +
                      std::to_string(sale.stock) + " units, at most " +
                      std::to_string(sale.per_user_limit) + " each, orders of 1";
    if (sale.quantity_max > 1) out += " to " + std::to_string(sale.quantity_max);
    if (sale.paid) out += ", paid in a ledger";
    out += "; everybody within " + format("%.0f ms", sale.spread_ms) + " of the start, density " +
           "falling to nothing; " + share(sale.early) + " too early and again, " +
           share(sale.repeat_buyers) + " want another, " + share(sale.repetitions) +
           " send twice; " + std::to_string(sale.bots) + " bots of " +
           std::to_string(sale.bot_attempts) + " attempts; " + std::to_string(o.connections) +
           " connections";
    return out;
}

std::string decided_text(SpikeResult const& result) {
    return format("%.0f ms after the start (%s %.0f ms)", ms(result.decided),
                  ms(result.decided) <= decided_goal_ms ? "within" : "MORE THAN", decided_goal_ms);
}

std::string row_of(char const* label, Histogram const& latency) {
    return latency_row(label, std::to_string(latency.count()), latency);
}

struct Line {
    std::string label;
    std::string value;
};

std::vector<Line> lines(SpikeResult const& result) {
    auto const& j = result.judgement;
    std::vector<Line> out;
    auto const add = [&out](char const* label, std::string value) {
        out.push_back({label, std::move(value)});
    };
    auto const count = [&add](char const* label, auto value) { add(label, std::to_string(value)); };
    add("everybody was told", decided_text(result));
    add("last order accepted", format("%.0f ms after the start", ms(result.last_accepted)));
    count("orders wanted", result.wishes);
    count("requests due", result.arrivals);
    add("sent late by (p99)", duration_text(result.late.percentile(99)));
    count("undecided at first", result.undecided);
    count("stock", j.stock);
    count("sold", j.sold);
    count("acknowledged", j.requests.acknowledged);
    count("over-sold", j.over_sold);
    count("lost", j.requests.lost);
    count("users over the limit", j.over_limit);
    return out;
}

PlotSeries series_of(SpikeResult const& result, char const* label, std::uint32_t Moment::*what) {
    PlotSeries series;
    series.label = label;
    for (std::size_t i = 0; i < result.moments.size(); ++i) {
        auto const at = SpikeResult::moment * static_cast<int>(i) - early_max;
        series.points.push_back(
            {static_cast<double>(at.count()), static_cast<double>(result.moments[i].*what)});
    }
    return series;
}

Plot timeline(SpikeResult const& result) {
    Plot plot;
    plot.title = "The start second";
    plot.x_title = "milliseconds after the start";
    plot.y_title = "in each hundredth of a second";
    plot.series = {series_of(result, "orders that were due", &Moment::arrived),
                   series_of(result, "accepted", &Moment::accepted),
                   series_of(result, "refused", &Moment::refused),
                   series_of(result, "bots refused", &Moment::bots)};
    double most = 1;
    for (auto const& series : plot.series) {
        for (auto const& point : series.points) most = std::max(most, point.y);
    }
    auto const moments = static_cast<std::int64_t>(result.moments.size());
    auto const end = moments * SpikeResult::moment.count() - early_max.count();
    constexpr std::int64_t step = 250;
    for (auto at = -early_max.count(); at < end + step; at += step) {
        plot.x_ticks.push_back({static_cast<double>(at), std::to_string(at)});
    }
    plot.y_ticks = linear_ticks(most);
    return plot;
}

std::string html_row(char const* label, Histogram const& latency) {
    return "<tr>" + html_cell(label) + html_cell(std::to_string(latency.count())) +
           latency_cells(latency) + "</tr>";
}

json::array moments_json(SpikeResult const& result) {
    json::array out;
    for (auto const& moment : result.moments) {
        out.push_back({moment.arrived, moment.accepted, moment.refused, moment.bots});
    }
    return out;
}

}  // namespace

std::string table(SpikeResult const& result) {
    std::string out = conditions(result) + "\n\n" + result.options.target + "  " + result.server +
                      "\n" + latency_head("answers");
    out += row_of("accepted", result.accepted) + row_of("refused", result.refused) +
           row_of("too early", result.early) + row_of("bots, refused", result.bots);
    out += counts_row("answers", result.answers) + counts_row("unclear at first", result.unclear) +
           counts_row("wrong answers", result.wrong);
    for (auto const& line : lines(result)) out += figure_row(line.label, line.value);
    out += fault_rows("FAULT", result.faults);
    out += fault_rows("FAULT", result.judgement.requests.details);
    out += fault_rows("OFF  ", result.judgement.off);
    if (result.judgement.sound())
        out += "  orders, figures, gate and payments agree with every acknowledged order\n";
    return out + format("\ngenerator: %.0f %% of one core\n", result.generator_cpu * 100);
}

std::string to_json(SpikeResult const& result) {
    auto const& j = result.judgement;
    json::object const out{{"started_at", result.started_at},
                           {"conditions", conditions(result)},
                           {"server", result.server},
                           {"sound", result.sound()},
                           {"generator_cpu", result.generator_cpu},
                           {"decided_ms", ms(result.decided)},
                           {"last_accepted_ms", ms(result.last_accepted)},
                           {"accepted", latency_json(result.accepted)},
                           {"refused", latency_json(result.refused)},
                           {"early", latency_json(result.early)},
                           {"bots", latency_json(result.bots)},
                           {"sent_late", latency_json(result.late)},
                           {"answers", counts_json(result.answers)},
                           {"unclear", counts_json(result.unclear)},
                           {"wrong", counts_json(result.wrong)},
                           {"wishes", result.wishes},
                           {"arrivals", result.arrivals},
                           {"undecided", result.undecided},
                           {"resolved", result.resolved},
                           {"stock", j.stock},
                           {"sold", j.sold},
                           {"acknowledged", j.requests.acknowledged},
                           {"over_sold", j.over_sold},
                           {"over_limit", j.over_limit},
                           {"lost", j.requests.lost},
                           {"doubled", j.requests.doubled},
                           {"phantom", j.requests.phantom},
                           {"faults", array_of(result.faults)},
                           {"details", array_of(j.requests.details)},
                           {"off", array_of(j.off)},
                           {"moment_ms", SpikeResult::moment.count()},
                           {"moments_from_ms", -early_max.count()},
                           {"moments", moments_json(result)}};
    return json::serialize(out) + "\n";
}

std::string to_html(SpikeResult const& result) {
    std::string body = "<h1>The first second of a sale</h1><p class=\"soft\">" +
                       html_text(conditions(result)) + " · " + html_text(result.started_at) +
                       "</p><p class=\"soft\">" + html_text(result.server) +
                       "</p><div class=\"wide\"><table><tr><th></th><th>answers</th>" +
                       latency_cell_heads() + "</tr>" + html_row("accepted", result.accepted) +
                       html_row("refused", result.refused) + html_row("too early", result.early) +
                       html_row("bots, refused", result.bots) + "</table></div><table>";
    for (auto const& line : lines(result)) {
        body += "<tr>" + html_cell(line.label) + html_cell(line.value) + "</tr>";
    }
    body += "</table>" + html_counts("answers", result.answers) +
            html_counts("unclear at first", result.unclear) +
            html_counts("wrong answers", result.wrong) + html_notes("bad", result.faults) +
            html_notes("bad", result.judgement.requests.details) +
            html_notes("bad", result.judgement.off);
    body += result.sound() ? "<p class=\"good\">Orders, figures, gate and payments agree with "
                             "every acknowledged order.</p>"
                           : "<p class=\"bad\">Not sound.</p>";
    body += svg(timeline(result)) + svg(latency_plot({{"accepted", result.accepted},
                                                      {"refused", result.refused},
                                                      {"bots, refused", result.bots}}));
    return html_page("penstock-bench: sale", body);
}

}  // namespace penstock::bench::sale
