#include "bench/sale/upkeep.hpp"

#include "bench/verdict.hpp"

namespace penstock::bench::sale {

std::uint32_t Upkeep::begin(Act act) {
    acts_.push_back(std::move(act));
    return static_cast<std::uint32_t>(acts_.size() - 1);
}

std::vector<std::uint32_t> Upkeep::with_fate(Fate fate) const {
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < acts_.size(); ++i) {
        if (acts_[i].fate == fate) found.push_back(i);
    }
    return found;
}

std::optional<std::string> Upkeep::acknowledge(std::uint32_t number, std::string_view body,
                                               SaleBooks& books) {
    auto& act = acts_[number];
    if (act.fate == Fate::acknowledged) {
        if (act.answer == body) return std::nullopt;
        return "a repetition of " + describe(act) + " was answered with " + std::string(body);
    }
    act.fate = Fate::acknowledged;
    act.answer = body;
    bool same = false;
    if (act.kind == Act::Kind::cancel) {
        cancelled_ += 1;
        books.cancelled(act.attempt);
        same = has_text(body, "id", text_member(books.at(act.attempt).answer, "id")) &&
               has_text(body, "status", "cancelled");
    } else {
        restocked_ += act.quantity;
        books.restocked(act.quantity);
        same = has_text(body, "id", books.terms().product);
    }
    if (same) return std::nullopt;
    return "something other than what was asked for: " + describe(act);
}

void Upkeep::wrong(std::uint32_t number, std::string_view answer) {
    acts_[number].fate = Fate::wrong;
    acts_[number].answer = answer;
}

void Upkeep::judge(Judgement& result) const {
    for (auto const& act : acts_) {
        if (act.ever_unanswered) result.unanswered += 1;
        if (act.fate == Fate::acknowledged) {
            result.acknowledged += 1;
        } else if (act.fate == Fate::wrong) {
            result.wrong += 1;
            result.note("answered as it does not deserve: " + describe(act));
        } else {
            result.unresolved += 1;
            result.note("without an answer to the end: " + describe(act));
        }
    }
}

std::string Upkeep::describe(Act const& act) const {
    auto const what = act.kind == Act::Kind::cancel
                          ? "the cancellation of attempt " + std::to_string(act.attempt)
                          : "a restock of " + std::to_string(act.quantity);
    return what + "; " + act.answer.substr(0, 200);
}

}  // namespace penstock::bench::sale
