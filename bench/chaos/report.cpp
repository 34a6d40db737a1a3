// What the rounds of faults came to, for a terminal and for programs.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "bench/chaos/chaos.hpp"
#include "bench/json_parts.hpp"
#include "bench/text_parts.hpp"

namespace penstock::bench::chaos {
namespace {

namespace json = boost::json;

/// Of a command that was a fault: it is told by how it begins.
constexpr std::size_t shown_max = 70;

std::string span(std::chrono::nanoseconds value) {
    return duration_text(static_cast<std::uint64_t>(value.count()));
}

double milliseconds_of(std::chrono::nanoseconds value) {
    return std::chrono::duration<double, std::milli>(value).count();
}

std::uint64_t count_of(std::map<std::string, std::uint64_t> const& faults) {
    std::uint64_t sum = 0;
    for (auto const& [what, count] : faults) sum += count;
    return sum;
}

std::string blow_rows(std::map<std::string, std::uint64_t> const& faults) {
    std::string out = figure_row("faults", count_of(faults));
    for (auto const& [what, count] : faults) {
        out += figure_row("", std::to_string(count) + " × " + what.substr(0, shown_max));
    }
    return out;
}

}  // namespace

std::string table(ChaosResult const& result) {
    auto const& total = result.total;
    auto const& j = total.judgement;
    std::string out =
        "chaos: " + result.conditions + ", seed " + std::to_string(result.seed) + "\n";
    out += figure_row("rounds", result.rounds);
    out += blow_rows(result.faults);
    if (total.sales.stock > 0) {
        out += figure_row("stock", std::to_string(total.sales.stock));
        out += figure_row("of it added meanwhile", std::to_string(total.sales.restocked));
        out += figure_row("orders cancelled meanwhile", total.sales.cancelled);
        out += figure_row("sold", std::to_string(total.sales.sold));
        out += figure_row("of them when all was settled", std::to_string(total.sales.rest));
        out += figure_row("over-sold", std::to_string(total.sales.over_sold));
        out += figure_row("users over the limit", total.sales.over_limit);
    }
    out += figure_row("requests sent", total.crew.sent);
    out += figure_row("acknowledged", j.acknowledged);
    out += figure_row("refused", j.refused);
    out += figure_row("unanswered at first", j.unanswered);
    out += figure_row("unanswered to the end", j.unresolved);
    out += figure_row("lost", j.lost);
    out += figure_row("doubled", j.doubled);
    out += figure_row("refused, and there", j.phantom);
    out += figure_row("holds that ended wrongly", j.strayed);
    out += figure_row("wrong answers", j.wrong);
    out += figure_row("replays compared", total.crew.replays_compared);
    out += figure_row("replays that differed", total.crew.replays_different);
    out += figure_row("longest a key was unusable",
                      span(total.crew.unusable) + " since its request was lost");
    out +=
        figure_row("", span(total.crew.unusable_while_answered) + " of it while servers answered");
    auto const& waits = total.crew.waits;
    out += figure_row("", span(waits.silent) + " without an answer, " + span(waits.in_flight) +
                              " in flight (409),");
    out += figure_row("", span(waits.unable) + " with an answer that says nothing, " +
                              span(waits.verdict) + " until the verdict");
    out += fault_rows("FAULT", j.details) + fault_rows("FAULT", result.surprises);
    out += fault_rows("OFF  ", total.off);
    if (total.off.empty()) out += "  books agree with every acknowledged amount in every round\n";
    return out;
}

std::string to_json(ChaosResult const& result) {
    auto const& total = result.total;
    auto const& j = total.judgement;
    json::object faults;
    for (auto const& [what, count] : result.faults) faults[what] = count;
    json::object out{
        {"conditions", result.conditions},
        {"seed", result.seed},
        {"sound", result.sound()},
        {"seconds", result.seconds},
        {"rounds", result.rounds},
        {"faults", std::move(faults)},
        {"sent", total.crew.sent},
        {"acknowledged", j.acknowledged},
        {"refused", j.refused},
        {"unanswered", j.unanswered},
        {"unresolved", j.unresolved},
        {"lost", j.lost},
        {"doubled", j.doubled},
        {"phantom", j.phantom},
        {"strayed", j.strayed},
        {"wrong", j.wrong},
        {"replays_compared", total.crew.replays_compared},
        {"replays_different", total.crew.replays_different},
        {"unusable_ms", milliseconds_of(total.crew.unusable)},
        {"unusable_while_answered_ms", milliseconds_of(total.crew.unusable_while_answered)},
        {"unusable_waits_ms",
         json::object{{"silent", milliseconds_of(total.crew.waits.silent)},
                      {"in_flight", milliseconds_of(total.crew.waits.in_flight)},
                      {"unable", milliseconds_of(total.crew.waits.unable)},
                      {"verdict", milliseconds_of(total.crew.waits.verdict)}}},
        {"details", array_of(j.details)},
        {"surprises", array_of(result.surprises)},
        {"books_off", array_of(total.off)}};
    if (total.sales.stock > 0) {
        out["sales"] = json::object{{"stock", total.sales.stock},
                                    {"restocked", total.sales.restocked},
                                    {"cancelled", total.sales.cancelled},
                                    {"sold", total.sales.sold},
                                    {"rest", total.sales.rest},
                                    {"over_sold", total.sales.over_sold},
                                    {"over_limit", total.sales.over_limit}};
    }
    return json::serialize(out) + "\n";
}

}  // namespace penstock::bench::chaos
