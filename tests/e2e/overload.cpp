// What becomes of the work when there is more than can be done?
#include <future>

#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

/// A server whose lanes take four commands a batch and let eight wait.
struct Narrow {
    Database database;
    ServerProcess server{
        {"--database-url", url_of(database), "--batch-items", "4", "--queue-items", "8"}};
};

BOOST_AUTO_TEST_SUITE(overload)

BOOST_AUTO_TEST_CASE(what_finds_the_queue_full_is_503_at_once_and_the_rest_is_done) {
    constexpr std::size_t clients = 40;
    Narrow narrow;
    auto const ledger = ledger_with_ann(narrow.server);
    RowLock lock(narrow.database, ledger);
    auto crowd = std::async(std::launch::async, [&] {
        return at_once(narrow.server, clients,
                       [&](Api& own, std::size_t) { return own.deposit(ledger, "ann", 1); });
    });
    Api api(narrow.server);
    // At most one batch is at work, and eight wait.
    auto const refused = [&] { return metric(api, "penstock_collector_refused_total"); };
    await_that([&] { return refused() >= clients - 12; }, "refusals");
    lock.release();
    auto const answers = crowd.get();
    auto const done = count(answers, 201);
    BOOST_TEST(done >= 8U);
    BOOST_TEST(done + count(answers, 503) == clients);
    for (auto const& answer : answers) {
        if (answer.status != 503) continue;
        BOOST_TEST(answer.code() == "overloaded");
        BOOST_TEST(!answer.header("retry-after").empty());
    }
    BOOST_TEST(api.balance(ledger, "ann") == static_cast<long>(done));
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(work_goes_on_at_ten_times_what_the_queue_holds) {
    constexpr std::size_t clients = 80;
    constexpr long wanted = 400;
    Narrow narrow;
    auto const ledger = ledger_with_ann(narrow.server);
    std::atomic<long> done{0};
    std::atomic<long> refused{0};
    std::atomic<long> unexpected{0};
    auto const give_up_at = std::chrono::steady_clock::now() + 60s;
    at_once(narrow.server, clients, [&](Api& own, std::size_t) {
        HttpAnswer answer;
        while ((done < wanted || refused == 0) && std::chrono::steady_clock::now() < give_up_at) {
            answer = own.deposit(ledger, "ann", 1);
            if (answer.status == 201) ++done;
            if (answer.status == 503) ++refused;
            if (answer.status != 201 && answer.status != 503) ++unexpected;
        }
        return answer;
    });
    BOOST_TEST(done >= wanted);
    BOOST_TEST(refused > 0);
    BOOST_TEST(unexpected == 0);
    Api api(narrow.server);
    BOOST_TEST(api.balance(ledger, "ann") == done);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
