#include "cache/hot_schedule.hpp"

#include "tests/cache/till.hpp"

namespace penstock::tests {
namespace {

constexpr milliseconds lease{5'000};
constexpr Instant later(std::int64_t ms) { return {noon.ms + ms}; }

/// A till in which alice pays, and a schedule that its accounts are claimed from.
struct Synced {
    explicit Synced(Till& its_till)
        : till(its_till), schedule(its_till.client, its_till.books.options().database) {}

    Nothing open() {
        till.add("alice", 100);
        till.add("bob");
        co_await till.open();
    }
    asio::awaitable<std::optional<Claims>> try_claim(std::int64_t epoch, std::string owner,
                                                     Instant now, std::size_t limit) {
        auto const claims = co_await schedule.claim(till.ledger.id, epoch, std::move(owner), now,
                                                    now, limit, lease, patient());
        co_return sure(claims);
    }
    asio::awaitable<std::vector<Claim>> claim(std::string owner, Instant now = noon,
                                              std::size_t limit = 10) {
        auto claims = co_await try_claim(1, std::move(owner), now, limit);
        co_return std::move(claims->items);
    }
    asio::awaitable<std::int64_t> release(std::string owner, std::vector<Claim> claims,
                                          bool is_written = true) {
        auto const clean = co_await schedule.release(till.ledger.id, std::move(owner), noon,
                                                     std::move(claims), is_written, patient());
        co_return sure(clean);
    }
    asio::awaitable<std::vector<std::string>> renew(std::string owner, Instant until,
                                                    std::vector<std::string> addresses) {
        auto const lost = co_await schedule.renew(till.ledger.id, std::move(owner), until,
                                                  std::move(addresses), patient());
        co_return sure(lost);
    }

    Till& till;
    HotSchedule schedule;
};

void with_schedule(std::function<Nothing(Synced&)> body) {
    with_till([&](Till& till) -> Nothing {
        Synced synced(till);
        co_await synced.open();
        co_await body(synced);
    });
}

std::vector<std::string> addresses(std::vector<Claim> const& claims) {
    std::vector<std::string> all;
    for (auto const& claim : claims) all.push_back(claim.address);
    return all;
}

std::vector<std::string> const nobody;

}  // namespace

BOOST_AUTO_TEST_SUITE(hot_schedule)

BOOST_AUTO_TEST_CASE(a_post_schedules_both_accounts_once_and_a_claim_tells_how_they_stood) {
    with_schedule([](Synced& synced) -> Nothing {
        for (int i = 0; i < 3; ++i) co_await synced.till.move("alice", "bob", 10);
        auto const claims = co_await synced.claim("ours");
        BOOST_TEST(addresses(claims) == both);
        auto const& alice = claims.front().account.value();
        BOOST_TEST(alice.balance == 70);
        BOOST_TEST(alice.version == 3);
        BOOST_TEST(alice.position == 3);
        BOOST_TEST((alice.updated_at == noon));
    });
}

BOOST_AUTO_TEST_CASE(what_others_have_claimed_is_in_nobodys_way) {
    with_schedule([](Synced& synced) -> Nothing {
        co_await synced.till.move("alice", "bob", 1);
        co_await synced.claim("theirs");
        co_await synced.till.perform(deposit_to_bob(1), use_of(1), later(1));
        auto const claims = co_await synced.claim("ours", later(1), 1);
        BOOST_REQUIRE(claims.size() == 1U);
        BOOST_TEST(claims.front().address == "@world");
    });
}

BOOST_AUTO_TEST_CASE(what_is_not_yet_due_is_not_claimed_and_the_longest_due_comes_first) {
    with_schedule([](Synced& synced) -> Nothing {
        co_await synced.till.perform(deposit_to_bob(1), use_of(1), later(1));
        co_await synced.till.perform(to_bob(1), use_of(2), later(2));
        auto const early = co_await synced.claim("ours");
        BOOST_TEST(early.empty());
        auto const first = co_await synced.claim("ours", later(2), 2);
        BOOST_REQUIRE(first.size() == 2U);
        BOOST_TEST(first.back().address == "bob");
        auto const last = co_await synced.claim("ours", later(2), 2);
        BOOST_REQUIRE(last.size() == 1U);
        BOOST_TEST(last.front().address == "alice");
    });
}

BOOST_AUTO_TEST_CASE(who_has_not_changed_since_the_claim_is_clean_and_the_other_is_due_again) {
    with_schedule([](Synced& synced) -> Nothing {
        co_await synced.till.move("alice", "bob", 1);
        auto const claims = co_await synced.claim("ours");
        co_await synced.till.perform(deposit_to_bob(1));
        auto const clean = co_await synced.release("ours", claims);
        BOOST_TEST(clean == 1);
        auto const alice = co_await synced.till.account("alice");
        BOOST_TEST(!alice.is_dirty);
        auto const again = co_await synced.claim("ours");
        std::vector<std::string> const expected{"@world", "bob"};
        BOOST_TEST(addresses(again) == expected);
        // A clean one is scheduled by its next change.
        co_await synced.till.move("alice", "bob", 1);
        auto const changed = co_await synced.claim("ours");
        BOOST_REQUIRE(changed.size() == 1U);
        BOOST_TEST(changed.front().address == "alice");
    });
}

BOOST_AUTO_TEST_CASE(who_was_not_written_is_due_again) {
    with_schedule([](Synced& synced) -> Nothing {
        co_await synced.till.move("alice", "bob", 1);
        auto const claims = co_await synced.claim("ours");
        auto const clean = co_await synced.release("ours", claims, false);
        BOOST_TEST(clean == 0);
        auto const again = co_await synced.claim("theirs");
        BOOST_TEST(addresses(again) == both);
    });
}

BOOST_AUTO_TEST_CASE(a_claim_that_is_over_is_due_again_and_its_owner_ends_nothing_any_more) {
    with_schedule([](Synced& synced) -> Nothing {
        co_await synced.till.move("alice", "bob", 1);
        auto const ours = co_await synced.claim("ours");
        auto const in_time = co_await synced.claim("theirs", later(lease.count() - 1));
        BOOST_TEST(in_time.empty());
        auto const theirs = co_await synced.claim("theirs", later(lease.count()));
        BOOST_TEST(addresses(theirs) == both);
        auto const clean = co_await synced.release("ours", ours);
        BOOST_TEST(clean == 0);
        auto const lost = co_await synced.renew("ours", later(9'000), both);
        BOOST_TEST(lost == both);
        auto const theirs_clean = co_await synced.release("theirs", theirs);
        BOOST_TEST(theirs_clean == 2);
    });
}

BOOST_AUTO_TEST_CASE(a_claim_that_is_renewed_goes_on) {
    with_schedule([](Synced& synced) -> Nothing {
        co_await synced.till.move("alice", "bob", 1);
        co_await synced.claim("ours");
        auto const lost = co_await synced.renew("ours", later(60'000), both);
        BOOST_TEST(lost == nobody);
        auto const theirs = co_await synced.claim("theirs", later(lease.count()));
        BOOST_TEST(theirs.empty());
    });
}

BOOST_AUTO_TEST_CASE(an_address_without_an_account_or_with_rubbish_is_laid_aside_once) {
    with_schedule([](Synced& synced) -> Nothing {
        auto& till = synced.till;
        co_await till.move("alice", "bob", 1);
        co_await till.say(cache::Command("ZADD", till.key("due"), 1, "ghost"));
        co_await till.say(cache::Command("HSET", till.key("books"), "bob", "rubbish"));
        auto const claims = co_await synced.claim("ours");
        BOOST_REQUIRE(claims.size() == 3U);
        int buried = 0;
        for (auto const& claim : claims) {
            if (claim.account) continue;
            for (auto const* const owner : {"theirs", "ours", "ours"}) {
                auto const done = co_await synced.schedule.bury(till.ledger.id, owner, claim,
                                                                "no account", noon, patient());
                if (sure(done)) ++buried;
            }
        }
        BOOST_TEST(buried == 2);
        auto const dead = co_await till.say(cache::Command("XLEN", till.key("dead")));
        BOOST_TEST(dead.number == 2);
        auto const again = co_await synced.claim("theirs", later(lease.count()));
        BOOST_REQUIRE(again.size() == 1U);
        BOOST_TEST(again.front().address == "alice");
    });
}

BOOST_AUTO_TEST_CASE(nothing_is_claimed_for_another_epoch) {
    with_schedule([](Synced& synced) -> Nothing {
        co_await synced.till.move("alice", "bob", 1);
        co_await synced.till.open(2);
        auto const late = co_await synced.try_claim(1, "ours", noon, 10);
        BOOST_TEST(!late);
        auto const now = co_await synced.try_claim(2, "ours", noon, 10);
        BOOST_TEST(now->items.size() == 2U);
        BOOST_TEST(now->drained == 0);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
