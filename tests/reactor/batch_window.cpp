#include "reactor/batch_window.hpp"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>

using namespace penstock;
using namespace penstock::reactor;

namespace {

BatchLimits limits(std::size_t items_max, milliseconds delay_max, bool flush_when_idle) {
    BatchLimits made;
    made.items_max = items_max;
    made.delay_max = delay_max;
    made.queue_max = 1'000'000;
    made.flush_when_idle = flush_when_idle;
    return made;
}

SteadyTime at(int ms) { return SteadyTime{} + milliseconds{ms}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(batch_window)

BOOST_AUTO_TEST_CASE(the_timer_starts_with_the_first_item_and_later_ones_do_not_reset_it) {
    BatchWindow<int> window(limits(10, milliseconds{5}, false));
    BOOST_TEST(window.add(1, at(100)));
    BOOST_TEST(!window.add(2, at(104)));
    BOOST_TEST(!window.due(at(104)));
    BOOST_TEST((window.due_at() == at(105)));
    BOOST_TEST(window.due(at(105)));
    BOOST_TEST((window.trigger(at(105)) == Trigger::age));
    BOOST_TEST(window.take().size() == 2u);
    BOOST_TEST((window.due_at() == never));
}

BOOST_AUTO_TEST_CASE(a_full_batch_is_due_at_once_and_the_rest_keeps_its_own_time) {
    BatchWindow<int> window(limits(2, milliseconds{5}, false));
    window.add(1, at(0));
    BOOST_TEST(window.add(2, at(1)));
    window.add(3, at(2));
    BOOST_TEST((window.trigger(at(2)) == Trigger::size));
    BOOST_TEST(window.take() == (std::vector<int>{1, 2}), boost::test_tools::per_element());
    BOOST_TEST((window.due_at() == at(7)));
}

BOOST_AUTO_TEST_CASE(an_idle_consumer_takes_what_is_there) {
    BatchWindow<int> window(limits(10, milliseconds{5}, true));
    BOOST_TEST(!window.due(at(0)));
    window.add(1, at(0));
    BOOST_TEST(window.due(at(0)));
    BOOST_TEST((window.trigger(at(0)) == Trigger::idle));
}

BOOST_AUTO_TEST_CASE(a_heavy_item_travels_alone_when_it_exceeds_a_batch) {
    BatchWindow<int> window(limits(10, milliseconds{0}, true));
    window.add(1, at(0), 3);
    window.add(2, at(0), 500);
    window.add(3, at(0), 3);
    BOOST_TEST(window.take() == std::vector<int>{1}, boost::test_tools::per_element());
    BOOST_TEST(window.take() == std::vector<int>{2}, boost::test_tools::per_element());
    BOOST_TEST(window.take() == std::vector<int>{3}, boost::test_tools::per_element());
    BOOST_TEST(window.weight() == 0u);
}

BOOST_AUTO_TEST_CASE(no_item_is_lost_and_the_order_is_kept_whatever_is_added_and_taken) {
    bool const holds = rc::check([](std::vector<std::pair<unsigned char, bool>> const& steps) {
        BatchWindow<int> window(limits(16, milliseconds{3}, true));
        int added = 0;
        int taken = 0;
        int now = 0;
        auto const take = [&] {
            std::size_t const before = window.weight();
            auto const batch = window.take();
            RC_ASSERT(before == 0 || !batch.empty());
            for (int item : batch) RC_ASSERT(item == taken++);
            RC_ASSERT(batch.size() <= 16u);
        };
        for (auto const& [weight, then_take] : steps) {
            window.add(added++, at(now++), 1u + weight);
            if (then_take) take();
        }
        while (!window.empty()) take();
        RC_ASSERT(added == taken);
        RC_ASSERT(window.weight() == 0u);
    });
    BOOST_TEST(holds);
}

BOOST_AUTO_TEST_SUITE_END()
