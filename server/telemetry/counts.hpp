// Families of counters whose samples differ in one label, or that have one sample.
#pragma once

#include <initializer_list>
#include <string_view>

#include "server/telemetry/metrics.hpp"

namespace penstock::server {

struct CountSample {
    std::string_view label;
    reactor::Count const& count;
};

inline void write_counts(MetricsWriter& out, MetricsWriter::Labels const& labels,
                         std::string_view name, std::string_view help, std::string_view label,
                         std::initializer_list<CountSample> samples) {
    for (auto const& sample : samples) {
        auto own = labels;
        own.emplace_back(label, sample.label);
        out.counter(name, help, own, static_cast<double>(sample.count.get()));
    }
}

inline void write_counts(MetricsWriter& out, MetricsWriter::Labels const& labels,
                         std::string_view name, std::string_view help,
                         reactor::Count const& count) {
    out.counter(name, help, labels, static_cast<double>(count.get()));
}

}  // namespace penstock::server
