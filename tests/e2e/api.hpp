// What every end-to-end test says to a server: requests with keys, ledgers and accounts of its own.
#pragma once

#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/support/http_client.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/server_process.hpp"

namespace penstock::tests {

/// Never the same twice, in any run on any server.
inline std::string fresh(std::string const& prefix) {
    static std::atomic<unsigned> count{0};
    return prefix + '-' + std::to_string(::getpid()) + '-' + std::to_string(++count);
}

class Api {
public:
    explicit Api(ServerProcess const& server, std::string secret = {})
        : http_(server.port()), secret_(std::move(secret)) {}

    HttpAnswer get(std::string const& path) {
        return http_.request("GET", path, std::nullopt, headers(""));
    }
    HttpAnswer post(std::string const& path, std::string const& body,
                    std::string const& key = fresh("key")) {
        return http_.request("POST", path, body, headers(key));
    }
    /// `key`: none where it is "".
    HttpAnswer patch(std::string const& path, std::string const& body,
                     std::string const& key = "") {
        return http_.request("PATCH", path, body, headers(key));
    }
    HttpAnswer remove(std::string const& path, std::string const& key = "") {
        return http_.request("DELETE", path, std::nullopt, headers(key));
    }
    HttpClient& http() { return http_; }

    /// The same with a header more.
    Api& with(std::string name, std::string value) {
        more_.emplace_back(std::move(name), std::move(value));
        return *this;
    }

    /// The path of a new ledger. `more`: further members, each after a comma.
    std::string new_ledger(std::string const& more = "") {
        auto const name = fresh("ledger");
        auto const made =
            post("/v1/ledgers",
                 R"({"name":")" + name + R"(","asset":{"code":"EUR","scale":2})" + more + "}");
        BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
        return "/v1/ledgers/" + name;
    }
    void new_account(std::string const& ledger, std::string const& address,
                     std::string const& more = "") {
        auto const made =
            post(ledger + "/accounts", R"({"address":")" + address + '"' + more + "}");
        BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    }

    HttpAnswer deposit(std::string const& ledger, std::string const& account, long amount,
                       std::string const& key = fresh("key")) {
        return post(ledger + "/deposits", one_sided(account, amount), key);
    }
    HttpAnswer withdraw(std::string const& ledger, std::string const& account, long amount,
                        std::string const& key = fresh("key")) {
        return post(ledger + "/withdrawals", one_sided(account, amount), key);
    }
    HttpAnswer transfer(std::string const& ledger, std::string const& from, std::string const& to,
                        long amount, std::string const& key = fresh("key")) {
        return post(ledger + "/transfers", movement(from, to, amount), key);
    }

    json::object account(std::string const& ledger, std::string const& address) {
        auto const answer = get(ledger + "/accounts/" + address);
        BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body);
        return answer.document().as_object();
    }
    long balance(std::string const& ledger, std::string const& address) {
        return account(ledger, address).at("balance").as_int64();
    }
    json::object totals(std::string const& ledger) {
        return get(ledger + "/totals").document().as_object();
    }

    static std::string movement(std::string const& from, std::string const& to, long amount) {
        return R"({"from":")" + from + R"(","to":")" + to + R"(","amount":)" +
               std::to_string(amount) + "}";
    }
    static std::string one_sided(std::string const& account, long amount) {
        return R"({"account":")" + account + R"(","amount":)" + std::to_string(amount) + "}";
    }

private:
    HttpHeaders headers(std::string const& key) const {
        HttpHeaders all{{"Content-Type", "application/json"}};
        if (!key.empty()) all.emplace_back("Idempotency-Key", key);
        if (!secret_.empty()) all.emplace_back("Authorization", "Bearer " + secret_);
        all.insert(all.end(), more_.begin(), more_.end());
        return all;
    }

    HttpClient http_;
    std::string secret_;
    HttpHeaders more_;
};

inline std::string ledger_with_ann(ServerProcess const& server) {
    Api api(server);
    auto ledger = api.new_ledger();
    api.new_account(ledger, "ann");
    return ledger;
}

/// Another session of the database that holds the row of ann's account in that ledger.
class RowLock {
public:
    RowLock(Database const& database, std::string const& ledger) : session_(database.connect()) {
        session_("BEGIN");
        session_(
            "SELECT 1 FROM accounts a JOIN ledgers l ON l.id = a.ledger_id WHERE"
            " '/v1/ledgers/' || l.name = '" +
            ledger + "' AND a.address = 'ann' FOR UPDATE OF a");
    }
    void hold_for_seconds(int seconds) {
        session_("SELECT pg_sleep(" + std::to_string(seconds) + ")");
    }
    void release() { session_("ROLLBACK"); }

private:
    Operator session_;
};

/// Asks until it is so: how a test waits for the server's side of something.
template <class Condition>
void await_that(Condition holds, char const* what) {
    using namespace std::chrono_literals;
    auto const deadline = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < deadline) {
        if (holds()) return;
    }
    BOOST_FAIL(what << " did not come");
}

