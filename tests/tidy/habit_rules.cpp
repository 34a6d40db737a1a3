// Which habits this code base does without, and the one place where each is right.
#include <array>
#include <regex>

#include "tests/tidy/rules.hpp"

namespace penstock::tidy {
namespace {

Faults matches(Source const& source, std::string const& text, std::regex const& pattern,
               std::string const& why) {
    Faults faults;
    for (auto i = std::sregex_iterator(text.begin(), text.end(), pattern);
         i != std::sregex_iterator(); ++i)
        faults.push_back(
            source.fault(static_cast<std::size_t>(i->position()), "`" + i->str() + "`: " + why));
    return faults;
}

bool in_any(Source const& source, std::initializer_list<std::string_view> places) {
    for (auto const place : places)
        if (source.is_in(place)) return true;
    return false;
}

}  // namespace

Faults no_sleeping(Source const& source) {
    static std::regex const pattern(
        R"(\b(sleep_for|this_thread::sleep_until|usleep|nanosleep|sleep)\b *\()");
    return matches(source, source.code(), pattern,
                   "nothing waits blindly: await a condition with a deadline");
}

Faults open_points_have_an_issue(Source const& source) {
    // Written apart, so that a search for open points does not find this line.
    static std::regex const pattern(
        "\\b(TO"
        "DO|FIX"
        "ME|XX"
        "X|HA"
        "CK)\\b(?!\\(#[0-9]+\\))");
    return matches(source, source.comments(), pattern,
                   "an open point is an issue: mention its number, (#12)");
}

Faults nothing_runs_detached(Source const& source) {
    if (in_any(source, {"reactor/", "tests/"})) return {};
    static std::regex const pattern(R"(\bdetached\b)");
    return matches(source, source.code(), pattern,
                   "who spawns, joins: a TaskGroup owns every coroutine");
}

Faults environment_is_read_in_one_place(Source const& source) {
    if (in_any(source, {"server/options.cpp", "bench/options.cpp", "tests/"})) return {};
    static std::regex const pattern(R"(\b(secure_)?getenv\b)");
    return matches(source, source.code(), pattern,
                   "options come from one table, read once: server/options.cpp");
}

Faults clocks_are_read_in_one_place(Source const& source) {
    // Measuring time is what bench is for; tests compare with the real clock at times.
    if (in_any(source, {"reactor/result.hpp", "server/clock.", "bench/", "tests/"})) return {};
    static std::regex const pattern(
        R"(\b\w*[cC]lock::now\b|\b(clock_gettime|gettimeofday|time|localtime|gmtime))"
        R"( *\( *(nullptr|NULL|0|&|CLOCK_))");
    return matches(source, source.code(), pattern,
                   "time is a parameter: steady_now() for waits, the injected Clock for instants");
}

Faults libraries_do_not_print(Source const& source) {
    if (!in_any(source, {"domain/", "reactor/", "db/", "cache/"})) return {};
    static std::regex const pattern(R"(\bstd::(cout|cerr|clog)\b|\b(printf|puts|putchar) *\()");
    return matches(source, source.code(), pattern, "a library returns what it has to say");
}

}  // namespace penstock::tidy
