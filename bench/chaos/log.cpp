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
        case Deed::deposit:
            return "deposit";
        case Deed::hold:
            return "hold";
        case Deed::capture:
            return "capture";
        case Deed::void_hold:
            return "void";
        case Deed::too_much:
            return "payment without funds";
    }
    return "unknown";
}

/// One of them, which is theirs no more.
std::optional<std::uint32_t> take(std::vector<std::uint32_t>& numbers, Random& random) {
    if (numbers.empty()) return std::nullopt;
    std::swap(numbers[random.below(numbers.size())], numbers.back());
    auto const number = numbers.back();
    numbers.pop_back();
    return number;
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
    if (entry.deed == Deed::hold) open_holds_.push_back(number);
    return true;
}

std::optional<std::uint32_t> Log::take_refundable(Random& random) {
    return take(refundable_, random);
}

std::optional<std::uint32_t> Log::take_open_hold(Random& random) {
    return take(open_holds_, random);
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
    auto const trace = [&traces](std::string const& name) {
        auto const found = traces.find(name);
        return found == traces.end() ? Trace() : found->second;
    };
    switch (entry.deed) {
        case Deed::refund:
            // It leaves its mark on the purchase; that it moved the money once, the books tell.
            return trace(reference_of(entry.original)).status == "refunded" ? 1 : 0;
        case Deed::hold:
            return trace(payee_of(number)).effects;
        case Deed::capture:
            return trace(captures_of(payee_of(entry.original))).effects;
        case Deed::void_hold:
            return trace(payee_of(entry.original)).status == "voided" ? 1 : 0;
        default:
            return trace(reference_of(number)).effects;
    }
}

/// Of every acknowledged hold the status that it must have come to.
std::map<std::uint32_t, std::string> Log::expected_ends() const {
    std::map<std::uint32_t, std::string> ends;
    for (std::uint32_t i = 0; i < entries_.size(); ++i) {
        auto const& entry = entries_[i];
        if (entry.fate != Fate::acknowledged) continue;
        if (entry.deed == Deed::hold) ends[i] = entry.expires ? "expired" : "pending";
        if (entry.deed == Deed::capture) ends[entry.original] = "captured";
        if (entry.deed == Deed::void_hold) ends[entry.original] = "voided";
    }
    return ends;
}

/// A hold ends once: as its client was told, or by itself.
void Log::judge_holds(Traces const& traces, std::uint32_t book, Judgement& result) const {
    for (auto const& [number, expected] : expected_ends()) {
        if (entries_[number].posting.book != book) continue;
        auto const found = traces.find(payee_of(number));
        // One that is not there at all is lost, which has been said.
        if (found == traces.end() || found->second.status == expected) continue;
        result.strayed += 1;
        result.note("hold " + reference_of(number) + ": " + found->second.status + " instead of " +
                    expected);
    }
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
    judge_holds(traces, book, result);
    return result;
}

}  // namespace penstock::bench::chaos
