// What must hold for every money ledger at every moment.
#include "db/verify.hpp"

#include <map>
#include <string_view>

namespace penstock::db {

using namespace domain;

namespace {

/// An account's transfers, summed up again from nothing.
struct Replayed {
    Sum balance = 0;
    std::int64_t version = 0;
    bool versions_ascend = true;
    bool balances_follow = true;
};

using ReplayedAccounts = std::map<std::string_view, Replayed>;

void replay_leg(Replayed& account, Leg const& leg, Sum amount) {
    account.balance += amount;
    account.version += 1;
    if (leg.version != account.version) account.versions_ascend = false;
    if (leg.balance_after != account.balance) account.balances_follow = false;
}

ReplayedAccounts replay(std::vector<Transfer const*> const& transfers) {
    ReplayedAccounts accounts;
    for (auto const* transfer : transfers) {
        replay_leg(accounts[transfer->from.address], transfer->from, -Sum{transfer->amount});
        replay_leg(accounts[transfer->to.address], transfer->to, transfer->amount);
    }
    return accounts;
}

/// `wrong` names a row at fault; empty when there is none.
Check make_check(std::string name, std::string const& wrong, std::size_t counted,
                 char const* what) {
    return {std::move(name), wrong.empty(),
            wrong.empty() ? std::to_string(counted) + " " + what : wrong};
}

Check check_sum(std::vector<Account const*> const& accounts) {
    Sum sum = 0;
    for (auto const* account : accounts) sum += account->standing.balance;
    return make_check("balances_sum_to_zero", sum == 0 ? "" : "the sum is not 0", accounts.size(),
                      "accounts");
}

Check check_balances(std::vector<Account const*> const& accounts, ReplayedAccounts replayed) {
    std::string wrong;
    for (auto const* account : accounts) {
        auto const& found = replayed[account->address];
        if (found.balance != account->standing.balance || !found.balances_follow)
            wrong = account->address;
    }
    if (replayed.size() != accounts.size()) wrong = "a transfer of an unknown account";
    return make_check("balance_equals_transfers", wrong, accounts.size(), "accounts");
}

Check check_overdrafts(std::vector<Account const*> const& accounts) {
    std::string wrong;
    for (auto const* account : accounts) {
        auto const& standing = account->standing;
        Sum const available = Sum{standing.balance} - standing.held;
        if (account->address != world_address && available + account->overdraft_limit < 0)
            wrong = account->address;
    }
    return make_check("available_within_overdraft", wrong, accounts.size(), "accounts");
}

Check check_versions(std::vector<Account const*> const& accounts, ReplayedAccounts replayed) {
    std::string wrong;
    for (auto const* account : accounts) {
        auto const& found = replayed[account->address];
        if (found.version != account->standing.version || !found.versions_ascend)
            wrong = account->address;
    }
    return make_check("versions_without_gap", wrong, accounts.size(), "accounts");
}

Check check_totals(std::vector<Transfer const*> const& transfers,
                   std::vector<Total> const& totals) {
    std::map<TransferKind, std::pair<std::int64_t, Sum>> left;
    for (auto const* transfer : transfers) {
        left[transfer->kind].first += 1;
        left[transfer->kind].second += transfer->amount;
    }
    for (auto const& total : totals) {
        left[total.kind].first -= total.count;
        left[total.kind].second -= total.amount;
    }
    std::string wrong;
    for (auto const& [kind, rest] : left)
        if (rest.first != 0 || rest.second != 0)
            wrong = "kind " + std::to_string(static_cast<int>(kind));
    return make_check("totals_equal_transfers", wrong, transfers.size(), "transfers");
}

}  // namespace

std::vector<Check> verify_ledger(std::vector<Account const*> const& accounts,
                                 std::vector<Transfer const*> const& transfers,
                                 std::vector<Total> const& totals) {
    auto const replayed = replay(transfers);
    return {check_sum(accounts), check_balances(accounts, replayed), check_overdrafts(accounts),
            check_versions(accounts, replayed), check_totals(transfers, totals)};
}

}  // namespace penstock::db
