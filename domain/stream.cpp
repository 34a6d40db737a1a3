// How streams vest, and what each action does in each state.
#include "domain/stream.hpp"

#include <algorithm>
#include <boost/describe/enum_to_string.hpp>

#include "domain/assert.hpp"
#include "domain/event.hpp"
#include "domain/movement.hpp"
#include "domain/organization.hpp"

namespace penstock::domain {
namespace {

using std::chrono::milliseconds;

/// How long it has vested: pauses have moved its end, so they do not count. A clock that is behind
/// the one that wrote the row reads as that one.
milliseconds elapsed(Stream const& stream, Instant at) {
    if (!stream.started_at) return milliseconds{0};
    milliseconds const duration = stream.duration;
    auto moment = std::max(at, stream.updated_at);
    if (stream.paused_at) moment = std::min(moment, *stream.paused_at);
    if (stream.ended_at) moment = std::min(moment, *stream.ended_at);
    return std::clamp(duration - milliseconds{stream.ends_at->ms - moment.ms}, milliseconds{0},
                      duration);
}

enum class Effect { illegal, none, change };

/// The table of states and actions.
Effect effect_of(StreamAction action, Stream const& stream) {
    using enum StreamAction;
    auto const is_any = [action](auto... of) { return ((action == of) || ...); };
    switch (stream.status) {
        case StreamStatus::draft:
            return is_any(start, stop, remove) ? Effect::change : Effect::illegal;
        case StreamStatus::active:
            if (action == start) return Effect::none;
            return action == remove ? Effect::illegal : Effect::change;
        case StreamStatus::paused:
            if (action == pause) return Effect::none;
            return action == remove ? Effect::illegal : Effect::change;
        case StreamStatus::ended:
            if (action == stop || (action == settle && stream.settled_at)) return Effect::none;
            return is_any(settle, withdraw) ? Effect::change : Effect::illegal;
        case StreamStatus::withdrawn:
            return action == withdraw ? Effect::none : Effect::illegal;
        case StreamStatus::cancelled:
            return action == cancel ? Effect::none : Effect::illegal;
        case StreamStatus::deleted:
            break;
    }
    return Effect::illegal;
}

Refusal refuse_transition(StreamAction action, StreamStatus status) {
    using boost::describe::enum_to_string;
    auto const* verb = action == StreamAction::remove ? "delete" : enum_to_string(action, "");
    return {
        Rejection::illegal_transition, "",
        std::string("Cannot ") + verb + " a stream that is " + enum_to_string(status, "") + "."};
}

/// One action on one stream: what it moves, and what becomes of the row.
class Act {
public:
    Act(WorkingSet& set, Ledger const& ledger, Stream const& stream, std::uint64_t nonce)
        : set_{set}, ledger_{ledger}, stream_{stream}, nonce_{nonce} {}

    std::optional<Refusal> run(StreamAction action, std::optional<Amount> amount) {
        switch (action) {
            case StreamAction::start:
                return stream_.status == StreamStatus::draft ? start() : resume();
            case StreamAction::pause:
                return pause();
            case StreamAction::stop:
                return stop();
            case StreamAction::settle:
                return settle();
            case StreamAction::withdraw:
                return withdraw(amount);
            case StreamAction::cancel:
                return cancel();
            case StreamAction::remove:
                return remove();
        }
        PENSTOCK_ASSERT(false);
        return std::nullopt;
    }

    Streamed result() const { return {stream_, set_.now(), paid_}; }

private:
    using Done = std::optional<Refusal>;

    Done start() {
        auto funded = pay(TransferKind::stream_funding, stream_.sender.address,
                          escrow_address(stream_.id), stream_.total);
        if (funded.refusal) return funded.refusal;
        stream_.status = StreamStatus::active;
        stream_.started_at = set_.now();
        stream_.ends_at = Instant{set_.now().ms + milliseconds{stream_.duration}.count()};
        return write();
    }

    Done resume() {
        end_pause();
        stream_.status = StreamStatus::active;
        tell(EventType::stream_resumed);
        return write();
    }

    Done pause() {
        stream_.status = StreamStatus::paused;
        stream_.paused_at = set_.now();
        tell(EventType::stream_paused);
        return write();
    }

