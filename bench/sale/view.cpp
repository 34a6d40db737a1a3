#include "bench/sale/view.hpp"

#include "bench/instant.hpp"
#include "bench/ledger_view.hpp"
#include "bench/pages.hpp"
#include "bench/target.hpp"
#include "reactor/deadline.hpp"

namespace penstock::bench::sale {
namespace {

namespace json = boost::json;

constexpr int clock_probes = 15;
constexpr std::chrono::seconds quiet_max{90};
constexpr milliseconds quiet_pause{100};

SeenPurchase purchase_of(json::value const& row) {
    SeenPurchase seen;
    seen.buyer = text_at(row, "buyer");
    seen.author = text_at(row, "author");
    seen.price = number_at(row, "price");
    seen.author_amount = number_at(row, "author_amount");
    seen.platform_amount = number_at(row, "platform_amount");
    seen.completed = row.at("status") == "completed";
    return seen;
}

std::optional<SeenGate> gate_of(json::value const& answer, std::string const& product) {
    for (auto const& sale : answer.at("sales").as_array()) {
        if (text_at(sale, "product_id") != product) continue;
        SeenGate gate;
        gate.sold = number_at(sale, "sold");
        gate.reserved = number_at(sale, "reserved");
        if (!sale.at("gate_remaining").is_null())
            gate.remaining = number_at(sale, "gate_remaining");
        gate.drift = number_at(sale, "drift");
        gate.repaired = sale.at("repaired").as_bool();
        return gate;
    }
    return std::nullopt;
}

}  // namespace

asio::awaitable<SeenGate> observe_gate(Client& client, std::string product) {
    std::string const path = "/v1/admin/reconciliation";
    auto const give_up = steady_now() + quiet_max;
    for (;;) {
        auto const answer = co_await client.post_ok(path, "{}", 200);
        auto const gate = read_answer(path, [&] { return gate_of(answer, product); });
        if (!gate) throw Unusable(path + " does not speak of the product " + product);
        bool const quiet = gate->reserved == 0 && gate->drift == 0 && !gate->repaired;
        if (quiet || steady_now() >= give_up) co_return *gate;
        co_await reactor::sleep_until(steady_now() + quiet_pause);
    }
}

std::string sale_path(std::string const& product) { return "/v1/sales/" + product; }

asio::awaitable<std::string> make_product(Client& client, std::string name, Terms terms,
                                          std::optional<PaidInto> payment) {
    std::string body = R"({"name":")" + name + R"(","price":)";
    append_number(body, terms.price);
    body += R"(,"stock":)";
    append_number(body, terms.stock);
    body += R"(,"per_user_limit":)";
    append_number(body, terms.per_user_limit);
    body += R"(,"starts_at":")" + terms.starts_at + '"';
    if (payment) {
        body += R"(,"payment":{"ledger":")" + payment->ledger + R"(","seller":")" +
                payment->seller + "\"}";
    }
    body += '}';
    std::string const path = "/v1/products";
    auto const answer = co_await client.post_ok(path, std::move(body), 201);
    co_return read_answer(path, [&] { return text_at(answer, "id"); });
}

asio::awaitable<ServerClock> read_clock(Client& client, std::string product) {
    ServerClock clock;
    std::string const path = sale_path(product);
    for (int i = 0; i < clock_probes; ++i) {
        auto const sent = steady_now();
        auto const answer = co_await client.get_ok(path);
        auto const received = steady_now();
        auto const text = read_answer(path, [&] { return text_at(answer, "server_time"); });
        auto const at = instant_of(text);
        if (!at) throw Unusable(path + ": server_time is no time: " + text);
        clock.observe(sent, received, *at);
    }
    co_return clock;
}

SeenOrder order_of(json::value row) {
    SeenOrder seen;
    seen.id = text_at(row, "id");
    seen.user = text_at(row, "user");
    seen.quantity = number_at(row, "quantity");
    seen.total = number_at(row, "total");
    seen.completed = row.at("status") == "completed";
    auto const& metadata = row.at("metadata").as_object();
    auto const* const attempt = metadata.if_contains("attempt");
    if (attempt && attempt->is_int64() && attempt->get_int64() >= 0) {
        seen.attempt = static_cast<std::uint64_t>(attempt->get_int64());
    }
    seen.row = std::move(row);
    return seen;
}

asio::awaitable<SeenSale> observe_sale(Client& client, std::string product) {
    SeenSale seen;
    seen.gate = co_await observe_gate(client, product);
    std::string const path = "/v1/products/" + product;
    auto const shown = co_await client.get_ok(path);
    read_answer(path, [&] {
        seen.stock = number_at(shown, "stock");
        seen.sold = number_at(shown, "sold");
        seen.remaining = number_at(shown, "remaining");
    });
    std::string const orders = sale_path(product) + "/orders";
    VisitRow const add = [&](json::value const& row) { seen.orders.push_back(order_of(row)); };
    co_await each_row(client, orders + "?limit=200", add);
    co_return seen;
}

asio::awaitable<std::vector<SeenPurchase>> list_purchases(Client& client, std::string ledger) {
    std::vector<SeenPurchase> seen;
    std::string const path = ledger_path(ledger) + "/purchases?limit=200";
    VisitRow const add = [&](json::value const& row) { seen.push_back(purchase_of(row)); };
    co_await each_row(client, path, add);
    co_return seen;
}

asio::awaitable<SeenUser> observe_user(Client& client, std::string product, std::string user) {
    std::string const path = sale_path(product) + "/users/" + user;
    auto const answer = co_await client.get_ok(path);
    co_return read_answer(path, [&] {
        return SeenUser{answer.at("purchased").as_bool(), number_at(answer, "quantity")};
    });
}

}  // namespace penstock::bench::sale
