// Can every rule fail: each sees a snippet that breaks it and one that is close and does not.
#include "tests/tidy/rules.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

namespace penstock::tidy {
namespace {

using Rule = Faults (*)(Source const&);

Faults apply(Rule rule, std::string const& text, std::string const& path = "server/lane.cpp") {
    return rule(Source(path, text));
}

void breaks(Rule rule, std::string const& text, std::string const& path = "server/lane.cpp") {
    BOOST_TEST(!apply(rule, text, path).empty(),
               path << " should be refused: " << text.substr(0, 200));
}

void keeps(Rule rule, std::string const& text, std::string const& path = "server/lane.cpp") {
    for (auto const& fault : apply(rule, text, path))
        BOOST_ERROR(path << " should be fine: " << text << "\n  but: " << fault.why);
}

std::string repeated(std::string const& line, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += line;
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rules)

BOOST_AUTO_TEST_CASE(blanking_keeps_places_and_drops_comments_and_literals) {
    Source const source("server/a.cpp",
                        "int a; // one\nauto s = \"a;b\"; /* two */ char c = '\\'';");
    BOOST_TEST(source.code().size() == source.text().size());
    BOOST_TEST(source.code().find("one") == std::string::npos);
    BOOST_TEST(source.code().find("a;b") == std::string::npos);
    BOOST_TEST(source.comments().find("one") == source.text().find("one"));
    BOOST_TEST(source.line_of(source.text().find("two")) == 2U);
    Source const raw("server/b.cpp", "auto s = R\"x(co_await \")\" )x\"; int n = 1'000; f('a');");
    BOOST_TEST(raw.code().find("co_await") == std::string::npos);
    BOOST_TEST(raw.code().find("1'000; f(") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(includes_against_the_arrows_are_refused) {
    auto const rule = includes_follow_the_folders;
    breaks(rule, "#include \"db/store.hpp\"\n", "domain/ledger.cpp");
    breaks(rule, "#include <boost/asio/io_context.hpp>\n", "domain/ledger.cpp");
    breaks(rule, "#include <boost/json.hpp>\n", "domain/ledger.cpp");
    breaks(rule, "#include <unistd.h>\n", "domain/ledger.cpp");
    breaks(rule, "#include \"domain/ids.hpp\"\n", "reactor/pulse.hpp");
    breaks(rule, "#include \"cache/gate.hpp\"\n", "db/store.hpp");
    breaks(rule, "#include \"db/store.hpp\"\n", "cache/gate.hpp");
    breaks(rule, "#include \"server/clock.hpp\"\n", "db/store.hpp");
    breaks(rule, "#include \"bench/load.hpp\"\n", "server/main.cpp");
    breaks(rule, "#include \"server/clock.hpp\"\n", "bench/load.cpp");
    breaks(rule, "#include <libpq-fe.h>\n", "db/pg/connection.hpp");
    breaks(rule, "#include <libpq-fe.h>\n", "db/postgres_store.cpp");
    breaks(rule, "#include <hiredis/async.h>\n", "cache/gate.cpp");
    breaks(rule, "#include <boost/beast/http.hpp>\n", "server/routes/holds.cpp");
    breaks(rule, "#include <boost/json.hpp>\n", "db/memory_store.cpp");
    breaks(rule, "#  include <boost/json.hpp>\n", "cache/gate.cpp");
    breaks(rule, "#include <spdlog/spdlog.h>\n", "db/postgres_store.cpp");
}

BOOST_AUTO_TEST_CASE(includes_along_the_arrows_are_fine) {
    auto const rule = includes_follow_the_folders;
    keeps(rule, "#include <vector>\n#include <boost/describe.hpp>\n", "domain/model.hpp");
    keeps(rule, "#include \"domain/assert.hpp\"\n", "reactor/reactor.hpp");
    keeps(rule, "#include <boost/asio/post.hpp>\n", "reactor/collector.hpp");
    keeps(rule, "#include <libpq-fe.h>\n#include \"reactor/pulse.hpp\"\n", "db/pg/connection.cpp");
    keeps(rule, "#include <hiredis/async.h>\n", "cache/redis/connection.cpp");
    keeps(rule, "#include <boost/beast/http.hpp>\n", "server/http/session.cpp");
    keeps(rule, "#include \"db/store.hpp\"\n#include \"cache/edge.hpp\"\n");
    keeps(rule, "#include <libpq-fe.h>\n#include \"server/lane.hpp\"\n", "tests/db/pg.cpp");
}

BOOST_AUTO_TEST_CASE(long_lines_are_refused_by_columns_not_bytes) {
    keeps(lines_fit_the_screen, std::string(100, 'x') + "\n");
    breaks(lines_fit_the_screen, "\n" + std::string(101, 'x') + "\n");
    keeps(lines_fit_the_screen, "// " + repeated("ü", 97) + "\n");
}

BOOST_AUTO_TEST_CASE(long_functions_are_refused) {
    auto const rule = functions_fit_the_screen;
    auto const body = [](int lines) { return repeated("    step();\n", lines); };
    keeps(rule, "void f() {\n" + body(68) + "}\n");
    breaks(rule, "void f() {\n" + body(69) + "}\n");
    breaks(rule,
           "namespace a {\nstruct B : C<int> {\n  void f() const {\n" + body(69) + "}\n};\n}\n");
    breaks(rule, "template <class T>\nT f(T x = {}) {\n" + body(68) + "}\n");
    breaks(rule, "A::A(int x) : a_{x}, b_(x) {\n" + body(69) + "}\n");
    breaks(rule, "bool operator==(A a, B b) {\n" + body(69) + "}\n");
    breaks(rule, "BOOST_AUTO_TEST_CASE(x) {\n" + body(69) + "}\n");
    breaks(rule, "struct pg_conn* f() {\n" + body(69) + "}\n");
    keeps(rule, "namespace a {\n" + repeated("void f() {\n}\n", 60) + "}\n");
    keeps(rule, "class A {\n" + repeated("void f() { }\n", 90) + "};\n");
    keeps(rule, "constexpr Route routes[] = {\n" + repeated("    {1, 2},\n", 90) + "};\n");
    keeps(rule, "enum class E {\n" + repeated("    a,\n", 90) + "};\n");
}

BOOST_AUTO_TEST_CASE(a_file_without_its_question_is_refused) {
    auto const rule = files_say_what_they_answer;
    breaks(rule, "#pragma once\n", "db/store.hpp");
    breaks(rule, "#include <vector>\n", "db/store.cpp");
    keeps(rule, "// What a store is.\n#pragma once\n", "db/store.hpp");
    keeps(rule, "#include \"db/store.hpp\"\n", "db/store.cpp");
    keeps(rule, "#include \"db/store.hpp\"\n", "tests/db/store.cpp");
    breaks(rule, "#include \"db/store.hpp\"\n", "db/other.cpp");
}

BOOST_AUTO_TEST_CASE(co_await_in_a_loop_condition_is_refused) {
    auto const rule = no_co_await_in_a_loop_condition;
    breaks(rule, "while (co_await next()) {}");
    breaks(rule, "while (a && (co_await next())) {}");
    breaks(rule, "do { f(); } while (co_await next());");
    breaks(rule, "for (int i = 0; co_await next(); ++i) {}");
    keeps(rule, "for (auto& x : co_await all()) {}");
    keeps(rule, "while (a) { co_await next(); }");
    keeps(rule, "// while (co_await next())\n");
}

BOOST_AUTO_TEST_CASE(braces_and_lambdas_beside_co_await_are_refused) {
    auto const rule = no_braces_or_lambda_beside_co_await;
    breaks(rule, "void f() { co_await g(Options{.name = s}); }");
    breaks(rule, "void f() { co_await g({.name = s}); }");
    breaks(rule, "void f() { co_await g(\n    {a, b}); }");
    breaks(rule, "void f() { co_await g([s] { h(); }); }");
    breaks(rule, "void f() { co_await [s]() -> T { co_return; }(); }");
    breaks(rule, "void f() { auto x = co_await co_spawn(e, [] { return 1; }, token); }");
    breaks(rule, "void f() { if (co_await g(A{1})) h(); }");
    breaks(rule, "void f() { co_await g([&] { h(); }); }");
    breaks(rule, "void f() { co_await g([&, s] { h(); }); }", "tests/a.cpp");
    breaks(rule, "void f() { co_await g([&] { h(); }, A{1}); }", "tests/a.cpp");
    keeps(rule, "void f() { co_await g([&] { A a{1}; return a; }); }", "tests/a.cpp");
    keeps(rule, "void f() { co_await g([&a, &b] { h(); }, [] {}); }", "tests/a.cpp");
    keeps(rule, "void f() { co_await g(options, list[3], (*p)[1]); }");
    keeps(rule, "void f() { auto [e, n] = co_await s.read(b, as_result); }");
    keeps(rule, "void f() { if (auto x = co_await r(); !x) { y = {1}; } }");
    keeps(rule, "void f() { for (auto& x : co_await v()) { y = [] {}; } }");
    keeps(rule, "void f() { switch (co_await n()) { case 1: x = {1}; } }");
    keeps(rule, "void f() { co_return Opt{.n = s}; }");
    keeps(rule, "void f() { co_await until(now + seconds{3}); }");
    keeps(rule, "asio::awaitable<void> f() { x = A{1}; co_await g(); y = A{2}; }");
}

BOOST_AUTO_TEST_CASE(co_await_beside_a_conditional_is_refused) {
    auto const rule = no_co_await_in_a_conditional;
    breaks(rule, "void f() { x = c ? co_await a() : b; }");
    breaks(rule, "void f() { x = co_await c() ? a : b; }");
    breaks(rule, "void f() { g(1, c ? co_await a() : b); }");
    breaks(rule, "void f() { co_await g(c ? a : b); }");
    keeps(rule, "void f() { x = c ? a : b; co_await g(x); }");
    keeps(rule, "void f() { co_await g(); x = c ? a : b; }");
    keeps(rule, "void f() { if (c) { x = c ? a : b; } y = co_await g(x); }");
}

BOOST_AUTO_TEST_CASE(aggregates_made_of_co_await_are_refused) {
    auto const rule = no_aggregate_made_of_co_await;
    breaks(rule, "void f() { Opt o{co_await a(), 1}; }");
    breaks(rule, "void f() { Opt o{.n = co_await a()}; }");
    breaks(rule, "void f() { Opt o = {1, co_await a()}; }");
    breaks(rule, "void f() { g(Opt{co_await a()}); }");
    breaks(rule, "void f() { co_return Opt{1, f(co_await a())}; }");
    keeps(rule, "asio::awaitable<void> f() { co_await a(); }");
    keeps(rule, "auto f() -> asio::awaitable<void> { co_await a(); }");
    keeps(rule, "auto f = [&]() -> asio::awaitable<void> { co_await a(); };");
    keeps(rule, "auto f = [] { co_await a(); };");
    keeps(rule, "void f() const { co_await a(); }");
    keeps(rule, "void f() { if (x) y(); else { co_await a(); } }");
    keeps(rule, "void f() { try { co_await a(); } catch (...) { } }");
    keeps(rule, "void f() { switch (n) { case 1: { co_await a(); } } }");
    keeps(rule, "void f() { A a{1}; co_await a.g(); }");
    keeps(rule, "run([&]() -> asio::awaitable<void> { A a{1}; co_await a.g(); });");
}

BOOST_AUTO_TEST_CASE(sleeping_is_refused) {
    auto const nap = std::string("sleep") + "_for(1ms);";
    breaks(no_sleeping, "std::this_thread::" + nap, "tests/server/lane.cpp");
    breaks(no_sleeping, std::string("u") + "sleep(10);");
    keeps(no_sleeping, "co_await reactor::sleep_until(when);");
    keeps(no_sleeping, "// it does not " + nap);
}

BOOST_AUTO_TEST_CASE(open_points_without_an_issue_are_refused) {
    auto const point = std::string("// TO") + "DO";
    breaks(open_points_have_an_issue, point + ": later\n");
    keeps(open_points_have_an_issue, point + "(#12): later\n");
}

BOOST_AUTO_TEST_CASE(detached_coroutines_are_refused_outside_the_reactor) {
    breaks(nothing_runs_detached, "co_spawn(e, f(), asio::detached);");
    keeps(nothing_runs_detached, "co_spawn(e, f(), asio::detached);", "reactor/task_group.cpp");
    keeps(nothing_runs_detached, "co_spawn(e, f(), asio::detached);", "tests/support/run.hpp");
}

BOOST_AUTO_TEST_CASE(reading_the_environment_is_refused_outside_the_options) {
    breaks(environment_is_read_in_one_place, "auto x = std::getenv(\"A\");");
    keeps(environment_is_read_in_one_place, "std::getenv(\"A\");", "server/options.cpp");
}

BOOST_AUTO_TEST_CASE(reading_a_clock_is_refused_outside_the_clock) {
    auto const rule = clocks_are_read_in_one_place;
    breaks(rule, "auto t = std::chrono::system_clock::now();");
    breaks(rule, "auto t = Clock::now(); auto u = steady_clock::now();");
    breaks(rule, "auto t = std::time(nullptr);");
    keeps(rule, "auto t = steady_now(); auto u = clock.now();");
    keeps(rule, "return std::chrono::steady_clock::now();", "reactor/result.hpp");
    keeps(rule, "return std::chrono::system_clock::now();", "server/clock.cpp");
}

BOOST_AUTO_TEST_CASE(printing_from_a_library_is_refused) {
    breaks(tidy::libraries_do_not_print, "std::cout << 1;", "db/store.cpp");
    keeps(tidy::libraries_do_not_print, "std::cout << 1;", "server/main.cpp");
    keeps(tidy::libraries_do_not_print, "std::snprintf(b, 3, f);", "db/store.cpp");
}

BOOST_AUTO_TEST_CASE(assets_without_a_reason_or_a_user_are_refused) {
    breaks(assets_say_why, "select 1;\n", "db/sql/a.sql");
    keeps(assets_say_why, "-- Why.\nselect 1;\n", "db/sql/a.sql");
    std::vector<Source> const assets{{"db/sql/lock_accounts.sql", "-- Why.\n"}};
    std::vector<Source> const others{{"db/a.cpp", "f(sql::lock_accounts_too); // lock_accounts"}};
    std::vector<Source> const users{{"db/a.cpp", "f(sql::lock_accounts);"}};
    BOOST_TEST(assets_are_used(assets, others).size() == 1U);
    BOOST_TEST(assets_are_used(assets, users).empty());
}

BOOST_AUTO_TEST_CASE(a_statement_with_a_clock_is_refused) {
    auto const rule = statements_take_time_as_a_parameter;
    breaks(rule, "-- Why.\nselect NOW();\n", "db/sql/a.sql");
    breaks(rule, "-- Why.\nselect current_timestamp;\n", "db/sql/a.sql");
    breaks(rule, "-- Why.\nselect clock_timestamp() - now(), now();\n", "db/sql/a.sql");
    keeps(rule, "-- Not now().\nselect $1;\n", "db/sql/a.sql");
    keeps(rule, "-- Why.\nselect clock_timestamp() - now();\n", "db/sql/a.sql");
    keeps(rule, "-- Why.\ncreate table t (at timestamptz default now());\n",
          "db/migrations/0001_a.sql");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tidy
