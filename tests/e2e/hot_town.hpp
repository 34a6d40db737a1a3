// What end-to-end tests of hot ledgers stand on: servers that share a database and a Redis, clients
// that know what they were told, and somebody who looks at PostgreSQL all the while.
#pragma once

#include <memory>
#include <mutex>
#include <random>
#include <set>

#include "tests/e2e/api.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/redis_talk.hpp"

namespace penstock::tests {

/// So that a Redis which is killed has every write that it answered.
inline std::vector<std::string> keeping_everything() {
    return {"--appendonly", "yes", "--appendfsync", "always"};
}

/// Of servers that notice soon what others do within seconds. `delay_ms`: how long a balance may
/// differ before it is claimed.
inline std::vector<std::string> hot_options(std::string const& database, RedisServer const& redis,
                                            std::vector<std::string> const& more = {},
                                            std::string const& delay_ms = "20") {
    std::vector<std::string> all{
        "--database-url", database, "--redis-url",         "unix://" + redis.socket_path(),
        "--hot-idle-ms",  "500",    "--hot-sync-delay-ms", delay_ms,
        "--hot-lease-ms", "2000",   "--hot-look-ms",       "50"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

struct HotTown {
    explicit HotTown(std::vector<std::string> redis_options = {})
        : redis(std::move(redis_options)) {}
    std::vector<std::string> options(std::vector<std::string> const& more = {}) const {
        return hot_options(url_of(database), redis, more);
    }
    /// What PostgreSQL says.
    std::string sql(std::string const& statement) const { return database.connect()(statement); }

    Database database;
    RedisServer redis;
};

inline std::string new_hot_ledger(Api& api, std::string const& more = "") {
    return api.new_ledger(R"(,"posting":"hot")" + more);
}

/// Her balance and its version, as PostgreSQL has them.
inline std::string row_of_ann(HotTown const& town) {
    return town.sql("SELECT balance || ' ' || version FROM accounts WHERE address = 'ann'");
}

inline std::string name_of(std::string const& ledger_path) {
    return ledger_path.substr(ledger_path.rfind('/') + 1);
}

inline json::object sync_of(Api& api, std::string const& ledger) {
    auto const answer = api.get(ledger + "/sync");
    return answer.status == 200 ? answer.document().as_object() : json::object{};
}

/// Everything that was acknowledged is in PostgreSQL, and nobody holds anything any more.
inline bool is_home(Api& api, std::string const& ledger) {
    auto const status = sync_of(api, ledger);
    if (status.empty()) return false;
    return status.at("journal_lag") == 0 && status.at("schedule_depth") == 0 &&
           status.at("claimed") == 0;
}

inline void await_home(Api& api, std::string const& ledger) {
    using namespace std::chrono_literals;
    auto const deadline = std::chrono::steady_clock::now() + 60s;
    while (std::chrono::steady_clock::now() < deadline)
        if (is_home(api, ledger)) return;
    BOOST_FAIL(ledger << " does not come home: " << json::serialize(sync_of(api, ledger)));
}

/// A deposit that is done in the end: servers that have just come, or have lost Redis, say 503.
inline HttpAnswer insist(Api& api, std::string const& ledger, std::string const& account,
                         long amount, std::string const& key = fresh("key")) {
    HttpAnswer answer;
    await_that(
        [&] {
            answer = api.deposit(ledger, account, amount, key);
            return answer.status != 503 && answer.status != 504 &&
                   answer.code() != "idempotency_in_flight";
        },
        "an answer to a deposit");
    BOOST_TEST_REQUIRE(answer.status == 201U, answer.body);
    return answer;
}

/// Somebody else's transaction that lets no journal be brought home.
class JournalLock {
public:
    explicit JournalLock(Operator session) : session_(std::move(session)) {
        session_("BEGIN");
        session_("SELECT 1 FROM hot_ledgers FOR UPDATE");
    }
    void release() { session_("ROLLBACK"); }

private:
    Operator session_;
};

/// In how many ways PostgreSQL's accounts contradict its transfers, in one look: a balance that is
/// not the one after the account's transfer of that version, a version that no transfer has, a
/// transfer between that is missing.
inline std::string contradictions(std::string const& ledger) {
    return R"(
WITH legs AS (
    SELECT t.from_account AS account, t.from_version AS version, t.from_balance AS balance
    FROM transfers t JOIN ledgers l ON l.id = t.ledger_id WHERE l.name = ')" +
           name_of(ledger) + R"('
    UNION ALL
    SELECT t.to_account, t.to_version, t.to_balance
    FROM transfers t JOIN ledgers l ON l.id = t.ledger_id WHERE l.name = ')" +
           name_of(ledger) + R"('),
known AS (
    SELECT account, count(*) AS legs, count(DISTINCT version) AS versions, max(version) AS last
    FROM legs GROUP BY account)
SELECT count(*)
FROM accounts a JOIN ledgers l ON l.id = a.ledger_id
LEFT JOIN legs ON legs.account = a.id AND legs.version = a.version
LEFT JOIN known ON known.account = a.id
WHERE l.name = ')" +
           name_of(ledger) + R"(' AND (
    (a.version > 0 AND legs.balance IS DISTINCT FROM a.balance)
    OR (a.version = 0 AND a.balance <> 0)
    OR known.legs <> known.versions OR known.versions <> known.last))";
}

/// Looks at PostgreSQL while the load goes on.
class Eye {
public:
    Eye(Operator session, std::string const& ledger)
        : session_(std::move(session)),
          ledger_(name_of(ledger)),
          statement_(contradictions(ledger)) {}

    void look() {
        BOOST_TEST_REQUIRE(session_(statement_) == "0");
        auto const versions =
            std::stol(session_("SELECT sum(a.version)::int8 FROM accounts a JOIN ledgers l"
                               " ON l.id = a.ledger_id WHERE l.name = '" +
                               ledger_ + "'"));
        BOOST_TEST_REQUIRE(versions >= versions_);
        versions_ = versions;
    }
    /// Until it is so.
    template <class Condition>
    void look_until(Condition holds, char const* what) {
        auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        do {
            look();
            if (holds()) return;
        } while (std::chrono::steady_clock::now() < deadline);
        BOOST_FAIL(what << " did not come");
    }

private:
    Operator session_;
    std::string ledger_;
    std::string statement_;
    long versions_ = 0;
};

/// A request under one key, what it moves, and what was answered; no status: nothing yet.
struct HotRequest {
    struct Move {
        std::string from;
        std::string to;
        long amount = 0;
    };
    std::string key;
    std::string path;
    std::string body;
    std::vector<Move> moves = {};
    std::vector<std::string> references = {};  ///< of its transfers, where they have one
    long holds = 0;                            ///< 1: it reserves, -1: it ends that
    unsigned status = 0;
    std::string answer = {};
};

/// What the clients know.
class HotLog {
public:
    void begin(HotRequest request) {
        std::lock_guard const lock(mutex_);
        auto const key = request.key;
        requests_.emplace(key, std::move(request));
    }
    void acknowledged(std::string const& key, HttpAnswer const& answer) {
        std::lock_guard const lock(mutex_);
        auto& request = requests_.at(key);
        request.status = answer.status;
        request.answer = answer.body;
        ++acknowledged_;
    }
    void unexpected(std::string const& what) {
        std::lock_guard const lock(mutex_);
        unexpected_.push_back(what);
    }
    std::size_t count_acknowledged() const { return acknowledged_; }
    // When nobody writes any more:
    std::map<std::string, HotRequest>& requests() { return requests_; }
    std::vector<std::string> const& unexpected() const { return unexpected_; }

private:
    std::mutex mutex_;
    std::map<std::string, HotRequest> requests_;
    std::vector<std::string> unexpected_;
    std::atomic<std::size_t> acknowledged_ = 0;
};

/// Servers that are killed and started again, each time on another port.
class Fleet {
public:
    Fleet(std::size_t size, std::vector<std::string> options)
        : options_(std::move(options)), servers_(size), ports_(size) {
        for (std::size_t i = 0; i < size; ++i) start(i);
    }
    std::size_t size() const { return servers_.size(); }
    ServerProcess const& at(std::size_t i) const { return *servers_[i]; }
    void start(std::size_t i) {
        servers_[i] = std::make_unique<ServerProcess>(options_);
        ports_[i] = servers_[i]->port();
    }
    void kill(std::size_t i) { servers_[i]->kill(); }
    void terminate(std::size_t i) {
        servers_[i]->terminate();
        BOOST_TEST(servers_[i]->exit_code().value_or(-1) == 0);
    }
    /// Where it is, or was. Any thread.
    std::uint16_t port(std::size_t i) const { return ports_[i]; }

private:
    std::vector<std::string> options_;
    std::vector<std::unique_ptr<ServerProcess>> servers_;
    std::vector<std::atomic<std::uint16_t>> ports_;
};

inline constexpr long hot_accounts = 6;
inline constexpr long hot_funds = 1'000'000;

inline std::string hot_account(long number) { return "acc:" + std::to_string(number); }

/// A hot ledger with accounts that have enough for every test.
inline std::string funded_hot_ledger(Api& api) {
    auto ledger = new_hot_ledger(api);
    for (long i = 0; i < hot_accounts; ++i) {
        api.new_account(ledger, hot_account(i));
        insist(api, ledger, hot_account(i), hot_funds);
    }
    return ledger;
}

/// One connection to each server in turn: who gets no answer asks the next one, under the same key.
class HotClient {
public:
    HotClient(Fleet const& fleet, std::string ledger, HotLog& log, std::size_t home, unsigned seed)
        : fleet_(fleet), ledger_(std::move(ledger)), log_(log), at_(home), random_(seed) {}

    /// One deed of any kind. A hold is ended by the one after it.
    void act() {
        auto const dice = below(10);
        if (!hold_.empty()) return end_hold();
        if (dice == 0) return deposit();
        if (dice < 3) return place_hold();
        if (dice == 3) return pay_many();
        pay();
    }

private:
    void pay() {
        HotRequest request;
        auto const move = choose();
        request.body = item(move, request);
        request.moves = {move};
        send("transfers", std::move(request));
    }
    void deposit() {
        HotRequest request;
        request.moves = {{"@world", hot_account(below(hot_accounts)), 1 + below(9)}};
        auto const& move = request.moves.front();
        request.references = {fresh("r")};
        request.body = R"({"account":")" + move.to + R"(","amount":)" +
                       std::to_string(move.amount) + R"(,"reference":")" +
                       request.references.front() + "\"}";
        send("deposits", std::move(request));
    }
    void pay_many() {
        HotRequest request;
        request.body = R"({"transfers":[)";
        for (int i = 0; i < 3; ++i) {
            request.moves.push_back(choose());
            request.body += (i ? "," : "") + item(request.moves.back(), request);
        }
        request.body += "]}";
        send("transfers/bulk", std::move(request));
    }
    void place_hold() {
        HotRequest request;
        held_ = choose();
        request.body = Api::movement(held_.from, held_.to, held_.amount);
        request.holds = 1;
        auto const answer = send("holds", std::move(request));
        if (!answer.empty()) hold_ = json::parse(answer).as_object().at("id").as_string();
    }
    void end_hold() {
        HotRequest request;
        request.holds = -1;
        auto const id = std::exchange(hold_, "");
        request.body = "{}";
        if (below(3) == 0) {
            send("holds/" + id + "/void", std::move(request));
            return;
        }
        request.moves = {held_};
        send("holds/" + id + "/capture", std::move(request));
    }

    HotRequest::Move choose() {
        auto const from = below(hot_accounts);
        auto const to = (from + 1 + below(hot_accounts - 1)) % hot_accounts;
        return {hot_account(from), hot_account(to), 1 + below(9)};
    }
    static std::string item(HotRequest::Move const& move, HotRequest& request) {
        request.references.push_back(fresh("r"));
        auto body = Api::movement(move.from, move.to, move.amount);
        body.pop_back();
        return body + R"(,"reference":")" + request.references.back() + "\"}";
    }
    long below(long n) { return static_cast<long>(random_() % static_cast<unsigned long>(n)); }

