// What clients asked for and what they were told, under whatever faults; and do the books agree?
#pragma once

#include <algorithm>
#include <condition_variable>
#include <latch>
#include <map>
#include <mutex>
#include <optional>

#include "tests/e2e/api.hpp"

namespace penstock::tests {

/// For an answer in spite of a fault: a replica is promoted, a server replays its log.
inline constexpr std::chrono::seconds fault_max{60};

/// A request with its key, and what was answered; no status: nothing yet.
struct Sent {
    std::string path;
    std::string body;
    unsigned status = 0;
    std::string answer = {};

    bool is_acknowledged() const { return status != 0; }
    bool is_of(std::string const& what) const { return path.ends_with('/' + what); }
};

/// What the clients know.
class Log {
public:
    void sent(std::string const& key, std::string const& path, std::string const& body) {
        std::lock_guard const lock(mutex_);
        requests_.emplace(key, Sent{path, body});
    }
    void acknowledged(std::string const& key, HttpAnswer const& answer) {
        std::lock_guard const lock(mutex_);
        auto& request = requests_.at(key);
        request.status = answer.status;
        request.answer = answer.body;
        ++acknowledged_;
        changed_.notify_all();
    }
    void unexpected(std::string const& what) {
        std::lock_guard const lock(mutex_);
        unexpected_.push_back(what);
    }
    /// Waits until `n` more were acknowledged; false: that took too long.
    bool await_more(std::size_t n) {
        std::unique_lock lock(mutex_);
        auto const wanted = acknowledged_ + n;
        return changed_.wait_for(lock, fault_max, [&] { return acknowledged_ >= wanted; });
    }
    /// By key.
    std::map<std::string, Sent> const& requests() const { return requests_; }
    std::vector<std::string> const& unexpected() const { return unexpected_; }
    std::int64_t count(std::string const& what) const {
        return std::ranges::count_if(requests_,
                                     [&](auto const& one) { return one.second.is_of(what); });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Sent> requests_;
    std::vector<std::string> unexpected_;
    std::size_t acknowledged_ = 0;
};

enum class OnFault { give_up, try_again };

/// Servers of one database: each does what another one would.
using Fleet = std::vector<ServerProcess const*>;

/// One connection. It is through when it gave up, lost the server or was told that it goes. Who
/// tries again asks the next server.
class Client {
public:
    Client(Fleet fleet, std::size_t first, std::string ledger, Log& log, OnFault on_fault)
        : fleet_(std::move(fleet)),
          at_(first),
          ledger_(std::move(ledger)),
          log_(log),
          on_fault_(on_fault) {
        connect();
    }

    bool is_through() const { return is_through_; }
    /// How often it has come to this before.
    int turn() { return turn_++; }

    /// The id of what was made or changed; empty: no answer.
    std::string send(std::string const& what, std::string const& body) {
        auto const key = fresh("key");
        auto const path = ledger_ + '/' + what;
        if (is_through_) return {};
        log_.sent(key, path, body);
        auto const answer = answer_of(path, body, key);
        is_through_ = is_through_ || !answer;
        if (!answer) return {};
        log_.acknowledged(key, *answer);
        bool const farewell = answer->header("connection") == "close";
        if (farewell && on_fault_ == OnFault::give_up) is_through_ = true;
        return std::string(answer->document().as_object().at("id").as_string());
    }

private:
    std::optional<HttpAnswer> answer_of(std::string const& path, std::string const& body,
                                        std::string const& key) {
        auto const give_up_at = std::chrono::steady_clock::now() + fault_max;
        while (std::chrono::steady_clock::now() < give_up_at) {
            try {
                auto const answer = api_->post(path, body, key);
                if (answer.status / 100 == 2) return answer;
                bool const passing = answer.status == 503 || answer.status == 504 ||
                                     answer.code() == "idempotency_in_flight";
                if (!passing) log_.unexpected(answer.body);
                if (!passing) return {};
            } catch (ConnectionEnded const& ended) {
                if (on_fault_ == OnFault::give_up) {
                    if (ended.error_number != 0) log_.unexpected(ended.what());
                    return {};
                }
                ++at_;
                connect();
            }
        }
        log_.unexpected("no answer in time");
        return {};
    }

    void connect() { api_.emplace(*fleet_[at_ % fleet_.size()]); }

