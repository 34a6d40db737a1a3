// What becomes of a command on a hot ledger: posted in Redis, with whoever is cold brought there
// first, or left to the lane.
#include "server/hot/desk.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <string_view>
#include <utility>

#include "cache/hot_words.hpp"
#include "db/hot_store.hpp"
#include "db/primary.hpp"

namespace penstock::server {
namespace {

using domain::Outcome;

/// A post is sent again for everyone who was cold, and for everything that changed meanwhile.
constexpr std::size_t rounds_max = 256;
/// Posts of one shard that may wait for books to be opened.
constexpr std::size_t waiting_max = 4'096;
/// Another server may open them, and nobody here is told.
constexpr milliseconds open_poll{50};
constexpr std::size_t postings_max = 10'000;

Result<Outcome> refusal(domain::Rejection code) { return Outcome(domain::Refusal{code}); }

/// Who is paid by a command, and who pays, of what moves or reserves money.
struct Parties {
    std::string_view from;
    std::string_view to;
};

struct PartiesOf {
    std::vector<Parties>& all;

    void operator()(domain::MoveMoney const& command) const {
        all.push_back({command.movement.from, command.movement.to});
    }
    void operator()(domain::MoveInBulk const& command) const {
        for (auto const& item : command.items) all.push_back({item.from, item.to});
    }
    void operator()(domain::PlaceHold const& command) const {
        all.push_back({command.from, command.to});
    }
    template <class Other>
    void operator()(Other const&) const {}
};

std::vector<Parties> parties_of(domain::Command const& command) {
    std::vector<Parties> all;
    std::visit(PartiesOf{all}, command);
    return all;
}

/// Whose account the ledger opens when a command pays him.
std::set<std::string_view> opened_for(domain::Ledger const& ledger,
                                      std::vector<Parties> const& parties) {
    std::set<std::string_view> payees;
    if (ledger.accounts != domain::AccountPolicy::implicit) return payees;
    for (auto const& [from, to] : parties)
        if (!to.starts_with('@')) payees.insert(to);
    return payees;
}

/// The payee of someone who cannot pay is not opened, so who pays alone comes first.
bool is_payer_cold(std::vector<Parties> const& parties, std::vector<std::string> const& cold) {
    if (parties.size() != 1 || parties.front().from == domain::world_address) return false;
    return std::ranges::find(cold, parties.front().from) != cold.end();
}

cache::HotAccount hot_account_of(db::HotStanding const& found) {
    auto const& [account, is_behind] = found;
    cache::HotAccount hot;
    hot.id = account.id;
    hot.balance = account.standing.balance;
    hot.held = account.standing.held;
    hot.version = account.standing.version;
    hot.overdraft_limit = account.overdraft_limit;
    hot.updated_at = account.standing.updated_at;
    hot.is_dirty = is_behind;
    return hot;
}

Outcome outcome_of(domain::Command const& command, cache::HotPosted posted) {
    if (!std::holds_alternative<domain::ExpireHolds>(command))
        return cache::receipt_of(std::move(posted));
    domain::Done done;
    for (auto const& item : posted.entry.items)
        if (std::holds_alternative<domain::Hold>(item)) ++done.items;
    return domain::Receipt{done};
}

/// Of the cold holds those that the store does not have open. nullopt: the command goes on with
/// the others.
std::optional<Outcome> leave_out_ended(domain::Command& command, std::vector<domain::Hold>& holds) {
    if (auto* const expiry = std::get_if<domain::ExpireHolds>(&command)) {
        auto const is_ended = [](auto const& hold) {
            return hold.status != domain::HoldStatus::pending;
        };
        std::erase_if(holds, is_ended);
        return std::nullopt;
    }
    if (holds.empty()) return domain::Refusal{domain::Rejection::hold_not_found};
    auto const status = holds.front().status;
    if (status == domain::HoldStatus::pending) return std::nullopt;
    cache::HotRefused refused;
    refused.code = domain::Rejection::illegal_transition;
    refused.where = boost::describe::enum_to_string(status, "");
    return cache::refusal_of(command, refused);
}

/// Keeps of a command that ends holds those that are not among `cold`, or were found.
void keep_found(domain::ExpireHolds& command, std::vector<domain::HoldId> const& cold,
                std::vector<domain::Hold> const& found) {
    std::erase_if(command.originals, [&](domain::Hold const& hold) {
        auto const is_it = [&](domain::Hold const& other) { return other.id == hold.id; };
        return std::ranges::find(cold, hold.id) != cold.end() && std::ranges::none_of(found, is_it);
    });
}

/// Stands in the list of those who wait, for as long as it lives.
class Place {
public:
    using List = std::multimap<domain::LedgerId, reactor::Pulse*>;