    /// The body of the answer; empty: there was none in time.
    std::string send(std::string const& what, HotRequest request) {
        request.key = fresh("key");
        request.path = ledger_ + '/' + what;
        auto const key = request.key;
        auto const path = request.path;
        auto const body = request.body;
        log_.begin(std::move(request));
        auto const answer = insist(path, body, key);
        if (!answer) return {};
        log_.acknowledged(key, *answer);
        return answer->body;
    }

    std::optional<HttpAnswer> insist(std::string const& path, std::string const& body,
                                     std::string const& key) {
        auto const give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (std::chrono::steady_clock::now() < give_up) {
            try {
                auto answer = connection().request(
                    "POST", path, body,
                    {{"Content-Type", "application/json"}, {"Idempotency-Key", key}});
                if (answer.status / 100 == 2) return answer;
                bool const passing = answer.status == 503 || answer.status == 504 ||
                                     answer.code() == "idempotency_in_flight";
                if (!passing) log_.unexpected(path + ' ' + body + ": " + answer.body);
                if (!passing) return {};
            } catch (ConnectionEnded const&) {
                connection_.reset();
            }
            at_ += 1;
        }
        log_.unexpected("no answer in time: " + path);
        return {};
    }
    HttpClient& connection() {
        auto const port = fleet_.port(at_ % fleet_.size());
        if (!connection_ || port != port_) connection_ = std::make_unique<HttpClient>(port);
        port_ = port;
        return *connection_;
    }

