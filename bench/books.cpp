#include "bench/books.hpp"

#include "domain/assert.hpp"

namespace penstock::bench {
namespace {

constexpr Kind all_kinds[kinds] = {Kind::deposit, Kind::transfer, Kind::purchase, Kind::refund,
                                   Kind::capture};
constexpr char const* author_legs_name = "royalty_author";
constexpr char const* platform_legs_name = "royalty_platform";
constexpr Amount centi = 100;

void add_to(Amount& sum, Amount amount) {
    auto const result = domain::add(sum, amount);
    PENSTOCK_ASSERT(result);
    sum = *result;
}

void add_to(Total& total, Amount amount) {
    total.count += 1;
    add_to(total.amount, amount);
}

/// Whole cents in so many centi-cents: rounded down, also below zero.
Amount cents_of(Amount centi_cents) {
    return centi_cents / centi - (centi_cents % centi < 0 ? 1 : 0);
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
        case Kind::purchase:
            return "purchase";
        case Kind::refund:
            return "refund";
        case Kind::capture:
            return "capture";
    }
    return "unknown";
}

Books::Books(std::string ledger) : ledger_(std::move(ledger)) {
    AccountIndex const first = open("@world");
    AccountIndex const second = open("@platform");
    PENSTOCK_ASSERT(first == world && second == platform);
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
    for (auto const& [address, fraction] : observed.fractions) accrued_[open(address)] = fraction;
    royalty_percent_ = observed.royalty_percent.value_or(royalty_percent_default);
    for (auto const& [kind, total] : observed.totals) {
        bool ours = kind == author_legs_name || kind == platform_legs_name;
        if (kind == author_legs_name) author_legs_ = total;
        if (kind == platform_legs_name) platform_legs_ = total;
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
    auto& total = totals_[static_cast<std::size_t>(posting.kind)];
    switch (posting.kind) {
        case Kind::deposit:
        case Kind::transfer:
        case Kind::capture:
            add_to(balances_[posting.from], -posting.amount);
            add_to(balances_[posting.to], posting.amount);
            break;
        case Kind::purchase:
            add_to(balances_[posting.from], -posting.amount);
            divide(posting.to, posting.amount);
            break;
        case Kind::refund:
            add_to(balances_[posting.to], posting.amount);
            divide(posting.from, -posting.amount);
            refunds_ += 1;
            break;
    }
    add_to(total, posting.amount);
}

void Books::divide(AccountIndex author, Amount price) {
    Amount points = 0;
    bool const overflow = __builtin_mul_overflow(price, royalty_percent_, &points);
    PENSTOCK_ASSERT(!overflow);
    auto& accrued = accrued_[author];
    Amount const before = cents_of(accrued);
    add_to(accrued, points);
    Amount const paid = cents_of(accrued) - before;
    add_to(balances_[author], paid);
    add_to(balances_[platform], price - paid);
}

void Books::acknowledge_legs(Amount author_amount, Amount platform_amount) {
    if (author_amount > 0) add_to(author_legs_, author_amount);
    if (platform_amount > 0) add_to(platform_legs_, platform_amount);
}

Amount Books::fraction(AccountIndex author) const {
    auto const accrued = accrued_.find(author);
    if (accrued == accrued_.end()) return 0;
    return accrued->second - cents_of(accrued->second) * centi;
}

std::vector<std::string> Books::differences(Observed const& observed) const {
    Differences found;
    compare_totals(observed, found);
    compare_balances(observed, found);
    compare_fractions(observed, found);
    for (auto const& check : observed.failed_checks) found.push_back("verify: " + check);
    bool const silent = observed.failed_checks.empty();
    if (observed.verified == Verified::no && silent) found.push_back("verify is not ok");
    return found;
}

void Books::compare_totals(Observed const& observed, Differences& found) const {
    auto expected_totals = other_totals_;
    for (auto const kind : all_kinds) expected_totals[name_of(kind)] = total(kind);
    expected_totals[author_legs_name] = author_legs_;
    expected_totals[platform_legs_name] = platform_legs_;
    for (auto const& [kind, seen] : observed.totals) expected_totals.try_emplace(kind);
    for (auto const& [kind, expected] : expected_totals) {
        auto const seen = observed.totals.find(kind);
        Total const actual = seen == observed.totals.end() ? Total{} : seen->second;
        // A refund is one transfer or two: which, depends on who came first.
        std::uint64_t const slack = kind == name_of(Kind::refund) ? refunds_ : 0;
        bool const counted =
            actual.count >= expected.count && actual.count <= expected.count + slack;
        if (counted && actual.amount == expected.amount) continue;
        found.push_back("total of " + kind + ": expected " + text(expected) + ", found " +
                        text(actual));
    }
}

void Books::compare_balances(Observed const& observed, Differences& found) const {
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
}

void Books::compare_fractions(Observed const& observed, Differences& found) const {
    std::map<std::string, Amount> expected;
    for (auto const& [author, accrued] : accrued_) expected[addresses_[author]] = fraction(author);
    for (auto const& [address, seen] : observed.fractions) expected.try_emplace(address, 0);
    for (auto const& [address, wanted] : expected) {
        auto const seen = observed.fractions.find(address);
        Amount const actual = seen == observed.fractions.end() ? 0 : seen->second;
        if (actual == wanted) continue;
        found.push_back("fraction of " + address + ": expected " + std::to_string(wanted) +
                        ", found " + std::to_string(actual));
    }
}

}  // namespace penstock::bench
