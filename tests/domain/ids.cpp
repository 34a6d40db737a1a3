#include "domain/ids.hpp"

#include <boost/test/unit_test.hpp>

#include "domain/amount.hpp"

using namespace penstock::domain;

BOOST_AUTO_TEST_SUITE(ids)

BOOST_AUTO_TEST_CASE(a_uuid_is_read_back_from_its_text) {
    auto const id = make_uuid7({1'700'000'000'123}, 262'143, 0x00ff'eedd'ccbb'aa99);
    auto const text = id.to_string();
    BOOST_TEST(text.size() == 36u);
    BOOST_TEST((Uuid::parse(text) == id));
    BOOST_TEST(text[14] == '7');
    BOOST_TEST((text[19] == '8' || text[19] == '9' || text[19] == 'a' || text[19] == 'b'));
}

BOOST_AUTO_TEST_CASE(upper_case_is_read_too) {
    auto const lower = Uuid::parse("0190a0b0-c0d0-7abc-8def-0123456789ab");
    auto const upper = Uuid::parse("0190A0B0-C0D0-7ABC-8DEF-0123456789AB");
    BOOST_TEST(lower.has_value());
    BOOST_TEST((lower == upper));
    BOOST_TEST(upper->to_string() == "0190a0b0-c0d0-7abc-8def-0123456789ab");
}

BOOST_AUTO_TEST_CASE(anything_but_the_36_character_form_is_no_uuid) {
    for (auto const* text :
         {"", "0190a0b0c0d07abc8def0123456789ab", "0190a0b0-c0d0-7abc-8def-0123456789a",
          "0190a0b0-c0d0-7abc-8def-0123456789abc", "0190a0b0+c0d0-7abc-8def-0123456789ab",
          "0190a0b0-c0d0-7abc-8def-0123456789ag", "{190a0b0-c0d0-7abc-8def-0123456789a}",
          "0190a0b0-c0d07-abc-8def-0123456789ab"})
        BOOST_TEST(!Uuid::parse(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(ids_ascend_by_instant_then_by_ordinal_whatever_the_nonce) {
    auto const first = make_uuid7({1000}, 0, ~std::uint64_t{0});
    auto const second = make_uuid7({1000}, 63, 5);
    auto const third = make_uuid7({1000}, 64, 0);
    auto const fourth = make_uuid7({1000}, 200'000, 0);
    auto const fifth = make_uuid7({1001}, 0, 0);
    BOOST_TEST((first < second && second < third && third < fourth && fourth < fifth));
}

BOOST_AUTO_TEST_CASE(a_millisecond_is_the_range_from_its_first_to_its_last_id) {
    auto const id = make_uuid7({1000}, 4711, 0x1234567);
    BOOST_TEST((first_uuid7({1000}) <= id && id <= last_uuid7({1000})));
    BOOST_TEST((last_uuid7({999}) < id && id < first_uuid7({1001})));
    BOOST_TEST(instant_of(id).ms == 1000);
    BOOST_TEST(instant_of(last_uuid7({281'474'976'710'655})).ms == 281'474'976'710'655);
}

BOOST_AUTO_TEST_CASE(sums_that_do_not_fit_are_none) {
    constexpr Amount largest = INT64_MAX;
    BOOST_TEST((add(largest, 1) == std::nullopt));
    BOOST_TEST((add(largest, 0) == largest));
    BOOST_TEST((subtract(INT64_MIN, 1) == std::nullopt));
    BOOST_TEST((subtract(0, largest) == -largest));
}

BOOST_AUTO_TEST_SUITE_END()