    Fleet const& fleet_;
    std::string ledger_;
    HotLog& log_;
    std::size_t at_;
    std::mt19937 random_;
    std::unique_ptr<HttpClient> connection_;
    std::uint16_t port_ = 0;
    std::string hold_;  ///< that is open
    HotRequest::Move held_;
};

/// Clients on all servers that go on until they are stopped.
class HotLoad {
public:
    HotLoad(Fleet const& fleet, std::string const& ledger, HotLog& log, unsigned seed) {
        for (unsigned i = 0; i < clients; ++i)
            threads_.emplace_back([&fleet, &log, ledger, seed, i](std::stop_token stop) {
                HotClient client(fleet, ledger, log, i, seed + i);
                while (!stop.stop_requested()) client.act();
            });
    }
    void stop() {
        for (auto& thread : threads_) thread.request_stop();
        threads_.clear();
    }

private:
    static constexpr unsigned clients = 6;
    std::vector<std::jthread> threads_;
};

/// Sends every key again. Who was acknowledged is told the same, byte by byte; the others are told
/// now what they want.
inline void settle(Api& api, HotLog& log) {
    std::size_t changed = 0;
    for (auto& [key, request] : log.requests()) {
        HttpAnswer answer;
        await_that(
            [&, &key = key, &request = request] {
                answer = api.post(request.path, request.body, key);
                return answer.status != 503 && answer.status != 504 &&
                       answer.code() != "idempotency_in_flight";
            },
            "a definite answer");
        bool const same = answer.status == request.status && answer.body == request.answer &&
                          answer.header("idempotent-replayed") == "true";
        if (request.status == 0 ? answer.status / 100 != 2 : !same) {
            changed += 1;
            BOOST_TEST_MESSAGE(key << ' ' << request.path << ": " << request.status << ' '
                                   << request.answer << " is now " << answer.status << ' '
                                   << answer.body);
        }
        request.status = answer.status;
        request.answer = answer.body;
    }
    BOOST_TEST(changed == 0U);
}

