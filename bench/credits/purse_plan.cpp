#include "bench/credits/purse_plan.hpp"

#include <algorithm>
#include <cmath>

namespace penstock::bench::credits {
namespace {

constexpr Amount expense_max = 100;
constexpr double expense_mean = 50.5;
/// Without any grants to come the first ones must be enough.
constexpr Amount lot_max = 1'000'000'000;
constexpr unsigned lots_wanted = 4;
/// A short-lived lot is a trifle: an expense that it pays for leaves others untouched, which the
/// plan cannot know.
constexpr Amount short_lived_max = 5;
/// Of the other grants, so many expire at all.
constexpr double long_lived_share = 0.5;

}  // namespace

PursePlan::PursePlan(Options const& options, std::uint64_t seed)
    : pattern_(options.pattern),
      options_(options.credits),
      random_(seed),
      certain_(options.accounts) {
    if (pattern_ == Pattern::zipf)
        zipf_ = std::make_unique<Zipf>(options.accounts, options.zipf_exponent);
    double const grants = 1 - options_.spend;
    double const between = grants > 0 ? options_.spend / grants : 1e9;
    auto const lot = static_cast<Amount>(std::min(between * expense_mean, double{lot_max}));
    lot_ = std::max<Amount>(lot, expense_max);
    // Everybody may be spending from the one hot address at the same time.
    bool const hot = pattern_ == Pattern::hot;
    Amount const in_flight = hot ? Amount{options.connections} * expense_max : 0;
    lots_at_first_ = lots_wanted + static_cast<unsigned>(in_flight / lot_);
}

Address PursePlan::choose_address() {
    if (pattern_ == Pattern::hot) return 0;
    if (zipf_) return static_cast<Address>(zipf_->pick(random_));
    return static_cast<Address>(random_.below(certain_.size()));
}

PursePlan::Choice PursePlan::choose() {
    auto const address = choose_address();
    auto& certain = certain_[address];
    auto const amount =
        1 + static_cast<Amount>(random_.below(static_cast<std::uint64_t>(expense_max)));
    bool const wants_to_spend = random_.unit() < options_.spend;
    bool const full = certain >= 2 * Amount{lots_at_first_} * lot_;
    if (certain < amount || (!wants_to_spend && !full)) return grant(address);
    certain -= amount;
    return {Deed::expense, address, amount};
}

PursePlan::Choice PursePlan::grant(Address address) {
    using Life = Choice::Life;
    if (random_.unit() < options_.short_lived) {
        auto const trifle =
            1 + static_cast<Amount>(random_.below(static_cast<std::uint64_t>(short_lived_max)));
        return {Deed::grant, address, trifle, Life::short_};
    }
    auto const life = random_.unit() < long_lived_share ? Life::long_ : Life::without_end;
    return {Deed::grant, address, lot_, life};
}

}  // namespace penstock::bench::credits
