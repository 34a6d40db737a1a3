// WHAT becomes of a command on a hot ledger: it is posted in Redis, or decided by the lane as ever.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "cache/hot_books.hpp"
#include "db/store.hpp"
#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "reactor/pulse.hpp"
#include "server/clock.hpp"
#include "server/hot/hot_options.hpp"

namespace penstock::server {

class HotInspector;

/// One per shard.
struct HotDeskMetrics {
    reactor::Count loads;            ///< rounds of reading what was cold from the store
    reactor::Count loads_stale;      ///< of these, in vain: something left the books meanwhile
    reactor::Count accounts_opened;  ///< payees of implicit ledgers
    reactor::Count keys_asked;       ///< of the store, for the books may not know them all
    reactor::Count keys_known;       ///< repetitions that the store answered
    reactor::Count open_waits;       ///< posts that waited for their ledger to be opened
    reactor::Count barred;           ///< posts refused while all of them are
    reactor::Count failed;           ///< posts that Redis did not answer, or refused
    reactor::Count reads;            ///< of accounts and holds
    reactor::Count reads_stale;      ///< of these, from the store while the books were out of reach
};

/// Why nothing is posted on any ledger, whatever the books say.
enum class HotBar : std::uint8_t {
    none,
    memory,    ///< Redis has not enough of it left: 503 overloaded
    unfit,     ///< Redis may drop what it was told to keep: 503 unavailable
    stopping,  ///< this server goes: 503 unavailable
};

/// A row of a hot ledger as it stands, or, while the books are out of reach, as the store has it.
template <class Row>
struct HotRead {
    std::optional<Row> row;
    bool is_stale = false;
};

/// One per shard, and it outlives every request. Whoever keeps the books open sets the functions
/// before the shard runs.
class HotDesk {
public:
    using Submit =
        std::function<asio::awaitable<Result<domain::Outcome>>(domain::Envelope, SteadyTime)>;

    /// `redis` null: nothing is posted (503), and reads come from the store. `submit` is the lane.
    HotDesk(asio::any_io_executor executor, cache::RedisClient* redis, db::Store& store,
            Submit submit, Clock& clock, HotOptions options);
    HotDesk(HotDesk&&) = delete;
    ~HotDesk();

    /// Every command on that ledger. One round trip to Redis where nothing is cold. What a hot
    /// ledger does not post is decided by the lane, which refuses what is not done at all.
    asio::awaitable<Result<domain::Outcome>> submit(domain::Ledger ledger,
                                                    domain::Envelope envelope, SteadyTime deadline);
    /// The server's own, of whichever kind the ledger is.
    asio::awaitable<Result<domain::Outcome>> expire_holds(domain::Envelope envelope,
                                                          SteadyTime deadline);

    /// With every post that was acknowledged before.
    asio::awaitable<Result<HotRead<domain::Account>>> find_account(domain::AccountName name,
                                                                   SteadyTime deadline);
    asio::awaitable<Result<HotRead<domain::Hold>>> find_hold(domain::LedgerId ledger,
                                                             domain::HoldId hold,
                                                             SteadyTime deadline);

    /// Somebody wants to post where the books are not open. Called often; must return at once.
    std::function<void(domain::LedgerId)> on_unready;
    /// Closes the books and brings everything home: the epoch under which nothing can be posted
    /// any more, until on_unready asks for another; 0: it goes on, for there is money on it. What a
    /// deletion needs.
    std::function<asio::awaitable<Result<std::int64_t>>(domain::LedgerId, SteadyTime)> seal;
    /// What Redis refused, or answered in a way of its own.
    std::function<void(domain::LedgerId, cache::Failure const&)> on_failure;

    /// What can be told of a ledger beside its posts; null: Redis is not asked.
    HotInspector* inspector = nullptr;

    /// The books are open now: posts that wait go on.
    void opened(domain::LedgerId ledger);
    /// From now on, until it is called again.
    void bar(HotBar bar) { bar_ = bar; }

    /// The books as this shard sees them; null without Redis.
    cache::HotBooks* books() { return books_ ? &*books_ : nullptr; }
    HotOptions const& options() const { return options_; }
    HotDeskMetrics const& metrics() const { return metrics_; }
    cache::HotMetrics const* post_metrics() const { return books_ ? &books_->metrics() : nullptr; }

private:
    /// A command on its way: what was learnt of it so far.
    struct Attempt {
        domain::Ledger ledger;
        domain::Envelope envelope;
        SteadyTime deadline;
        SteadyTime open_until;
        std::set<std::string> nobodys = {};
        std::string asked = {};
    };
    /// What it ends with; nullopt: it is to be posted again.
    using Step = std::optional<Result<domain::Outcome>>;
    using Accounts = std::vector<std::pair<std::string, cache::HotAccount>>;

    asio::awaitable<Result<domain::Outcome>> post(Attempt attempt);
    asio::awaitable<Step> post_once(Attempt& attempt);
    asio::awaitable<Step> obey(Attempt& attempt, cache::HotSays says);
    asio::awaitable<Step> await_open(Attempt& attempt);
    asio::awaitable<Step> ask_store(Attempt& attempt);
    asio::awaitable<Step> load_accounts(Attempt& attempt, cache::HotCold cold);
    asio::awaitable<Step> load_holds(Attempt& attempt, cache::HotCold cold);
    asio::awaitable<Step> open_accounts(Attempt& attempt, std::vector<std::string> addresses);
    asio::awaitable<Step> load(Attempt& attempt, std::string token, Accounts accounts,
                               std::vector<domain::Hold> holds);
    asio::awaitable<Result<domain::Outcome>> delete_ledger(domain::Envelope envelope,
                                                           SteadyTime deadline);
    asio::awaitable<Result<domain::Posting>> posting_of(domain::LedgerId ledger,
                                                        SteadyTime deadline);
    asio::awaitable<bool> books_open(domain::LedgerId ledger, SteadyTime deadline);
    std::optional<error_code> barred();
    SteadyTime redis_deadline(SteadyTime deadline) const;
    error_code failed(domain::LedgerId ledger, cache::Failure const& failure, SteadyTime deadline);

    asio::any_io_executor executor_;
    db::Store& store_;
    Submit submit_;
    Clock& clock_;
    HotOptions options_;
    std::optional<cache::HotBooks> books_;
    HotBar bar_ = HotBar::none;
    HotDeskMetrics metrics_;
    std::multimap<domain::LedgerId, reactor::Pulse*> waiting_;
    std::unordered_map<domain::LedgerId, domain::Posting, domain::UuidHash> postings_;
};

}  // namespace penstock::server
