// Is the part that a client asks for the part that it gets?
#include "server/http/range.hpp"

#include <boost/test/unit_test.hpp>

using penstock::server::ByteRange;
using penstock::server::parse_range;

namespace {

constexpr auto whole = ByteRange::What::whole;
constexpr auto part = ByteRange::What::part;
constexpr auto none = ByteRange::What::none;

struct Row {
    char const* header;
    std::uint64_t size;
    ByteRange wanted;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(range)

BOOST_AUTO_TEST_CASE(one_range_is_served_and_what_cannot_be_understood_is_ignored) {
    for (auto const& [header, size, wanted] : {
             Row{"", 10, {whole, 0, 10}},
             Row{"bytes=0-0", 10, {part, 0, 1}},
             Row{"bytes=2-5", 10, {part, 2, 4}},
             Row{"bytes=2-", 10, {part, 2, 8}},
             Row{"bytes=0-99", 10, {part, 0, 10}},
             Row{"bytes=-3", 10, {part, 7, 3}},
             Row{"bytes=-99", 10, {part, 0, 10}},
             Row{"bytes=10-", 10, {none, 0, 0}},
             Row{"bytes=10-12", 10, {none, 0, 0}},
             Row{"bytes=-0", 10, {none, 0, 0}},
             Row{"bytes=0-", 0, {none, 0, 0}},
             Row{"bytes=-5", 0, {none, 0, 0}},
             Row{"bytes=5-2", 10, {whole, 0, 10}},
             Row{"bytes=-", 10, {whole, 0, 10}},
             Row{"bytes=", 10, {whole, 0, 10}},
             Row{"bytes=a-b", 10, {whole, 0, 10}},
             Row{"bytes=1-2,4-5", 10, {whole, 0, 10}},
             Row{"bytes=+1-2", 10, {whole, 0, 10}},
             Row{"items=0-1", 10, {whole, 0, 10}},
             Row{"bytes=0-18446744073709551615", 10, {part, 0, 10}},
             Row{"bytes=0-18446744073709551616", 10, {whole, 0, 10}},
         })
        BOOST_TEST((parse_range(header, size) == wanted), header << " of " << size);
}

BOOST_AUTO_TEST_SUITE_END()
