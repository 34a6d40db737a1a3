#include "bench/judgement.hpp"

namespace penstock::bench {

void Judgement::add(Judgement const& other) {
    acknowledged += other.acknowledged;
    refused += other.refused;
    unanswered += other.unanswered;
    unresolved += other.unresolved;
    wrong += other.wrong;
    lost += other.lost;
    doubled += other.doubled;
    phantom += other.phantom;
    strayed += other.strayed;
    for (auto const& detail : other.details) note(detail);
}

void Judgement::note(std::string detail) {
    if (details.size() < details_max) details.push_back(std::move(detail));
}

}  // namespace penstock::bench
