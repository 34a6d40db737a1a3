// What end-to-end tests of flash sales say to a server: products, orders, and a crowd of buyers.
#pragma once

#include <set>
#include <sstream>

#include "server/http/instant_text.hpp"
#include "tests/e2e/api.hpp"
#include "tests/support/redis_server.hpp"

namespace penstock::tests {

inline std::int64_t now_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// So long from now, as JSON: `"2026-11-21T09:00:00.000Z"`.
inline std::string in_ms(std::int64_t ms) {
    return '"' + server::instant_text(now_ms() + ms) + '"';
}

inline constexpr std::int64_t hour_ms = 3'600'000;

inline std::string text_of(json::value const& value, char const* member) {
    return std::string(value.at(member).as_string());
}

/// The sum of a metric over the samples with that label: `gate="admitted"`.
inline double labelled(Api& api, std::string const& name, std::string const& label) {
    std::istringstream lines(api.get("/metrics").body);
    double sum = 0;
    for (std::string line; std::getline(lines, line);) {
        bool const wanted = line.starts_with(name + '{') && line.find(label) != std::string::npos;
        if (wanted) sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
    }
    return sum;
}

class Shop : public Api {
public:
    using Api::Api;

    /// The id of a new product, on sale for an hour already. `more`: further members.
    std::string new_product(std::int64_t stock, std::string const& more = "",
                            std::string const& starts_at = in_ms(-hour_ms)) {
        auto const made = post("/v1/products", R"({"name":"A synthesiser","price":2490,"stock":)" +
                                                   std::to_string(stock) + R"(,"starts_at":)" +
                                                   starts_at + more + "}");
        BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
        return text_of(made.document(), "id");
    }

    HttpAnswer order(std::string const& product, std::string const& user,
                     std::string const& more = "", std::string const& key = fresh("key")) {
        return post(sale(product) + "/orders", order_body(user, more), key);
    }
    HttpAnswer cancel(std::string const& product, HttpAnswer const& ordered,
                      std::string const& key = fresh("key")) {
        auto const id = text_of(ordered.document(), "id");
        return post(sale(product) + "/orders/" + id + "/cancel", "{}", key);
    }
    HttpAnswer restock(std::string const& product, std::int64_t quantity) {
        return post("/v1/products/" + product + "/restock",
                    R"({"quantity":)" + std::to_string(quantity) + "}");
    }
    json::value product(std::string const& id) { return ask("/v1/products/" + id); }
    json::value sale_of(std::string const& id) { return ask(sale(id)); }
    json::value bought_by(std::string const& product, std::string const& user) {
        return ask(sale(product) + "/users/" + user);
    }
    std::string status(std::string const& product) { return text_of(sale_of(product), "status"); }

    static std::string sale(std::string const& product) { return "/v1/sales/" + product; }
    static std::string order_body(std::string const& user, std::string const& more = "") {
        return R"({"user":")" + user + '"' + more + "}";
    }

private:
    json::value ask(std::string const& path) {
        auto const answer = get(path);
        BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body);
        return answer.document();
    }
};

/// What became of one attempt. Without an answer it may have been done, or not.
struct Attempt {
    std::string user;
    std::string key;
    HttpAnswer answer;  ///< status 0: none came
};

/// Many buyers who ask at the same moment: so many connections, each with its requests in one go.
class Crowd {
public:
    static constexpr std::size_t connections = 100;

    /// `user_of(i)`: who the i-th attempt is for.
    template <class UserOf>
    Crowd(std::size_t attempts, UserOf user_of) {
        for (std::size_t i = 0; i < attempts; ++i)
            attempts_.push_back({user_of(i), fresh("crowd"), HttpAnswer()});
    }
    static Crowd of_distinct_users(std::size_t size) {
        return {size, [](std::size_t i) { return "user-" + std::to_string(i); }};
    }

    /// Everybody asks, spread over these servers; `meanwhile` runs beside them.
    template <class Meanwhile>
    void buy(std::string const& product, std::vector<std::uint16_t> const& ports,
             Meanwhile meanwhile) {
        std::latch start(static_cast<std::ptrdiff_t>(connections) + 1);
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < connections; ++i)
            threads.emplace_back([this, i, &start, &product, &ports] {
                start.arrive_and_wait();
                ask(product, ports[i % ports.size()], i);
            });
        start.arrive_and_wait();
        meanwhile();
        threads.clear();
    }
    void buy(std::string const& product, std::vector<std::uint16_t> const& ports) {
        buy(product, ports, [] {});
    }

    /// Asks again, with the same keys, until every attempt has a definite answer.
    void insist(std::string const& product, std::uint16_t port) {
        HttpClient client(port);
        for (auto& attempt : attempts_) {
            auto const settled = [&] {
                auto const status = attempt.answer.status;
                if (status != 0 && status < 500 && attempt.answer.code() != "idempotency_in_flight")
                    return true;
                attempt.answer = HttpAnswer();
                try {
                    client.send(request(product, attempt));
                    attempt.answer = client.receive();
                } catch (ConnectionEnded const&) {
                }
                return false;
            };
            await_that(settled, "a definite answer");
        }
    }

    std::size_t count(unsigned status) const {
        return static_cast<std::size_t>(
            std::count_if(attempts_.begin(), attempts_.end(),
                          [&](Attempt const& each) { return each.answer.status == status; }));
    }
    std::size_t count(std::string const& code) const {
        return static_cast<std::size_t>(
            std::count_if(attempts_.begin(), attempts_.end(),
                          [&](Attempt const& each) { return each.answer.code() == code; }));
    }
    std::vector<Attempt> const& attempts() const { return attempts_; }

private:
    static std::string request(std::string const& product, Attempt const& attempt) {
        auto const body = Shop::order_body(attempt.user);
        return "POST /v1/sales/" + product + "/orders HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
               "Content-Type: application/json\r\nIdempotency-Key: " + attempt.key +
               "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    void ask(std::string const& product, std::uint16_t port, std::size_t first) {
        try {
            HttpClient client(port);
            std::string text;
            for (auto i = first; i < attempts_.size(); i += connections)
                text += request(product, attempts_[i]);
            client.send(text);
            for (auto i = first; i < attempts_.size(); i += connections)
                attempts_[i].answer = client.receive();
        } catch (ConnectionEnded const&) {
            // The rest has no answer.
        }
    }

    std::vector<Attempt> attempts_;
};

/// The books of a sale: sold is what the orders say, nobody has more than he may, and every
/// acknowledged order is there.
inline void check_sale(Shop& shop, std::string const& product, Crowd const& crowd) {
    auto const state = shop.product(product);
    std::set<std::string> completed;
    std::map<std::string, std::int64_t> per_user;
    std::int64_t sold = 0;
    for (auto const& order : walk(shop, Shop::sale(product) + "/orders", 200)) {
        if (order.at("status") != "completed") continue;
        completed.insert(std::string(order.at("id").as_string()));
        sold += order.at("quantity").as_int64();
        per_user[std::string(order.at("user").as_string())] += order.at("quantity").as_int64();
    }
    BOOST_TEST(state.at("sold").as_int64() == sold);
    BOOST_TEST(sold <= state.at("stock").as_int64());
    for (auto const& [user, quantity] : per_user)
        BOOST_TEST(quantity <= state.at("per_user_limit").as_int64(), user);
    for (auto const& attempt : crowd.attempts())
        if (attempt.answer.status == 201)
            BOOST_TEST(completed.contains(text_of(attempt.answer.document(), "id")), attempt.user);
}

}  // namespace penstock::tests
