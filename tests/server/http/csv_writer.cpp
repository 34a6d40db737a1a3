// Is CSV what RFC 4180 says, and harmless to a spreadsheet?
#include "server/http/csv_writer.hpp"

#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>
#include <utility>

using namespace penstock::server;

namespace {

std::string field(std::string_view text) {
    std::string out;
    append_csv_text(out, text);
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(csv_writer)

BOOST_AUTO_TEST_CASE(what_would_begin_a_formula_gets_an_apostrophe) {
    for (auto const& [text, wanted] : {
             std::pair{"=1+2", "'=1+2"},
             std::pair{"+49 30 1", "'+49 30 1"},
             std::pair{"-5", "'-5"},
             std::pair{"@world", "'@world"},
             std::pair{"\tx", "'\tx"},
             std::pair{"\rx", "\"'\rx\""},
             std::pair{"=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"},
             std::pair{"=\"a\",b", "\"'=\"\"a\"\",b\""},
             std::pair{"a=1", "a=1"},
             std::pair{"'=1", "'=1"},
             std::pair{" =1", " =1"},
         })
        BOOST_TEST(field(text) == wanted);
}

BOOST_AUTO_TEST_CASE(commas_quotes_and_line_ends_are_quoted) {
    for (auto const& [text, wanted] : {
             std::pair{"plain", "plain"},
             std::pair{"a b", "a b"},
             std::pair{"a,b", "\"a,b\""},
             std::pair{"a\"b", "\"a\"\"b\""},
             std::pair{"\"", "\"\"\"\""},
             std::pair{"\"\"", "\"\"\"\"\"\""},
             std::pair{"a\nb", "\"a\nb\""},
             std::pair{"a\r\nb", "\"a\r\nb\""},
             std::pair{"{\"a\":1}", "\"{\"\"a\"\":1}\""},
             std::pair{"\xc3\xa4", "\xc3\xa4"},
             std::pair{"", "\"\""},
         })
        BOOST_TEST(field(text) == wanted);
}

BOOST_AUTO_TEST_CASE(an_object_is_a_line_and_its_names_are_the_header) {
    auto const write = [](auto& out) {
        std::optional<std::string> nothing;
        out.begin_object();
        out.member("text", "a,b").member("amount", -5).member("none", nothing);
        out.instant("at", 0).instant("never", std::nullopt).raw("data", R"({"x":1})");
        out.end_object();
    };
    std::string lines;
    CsvHeader header(lines);
    write(header);
    CsvWriter csv(lines);
    write(csv);
    write(csv);
    std::string const line = "\"a,b\",-5,,1970-01-01T00:00:00.000Z,,\"{\"\"x\"\":1}\"\r\n";
    BOOST_TEST(lines == "text,amount,none,at,never,data\r\n" + line + line);
}

BOOST_AUTO_TEST_SUITE_END()
