// HOW an instant is spelled.
#include "server/http/instant_text.hpp"

#include <algorithm>
#include <chrono>

namespace penstock::server {
namespace {

void put_digits(char* at, unsigned value, int width) {
    for (int i = width - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes exactly `width` digits from the front.
std::optional<unsigned> take_number(std::string_view& text, std::size_t width) {
    if (text.size() < width) return std::nullopt;
    unsigned value = 0;
    for (std::size_t i = 0; i < width; ++i) {
        if (!is_digit(text[i])) return std::nullopt;
        value = value * 10 + static_cast<unsigned>(text[i] - '0');
    }
    text.remove_prefix(width);
    return value;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

/// ".5" is 500. Nothing for a point without digits or more than nine.
std::optional<unsigned> take_fraction(std::string_view& text) {
    if (!take(text, '.')) return 0;
    unsigned ms = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && is_digit(text[digits]); ++digits)
        if (digits < 3) ms = ms * 10 + static_cast<unsigned>(text[digits] - '0');
    if (digits == 0 || digits > 9) return std::nullopt;
    text.remove_prefix(digits);
    for (auto i = digits; i < 3; ++i) ms *= 10;
    return ms;
}

/// "Z" or "+hh:mm", in minutes; it must be all that is left.
std::optional<int> take_offset(std::string_view text) {
    if (text == "Z") return 0;
    if (text.size() != 6 || (text.front() != '+' && text.front() != '-')) return std::nullopt;
    int const sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    auto const hours = take_number(text, 2);
    if (!hours || !take(text, ':')) return std::nullopt;
    auto const minutes = take_number(text, 2);
    if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    return sign * static_cast<int>(*hours * 60 + *minutes);
}

std::optional<std::int64_t> take_date(std::string_view& text) {
    auto const year = take_number(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    auto const month = take_number(text, 2);
    if (!month || !take(text, '-')) return std::nullopt;
    auto const day = take_number(text, 2);
    if (!day) return std::nullopt;
    auto const date = std::chrono::year(static_cast<int>(*year)) / std::chrono::month(*month) /
                      std::chrono::day(*day);
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date).time_since_epoch().count();
}

std::optional<std::int64_t> take_time(std::string_view& text) {
    auto const hour = take_number(text, 2);
    if (!hour || !take(text, ':')) return std::nullopt;
    auto const minute = take_number(text, 2);
    if (!minute || !take(text, ':')) return std::nullopt;
    auto const second = take_number(text, 2);
    if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
    return std::int64_t{*hour} * 3600 + *minute * 60 + *second;
}

}  // namespace

void append_instant(std::string& out, std::int64_t ms) {
    using namespace std::chrono;
    ms = std::clamp(ms, instant_ms_min, instant_ms_max);
    sys_time<milliseconds> const at{milliseconds{ms}};
    auto const day = floor<days>(at);
    year_month_day const date{day};
    auto const of_day = static_cast<unsigned>((at - day).count());
    char text[] = "0000-00-00T00:00:00.000Z";
    put_digits(text, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put_digits(text + 5, static_cast<unsigned>(date.month()), 2);
    put_digits(text + 8, static_cast<unsigned>(date.day()), 2);
    put_digits(text + 11, of_day / 3'600'000, 2);
    put_digits(text + 14, of_day / 60'000 % 60, 2);
    put_digits(text + 17, of_day / 1000 % 60, 2);
    put_digits(text + 20, of_day % 1000, 3);
    out.append(text, sizeof text - 1);
}

std::string instant_text(std::int64_t ms) {
    std::string text;
    append_instant(text, ms);
    return text;
}

std::optional<std::int64_t> parse_instant(std::string_view text) {
    auto const day = take_date(text);
    if (!day || !take(text, 'T')) return std::nullopt;
    auto const second = take_time(text);
    if (!second) return std::nullopt;
    auto const fraction = take_fraction(text);
    if (!fraction) return std::nullopt;
    auto const offset = take_offset(text);
    if (!offset) return std::nullopt;
    auto const ms = (*day * 86'400 + *second - *offset * 60) * 1000 + *fraction;
    if (ms < instant_ms_min || ms > instant_ms_max) return std::nullopt;
    return ms;
}

}  // namespace penstock::server
