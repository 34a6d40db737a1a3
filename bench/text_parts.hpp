// What the tables for a terminal are made of.
#pragma once

#include <cstdio>
#include <string>

#include "bench/histogram.hpp"
#include "bench/stats.hpp"

namespace penstock::bench {

/// printf into a string, cut at 255 characters.
template <class... Arguments>
std::string format(char const* pattern, Arguments... arguments) {
    char text[256];
    std::snprintf(text, sizeof text, pattern, arguments...);
    return text;
}

double per_second(std::uint64_t count, double seconds);

/// "1.23 ms", from nanoseconds.
std::string duration_text(std::uint64_t nanoseconds);
std::string rate_text(double per_second);

/// A label in its column, and a value of any length.
std::string figure_row(std::string const& label, std::string const& value);
std::string figure_row(std::string const& label, std::uint64_t value);

/// "    label   12 × this; 3 × that"; empty when nothing was counted.
std::string counts_row(char const* label, StatusCounts const& counts);

/// The head of latency columns under a first column of that name, and a row of them.
std::string latency_head(char const* first);
std::string latency_row(char const* label, std::string const& first, Histogram const& latency);

/// What is wrong, line by line; the first few.
template <class Range>
std::string fault_rows(char const* mark, Range const& faults) {
    constexpr std::size_t shown_max = 20;
    constexpr std::size_t length_max = 300;
    std::string out;
    std::size_t shown = 0;
    for (auto const& fault : faults) {
        if (++shown <= shown_max)
            out += std::string("  ") + mark + " " + fault.substr(0, length_max) + "\n";
    }
    if (shown > shown_max)
        out += std::string("  ") + mark + " and " + std::to_string(shown - shown_max) + " more\n";
    return out;
}

}  // namespace penstock::bench
