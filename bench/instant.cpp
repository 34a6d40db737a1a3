#include "bench/instant.hpp"

#include <cstdio>
#include <ctime>

namespace penstock::bench {

std::optional<std::int64_t> instant_of(std::string_view text) {
    std::tm t{};
    int ms = 0;
    int end = 0;
    std::string const copy(text);
    int const read =
        std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &t.tm_year, &t.tm_mon,
                    &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec, &ms, &end);
    if (read != 7 || static_cast<std::size_t>(end) != copy.size()) return std::nullopt;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return std::int64_t{timegm(&t)} * 1000 + ms;
}

std::string text_of_instant(std::int64_t at) {
    std::time_t const seconds = at / 1000;
    std::tm t{};
    gmtime_r(&seconds, &t);
    char date[24];
    char text[40];
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &t);
    std::snprintf(text, sizeof text, "%s.%03dZ", date, static_cast<int>(at % 1000));
    return text;
}

}  // namespace penstock::bench
