#include "bench/instant.hpp"

#include <charconv>
#include <cstdio>
#include <ctime>

namespace penstock::bench {
namespace {

/// The number of so many digits that `text` begins with; taken away with the character behind it.
std::optional<int> take_number(std::string_view& text, std::size_t digits, char behind) {
    if (text.size() <= digits || text[digits] != behind || text.front() == '-') return std::nullopt;
    int number = 0;
    auto const* const last = text.data() + digits;
    auto const [end, error] = std::from_chars(text.data(), last, number);
    if (error != std::errc() || end != last) return std::nullopt;
    text.remove_prefix(digits + 1);
    return number;
}

}  // namespace

std::optional<std::int64_t> instant_of(std::string_view text) {
    auto const year = take_number(text, 4, '-');
    auto const month = take_number(text, 2, '-');
    auto const day = take_number(text, 2, 'T');
    auto const hour = take_number(text, 2, ':');
    auto const minute = take_number(text, 2, ':');
    auto const second = take_number(text, 2, '.');
    auto const ms = take_number(text, 3, 'Z');
    bool const whole = year && month && day && hour && minute && second && ms && text.empty();
    if (!whole) return std::nullopt;
    std::tm t{};
    t.tm_year = *year - 1900;
    t.tm_mon = *month - 1;
    t.tm_mday = *day;
    t.tm_hour = *hour;
    t.tm_min = *minute;
    t.tm_sec = *second;
    return std::int64_t{timegm(&t)} * 1000 + *ms;
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
