// What must be found when a ledger of credits is off, and what must not be taken for it.
#include "bench/credits/expected.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "bench/instant.hpp"

namespace penstock::bench::credits {
namespace {

namespace json = boost::json;

constexpr std::int64_t start = 1'795'000'000'000;

json::value instant_or_null(std::int64_t ms) {
    if (ms == never_ms) return nullptr;
    return json::value(text_of_instant(ms));
}

/// Ann is granted 100 that expire and 50 that do not, and spends 120; bob is granted 5 for a while.
struct Fixture {
    CreditBooks books{"points", Drain::emission};
    Address ann = books.open("ann");
    Address bob = books.open("bob");
    std::vector<SeenRow> rows;  ///< newest first

    Fixture() {
        act(Deed::grant, {{ann, 100, start + 1000}, {bob, 5, start + 500}});
        act(Deed::grant, {{ann, 50}});
        act(Deed::expense, {{ann, 120}});
    }

    std::string answer(std::uint32_t number) const {
        auto const& operation = books.at(number);
        json::array lines;
        for (auto const& entry : operation.entries) {
            json::object line{{"address", books.address(entry.address)}, {"amount", entry.amount}};
            if (operation.deed == Deed::grant) {
                line["index"] = lines.size();
                line["expires_at"] = instant_or_null(entry.expires_ms);
            } else {
                line["shortfall"] = 0;
            }
            lines.push_back(std::move(line));
        }
        return json::serialize(json::object{{"id", id(number)},
                                            {"kind", name_of(operation.deed)},
                                            {"reference", books.reference_of(number)},
                                            {"entries", std::move(lines)},
                                            {"created_at", text_of_instant(start + number)}});
    }

    static std::string id(std::uint32_t number) { return "id-" + std::to_string(100 + number); }

    void act(Deed deed, std::vector<Entry> entries) {
        auto const number = books.begin(deed, std::move(entries));
        BOOST_TEST(!books.acknowledge(number, answer(number)).has_value());
        auto const& operation = books.at(number);
        for (std::size_t i = 0; i < operation.entries.size(); ++i) {
            auto const& entry = operation.entries[i];
            SeenRow row;
            row.id = operation.id;
            row.kind = name_of(deed);
            row.reference = books.reference_of(number);
            row.address = books.address(entry.address);
            row.index = static_cast<std::int64_t>(i);
            row.amount = deed == Deed::grant ? entry.amount : -entry.amount;
            row.expires_ms = entry.expires_ms;
            row.created_ms = operation.created_ms;
            rows.insert(rows.begin(), row);
        }
    }

    Expected expected() const { return {books, start + 600}; }

    std::vector<std::string> off_in_history() const {
        auto expected = this->expected();
        for (auto const& row : rows) expected.see(row);
        expected.end_of_history();
        return expected.take();
    }

    static std::map<std::string, Total> totals() {
        return {{"credits_granted", {3, 155}},
                {"credits_spent", {1, 120}},
                {"credits_transferred", {0, 0}},
                {"credits_expired", {1, 5}}};
    }

