#include "bench/json_parts.hpp"

#include <string>

#include "bench/report.hpp"

namespace penstock::bench {

namespace json = boost::json;

json::object latency_json(Histogram const& latency) {
    json::object out;
    out["count"] = latency.count();
    out["mean_us"] = latency.mean() / 1e3;
    for (double const percent : shown_percentiles) {
        std::string name = "p" + std::to_string(percent);
        name.erase(name.find_last_not_of('0') + 1);
        if (name.ends_with('.')) name.pop_back();
        out[name + "_us"] = static_cast<double>(latency.percentile(percent)) / 1e3;
    }
    out["max_us"] = static_cast<double>(latency.max()) / 1e3;
    return out;
}

json::object counts_json(StatusCounts const& counts) {
    json::object out;
    for (auto const& [what, count] : counts) out[what] = count;
    return out;
}

}  // namespace penstock::bench
