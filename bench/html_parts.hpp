// What the pages for people are made of: no script, no foreign resource.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bench/histogram.hpp"
#include "bench/plot.hpp"
#include "bench/stats.hpp"

namespace penstock::bench {

/// The whole page; `title` is escaped, `body` is not.
std::string html_page(std::string const& title, std::string const& body);

std::string html_cell(std::string const& text);
/// The cells of the percentiles and the maximum, and their heads.
std::string latency_cells(Histogram const& latency);
std::string latency_cell_heads();

std::string html_counts(char const* label, StatusCounts const& values);
/// Each in a paragraph of that class; the first few.
std::string html_notes(char const* css_class, std::vector<std::string> const& notes);

/// Latencies by percentile, both axes logarithmic.
Plot latency_plot(std::vector<std::pair<std::string, Histogram>> const& series);

}  // namespace penstock::bench