    Done stop() {
        freeze();
        stream_.status = StreamStatus::ended;
        tell(EventType::stream_stopped);
        return write();
    }

    Done settle() {
        freeze();
        stream_.status = StreamStatus::ended;
        stream_.settled_at = set_.now();
        auto const refunded = refund();
        if (refunded.refusal) return refunded.refusal;
        if (claimable() == 0) stream_.status = StreamStatus::withdrawn;
        tell(EventType::stream_settled, refunded.transfer);
        return write();
    }

    Done withdraw(std::optional<Amount> wanted) {
        auto const there = claimable();
        if (there == 0) return Refusal{Rejection::nothing_to_withdraw};
        auto const amount = wanted.value_or(there);
        if (amount > there) return Refusal{Rejection::over_withdraw, "/amount"};
        if (auto refusal = release(TransferKind::stream_withdrawal, amount)) return refusal;
        paid_ = amount;
        bool const is_over = stream_.settled_at && claimable() == 0;
        if (is_over) stream_.status = StreamStatus::withdrawn;
        return write();
    }

    Done cancel() {
        freeze();
        stream_.status = StreamStatus::cancelled;
        if (auto refusal = release(TransferKind::stream_payout, claimable())) return refusal;
        auto const refunded = refund();
        if (refunded.refusal) return refunded.refusal;
        tell(EventType::stream_cancelled, refunded.transfer);
        return write();
    }

    Done remove() {
        stream_.status = StreamStatus::deleted;
        tell(EventType::stream_deleted);
        return write();
    }

    Amount claimable() const { return withdrawable(stream_, set_.now()); }

    void end_pause() {
        if (!stream_.paused_at) return;
        stream_.ends_at->ms += set_.now().ms - stream_.paused_at->ms;
        stream_.paused_at.reset();
    }

    void freeze() {
        end_pause();
        if (!stream_.ended_at) stream_.ended_at = set_.now();
    }

    /// Neither: there was nothing to pay.
    struct Paid {
        std::optional<Transfer> transfer = {};
        std::optional<Refusal> refusal = {};
    };

    /// What did not vest; nothing of a stream that never started.
    Paid refund() {
        if (!stream_.started_at) return {};
        auto const amount = stream_.total - vested(stream_, set_.now());
        auto paid = pay(TransferKind::stream_refund, escrow_address(stream_.id),
                        stream_.sender.address, amount);
        if (!paid.refusal) stream_.refunded += amount;
        return paid;
    }

    Done release(TransferKind kind, Amount amount) {
        auto paid = pay(kind, escrow_address(stream_.id), stream_.recipient.address, amount);
        if (!paid.refusal) stream_.released += amount;
        return std::move(paid.refusal);
    }

    Paid pay(TransferKind kind, std::string const& from, std::string const& to, Amount amount) {
        if (amount == 0) return {};
        Origin origin{kind, nonce_};
        origin.cause = stream_.id.value;
        auto moved = move(set_, ledger_, Movement{from, to, amount}, origin);
        if (auto* transfer = std::get_if<Transfer>(&moved)) return {std::move(*transfer), {}};
        auto& refusal = std::get<Refusal>(moved);
        // The members that it would point to are not this request's.
        refusal.pointer.clear();
        return {{}, std::move(refusal)};
    }

    /// `refunded`: what went back to the sender with it.
    void tell(EventType type, std::optional<Transfer> const& refunded = {}) {
        auto event = make_event(set_, ledger_, type, stream_.id.value, stream_.sender,
                                stream_.recipient, nonce_);
        if (refunded) {
            event.amount = refunded->amount;
            event.transfer = refunded->id;
        }
        set_.add_event(std::move(event));
    }

    Done write() {
        stream_.updated_at = set_.now();
        set_.change_stream(stream_);
        return std::nullopt;
    }

