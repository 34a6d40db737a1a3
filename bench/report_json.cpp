// The results for programs.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "bench/json_parts.hpp"
#include "bench/report.hpp"

namespace penstock::bench {
namespace {

namespace json = boost::json;

json::array routes_json(Stats const& stats) {
    json::array out;
    for (auto const& route : stats.routes) {
        out.push_back({{"route", route.label},
                       {"accepted", route.accepted},
                       {"per_second", per_second(route.accepted, stats.seconds())},
                       {"latency", latency_json(route.latency)}});
    }
    return out;
}

json::array slices_json(Stats const& stats) {
    json::array out;
    for (auto const& slice : stats.slices) {
        out.push_back({{"seconds", slice.seconds},
                       {"accepted", slice.accepted},
                       {"units", slice.units},
                       {"latency", latency_json(slice.latency)}});
    }
    return out;
}

json::object arm_json(ArmResult const& arm) {
    auto const& stats = arm.stats;
    json::object figures;
    for (auto const& [name, value] : arm.figures) figures[name] = value;
    return {{"url", arm.url},
            {"server", arm.server},
            {"sound", arm.sound()},
            {"seconds", stats.seconds()},
            {"accepted", stats.accepted()},
            {"requests_per_second", per_second(stats.accepted(), stats.seconds())},
            {"units_per_second", per_second(stats.units(), stats.seconds())},
            {"latency", latency_json(stats.latency())},
            {"routes", routes_json(stats)},
            {"slices", slices_json(stats)},
            {"accepted_each_second", array_of(stats.accepted_per_second)},
            {"scheduled", stats.scheduled},
            {"not_sent", stats.not_sent},
            {"turned_away", counts_json(stats.refused)},
            {"unclear", counts_json(stats.unclear)},
            {"wrong", counts_json(stats.wrong)},
            {"resent", stats.resent},
            {"resolved", stats.resolved},
            {"unresolved", stats.unresolved},
            {"faults", array_of(stats.faults)},
            {"books_off", array_of(arm.off)},
            {"figures", figures}};
}

json::object options_json(Options const& o) {
    return {{"scenario", o.scenario},       {"pattern", name_of(o.pattern)},
            {"connections", o.connections}, {"rate", o.rate},
            {"duration_s", o.duration_s},   {"warmup_s", o.warmup_s},
            {"slice_s", o.slice_s},         {"accounts", o.accounts},
            {"ledgers", o.ledgers},         {"batch", o.batch},
            {"zipf", o.zipf_exponent},      {"seed", o.seed},
            {"as", name_of(o.as)},          {"repeat", o.repeat}};
}

json::object spread_json(Spread const& spread) {
    return {{"min", spread.min}, {"median", spread.median}, {"max", spread.max}};
}

}  // namespace

std::string to_json(RunResult const& result) {
    json::array arms;
    for (auto const& arm : result.arms) arms.push_back(arm_json(arm));
    json::object out{{"started_at", result.started_at},
                     {"conditions", conditions(result)},
                     {"options", options_json(result.options)},
                     {"unit", result.unit},
                     {"sound", result.sound()},
                     {"generator_cpu", result.generator_cpu},
                     {"arms", std::move(arms)}};
    json::array ratios;
    for (auto const& [against, ratio] : result.comparisons) {
        ratios.push_back({{"against", against},
                          {"pairs", ratio.pairs},
                          {"throughput", spread_json(ratio.throughput)},
                          {"p50", spread_json(ratio.p50)},
                          {"p99", spread_json(ratio.p99)},
                          {"throughput_of_all", ratio.throughput_of_all}});
    }
    out["ratios"] = std::move(ratios);
    return json::serialize(out) + "\n";
}

}  // namespace penstock::bench
