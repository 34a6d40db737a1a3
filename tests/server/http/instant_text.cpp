#include "server/http/instant_text.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::server {
namespace {

BOOST_AUTO_TEST_SUITE(http_instant_text)

BOOST_AUTO_TEST_CASE(instants_are_spelled_in_utc_with_milliseconds) {
    BOOST_TEST(instant_text(0) == "1970-01-01T00:00:00.000Z");
    BOOST_TEST(instant_text(-1) == "1969-12-31T23:59:59.999Z");
    BOOST_TEST(instant_text(1795251600000) == "2026-11-21T09:00:00.000Z");
    BOOST_TEST(instant_text(instant_ms_min) == "0000-01-01T00:00:00.000Z");
    BOOST_TEST(instant_text(instant_ms_max) == "9999-12-31T23:59:59.999Z");
    BOOST_TEST(instant_text(instant_ms_max + 1) == "9999-12-31T23:59:59.999Z");
}

BOOST_AUTO_TEST_CASE(what_is_spelled_is_read_back) {
    for (std::int64_t ms : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{951'782'400'123},
                            instant_ms_min, instant_ms_max})
        BOOST_TEST(parse_instant(instant_text(ms)).value() == ms);
}

BOOST_AUTO_TEST_CASE(offsets_and_fractions_are_understood) {
    auto const nine = std::int64_t{1795251600000};
    BOOST_TEST(parse_instant("2026-11-21T09:00:00Z").value() == nine);
    BOOST_TEST(parse_instant("2026-11-21T10:30:00+01:30").value() == nine);
    BOOST_TEST(parse_instant("2026-11-20T22:00:00-11:00").value() == nine);
    BOOST_TEST(parse_instant("2026-11-21T09:00:00.5Z").value() == nine + 500);
    BOOST_TEST(parse_instant("2026-11-21T09:00:00.123456789Z").value() == nine + 123);
    BOOST_TEST(parse_instant("2024-02-29T00:00:00Z").has_value());
}

BOOST_AUTO_TEST_CASE(anything_looser_is_refused) {
    for (auto const* bad : {"",
                            "2026-11-21",
                            "2026-11-21T09:00:00",
                            "2026-11-21 09:00:00Z",
                            "2026-11-21t09:00:00Z",
                            "2026-11-21T09:00:00z",
                            "2026-02-29T00:00:00Z",
                            "2026-13-01T00:00:00Z",
                            "2026-00-01T00:00:00Z",
                            "2026-11-31T00:00:00Z",
                            "2026-11-21T24:00:00Z",
                            "2026-11-21T09:60:00Z",
                            "2026-11-21T23:59:60Z",
                            "2026-11-21T09:00:00.Z",
                            "2026-11-21T09:00:00.1234567890Z",
                            "2026-11-21T09:00:00+24:00",
                            "2026-11-21T09:00:00+01:60",
                            "2026-11-21T09:00:00+0100",
                            "2026-11-21T09:00:00ZZ",
                            "26-11-21T09:00:00Z",
                            "+2026-11-21T09:00:00Z",
                            "2026-1-21T09:00:00Z",
                            "9999-12-31T23:59:59-01:00",
                            "0000-01-01T00:00:00+01:00"})
        BOOST_TEST(!parse_instant(bad), bad);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::server
