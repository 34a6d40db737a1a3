// What the results for programs are made of.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "bench/histogram.hpp"
#include "bench/stats.hpp"

namespace penstock::bench {

boost::json::object latency_json(Histogram const& latency);
boost::json::object counts_json(StatusCounts const& counts);

template <class Range>
boost::json::array array_of(Range const& values) {
    boost::json::array out;
    for (auto const& value : values) out.emplace_back(value);
    return out;
}

}  // namespace penstock::bench
