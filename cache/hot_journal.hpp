// WHAT has a hot ledger acknowledged that the store lacks: its journal, read in order, by anyone.
#pragma once

#include <string>
#include <vector>

#include "cache/hot_keys.hpp"
#include "cache/redis/error.hpp"
#include "domain/journal.hpp"

namespace penstock::cache {

class RedisClient;

/// An entry that was read. What no entry of ours looks like is nullopt, and kept as it was.
struct ReadEntry {
    std::string id;             ///< of the stream: "position-0", unless somebody else wrote it
    std::int64_t position = 0;  ///< of what is no entry: where it lies
    std::optional<domain::JournalEntry> entry;
    std::string text;       ///< only where it is none
    std::size_t bytes = 0;  ///< as it was read
};

/// How far a hot ledger is; nothing of it is exact a moment later.
struct HotStanding {
    std::string process;  ///< of Redis, for which it was opened; "sealed": for none
    std::int64_t epoch = 0;
    std::int64_t position = 0;
    std::int64_t drained = 0;
    std::optional<domain::Instant> oldest_entry = {};
    std::int64_t due = 0;
    std::optional<domain::Instant> oldest_due = {};
    std::int64_t claimed = 0;
    std::int64_t dead_letters = 0;
    std::optional<domain::Instant> last_flush_at = {};  ///< when balances were last written home
    /// The base of books that were built anew, while rows of the store may be behind their own
    /// transfers and the schedule does not know whose; 0: none are.
    std::int64_t unmended = 0;
};

/// The journals of all hot ledgers as one shard sees them. Several servers read one journal: the
/// group hands an entry to one of them, and the store's row of the ledger takes entries in their
/// order only, each once. Reads never block: the connection is everybody's.
class HotJournal {
public:
    HotJournal(RedisClient& redis, domain::Uuid database);
    HotJournal(HotJournal&&) = delete;

    /// Entries that nobody has been given, at most so many. nullopt: there is no group, so the
    /// ledger is to be opened.
    asio::awaitable<Answer<std::optional<std::vector<ReadEntry>>>> read(domain::LedgerId ledger,
                                                                        std::string consumer,
                                                                        std::size_t limit,
                                                                        SteadyTime deadline);

    /// Entries that somebody was given `idle` ago and did not settle (XAUTOCLAIM): he is dead, or
    /// waits for one of these.
    asio::awaitable<Answer<std::optional<std::vector<ReadEntry>>>> take_over(
        domain::LedgerId ledger, std::string consumer, milliseconds idle, std::size_t limit,
        SteadyTime deadline);

    /// Entries that the consumer has been given and did not settle, those behind the one with the
    /// id `after`, "0" for all: when a reply never came.
    asio::awaitable<Answer<std::optional<std::vector<ReadEntry>>>> read_own(domain::LedgerId ledger,
                                                                            std::string consumer,
                                                                            std::string after,
                                                                            std::size_t limit,
                                                                            SteadyTime deadline);

    /// The first position behind `after` that something lies at; whoever has it.
    asio::awaitable<Answer<std::optional<std::int64_t>>> first_behind(domain::LedgerId ledger,
                                                                      std::int64_t after,
                                                                      SteadyTime deadline);

    /// Committed up to `drained`. False: superseded.
    asio::awaitable<Answer<bool>> settle(domain::LedgerId ledger, std::int64_t epoch,
                                         std::int64_t drained, std::vector<std::int64_t> entries,
                                         std::vector<domain::HoldId> ended, SteadyTime deadline);

    /// Out of the journal and into the dead letters, at once. False: it is not there any more.
    asio::awaitable<Answer<bool>> bury(domain::LedgerId ledger, ReadEntry entry, std::string why,
                                       domain::Instant now, SteadyTime deadline);

    /// nullopt: no books.
    asio::awaitable<Answer<std::optional<HotStanding>>> look(domain::LedgerId ledger,
                                                             SteadyTime deadline);

private:
    RedisClient& redis_;
    HotKeys keys_;
};

}  // namespace penstock::cache
