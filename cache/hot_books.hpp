// MAY this be posted on a hot ledger, and then it is: its accounts and holds, kept in Redis.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cache/hot_keys.hpp"
#include "cache/journal_text.hpp"
#include "cache/redis/reply.hpp"
#include "cache/redis_process.hpp"
#include "domain/journal.hpp"
#include "reactor/counters.hpp"

namespace penstock::cache {

struct HotBooksOptions {
    /// How long a ledger remembers an idempotency key without asking the store.
    milliseconds key_kept = std::chrono::hours{24};
    /// Items in the journal that the store may lack; beyond it nothing is posted.
    std::int64_t undrained_max = 100'000;
    /// Which database's ledgers these are.
    domain::Uuid database;
};

struct HotItem {
    enum class Verb : std::uint8_t { move, hold, capture, void_, expire };
    Verb verb = Verb::move;
    std::string from;           ///< of all but move and hold: the id of the hold, and no `to`
    std::string to = {};        ///< not `from`'s of another ledger: addresses of this one
    domain::Amount amount = 0;  ///< of capture, 0: all of it
    std::optional<milliseconds> term = {};  ///< of hold; nullopt: for ever
    ItemWords words = {};                   ///< of move
};

struct HotPost {
    domain::LedgerId ledger;
    domain::AccountPolicy accounts = domain::AccountPolicy::explicit_;
    std::optional<domain::KeyUse> key_use = {};
    std::string request_id = {};
    std::uint64_t nonce = 0;
    domain::Instant now;
    bool is_bulk = false;
    bool together =
        true;  ///< all items or none; else each stands alone: only of moves and expiries
    std::vector<HotItem> items;
    std::vector<std::string> nobodys = {};  ///< addresses that the store does not know
    std::string asked = {};  ///< the base of the HotAsk after which the store did not know the key
};

/// It is done, now or by the key's first use.
struct HotPosted {
    domain::JournalEntry entry;
    bool is_replay = false;
};
/// Nothing was done. `where`: the member at fault ("from", "to", "amount"), or the state that a
/// hold is in.
struct HotRefused {
    std::size_t item = 0;
    domain::Rejection code{};
    std::string where;
};
/// To be loaded first, accounts by address or holds by id; the token goes to load().
struct HotCold {
    bool are_holds = false;
    std::vector<std::string> names;
    std::string token;
};
/// The books do not know all keys: the store is to be asked for this one first.
struct HotAsk {
    std::string base;
};
enum class HotSays : std::uint8_t {
    known,    ///< the key was used, and the store has what it made
    reused,   ///< for another request
    nothing,  ///< no item of a request without a key could be done
    busy,     ///< the drain is too far behind
    unready,  ///< to be opened first
};
using HotAnswer = std::variant<HotPosted, HotRefused, HotCold, HotAsk, HotSays>;

/// Accounts as they stand now, nullopt for those that are not in the books; nothing where the
/// ledger is to be opened first.
using HotFound = std::optional<std::vector<std::optional<HotAccount>>>;

enum class HotLoaded : std::uint8_t { loaded, stale, unready };

/// What came of opening. `position` is that of the books as they were found, 0 where there were
/// none: whoever has seen a later one knows what was lost.
struct HotOpened {
    enum class How : std::uint8_t {
        open,    ///< as they were
        built,   ///< new
        sealed,  ///< to be drained up to `position`, and opened again in another epoch
        superseded,
    };
    How how = How::open;
    std::int64_t position = 0;
};

struct HotMetrics {
    reactor::Histogram wait;  ///< what a post waits for Redis; Histogram::duration_unit
    reactor::Count posted;
    reactor::Count replayed;
    reactor::Count refused;
    reactor::Count cold;
    reactor::Count busy;
    reactor::Count unready;
};

/// The hot ledgers of all organizations as one shard sees them. Every failure of a post but
/// deadline_exceeded and connection_lost says that nothing was done; after those two the same key
/// tells.
class HotBooks {
public:
    HotBooks(RedisClient& redis, HotBooksOptions options);
    HotBooks(HotBooks&&) = delete;

    /// One round trip. There is a second one on a connection that was not used before.
    asio::awaitable<Answer<HotAnswer>> post(HotPost post, SteadyTime deadline);

    /// In the order of the addresses.
    asio::awaitable<Answer<HotFound>> find(domain::LedgerId ledger,
                                           std::vector<std::string> addresses, SteadyTime deadline);
    /// A hold that is open, or has ended and is not drained; nullopt: the store knows.
    asio::awaitable<Answer<std::optional<domain::Hold>>> find_hold(domain::LedgerId ledger,
                                                                   domain::HoldId hold,
                                                                   SteadyTime deadline);

    /// What the store says of cold accounts and holds. What is in the books already stays.
    asio::awaitable<Answer<HotLoaded>> load(
        domain::LedgerId ledger, std::string token, domain::Instant now,
        std::vector<std::pair<std::string, HotAccount>> accounts, std::vector<domain::Hold> holds,
        SteadyTime deadline);

    /// For the process of Redis that answers now. `epoch` was begun in the store for this, which
    /// has the journal up to `drained`; new books know every key that is used from `keys_from` on.
    asio::awaitable<Answer<HotOpened>> open(domain::LedgerId ledger, std::int64_t epoch,
                                            std::int64_t drained, domain::Instant keys_from,
                                            SteadyTime deadline);

    HotBooksOptions const& options() const { return options_; }
    HotMetrics const& metrics() const { return metrics_; }

private:
    asio::awaitable<Answer<std::string>> process(SteadyTime deadline);
    Answer<HotAnswer> count(Answer<HotAnswer> answer);

    RedisClient& redis_;
    HotBooksOptions options_;
    HotKeys keys_;
    RedisProcess process_;
    HotMetrics metrics_;
};

}  // namespace penstock::cache
