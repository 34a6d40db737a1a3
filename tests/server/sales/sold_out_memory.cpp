#include "server/sales/sold_out_memory.hpp"

#include <boost/test/unit_test.hpp>

using namespace penstock;
using namespace penstock::server;
using cache::GateAnswer;
using cache::GateJudgement;

namespace {

constexpr SteadyTime at(int ms) { return SteadyTime{} + milliseconds{1'000'000 + ms}; }

domain::ProductId sale_of(int number) {
    domain::ProductId sale;
    sale.value.bytes[15] = static_cast<std::uint8_t>(number);
    return sale;
}
domain::ProductId const sale = sale_of(1);

domain::IdempotencyKey key_of(int number) {
    domain::IdempotencyKey key;
    key.value.bytes[15] = static_cast<std::uint8_t>(number);
    return key;
}

GateJudgement sold_out(std::int64_t changes = 1, std::string generation = "g") {
    return {GateAnswer::sold_out, 0, 0, changes, std::move(generation)};
}

SoldOutMemory::Keys keys(std::initializer_list<int> numbers) {
    SoldOutMemory::Keys all;
    for (int const number : numbers) all.insert(key_of(number));
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sold_out_memory)

BOOST_AUTO_TEST_CASE(what_is_sold_out_for_good_is_refused_once_the_accepted_keys_are_known) {
    SoldOutMemory memory({});
    BOOST_TEST(!memory.refuses(sale, key_of(1), at(0)));
    BOOST_TEST(memory.learn(sale, sold_out(), at(0)));
    BOOST_TEST(!memory.refuses(sale, key_of(1), at(1)));
    BOOST_TEST(!memory.learn(sale, sold_out(), at(1)), "they are being fetched");
    memory.learn_keys(sale, sold_out(), keys({7}));
    BOOST_TEST(memory.refuses(sale, key_of(1), at(2)));
    BOOST_TEST(!memory.refuses(sale, key_of(7), at(2)), "an accepted order is repeated");
    BOOST_TEST(!memory.refuses(sale_of(2), key_of(1), at(2)));
}

BOOST_AUTO_TEST_CASE(without_a_memory_nothing_is_learnt_and_no_keys_are_asked_for) {
    SoldOutMemory memory({.believed = milliseconds{0}});
    BOOST_TEST(!memory.learn(sale, sold_out(), at(0)));
    memory.learn_keys(sale, sold_out(), keys({}));
    BOOST_TEST(!memory.refuses(sale, key_of(1), at(0)));
    BOOST_TEST(memory.keys_kept() == 0U);
}

BOOST_AUTO_TEST_CASE(it_is_believed_for_a_moment_and_one_asks_before_it_is_over) {
    SoldOutMemory memory({});
    memory.learn(sale, sold_out(), at(0));
    memory.learn_keys(sale, sold_out(), keys({}));
    BOOST_TEST(memory.refuses(sale, key_of(1), at(79)));
    BOOST_TEST(!memory.refuses(sale, key_of(1), at(80)), "the one that asks");
    BOOST_TEST(memory.refuses(sale, key_of(2), at(81)));
    BOOST_TEST(memory.refuses(sale, key_of(2), at(99)));
    BOOST_TEST(!memory.refuses(sale, key_of(2), at(100)));
    BOOST_TEST(!memory.learn(sale, sold_out(), at(100)), "the keys are those of before");
    BOOST_TEST(memory.refuses(sale, key_of(2), at(101)));
}

BOOST_AUTO_TEST_CASE(what_may_come_back_is_not_believed) {
    SoldOutMemory memory({});
    auto reserved = sold_out();
    reserved.reserved = 1;
    BOOST_TEST(!memory.learn(sale, reserved, at(0)));
    auto some = sold_out();
    some.remaining = 1;
    BOOST_TEST(!memory.learn(sale, some, at(0)));
    auto limit = sold_out();
    limit.answer = GateAnswer::purchase_limit_reached;
    BOOST_TEST(!memory.learn(sale, limit, at(0)));
    BOOST_TEST(!memory.refuses(sale, key_of(1), at(1)));
}

BOOST_AUTO_TEST_CASE(another_state_of_the_gate_needs_its_own_keys) {
    SoldOutMemory memory({});
    memory.learn(sale, sold_out(1), at(0));
    BOOST_TEST(memory.learn(sale, sold_out(2), at(1)));
    memory.learn_keys(sale, sold_out(1), keys({1}));
    BOOST_TEST(!memory.refuses(sale, key_of(5), at(2)), "those keys are too old");
    memory.learn_keys(sale, sold_out(2), keys({1, 2}));
    BOOST_TEST(memory.refuses(sale, key_of(5), at(2)));
    BOOST_TEST(memory.learn(sale, sold_out(2, "h"), at(3)));
    BOOST_TEST(!memory.refuses(sale, key_of(5), at(4)));
    BOOST_TEST(memory.keys_kept() == 0U);
}

BOOST_AUTO_TEST_CASE(an_answer_to_a_question_from_before_it_was_forgotten_is_not_believed) {
    SoldOutMemory memory({});
    memory.learn(sale, sold_out(), at(0));
    memory.learn_keys(sale, sold_out(), keys({}));
    memory.forget(sale, at(5));
    BOOST_TEST(!memory.refuses(sale, key_of(1), at(5)));
    BOOST_TEST(!memory.learn(sale, sold_out(), at(4)));
    memory.learn_keys(sale, sold_out(), keys({}));
    BOOST_TEST(!memory.refuses(sale, key_of(1), at(6)));
    BOOST_TEST(memory.learn(sale, sold_out(2), at(6)));
}

BOOST_AUTO_TEST_CASE(too_many_keys_are_not_asked_for_again_and_failures_are) {
    SoldOutMemory memory({});
    BOOST_TEST(memory.learn(sale, sold_out(), at(0)));
    memory.keys_failed(sale);
    BOOST_TEST(memory.learn(sale, sold_out(), at(1)));
    memory.learn_keys(sale, sold_out(), std::nullopt);
    BOOST_TEST(!memory.learn(sale, sold_out(), at(2)));
    BOOST_TEST(!memory.refuses(sale, key_of(1), at(3)));
    BOOST_TEST(memory.learn(sale, sold_out(2), at(4)));
}

BOOST_AUTO_TEST_CASE(what_it_keeps_is_bounded) {
    SoldOutLimits limits;
    limits.keys_in_all = 4;
    limits.sales_max = 3;
    SoldOutMemory memory(limits);
    memory.learn(sale_of(1), sold_out(), at(0));
    memory.learn_keys(sale_of(1), sold_out(), keys({1, 2, 3}));
    memory.learn(sale_of(2), sold_out(), at(0));
    memory.learn_keys(sale_of(2), sold_out(), keys({1, 2}));
    BOOST_TEST(memory.keys_kept() == 2U);
    BOOST_TEST(!memory.refuses(sale_of(1), key_of(9), at(1)));
    BOOST_TEST(memory.refuses(sale_of(2), key_of(9), at(1)));
    for (int number = 3; number < 9; ++number) memory.learn(sale_of(number), sold_out(), at(0));
    BOOST_TEST(memory.keys_kept() == 0U);
    BOOST_TEST(!memory.refuses(sale_of(2), key_of(9), at(1)));
}

BOOST_AUTO_TEST_SUITE_END()
