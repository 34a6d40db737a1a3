// Can a business move to another PostgreSQL while two servers keep it open? docs/moving.md, step by
// step, with a log.
#include <cmath>
#include <cstdlib>
#include <memory>
#include <sstream>

#include "tests/e2e/points.hpp"
#include "tests/e2e/shadow_reads.hpp"
#include "tests/e2e/shop.hpp"
#include "tests/move/load.hpp"

namespace penstock::tests {
namespace {

using Options = std::vector<std::string>;

constexpr long each_begins_with = 1'000;
constexpr long ann_begins_with = 900'000'000'000'000;

/// Between two steps.
std::size_t answers_between() {
    char const* const wanted = std::getenv("PENSTOCK_TEST_MOVE_ANSWERS");
    return wanted ? std::strtoul(wanted, nullptr, 10) : 150;
}

class Log {
public:
    void operator()(std::string const& what) const {
        auto const since = std::chrono::steady_clock::now() - start_;
        std::ostringstream line;
        line.precision(1);
        line << std::fixed << std::chrono::duration<double>(since).count() << " s  " << what;
        BOOST_TEST_MESSAGE(line.str());
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Two servers on one business, of which one or none may be away.
class Pair {
public:
    explicit Pair(Log const& log) : log_(log) {}

    Ports& ports() { return ports_; }
    ServerProcess& operator[](std::size_t server) { return *servers_.at(server); }

    void start(Options const& options) {
        for (std::size_t i = 0; i < servers_.size(); ++i) start(i, options);
    }
    void stop() {
        for (std::size_t i = 0; i < servers_.size(); ++i) stop(i);
    }
    /// One after the other: somebody serves all the time.
    void restart(Options const& options) {
        for (std::size_t i = 0; i < servers_.size(); ++i) {
            stop(i);
            start(i, options);
        }
    }

private:
    void start(std::size_t i, Options const& options) {
        servers_[i] = std::make_unique<ServerProcess>(options);
        ports_.set(i, servers_[i]->port());
        std::string line = "server " + std::to_string(i + 1) + " serves";
        for (auto const& word : options)
            if (!word.starts_with("postgresql:"))
                line += ' ' + word;
            else
                line += ' ' + name_of(word);
        log_(line);
    }
    void stop(std::size_t i) {
        ports_.set(i, 0);
        servers_[i]->terminate();
        BOOST_TEST(servers_[i]->exit_code().value_or(-1) == 0);
        servers_[i].reset();
        log_("server " + std::to_string(i + 1) + " has ended");
    }
    std::string name_of(std::string const& url) {
        if (old_.empty()) old_ = url;
        return url == old_ ? "OLD" : "NEW";
    }

    Log const& log_;
    Ports ports_;
    std::array<std::unique_ptr<ServerProcess>, 2> servers_;
    std::string old_;  ///< the first that is named
};

Places open_business(ServerProcess& server) {
    Shop shop(server);
    Places places;
    places.money = shop.new_ledger();
    for (int i = 0; i < payers; ++i) {
        shop.new_account(places.money, payer(i));
        BOOST_TEST(shop.deposit(places.money, payer(i), each_begins_with).status == 201U);
    }
    places.streams = shop.new_ledger();
    for (auto const* name : {"ann", "bob"}) shop.new_account(places.streams, name);
    BOOST_TEST(shop.deposit(places.streams, "ann", ann_begins_with).status == 201U);
    places.credits = new_points(shop);
    places.sale = Shop::sale(shop.new_product(1'000'000));
    return places;
}

/// What the answers add up to is what a server shows, and every key still gets its answer.
void check_oracle(ServerProcess& server, Places const& places, Tally const& tally) {
    Shop api(server);
    for (auto const& one : tally.accepted) {
        auto const again = api.post(one.path, one.body, one.key);
        BOOST_TEST(again.status == one.status);
        BOOST_TEST(again.body == one.answer);
    }
    for (auto const& [address, change] : tally.balances)
        BOOST_TEST(api.balance(places.money, address) == each_begins_with + change);
    auto const transfers = api.totals(places.money).at("transfer").as_object();
    BOOST_TEST(transfers.at("count").as_int64() == tally.transfers);
    for (auto const& [address, sum] : tally.credits)
        BOOST_TEST(amount(api, places.credits, address) == sum);
    BOOST_TEST(api.balance(places.streams, "ann") == ann_begins_with - tally.streamed);
    BOOST_TEST(api.balance(places.streams, "bob") == tally.withdrawn);
    auto const product = places.sale.substr(places.sale.rfind('/') + 1);
    BOOST_TEST(api.product(product).at("sold").as_int64() == tally.sold);
    for (auto const& ledger : {places.money, places.streams, places.credits})
        check_verified(api, ledger);
}

/// One of the program's commands that needs both databases; it must succeed.
void must(Log const& log, std::string const& command, std::string const& from,
          std::string const& to) {
    Options words{command, "--from", from, "--to", to};
    // Accounts that everybody pays never hold still: no use to wait for that longer than this.
    if (command == "parity") words.insert(words.end(), {"--settle-ms", "1000"});
    auto const ended = ServerProcess::run(words);
    BOOST_TEST(ended.code == 0, ended.output);
    std::istringstream lines(ended.output);
    log("penstock " + command + " has ended with code " + std::to_string(ended.code));
    for (std::string line; std::getline(lines, line);) BOOST_TEST_MESSAGE("         " << line);
}

/// The move itself; the clients work all the time.
class Runbook {
public:
    Runbook(std::string from, std::string to) : a_(std::move(from)), b_(std::move(to)) {}

    void follow() {
        pair_.start({"--database-url", a_});
        places_ = open_business(pair_[0]);
        load_ = std::make_unique<Load>(places_, pair_.ports());
        let_pass("before the move");
        step("1: write to both");
        pair_.restart(both(a_, b_));
        let_pass("step 1");
        step("2: copy what is there");
        must(log_, "backfill", a_, b_);
        let_pass("step 2");
        step("3: compare");
        must(log_, "parity", a_, b_);
        let_pass("step 3");
        step("4: read from the new one");
        pair_.restart(reading_from_shadow());
        let_pass("step 4");
        for (std::size_t i : {0, 1}) {
            Api api(pair_[i]);
            await_that([&] { return reads_answered(api) > 0; }, "reads from the shadow");
            log_("server " + std::to_string(i + 1) + ": NEW has answered " +
                 std::to_string(std::lround(reads_answered(api))) + " reads, OLD " +
                 std::to_string(std::lround(reads_answered(api, "primary"))));
        }
        step("5: change places");
        change_places(a_, b_);
        step("5 taken back");
        change_places(b_, a_);
        step("5 again");
        change_places(a_, b_);
        step("6: leave the old one");
        pair_.restart({"--database-url", b_});
        let_pass("step 6");
        load_->stop();
    }

    void check() {
        for (auto const& complaint : load_->complaints()) BOOST_ERROR(complaint);
        auto const& tally = load_->tally();
        log_("oracle: " + std::to_string(tally.accepted.size()) +
             " accepted requests are repeated on both servers, sums are compared");
        for (std::size_t i : {0, 1}) check_oracle(pair_[i], places_, tally);
        pair_.stop();
        auto const verified = ServerProcess::run({"verify", "--database-url", b_});
        BOOST_TEST(verified.code == 0, verified.output);
        log_("penstock verify on NEW: " + std::string(verified.code == 0 ? "ok" : "NOT OK"));
    }

private:
    static Options both(std::string const& primary, std::string const& shadow) {
        return {"--database-url", primary, "--shadow-store", shadow};
    }
    Options reading_from_shadow() const {
        auto options = both(a_, b_);
        options.insert(options.end(), {"--read-from", "shadow"});
        return options;
    }

    void step(std::string const& what) { log_("== step " + what); }

    void let_pass(std::string const& when) {
        auto const passed = load_->let_pass(answers_between());
        log_(when + ": " + std::to_string(passed.answers) + " answers, the slowest after " +
             std::to_string(passed.slowest.count()) + " ms");
        BOOST_REQUIRE(load_->complaints().empty());
    }

    void change_places(std::string const& from, std::string const& to) {
        pair_.stop();
        Operator(from).await(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'penstock%'", "0");
        must(log_, "parity", from, to);
        pair_.start(both(to, from));
        let_pass("with changed places");
    }

    std::string a_, b_;
    Log log_;
    Pair pair_{log_};
    Places places_;
    std::unique_ptr<Load> load_;
};

BOOST_AUTO_TEST_SUITE(move)

BOOST_AUTO_TEST_CASE(two_servers_move_to_another_postgresql_under_load) {
    Cluster old_one, new_one;
    Runbook runbook(old_one.url(), new_one.url());
    runbook.follow();
    runbook.check();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