/// A test of a short span of time, with a longer one whenever a busy machine came too late for it:
/// `attempt(ms)` says whether it was in time.
template <class Attempt>
void in_time(std::int64_t ms, Attempt attempt) {
    for (int tries = 0; tries < 4; ++tries, ms *= 2)
        if (attempt(ms)) return;
    BOOST_FAIL("not even with half of " << ms << " ms");
}

/// The sum of a metric over its labels.
inline double metric(Api& api, std::string const& name) {
    auto const text = '\n' + api.get("/metrics").body;
    double sum = 0;
    for (auto at = text.find('\n' + name); at != std::string::npos;
         at = text.find('\n' + name, at + 1)) {
        auto const end = at + 1 + name.size();
        if (text[end] != '{' && text[end] != ' ') continue;
        auto const value = text[end] == '{' ? text.find("} ", end) + 2 : end + 1;
        sum += std::strtod(text.c_str() + value, nullptr);
    }
    return sum;
}

/// A server is ready before its Redis is; this returns when each of its threads has it.
inline void await_redis(ServerProcess const& server) {
    Api api(server);
    auto const all_up = [&] {
        auto const text = '\n' + api.get("/metrics").body;
        std::string const name = "\npenstock_redis_up{";
        auto at = text.find(name);
        bool up = at != std::string::npos;
        for (; up && at != std::string::npos; at = text.find(name, at + 1))
            up = text.compare(text.find("} ", at) + 2, 2, "1\n") == 0;
        return up;
    };
    await_that(all_up, "Redis");
}

/// Every invariant holds, by full scan.
inline void check_verified(Api& api, std::string const& ledger) {
    auto const answer = api.get(ledger + "/verify");
    BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body);
    auto const document = answer.document();
    BOOST_TEST(document.at("ok").as_bool(), answer.body);
    BOOST_TEST(!document.at("checks").as_array().empty());
}

/// The items of every page of a list, in order; `between` runs after each page.
inline std::vector<json::object> walk(
    Api& api, std::string const& list, std::size_t limit,
    std::function<void()> const& between = [] {}) {
    std::vector<json::object> items;
    auto const first =
        list + (list.find('?') == std::string::npos ? "?" : "&") + "limit=" + std::to_string(limit);
    auto path = first;
    for (int pages = 0; pages < 1000; ++pages) {
        auto const answer = api.get(path);
        BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body);
        auto const page = answer.document();
        BOOST_TEST(page.at("data").as_array().size() <= limit);
        for (auto const& item : page.at("data").as_array()) items.push_back(item.as_object());
        auto const& next = page.at("next_cursor");
        if (next.is_null()) return items;
        BOOST_TEST_REQUIRE(page.at("data").as_array().size() == limit);
        path = first + "&cursor=" + std::string(next.as_string());
        between();
    }
    BOOST_FAIL(list << " does not end");
    return items;
}

/// The answers of `n` calls that start together, each on a thread and a connection of its own.
template <class Call>
std::vector<HttpAnswer> at_once(ServerProcess const& server, std::size_t n, Call call) {
    std::vector<HttpAnswer> answers(n);
    std::latch start(static_cast<std::ptrdiff_t>(n));
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < n; ++i)
        threads.emplace_back([&, i] {
            Api api(server);
            start.arrive_and_wait();
            try {
                answers[i] = call(api, i);
            } catch (ConnectionEnded const& ended) {
                answers[i].body = ended.what();
            }
        });
    threads.clear();
    return answers;
}

inline std::size_t count(std::vector<HttpAnswer> const& answers, unsigned status) {
    return static_cast<std::size_t>(
        std::count_if(answers.begin(), answers.end(),
                      [&](auto const& answer) { return answer.status == status; }));
}

/// One server per store and commit mode, for as long as a suite runs.
struct Servers {
    Servers() { current = this; }
    Servers(Servers&&) = delete;
    ~Servers() { current = nullptr; }

    Database database;
    ServerProcess on_postgres{{"--database-url", url_of(database)}};
    ServerProcess one_by_one{{"--database-url", url_of(database), "--commit-mode", "single"}};
    ServerProcess in_memory{{}};

    static inline Servers* current = nullptr;
};

struct InMemory {
    static ServerProcess& server() { return Servers::current->in_memory; }
};
struct OnPostgres {
    static ServerProcess& server() { return Servers::current->on_postgres; }
};
/// Each command commits alone, over a pool of connections.
struct OneByOne {
    static ServerProcess& server() { return Servers::current->one_by_one; }
};
/// What a test that both stores must pass is run with.
using Stores = std::tuple<InMemory, OnPostgres>;
/// The same, in both commit modes.
using StoresAndModes = std::tuple<InMemory, OnPostgres, OneByOne>;

}  // namespace penstock::tests