    Place(List& list, domain::LedgerId ledger, reactor::Pulse& pulse)
        : list_(list), place_(list.emplace(ledger, &pulse)) {}
    Place(Place&&) = delete;
    ~Place() { list_.erase(place_); }

private:
    List& list_;
    List::iterator place_;
};

}  // namespace

HotDesk::HotDesk(asio::any_io_executor executor, cache::RedisClient* redis, db::Store& store,
                 Submit submit, Clock& clock, HotOptions options)
    : executor_(std::move(executor)),
      store_(db::primary_of(store)),
      submit_(std::move(submit)),
      clock_(clock),
      options_(options) {
    if (redis == nullptr) return;
    cache::HotBooksOptions books;
    books.key_kept = options_.key_retention;
    books.undrained_max = options_.undrained_max;
    books.database = options_.database;
    books_.emplace(*redis, books);
}

HotDesk::~HotDesk() = default;

asio::awaitable<Result<Outcome>> HotDesk::submit(domain::Ledger ledger, domain::Envelope envelope,
                                                 SteadyTime deadline) {
    auto const* const deletion = std::get_if<domain::DeleteLedger>(&envelope.command);
    if (deletion && deletion->ledger == ledger.id)
        return delete_ledger(std::move(envelope), deadline);
    auto const open_until = std::min(deadline, steady_now() + options_.open_wait);
    Attempt attempt{std::move(ledger), std::move(envelope), deadline, open_until};
    return post(std::move(attempt));
}

asio::awaitable<Result<Outcome>> HotDesk::expire_holds(domain::Envelope envelope,
                                                       SteadyTime deadline) {
    auto const id = std::get<domain::ExpireHolds>(envelope.command).ledger;
    auto const posting = co_await posting_of(id, deadline);
    if (!posting) co_return posting.error();
    if (*posting == domain::Posting::durable)
        co_return co_await submit_(std::move(envelope), deadline);
    // Nobody is paid by it, so nobody's account opens.
    domain::Ledger ledger;
    ledger.id = id;
    ledger.posting = domain::Posting::hot;
    Attempt attempt{std::move(ledger), std::move(envelope), deadline, deadline};
    co_return co_await post(std::move(attempt));
}

/// It never changes, and nobody makes a ledger's id anew.
asio::awaitable<Result<domain::Posting>> HotDesk::posting_of(domain::LedgerId ledger,
                                                             SteadyTime deadline) {
    auto const known = postings_.find(ledger);
    if (known != postings_.end()) co_return known->second;
    auto const row = co_await store_.hot().find_hot_ledger(ledger, deadline);
    if (!row) co_return row.error();
    auto const posting = *row ? domain::Posting::hot : domain::Posting::durable;
    if (postings_.size() >= postings_max) postings_.clear();
    postings_.insert_or_assign(ledger, posting);
    co_return posting;
}

/// Nothing may be posted any more when the store looks whether anything is left.
asio::awaitable<Result<Outcome>> HotDesk::delete_ledger(domain::Envelope envelope,
                                                        SteadyTime deadline) {
    if (!seal) co_return make_error_code(cache::Errc::unavailable);
    auto const id = std::get<domain::DeleteLedger>(envelope.command).ledger;
    auto const epoch = co_await seal(id, deadline);
    if (!epoch) co_return epoch.error();
    std::get<domain::DeleteLedger>(envelope.command).epoch = *epoch;
    auto outcome = co_await submit_(std::move(envelope), deadline);
    bool const is_gone = outcome && std::holds_alternative<domain::Receipt>(*outcome);
    if (!is_gone && on_unready) on_unready(id);
    co_return outcome;
}

asio::awaitable<Result<Outcome>> HotDesk::post(Attempt attempt) {
    for (std::size_t round = 0; round < rounds_max; ++round) {
        auto step = co_await post_once(attempt);
        if (step) co_return std::move(*step);
        if (steady_now() >= attempt.deadline) co_return reactor::Errc::deadline_exceeded;
    }
    co_return reactor::Errc::overloaded;
}

asio::awaitable<HotDesk::Step> HotDesk::post_once(Attempt& attempt) {
    auto post = cache::post_of(attempt.ledger, attempt.envelope, clock_.now());
    if (!post) co_return co_await submit_(std::move(attempt.envelope), attempt.deadline);
    if (post->items.empty()) co_return Outcome(domain::Receipt{domain::Done{}});
    if (auto const error = barred()) co_return Result<Outcome>(*error);
    post->nobodys.assign(attempt.nobodys.begin(), attempt.nobodys.end());
    post->asked = attempt.asked;
    auto answer = co_await books_->post(std::move(*post), redis_deadline(attempt.deadline));
    if (!answer)
        co_return Result<Outcome>(failed(attempt.ledger.id, answer.error(), attempt.deadline));
    if (auto* const posted = std::get_if<cache::HotPosted>(&*answer))
        co_return outcome_of(attempt.envelope.command, std::move(*posted));
    if (auto const* const refused = std::get_if<cache::HotRefused>(&*answer))
        co_return Outcome(cache::refusal_of(attempt.envelope.command, *refused));
    if (auto* const cold = std::get_if<cache::HotCold>(&*answer)) {
        metrics_.loads.add();
        if (cold->are_holds) co_return co_await load_holds(attempt, std::move(*cold));
        co_return co_await load_accounts(attempt, std::move(*cold));
    }
    if (auto* const ask = std::get_if<cache::HotAsk>(&*answer)) {
        metrics_.keys_asked.add();
        attempt.asked = std::move(ask->base);
        co_return co_await ask_store(attempt);
    }
    co_return co_await obey(attempt, std::get<cache::HotSays>(*answer));
}

asio::awaitable<HotDesk::Step> HotDesk::obey(Attempt& attempt, cache::HotSays says) {
    switch (says) {
        case cache::HotSays::known:
            metrics_.keys_known.add();
            co_return co_await ask_store(attempt);
        case cache::HotSays::reused:
            co_return refusal(domain::Rejection::idempotency_key_reused);
        case cache::HotSays::nothing:
            co_return Outcome(domain::Receipt{domain::Done{}});
        case cache::HotSays::busy:
            co_return Result<Outcome>(reactor::Errc::overloaded);
        case cache::HotSays::unready:
            break;
    }
    co_return co_await await_open(attempt);
}

/// What the store says of the key alone; nothing: it does not know it.
asio::awaitable<HotDesk::Step> HotDesk::ask_store(Attempt& attempt) {
    domain::Envelope question;
    question.organization = attempt.envelope.organization;
    question.key_use = attempt.envelope.key_use;
    question.request_id = attempt.envelope.request_id;
    question.nonce = attempt.envelope.nonce;
    // No ledger has this id.
    question.command = domain::DeleteLedger();
    auto outcome = co_await submit_(std::move(question), attempt.deadline);
    auto const* const refused = outcome ? std::get_if<domain::Refusal>(&*outcome) : nullptr;
    if (refused && refused->code == domain::Rejection::ledger_not_found) co_return std::nullopt;
    co_return std::move(outcome);
}

/// Whoever keeps the books is told, and has a moment to open them.
asio::awaitable<HotDesk::Step> HotDesk::await_open(Attempt& attempt) {
    auto const id = attempt.ledger.id;
    if (on_unready) on_unready(id);
    auto const now = steady_now();
    if (now >= attempt.open_until || waiting_.size() >= waiting_max)
        co_return Result<Outcome>(cache::Errc::unavailable);
    metrics_.open_waits.add();
    reactor::Pulse pulse(executor_);
    Place const place(waiting_, id, pulse);
    bool const awake = co_await pulse.wait(std::min(attempt.open_until, now + open_poll));
    if (!awake) co_return Result<Outcome>(asio::error::operation_aborted);
    co_return std::nullopt;
}

asio::awaitable<HotDesk::Step> HotDesk::load_accounts(Attempt& attempt, cache::HotCold cold) {
    auto const& ledger = attempt.ledger;
    auto found = co_await store_.hot().find_standings(ledger.id, cold.names, attempt.deadline);
    if (!found) co_return Result<Outcome>(found.error());
    std::set<std::string> missing(cold.names.begin(), cold.names.end());
    for (auto const& standing : *found) missing.erase(standing.account.address);
    auto const parties = parties_of(attempt.envelope.command);
    auto const payees = opened_for(ledger, parties);
    std::vector<std::string> opened;
    for (auto const& address : missing) {
        if (payees.contains(address))
            opened.push_back(address);
        else
            attempt.nobodys.insert(address);
    }
    if (is_payer_cold(parties, cold.names)) opened.clear();
    if (!opened.empty()) {
        auto const step = co_await open_accounts(attempt, opened);
        if (step) co_return step;
        auto made = co_await store_.hot().find_standings(ledger.id, opened, attempt.deadline);
        if (!made) co_return Result<Outcome>(made.error());
        std::ranges::move(*made, std::back_inserter(*found));
    }
    Accounts accounts;
    for (auto const& standing : *found)
        accounts.emplace_back(standing.account.address, hot_account_of(standing));
    std::vector<domain::Hold> no_holds;
    co_return co_await load(attempt, std::move(cold.token), std::move(accounts),
                            std::move(no_holds));
}

asio::awaitable<HotDesk::Step> HotDesk::open_accounts(Attempt& attempt,
                                                      std::vector<std::string> addresses) {
    domain::Envelope envelope;
    envelope.request_id = attempt.envelope.request_id;
    envelope.nonce = attempt.envelope.nonce;
    metrics_.accounts_opened.add(addresses.size());
    envelope.command = domain::OpenAccounts{attempt.ledger.id, std::move(addresses)};
    auto outcome = co_await submit_(std::move(envelope), attempt.deadline);
    bool const done = outcome && std::holds_alternative<domain::Receipt>(*outcome);
    if (done) co_return std::nullopt;
    co_return std::move(outcome);
}

asio::awaitable<HotDesk::Step> HotDesk::load_holds(Attempt& attempt, cache::HotCold cold) {
    std::vector<domain::HoldId> ids;
    for (auto const& name : cold.names)
        if (auto const id = domain::Uuid::parse(name)) ids.push_back({*id});
    auto found = co_await store_.hot().find_holds(attempt.ledger.id, ids, attempt.deadline);
    if (!found) co_return Result<Outcome>(found.error());
    auto& command = attempt.envelope.command;
    if (auto ended = leave_out_ended(command, *found)) co_return std::move(*ended);
    if (auto* const expiry = std::get_if<domain::ExpireHolds>(&command))
        keep_found(*expiry, ids, *found);
    Accounts no_accounts;
    co_return co_await load(attempt, std::move(cold.token), std::move(no_accounts),
                            std::move(*found));
}

asio::awaitable<HotDesk::Step> HotDesk::load(Attempt& attempt, std::string token, Accounts accounts,
                                             std::vector<domain::Hold> holds) {
    if (accounts.empty() && holds.empty()) co_return std::nullopt;
    auto const loaded = co_await books_->load(attempt.ledger.id, std::move(token), clock_.now(),
                                              std::move(accounts), std::move(holds),
                                              redis_deadline(attempt.deadline));
    if (!loaded)
        co_return Result<Outcome>(failed(attempt.ledger.id, loaded.error(), attempt.deadline));
    if (*loaded == cache::HotLoaded::stale) metrics_.loads_stale.add();
    // Whatever it was: the next post tells what is still in its way.
    co_return std::nullopt;
}

asio::awaitable<Result<HotRead<domain::Account>>> HotDesk::find_account(domain::AccountName name,
                                                                        SteadyTime deadline) {
    metrics_.reads.add();
    HotRead<domain::Account> read;
    read.is_stale = true;
    std::optional<cache::HotAccount> hot;
    std::vector<std::string> const addresses{name.address};
    // Who is not in the books now is in the store as he stands, whatever is posted meanwhile: the
    // books are asked first.
    if (books_) {
        auto const found = co_await books_->find(name.ledger, addresses, redis_deadline(deadline));
        if (!found) failed(name.ledger, found.error(), deadline);
        read.is_stale = !found || !*found;
        if (!read.is_stale) hot = (**found).front();
    }
    if (read.is_stale) metrics_.reads_stale.add();
    auto row = co_await store_.find_account(name, deadline);
    if (!row) co_return row.error();
    if (!*row) co_return read;
    if (!hot) {
        auto const standings =
            co_await store_.hot().find_standings(name.ledger, addresses, deadline);
        if (!standings) co_return standings.error();
        if (!standings->empty()) hot = hot_account_of(standings->front());
    }
    if (hot) {
        auto& standing = (*row)->standing;
        standing.balance = hot->balance;
        standing.held = hot->held;
        standing.version = hot->version;
        standing.updated_at = hot->updated_at;
    }
    read.row = std::move(*row);
    co_return read;
}

asio::awaitable<Result<HotRead<domain::Hold>>> HotDesk::find_hold(domain::LedgerId ledger,
                                                                  domain::HoldId hold,
                                                                  SteadyTime deadline) {
    metrics_.reads.add();
    HotRead<domain::Hold> read;
    read.is_stale = true;
    if (books_) {
        auto found = co_await books_->find_hold(ledger, hold, redis_deadline(deadline));
        if (!found)
            failed(ledger, found.error(), deadline);
        else
            read.is_stale = !co_await books_open(ledger, deadline);
        if (!read.is_stale && *found) {
            read.row = std::move(*found);
            co_return read;
        }
    }
    if (read.is_stale) metrics_.reads_stale.add();
    auto row = co_await store_.find_hold(ledger, hold, deadline);
    if (!row) co_return row.error();
    read.row = std::move(*row);
    co_return read;
}

/// A hold alone does not tell of which timeline it is.
asio::awaitable<bool> HotDesk::books_open(domain::LedgerId ledger, SteadyTime deadline) {
    std::vector<std::string> nobody;
    auto const found = co_await books_->find(ledger, std::move(nobody), redis_deadline(deadline));
    co_return found && found->has_value();
}

void HotDesk::opened(domain::LedgerId ledger) {
    auto const [first, last] = waiting_.equal_range(ledger);
    for (auto waiter = first; waiter != last; ++waiter) waiter->second->notify();
}

/// Why nothing is posted now, whatever the ledger.
std::optional<error_code> HotDesk::barred() {
    if (!books_) return make_error_code(cache::Errc::unavailable);
    if (bar_ == HotBar::none) return std::nullopt;
    metrics_.barred.add();
    if (bar_ == HotBar::memory) return make_error_code(reactor::Errc::overloaded);
    return make_error_code(cache::Errc::unavailable);
}

SteadyTime HotDesk::redis_deadline(SteadyTime deadline) const {
    return std::min(deadline, steady_now() + options_.wait);
}

/// Late for us is not late for whoever asks: he has time left to ask again.
error_code HotDesk::failed(domain::LedgerId ledger, cache::Failure const& failure,
                           SteadyTime deadline) {
    metrics_.failed.add();
    if (on_failure) on_failure(ledger, failure);
    bool const is_late = failure.code == reactor::Errc::deadline_exceeded;
    if (is_late && steady_now() < deadline) return make_error_code(cache::Errc::unavailable);
    return failure.code;
}

}  // namespace penstock::server