    static SeenPurse purse_of_ann() {
        return {30, {{1, 0, 50, 30, start + 1, never_ms}}, {{never_ms, 30}}};
    }
};

BOOST_FIXTURE_TEST_SUITE(credits_expected, Fixture)

BOOST_AUTO_TEST_CASE(a_ledger_as_it_must_be_has_no_differences) {
    auto expected = this->expected();
    for (auto const& row : rows) expected.see(row);
    expected.end_of_history();
    expected.see_balance("ann", 30);
    expected.see_balance("bob", 0);
    expected.end_of_balances();
    expected.see_purse(ann, purse_of_ann());
    expected.see_purse(bob, {});
    expected.see_counts(2, 1);
    expected.see_totals(totals());
    BOOST_TEST(expected.take().empty());
}

BOOST_AUTO_TEST_CASE(rows_that_are_lost_doubled_or_of_another_content_are_found) {
    auto const as_it_must_be = rows;
    rows.erase(rows.begin() + 1);
    BOOST_TEST(off_in_history().size() >= 2u);  // the row, and ann's sum
    rows = as_it_must_be;
    rows.insert(rows.begin(), rows.front());
    BOOST_TEST(off_in_history().size() >= 2u);
    rows = as_it_must_be;
    rows.front().amount += 1;
    BOOST_TEST(off_in_history().size() >= 2u);
    rows = as_it_must_be;
    rows.back().expires_ms = never_ms;
    BOOST_TEST(off_in_history().size() == 1u);
    rows = as_it_must_be;
    std::swap(rows[0], rows[1]);
    BOOST_TEST(off_in_history().size() == 1u);
    rows = as_it_must_be;
    rows.front().index = 7;
    BOOST_TEST(!off_in_history().empty());
    rows = as_it_must_be;
    rows.front().reference = "op-77";
    BOOST_TEST(!off_in_history().empty());
}

BOOST_AUTO_TEST_CASE(what_was_refused_must_not_be_there) {
    auto const number = books.begin(Deed::grant, {{bob, 9}});
    books.refuse(number);
    BOOST_TEST(off_in_history().empty());
    auto row = rows.front();
    row.reference = books.reference_of(number);
    rows.insert(rows.begin(), row);
    BOOST_TEST(off_in_history().size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_address_is_told_apart_by_its_history_alone) {
    auto expected = this->expected();
    for (auto const& row : rows)
        if (row.address == "ann") expected.see_of(ann, row);
    expected.end_of(ann);
    BOOST_TEST(expected.take().empty());
    expected.end_of(bob);
    BOOST_TEST(expected.take().size() == 2u);  // no rows, and they do not add up
}

BOOST_AUTO_TEST_CASE(the_wrong_lot_paid_is_found_though_the_balance_is_right) {
    auto seen = purse_of_ann();
    seen.lots = {{0, 0, 100, 30, start, start + 1000}};
    auto expected = this->expected();
    expected.see_purse(ann, seen);
    BOOST_TEST(expected.take().size() == 1u);
    seen = purse_of_ann();
    seen.expiring = {{start + 1000, 30}};
    expected.see_purse(ann, seen);
    BOOST_TEST(expected.take().size() == 1u);
}

BOOST_AUTO_TEST_CASE(balances_counts_and_totals_are_compared_to_the_unit) {
    auto expected = this->expected();
    expected.see_balance("ann", 31);
    BOOST_TEST(expected.take().size() == 1u);
    expected.see_balance("aaa", 0);
    BOOST_TEST(expected.take().size() == 2u);  // out of order, and unheard of
    expected.end_of_balances();
    BOOST_TEST(expected.take().size() == 1u);  // bob is missing
    expected.see_counts(2, 2);
    BOOST_TEST(expected.take().size() == 1u);
    auto seen = totals();
    seen["credits_expired"].amount = 0;
    seen["credits_transferred"] = {1, 1};
    expected.see_totals(seen);
    BOOST_TEST(expected.take().size() == 2u);
}

BOOST_AUTO_TEST_CASE(more_spent_than_was_there_is_found_from_the_answers_alone) {
    act(Deed::expense, {{ann, 31}});
    BOOST_TEST(expected().take().size() == 1u);
}

BOOST_AUTO_TEST_CASE(operations_count_in_the_order_of_their_ids_not_of_their_answers) {
    auto const first = books.begin(Deed::expense, {{ann, 30}});
    auto const second = books.begin(Deed::grant, {{ann, 1}});
    for (auto const number : {second, first})
        BOOST_TEST(!books.acknowledge(number, answer(number)).has_value());
    BOOST_TEST(expected().take().empty());
}

BOOST_AUTO_TEST_CASE(an_answer_about_something_else_is_a_fault) {
    auto const number = books.begin(Deed::grant, {{ann, 7, start + 9}, {bob, 8}});
    auto const right = answer(number);
    auto const wrong = [&](std::string what, std::string by) {
        auto body = right;
        body.replace(body.find(what), what.size(), by);
        return books.acknowledge(number, body).has_value();
    };
    BOOST_TEST(wrong("\"ann\"", "\"bob\""));
    BOOST_TEST(wrong("\"amount\":7", "\"amount\":6"));
    BOOST_TEST(wrong("\"index\":1", "\"index\":0"));
    BOOST_TEST(wrong("null", "\"2030-01-01T00:00:00.000Z\""));
    BOOST_TEST(wrong("grant", "expense"));
    BOOST_TEST(wrong("op-3", "op-2"));
    BOOST_TEST(wrong("created_at", "created"));
    BOOST_TEST(wrong("{", "["));
    BOOST_TEST(!books.acknowledge(number, right).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench::credits
