#include "bench/books.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::bench {
namespace {

struct Fixture {
    Books books{"main"};
    AccountIndex alice = books.open("alice");
    AccountIndex bob = books.open("bob");

    Fixture() {
        books.acknowledge({0, Books::world, alice, Kind::deposit, 100});
        books.acknowledge({0, alice, bob, Kind::transfer, 30});
        books.acknowledge({0, alice, bob, Kind::transfer, 5});
    }

    static Observed as_expected() {
        Observed observed;
        observed.totals = {{"deposit", {1, 100}}, {"transfer", {2, 35}}, {"refund", {0, 0}}};
        observed.balances = {{"@platform", 0}, {"@world", -100}, {"alice", 65}, {"bob", 35}};
        observed.verified = true;
        return observed;
    }
};

BOOST_FIXTURE_TEST_SUITE(books, Fixture)

BOOST_AUTO_TEST_CASE(a_ledger_that_holds_what_it_acknowledged_has_no_differences) {
    BOOST_TEST(books.differences(as_expected()).empty());
}

BOOST_AUTO_TEST_CASE(one_unit_too_many_is_found_in_the_balance_and_in_the_sum) {
    auto observed = as_expected();
    observed.balances[3].second += 1;
    auto const found = books.differences(observed);
    BOOST_REQUIRE(found.size() == 2u);
    BOOST_TEST(found[0] == "balance of bob: expected 35, found 36");
    BOOST_TEST(found[1] == "the balances add up to 1, not to 0");
}

BOOST_AUTO_TEST_CASE(a_transfer_too_many_is_found_even_if_it_came_back) {
    auto observed = as_expected();
    observed.totals["transfer"] = {4, 135};
    auto const found = books.differences(observed);
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST(found[0] == "total of transfer: expected 2 for 35, found 4 for 135");
}

BOOST_AUTO_TEST_CASE(totals_of_kinds_that_were_not_used_must_be_zero) {
    auto observed = as_expected();
    observed.totals["refund"] = {1, 1};
    BOOST_TEST(books.differences(observed).size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_account_that_is_missing_is_found) {
    auto observed = as_expected();
    observed.balances.erase(observed.balances.begin() + 2);
    BOOST_TEST(books.differences(observed).size() == 2u);  // alice, and the sum
}

BOOST_AUTO_TEST_CASE(an_account_that_is_listed_twice_is_found) {
    auto observed = as_expected();
    observed.balances.emplace_back("alice", 65);
    BOOST_TEST(books.differences(observed).size() == 2u);
}

BOOST_AUTO_TEST_CASE(money_in_an_account_that_nobody_paid_is_found) {
    auto observed = as_expected();
    observed.balances.emplace_back("mallory", 1);
    observed.balances[2].second -= 1;
    BOOST_TEST(books.differences(observed).size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_verify_says_counts) {
    auto observed = as_expected();
    observed.verified = false;
    BOOST_TEST(books.differences(observed).size() == 1u);
    observed.failed_checks = {"balances"};
    BOOST_TEST(books.differences(observed).front() == "verify: balances");
}

BOOST_AUTO_TEST_CASE(a_ledger_that_was_not_empty_is_the_starting_point) {
    Books later("main");
    auto const carol = later.open("carol");
    auto observed = as_expected();
    observed.totals["purchase"] = {3, 30};
    later.start_from(observed);
    later.acknowledge({0, later.open("bob"), carol, Kind::transfer, 35});
    observed.totals["transfer"] = {3, 70};
    observed.balances[3].second = 0;
    observed.balances.emplace_back("carol", 35);
    BOOST_TEST(later.differences(observed).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench
