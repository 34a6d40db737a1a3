// Commands about streams by function: a braced temporary beside a co_await is destroyed twice.
#pragma once

#include "db/stream_store.hpp"
#include "domain/stream.hpp"
#include "tests/db/rules.hpp"

namespace penstock::tests {

inline Command create_stream(LedgerId ledger, std::string sender, std::string recipient,
                             Amount total, std::chrono::seconds duration,
                             std::optional<std::string> label = {}, std::string metadata = "{}") {
    CreateStream command{ledger, {}};
    command.draft.sender.address = std::move(sender);
    command.draft.recipient.address = std::move(recipient);
    command.draft.total = total;
    command.draft.duration = duration;
    command.draft.label = std::move(label);
    command.draft.metadata = std::move(metadata);
    return command;
}

inline Command act_on(Stream const& stream, StreamAction action,
                      std::optional<Amount> amount = {}) {
    return ActOnStream{stream.ledger, stream, action, amount};
}

/// A stream of 1000 over 1000 s from alice to bob, who are accounts of the ledger.
inline asio::awaitable<Stream> draft_stream(Driver& driver, LedgerId ledger) {
    auto const command = create_stream(ledger, "alice", "bob", 1'000, std::chrono::seconds{1'000});
    auto const outcome = co_await driver.one(command);
    co_return made<Streamed>(outcome).stream;
}

/// `seconds` after the instant of the driver's last batch.
inline void pass(Driver& driver, std::int64_t seconds) { driver.at.ms += seconds * 1'000; }

}  // namespace penstock::tests
