#include "db/pg/binary.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>

#include "db/pg/params.hpp"

using namespace penstock::db::pg;

namespace {

template <class Kind, class T>
void round_trip(T value) {
    std::string wire;
    encode(Kind{}, value, wire);
    auto const back = decode(Kind{}, bytes_of(wire));
    BOOST_TEST_REQUIRE(back.has_value());
    BOOST_TEST(*back == value);
    // One byte less or more is another value or none, never this one.
    std::string const longer = wire + '\0';
    BOOST_TEST(!decode(Kind{}, bytes_of(longer)).has_value());
    BOOST_TEST(!decode(Kind{}, bytes_of(wire).first(wire.size() - 1)).has_value());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pg_binary)

BOOST_AUTO_TEST_CASE(scalars_of_fixed_size_survive_the_round_trip_and_refuse_other_sizes) {
    for (bool value : {true, false}) round_trip<kind::Boolean>(value);
    for (int value : {-32768, -1, 0, 1, 32767})
        round_trip<kind::Int2>(static_cast<std::int16_t>(value));
    using Int4 = std::numeric_limits<std::int32_t>;
    for (std::int32_t value : {Int4::min(), -1, 0, 1, Int4::max()}) round_trip<kind::Int4>(value);
    using Int8 = std::numeric_limits<std::int64_t>;
    for (std::int64_t value : {Int8::min(), std::int64_t{-1}, std::int64_t{0}, Int8::max()})
        round_trip<kind::Int8>(value);
    for (std::int64_t value : {std::int64_t{-62'135'596'800'000}, std::int64_t{-1}, std::int64_t{0},
                               std::int64_t{1'763'700'000'123}})
        round_trip<kind::InstantMs>(value);
}

BOOST_AUTO_TEST_CASE(integers_are_big_endian) {
    std::string wire;
    encode(kind::Int4{}, 0x01020304, wire);
    BOOST_TEST(wire == "\x01\x02\x03\x04");
}

BOOST_AUTO_TEST_CASE(microseconds_are_floored_to_milliseconds_on_both_sides_of_2000) {
    auto const read = [](std::int64_t us) {
        std::string wire;
        encode(kind::Int8{}, us, wire);
        return decode(kind::InstantMs{}, bytes_of(wire));
    };
    std::int64_t const epoch = 946'684'800'000;
    BOOST_TEST(*read(1999) == epoch + 1);
    BOOST_TEST(*read(0) == epoch);
    BOOST_TEST(*read(-1) == epoch - 1);
    BOOST_TEST(*read(-1000) == epoch - 1);
    BOOST_TEST(!read(std::numeric_limits<std::int64_t>::max()).has_value());
    BOOST_TEST(!read(std::numeric_limits<std::int64_t>::min()).has_value());
}

BOOST_AUTO_TEST_CASE(a_boolean_is_zero_or_one) {
    BOOST_TEST(!decode(kind::Boolean{}, bytes_of("\x02")).has_value());
}

BOOST_AUTO_TEST_CASE(arrays_keep_order_nulls_and_empty_elements) {
    TextArray array;
    array.push("one");
    array.push_null();
    array.push("");
    array.push_optional(std::optional<std::string>("three"));
    array.push_optional(std::optional<std::string>());
    std::string wire;
    array.encode_to(wire);
    auto const back = decode_array(oid::text, bytes_of(wire));
    BOOST_TEST_REQUIRE(back.has_value());
    BOOST_TEST_REQUIRE(back->size() == 5u);
    BOOST_TEST(*decode(kind::Text{}, *back->at(0)) == "one");
    BOOST_TEST(!back->at(1).has_value());
    BOOST_TEST(back->at(2)->empty());
    BOOST_TEST(*decode(kind::Text{}, *back->at(3)) == "three");
    BOOST_TEST(!back->at(4).has_value());
}

BOOST_AUTO_TEST_CASE(an_empty_array_has_no_dimension) {
    std::string wire;
    UuidArray().encode_to(wire);
    BOOST_TEST(wire.size() == 12u);
    BOOST_TEST(decode_array(oid::uuid, bytes_of(wire))->empty());
}

BOOST_AUTO_TEST_CASE(every_truncation_and_every_extension_of_an_array_is_refused) {
    Int8Array array;
    for (int i = 0; i < 5; ++i) array.push(i);
    array.push_null();
    std::string wire;
    array.encode_to(wire);
    BOOST_TEST(decode_array(oid::int8, bytes_of(wire)).has_value());
    for (std::size_t n = 0; n < wire.size(); ++n)
        BOOST_TEST(!decode_array(oid::int8, bytes_of(wire).first(n)).has_value());
    std::string const longer = wire + 'x';
    BOOST_TEST(!decode_array(oid::int8, bytes_of(longer)).has_value());
    BOOST_TEST(!decode_array(oid::int4, bytes_of(wire)).has_value());
}

BOOST_AUTO_TEST_CASE(a_count_that_the_bytes_cannot_hold_allocates_nothing) {
    Int8Array array;
    array.push(1);
    std::string wire;
    array.encode_to(wire);
    wire.replace(12, 4, "\x7f\xff\xff\xff");
    BOOST_TEST(!decode_array(oid::int8, bytes_of(wire)).has_value());
    wire.replace(12, 4, "\xff\xff\xff\xff");
    BOOST_TEST(!decode_array(oid::int8, bytes_of(wire)).has_value());
}

BOOST_AUTO_TEST_CASE(parameters_own_their_bytes_and_know_their_types) {
    Params params;
    {
        std::string text = "gone before it is sent";
        params.text(text).int8(7).optional_int4(std::nullopt).optional_text("here");
        Int2Array array;
        array.push(3);
        params.add(array);
    }
    BOOST_TEST(params.size() == 5u);
    BOOST_TEST(std::string(params[0].data, params[0].length) == "gone before it is sent");
    BOOST_TEST(params[0].type == oid::text);
    BOOST_TEST(params[1].length == 8u);
    BOOST_TEST(params[2].data == nullptr);
    BOOST_TEST(params[2].type == oid::int4);
    BOOST_TEST(params[4].type == oid::int2_array);
}

BOOST_AUTO_TEST_CASE(an_empty_text_is_not_null) {
    Params params;
    params.text("").bytea({});
    BOOST_TEST(params[0].data != nullptr);
    BOOST_TEST(params[1].data != nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
