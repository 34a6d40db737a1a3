#include "cache/edge_record.hpp"

#include <boost/test/unit_test.hpp>

using namespace penstock;
using namespace penstock::cache;

namespace {

domain::Fingerprint fingerprint_of(std::uint8_t first) {
    domain::Fingerprint fingerprint{};
    for (auto& byte : fingerprint) byte = first++;
    return fingerprint;
}

bool is_nothing(std::string_view bytes) {
    return std::holds_alternative<std::monostate>(read_edge_record(bytes));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(edge_record)

BOOST_AUTO_TEST_CASE(what_was_written_is_read_again) {
    EdgeMark const mark{0xFEDCBA9876543210, 7};
    BOOST_TEST((std::get<EdgeMark>(read_edge_record(encode(mark))) == mark));
    for (std::string const& body : {std::string(), std::string(R"({"id":"1"})"),
                                    std::string("\0\r\nM1", 5), std::string(100'000, 'x')}) {
        EdgeAnswer const answer{fingerprint_of(3), 201, body};
        auto const bytes = encode_answer(answer.fingerprint, answer.status, answer.body);
        BOOST_TEST((std::get<EdgeAnswer>(read_edge_record(bytes)) == answer));
    }
}

BOOST_AUTO_TEST_CASE(an_answer_that_was_cut_or_changed_anywhere_is_no_answer) {
    auto const bytes = encode_answer(fingerprint_of(200), 204, R"({"balance":12})");
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        BOOST_TEST(is_nothing(bytes.substr(0, i)));
        auto changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ 0x20);
        BOOST_TEST(is_nothing(changed));
    }
    BOOST_TEST(is_nothing(bytes + " "));
}

BOOST_AUTO_TEST_CASE(a_mark_has_one_length) {
    auto const bytes = encode(EdgeMark{1, 2});
    BOOST_TEST(is_nothing(bytes + "x"));
    for (std::size_t i = 0; i < bytes.size(); ++i) BOOST_TEST(is_nothing(bytes.substr(0, i)));
}

BOOST_AUTO_TEST_CASE(anything_else_is_nothing) {
    for (std::string_view const bytes :
         {"", "1", "processing", "A1", "A2................................................", "{}"})
        BOOST_TEST(is_nothing(bytes));
}

BOOST_AUTO_TEST_SUITE_END()