    WorkingSet& set_;
    Ledger const& ledger_;
    Stream stream_;
    std::uint64_t nonce_;
    std::optional<Amount> paid_ = {};
};

}  // namespace

Amount vested(Stream const& stream, Instant at) {
    Sum const part = Sum{stream.total} * elapsed(stream, at).count();
    return static_cast<Amount>(part / milliseconds{stream.duration}.count());
}

Amount withdrawable(Stream const& stream, Instant at) {
    return vested(stream, at) - stream.released;
}

std::vector<StreamAction> next_actions(Stream const& stream, Instant at) {
    std::vector<StreamAction> actions;
    for (auto const action :
         {StreamAction::start, StreamAction::pause, StreamAction::stop, StreamAction::settle,
          StreamAction::withdraw, StreamAction::cancel, StreamAction::remove}) {
        if (effect_of(action, stream) != Effect::change) continue;
        if (action == StreamAction::withdraw && withdrawable(stream, at) == 0) continue;
        actions.push_back(action);
    }
    return actions;
}

std::variant<Amount, Refusal> total_of_rate(Amount amount, std::chrono::seconds interval,
                                            std::chrono::seconds duration) {
    Sum const product = Sum{amount} * duration.count();
    if (product % interval.count() != 0) return Refusal{Rejection::precision, "/rate"};
    Sum const total = product / interval.count();
    if (total > amount_max) return Refusal{Rejection::amount_overflow, "/rate"};
    return static_cast<Amount>(total);
}

std::string escrow_address(StreamId id) { return "@stream:" + id.to_string(); }

void add_keys(CreateStream const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    add_movement_keys(command.ledger, command.draft.sender.address, command.draft.recipient.address,
                      keys);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, CreateStream const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (auto refusal = refuse_ledger(ledger)) return *std::move(refusal);
    Stream stream = command.draft;
    if (stream.sender.address == stream.recipient.address)
        return Refusal{Rejection::self_transfer, "/recipient"};
    auto const* sender = find_payee(set, *ledger, stream.sender.address, envelope.nonce);
    if (!sender) return Refusal{Rejection::account_not_found, "/sender"};
    auto const* recipient = find_payee(set, *ledger, stream.recipient.address, envelope.nonce);
    if (!recipient) return Refusal{Rejection::account_not_found, "/recipient"};
    stream.id = {set.next_id(envelope.nonce)};
    stream.ledger = ledger->id;
    stream.sender.account = sender->id;
    stream.recipient.account = recipient->id;
    stream.updated_at = set.now();
    // Already here, so that no batch ever finds a stream that runs without it.
    set.add_account(make_account(set, ledger->id, escrow_address(stream.id), envelope.nonce));
    set.add_stream(stream);
    return Receipt{Streamed{std::move(stream), set.now()}};
}

/// Only what moves money needs accounts.
void add_keys(ActOnStream const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    auto const& original = command.original;
    if (!original || original->ledger != command.ledger) return;
    keys.streams.insert({command.ledger, original->id});
    auto const add = [&](std::string address) {
        keys.accounts.insert({command.ledger, std::move(address)});
    };
    using enum StreamAction;
    auto const action = command.action;
    bool const pays_sender = action == start || action == settle || action == cancel;
    bool const pays_recipient = action == withdraw || action == cancel;
    if (pays_sender) add(original->sender.address);
    if (pays_recipient) add(original->recipient.address);
    if (pays_sender || pays_recipient) add(escrow_address(original->id));
}

Outcome apply(WorkingSet& set, Envelope const& envelope, ActOnStream const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (auto refusal = refuse_ledger(ledger)) return *std::move(refusal);
    auto const& original = command.original;
    auto const* stream =
        original && original->ledger == ledger->id ? set.find_stream(original->id) : nullptr;
    if (!stream || stream->status == StreamStatus::deleted)
        return Refusal{Rejection::stream_not_found};
    auto const effect = effect_of(command.action, *stream);
    if (effect == Effect::illegal) return refuse_transition(command.action, stream->status);
    Streamed same{*stream, set.now()};
    if (command.action == StreamAction::withdraw) same.paid = 0;
    if (effect == Effect::none) return Receipt{std::move(same)};

    Act act(set, *ledger, *stream, envelope.nonce);
    if (auto refusal = act.run(command.action, command.amount)) return *std::move(refusal);
    if (command.action == StreamAction::remove) return Receipt{Done{}};
    return Receipt{act.result()};
}

}  // namespace penstock::domain
