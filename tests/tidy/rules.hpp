// Which rules hold for every source file: one function each, pure, so that each can be seen
// failing.
#pragma once

#include <vector>

#include "tests/tidy/source.hpp"

namespace penstock::tidy {

// includes_rule.cpp
Faults includes_follow_the_folders(Source const& source);

// shape_rules.cpp
Faults lines_fit_the_screen(Source const& source);
Faults functions_fit_the_screen(Source const& source);
Faults files_say_what_they_answer(Source const& source);

// coroutine_rules.cpp
Faults no_co_await_in_a_loop_condition(Source const& source);
Faults no_braces_or_lambda_beside_co_await(Source const& source);
Faults no_co_await_in_a_conditional(Source const& source);
Faults no_aggregate_made_of_co_await(Source const& source);

// habit_rules.cpp
Faults no_sleeping(Source const& source);
Faults open_points_have_an_issue(Source const& source);
Faults nothing_runs_detached(Source const& source);
Faults environment_is_read_in_one_place(Source const& source);
Faults clocks_are_read_in_one_place(Source const& source);
Faults libraries_do_not_print(Source const& source);

// asset_rules.cpp: SQL statements and Lua scripts
Faults assets_say_why(Source const& asset);
Faults statements_take_time_as_a_parameter(Source const& asset);
/// `users` are the C++ files that may name the constants made from the assets.
Faults assets_are_used(std::vector<Source> const& assets, std::vector<Source> const& users);

}  // namespace penstock::tidy
