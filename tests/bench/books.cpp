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
        observed.verified = Verified::yes;
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
    observed.verified = Verified::no;
    BOOST_TEST(books.differences(observed).size() == 1u);
    observed.failed_checks = {"balances"};
    BOOST_TEST(books.differences(observed).front() == "verify: balances");
}

BOOST_AUTO_TEST_CASE(a_check_that_nobody_asked_for_is_no_difference) {
    auto observed = as_expected();
    observed.verified = Verified::not_asked;
    BOOST_TEST(books.differences(observed).empty());
}

BOOST_AUTO_TEST_CASE(authors_earn_the_same_whatever_the_order_of_sales_and_refunds) {
    // Prices 1 … 1000 at 70 %: 350350 for the author, 150150 for the platform, nothing left over.
    Books up("main");
    Books down("main");
    for (auto* const each : {&up, &down}) {
        auto const buyer = each->open("buyer");
        auto const author = each->open("author");
        each->acknowledge({0, Books::world, buyer, Kind::deposit, 1'000'000});
        each->acknowledge({0, buyer, author, Kind::purchase, 333});
        for (Amount i = 1; i <= 1000; ++i) {
            Amount const price = each == &up ? i : 1001 - i;
            each->acknowledge({0, buyer, author, Kind::purchase, price});
            if (i == 500) each->acknowledge({0, author, buyer, Kind::refund, 333});
        }
        BOOST_TEST(each->balance(author) == 350'350);
        BOOST_TEST(each->balance(Books::platform) == 150'150);
        BOOST_TEST(each->balance(buyer) == 1'000'000 - 500'500);
        BOOST_TEST(each->fraction(author) == 0);
        BOOST_CHECK((each->total(Kind::purchase) == Total{1001, 500'833}));
        BOOST_CHECK((each->total(Kind::refund) == Total{1, 333}));
    }
}

struct Sale : Fixture {
    Sale() { books.acknowledge({0, alice, bob, Kind::purchase, 9}); }

    /// 9 at 70 %: 6.30 for bob.
    static Observed as_sold() {
        auto observed = as_expected();
        observed.totals["purchase"] = {1, 9};
        observed.totals["royalty_author"] = {1, 6};
        observed.totals["royalty_platform"] = {1, 3};
        observed.balances = {{"@platform", 3}, {"@world", -100}, {"alice", 56}, {"bob", 41}};
        observed.fractions = {{"bob", 30}};
        return observed;
    }
};

BOOST_FIXTURE_TEST_CASE(a_purchase_is_a_total_two_legs_and_a_fraction, Sale) {
    books.acknowledge_legs(6, 3);
    BOOST_TEST(books.differences(as_sold()).empty());
    auto observed = as_sold();
    observed.fractions["bob"] = 31;
    BOOST_TEST(books.differences(observed).front() == "fraction of bob: expected 30, found 31");
    observed.fractions = {{"alice", 30}};
    BOOST_TEST(books.differences(observed).size() == 2u);
    observed = as_sold();
    observed.totals["royalty_author"].amount = 7;
    BOOST_TEST(books.differences(observed).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_leg_of_nothing_is_not_counted, Sale) {
    books.acknowledge_legs(0, 9);
    auto observed = as_sold();
    observed.totals["royalty_author"] = {0, 0};
    observed.totals["royalty_platform"] = {1, 9};
    BOOST_TEST(books.differences(observed).empty());
}

BOOST_FIXTURE_TEST_CASE(a_refund_takes_back_what_the_arithmetic_says, Sale) {
    books.acknowledge_legs(6, 3);
    books.acknowledge({0, bob, alice, Kind::refund, 9});
    auto observed = as_expected();
    observed.totals["purchase"] = {1, 9};
    observed.totals["royalty_author"] = {1, 6};
    observed.totals["royalty_platform"] = {1, 3};
    for (std::uint64_t const legs : {1u, 2u}) {
        observed.totals["refund"] = {legs, 9};
        BOOST_TEST(books.differences(observed).empty());
    }
    observed.totals["refund"] = {3, 9};
    BOOST_TEST(books.differences(observed).size() == 1u);
    observed.totals["refund"] = {2, 8};
    BOOST_TEST(books.differences(observed).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_ledgers_own_percentage_and_fractions_are_the_starting_point) {
    Books later("main");
    auto observed = Sale::as_sold();
    observed.royalty_percent = 50;
    later.start_from(observed);
    auto const alice_again = later.open("alice");
    auto const bob_again = later.open("bob");
    later.acknowledge({0, alice_again, bob_again, Kind::purchase, 9});  // 4.50 on top of 0.30
    BOOST_TEST(later.balance(bob_again) == 45);
    BOOST_TEST(later.fraction(bob_again) == 80);
    BOOST_TEST(later.balance(Books::platform) == 8);
    // A refund of what was sold before we came takes more than we saw earned.
    later.acknowledge({0, bob_again, alice_again, Kind::refund, 9});
    later.acknowledge({0, bob_again, alice_again, Kind::refund, 9});
    BOOST_TEST(later.balance(bob_again) == 36);
    BOOST_TEST(later.fraction(bob_again) == 80);
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
