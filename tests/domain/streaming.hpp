// A ledger with streams over many batches, each at an instant of its own, and all of its rows.
#pragma once

#include <algorithm>
#include <chrono>

#include "domain/stream.hpp"
#include "tests/domain/scene.hpp"

namespace penstock::tests {

constexpr Instant after(Instant from, std::chrono::milliseconds time) {
    return {from.ms + time.count()};
}

/// Commands decided one at a time; what they leave is what the next one finds.
class StreamBooks {
public:
    explicit StreamBooks(Amount money = 1'000'000, Loaded with = Scene::loaded())
        : rows{std::move(with)}, at{noon} {
        Scene::add(rows, "ann", money);
        Scene::add(rows, "bob", 0);
    }

    Outcome decide(Command command, std::optional<KeyUse> use = {}) {
        WorkingSet set{rows, Stamp{at}, day_before};
        Envelope envelope;
        envelope.nonce = ++decided_;
        envelope.command = std::move(command);
        envelope.key_use = use;
        auto outcome = domain::decide(set, envelope);
        last = set.changes();
        for (auto const& account : last.new_accounts) rows.accounts.push_back(account);
        for (auto const& account : last.changed_accounts) *find(account.address) = account;
        for (auto const& stream : last.new_streams) rows.streams.push_back(stream);
        for (auto const& stream : last.changed_streams)
            *std::ranges::find(rows.streams, stream.id, &Stream::id) = stream;
        transfers.insert(transfers.end(), last.transfers.begin(), last.transfers.end());
        return outcome;
    }

    Stream create(Amount total, std::chrono::seconds duration) {
        return made<Streamed>(decide(wish(total, duration))).stream;
    }

    /// `action` on the newest stream.
    Outcome act(StreamAction action, std::optional<Amount> amount = {}) {
        return decide(command(action, amount));
    }
    ActOnStream command(StreamAction action, std::optional<Amount> amount = {}) const {
        return {Scene::ledger_id(), stream(), action, amount};
    }

    static CreateStream wish(Amount total, std::chrono::seconds duration) {
        CreateStream command{Scene::ledger_id(), {}};
        command.draft.sender.address = "ann";
        command.draft.recipient.address = "bob";
        command.draft.total = total;
        command.draft.duration = duration;
        return command;
    }

    Stream const& stream() const { return rows.streams.back(); }
    Amount vested() const { return domain::vested(stream(), at); }
    Amount balance(std::string const& address) { return find(address)->standing.balance; }
    Amount escrow() { return balance(escrow_address(stream().id)); }

    std::vector<Account>::iterator find(std::string const& address) {
        auto const found = std::ranges::find(rows.accounts, address, &Account::address);
        BOOST_REQUIRE((found != rows.accounts.end()));
        return found;
    }

    Loaded rows;
    Instant at;
    Changes last;                     ///< of the last batch
    std::vector<Transfer> transfers;  ///< of all

private:
    std::uint64_t decided_ = 0;
};

/// 400 s into 1000 over 1000 s. "settled": ended, and with something left to claim.
inline StreamBooks in_state(std::string const& state) {
    using enum StreamAction;
    auto books = StreamBooks{1'000};
    books.create(1'000, std::chrono::seconds{1'000});
    if (state == "draft") return books;
    if (state == "deleted") {
        books.act(StreamAction::remove);
        return books;
    }
    books.act(start);
    books.at = after(books.at, std::chrono::seconds{400});
    if (state == "paused") books.act(StreamAction::pause);
    if (state == "ended") books.act(stop);
    if (state == "settled" || state == "withdrawn") books.act(settle);
    if (state == "withdrawn") books.act(withdraw);
    if (state == "cancelled") books.act(cancel);
    return books;
}

}  // namespace penstock::tests