    Fleet fleet_;
    std::size_t at_;
    std::optional<Api> api_;
    std::string ledger_;
    Log& log_;
    OnFault on_fault_;
    bool is_through_ = false;
    int turn_ = 0;
};

inline void deposit(Client& client) { client.send("deposits", Api::one_sided("ann", 1)); }

inline constexpr std::int64_t price = 3;
inline constexpr std::int64_t reserved = 2;

/// A purchase, every other one taken back; a hold that is captured, voided or left open.
inline void trade(Client& client) {
    auto const turn = client.turn();
    auto const bought = client.send("purchases", R"({"buyer":"ann","author":"bob","price":3})");
    if (bought.empty()) return;
    if (turn % 2 == 0) client.send("purchases/" + bought + "/refund", "{}");
    auto const held = client.send("holds", R"({"from":"ann","to":"bob","amount":2})");
    if (held.empty()) return;
    if (turn % 3 == 0) client.send("holds/" + held + "/capture", "{}");
    if (turn % 3 == 1) client.send("holds/" + held + "/void", "{}");
}

/// Clients that do the same again and again until they are stopped or are through.
class Load {
public:
    /// Returns when each of them has had an answer.
    Load(Fleet const& fleet, std::string const& ledger, Log& log, OnFault on_fault,
         void (*deed)(Client&) = deposit) {
        for (std::size_t i = 0; i < clients; ++i)
            threads_.emplace_back([=, this, &log](std::stop_token stop) {
                Client client(fleet, i, ledger, log, on_fault);
                deed(client);
                connected_.count_down();
                while (!client.is_through() && !stop.stop_requested()) deed(client);
            });
        connected_.wait();
    }
    Load(ServerProcess const& server, std::string const& ledger, Log& log, OnFault on_fault,
         void (*deed)(Client&) = deposit)
        : Load(Fleet{&server}, ledger, log, on_fault, deed) {}
    void stop() {
        for (auto& thread : threads_) thread.request_stop();
        threads_.clear();
    }

private:
    static constexpr std::size_t clients = 6;
    std::latch connected_{clients};
    std::vector<std::jthread> threads_;
};

/// Sends every key again: one that was acknowledged replays, one without an answer replays or
/// applies. Each is there once, then.
inline void send_all_again(Api& api, Log const& log) {
    std::size_t wrong = 0;
    for (auto const& [key, request] : log.requests()) {
        auto const answer = api.post(request.path, request.body, key);
        bool const replayed = answer.header("idempotent-replayed") == "true";
        bool const same =
            replayed && answer.status == request.status && answer.body == request.answer;
        wrong += !(request.is_acknowledged() ? same : answer.status / 100 == 2);
    }
    BOOST_TEST(wrong == 0U);
}

inline void check_books(ServerProcess const& server, std::string const& ledger, Log const& log) {
    Api api(server);
    auto const keys = static_cast<std::int64_t>(log.requests().size());
    std::int64_t acknowledged = 0;
    for (auto const& [key, request] : log.requests()) acknowledged += request.is_acknowledged();
    auto const there = api.balance(ledger, "ann");
    BOOST_TEST(there >= acknowledged);
    BOOST_TEST(there <= keys);
    send_all_again(api, log);
    BOOST_TEST(api.balance(ledger, "ann") == keys);
    BOOST_TEST(api.account(ledger, "ann").at("version").as_int64() == keys);
    BOOST_TEST(api.totals(ledger).at("deposit").at("count").as_int64() == keys);
    check_verified(api, ledger);
}

/// The running totals and what is held, against what the clients asked for.
inline void check_trade(ServerProcess const& server, std::string const& ledger, Log const& log) {
    Api api(server);
    check_verified(api, ledger);
    send_all_again(api, log);
    auto const totals = api.totals(ledger);
    auto const total = [&](char const* kind, char const* what) {
        return totals.at(kind).at(what).as_int64();
    };
    auto const captures = log.count("capture");
    BOOST_TEST(total("purchase", "count") == log.count("purchases"));
    BOOST_TEST(total("purchase", "amount") == price * log.count("purchases"));
    BOOST_TEST(total("refund", "amount") == price * log.count("refund"));
    BOOST_TEST(total("capture", "count") == captures);
    BOOST_TEST(total("capture", "amount") == reserved * captures);
    auto const open = log.count("holds") - captures - log.count("void");
    BOOST_TEST(api.account(ledger, "ann").at("held").as_int64() == reserved * open);
    check_verified(api, ledger);
}

inline std::string ledger_with_traders(ServerProcess const& server) {
    auto ledger = ledger_with_ann(server);
    Api api(server);
    api.new_account(ledger, "bob");
    BOOST_TEST_REQUIRE(api.deposit(ledger, "ann", 1'000'000).status == 201U);
    return ledger;
}

/// Acknowledged requests before something is done to them.
inline constexpr std::size_t before_fault = 60;

/// Everybody has had an answer in the end, and none that the API does not know.
inline void check_expected(Log const& log) {
    BOOST_TEST(log.unexpected() == std::vector<std::string>(), boost::test_tools::per_element());
}

}  // namespace penstock::tests