/// Every transfer that has a reference, once each: "r-1 r-2", in the order of the references.
inline std::string references_in(Operator& database, std::string const& ledger) {
    return database(
        R"(SELECT string_agg(t.reference, ' ' ORDER BY t.reference COLLATE "C")
        FROM transfers t
        JOIN ledgers l ON l.id = t.ledger_id WHERE l.name = ')" +
        name_of(ledger) + "' AND t.reference IS NOT NULL");
}

/// After settle() and await_home(): PostgreSQL has what was acknowledged, once, and no more; and
/// Redis says the same.
inline void check_home(Api& api, Operator database, std::string const& ledger, HotLog& log) {
    std::set<std::string> references;
    std::map<std::string, long> balances;
    long open_holds = 0;
    for (auto const& [key, request] : log.requests()) {
        references.insert(request.references.begin(), request.references.end());
        open_holds += request.holds;
        for (auto const& move : request.moves) {
            balances[move.from] -= move.amount;
            balances[move.to] += move.amount;
        }
    }
    std::string wanted;
    for (auto const& reference : references) wanted += (wanted.empty() ? "" : " ") + reference;
    BOOST_TEST((references_in(database, ledger) == wanted));
    BOOST_TEST(database(contradictions(ledger)) == "0");
    for (long i = 0; i < hot_accounts; ++i) {
        auto const address = hot_account(i);
        auto const shown = api.account(ledger, address);
        BOOST_TEST(shown.at("balance").as_int64() == hot_funds + balances[address], address);
        auto const row = database(
            "SELECT a.balance || ' ' || a.version || ' ' || a.held FROM accounts a"
            " JOIN ledgers l ON l.id = a.ledger_id WHERE l.name = '" +
            name_of(ledger) + "' AND a.address = '" + address + "'");
        BOOST_TEST(row == std::to_string(shown.at("balance").as_int64()) + ' ' +
                              std::to_string(shown.at("version").as_int64()) + ' ' +
                              std::to_string(shown.at("held").as_int64()));
    }
    BOOST_TEST(database("SELECT count(*) FROM holds h JOIN ledgers l ON l.id = h.ledger_id"
                        " WHERE h.status = 0 AND l.name = '" +
                        name_of(ledger) + "'") == std::to_string(open_holds));
    BOOST_TEST(sync_of(api, ledger).at("dead_letters") == 0);
    check_verified(api, ledger);
}

}  // namespace penstock::tests
