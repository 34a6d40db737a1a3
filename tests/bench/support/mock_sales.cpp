// How the mock sells, and how it breaks the rules of a sale on purpose.
#include "mock_sales.hpp"

#include <boost/json/array.hpp>
#include <chrono>

#include "bench/instant.hpp"

namespace penstock::tests {
namespace {

namespace json = boost::json;

constexpr std::string_view sales_prefix = "/v1/sales/";
constexpr std::string_view products_prefix = "/v1/products/";

std::int64_t now_ms() {
    auto const now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

/// What stands between the prefix and the next slash.
std::string id_in(std::string const& path, std::string_view prefix) {
    auto const end = path.find('/', prefix.size());
    return path.substr(prefix.size(), end == path.npos ? end : end - prefix.size());
}

}  // namespace

std::optional<MockAnswer> MockSales::post(std::string const& path, json::object const& body,
                                          bool apply) {
    if (path == "/v1/products") return make(body);
    if (path == "/v1/admin/reconciliation") return reconcile();
    bool const is_restock = path.starts_with(products_prefix);
    if (!is_restock && !path.starts_with(sales_prefix)) return std::nullopt;
    auto const found = products_.find(id_in(path, is_restock ? products_prefix : sales_prefix));
    if (found == products_.end()) return problem(404, "product_not_found");
    if (is_restock) return restock(found->second, integer(body, "quantity"), apply);
    auto const orders = path.find("/orders/");
    if (orders == path.npos) return order(found->second, body, apply);
    return cancel(found->second, id_in(path, path.substr(0, orders + 8)), apply);
}

MockAnswer MockSales::restock(Product& product, std::int64_t quantity, bool apply) {
    if (apply) product.stock += quantity;
    product.terms["stock"] = product.stock;
    return {200, json::serialize(show(product))};
}

/// Ids are "o" and the order's place.
MockAnswer MockSales::cancel(Product& product, std::string const& id, bool apply) {
    auto const place = id.size() < 2 ? product.orders.size() : std::stoul(id.substr(1));
    if (place >= product.orders.size()) return problem(404, "order_not_found");
    auto& known = product.orders[place];
    if (known.at("status") == "cancelled") return problem(409, "illegal_transition");
    auto answer = known;
    answer["status"] = "cancelled";
    if (!apply) return {200, json::serialize(answer)};
    known = answer;
    auto const quantity = integer(answer, "quantity");
    if (!mischief_.keep_cancelled_units) product.sold -= quantity;
    product.held[text(answer, "user")] -= quantity;
    auto const& purchase = product.purchases[place];
    if (!purchase.empty())
        refund_(std::string(product.terms.at("payment").at("ledger").as_string()), purchase);
    return {200, json::serialize(answer)};
}

MockAnswer MockSales::make(json::object const& body) {
    auto const id = "p" + std::to_string(products_.size());
    auto& product = products_[id];
    product.terms = body;
    product.terms["id"] = id;
    product.stock = integer(body, "stock");
    product.starts_ms = bench::instant_of(text(body, "starts_at")).value();
    return {201, json::serialize(show(product))};
}

json::object MockSales::show(Product const& product) {
    auto shown = product.terms;
    shown["sold"] = product.sold;
    shown["remaining"] = product.stock - product.sold;
    shown["server_time"] = bench::text_of_instant(now_ms());
    return shown;
}

std::optional<MockAnswer> MockSales::refuse(Product const& product, std::string const& user,
                                            std::int64_t quantity) const {
    auto const left = product.stock - product.sold - mischief_.hidden_units;
    auto const held = product.held.find(user);
    auto const has = held == product.held.end() ? 0 : held->second;
    bool const early = now_ms() < product.starts_ms && !mischief_.open_early;
    if (early) return problem(403, "sale_not_started");
    if (left <= 0 && !mischief_.sell_without_end) return problem(409, "sold_out");
    bool const too_many = has + quantity > integer(product.terms, "per_user_limit");
    if (too_many && !mischief_.no_limit) return problem(409, "purchase_limit_reached");
    if (left < quantity && !mischief_.sell_without_end) return problem(409, "sold_out");
    return std::nullopt;
}

MockAnswer MockSales::order(Product& product, json::object const& body, bool apply) {
    auto const user = text(body, "user");
    auto const quantity = integer(body, "quantity");
    if (auto refusal = refuse(product, user, quantity)) return std::move(*refusal);
    auto const price = integer(product.terms, "price");
    json::object const made{{"id", "o" + std::to_string(product.orders.size())},
                            {"product_id", product.terms.at("id")},
                            {"user", user},
                            {"quantity", quantity},
                            {"unit_price", price},
                            {"total", price * quantity},
                            {"status", "completed"},
                            {"metadata", body.at("metadata")},
                            {"created_at", bench::text_of_instant(now_ms())}};
    MockAnswer answer{201, json::serialize(made)};
    if (!apply) return answer;
    auto const* const payment = product.terms.if_contains("payment");
    std::string bought;
    if (payment && price > 0) {
        json::object const purchase{
            {"buyer", user}, {"author", payment->at("seller")}, {"price", price * quantity}};
        bought = pay_(std::string(payment->at("ledger").as_string()), purchase);
        if (bought.empty()) return problem(402, "insufficient_funds");
    }
    product.orders.push_back(made);
    product.purchases.push_back(bought);
    product.sold += quantity;
    product.held[user] += quantity;
    return answer;
}

MockAnswer MockSales::reconcile() const {
    json::array sales;
    for (auto const& [id, product] : products_) {
        auto const left = product.stock - product.sold;
        sales.push_back({{"product_id", id},
                         {"stock", product.stock},
                         {"sold", product.sold},
                         {"reserved", 0},
                         {"gate_remaining", left + mischief_.gate_ahead},
                         {"drift", 0},
                         {"repaired", false}});
    }
    return {200, json::serialize(json::object{{"sales", std::move(sales)}})};
}

std::optional<MockAnswer> MockSales::get(MockRequest const& request) const {
    auto const& path = request.path;
    bool const as_product = path.starts_with(products_prefix);
    if (!as_product && !path.starts_with(sales_prefix)) return std::nullopt;
    auto const found = products_.find(id_in(path, as_product ? products_prefix : sales_prefix));
    if (found == products_.end()) return problem(404, "product_not_found");
    auto const& product = found->second;
    if (path.ends_with("/orders")) return page(product, request.query);
    auto const users = path.find("/users/");
    if (users == path.npos) return MockAnswer{200, json::serialize(show(product))};
    auto const held = product.held.find(path.substr(users + 7));
    std::int64_t const quantity = held == product.held.end() ? 0 : held->second;
    return MockAnswer{
        200, json::serialize(json::object{{"purchased", quantity > 0}, {"quantity", quantity}})};
}

MockAnswer MockSales::page(Product const& product, std::string const& query) {
    auto const cursor = parameter(query, "cursor");
    auto const limit = std::stoul(parameter(query, "limit"));
    std::size_t at = cursor.empty() ? 0 : std::stoul(cursor);
    json::array data;
    for (; at < product.orders.size() && data.size() < limit; ++at)
        data.push_back(product.orders[at]);
    json::value next;
    if (at < product.orders.size()) next = std::to_string(at);
    return {200, json::serialize(json::object{{"data", std::move(data)}, {"next_cursor", next}})};
}

}  // namespace penstock::tests
