#include "db/verify.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::tests {
namespace {

using namespace domain;

/// A sound ledger: a deposit of 100 and a transfer of 30. Each test breaks one thing.
struct Rows {
    Rows() {
        for (auto const* address : {world_address, "alice", "bob"}) {
            Account account;
            account.address = address;
            accounts.push_back(account);
        }
        book(TransferKind::deposit, accounts[0], accounts[1], 100);
        book(TransferKind::transfer, accounts[1], accounts[2], 30);
        totals = {{{}, TransferKind::deposit, 1, 100}, {{}, TransferKind::transfer, 1, 30}};
    }

    void book(TransferKind kind, Account& from, Account& to, Amount amount) {
        Transfer transfer;
        transfer.kind = kind;
        transfer.amount = amount;
        transfer.from = leg(from, -amount);
        transfer.to = leg(to, amount);
        transfers.push_back(transfer);
    }

    static Leg leg(Account& account, Amount change) {
        account.standing.balance += change;
        account.standing.version += 1;
        return {account.id, account.address, account.standing.balance, account.standing.version};
    }

    /// The names of the checks that fail.
    std::string failing() const {
        std::vector<Account const*> all_accounts;
        for (auto const& account : accounts) all_accounts.push_back(&account);
        std::vector<Transfer const*> all_transfers;
        for (auto const& transfer : transfers) all_transfers.push_back(&transfer);
        std::string names;
        for (auto const& check : db::verify_ledger(all_accounts, all_transfers, totals))
            if (!check.ok) names += check.name + ' ';
        return names;
    }

    std::vector<Account> accounts;
    std::vector<Transfer> transfers;
    std::vector<Total> totals;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(verify)

BOOST_AUTO_TEST_CASE(a_sound_ledger_passes_every_check) { BOOST_TEST(Rows{}.failing() == ""); }

BOOST_AUTO_TEST_CASE(money_out_of_nothing_is_seen) {
    Rows rows;
    rows.accounts[2].standing.balance += 1;
    BOOST_TEST(rows.failing() == "balances_sum_to_zero balance_equals_transfers ");
}

BOOST_AUTO_TEST_CASE(money_that_changed_hands_without_a_transfer_is_seen) {
    Rows rows;
    rows.accounts[1].standing.balance += 1;
    rows.accounts[2].standing.balance -= 1;
    BOOST_TEST(rows.failing() == "balance_equals_transfers ");
}

BOOST_AUTO_TEST_CASE(a_running_balance_that_does_not_follow_is_seen) {
    Rows rows;
    rows.transfers[0].to.balance_after += 1;
    BOOST_TEST(rows.failing() == "balance_equals_transfers ");
}

BOOST_AUTO_TEST_CASE(an_account_beyond_its_overdraft_is_seen) {
    Rows rows;
    rows.accounts[2].standing.held = 31;
    BOOST_TEST(rows.failing() == "available_within_overdraft ");
    rows.accounts[2].overdraft_limit = 1;
    BOOST_TEST(rows.failing() == "");
}

BOOST_AUTO_TEST_CASE(a_gap_in_the_versions_is_seen) {
    Rows rows;
    rows.transfers[1].to.version = 2;
    BOOST_TEST(rows.failing() == "versions_without_gap ");
    rows = {};
    rows.accounts[0].standing.version = 2;
    BOOST_TEST(rows.failing() == "versions_without_gap ");
}

BOOST_AUTO_TEST_CASE(a_total_that_missed_a_transfer_is_seen) {
    Rows rows;
    rows.totals[1].count = 0;
    BOOST_TEST(rows.failing() == "totals_equal_transfers ");
    rows.totals.pop_back();
    BOOST_TEST(rows.failing() == "totals_equal_transfers ");
}

BOOST_AUTO_TEST_CASE(a_transfer_of_an_unknown_account_is_seen) {
    Rows rows;
    rows.accounts.pop_back();
    BOOST_TEST(rows.failing() == "balances_sum_to_zero balance_equals_transfers ");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
