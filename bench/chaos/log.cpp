#include "bench/chaos/log.hpp"

#include "bench/verdict.hpp"
#include "domain/assert.hpp"

namespace penstock::bench::chaos {
namespace {

char const* name_of(Deed deed) {
    switch (deed) {
        case Deed::transfer:
            return "transfer";
        case Deed::purchase:
            return "purchase";
        case Deed::refund:
            return "refund";
        case Deed::too_much:
            return "payment without funds";
    }
    return "unknown";
}

}  // namespace

std::uint32_t Log::begin(Entry entry) {
    entries_.push_back(std::move(entry));
    return static_cast<std::uint32_t>(entries_.size() - 1);
}

bool Log::acknowledge(std::uint32_t number, std::string_view body) {
    auto& entry = entries_[number];
    if (entry.fate == Fate::acknowledged) return entry.answer == body;
    entry.fate = Fate::acknowledged;
    entry.answer = body;
    if (entry.deed == Deed::purchase) refundable_.push_back(number);
    return true;
}

std::optional<std::uint32_t> Log::take_refundable(Random& random) {
    if (refundable_.empty()) return std::nullopt;
    std::swap(refundable_[random.below(refundable_.size())], refundable_.back());
    auto const number = refundable_.back();
    refundable_.pop_back();
    return number;
}

std::vector<std::uint32_t> Log::with_fate(Fate fate) const {
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < entries_.size(); ++i) {
        if (entries_[i].fate == fate) found.push_back(i);
    }
    return found;
}

std::uint32_t Log::effects_of(std::size_t number, Traces const& traces) const {
    auto const& entry = entries_[number];
    bool const refund = entry.deed == Deed::refund;
    auto const found = traces.find(reference_of(refund ? entry.refunds : number));
    if (found == traces.end()) return 0;
    // A refund leaves its mark on the purchase; that it moved the money once, the books tell.
    if (refund) return found->second.status == "refunded" ? 1 : 0;
    return found->second.effects;
}

Judgement Log::judge(Traces const& traces, std::uint32_t book) const {
    Judgement result;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        auto const& entry = entries_[i];
        if (entry.posting.book != book) continue;
        auto const effects = effects_of(i, traces);
        char const* fault = nullptr;
        if (entry.ever_unanswered) result.unanswered += 1;
        if (effects > 1) fault = (result.doubled += 1, "doubled");
        switch (entry.fate) {
            case Fate::acknowledged:
                result.acknowledged += 1;
                if (effects == 0) fault = (result.lost += 1, "lost");
                break;
            case Fate::refused:
                result.refused += 1;
                if (effects > 0) fault = (result.phantom += 1, "refused, and there");
                break;
            case Fate::unanswered:
                result.unresolved += 1;
                fault = "without an answer to the end";
                break;
            case Fate::wrong:
                result.wrong += 1;
                fault = "answered as it does not deserve";
                break;
        }
        if (!fault) continue;
        result.note(std::string(name_of(entry.deed)) + " " + reference_of(i) + ": " + fault + "; " +
                    entry.answer.substr(0, 200));
    }
    return result;
}

}  // namespace penstock::bench::chaos
