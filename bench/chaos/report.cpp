// What the rounds of faults came to, for a terminal and for programs.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "bench/chaos/chaos.hpp"
#include "bench/report.hpp"

namespace penstock::bench::chaos {
namespace {

namespace json = boost::json;

/// Of a command that was a fault: it is told by how it begins.
constexpr std::size_t shown_max = 70;

std::string row(char const* label, std::string const& value) {
    char text[64];
    std::snprintf(text, sizeof text, "  %-28s ", label);
    return text + value + "\n";
}

std::string row(char const* label, std::uint64_t value) {
    return row(label, std::to_string(value));
}

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

std::string fault_rows(std::map<std::string, std::uint64_t> const& faults) {
    std::string out = row("faults", count_of(faults));
    for (auto const& [what, count] : faults) {
        out += row("", std::to_string(count) + " × " + what.substr(0, shown_max));
    }
    return out;
}

template <class Range>
json::array array_of(Range const& values) {
    json::array out;
    for (auto const& value : values) out.emplace_back(value);
    return out;
}

}  // namespace

std::string table(ChaosResult const& result) {
    auto const& total = result.total;
    auto const& j = total.judgement;
    std::string out =
        "chaos: " + result.conditions + ", seed " + std::to_string(result.seed) + "\n";
    out += row("rounds", result.rounds);
    out += fault_rows(result.faults);
    out += row("requests sent", total.sent);
    out += row("acknowledged", j.acknowledged);
    out += row("refused", j.refused);
    out += row("unanswered at first", j.unanswered);
    out += row("unanswered to the end", j.unresolved);
    out += row("lost", j.lost);
    out += row("doubled", j.doubled);
    out += row("refused, and there", j.phantom);
    out += row("wrong answers", j.wrong);
    out += row("replays compared", total.replays_compared);
    out += row("replays that differed", total.replays_different);
    out += row("longest a key was unusable", span(total.unusable) + " since its request was lost");
    out += row("", span(total.unusable_while_answered) + " of it while servers answered");
    for (auto const& detail : j.details) out += "  FAULT " + detail + "\n";
    for (auto const& surprise : result.surprises) out += "  FAULT " + surprise + "\n";
    for (auto const& difference : total.off) out += "  OFF   " + difference + "\n";
    if (total.off.empty()) out += "  books agree with every acknowledged amount in every round\n";
    return out;
}

std::string to_json(ChaosResult const& result) {
    auto const& total = result.total;
    auto const& j = total.judgement;
    json::object faults;
    for (auto const& [what, count] : result.faults) faults[what] = count;
    json::object out{{"conditions", result.conditions},
                     {"seed", result.seed},
                     {"sound", result.sound()},
                     {"seconds", result.seconds},
                     {"rounds", result.rounds},
                     {"faults", std::move(faults)},
                     {"sent", total.sent},
                     {"acknowledged", j.acknowledged},
                     {"refused", j.refused},
                     {"unanswered", j.unanswered},
                     {"unresolved", j.unresolved},
                     {"lost", j.lost},
                     {"doubled", j.doubled},
                     {"phantom", j.phantom},
                     {"wrong", j.wrong},
                     {"replays_compared", total.replays_compared},
                     {"replays_different", total.replays_different},
                     {"unusable_ms", milliseconds_of(total.unusable)},
                     {"unusable_while_answered_ms", milliseconds_of(total.unusable_while_answered)},
                     {"details", array_of(j.details)},
                     {"surprises", array_of(result.surprises)},
                     {"books_off", array_of(total.off)}};
    return json::serialize(out) + "\n";
}

}  // namespace penstock::bench::chaos
