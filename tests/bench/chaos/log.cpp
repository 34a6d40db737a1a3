#include "bench/chaos/log.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::bench::chaos {
namespace {

Entry entry_of(Deed deed, Fate fate, std::string answer = "") {
    Entry entry;
    entry.deed = deed;
    entry.fate = fate;
    entry.answer = std::move(answer);
    return entry;
}

struct Fixture {
    Log log;

    std::uint32_t add(Deed deed, Fate fate) { return log.begin(entry_of(deed, fate)); }
    static Trace there(std::uint32_t effects, std::string status = "completed") {
        return {effects, "id", std::move(status)};
    }
};

BOOST_FIXTURE_TEST_SUITE(chaos_log, Fixture)

BOOST_AUTO_TEST_CASE(what_was_acknowledged_is_there_once) {
    add(Deed::transfer, Fate::acknowledged);
    add(Deed::purchase, Fate::acknowledged);
    auto const sound = log.judge({{"e0", there(1)}, {"e1", there(1)}});
    BOOST_TEST(sound.sound());
    BOOST_TEST(sound.acknowledged == 2u);
    auto const lost = log.judge({{"e1", there(1)}});
    BOOST_TEST(lost.lost == 1u);
    BOOST_TEST(!lost.sound());
    auto const doubled = log.judge({{"e0", there(2)}, {"e1", there(1)}});
    BOOST_TEST(doubled.doubled == 1u);
    BOOST_TEST(doubled.details.size() == 1u);
    BOOST_TEST(!doubled.sound());
}

BOOST_AUTO_TEST_CASE(what_was_refused_is_not_there) {
    add(Deed::too_much, Fate::refused);
    BOOST_TEST(log.judge({}).sound());
    auto const phantom = log.judge({{"e0", there(1)}});
    BOOST_TEST(phantom.phantom == 1u);
    BOOST_TEST(phantom.lost == 0u);
    BOOST_TEST(!phantom.sound());
}

BOOST_AUTO_TEST_CASE(what_has_no_answer_may_be_there_but_not_twice_and_not_for_ever) {
    log.at(add(Deed::transfer, Fate::unanswered)).ever_unanswered = true;
    for (std::uint32_t const effects : {0u, 1u}) {
        auto const open = log.judge({{"e0", there(effects)}});
        BOOST_TEST(open.unanswered == 1u);
        BOOST_TEST(open.unresolved == 1u);
        BOOST_TEST(open.doubled + open.lost == 0u);
        BOOST_TEST(!open.sound());
    }
    BOOST_TEST(log.judge({{"e0", there(2)}}).doubled == 1u);
    BOOST_TEST(log.acknowledge(0, "done"));
    auto const known = log.judge({{"e0", there(1)}});
    BOOST_TEST(known.sound());
    BOOST_TEST(known.unanswered == 1u);
}

BOOST_AUTO_TEST_CASE(a_refund_shows_on_its_purchase) {
    auto const sold = add(Deed::purchase, Fate::acknowledged);
    auto const refund = add(Deed::refund, Fate::acknowledged);
    log.at(refund).refunds = sold;
    BOOST_TEST(log.judge({{"e0", there(1, "refunded")}}).sound());
    BOOST_TEST(log.judge({{"e0", there(1, "completed")}}).lost == 1u);
    log.at(refund).fate = Fate::refused;
    BOOST_TEST(log.judge({{"e0", there(1, "refunded")}}).phantom == 1u);
}

BOOST_AUTO_TEST_CASE(each_ledger_is_judged_by_its_own_entries) {
    add(Deed::transfer, Fate::acknowledged);
    log.at(add(Deed::transfer, Fate::acknowledged)).posting.book = 1;
    BOOST_TEST(log.judge({{"e0", there(1)}}, 0).sound());
    BOOST_TEST(log.judge({{"e0", there(1)}}, 1).lost == 1u);
}

BOOST_AUTO_TEST_CASE(a_key_answers_the_same_for_ever) {
    auto const number = add(Deed::transfer, Fate::unanswered);
    BOOST_TEST(log.acknowledge(number, "first"));
    BOOST_TEST(log.acknowledge(number, "first"));
    BOOST_TEST(!log.acknowledge(number, "second"));
    BOOST_TEST(log.at(number).answer == "first");
}

BOOST_AUTO_TEST_CASE(each_acknowledged_purchase_is_given_out_for_refund_once) {
    Random random(1);
    BOOST_TEST(!log.take_refundable(random).has_value());
    auto const first = add(Deed::purchase, Fate::unanswered);
    auto const second = add(Deed::purchase, Fate::unanswered);
    add(Deed::purchase, Fate::unanswered);
    log.acknowledge(first, "a");
    log.acknowledge(second, "b");
    auto const one = log.take_refundable(random).value();
    auto const other = log.take_refundable(random).value();
    BOOST_TEST(one + other == first + second);
    BOOST_TEST(!log.take_refundable(random).has_value());
}

BOOST_AUTO_TEST_CASE(judgements_add_up_and_their_details_are_bounded) {
    for (int i = 0; i < 100; ++i) add(Deed::transfer, Fate::acknowledged);
    auto const one = log.judge({});
    BOOST_TEST(one.lost == 100u);
    BOOST_TEST(one.details.size() == Judgement::details_max);
    Judgement sum;
    sum.add(one);
    sum.add(one);
    BOOST_TEST(sum.lost == 200u);
    BOOST_TEST(sum.details.size() == Judgement::details_max);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench::chaos
