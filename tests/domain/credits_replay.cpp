// Does a replay tell a history that was decided from one that was not, and how far an operation's
// lots go?
#include "domain/credits_replay.hpp"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "domain/ids.hpp"

namespace penstock::tests {
namespace {

using namespace domain;

constexpr LedgerId ledger{};

AccountId account(int number) {
    return {make_uuid7(Instant{1}, static_cast<std::uint32_t>(number), 1)};
}

/// One operation after the other, each a millisecond later.
class History {
public:
    /// Whether it fits to what was before. Entries: whose, and how much.
    bool add(CreditKind kind, std::vector<std::pair<int, Amount>> const& entries,
             std::optional<int> sender = {}, std::optional<Instant> expires_at = {}) {
        CreditOperation operation;
        operation.id = {make_uuid7(Instant{++now_}, 0, 1)};
        operation.kind = kind;
        if (sender) operation.sender = Party{account(*sender), ""};
        std::vector<CreditEntry> rows;
        for (auto const& [number, amount] : entries) {
            CreditEntry entry;
            entry.operation = operation.id;
            entry.index = static_cast<std::int32_t>(rows.size());
            entry.kind = kind;
            entry.party = {account(number), ""};
            entry.amount = amount;
            entry.expires_at = expires_at;
            rows.push_back(entry);
        }
        return replay_.add(operation, rows);
    }

    std::int32_t lots_made() const { return replay_.lots_made(); }

    /// What is left in all lots, settled and open.
    Amount finish() {
        replay_.finish();
        Amount left = 0;
        for (auto const& lot : lots_) left += lot.remaining;
        return left;
    }
    std::size_t settled() const { return lots_.size(); }

private:
    std::int64_t now_ = 1'000;
    std::vector<Lot> lots_;
    CreditReplay replay_{ledger, [this](Lot const& lot) { lots_.push_back(lot); }};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(credits_replay)

BOOST_AUTO_TEST_CASE(what_was_never_there_cannot_have_been_spent) {
    History history;
    BOOST_TEST(history.add(CreditKind::grant, {{1, 10}}));
    BOOST_TEST(history.add(CreditKind::expense, {{1, -4}, {2, 0}}));
    BOOST_TEST(!history.add(CreditKind::expense, {{1, -7}}));
}

BOOST_AUTO_TEST_CASE(what_is_over_cannot_have_been_passed_on) {
    History history;
    BOOST_TEST(history.add(CreditKind::grant, {{1, 10}}, std::nullopt, Instant{1'002}));
    BOOST_TEST(!history.add(CreditKind::transfer, {{2, 1}, {1, -1}}, 1));
}

BOOST_AUTO_TEST_CASE(rows_that_no_operation_makes_are_told) {
    BOOST_TEST(!History().add(CreditKind::grant, {{1, -1}}));
    BOOST_TEST(!History().add(CreditKind::grant, {{1, 0}}));
    BOOST_TEST(!History().add(CreditKind::expense, {{1, 1}}));
    BOOST_TEST(!History().add(CreditKind::transfer, {{1, 1}}));
    History history;
    BOOST_TEST(history.add(CreditKind::grant, {{1, 10}}));
    BOOST_TEST(!history.add(CreditKind::transfer, {{2, -1}, {1, -1}}, 1));
}

BOOST_AUTO_TEST_CASE(the_lots_of_an_operation_are_counted) {
    History history;
    history.add(CreditKind::grant, {{1, 5}, {2, 5}, {1, 5}});
    BOOST_TEST(history.lots_made() == 3);
    history.add(CreditKind::expense, {{1, -6}});
    BOOST_TEST(history.lots_made() == 0);
    history.add(CreditKind::transfer, {{2, 4}, {1, -4}}, 1);
    BOOST_TEST(history.lots_made() == 1);
    BOOST_TEST(history.finish() == 9);
    BOOST_TEST(history.settled() == 4U);
}

// A hundred thousand lots of one address, each of them spent: what is drained is let go.
BOOST_AUTO_TEST_CASE(a_long_past_does_not_slow_it_down) {
    constexpr int many = 100'000;
    History history;
    for (int i = 0; i < many; ++i) BOOST_REQUIRE(history.add(CreditKind::grant, {{1, 1}}));
    for (int i = 0; i < many; ++i) BOOST_REQUIRE(history.add(CreditKind::expense, {{1, -1}}));
    BOOST_TEST(history.settled() >= std::size_t{many - 1});
    BOOST_TEST(history.finish() == 0);
    BOOST_TEST(history.settled() == std::size_t{many});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
