#include "server/http/cursor.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>

namespace penstock::server {
namespace {

std::array<std::uint8_t, 16> some_id() {
    std::array<std::uint8_t, 16> id{};
    for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::uint8_t>(i * 17);
    return id;
}

BOOST_AUTO_TEST_SUITE(http_cursor)

BOOST_AUTO_TEST_CASE(base64url_reads_back_every_length) {
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        BOOST_TEST(from_base64url(to_base64url(bytes)).value() == bytes);
        bytes += static_cast<char>(i * 37);
    }
    BOOST_TEST(to_base64url("\xFB\xFF\xFE") == "-__-");
}

BOOST_AUTO_TEST_CASE(base64url_has_one_spelling_only) {
    BOOST_TEST(to_base64url("a") == "YQ");
    for (auto const* bad : {"Y", "YR", "YQ==", "YQ=", "Y Q", "YWI\n", "YW+/", "YWJjZ",
                            "\xC3\xA9"
                            "AA"})
        BOOST_TEST(!from_base64url(bad), bad);
}

BOOST_AUTO_TEST_CASE(a_cursor_gives_back_what_was_packed) {
    auto const least = std::numeric_limits<std::int64_t>::min();
    CursorWriter writer(CursorKind::transfers);
    auto const text = writer.integer(least).id(some_id()).string("@x").integer(7).text();
    CursorReader reader(CursorKind::transfers, text);
    BOOST_TEST(reader.integer() == least);
    BOOST_TEST((reader.id() == some_id()));
    BOOST_TEST(reader.string() == "@x");
    BOOST_TEST(!reader.complete());
    BOOST_TEST(reader.integer() == 7);
    BOOST_TEST(reader.complete());
}

BOOST_AUTO_TEST_CASE(a_foreign_short_or_long_cursor_is_refused) {
    auto const text = CursorWriter(CursorKind::transfers).integer(1).text();
    auto const complete = [](std::string_view cursor, CursorKind kind = CursorKind::transfers) {
        CursorReader reader(kind, cursor);
        reader.integer();
        return reader.complete();
    };
    BOOST_TEST(complete(text));
    BOOST_TEST(!complete(text, CursorKind::account_transfers));
    BOOST_TEST(!complete(text + "AAAA"));
    BOOST_TEST(!complete(text.substr(0, 8)));
    BOOST_TEST(!complete(""));
    BOOST_TEST(!complete("!!!!"));
    BOOST_TEST(!complete(std::string(cursor_bytes_max + 1, 'A')));
}

BOOST_AUTO_TEST_CASE(reading_on_after_a_fault_gives_zero_values) {
    CursorReader reader(CursorKind::transfers, CursorWriter(CursorKind::transfers).text());
    BOOST_TEST(reader.integer() == 0);
    BOOST_TEST(reader.string() == "");
    BOOST_TEST((reader.id() == std::array<std::uint8_t, 16>{}));
    BOOST_TEST(!reader.complete());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::server
