// What a run or its rounds complain of, a line each: empty when nothing.
#pragma once

#include <string>

#include "bench/chaos/chaos.hpp"
#include "bench/run.hpp"

namespace penstock::tests {

inline std::string all_text(bench::ArmResult const& arm) {
    std::string text;
    for (auto const& off : arm.off) text += off + "\n";
    for (auto const& fault : arm.stats.faults) text += fault + "\n";
    for (auto const& [what, count] : arm.stats.wrong) text += what + "\n";
    return text;
}

inline std::string all_text(bench::RunResult const& result) {
    std::string text;
    for (auto const& arm : result.arms) text += all_text(arm);
    return text;
}

inline std::string all_text(bench::chaos::ChaosResult const& result) {
    std::string text;
    for (auto const& detail : result.total.judgement.details) text += detail + "\n";
    for (auto const& difference : result.total.off) text += difference + "\n";
    for (auto const& surprise : result.surprises) text += surprise + "\n";
    return text;
}

}  // namespace penstock::tests
