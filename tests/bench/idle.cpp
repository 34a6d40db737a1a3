// The idle crowd against a server in memory: who was answered is counted, what it needs is said.
#include "bench/idle.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "bench/client.hpp"
#include "support/mock_server.hpp"

namespace penstock::bench {
namespace {

using tests::MockServer;

Options crowd_of(unsigned connections, std::string url) {
    Options options;
    options.scenario = "idle";
    options.target = std::move(url);
    options.connections = connections;
    options.duration_s = 0.1;
    options.timeout = std::chrono::milliseconds(5000);
    return options;
}

BOOST_AUTO_TEST_SUITE(idle_crowd, *boost::unit_test::timeout(60))

BOOST_AUTO_TEST_CASE(every_connection_is_asked_before_and_after_the_silence) {
    MockServer const server;
    auto const result = hold_idle(crowd_of(150, server.url()));
    BOOST_TEST(result.sound());
    BOOST_TEST(result.answered_first == 150u);
    BOOST_TEST(result.answered_again == 150u);
    BOOST_TEST(result.resident_before == 5e6);
    BOOST_TEST(table(result).find("4.8 MiB with them") != std::string::npos);
    auto const json = boost::json::parse(to_json(result));
    BOOST_TEST(json.at("answered_again").to_number<int>() == 150);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_there_is_unusable) {
    std::string url;
    {
        MockServer const gone;
        url = gone.url();
    }
    BOOST_CHECK_THROW(hold_idle(crowd_of(1, url)), Unusable);
}

BOOST_AUTO_TEST_CASE(options_that_mean_nothing_here_are_refused) {
    auto against = crowd_of(1, "http://127.0.0.1:1");
    against.against = {"http://127.0.0.1:2"};
    BOOST_CHECK_THROW(hold_idle(against), BadOptions);
    auto plots = crowd_of(1, "http://127.0.0.1:1");
    plots.html_file = "plots.html";
    BOOST_CHECK_THROW(hold_idle(plots), BadOptions);
}

BOOST_AUTO_TEST_CASE(a_crowd_above_the_limit_of_open_files_is_refused_in_words) {
    auto crowd = crowd_of(4'000'000'000u, "http://127.0.0.1:1");
    BOOST_CHECK_THROW(hold_idle(crowd), Unusable);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench
