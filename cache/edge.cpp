#include "cache/edge.hpp"

#include <algorithm>

#include "cache/judgement.hpp"
#include "cache/redis_client.hpp"
#include "cache/scripts.hpp"
#include "domain/assert.hpp"
#include "reactor/deadline.hpp"

namespace penstock::cache {
namespace {

/// No server's lease is longer, so a mark that claims to live longer is nobody's.
constexpr milliseconds lease_max{60'000};

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
    auto const [place, is_new] = flights_.try_emplace(use.key);
    if (!is_new) {
        metrics_.in_flight_here.add();
        co_return InFlight();
    }
    metrics_.in_flight.set(flights_.size());
    Ticket ticket(*this, *place);
    // The map may grow meanwhile; its elements stay where they are.
    auto& flight = place->second;
    flight.fingerprint = use.fingerprint;
    auto const pass = admit();
    if (!pass) co_return std::move(ticket);

    flight.redis_key = redis_key(organization, use.key);
    flight.mark = EdgeMark{owner_, ++flights_begun_};
    flight.renew_at = steady_now() + options_.lease / 3;
    flight.concerns_redis = true;
    auto const reply = co_await set_mark(flight, *pass, deadline);
    if (!reply) {
        count_bypass(reply.error());
        co_return std::move(ticket);
    }
    if (reply->is_nil()) {
        metrics_.marked.add();
        co_return std::move(ticket);
    }
    auto record = read_edge_record(reply->text);
    if (auto* const answer = std::get_if<EdgeAnswer>(&record)) {
        flight.concerns_redis = false;
        if (answer->fingerprint != use.fingerprint) {
            metrics_.reused.add();
            co_return Reused();
        }
        metrics_.replayed.add();
        Replay replay;
        replay.status = answer->status;
        replay.body = std::move(answer->body);
        co_return replay;
    }
    auto const* const mark = std::get_if<EdgeMark>(&record);
    if (mark != nullptr && mark->owner == owner_) {
        // Left behind by a request of ours that could not release it: it is ours to use.
        flight.mark = *mark;
        metrics_.marked.add();
        co_return std::move(ticket);
    }
    bool alive = false;
    if (mark != nullptr) alive = co_await is_alive(flight.redis_key, deadline);
    if (alive) {
        flight.concerns_redis = false;
        metrics_.in_flight_there.add();
        co_return InFlight();
    }
    metrics_.bypassed_malformed.add();
    co_return std::move(ticket);
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
    auto const until = std::min(deadline, began + options_.command_max);
    Judgement judgement(breaker_, pass);
    Command set("SET", flight.redis_key, encode(flight.mark), "NX", "GET", "PX",
                options_.lease.count());
    auto answer = co_await redis_->command(std::move(set), until);
    judgement.set(verdict_on(answer, until < deadline));
    metrics_.wait.record(steady_now() - began);
    co_return answer;
}

/// A mark without an expiry, or with one that no server sets, would block its key for ever.
asio::awaitable<bool> Edge::is_alive(std::string redis_key, SteadyTime deadline) {
    auto const until = std::min(deadline, steady_now() + options_.command_max);
    Command left("PTTL", redis_key);
    auto const answer = co_await redis_->command(std::move(left), until);
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
    auto const& [key, state] = flight;
    if (state.concerns_redis) {
        // By its text: nobody waits who could answer a NOSCRIPT.
        post(Command("EVAL", scripts::compare_and_delete.text(), 1, state.redis_key,
                     encode(state.mark)));
        metrics_.released.add();
    }
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
