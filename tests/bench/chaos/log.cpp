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
    log.at(refund).original = sold;
    BOOST_TEST(log.judge({{"e0", there(1, "refunded")}}).sound());
    BOOST_TEST(log.judge({{"e0", there(1, "completed")}}).lost == 1u);
    log.at(refund).fate = Fate::refused;
    BOOST_TEST(log.judge({{"e0", there(1, "refunded")}}).phantom == 1u);
}

BOOST_AUTO_TEST_CASE(a_hold_ends_as_its_client_was_told_or_by_itself_and_once) {
    auto const kept = add(Deed::hold, Fate::acknowledged);
    auto const expiring = add(Deed::hold, Fate::acknowledged);
    log.at(expiring).expires = true;
    auto const payee = Log::payee_of(kept);
    auto const other = Log::payee_of(expiring);
    auto const judge = [&](std::string const& one, std::string const& two) {
        return log.judge({{payee, there(1, one)}, {other, there(1, two)}});
    };
    BOOST_TEST(judge("pending", "expired").sound());
    BOOST_TEST(judge("expired", "expired").strayed == 1u);
    BOOST_TEST(judge("voided", "pending").strayed == 2u);
    BOOST_TEST(log.judge({{other, there(2, "expired")}}).lost == 1u);
    BOOST_TEST(log.judge({{other, there(2, "expired")}}).doubled == 1u);

    auto const capture = add(Deed::capture, Fate::acknowledged);
    log.at(capture).original = kept;
    auto const late = add(Deed::void_hold, Fate::refused);
    log.at(late).original = expiring;
    Traces traces{{payee, there(1, "captured")},
                  {other, there(1, "expired")},
                  {Log::captures_of(payee), there(1)}};
    BOOST_TEST(log.judge(traces).sound());
    traces[Log::captures_of(payee)] = there(2);
    BOOST_TEST(log.judge(traces).doubled == 1u);
    traces.erase(Log::captures_of(payee));
    BOOST_TEST(log.judge(traces).lost == 1u);
    traces[other] = there(1, "voided");
    BOOST_TEST(log.judge(traces).phantom == 1u);
    BOOST_TEST(log.judge(traces).strayed == 1u);
}

BOOST_AUTO_TEST_CASE(each_acknowledged_hold_is_given_out_once) {
    Random random(1);
    auto const hold = add(Deed::hold, Fate::unanswered);
    BOOST_TEST(!log.take_open_hold(random).has_value());
    log.acknowledge(hold, "a");
    BOOST_TEST(log.take_open_hold(random).value() == hold);
    BOOST_TEST(!log.take_open_hold(random).has_value());
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
