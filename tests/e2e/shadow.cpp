// Can a business move to another PostgreSQL while it is open, and is every difference noticed?
#include <atomic>
#include <memory>
#include <mutex>
#include <sstream>

#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

constexpr int accounts = 6;

std::string account(int number) { return "a" + std::to_string(number % accounts); }

/// What one client asked for, and what it was told.
struct Asked {
    std::string path, body, key, answer;
    int from = 0, to = 0;
    long amount = 0;
    bool accepted = false;
};

/// Clients that pay each other and insist on an answer to every request, wherever the server is.
class Load {
public:
    Load(std::string ledger, std::uint16_t port) : ledger_(std::move(ledger)), port_(port) {
        for (int i = 0; i < 3; ++i) clients_.emplace_back([this, i] { pay(i); });
    }
    Load(Load&&) = delete;
    ~Load() { stop(); }

    void go_on_at(std::uint16_t port) { port_ = port; }
    void stop() {
        stopping_ = true;
        clients_.clear();
    }
    std::size_t answered() {
        std::lock_guard const lock(mutex_);
        return asked_.size();
    }
    bool failed() const { return failed_; }
    /// After stop().
    std::vector<Asked> const& asked() const { return asked_; }
    /// Goes on until so many more were answered.
    void let_pass(std::size_t more) {
        auto const wanted = answered() + more;
        await_that([&] { return answered() >= wanted; }, "answers");
    }

private:
    void pay(int client) {
        for (int n = client; !stopping_; n += 7) {
            Asked asked;
            asked.from = n % accounts;
            asked.to = (n + 1) % accounts;
            asked.amount = 1 + n % 5;
            asked.path = ledger_ + "/transfers";
            asked.body = Api::movement(account(asked.from), account(asked.to), asked.amount);
            asked.key = fresh("load");
            if (!insist(asked)) return;
            std::lock_guard const lock(mutex_);
            asked_.push_back(std::move(asked));
        }
    }

    /// False: never answered, which fails the test.
    bool insist(Asked& asked) {
        auto const deadline = std::chrono::steady_clock::now() + 60s;
        while (std::chrono::steady_clock::now() < deadline) {
            try {
                HttpClient http(port_);
                auto const answer = http.request(
                    "POST", asked.path, asked.body,
                    {{"Content-Type", "application/json"}, {"Idempotency-Key", asked.key}});
                asked.accepted = answer.status == 201;
                asked.answer = answer.body;
                if (asked.accepted || answer.status == 402) return true;
            } catch (ConnectionEnded const&) {
            }
        }
        failed_ = true;
        return false;
    }

    std::atomic<bool> failed_{false};
    std::string ledger_;
    std::atomic<std::uint16_t> port_;
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    std::vector<Asked> asked_;
    std::vector<std::jthread> clients_;
};

/// A server that is stopped in order and started with other options.
class Restarted {
public:
    explicit Restarted(std::vector<std::string> options) { start(std::move(options)); }

    void start(std::vector<std::string> options) {
        server_ = std::make_unique<ServerProcess>(std::move(options));
    }
    void stop() {
        server_->terminate();
        BOOST_TEST(server_->exit_code().value_or(-1) == 0);
        server_.reset();
    }
    void restart(std::vector<std::string> options, Load& load) {
        stop();
        start(std::move(options));
        load.go_on_at(server_->port());
    }
    ServerProcess& operator*() { return *server_; }

private:
    std::unique_ptr<ServerProcess> server_;
};

ServerProcess::Ended move_by(std::string const& command, std::string const& from,
                             std::string const& to, std::vector<std::string> more = {}) {
    std::vector<std::string> words{command, "--from", from, "--to", to};
    words.insert(words.end(), more.begin(), more.end());
    return ServerProcess::run(words);
}

