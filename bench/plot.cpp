#include "bench/plot.hpp"

#include <cmath>
#include <cstdio>

namespace penstock::bench {
namespace {

constexpr double width = 860;
constexpr double height = 320;
constexpr double left = 92;
constexpr double right = 34;
constexpr double top = 14;
constexpr double bottom = 48;

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

double share(double value, std::vector<Tick> const& ticks) {
    double const span = ticks.back().at - ticks.front().at;
    return span > 0 ? (value - ticks.front().at) / span : 0;
}

double x_of(double value, Plot const& plot) {
    return left + share(value, plot.x_ticks) * (width - left - right);
}

double y_of(double value, Plot const& plot) {
    return height - bottom - share(value, plot.y_ticks) * (height - top - bottom);
}

std::string text_at(double x, double y, char const* anchor, std::string const& text) {
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" +
           html_text(text) + "</text>";
}

std::string line(double x1, double y1, double x2, double y2) {
    return "<line class=\"grid\" x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" +
           number(x2) + "\" y2=\"" + number(y2) + "\"/>";
}

std::string axes(Plot const& plot) {
    std::string out;
    for (auto const& tick : plot.x_ticks) {
        double const x = x_of(tick.at, plot);
        out += line(x, top, x, height - bottom);
        out += text_at(x, height - bottom + 18, "middle", tick.label);
    }
    for (auto const& tick : plot.y_ticks) {
        double const y = y_of(tick.at, plot);
        out += line(left, y, width - right, y);
        out += text_at(left - 8, y + 4, "end", tick.label);
    }
    out += text_at((left + width - right) / 2, height - 8, "middle", plot.x_title);
    double const middle = (top + height - bottom) / 2;
    out += "<g transform=\"rotate(-90 14 " + number(middle) + ")\">" +
           text_at(14, middle, "middle", plot.y_title) + "</g>";
    return out;
}

std::string curve(PlotSeries const& series, std::size_t index, Plot const& plot) {
    std::string out = "<polyline class=\"s" + std::to_string(index) + "\" points=\"";
    for (auto const& point : series.points) {
        out += number(x_of(point.x, plot)) + "," + number(y_of(point.y, plot)) + " ";
    }
    return out + "\"><title>" + html_text(series.label) + "</title></polyline>";
}

std::string legend(Plot const& plot) {
    if (plot.series.size() < 2) return {};
    std::string out = "<p class=\"legend\">";
    for (std::size_t i = 0; i < plot.series.size(); ++i) {
        out += "<span class=\"s" + std::to_string(i) + "\">&#9632;</span> " +
               html_text(plot.series[i].label) + " &nbsp; ";
    }
    return out + "</p>";
}

}  // namespace

std::string svg(Plot const& plot) {
    if (plot.x_ticks.size() < 2 || plot.y_ticks.size() < 2) return {};
    std::string out = "<h2>" + html_text(plot.title) + "</h2>" + legend(plot);
    out += "<svg viewBox=\"0 0 " + number(width) + " " + number(height) + "\" role=\"img\">";
    out += "<title>" + html_text(plot.title) + "</title>" + axes(plot);
    for (std::size_t i = 0; i < plot.series.size(); ++i) out += curve(plot.series[i], i, plot);
    return out + "</svg>";
}

std::vector<Tick> linear_ticks(double most) {
    if (!(most > 0)) most = 1;
    double step = std::pow(10.0, std::floor(std::log10(most / 4)));
    if (most / step > 20) {
        step *= 5;
    } else if (most / step > 8) {
        step *= 2;
    }
    std::vector<Tick> ticks;
    for (int i = 0;; ++i) {
        double const at = step * i;
        char label[32];
        std::snprintf(label, sizeof label, step < 1 ? "%.2g" : "%.0f", at);
        ticks.push_back({at, label});
        if (at >= most) return ticks;
    }
}

std::string html_text(std::string const& text) {
    std::string out;
    for (char const c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

}  // namespace penstock::bench
