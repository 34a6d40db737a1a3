// The scripts of cache/scripts/gate_*.lua, with their words and replies.
#include "cache/gate.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <utility>

#include "cache/hex.hpp"
#include "cache/judgement.hpp"
#include "cache/redis_client.hpp"
#include "cache/scripts.hpp"
#include "domain/assert.hpp"

namespace penstock::cache {
namespace {

struct NamedAnswer {
    std::string_view name;
    GateAnswer answer;
};
constexpr std::array named_answers{
    NamedAnswer{"admitted", GateAnswer::admitted},
    NamedAnswer{"again", GateAnswer::again},
    NamedAnswer{"known", GateAnswer::known},
    NamedAnswer{"building", GateAnswer::building},
    NamedAnswer{"missing", GateAnswer::missing},
    NamedAnswer{"sale_ended", GateAnswer::sale_ended},
    NamedAnswer{"sale_not_started", GateAnswer::sale_not_started},
    NamedAnswer{"sold_out", GateAnswer::sold_out},
    NamedAnswer{"purchase_limit_reached", GateAnswer::purchase_limit_reached},
};

std::string_view name_of(GateNote::Kind kind) {
    switch (kind) {
        case GateNote::Kind::confirm:
            return "confirm";
        case GateNote::Kind::cancel:
            return "cancel";
        case GateNote::Kind::release:
            return "release";
        case GateNote::Kind::expire:
            return "expire";
        case GateNote::Kind::doubt:
            break;
    }
    return "doubt";
}

std::optional<domain::IdempotencyKey> key_of(std::string_view hex) {
    domain::IdempotencyKey key;
    if (!read_hex(hex, key.value.bytes)) return std::nullopt;
    return key;
}

std::string text_of(std::optional<domain::Instant> const& at) {
    return at ? std::to_string(at->ms) : std::string();
}

bool is_integer(Reply const& reply) { return reply.kind == Reply::Kind::integer; }
bool is_string(Reply const& reply) { return reply.kind == Reply::Kind::string; }

/// What is no answer of our scripts: somebody else's bytes, or another version's.
Failure garbage() { return {Errc::refused_by_redis, "unexpected reply of a gate script"}; }

Answer<GateJudgement> judgement_of(Reply const& reply) {
    auto const& parts = reply.elements;
    if (parts.empty() || !is_string(parts[0])) return garbage();
    auto const* const named =
        std::ranges::find(named_answers, std::string_view(parts[0].text), &NamedAnswer::name);
    if (named == named_answers.end()) return garbage();
    GateJudgement judgement;
    judgement.answer = named->answer;
    if (judgement.answer == GateAnswer::missing) return judgement;
    if (parts.size() != 5 || !std::all_of(parts.begin() + 1, parts.begin() + 4, is_integer) ||
        !is_string(parts[4]))
        return garbage();
    judgement.remaining = parts[1].number;
    judgement.reserved = parts[2].number;
    judgement.changes = parts[3].number;
    judgement.generation = parts[4].text;
    return judgement;
}

Answer<std::optional<GateView>> view_of(Reply const& reply) {
    constexpr std::size_t numbers_from = 2;
    constexpr std::size_t keys_from = 7;
    auto const& parts = reply.elements;
    std::optional<GateView> view;
    if (reply.kind == Reply::Kind::array && parts.empty()) return view;
    if (parts.size() < keys_from) return garbage();
    bool const numbers =
        std::all_of(parts.begin() + numbers_from, parts.begin() + keys_from, is_integer);
    if (!is_string(parts[0]) || !is_string(parts[1]) || !numbers) return garbage();
    view.emplace();
    view->ready = parts[0].text == "ready";
    view->generation = parts[1].text;
    view->stock = parts[2].number;
    view->version = parts[3].number;
    view->taken = parts[4].number;
    view->reserved = parts[5].number;
    view->changes = parts[6].number;
    for (std::size_t i = keys_from; i < parts.size(); ++i)
        if (auto const key = key_of(parts[i].text)) view->reservations.push_back(*key);
    return view;
}

Answer<GateTold> told_of(Reply const& reply) {
    if (reply.text == "recorded") return GateTold::recorded;
    if (reply.text == "missing") return GateTold::missing;
    if (reply.text == "taken_over") return GateTold::taken_over;
    return garbage();
}

Answer<GateBegun> begun_of(Reply const& reply) {
    auto const& parts = reply.elements;
    if (parts.size() != 2 || !is_string(parts[0]) || !is_string(parts[1])) return garbage();
    GateBegun begun;
    begun.generation = parts[1].text;
    begun.state = GateBegun::State::ready;
    if (parts[0].text == "begun") begun.state = GateBegun::State::begun;
    if (parts[0].text == "building") begun.state = GateBegun::State::building;
    return begun;
}

/// Whether the call says that Redis is of no use: a caller who left early says nothing.
Verdict verdict_on(Answer<Reply> const& answer, bool waited_long_enough) {
    if (answer) return Verdict::success;
    bool const late = answer.error().code == reactor::Errc::deadline_exceeded;
    return late && !waited_long_enough ? Verdict::none : Verdict::failure;
}

/// Names and values in turn, without the nameless one that marks the gate as whole.
void add_keys(Gate::Keys& keys, std::vector<Reply> const& fields) {
    for (std::size_t i = 0; i < fields.size(); i += 2)
        if (auto const key = key_of(fields[i].text)) keys.insert(*key);
}

bool is_scan(Reply const& reply) {
    return reply.elements.size() == 2 && is_string(reply.elements[0]) &&
           reply.elements[1].kind == Reply::Kind::array;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, GateAnswer answer) {
    return out << std::ranges::find(named_answers, answer, &NamedAnswer::answer)->name;
}

Gate::Gate(RedisClient& redis, GateOptions options)
    : redis_(redis), options_(options), breaker_(options.breaker) {
    PENSTOCK_ASSERT(options.lease.count() > 0 && options.build_lease.count() > 0);
}

asio::awaitable<Answer<GateJudgement>> Gate::admit(domain::ProductId sale, Attempt attempt,
                                                   SteadyTime deadline) {
    PENSTOCK_ASSERT(!attempt.user.empty());
    PENSTOCK_ASSERT(attempt.quantity > 0 && attempt.quantity <= gate_units_max);
    auto const began = steady_now();
    auto const pass = breaker_.admit(began);
    show_breaker();
    if (!pass || !redis_.up()) {
        if (pass) breaker_.judge(*pass, Verdict::none, began);
        co_return failure_of(Errc::unavailable);
    }
    std::vector<std::string> arguments;
    arguments.push_back(hex_of(attempt.key.value.bytes));
    arguments.push_back(std::move(attempt.user));
    arguments.push_back(std::to_string(attempt.quantity));
    arguments.push_back(std::to_string(attempt.at.ms));
    arguments.push_back(std::to_string(options_.lease.count()));
    auto const until = std::min(deadline, began + options_.command_max);
    auto names = keys(sale);
    Judgement judgement(breaker_, *pass);
    auto const answer =
        co_await redis_.eval(scripts::gate_admit, std::move(names), std::move(arguments), until);
    judgement.set(verdict_on(answer, until < deadline));
    metrics_.wait.record(steady_now() - began);
    if (!answer) co_return answer.error();
    co_return judgement_of(*answer);
}

asio::awaitable<Answer<GateTold>> Gate::record(domain::ProductId sale, std::vector<GateNote> notes,
                                               domain::Instant now, std::string generation,
                                               SteadyTime deadline) {
    auto const lease = generation.empty() ? options_.lease : options_.build_lease;
    std::vector<std::string> arguments;
    arguments.reserve(3 + 4 * notes.size());
    arguments.push_back(std::move(generation));
    arguments.push_back(std::to_string(now.ms));
    arguments.push_back(std::to_string(lease.count()));
    for (auto& note : notes) {
        arguments.emplace_back(name_of(note.kind));
        arguments.push_back(hex_of(note.key.value.bytes));
        arguments.push_back(std::move(note.user));
        arguments.push_back(std::to_string(note.quantity));
    }
    auto names = keys(sale);
    auto const answer = co_await redis_.eval(scripts::gate_record, std::move(names),
                                             std::move(arguments), deadline);
    if (!answer) co_return answer.error();
    co_return told_of(*answer);
}

asio::awaitable<Answer<Reply>> Gate::restock(domain::ProductId sale, std::int64_t stock,
                                             std::int64_t version, SteadyTime deadline) {
    PENSTOCK_ASSERT(stock >= 0 && stock <= gate_units_max);
    std::vector<std::string> names;
    names.push_back(key(sale, "gate"));
    std::vector<std::string> arguments;
    arguments.push_back(std::to_string(stock));
    arguments.push_back(std::to_string(version));
    co_return co_await redis_.eval(scripts::gate_restock, std::move(names), std::move(arguments),
                                   deadline);
}

asio::awaitable<Answer<std::optional<GateView>>> Gate::look(
    domain::ProductId sale, std::optional<domain::Instant> leases_end_by, std::size_t limit,
    SteadyTime deadline) {
    std::vector<std::string> arguments;
    // The nameless one stands at infinity.
    arguments.push_back(leases_end_by ? text_of(leases_end_by) : "(+inf");
    arguments.push_back(std::to_string(limit));
    auto names = keys(sale);
    auto const answer =
        co_await redis_.eval(scripts::gate_look, std::move(names), std::move(arguments), deadline);
    if (!answer) co_return answer.error();
    co_return view_of(*answer);
}

asio::awaitable<Answer<std::optional<Gate::Keys>>> Gate::known_keys(domain::ProductId sale,
                                                                    GateJudgement seen,
                                                                    std::size_t limit,
                                                                    SteadyTime deadline) {
    constexpr int fields_at_once = 1'000;
    auto const name = key(sale, "orders");
    std::optional<Keys> keys;
    keys.emplace();
    std::string cursor = "0";
    do {
        Command scan("HSCAN", name, cursor, "COUNT", fields_at_once);
        auto const part = co_await redis_.command(std::move(scan), deadline);
        if (!part) co_return part.error();
        if (!is_scan(*part)) co_return garbage();
        add_keys(*keys, part->elements[1].elements);
        cursor = part->elements[0].text;
        if (keys->size() > limit) co_return std::nullopt;
    } while (cursor != "0");
    auto const view = co_await look(sale, std::nullopt, 0, deadline);
    if (!view) co_return view.error();
    bool const same =
        *view && (*view)->generation == seen.generation && (*view)->changes == seen.changes;
    if (!same) keys.reset();
    co_return std::move(keys);
}

asio::awaitable<Answer<GateBegun>> Gate::begin(domain::ProductId sale, GateRules rules,
                                               std::string seen, SteadyTime deadline) {
    std::vector<std::string> arguments;
    arguments.push_back(std::move(seen));
    arguments.push_back(std::to_string(options_.build_lease.count()));
    arguments.push_back(std::to_string(rules.starts_at.ms));
    arguments.push_back(text_of(rules.ends_at));
    arguments.push_back(std::to_string(std::min(rules.limit, gate_units_max)));
    auto names = keys(sale);
    auto const answer =
        co_await redis_.eval(scripts::gate_begin, std::move(names), std::move(arguments), deadline);
    if (!answer) co_return answer.error();
    co_return begun_of(*answer);
}

asio::awaitable<Answer<GateTold>> Gate::finish(domain::ProductId sale, std::string generation,
                                               std::int64_t stock, std::int64_t version,
                                               std::optional<domain::Instant> goes_at,
                                               SteadyTime deadline) {
    PENSTOCK_ASSERT(stock >= 0 && stock <= gate_units_max);
    std::vector<std::string> arguments;
    arguments.push_back(std::move(generation));
    arguments.push_back(std::to_string(stock));
    arguments.push_back(std::to_string(version));
    arguments.push_back(text_of(goes_at));
    auto names = keys(sale);
    auto const answer = co_await redis_.eval(scripts::gate_finish, std::move(names),
                                             std::move(arguments), deadline);
    if (!answer) co_return answer.error();
    if (!is_integer(*answer)) co_return garbage();
    co_return answer->number == 1 ? GateTold::recorded : GateTold::taken_over;
}

std::string Gate::key(domain::ProductId const& sale, std::string_view part) const {
    std::string text("ps:{");
    text.reserve(96);
    text += options_.database.to_string();
    text += ':';
    text += sale.to_string();
    text += "}:";
    text += part;
    return text;
}

std::vector<std::string> Gate::keys(domain::ProductId const& sale) const {
    std::vector<std::string> all;
    all.reserve(4);
    for (auto const* part : {"gate", "orders", "users", "leases"}) all.push_back(key(sale, part));
    return all;
}

void Gate::show_breaker() {
    metrics_.breaker_state.set(static_cast<std::uint64_t>(breaker_.state()));
    metrics_.breaker_openings.set(breaker_.openings());
}

}  // namespace penstock::cache
