// What became of the requests of a load, by the log of who was told what. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::bench {

struct Judgement {
    static constexpr std::size_t details_max = 20;

    std::uint64_t acknowledged = 0;
    std::uint64_t refused = 0;
    std::uint64_t unanswered = 0;  ///< at least once; most of them have an answer by now
    std::uint64_t unresolved = 0;  ///< no answer to the end
    std::uint64_t wrong = 0;
    std::uint64_t lost = 0;     ///< acknowledged, and not there
    std::uint64_t doubled = 0;  ///< there more than once
    std::uint64_t phantom = 0;  ///< refused, and there
    std::uint64_t strayed = 0;  ///< holds that did not end as they should have, or not at all
    std::vector<std::string> details;

    bool sound() const { return unresolved + wrong + lost + doubled + phantom + strayed == 0; }
    void add(Judgement const& other);
    /// The first few are kept.
    void note(std::string detail);
};

}  // namespace penstock::bench
