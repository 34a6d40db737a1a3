// The plan of grants and expenses: nobody is ever short, and the shares are as they were asked for.
#include "bench/credits/purse_plan.hpp"

#include <boost/test/unit_test.hpp>
#include <deque>

namespace penstock::bench::credits {
namespace {

Options options_of(Pattern pattern) {
    Options options;
    options.scenario = "credits";
    options.pattern = pattern;
    options.accounts = 50;
    options.connections = 64;
    return options;
}

BOOST_AUTO_TEST_SUITE(purse_plan)

BOOST_AUTO_TEST_CASE(nobody_is_ever_short_whatever_is_still_unanswered) {
    for (auto const pattern : {Pattern::uniform, Pattern::zipf, Pattern::hot}) {
        auto const options = options_of(pattern);
        PursePlan plan(options, 1);
        std::vector<Amount> there(options.accounts);
        for (unsigned i = 0; i < plan.lots_at_first(); ++i)
            for (Address address = 0; address < there.size(); ++address)
                if (plan.is_used(address)) {
                    there[address] += plan.lot();
                    plan.granted(address, plan.lot());
                }
        std::deque<PursePlan::Choice> in_flight;
        std::size_t expenses = 0;
        constexpr std::size_t count = 100'000;
        Amount most = 0;
        for (std::size_t i = 0; i < count; ++i) {
            auto const choice = plan.choose();
            in_flight.push_back(choice);
            if (choice.deed == Deed::expense) {
                // The worst that can happen: it is decided before every grant that is on its way.
                there[choice.address] -= choice.amount;
                BOOST_REQUIRE(there[choice.address] >= 0);
                ++expenses;
            }
            if (in_flight.size() < options.connections) continue;
            auto const answered = in_flight.front();
            in_flight.pop_front();
            if (answered.deed != Deed::grant) continue;
            if (answered.life == PursePlan::Choice::Life::short_) continue;
            there[answered.address] += answered.amount;
            most = std::max(most, there[answered.address]);
            plan.granted(answered.address, answered.amount);
        }
        auto const share = static_cast<double>(expenses) / count;
        BOOST_TEST(share > 0.87);
        BOOST_TEST(share < 0.93);
        // And nobody piles up lots: what is loaded for an expense stays as it was.
        BOOST_TEST(most <= 2 * (plan.lots_at_first() + options.connections) * plan.lot());
    }
}

BOOST_AUTO_TEST_CASE(a_hot_spender_is_the_only_one) {
    PursePlan plan(options_of(Pattern::hot), 1);
    BOOST_TEST(plan.is_used(0));
    BOOST_TEST(!plan.is_used(1));
    for (int i = 0; i < 100; ++i) BOOST_TEST(plan.choose().address == 0u);
}

BOOST_AUTO_TEST_CASE(what_was_not_applied_may_be_spent_again) {
    auto options = options_of(Pattern::hot);
    options.credits.spend = 1;
    PursePlan plan(options, 1);
    BOOST_CHECK(plan.choose().deed == Deed::grant);
    plan.granted(0, 100);
    auto const expense = plan.choose();
    BOOST_CHECK(expense.deed == Deed::expense);
    plan.not_spent(0, expense.amount);
    BOOST_CHECK(plan.choose().deed == Deed::expense);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench::credits
