#include "server/rate_limits.hpp"

#include <algorithm>
#include <charconv>

#include "server/http/response.hpp"
#include "server/http/router.hpp"

namespace penstock::server {
namespace {

using cache::RateLimit;
using std::chrono::microseconds;

constexpr std::uint32_t burst_max = 1'000'000;
/// A request every 10 microseconds is beyond what one server answers.
constexpr microseconds interval_min{10};

std::optional<std::uint32_t> positive(std::string_view text) {
    std::uint32_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value == 0) return std::nullopt;
    return value;
}

std::optional<microseconds> unit_named(std::string_view name) {
    if (name == "s") return std::chrono::seconds{1};
    if (name == "min") return std::chrono::minutes{1};
    if (name == "h") return std::chrono::hours{1};
    if (name == "d") return std::chrono::hours{24};
    return std::nullopt;
}

unsigned whole_seconds(microseconds time) {
    return static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(time).count());
}

}  // namespace

std::string_view to_string(RateClass rate_class) {
    switch (rate_class) {
        case RateClass::read:
            return "read";
        case RateClass::write:
            return "write";
        case RateClass::bulk:
            return "bulk";
        case RateClass::admin:
            return "admin";
        case RateClass::user:
            return "user";
        case RateClass::address:
            break;
    }
    return "address";
}

std::optional<RateClass> rate_class_of(Route const& route) {
    if (route.rate_class) return route.rate_class;
    // A body that may hold thousands of items.
    if (route.body_max > body_default_max) return RateClass::bulk;
    switch (route.scope) {
        case Scope::open:
            return std::nullopt;
        case Scope::read:
            return RateClass::read;
        case Scope::write:
            return RateClass::write;
        case Scope::admin:
            break;
    }
    return RateClass::admin;
}

bool RateLimits::any() const {
    return std::any_of(limits_.begin(), limits_.end(), [](auto const& limit) { return limit; });
}

std::optional<RateLimit> parse_rate(std::string_view text) {
    constexpr std::string_view burst_name = ",burst=";
    auto const comma = std::min(text.find(','), text.size());
    auto const rate = text.substr(0, comma);
    auto const rest = text.substr(comma);
    auto const slash = rate.find('/');
    if (slash == rate.npos) return std::nullopt;
    auto const count = positive(rate.substr(0, slash));
    auto const unit = unit_named(rate.substr(slash + 1));
    auto burst = count;
    if (!rest.empty()) {
        if (!rest.starts_with(burst_name)) return std::nullopt;
        burst = positive(rest.substr(burst_name.size()));
    }
    if (!count || !unit || !burst || *burst > burst_max) return std::nullopt;
    RateLimit limit;
    limit.interval = (*unit + microseconds{*count - 1}) / *count;
    limit.burst = *burst;
    bool const too_fast = *unit / *count < interval_min;
    if (too_fast || limit.window() > cache::window_max) return std::nullopt;
    return limit;
}

unsigned retry_after_s(RateStanding const& standing) {
    return whole_seconds(cache::next_in(standing.limit, standing.admission.backlog));
}

void add_rate_headers(Response& response, std::span<RateStanding const> standings) {
    if (standings.empty()) return;
    std::string policies;
    std::string rates;
    for (auto const& standing : standings) {
        auto const& limit = standing.limit;
        auto const backlog = standing.admission.backlog;
        std::string name = policies.empty() ? "\"" : ", \"";
        name.append(to_string(standing.rate_class)).append(1, '"');
        policies += name + ";q=" + std::to_string(limit.burst) +
                    ";w=" + std::to_string(whole_seconds(limit.window()));
        rates += name + ";r=" + std::to_string(cache::remaining(limit, backlog)) +
                 ";t=" + std::to_string(whole_seconds(cache::next_in(limit, backlog)));
    }
    response.add("RateLimit-Policy", std::move(policies));
    response.add("RateLimit", std::move(rates));
}

}  // namespace penstock::server
