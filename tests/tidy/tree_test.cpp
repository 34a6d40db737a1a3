// Does the project keep its own rules: every rule over every file.
#include "tests/tidy/tree.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/tidy/rules.hpp"

namespace penstock::tidy {
namespace {

void check(Faults const& faults) {
    for (auto const& fault : faults)
        BOOST_ERROR(fault.file + ":" + std::to_string(fault.line) + ": " + fault.why);
}

void check_all(Faults (*rule)(Source const&)) {
    for (auto const& source : cpp_sources()) check(rule(source));
}

std::vector<Source> statements() { return files_in("db/sql", ".sql"); }
std::vector<Source> migrations() { return files_in("db/migrations", ".sql"); }
std::vector<Source> scripts() { return files_in("cache/scripts", ".lua"); }

std::vector<Source> users(std::string const& folder) { return files_in(folder, ".cpp"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(tree)

BOOST_AUTO_TEST_CASE(the_tree_is_found) { BOOST_TEST(cpp_sources().size() > 20U); }

BOOST_AUTO_TEST_CASE(includes_follow_the_arrows_between_folders) {
    check_all(includes_follow_the_folders);
}

BOOST_AUTO_TEST_CASE(no_line_is_longer_than_100_columns) {
    check_all(lines_fit_the_screen);
    for (auto const& assets : {statements(), migrations(), scripts()})
        for (auto const& asset : assets) check(lines_fit_the_screen(asset));
}

BOOST_AUTO_TEST_CASE(no_function_is_longer_than_70_lines) { check_all(functions_fit_the_screen); }

BOOST_AUTO_TEST_CASE(every_file_says_which_question_it_answers) {
    check_all(files_say_what_they_answer);
}

BOOST_AUTO_TEST_CASE(no_co_await_where_the_compiler_miscompiles_it) {
    check_all(no_co_await_in_a_loop_condition);
    check_all(no_braces_or_lambda_beside_co_await);
    check_all(no_co_await_in_a_conditional);
    check_all(no_aggregate_made_of_co_await);
}

BOOST_AUTO_TEST_CASE(nothing_sleeps) { check_all(no_sleeping); }

BOOST_AUTO_TEST_CASE(open_points_carry_the_number_of_their_issue) {
    check_all(open_points_have_an_issue);
}

BOOST_AUTO_TEST_CASE(no_coroutine_runs_detached) { check_all(nothing_runs_detached); }

BOOST_AUTO_TEST_CASE(the_environment_is_read_by_the_options_alone) {
    check_all(environment_is_read_in_one_place);
}

BOOST_AUTO_TEST_CASE(clocks_are_read_by_the_clock_alone) {
    check_all(clocks_are_read_in_one_place);
}

BOOST_AUTO_TEST_CASE(libraries_do_not_print) { check_all(tidy::libraries_do_not_print); }

BOOST_AUTO_TEST_CASE(every_statement_migration_and_script_says_why) {
    for (auto const& assets : {statements(), migrations(), scripts()})
        for (auto const& asset : assets) check(assets_say_why(asset));
}

BOOST_AUTO_TEST_CASE(no_statement_asks_the_database_for_the_time) {
    for (auto const& statement : statements())
        check(statements_take_time_as_a_parameter(statement));
}

// Migrations are run by number, all of them.
BOOST_AUTO_TEST_CASE(every_statement_and_script_is_used) {
    check(assets_are_used(statements(), users("db")));
    // A script may wait for its system: until then the tests of the client run it.
    auto script_users = users("cache");
    for (auto& user : users("tests/cache")) script_users.push_back(std::move(user));
    check(assets_are_used(scripts(), script_users));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tidy
