// Line plots as inline SVG, without a script and without a foreign resource.
#pragma once

#include <string>
#include <vector>

namespace penstock::bench {

struct PlotPoint {
    double x;
    double y;
};

struct PlotSeries {
    std::string label;
    std::vector<PlotPoint> points;
};

struct Tick {
    double at;
    std::string label;
};

struct Plot {
    std::string title;
    std::string x_title;
    std::string y_title;
    std::vector<Tick> x_ticks;  ///< the first and the last bound the axis
    std::vector<Tick> y_ticks;
    std::vector<PlotSeries> series;
};

/// Series take the classes s0, s1 …; the page's style colours them.
std::string svg(Plot const& plot);

/// Round ticks from 0 to at least `most`.
std::vector<Tick> linear_ticks(double most);

std::string html_text(std::string const& text);  ///< escaped

}  // namespace penstock::bench
