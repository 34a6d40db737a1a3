// Is a hot ledger's way home shown, and does `verify` hold Redis against PostgreSQL?
#include "tests/e2e/hot_ready.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/redis_talk.hpp"

namespace penstock::tests {
namespace {

struct Kept {
    Kept() : process(options("serve")), api(process) {
        await_posts(process);
        ledger = api.new_ledger(R"(,"posting":"hot")");
        api.new_account(ledger, "ann");
        auto const in = api.deposit(ledger, "ann", 100);
        BOOST_TEST_REQUIRE(in.status == 201U, in.body);
        await_that([&] { return is_home(); }, "the post in PostgreSQL");
    }

    std::vector<std::string> options(std::string const& verb) const {
        std::vector<std::string> words{"--database-url", url_of(database), "--redis-url",
                                       "unix://" + redis.socket_path()};
        if (verb != "serve") words.insert(words.begin(), verb);
        if (verb == "serve") words.insert(words.end(), {"--hot-open-wait-ms", "20000"});
        return words;
    }
    bool is_home() {
        auto const answer = api.get(ledger + "/sync");
        if (answer.status != 200) return false;
        auto const sync = answer.document();
        return sync.at("journal_lag").as_int64() == 0 && sync.at("schedule_depth").as_int64() == 0;
    }
    ServerProcess::Ended verify() const { return ServerProcess::run(options("verify")); }
    /// What the ledger has under that name in Redis.
    std::string key(RedisTalk& talk, std::string const& part) const {
        auto const found = talk("KEYS", "ps:{*}:" + part).elements;
        BOOST_TEST_REQUIRE(found.size() == 1U);
        return found.front().text;
    }

    Database database;
    RedisServer redis;
    ServerProcess process;
    Api api;
    std::string ledger;
};

bool says(std::string const& text, std::string const& words) {
    return text.find(words) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(hot_verify)

BOOST_AUTO_TEST_CASE(how_far_a_hot_ledger_is_can_be_asked_and_of_a_durable_one_it_cannot) {
    Kept kept;
    auto const sync = kept.api.get(kept.ledger + "/sync").document();
    for (auto const* name : {"journal_oldest_ms", "schedule_oldest_ms", "claimed", "dead_letters"})
        BOOST_TEST(sync.at(name).as_int64() == 0, name);
    BOOST_TEST(sync.at("last_flush_at").is_string());
    auto const refused = kept.api.get(kept.api.new_ledger() + "/sync");
    BOOST_TEST(refused.status == 409U, refused.body);
    BOOST_TEST(says(refused.body, "unsupported_on_ledger"), refused.body);
}

BOOST_AUTO_TEST_CASE(verify_holds_redis_against_the_database_by_route_and_by_command) {
    Kept kept;
    check_verified(kept.api, kept.ledger);
    auto const fine = kept.verify();
    BOOST_TEST(fine.code == 0, fine.output);
    BOOST_TEST(says(fine.output, "ok     redis_equals_accounts: 2 accounts are equal"),
               fine.output);
    RedisTalk talk(kept.redis.socket_path());
    auto const books = kept.key(talk, "books");
    auto line = talk("HGET", books, "ann").text;
    line.replace(line.find(" 100 "), 5, " 101 ");
    talk("HSET", books, "ann", line);
    auto const answer = kept.api.get(kept.ledger + "/verify");
    BOOST_TEST(says(answer.body, "ann: Redis has balance 101"), answer.body);
    auto const wrong = kept.verify();
    BOOST_TEST(wrong.code == 1, wrong.output);
    BOOST_TEST(says(wrong.output, "FAILED redis_equals_accounts"), wrong.output);
    auto words = kept.options("verify");
    words.resize(3);
    auto const alone = ServerProcess::run(words);
    BOOST_TEST(alone.code == 0, alone.output);
    BOOST_TEST(says(alone.output, "not compared with Redis"), alone.output);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
