#include "db/pg/address.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/db/pg/with_session.hpp"

using namespace penstock;
using db::pg::Address;

namespace {

std::vector<db::pg::Keywords> candidates_of(std::string url) {
    std::vector<db::pg::Keywords> found;
    auto const address = Address::parse(url).value();
    auto look = [&]() -> asio::awaitable<void> {
        auto candidates = co_await address.candidates(tests::soon());
        found = candidates.value();
    };
    tests::run(look);
    return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pg_address)

BOOST_AUTO_TEST_CASE(what_is_shown_of_an_address_is_host_port_and_database) {
    auto const address = Address::parse("postgresql://ann:secret@db.example:6000/books").value();
    BOOST_TEST(address.describe() == "db.example:6000/books");
    BOOST_TEST(address.with_database("other").describe() == "db.example:6000/other");
}

BOOST_AUTO_TEST_CASE(a_url_that_cannot_be_read_is_not_quoted_in_the_failure) {
    for (auto const* url : {"postgresql://ann:secret@host:port:port/x", "host=h password='secret",
                            "secret", "postgresql://ann:secret@a,b:1,2:x,3/books?nonsense=1"}) {
        auto const address = Address::parse(url);
        BOOST_TEST_REQUIRE(!address.has_value());
        BOOST_TEST((address.error().code == db::Errc::unavailable));
        BOOST_TEST(address.error().message.find("secret") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(several_hosts_become_candidates_in_their_order) {
    auto const found =
        candidates_of("postgresql://ann@127.0.0.1:1,[::1]:2/books?target_session_attrs=read-write");
    BOOST_TEST_REQUIRE(found.size() == 2u);
    BOOST_TEST(found[0].at("hostaddr") == "127.0.0.1");
    BOOST_TEST(found[0].at("port") == "1");
    BOOST_TEST(found[1].at("hostaddr") == "::1");
    BOOST_TEST(found[1].at("port") == "2");
    BOOST_TEST(found[1].at("target_session_attrs") == "read-write");
}

BOOST_AUTO_TEST_CASE(a_name_is_resolved_and_kept_for_the_certificate) {
    auto const found = candidates_of("postgresql://ann@localhost:5/books");
    BOOST_TEST_REQUIRE(!found.empty());
    BOOST_TEST(found[0].at("host") == "localhost");
    BOOST_TEST(!found[0].at("hostaddr").empty());
}

BOOST_AUTO_TEST_CASE(a_socket_directory_is_not_looked_up) {
    auto const found = candidates_of("postgresql:///books?host=/var/run/x&port=7");
    BOOST_TEST_REQUIRE(found.size() == 1u);
    BOOST_TEST(found[0].at("host") == "/var/run/x");
    BOOST_TEST(found[0].count("hostaddr") == 0u);
}

BOOST_AUTO_TEST_CASE(the_password_is_taken_out_of_any_text) {
    auto const address = Address::parse("postgresql://ann:s3cret@h/books").value();
    BOOST_TEST(address.scrubbed("s3cret and s3cret") == "*** and ***");
    BOOST_TEST(Address::parse("postgresql://ann:*@h/b").value().scrubbed("a*b") == "a***b");
}

BOOST_AUTO_TEST_SUITE_END()
