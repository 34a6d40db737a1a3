#include "server/telemetry/metrics.hpp"

#include <boost/test/unit_test.hpp>

#include "reactor/collector.hpp"
#include "server/lane.hpp"

namespace {

using namespace penstock;
using namespace penstock::server;

std::size_t count(std::string const& text, std::string const& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
}

constexpr Route routes[] = {{Method::get, "/a", Scope::open, Idempotency::none, nullptr, "a"}};

Access answered(std::string_view route, unsigned status) {
    Access made;
    made.route = route;
    made.status = status;
    made.duration = std::chrono::microseconds(20);
    return made;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_AUTO_TEST_CASE(samples_of_one_name_are_one_family) {
    MetricsWriter out;
    out.counter("x_total", "Help.", {{"shard", "0"}}, 1);
    out.counter("x_total", "Help.", {{"shard", "1"}}, 2);
    auto const text = out.text();
    BOOST_TEST(count(text, "# TYPE x_total counter") == 1U);
    BOOST_TEST(count(text, "x_total{shard=\"0\"} 1") == 1U);
    BOOST_TEST(count(text, "x_total{shard=\"1\"} 2") == 1U);
}

BOOST_AUTO_TEST_CASE(buckets_are_cumulative_and_in_seconds) {
    reactor::Histogram histogram;
    histogram.record(std::chrono::microseconds(16));
    histogram.record(std::chrono::microseconds(30));
    histogram.record(std::chrono::minutes(1));
    MetricsWriter out;
    out.durations("t_seconds", "Help.", {}, histogram);
    auto const text = out.text();
    BOOST_TEST_CONTEXT(text) {
        BOOST_TEST(count(text, "t_seconds_count 3") == 1U);
        BOOST_TEST(count(text, "le=\"1.6e-05\"} 1") +
                       count(text, "le=\"1.5999999999999999e-05\"} 1") ==
                   1U);
        BOOST_TEST(count(text, "le=\"+Inf\"} 3") == 1U);
    }
}

BOOST_AUTO_TEST_CASE(answers_are_counted_by_route_and_status) {
    RouteMetrics metrics(routes);
    metrics.record(answered("a", 200));
    metrics.record(answered("a", 200));
    metrics.record(answered("", 404));
    metrics.record(answered("a", 299));
    MetricsWriter out;
    metrics.write(out, {});
    auto const text = out.text();
    BOOST_TEST(count(text, "penstock_http_answers_total{route=\"a\",status=\"200\"} 2") == 1U);
    BOOST_TEST(count(text, "penstock_http_answers_total{route=\"none\",status=\"404\"} 1") == 1U);
    BOOST_TEST(count(text, "penstock_http_answers_total{route=\"a\",status=\"other\"} 1") == 1U);
    BOOST_TEST(count(text, "penstock_http_request_seconds_count{route=\"a\"} 3") == 1U);
}

BOOST_AUTO_TEST_CASE(every_component_renders_under_its_labels) {
    MetricsWriter out;
    MetricsWriter::Labels const labels{{"lane", "7"}};
    write_metrics(out, labels, LaneMetrics{});
    write_metrics(out, labels, reactor::CollectorMetrics{});
    write_metrics(out, labels, HttpMetrics{});
    write_process_metrics(out, 1.0);
    auto const text = out.text();
    BOOST_TEST(count(text, "penstock_lane_commits_total{lane=\"7\"} 0") == 1U);
    BOOST_TEST(count(text, "penstock_collector_queue{lane=\"7\"} 0") == 1U);
    BOOST_TEST(count(text, "penstock_http_connections{lane=\"7\"} 0") == 1U);
    BOOST_TEST(count(text, "penstock_build_info") >= 1U);
}

BOOST_AUTO_TEST_SUITE_END()
