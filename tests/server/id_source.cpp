#include "server/id_source.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>

namespace {

using namespace penstock::server;

class Counting final : public IdSource {
public:
    void fill(std::span<std::uint8_t> bytes) override {
        for (auto& byte : bytes) byte = next_++;
    }

private:
    std::uint8_t next_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(id_source)

BOOST_AUTO_TEST_CASE(a_request_id_is_32_hexadecimal_digits) {
    BOOST_TEST(Counting().request_id() == "000102030405060708090a0b0c0d0e0f");
}

BOOST_AUTO_TEST_CASE(a_secret_is_its_bytes_in_base64url) {
    // The bytes 0…31, as any other encoder writes them, without padding.
    BOOST_TEST(Counting().secret() == "psk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
}

BOOST_AUTO_TEST_CASE(the_system_source_repeats_nothing_across_its_blocks) {
    SystemIdSource ids;
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 2'000; ++i) seen.insert(ids.nonce());
    BOOST_TEST(seen.size() == 2'000U);
}

BOOST_AUTO_TEST_CASE(more_than_a_block_can_be_asked_for) {
    SystemIdSource ids;
    std::array<std::uint8_t, 10'000> bytes{};
    ids.fill(bytes);
    auto const zeros = std::count(bytes.begin(), bytes.end(), 0);
    BOOST_TEST(zeros < 200);
}

BOOST_AUTO_TEST_SUITE_END()
