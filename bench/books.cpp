#include "bench/books.hpp"

#include "domain/assert.hpp"

namespace penstock::bench {
namespace {

constexpr Kind all_kinds[kinds] = {Kind::deposit, Kind::transfer};

void add_to(Amount& sum, Amount amount) {
    auto const result = domain::add(sum, amount);
    PENSTOCK_ASSERT(result);
    sum = *result;
}

std::string text(Total const& total) {
    return std::to_string(total.count) + " for " + std::to_string(total.amount);
}

std::string text_of_sum(domain::Sum sum) {
    bool const fits = sum == static_cast<Amount>(sum);
    return fits ? std::to_string(static_cast<Amount>(sum)) : "beyond 64 bits";
}

}  // namespace

char const* name_of(Kind kind) {
    switch (kind) {
        case Kind::deposit:
            return "deposit";
        case Kind::transfer:
            return "transfer";
    }
    return "unknown";
}

Books::Books(std::string ledger) : ledger_(std::move(ledger)) {
    AccountIndex const index = open("@world");
    PENSTOCK_ASSERT(index == world);
}

AccountIndex Books::open(std::string address) {
    auto const next = static_cast<AccountIndex>(addresses_.size());
    auto const [found, added] = indexes_.try_emplace(address, next);
    if (added) {
        addresses_.push_back(std::move(address));
        balances_.push_back(0);
    }
    return found->second;
}

void Books::start_from(Observed const& observed) {
    for (auto const& [address, balance] : observed.balances) balances_[open(address)] = balance;
    for (auto const& [kind, total] : observed.totals) {
        bool ours = false;
        for (auto const known : all_kinds) {
            if (kind != name_of(known)) continue;
            totals_[static_cast<std::size_t>(known)] = total;
            ours = true;
        }
        if (!ours) other_totals_[kind] = total;
    }
}

void Books::acknowledge(Posting const& posting) {
    PENSTOCK_ASSERT(posting.amount > 0);
    PENSTOCK_ASSERT(posting.from < balances_.size());
    PENSTOCK_ASSERT(posting.to < balances_.size());
    add_to(balances_[posting.from], -posting.amount);
    add_to(balances_[posting.to], posting.amount);
    auto& total = totals_[static_cast<std::size_t>(posting.kind)];
    total.count += 1;
    add_to(total.amount, posting.amount);
}

std::vector<std::string> Books::differences(Observed const& observed) const {
    std::vector<std::string> found;
    auto expected_totals = other_totals_;
    for (auto const kind : all_kinds) expected_totals[name_of(kind)] = total(kind);
    for (auto const& [kind, seen] : observed.totals) expected_totals.try_emplace(kind);
    for (auto const& [kind, expected] : expected_totals) {
        auto const seen = observed.totals.find(kind);
        Total const actual = seen == observed.totals.end() ? Total{} : seen->second;
        if (actual == expected) continue;
        found.push_back("total of " + kind + ": expected " + text(expected) + ", found " +
                        text(actual));
    }

    std::vector<bool> listed(addresses_.size());
    domain::Sum sum = 0;
    for (auto const& [address, balance] : observed.balances) {
        sum += balance;
        auto const known = indexes_.find(address);
        if (known != indexes_.end() && listed[known->second]) {
            found.push_back("account " + address + " is listed twice");
        }
        if (known != indexes_.end()) listed[known->second] = true;
        Amount const expected = known == indexes_.end() ? 0 : balances_[known->second];
        if (balance == expected) continue;
        found.push_back("balance of " + address + ": expected " + std::to_string(expected) +
                        ", found " + std::to_string(balance));
    }
    for (AccountIndex i = 0; i < addresses_.size(); ++i) {
        if (listed[i] || balances_[i] == 0) continue;
        found.push_back("balance of " + addresses_[i] + ": expected " +
                        std::to_string(balances_[i]) + ", the account is not listed");
    }
    if (sum != 0) found.push_back("the balances add up to " + text_of_sum(sum) + ", not to 0");

    for (auto const& check : observed.failed_checks) found.push_back("verify: " + check);
    if (!observed.verified && observed.failed_checks.empty()) found.push_back("verify is not ok");
    return found;
}

}  // namespace penstock::bench
