#include "cache/edge.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "cache/judgement.hpp"
#include "cache/redis_client.hpp"
#include "cache/scripts.hpp"
#include "domain/assert.hpp"
#include "reactor/deadline.hpp"

namespace penstock::cache {
namespace {

/// No server's lease is longer, so a mark that claims to live longer is nobody's.
constexpr milliseconds lease_max{60'000};

/// Before a key that somebody else is at is looked at again; doubles each time.
constexpr milliseconds join_pause_first{5};

/// What the end of a call says about Redis. One key of a wrong type is one key's trouble; out of
/// memory or in the wrong role is everybody's.
Verdict verdict_on(Answer<Reply> const& answer, bool waited_long_enough) {
    if (answer) return Verdict::success;
    auto const& failure = answer.error();
    if (failure.code == reactor::Errc::deadline_exceeded && !waited_long_enough)
        return Verdict::none;
    bool const of_the_key = failure.text.starts_with("WRONGTYPE");
    return of_the_key ? Verdict::success : Verdict::failure;
}

void append_hex(std::string& out, std::uint8_t byte) {
    constexpr char const* digits = "0123456789abcdef";
    out += digits[byte >> 4];
    out += digits[byte & 0xF];
}

}  // namespace

Edge::Edge(RedisClient* redis, EdgeOptions options, std::uint64_t owner)
    : redis_(redis), options_(options), owner_(owner), breaker_(options.breaker) {
    PENSTOCK_ASSERT(options.lease.count() > 0 && options.lease <= lease_max);
}

Edge::~Edge() { PENSTOCK_ASSERT(flights_.empty()); }

asio::awaitable<Edge::Entry> Edge::enter(domain::OrganizationId organization, domain::KeyUse use,
                                         SteadyTime deadline) {
    auto const join_until = std::min(deadline, steady_now() + options_.join_max);
    for (;;) {
        auto const [place, is_new] = flights_.try_emplace(use.key);
        if (is_new) {
            place->second.fingerprint = use.fingerprint;
            metrics_.in_flight.set(flights_.size());
            std::string key;
            if (redis_ != nullptr) key = redis_key(organization, use.key);
            // The map may grow meanwhile; its elements stay where they are.
            co_return co_await begin(*place, std::move(key), join_until, deadline);
        }
        auto const end = co_await join(place->second, join_until);
        if (!end) {
            metrics_.in_flight_here.add();
            co_return InFlight();
        }
        // Left without an answer the key is free again, for the first of those who waited.
        if (*end) co_return repeat(**end, use.fingerprint, metrics_.replayed_here);
    }
}

/// The first request of this event loop that is at the key.
asio::awaitable<Edge::Entry> Edge::begin(Flights::value_type& place, std::string redis_key,
                                         SteadyTime join_until, SteadyTime deadline) {
    Ticket ticket(*this, place);
    auto& flight = place.second;
    flight.redis_key = std::move(redis_key);
    for (auto pause = join_pause_first;; pause *= 2) {
        auto found = co_await ask(flight, deadline);
        if (std::holds_alternative<Mine>(found)) co_return std::move(ticket);
        flight.concerns_redis = false;
        if (auto* const answer = std::get_if<EdgeAnswer>(&found)) {
            auto entry = repeat(*answer, flight.fingerprint, metrics_.replayed);
            if (!flight.joined.empty())
                tell(flight, std::make_shared<EdgeAnswer const>(std::move(*answer)));
            co_return entry;
        }
        // Another event loop's. It may be a repetition, too, which will be answered soon.
        auto const again_at = steady_now() + pause;
        bool awake = again_at < join_until;
        if (awake) awake = co_await reactor::sleep_until(again_at);
        if (!awake) break;
    }
    metrics_.in_flight_there.add();
    co_return InFlight();
}

/// What Redis knows about the key. One round trip, a second one for another's mark.
asio::awaitable<Edge::Found> Edge::ask(Flight& flight, SteadyTime deadline) {
    auto const pass = admit();
    if (!pass) co_return Mine();
    flight.mark = EdgeMark{owner_, ++flights_begun_};
    flight.renew_at = steady_now() + options_.lease / 3;
    flight.concerns_redis = true;
    auto const reply = co_await set_mark(flight, *pass, deadline);
    if (!reply) {
        count_bypass(reply.error());
        co_return Mine();
    }
    if (reply->is_nil()) {
        metrics_.marked.add();
        co_return Mine();
    }
    auto record = read_edge_record(reply->text);
    if (auto* const answer = std::get_if<EdgeAnswer>(&record)) co_return std::move(*answer);
    auto const* const mark = std::get_if<EdgeMark>(&record);
    if (mark != nullptr && mark->owner == owner_) {
        // Left behind by a request of ours that could not release it: it is ours to use.
        flight.mark = *mark;
        metrics_.marked.add();
        co_return Mine();
    }
    bool alive = false;
    if (mark != nullptr) alive = co_await is_alive(flight.redis_key, deadline);
    if (alive) co_return InFlight();
    metrics_.bypassed_malformed.add();
    co_return Mine();
}

/// What the request at the key comes to; nothing when that does not show in time.
asio::awaitable<std::optional<Edge::End>> Edge::join(Flight& flight, SteadyTime until) {
    if (metrics_.joined.get() >= options_.joined_max || until <= steady_now())
        co_return std::nullopt;
    auto const executor = co_await asio::this_coro::executor;
    auto const joined = std::make_shared<Joined>(executor);
    flight.joined.push_back(joined);
    metrics_.joined.set(metrics_.joined.get() + 1);
    // Also when this coroutine is destroyed while it waits.
    struct Leave {
        reactor::Count& count;
        ~Leave() { count.set(count.get() - 1); }
    } const leave{metrics_.joined};
    auto const end = co_await joined->wait(until);
    if (!end) co_return std::nullopt;
    co_return *end;
}

Edge::Entry Edge::repeat(EdgeAnswer const& answer, domain::Fingerprint const& fingerprint,
                         reactor::Count& counter) {
    if (answer.fingerprint != fingerprint) {
        metrics_.reused.add();
        return Reused();
    }
    counter.add();
    return Replay{answer.status, answer.body};
}

void Edge::tell(Flight& flight, End end) {
    for (auto const& joined : std::exchange(flight.joined, {})) joined->set(end);
}

asio::awaitable<void> Edge::run() {
    for (;;) {
        bool const awake = co_await reactor::sleep_until(steady_now() + options_.lease / 3);
        if (!awake) break;
        post_unsent();
        renew_marks(steady_now());
    }
}

void Edge::Ticket::finish(unsigned status, std::string_view body) {
    PENSTOCK_ASSERT(edge_ != nullptr);
    std::exchange(edge_, nullptr)->finish(*flight_, status, body);
}

// ---- asking ------------------------------------------------------------------------------------

std::optional<Breaker::Pass> Edge::admit() {
    if (redis_ == nullptr) return std::nullopt;
    if (!redis_->up()) {
        metrics_.bypassed_down.add();
        return std::nullopt;
    }
    post_unsent();
    auto const pass = breaker_.admit(steady_now());
    if (!pass) metrics_.bypassed_breaker.add();
    show_breaker();
    return pass;
}

/// Checks and marks in one command: what is there if anything is, else nil and the mark is set.
asio::awaitable<Answer<Reply>> Edge::set_mark(Flight const& flight, Breaker::Pass pass,
                                              SteadyTime deadline) {
    auto const began = steady_now();
    Judgement judgement(breaker_, pass);
    Command set("SET", flight.redis_key, encode(flight.mark), "NX", "GET", "PX",
                options_.lease.count());
    auto answer = co_await redis_->command(std::move(set), deadline, options_.command_max);
    judgement.set(verdict_on(answer, steady_now() < deadline));
    metrics_.wait.record(steady_now() - began);
    co_return answer;
}

/// A mark without an expiry, or with one that no server sets, would block its key for ever.
asio::awaitable<bool> Edge::is_alive(std::string redis_key, SteadyTime deadline) {
    Command left("PTTL", redis_key);
    auto const answer = co_await redis_->command(std::move(left), deadline, options_.command_max);
    bool const known = answer && answer->kind == Reply::Kind::integer;
    co_return known && answer->number > 0 && answer->number <= lease_max.count();
}

void Edge::count_bypass(Failure const& failure) {
    if (failure.code == reactor::Errc::deadline_exceeded) {
        metrics_.bypassed_late.add();
    } else if (failure.code == Errc::refused_by_redis) {
        metrics_.bypassed_refused.add();
    } else {
        metrics_.bypassed_down.add();
    }
}

std::string Edge::redis_key(domain::OrganizationId const& organization,
                            domain::IdempotencyKey const& key) const {
    std::string text("ps:idem:");
    text.reserve(80);
    text += organization.to_string();
    text += ':';
    for (std::size_t i = 0; i < key.value.bytes.size(); ++i)
        append_hex(text, key.value.bytes[i] ^ options_.database.bytes[i]);
    return text;
}

// ---- telling -----------------------------------------------------------------------------------

void Edge::finish(Flights::value_type& flight, unsigned status, std::string_view body) {
    auto& [key, state] = flight;
    if (!state.joined.empty()) {
        EdgeAnswer answer{state.fingerprint, status, std::string(body)};
        tell(state, std::make_shared<EdgeAnswer const>(std::move(answer)));
    }
    if (body.size() > options_.body_bytes_max) {
        metrics_.answers_too_large.add();
        release(flight);
        return;
    }
    if (state.concerns_redis) {
        // Whatever is there now, another's mark included: this is what was committed.
        post(Command("SET", state.redis_key, encode_answer(state.fingerprint, status, body), "PX",
                     options_.answer_kept.count()));
        metrics_.answers_stored.add();
    }
    state.concerns_redis = false;
    release(flight);
}

void Edge::release(Flights::value_type& flight) {
    auto& [key, state] = flight;
    if (state.concerns_redis) {
        // By its text: nobody waits who could answer a NOSCRIPT.
        post(Command("EVAL", scripts::compare_and_delete.text(), 1, state.redis_key,
                     encode(state.mark)));
        metrics_.released.add();
    }
    tell(state, nullptr);
    flights_.erase(domain::IdempotencyKey(key));
    metrics_.in_flight.set(flights_.size());
}

void Edge::renew_marks(SteadyTime now) {
    for (auto& [key, flight] : flights_) {
        if (!flight.concerns_redis || now < flight.renew_at) continue;
        flight.renew_at = now + options_.lease / 3;
        Command renewal("EVAL", scripts::mark_again.text(), 1, flight.redis_key,
                        encode(flight.mark), options_.lease.count());
        // Not kept when it cannot be sent: the next one says the same.
        if (redis_->post(renewal)) metrics_.renewed.add();
    }
}

void Edge::post(Command command) {
    if (redis_->post(command)) return;
    if (unsent_.size() >= options_.unsent_max) {
        unsent_.pop_front();
        metrics_.unsent_dropped.add();
    }
    // A mark that it would remove is gone by then.
    unsent_.push_back({std::move(command), steady_now() + options_.lease});
}

void Edge::post_unsent() {
    auto const now = steady_now();
    while (!unsent_.empty()) {
        auto const& [command, until] = unsent_.front();
        if (until <= now) {
            metrics_.unsent_dropped.add();
        } else if (!redis_->post(command)) {
            return;
        }
        unsent_.pop_front();
    }
}

void Edge::show_breaker() {
    metrics_.breaker_state.set(static_cast<std::uint64_t>(breaker_.state()));
    metrics_.breaker_openings.set(breaker_.openings());
}

}  // namespace penstock::cache
