// Does a server with a shadow tell what the shadow lacks, and does it ever read what is not there?
#include <memory>

#include "tests/e2e/points.hpp"
#include "tests/e2e/shadow_reads.hpp"

namespace penstock::tests {
namespace {

constexpr int accounts = 6;

std::string account(int number) { return "a" + std::to_string(number % accounts); }

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
    auto ledger = api.new_ledger();
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

/// A role of its own, by which a server reaches its shadow until it is cut off.
class Cuttable {
public:
    explicit Cuttable(Cluster const& cluster) : sql_(cluster.url()), url_(cluster.url()) {
        sql_("CREATE ROLE cut SUPERUSER LOGIN");
        std::string const owner = "postgres@";
        url_.replace(url_.find(owner), owner.size(), "cut@");
    }

    std::string const& url() const { return url_; }
    void cut() {
        sql_("ALTER ROLE cut NOLOGIN");
        sql_("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'cut'");
        sql_.await("SELECT count(*) FROM pg_stat_activity WHERE usename = 'cut'", "0");
    }
    void mend() { sql_("ALTER ROLE cut LOGIN"); }

private:
    Operator sql_;
    std::string url_;
};

std::string hold_at(Api& api, std::string const& ledger) {
    auto const held = api.post(ledger + "/holds", R"({"from":"a0","to":"a1","amount":2})");
    BOOST_REQUIRE_MESSAGE(held.status == 201, held.body);
    return std::string(held.document().at("id").as_string());
}

/// What `here` acknowledges, `there` shows and acts on at once; and the ledger's lists agree.
void check_seen_at_once(Api& here, Api& there, std::string const& ledger) {
    for (int i = 0; i < 5; ++i) {
        auto const hold = hold_at(here, ledger);
        auto const shown = there.get(ledger + "/holds/" + hold);
        BOOST_TEST(shown.status == 200U, shown.body);
        auto const before = here.balance(ledger, "a0");
        BOOST_TEST(there.balance(ledger, "a0") == before);
        auto const captured = there.post(ledger + "/holds/" + hold + "/capture", "{}");
        BOOST_TEST(captured.status == 200U, captured.body);
        BOOST_TEST(here.transfer(ledger, "a2", "a0", 3).status == 201U);
        BOOST_TEST(there.balance(ledger, "a0") == before + 1);
        for (auto const* list : {"/transfers?limit=1", "/accounts/a2/entries?limit=1", "/totals"})
            BOOST_TEST(there.get(ledger + list).body == here.get(ledger + list).body);
    }
    auto const second = here.new_ledger();
    BOOST_TEST(there.post(second + "/accounts", R"({"address":"a0"})").status == 201U);
    BOOST_TEST(there.deposit(second, "a0", 4).status == 201U);
    BOOST_TEST(here.balance(second, "a0") == 4);
}

/// Of a0, whatever any server says.
long balance_in(std::string const& database, std::string const& ledger) {
    return std::stol(
        Operator(database)("SELECT a.balance FROM accounts a JOIN ledgers l ON l.id = a.ledger_id"
                           " WHERE '/v1/ledgers/' || l.name = '" +
                           ledger + "' AND a.address = 'a0'"));
}

void await_reads_from_shadow(Api& api, std::string const& ledger) {
    auto const before = reads_answered(api);
    auto const more = [&] {
        static_cast<void>(api.balance(ledger, "a0"));
        return reads_answered(api) > before;
    };
    await_that(more, "a read from the shadow");
}

BOOST_AUTO_TEST_CASE(a_read_misses_nothing_that_a_cut_off_or_killed_server_acknowledged) {
    Cluster old_one, new_one;
    auto const a = old_one.url(), b = new_one.url();
    Cuttable link(new_one);
    std::vector<std::string> const by_role{"--database-url", a,       "--shadow-store", link.url(),
                                           "--read-from",    "shadow"};
    std::vector<std::string> const as_owner{"--database-url", a,       "--shadow-store", b,
                                            "--read-from",    "shadow"};
    auto one = std::make_unique<ServerProcess>(by_role);
    ServerProcess other(as_owner);
    auto const ledger = open_shop(*one);
    Api there(other);
    BOOST_TEST(there.balance(ledger, "a0") == 1'000);
    auto const copied = move_by("backfill", a, b);
    BOOST_TEST(copied.code == 0, copied.output);
    await_reads_from_shadow(there, ledger);
    {
        Api here(*one);
        check_seen_at_once(here, there, ledger);
        await_reads_from_shadow(there, ledger);
        link.cut();
        check_seen_at_once(here, there, ledger);
        BOOST_TEST(balance_in(b, ledger) != there.balance(ledger, "a0"));
        link.mend();
        await_reads_from_shadow(there, ledger);
        link.cut();
        check_seen_at_once(here, there, ledger);
    }
    auto const left = there.account(ledger, "a0");
    one->kill();
    link.mend();
    one = std::make_unique<ServerProcess>(by_role);
    Api again(*one);
    BOOST_TEST(again.account(ledger, "a0") == left);
    check_seen_at_once(again, there, ledger);
    BOOST_TEST(move_by("backfill", a, b).code == 0);
    await_reads_from_shadow(again, ledger);
    check_seen_at_once(again, there, ledger);
    check_verified(again, ledger);
}

BOOST_AUTO_TEST_CASE(what_a_repair_has_mended_is_not_read_from_a_shadow_that_it_has_not_reached) {
    Cluster one, other;
    auto const a = one.url(), b = other.url();
    ServerProcess server({"--database-url", a, "--shadow-store", b, "--read-from", "shadow"});
    auto const ledger = open_shop(server);
    Api api(server);
    auto const points = new_points(api);
    grant(api, points, entry("ann", 100));
    BOOST_TEST(move_by("backfill", a, b).code == 0);
    await_reads_from_shadow(api, ledger);
    Operator primary(a), shadow(b);
    auto const repair = [&](std::string const& notes_left) {
        auto const repaired = ServerProcess::run({"repair", "--database-url", a});
        BOOST_TEST(repaired.code == 0, repaired.output);
        BOOST_TEST(primary("SELECT count(*) FROM penstock_shadow.servers"
                           " WHERE id LIKE 'repair-%' AND gaps > 0") == notes_left);
    };
    repair("0");
    await_reads_from_shadow(api, ledger);
    for (auto* sql : {&primary, &shadow})
        (*sql)("UPDATE credit_lots SET amount_remaining = amount_remaining - 1");
    repair("1");
    BOOST_TEST(amount(api, points, "ann") == 100);
    BOOST_TEST(move_by("backfill", a, b).code == 0);
    await_reads_from_shadow(api, ledger);
    BOOST_TEST(amount(api, points, "ann") == 100);
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
