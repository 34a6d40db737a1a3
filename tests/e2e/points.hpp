// What tests of credits say to a server.
#pragma once

#include <chrono>
#include <string>

#include "server/http/instant_text.hpp"
#include "tests/e2e/api.hpp"

namespace penstock::tests {

inline constexpr char const* far_away = "2999-01-01T00:00:00.000Z";

/// A ledger of credits: its path.
inline std::string new_points(Api& api, std::string const& more = "") {
    auto const name = fresh("points");
    auto const made =
        api.post("/v1/ledgers", R"({"name":")" + name + R"(","asset":{"code":"PTS","scale":0},)" +
                                    R"("kind":"credits")" + more + "}");
    BOOST_TEST_REQUIRE(made.status == 201, made.body);
    return "/v1/ledgers/" + name;
}

inline std::string entry(std::string const& address, long amount,
                         std::string const& expires_at = "") {
    auto text = R"({"address":")" + address + R"(","amount":)" + std::to_string(amount);
    if (!expires_at.empty()) text += R"(,"expires_at":")" + expires_at + '"';
    return text + "}";
}

/// `make(i)` for each of so many, as a list in JSON.
template <class Make>
std::string entries(long many, Make make) {
    std::string text;
    for (long i = 0; i < many; ++i) text += (i ? "," : "") + make(i);
    return text;
}

inline HttpAnswer act(Api& api, std::string const& ledger, std::string const& kind,
                      std::string const& entries, std::string const& more = "",
                      std::string const& key = fresh("key")) {
    return api.post(
        ledger + "/credits/" + kind,
        R"({"reference":")" + fresh("ref") + R"(","entries":[)" + entries + "]" + more + "}", key);
}

inline HttpAnswer grant(Api& api, std::string const& ledger, std::string const& entries) {
    auto answer = act(api, ledger, "grants", entries);
    BOOST_TEST_REQUIRE(answer.status == 201, answer.body);
    return answer;
}

inline json::object balance_of(Api& api, std::string const& ledger, std::string const& address) {
    return api.get(ledger + "/credits/balances/" + address).document().as_object();
}

inline std::int64_t amount(Api& api, std::string const& ledger, std::string const& address) {
    return balance_of(api, ledger, address).at("balance").as_int64();
}

inline std::string instant_in_ms(std::int64_t ms) {
    using namespace std::chrono;
    auto const now = duration_cast<milliseconds>(system_clock::now().time_since_epoch());
    return server::instant_text(now.count() + ms);
}

}  // namespace penstock::tests
