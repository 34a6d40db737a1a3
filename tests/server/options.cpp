#include "server/options.hpp"

#include <boost/test/unit_test.hpp>
#include <map>
#include <set>

namespace {

using namespace penstock;
using namespace penstock::server;

Options parse(std::vector<std::string> arguments,
              std::map<std::string, std::string> variables = {}) {
    auto const environment = [&](std::string_view name) -> std::optional<std::string> {
        auto const found = variables.find(std::string(name));
        if (found == variables.end()) return std::nullopt;
        return found->second;
    };
    return parse_options(arguments, environment);
}

std::string complaint(std::vector<std::string> arguments) {
    try {
        parse(std::move(arguments));
    } catch (UnusableOptions const& unusable) {
        return unusable.what();
    }
    return {};
}

bool has(std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(defaults_serve_the_embedded_store_on_loopback) {
    auto const options = parse({});
    BOOST_TEST(options.listen_address == "127.0.0.1");
    BOOST_TEST(options.listen_port == 8080);
    BOOST_TEST(options.database_url.empty());
    BOOST_TEST(options.threads >= 1U);
    BOOST_TEST(options.batch_items == 256U);
    BOOST_TEST(options.key_retention.count() == 24);
}

BOOST_AUTO_TEST_CASE(an_argument_beats_the_environment_and_that_beats_the_default) {
    std::map<std::string, std::string> const variables{{"PENSTOCK_LANES", "3"},
                                                       {"PENSTOCK_THREADS", "5"}};
    auto const options = parse({"--lanes=4"}, variables);
    BOOST_TEST(options.lanes == 4U);
    BOOST_TEST(options.threads == 5U);
}

BOOST_AUTO_TEST_CASE(both_forms_of_a_flag_are_understood) {
    BOOST_TEST(parse({"--listen", "0.0.0.0:1"}).listen_address == "0.0.0.0");
    BOOST_TEST(parse({"--listen=[::1]:9"}).listen_address == "::1");
    BOOST_TEST(parse({"--no-migrate"}).no_migrate);
    BOOST_TEST(!parse({"--no-migrate=false"}).no_migrate);
}

BOOST_AUTO_TEST_CASE(unusable_options_are_refused_in_a_sentence) {
    BOOST_TEST(has(complaint({"--lanes", "0"}), "--lanes must be a whole number from 1"));
    BOOST_TEST(has(complaint({"--lanes", "2x"}), "--lanes must be"));
    BOOST_TEST(has(complaint({"--lanes"}), "lacks its value"));
    BOOST_TEST(has(complaint({"--lanes=1", "--lanes=2"}), "given twice"));
    BOOST_TEST(has(complaint({"--nonsense", "1"}), "no option --nonsense"));
    BOOST_TEST(has(complaint({"nonsense"}), "is not an option"));
    BOOST_TEST(has(complaint({"--listen", "8080"}), "--listen must be"));
    BOOST_TEST(has(complaint({"--tls-key", "k"}), "need each other"));
    BOOST_TEST(has(complaint({"--queue-items", "10"}), "--queue-items"));
    BOOST_TEST(has(complaint({"--commit-mode", "none"}), "batch or single"));
}

BOOST_AUTO_TEST_CASE(a_shadow_needs_a_primary_and_reads_from_it_need_a_shadow) {
    BOOST_TEST(has(complaint({"--shadow-store", "postgresql://h/b"}), "needs --database-url"));
    std::vector<std::string> both{"--database-url", "postgresql://h/a"};
    both.insert(both.end(), {"--read-from", "shadow"});
    BOOST_TEST(has(complaint(both), "needs --shadow-store"));
    both.insert(both.end(), {"--shadow-store", "postgresql://u:secret@h/b"});
    auto const options = parse(both);
    BOOST_TEST((options.read_from == db::ReadFrom::shadow));
    for (auto const& option : options.effective) BOOST_TEST(!has(option.shown, "secret"));
    BOOST_TEST(has(complaint({"--read-from", "both"}), "primary or shadow"));
}

BOOST_AUTO_TEST_CASE(rates_are_limited_only_where_it_is_said) {
    BOOST_TEST(!parse({}).rate_limits.any());
    auto const options = parse({"--rate-limit-write", "100/s,burst=200"});
    BOOST_REQUIRE(options.rate_limits.of(RateClass::write).has_value());
    BOOST_TEST(options.rate_limits.of(RateClass::write)->burst == 200U);
    BOOST_TEST(!options.rate_limits.of(RateClass::read).has_value());
    BOOST_TEST(!parse({"--rate-limit-write="}).rate_limits.any());
    BOOST_TEST(has(complaint({"--rate-limit-write", "lots"}), "must be a rate as 100/s"));
}

BOOST_AUTO_TEST_CASE(secrets_are_never_shown) {
    auto const options =
        parse({"--database-url", "postgresql://u:hunter2@h:1/d?password=hunter2", "--admin-key",
               "hunter2-hunter2-hunter2", "--redis-url", "redis://:hunter2@h"});
    for (auto const& option : options.effective) BOOST_TEST(!has(option.shown, "hunter2"));
    BOOST_TEST(!has(complaint({"--admin-key", "hunter2"}), "hunter2"));
    BOOST_TEST(masked_url("postgresql://u:p@h:1/d") == "postgresql://u:***@h:1/d");
    BOOST_TEST(masked_url("postgresql://h/d") == "postgresql://h/d");
}

BOOST_AUTO_TEST_CASE(names_and_variables_of_the_table_agree) {
    std::set<std::string_view> names;
    for (auto const& row : option_table()) {
        BOOST_TEST(names.insert(row.name).second);
        std::string expected = "PENSTOCK_";
        for (char const c : row.name)
            expected += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
        BOOST_TEST(row.environment == expected);
        BOOST_TEST(has(describe_options(), expected));
    }
}

BOOST_AUTO_TEST_CASE(loopback_is_recognised) {
    BOOST_TEST(is_loopback("127.0.0.1"));
    BOOST_TEST(is_loopback("127.3.2.1"));
    BOOST_TEST(is_loopback("::1"));
    BOOST_TEST(!is_loopback("0.0.0.0"));
    BOOST_TEST(!is_loopback("10.0.0.1"));
}

BOOST_AUTO_TEST_SUITE_END()
