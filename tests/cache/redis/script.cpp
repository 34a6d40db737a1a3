#include "cache/redis/script.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

#include "cache/scripts.hpp"

using namespace penstock::cache;

namespace {

std::string sha1(std::string_view text) {
    auto const hex = Sha1::hex(text);
    return {hex.data(), hex.size()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(redis_script)

// FIPS 180-4 examples, and lengths around the block boundary (from sha1sum).
BOOST_AUTO_TEST_CASE(sha1_is_that_of_the_standard) {
    BOOST_TEST(sha1("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    BOOST_TEST(sha1("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
    BOOST_TEST(sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
               "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    BOOST_TEST(sha1(std::string(55, 'a')) == "c1c8bbdc22796e28c0e15163d20899b65621d65a");
    BOOST_TEST(sha1(std::string(63, 'a')) == "03f09f5b158a7a8cdad920bddc29b81c18a551f5");
    BOOST_TEST(sha1(std::string(64, 'a')) == "0098ba824b5c16427bd7a1122a5a442a25ec644d");
    BOOST_TEST(sha1(std::string(1'000, 'a')) == "291e9a6c66994949b57ba5e650361e98fc36b1ba");
}

BOOST_AUTO_TEST_CASE(a_script_knows_its_name_at_compile_time) {
    static_assert(scripts::compare_and_delete.name() == "compare_and_delete");
    static_assert(scripts::compare_and_delete.text().starts_with("--"));
    BOOST_TEST(scripts::compare_and_delete.sha1() == sha1(scripts::compare_and_delete.text()));
}

BOOST_AUTO_TEST_SUITE_END()
