#include "bench/retail_plan.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <set>

#include "bench/lines.hpp"

namespace penstock::bench {
namespace {

std::string const fixture_file = PENSTOCK_SOURCE_DIR "/tests/bench/fixtures/retail.tsv";

RetailPlan plan_of(std::string const& path) {
    RetailPlan plan;
    bool header = true;
    read_lines(path, [&](std::string_view line) {
        if (!std::exchange(header, false)) BOOST_REQUIRE(plan.add_line(line));
        return true;
    });
    return plan;
}

RetailPlan plan_of_lines(std::vector<std::string> const& lines) {
    RetailPlan plan;
    for (auto const& line : lines) BOOST_REQUIRE(plan.add_line(line));
    return plan;
}

std::string line(std::string invoice, std::string stock, std::string quantity, std::string price,
                 std::string customer) {
    return invoice + "\t" + stock + "\t" + quantity + "\t" + price + "\t2010-12-01 08:26:00\t" +
           customer + "\tUnited Kingdom";
}

BOOST_AUTO_TEST_SUITE(retail_plan)

BOOST_AUTO_TEST_CASE(amounts_are_exact_and_rounded_half_up) {
    struct Row {
        char const* quantity;
        char const* price;
        std::optional<Amount> amount;
    };
    for (auto const& row : {
             Row{"6", "2.55", 1530},
             Row{"-6", "2.55", 1530},
             Row{"1", "0.005", 1},
             Row{"1", "0.0049", 0},
             Row{"3", "0.335", 101},
             Row{"1", "1.005", 101},
             Row{"80995", "2.08", 16'846'960},
             Row{"1", "38970", 3'897'000},
             Row{"0", "5", 0},
             Row{"1", "-11062.06", -1'106'206},
             Row{"1", "0.001", 0},
             Row{"10", "0.29", 290},
             Row{"1", "0.000000005", 0},
             Row{"", "1", {}},
             Row{"1", "", {}},
             Row{"1", ".", {}},
             Row{"1.5", "1", {}},
             Row{"1", "1,5", {}},
             Row{"1", "1e3", {}},
             Row{"x", "1", {}},
             Row{"1", "1.2.3", {}},
             Row{"9007199254740991", "1", {}},
             Row{"9223372036854775807", "9223372036854775807", {}},
             Row{"99999999999999999999", "1", {}},
             Row{"1", "0.0000000001", {}},
         }) {
        BOOST_TEST_CONTEXT(row.quantity << " × " << row.price) {
            BOOST_CHECK(line_amount(row.quantity, row.price) == row.amount);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_refund_takes_back_the_latest_equal_purchase_not_yet_refunded) {
    auto const plan = plan_of_lines({
        line("1", "A", "1", "1.00", "7"),
        line("2", "A", "2", "1.00", "7"),
        line("3", "A", "1", "1.00", "7"),
        line("C4", "A", "-1", "1.00", "7"),
        line("C5", "A", "-1", "1.00", "7"),
        line("C6", "A", "-1", "1.00", "7"),
        line("C7", "A", "-2", "1.00", "8"),
    });
    BOOST_REQUIRE(plan.commands().size() == 5u);
    BOOST_TEST(plan.commands()[3].refunded == 2u);
    BOOST_TEST(plan.commands()[4].refunded == 0u);
    BOOST_TEST(plan.counts().unmatched == 2u);
}

BOOST_AUTO_TEST_CASE(lines_that_are_neither_sale_nor_return_are_skipped) {
    auto const plan = plan_of_lines({
        line("1", "A", "1", "0.00", "7"),       // free
        line("2", "A", "-1", "1.00", "7"),      // negative without C
        line("A3", "B", "1", "-11062.06", ""),  // bad debt
        line("4", "A", "1", "0.001", "7"),      // rounds to nothing
        line("C5", "A", "1", "0", "7"),
    });
    BOOST_TEST(plan.counts().skipped == 5u);
    BOOST_TEST(plan.commands().empty());
    BOOST_TEST(plan.customers().empty());
}

BOOST_AUTO_TEST_CASE(addresses_hold_only_what_an_address_may_hold) {
    auto const plan = plan_of_lines({line("1", "gift 0001/20£", "1", "1", "")});
    BOOST_TEST(plan.customers().front() == "customer:guest");
    BOOST_TEST(plan.products().front() == "product:gift_0001_20__");  // £ is two bytes
}

BOOST_AUTO_TEST_CASE(a_line_with_another_number_of_columns_is_refused) {
    RetailPlan plan;
    BOOST_TEST(!plan.add_line("1\tA\t1\t1.00\tnow\t7"));
    BOOST_TEST(!plan.add_line(line("1", "A", "1", "1.00", "7") + "\tmore"));
    BOOST_TEST(plan.counts().lines == 0u);
}

BOOST_AUTO_TEST_CASE(the_excerpt_gives_its_known_figures) {
    auto const plan = plan_of(fixture_file);
    RetailCounts expected;
    expected.lines = 30;
    expected.purchases = 22;
    expected.purchased = 41'780;
    expected.refunds = 3;
    expected.refunded = 4'590;
    expected.unmatched = 2;
    expected.skipped = 3;
    auto const& counts = plan.counts();
    BOOST_TEST(counts.lines == expected.lines);
    BOOST_TEST(counts.purchases == expected.purchases);
    BOOST_TEST(counts.purchased == expected.purchased);
    BOOST_TEST(counts.refunds == expected.refunds);
    BOOST_TEST(counts.refunded == expected.refunded);
    BOOST_TEST(counts.unmatched == expected.unmatched);
    BOOST_TEST(counts.skipped == expected.skipped);
    Amount deposits = 0;
    for (auto const amount : plan.deposits()) deposits += amount;
    BOOST_TEST(deposits == expected.purchased);
}

/// What the books come to at a percentage for the authors: of each product's net sales, whole
/// units and hundredths of one; the platform has the rest.
struct Shares {
    Amount products = 0;
    Amount fractions = 0;
    Amount platform = 0;
};

Shares shares_of(RetailPlan const& plan, Amount percent) {
    std::vector<Amount> net(plan.products().size());
    for (auto const& command : plan.commands()) {
        bool const sold = command.kind == RetailKind::purchase;
        net[command.product] += sold ? command.amount : -command.amount;
    }
    Shares shares;
    for (auto const amount : net) {
        shares.products += percent * amount / 100;
        shares.fractions += percent * amount % 100;
        shares.platform += amount - percent * amount / 100;
    }
    return shares;
}

BOOST_AUTO_TEST_CASE(the_shares_of_the_excerpt_are_the_percentage_of_what_was_not_taken_back) {
    auto const shares = shares_of(plan_of(fixture_file), 70);
    BOOST_TEST(100 * shares.products + shares.fractions == 70 * (41'780 - 4'590));
    BOOST_TEST(shares.products + shares.platform == 41'780 - 4'590);
}

boost::test_tools::assertion_result whole_file_is_there(boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result there(std::getenv("PENSTOCK_RETAIL_FILE") != nullptr);
    there.message() << "PENSTOCK_RETAIL_FILE does not name it";
    return there;
}

/// The whole published file, where there is one: PENSTOCK_RETAIL_FILE names it. Else skipped.
BOOST_AUTO_TEST_CASE(the_whole_file_gives_its_known_figures,
                     *boost::unit_test::precondition(whole_file_is_there)) {
    auto const plan = plan_of(std::getenv("PENSTOCK_RETAIL_FILE"));
    auto const& counts = plan.counts();
    BOOST_TEST(counts.lines == 250'000u);
    BOOST_TEST(counts.purchases == 243'949u);
    BOOST_TEST(counts.purchased == 489'971'325);
    BOOST_TEST(counts.refunds == 1'282u);
    BOOST_TEST(counts.refunded == 16'666'801);
    BOOST_TEST(counts.unmatched == 3'275u);
    BOOST_TEST(counts.skipped == 1'494u);
    BOOST_TEST(plan.products().size() == 3'521u);
    BOOST_TEST(plan.customers().size() == 2'979u);
    BOOST_TEST(RetailOrder(plan.commands()).longest_chain() == 107'535u);
    auto const shares = shares_of(plan, 70);
    BOOST_TEST(shares.platform == 141'992'800);
    BOOST_TEST(shares.products == 331'311'724);
    BOOST_TEST(shares.fractions == 144'280);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(retail_order)

RetailCommand buys(std::uint32_t customer, std::uint32_t product) {
    return {RetailKind::purchase, customer, product, 1};
}

BOOST_AUTO_TEST_CASE(a_command_waits_for_the_one_before_of_its_customer_and_of_its_product) {
    std::vector<RetailCommand> const commands{buys(0, 0), buys(0, 1), buys(1, 1), buys(2, 2)};
    RetailOrder order(commands);
    BOOST_TEST(order.longest_chain() == 3u);
    BOOST_TEST(order.start().value() == 0u);
    BOOST_TEST(order.start().value() == 3u);
    BOOST_TEST(!order.start().has_value());
    order.answered(3);
    BOOST_TEST(!order.start().has_value());
    order.answered(0);
    BOOST_TEST(order.start().value() == 1u);
    BOOST_TEST(!order.start().has_value());
    order.answered(1);
    BOOST_TEST(order.start().value() == 2u);
    BOOST_TEST(order.all_started());
    BOOST_TEST(!order.finished());
    order.answered(2);
    BOOST_TEST(order.finished());
}

BOOST_AUTO_TEST_CASE(the_same_pair_twice_waits_once_for_each_reason) {
    std::vector<RetailCommand> const commands{buys(0, 0), buys(0, 0)};
    RetailOrder order(commands);
    BOOST_TEST(order.start().value() == 0u);
    BOOST_TEST(!order.start().has_value());
    order.answered(0);
    BOOST_TEST(order.start().value() == 1u);
}

BOOST_AUTO_TEST_CASE(in_any_interleaving_nothing_overtakes_and_nothing_is_lost) {
    std::vector<RetailCommand> commands;
    for (std::uint32_t i = 0; i < 2000; ++i) commands.push_back(buys(i * 7919 % 13, i * 31 % 17));
    RetailOrder order(commands);
    std::vector<std::uint32_t> running;
    std::set<std::uint32_t> customers;
    std::set<std::uint32_t> products;
    std::vector<std::uint32_t> last_of_customer(13);
    std::uint64_t step = 1;
    std::size_t started = 0;
    while (!order.finished()) {
        auto const next = order.start();
        if (next) {
            auto const& command = commands[*next];
            BOOST_REQUIRE(customers.insert(command.customer).second);
            BOOST_REQUIRE(products.insert(command.product).second);
            BOOST_REQUIRE(*next >= last_of_customer[command.customer]);
            last_of_customer[command.customer] = *next;
            running.push_back(*next);
            ++started;
            continue;
        }
        BOOST_REQUIRE(!running.empty());
        step = step * 6364136223846793005ULL + 1442695040888963407ULL;
        auto const victim =
            running.begin() + static_cast<std::ptrdiff_t>((step >> 33) % running.size());
        customers.erase(commands[*victim].customer);
        products.erase(commands[*victim].product);
        auto const answered = *victim;
        running.erase(victim);
        order.answered(answered);
    }
    BOOST_TEST(started == commands.size());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench
