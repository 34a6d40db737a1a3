// The books of a hot ledger in a Redis of the test's own, and a store that accounts are loaded
// from.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cache/hot_words.hpp"
#include "cache/redis_client.hpp"
#include "reactor/deadline.hpp"
#include "tests/cache/support.hpp"
#include "tests/domain/scene.hpp"

namespace penstock::tests {

using namespace penstock::cache;

using Nothing = asio::awaitable<void>;
using How = HotOpened::How;

inline RedisClientOptions hot_client_options(RedisServer const& server) {
    RedisClientOptions options;
    options.address = on_socket(server.socket_path());
    options.patience = milliseconds{20'000};
    return options;
}

inline Ledger ledger_of(AccountPolicy policy) {
    auto ledger = Scene::loaded(policy).ledgers.front();
    ledger.posting = Posting::hot;
    return ledger;
}

inline std::vector<Hold> const no_holds;
inline std::vector<std::string> const both{"alice", "bob"};
inline Ledger const explicit_ledger = ledger_of(AccountPolicy::explicit_);

template <class T>
T sure(cache::Answer<T> const& answer) {
    if (!answer) {
        std::ostringstream text;
        text << answer.error();
        throw std::runtime_error(text.str());
    }
    return *answer;
}

inline std::string word_of(HotAnswer const& answer) {
    if (auto const* refused = std::get_if<HotRefused>(&answer))
        return std::string(name_of(refused->code)) + " " + refused->where;
    if (auto const* posted = std::get_if<HotPosted>(&answer))
        return posted->is_replay ? "again" : "posted";
    if (auto const* cold = std::get_if<HotCold>(&answer))
        return cold->are_holds ? "cold holds" : "cold";
    if (std::holds_alternative<HotAsk>(answer)) return "ask";
    constexpr std::array says{"known", "reused", "nothing", "busy", "unready"};
    return says.at(static_cast<std::size_t>(std::get<HotSays>(answer)));
}

/// A store that holds accounts as they were before anything was posted, and the books in front.
struct Till {
    Till(RedisClient& its_client, HotBooksOptions options)
        : client(its_client), books(client, options) {}

    void add(std::string address, Amount balance = 0, Amount overdraft = 0) {
        HotAccount account;
        account.id = {make_uuid7(day_before, static_cast<std::uint32_t>(rows.size()), 7)};
        account.balance = balance;
        account.overdraft_limit = overdraft;
        rows.emplace(std::move(address), account);
    }

    asio::awaitable<HotOpened> open(std::int64_t epoch = 1, std::int64_t drained = 0,
                                    Instant keys_from = {0}) {
        auto const opened = co_await books.open(ledger.id, epoch, drained, keys_from, patient());
        co_return sure(opened);
    }
    asio::awaitable<HotAnswer> ask(HotPost post) {
        auto const answer = co_await books.post(std::move(post), patient());
        co_return sure(answer);
    }
    asio::awaitable<HotLoaded> load(std::string token, std::vector<std::string> addresses) {
        std::vector<std::pair<std::string, HotAccount>> found;
        for (auto const& address : addresses) found.emplace_back(address, rows.at(address));
        auto const loaded = co_await books.load(ledger.id, std::move(token), noon, std::move(found),
                                                no_holds, patient());
        co_return sure(loaded);
    }
    asio::awaitable<HotLoaded> load_holds(std::string token, std::vector<Hold> holds) {
        std::vector<std::pair<std::string, HotAccount>> const no_accounts;
        auto const loaded = co_await books.load(ledger.id, std::move(token), noon, no_accounts,
                                                std::move(holds), patient());
        co_return sure(loaded);
    }
    /// Loads what is cold and asks again, as a server does.
    asio::awaitable<HotAnswer> settle(HotPost post) {
        bool const opens = ledger.accounts == AccountPolicy::implicit;
        std::set<std::string> payees;
        for (auto const& item : post.items) payees.insert(item.to);
        for (int attempt = 0; attempt < 10; ++attempt) {
            auto copy = post;
            auto answer = co_await ask(std::move(copy));
            auto const* const cold = std::get_if<HotCold>(&answer);
            if (cold == nullptr || cold->are_holds) co_return answer;
            std::vector<std::string> known;
            for (auto const& name : cold->names) {
                if (opens && payees.contains(name) && !rows.contains(name)) add(name);
                (rows.contains(name) ? known : post.nobodys).push_back(name);
            }
            auto const loaded = co_await load(cold->token, std::move(known));
            if (loaded == HotLoaded::unready) co_return HotAnswer(HotSays::unready);
        }
        throw std::runtime_error("cold for ever");
    }
    asio::awaitable<HotAnswer> perform(domain::Command command, std::optional<KeyUse> use = {},
                                       Instant now = noon) {
        auto post = post_of(ledger, envelope(std::move(command), use), now);
        co_return co_await settle(std::move(*post));
    }
    asio::awaitable<std::string> move(std::string from, std::string to, Amount amount,
                                      std::optional<KeyUse> use = {}) {
        auto command =
            Scene::movement(TransferKind::transfer, std::move(from), std::move(to), amount);
        auto const answer = co_await perform(std::move(command), use);
        co_return word_of(answer);
    }
    asio::awaitable<Reply> say(cache::Command command) {
        auto const answer = co_await client.command(std::move(command), patient());
        co_return sure(answer);
    }
    /// Of a Redis that was started again: until the client has met it.
    Nothing meet_again() {
        auto const before = client.metrics().connects.get();
        auto const limit = patient();
        while (client.metrics().connects.get() == before && steady_now() < limit)
            co_await reactor::sleep_until(in(milliseconds{1}));
        bool const up = co_await client.up_before(patient());
        BOOST_REQUIRE_MESSAGE(up, client.complaint());
        BOOST_REQUIRE(client.metrics().connects.get() > before);
    }
    asio::awaitable<HotAccount> account(std::string address) {
        cache::Command ask("HGET", key("books"), address);
        auto const reply = co_await say(std::move(ask));
        auto const found = read_account(reply.text);
        if (!found) throw std::runtime_error("no account " + address + ": " + reply.text);
        co_return *found;
    }
    std::string key(std::string_view part) const {
        return HotKeys(books.options().database).part(ledger.id, part);
    }
    HotPost post(domain::Command command, std::optional<KeyUse> use = {}) {
        return *post_of(ledger, envelope(std::move(command), use), noon);
    }
    Envelope envelope(domain::Command command, std::optional<KeyUse> use) {
        Envelope envelope;
        envelope.key_use = use;
        envelope.request_id = "request-" + std::to_string(++asked);
        envelope.nonce = asked;
        envelope.command = std::move(command);
        return envelope;
    }

    RedisClient& client;
    HotBooks books;
    Ledger ledger = explicit_ledger;
    std::map<std::string, HotAccount> rows;
    std::uint64_t asked = 0;
};

inline void with_till(RedisServer& server, HotBooksOptions options,
                      std::function<Nothing(Till&)> body) {
    with_client(hot_client_options(server), [&](RedisClient& client) -> Nothing {
        Till till(client, options);
        till.add(world_address);
        till.add(platform_address);
        co_await body(till);
    });
}

inline void with_till(std::function<Nothing(Till&)> body) {
    RedisServer server;
    with_till(server, HotBooksOptions(), std::move(body));
}

inline Hold placed(HotAnswer const& answer) {
    BOOST_REQUIRE_MESSAGE(std::holds_alternative<HotPosted>(answer), word_of(answer));
    return std::get<Hold>(std::get<HotPosted>(answer).entry.items.front());
}

inline domain::Command hold_of(Amount amount, std::optional<std::chrono::seconds> expires_in = {}) {
    return PlaceHold{Scene::ledger_id(), "alice", "bob", amount, expires_in};
}

inline domain::Command movement_of(TransferKind kind, std::string from, std::string to,
                                   Amount amount) {
    return Scene::movement(kind, std::move(from), std::move(to), amount);
}

inline domain::Command to_bob(Amount amount) {
    return movement_of(TransferKind::transfer, "alice", "bob", amount);
}

inline domain::Command deposit_to_bob(Amount amount) {
    return movement_of(TransferKind::deposit, world_address, "bob", amount);
}

inline domain::Command bulk_of(std::vector<Amount> amounts, bool atomic) {
    MoveInBulk bulk{Scene::ledger_id(), atomic, {}};
    for (auto const amount : amounts) bulk.items.push_back(Movement{"alice", "bob", amount});
    return bulk;
}

}  // namespace penstock::tests