std::string open_shop(ServerProcess& server) {
    Api api(server);
    auto const ledger = api.new_ledger();
    for (int i = 0; i < accounts; ++i) {
        api.new_account(ledger, account(i));
        BOOST_TEST(api.deposit(ledger, account(i), 1'000).status == 201U);
    }
    return ledger;
}

json::object shadow_of(ServerProcess& server) {
    auto const ready = Api(server).get("/readyz");
    BOOST_TEST(ready.status == 200U);
    auto const document = ready.document();
    return document.at("dependencies").as_object().at("shadow").as_object();
}

/// Reads, over all threads.
double answered_by_shadow(Api& api) {
    std::istringstream text(api.get("/metrics").body);
    double sum = 0;
    for (std::string line; std::getline(text, line);)
        if (line.starts_with("penstock_shadow_reads_total") &&
            line.find("by=\"shadow\"") != std::string::npos)
            sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
    return sum;
}

void check_oracle(ServerProcess& server, std::string const& ledger, Load const& load) {
    Api api(server);
    std::vector<long> balances(accounts, 1'000);
    long moved = 0, count = 0;
    for (auto const& one : load.asked()) {
        if (!one.accepted) continue;
        balances[static_cast<std::size_t>(one.from)] -= one.amount;
        balances[static_cast<std::size_t>(one.to)] += one.amount;
        moved += one.amount;
        ++count;
        auto const again = api.post(one.path, one.body, one.key);
        BOOST_TEST(again.status == 201U);
        BOOST_TEST(again.body == one.answer);
    }
    for (int i = 0; i < accounts; ++i)
        BOOST_TEST(api.balance(ledger, account(i)) == balances[static_cast<std::size_t>(i)]);
    auto const total = api.totals(ledger).at("transfer").as_object();
    BOOST_TEST(total.at("count").as_int64() == count);
    BOOST_TEST(total.at("amount").as_int64() == moved);
    check_verified(api, ledger);
}

struct Damage {
    char const* sql;
    char const* noticed;
};

constexpr Damage damages[] = {
    {"DELETE FROM transfers WHERE amount = 7", "the shadow does not have it"},
    {"INSERT INTO transfers SELECT gen_random_uuid(), ledger_id, from_account, to_account, amount,"
     " from_balance, from_version, to_balance, to_version, created_at, kind FROM transfers"
     " WHERE amount = 7",
     "only the shadow has it"},
    {"UPDATE transfers SET amount = 8 WHERE amount = 7", "amount: 7, in the shadow 8"},
    {"UPDATE accounts SET balance = balance + 1 WHERE address = 'a2'", "balance: "},
    {"UPDATE transfers SET idempotency_key = NULL WHERE amount = 7", "the shadow does not know it"},
    // The newest is the oldest now: rows and cursors stand in another order.
    {"UPDATE transfers SET id = '00000000-0000-7000-8000-000000000001' WHERE amount = 7",
     "DIFFERS list"},
    {"UPDATE ledger_totals SET amount = amount + 1 WHERE kind = 3", "DIFFERS ledger_totals"},
    {"UPDATE answers SET body = replace(body, 'EUR', 'USD')", "answered with"},
};

BOOST_AUTO_TEST_SUITE(shadow)

// docs/moving.md, step by step.
BOOST_AUTO_TEST_CASE(a_move_to_another_postgresql_under_load_loses_nothing_and_doubles_nothing) {
    Cluster old_one, new_one;
    auto const a = old_one.url(), b = new_one.url();
    Restarted server({"--database-url", a});
    auto const ledger = open_shop(*server);
    Load load(ledger, (*server).port());
    load.let_pass(30);

    server.restart({"--database-url", a, "--shadow-store", b}, load);
    load.let_pass(30);
    auto const copied = move_by("backfill", a, b);
    BOOST_TEST(copied.code == 0, copied.output);
    auto const same = move_by("parity", a, b);
    BOOST_TEST(same.code == 0, same.output);

    server.restart({"--database-url", a, "--shadow-store", b, "--read-from", "shadow"}, load);
    load.let_pass(30);
    BOOST_TEST(shadow_of(*server).at("gaps").as_int64() == 0);
    Api reader(*server);
    auto const from_shadow = [&] {
        static_cast<void>(reader.balance(ledger, "a0"));
        return answered_by_shadow(reader) > 0;
    };
    await_that(from_shadow, "a read from the shadow");

    server.stop();
    auto const still = move_by("parity", a, b);
    BOOST_TEST(still.code == 0, still.output);
    server.start({"--database-url", b, "--shadow-store", a});
    load.go_on_at((*server).port());
    load.let_pass(30);
    load.stop();
    BOOST_TEST(!load.failed());
    check_oracle(*server, ledger, load);

    // And back again, if need be: the old one has followed.
    server.stop();
    auto const back = move_by("parity", b, a);
    BOOST_TEST(back.code == 0, back.output);
    server.start({"--database-url", a});
    check_oracle(*server, ledger, load);
}

BOOST_AUTO_TEST_CASE(parity_says_no_to_every_damage_and_a_backfill_mends_it) {
    Cluster one, other;
    auto const a = one.url(), b = other.url();
    Restarted server({"--database-url", a, "--shadow-store", b});
    auto const ledger = open_shop(*server);
    Api api(*server);
    BOOST_TEST(api.transfer(ledger, "a0", "a1", 5).status == 201U);
    BOOST_TEST(api.transfer(ledger, "a0", "a1", 7).status == 201U);
    BOOST_TEST(api.post(ledger + "/reports", R"({"type":"financial"})").status == 202U);
    server.stop();
    // Lists begin behind what may still be on its way.
    Operator(a).await("SELECT max(created_at) < now() - interval '4 seconds' FROM transfers", "t");
    std::vector<std::string> const quickly{"--settle-ms", "20", "--hold-ms", "20"};
    auto const before = move_by("parity", a, b, quickly);
    BOOST_TEST(before.code == 0, before.output);
    for (auto const& damage : damages) {
        Operator sql(b);
        sql(damage.sql);
        auto const seen = move_by("parity", a, b, quickly);
        BOOST_TEST(seen.code == 1, damage.sql << '\n' << seen.output);
        BOOST_TEST(seen.output.find(damage.noticed) != std::string::npos, damage.sql
                                                                              << '\n'
                                                                              << seen.output);
        auto const mended = move_by("backfill", a, b);
        BOOST_TEST(mended.code == 0, mended.output);
        auto const after = move_by("parity", a, b, quickly);
        BOOST_TEST(after.code == 0, after.output);
    }
}

BOOST_AUTO_TEST_CASE(a_shadow_that_is_away_holds_up_no_request_and_is_reported) {
    Cluster one, other;
    Restarted server({"--database-url", one.url(), "--shadow-store", other.url()});
    auto const ledger = open_shop(*server);
    auto const status = [&] { return std::string(shadow_of(*server).at("status").as_string()); };
    await_that([&] { return status() == "ok"; }, "the shadow");
    other.stop_immediately();
    Api api(*server);
    for (int i = 0; i < 20; ++i) BOOST_TEST(api.transfer(ledger, "a0", "a1", 1).status == 201U);
    await_that([&] { return status() == "unavailable"; }, "the report");
    other.start();
    await_that([&] { return status() == "ok" && shadow_of(*server).at("queued").as_int64() == 0; },
               "the shadow's return");
    BOOST_TEST(shadow_of(*server).at("gaps").as_int64() == 0);
    server.stop();
    auto const same = move_by("parity", one.url(), other.url());
    BOOST_TEST(same.code == 0, same.output);
}

BOOST_AUTO_TEST_CASE(a_server_that_was_killed_leaves_a_note_until_a_backfill) {
    Cluster one, other;
    auto const a = one.url(), b = other.url();
    {
        ServerProcess server({"--database-url", a, "--shadow-store", b});
        open_shop(server);
        server.kill();
    }
    Operator sql(a);
    sql("UPDATE penstock_shadow.servers SET seen_at = seen_at - interval '1 minute'");
    // What is missing will not come by itself.
    auto const noted = move_by("parity", a, b, {"--settle-ms", "20", "--hold-ms", "20"});
    BOOST_TEST(noted.output.find("ended without a farewell") != std::string::npos, noted.output);
    BOOST_TEST(move_by("backfill", a, b).code == 0);
    auto const same = move_by("parity", a, b);
    BOOST_TEST(same.code == 0, same.output);
    BOOST_TEST(same.output.find("note:") == std::string::npos, same.output);
}

BOOST_AUTO_TEST_CASE(a_database_of_somebody_elses_is_not_copied_over) {
    Cluster one, other;
    {
        ServerProcess mine({"--database-url", one.url()});
        ServerProcess theirs({"--database-url", other.url()});
        open_shop(mine);
        open_shop(theirs);
    }
    auto const refused = move_by("backfill", one.url(), other.url());
    BOOST_TEST(refused.code == 1);
    BOOST_TEST(refused.output.find("would be lost") != std::string::npos, refused.output);
    BOOST_TEST(move_by("backfill", one.url(), one.url()).code == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
