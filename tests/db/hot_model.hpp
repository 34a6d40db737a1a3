// The books of a hot ledger as Redis keeps them, in memory: random posts make a random journal.
#pragma once

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/db/rules.hpp"

namespace penstock::tests {

/// Everything that was ever posted, and how everyone stood after each post.
class HotModel {
public:
    HotModel(std::uint32_t seed, LedgerId ledger, Instant at)
        : seed_(seed), random_(seed), ledger_(ledger), at_(at) {}

    void add(std::string address, AccountId account) {
        Holder holder;
        holder.account = account;
        holders_.emplace(std::move(address), holder);
    }

    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    void post() {
        at_.ms += static_cast<std::int64_t>(below(3));
        auto const what = below(6);
        if (what == 0)
            bulk();
        else if (what == 1)
            place();
        else if (what < 4 && !open_.empty())
            end(what == 2);
        else
            move();
    }

    std::vector<JournalEntry> const& journal() const { return journal_; }
    /// How everyone stood after each post that concerned him, in the order of posts.
    std::vector<HotBalance> const& states() const { return states_; }
    std::size_t open_holds() const { return open_.size(); }

    /// After the journal up to there.
    std::int64_t version_of(std::string const& address, std::int64_t position) const {
        std::int64_t version = 0;
        for (auto const& state : states_)
            if (state.address == address && state.position <= position) version = state.version;
        return version;
    }
    /// After the account's transfer of that version; 0 of what it never had.
    Amount balance_at(std::string const& address, std::int64_t version) const {
        auto const known = balances_.find({address, version});
        return known == balances_.end() ? 0 : known->second;
    }

private:
    struct Holder {
        AccountId account;
        Amount balance = 0;
        std::int64_t version = 0;
    };

    std::string address() {
        constexpr char const* clients[] = {"alice", "bob", "carol"};
        return clients[below(3)];
    }
    std::string other_than(std::string const& taken) {
        for (;;) {
            auto other = address();
            if (other != taken) return other;
        }
    }

    JournalEntry begin(bool has_key) {
        JournalEntry entry;
        entry.ledger = ledger_;
        entry.after = journal_.empty() ? 0 : journal_.back().position;
        entry.at = at_;
        entry.ordinal = ordinal_;
        entry.nonce = (std::uint64_t{seed_} << 20U) + journal_.size();
        entry.request_id = "post-" + std::to_string(journal_.size());
        if (!has_key) return entry;
        auto& use = entry.key_use.emplace();
        use.key = {make_uuid7(at_, ordinal_, entry.nonce)};
        use.fingerprint[0] = 1;
        return entry;
    }

    Leg stand(std::string const& address, Amount change) {
        auto& holder = holders_.at(address);
        holder.balance += change;
        holder.version += 1;
        balances_[{address, holder.version}] = holder.balance;
        return {holder.account, address, holder.balance, holder.version};
    }

    Transfer booked(JournalEntry const& entry, TransferKind kind, std::string const& from,
                    std::string const& to, Amount amount) {
        Transfer transfer;
        transfer.id = {entry.row_id(entry.items.size())};
        transfer.ledger = ledger_;
        transfer.kind = kind;
        transfer.from = stand(from, -amount);
        transfer.to = stand(to, amount);
        transfer.amount = amount;
        return transfer;
    }

    /// Of what the payer has, else out of the world.
    Transfer some_move(JournalEntry const& entry) {
        auto const from = address();
        auto const amount = static_cast<Amount>(1 + below(100));
        if (holders_.at(from).balance < amount)
            return booked(entry, TransferKind::deposit, world_address, from, amount);
        if (below(8) == 0)
            return booked(entry, TransferKind::withdrawal, from, world_address, amount);
        auto transfer = booked(entry, TransferKind::transfer, from, other_than(from), amount);
        if (below(3) == 0) transfer.reference = "order " + std::to_string(below(3));
        if (below(3) == 0) transfer.metadata = R"({"why":"ü"})";
        return transfer;
    }

    void move() {
        auto entry = begin(below(3) != 0);
        auto transfer = some_move(entry);
        transfer.key_use = entry.key_use;
        entry.items.emplace_back(std::move(transfer));
        finish(std::move(entry));
    }

    void bulk() {
        auto entry = begin(true);
        entry.is_bulk = true;
        for (auto left = 1 + below(5); left > 0; --left) {
            if (below(4) == 0)
                entry.items.emplace_back(Refusal{Rejection::insufficient_funds});
            else
                entry.items.emplace_back(some_move(entry));
        }
        finish(std::move(entry));
    }

    void place() {
        auto entry = begin(below(3) != 0);
        Hold hold;
        hold.id = {entry.row_id(0)};
        hold.ledger = ledger_;
        auto const from = address();
        auto const to = other_than(from);
        hold.from = {holders_.at(from).account, from};
        hold.to = {holders_.at(to).account, to};
        hold.amount = static_cast<Amount>(1 + below(50));
        if (below(2) == 0) hold.expires_at = Instant{at_.ms + 1'000};
        open_.push_back(hold);
        entry.items.emplace_back(std::move(hold));
        finish(std::move(entry));
    }

    Hold take(HoldStatus status) {
        auto const at = open_.begin() + static_cast<std::ptrdiff_t>(below(open_.size()));
        auto hold = *at;
        open_.erase(at);
        hold.status = status;
        hold.ended_at = at_;
        return hold;
    }

    void end(bool by_capture) {
        bool const expiry = !by_capture && below(2) == 0;
        auto entry = begin(!expiry);
        if (by_capture) {
            auto hold = take(HoldStatus::captured);
            hold.captured_amount =
                1 + static_cast<Amount>(below(static_cast<std::uint64_t>(hold.amount)));
            auto transfer = booked(entry, TransferKind::capture, hold.from.address, hold.to.address,
                                   hold.captured_amount);
            hold.transfer = transfer.id;
            transfer.cause = hold.id.value;
            entry.items.emplace_back(Captured{std::move(hold), std::move(transfer)});
        } else if (!expiry) {
            entry.items.emplace_back(take(HoldStatus::voided));
        } else {
            if (below(3) == 0) entry.items.emplace_back(Refusal{Rejection::illegal_transition});
            for (auto left = 1 + below(3); left > 0 && !open_.empty(); --left)
                entry.items.emplace_back(take(HoldStatus::expired));
        }
        finish(std::move(entry));
    }

    void finish(JournalEntry entry) {
        entry.position = entry.after + static_cast<std::int64_t>(entry.items.size());
        ordinal_ = (ordinal_ + 2 * static_cast<std::uint32_t>(entry.items.size())) % 200'000;
        for (auto const& [address, holder] : holders_) {
            auto const known = version_of(address, entry.after);
            if (holder.version == known) continue;
            states_.push_back({address, holder.balance, holder.version, at_, entry.position});
        }
        journal_.push_back(std::move(entry));
    }

    std::uint32_t seed_;
    std::mt19937_64 random_;
    LedgerId ledger_;
    Instant at_;
    std::uint32_t ordinal_ = 0;
    std::map<std::string, Holder> holders_;
    std::vector<Hold> open_;
    std::vector<JournalEntry> journal_;
    std::vector<HotBalance> states_;
    std::map<std::pair<std::string, std::int64_t>, Amount> balances_;
};

}  // namespace penstock::tests
