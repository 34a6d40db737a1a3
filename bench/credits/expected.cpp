#include "bench/credits/expected.hpp"

#include <algorithm>

#include "bench/instant.hpp"

namespace penstock::bench::credits {
namespace {

/// More of them say no more.
constexpr std::size_t differences_max = 1000;

std::string text(std::int64_t value) { return std::to_string(value); }

std::string text_of_expiry(std::int64_t ms) {
    return ms == never_ms ? std::string("never") : text_of_instant(ms);
}

std::string text(Lot const& lot) {
    return "op-" + std::to_string(lot.operation) + "/" + std::to_string(lot.index) + ": " +
           text(lot.remaining) + " of " + text(lot.amount) + ", granted " +
           text_of_instant(lot.granted_ms) + ", expires " + text_of_expiry(lot.expires_ms);
}

std::string text(Total const& total) {
    return std::to_string(total.count) + " for " + text(total.amount);
}

}  // namespace

Expected::Expected(CreditBooks const& books, std::int64_t at_ms)
    : books_(books),
      purses_(books.addresses()),
      history_(books.addresses()),
      rows_of_address_(books.addresses()),
      rows_left_(books.operations().size()),
      listed_(books.addresses()) {
    for (std::uint32_t number = 0; number < books.operations().size(); ++number) {
        auto const& operation = books.at(number);
        if (operation.fate != Fate::acknowledged) continue;
        order_.push_back(number);
        rows_left_[number] = static_cast<std::int64_t>(operation.entries.size());
    }
    auto const id = [&](auto number) -> std::string const& { return books.at(number).id; };
    std::ranges::sort(order_, {}, id);
    replay();
    for (auto& purse : purses_) purse.settle(at_ms);
}

void Expected::replay() {
    std::int64_t before = 0;
    for (auto const number : order_) {
        auto const& operation = books_.at(number);
        if (operation.created_ms < before) note("time went back before " + operation.id);
        before = operation.created_ms;
        for (std::uint32_t i = 0; i < operation.entries.size(); ++i) {
            auto const& entry = operation.entries[i];
            auto& purse = purses_[entry.address];
            rows_of_address_[entry.address] += 1;
            if (operation.deed == Deed::grant) {
                Lot const lot{number,          i, entry.amount, entry.amount, operation.created_ms,
                              entry.expires_ms};
                purse.add(lot, books_.drain());
                continue;
            }
            auto const there = purse.spend(entry.amount, operation.created_ms);
            if (there == entry.amount) continue;
            note("overdrawn: " + operation.id + " took " + text(entry.amount) + " from " +
                 books_.address(entry.address) + ", which had " + text(there));
        }
    }
}

void Expected::see(SeenRow const& row) {
    auto const number = match(row);
    if (!number) return;
    auto& left = rows_left_[*number];
    bool const next = row.index == left - 1;
    if (!next) note("the history shows this row twice or not in its place: " + describe(row));
    left -= 1;
    bool const in_order = last_id_.empty() || row.id <= last_id_;
    if (!in_order) note("the history is not in the order of ids at " + describe(row));
    last_id_ = row.id;
    history_[books_.at(*number).entries[static_cast<std::size_t>(row.index)].address] += row.amount;
}

std::optional<std::uint32_t> Expected::match(SeenRow const& row) {
    auto const number = books_.number_of(row.reference);
    if (!number) {
        note("history that nobody asked for: " + describe(row));
        return std::nullopt;
    }
    auto const& operation = books_.at(*number);
    if (operation.fate != Fate::acknowledged) {
        note("refused, and there: " + describe(row));
        return std::nullopt;
    }
    bool const within =
        row.index >= 0 && row.index < static_cast<std::int64_t>(operation.entries.size());
    if (!within) {
        note("history of an entry that there is not: " + describe(row));
        return std::nullopt;
    }
    auto const& entry = operation.entries[static_cast<std::size_t>(row.index)];
    Amount const amount = operation.deed == Deed::grant ? entry.amount : -entry.amount;
    bool const same = row.id == operation.id && row.kind == name_of(operation.deed) &&
                      row.created_ms == operation.created_ms && row.amount == amount &&
                      row.expires_ms == entry.expires_ms &&
                      row.address == books_.address(entry.address);
    if (!same) note("history of another content: " + describe(row));
    return number;
}

void Expected::see_of(Address address, SeenRow const& row) {
    auto const number = match(row);
    if (!number) return;
    rows_seen_ += 1;
    history_[address] += row.amount;
    if (row.address != books_.address(address)) note("another address's: " + describe(row));
}

void Expected::end_of(Address address) {
    auto const& purse = purses_[address];
    if (rows_seen_ != rows_of_address_[address])
        note("history of " + books_.address(address) + ": expected " +
             text(rows_of_address_[address]) + " rows, found " + text(rows_seen_));
    Amount const wanted = purse.balance() + purse.expired();
    if (history_[address] != wanted)
        note("history of " + books_.address(address) + " adds up to " + text(history_[address]) +
             ", its lots to " + text(wanted));
    rows_seen_ = 0;
    history_[address] = 0;
}

void Expected::end_of_history() {
    for (auto const number : order_) {
        if (rows_left_[number] == 0) continue;
        note("lost: " + text(rows_left_[number]) + " rows of " + books_.reference_of(number));
    }
    for (Address address = 0; address < purses_.size(); ++address) {
        auto const& purse = purses_[address];
        Amount const wanted = purse.balance() + purse.expired();
        if (history_[address] == wanted) continue;
        note("history of " + books_.address(address) + " adds up to " + text(history_[address]) +
             ", its lots to " + text(wanted));
    }
}

void Expected::see_balance(std::string const& address, Amount balance) {
    if (address <= last_listed_ && !last_listed_.empty())
        note("the list of balances is not in order at " + address);
    last_listed_ = address;
    auto const known = books_.find(address);
    if (!known) {
        note("a balance of " + address + ", which nobody spoke of");
        return;
    }
    listed_[*known] = true;
    auto const wanted = purses_[*known].balance();
    if (balance != wanted)
        note("balance of " + address + ": expected " + text(wanted) + ", found " + text(balance));
}

void Expected::end_of_balances() {
    for (Address address = 0; address < listed_.size(); ++address)
        if (!listed_[address] && rows_of_address_[address] > 0)
            note(books_.address(address) + " is not in the list of balances");
}

void Expected::see_purse(Address address, SeenPurse const& seen) {
    auto const& purse = purses_[address];
    auto const& name = books_.address(address);
    if (seen.balance != purse.balance())
        note("balance of " + name + ": expected " + text(purse.balance()) + ", found " +
             text(seen.balance));
    auto const lots = purse.lots();
    auto const count = std::max(lots.size(), seen.lots.size());
    for (std::size_t i = 0; i < count; ++i) {
        bool const both = i < lots.size() && i < seen.lots.size();
        if (both && lots[i] == seen.lots[i]) continue;
        note("lot " + std::to_string(i) + " of " + name + ": expected " +
             (i < lots.size() ? text(lots[i]) : "none") + "; found " +
             (i < seen.lots.size() ? text(seen.lots[i]) : "none"));
        break;
    }
    std::map<std::int64_t, Amount> by_expiry;
    for (auto const& lot : lots) by_expiry[lot.expires_ms] += lot.remaining;
    bool const same = std::ranges::equal(
        by_expiry, seen.expiring,
        [](auto const& a, auto const& b) { return a.first == b.first && a.second == b.second; });
    if (!same) note("what of " + name + " expires when does not agree with its lots");
}

void Expected::see_counts(std::int64_t all, std::int64_t with_something) {
    std::int64_t known = 0;
    std::int64_t rich = 0;
    for (Address address = 0; address < purses_.size(); ++address) {
        known += rows_of_address_[address] > 0;
        rich += purses_[address].balance() > 0;
    }
    if (all == known && with_something == rich) return;
    note("count of addresses: expected " + text(known) + ", " + text(rich) +
         " of them not empty; found " + text(all) + " and " + text(with_something));
}

void Expected::see_totals(std::map<std::string, Total> const& totals) {
    std::map<std::string, Total> expected;
    for (auto const number : order_) {
        auto const& operation = books_.at(number);
        bool const grant = operation.deed == Deed::grant;
        auto& total = expected[grant ? "credits_granted" : "credits_spent"];
        total.count += operation.entries.size();
        for (auto const& entry : operation.entries) total.amount += entry.amount;
    }
    expected["credits_expired"] = {expired_lots(), expired()};
    for (auto const& [kind, total] : totals) expected.try_emplace(kind);
    for (auto const& [kind, total] : expected) {
        auto const seen = totals.find(kind);
        Total const found = seen == totals.end() ? Total{} : seen->second;
        if (found == total) continue;
        note("total of " + kind + ": expected " + text(total) + ", found " + text(found));
    }
}

Amount Expected::expired() const {
    Amount sum = 0;
    for (auto const& purse : purses_) sum += purse.expired();
    return sum;
}

std::uint64_t Expected::expired_lots() const {
    std::uint64_t sum = 0;
    for (auto const& purse : purses_) sum += purse.expired_lots();
    return sum;
}

std::string Expected::describe(SeenRow const& row) const {
    return row.kind + " " + row.id + " " + row.reference + "/" + text(row.index) + ", " +
           text(row.amount) + " of " + row.address;
}

void Expected::note(std::string difference) {
    if (off_.size() < differences_max) off_.push_back(std::move(difference));
}

}  // namespace penstock::bench::credits
