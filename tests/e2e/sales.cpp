// Does a flash sale keep its rules: over HTTP, on either store, with Redis and without?
#include "tests/e2e/shop.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

std::string url_of(RedisServer const& redis) { return "unix://" + redis.socket_path(); }

/// The servers that the rules must hold on, for as long as the suite runs.
struct Shops {
    Shops() { current = this; }
    Shops(Shops&&) = delete;
    ~Shops() { current = nullptr; }

    Database database;
    RedisServer redis;
    ServerProcess in_memory{{}};
    ServerProcess on_postgres{{"--database-url", url_of(database)}};
    ServerProcess with_redis{{"--database-url", url_of(database), "--redis-url", url_of(redis)}};

    static inline Shops* current = nullptr;
};

struct InMemory {
    static ServerProcess& server() { return Shops::current->in_memory; }
};
struct OnPostgres {
    static ServerProcess& server() { return Shops::current->on_postgres; }
};
struct WithRedis {
    static ServerProcess& server() { return Shops::current->with_redis; }
};
using Everywhere = std::tuple<InMemory, OnPostgres, WithRedis>;

void check_refused(HttpAnswer const& answer, unsigned status, std::string const& code) {
    BOOST_TEST(answer.status == status, answer.body);
    BOOST_TEST(answer.code() == code, answer.body);
}

/// The pointer of a problem's first fault.
std::string pointer_of(HttpAnswer const& answer) {
    auto const document = answer.document();
    auto const* errors = document.as_object().if_contains("errors");
    if (!errors) return "";
    return text_of(errors->as_array().at(0), "pointer");
}

std::string paid_into(std::string const& ledger, std::string const& seller) {
    return R"(,"payment":{"ledger":")" + ledger.substr(ledger.rfind('/') + 1) + R"(","seller":")" +
           seller + R"("})";
}

/// A ledger with a seller and with ann, who has that much.
std::string ledger_of_ann(Shop& shop, long amount) {
    auto ledger = shop.new_ledger();
    shop.new_account(ledger, "ann");
    shop.new_account(ledger, "seller");
    if (amount > 0) shop.deposit(ledger, "ann", amount);
    return ledger;
}

BOOST_AUTO_TEST_SUITE(sales, *boost::unit_test::fixture<Shops>())

BOOST_AUTO_TEST_CASE_TEMPLATE(a_product_is_read_as_it_was_made, On, Everywhere) {
    Shop shop(On::server());
    auto const starts_at = in_ms(-hour_ms);
    auto const ends_at = in_ms(hour_ms);
    auto const made = shop.post("/v1/products", R"({"name":"Čajník","price":0,"stock":3,)"
                                                R"("starts_at":)" +
                                                    starts_at + R"(,"ends_at":)" + ends_at +
                                                    R"(,"per_user_limit":2,"metadata":{"a":[1]}})");
    BOOST_TEST_REQUIRE(made.status == 201U, made.body);
    auto const id = text_of(made.document(), "id");
    auto const product = shop.product(id);
    BOOST_TEST(json::serialize(product) == json::serialize(made.document()));
    BOOST_TEST(text_of(product, "name") == "Čajník");
    BOOST_TEST(product.at("price").as_int64() == 0);
    BOOST_TEST(product.at("remaining").as_int64() == 3);
    BOOST_TEST(product.at("per_user_limit").as_int64() == 2);
    BOOST_TEST(product.at("payment").is_null());
    BOOST_TEST('"' + text_of(product, "starts_at") + '"' == starts_at);
    BOOST_TEST('"' + text_of(product, "ends_at") + '"' == ends_at);
    BOOST_TEST(json::serialize(product.at("metadata")) == R"({"a":[1]})");
    auto const sale = shop.sale_of(id);
    BOOST_TEST(text_of(sale, "product_id") == id);
    BOOST_TEST(text_of(sale, "status") == "active");
    BOOST_TEST(std::abs(*server::parse_instant(text_of(sale, "server_time")) - now_ms()) < 60'000);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(products_are_listed_newest_first_and_the_first_sale_is_the_newest, On,
                              Everywhere) {
    Shop shop(On::server());
    std::vector<std::string> made;
    for (int i = 0; i < 5; ++i) made.push_back(shop.new_product(i));
    auto const listed = walk(shop, "/v1/products", 2);
    BOOST_TEST_REQUIRE(listed.size() >= 5U);
    for (std::size_t i = 0; i < 5; ++i) BOOST_TEST(listed[i].at("id").as_string() == made[4 - i]);
    auto const first = shop.get("/v1/sales/first");
    BOOST_TEST(text_of(first.document(), "product_id") == made.back());
    check_refused(shop.get("/v1/products?cursor=zzz"), 400, "invalid_cursor");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_status_follows_from_the_clock_and_the_stock, On, Everywhere) {
    Shop shop(On::server());
    BOOST_TEST(shop.status(shop.new_product(1)) == "active");
    BOOST_TEST(shop.status(shop.new_product(0)) == "sold_out");
    BOOST_TEST(shop.status(shop.new_product(1, "", in_ms(hour_ms))) == "upcoming");
    // Ended before sold out, and upcoming before it too.
    auto const past = ",\"ends_at\":" + in_ms(-1000);
    BOOST_TEST(shop.status(shop.new_product(1, past)) == "ended");
    BOOST_TEST(shop.status(shop.new_product(0, past)) == "ended");
    BOOST_TEST(shop.status(shop.new_product(0, "", in_ms(hour_ms))) == "upcoming");
    in_time(600, [&](std::int64_t ms) {
        auto const soon = shop.new_product(1, ",\"ends_at\":" + in_ms(2 * ms), in_ms(ms));
        std::vector<std::string> seen{""};
        auto const has_ended = [&] {
            auto const now = shop.status(soon);
            if (now != seen.back()) seen.push_back(now);
            return now == "ended";
        };
        await_that(has_ended, "the end");
        return seen == std::vector<std::string>{"", "upcoming", "active", "ended"};
    });
}

BOOST_AUTO_TEST_CASE(a_product_that_makes_no_sense_is_refused_with_a_pointer) {
    Shop shop(WithRedis::server());
    auto const body = [](std::string const& name, std::string const& value) {
        std::map<std::string, std::string> members{
            {"name", "\"n\""}, {"price", "1"}, {"stock", "1"}, {"starts_at", in_ms(0)}};
        members[name] = value;
        std::string text;
        for (auto const& [member, given] : members)
            text += (text.empty() ? "{\"" : ",\"") + member + "\":" + given;
        return text + "}";
    };
    for (auto const& [name, value] : std::vector<std::pair<std::string, std::string>>{
             {"name", "\"\""},
             {"name", '"' + std::string(201, 'x') + '"'},
             {"name", "\"a\\u0007b\""},
             {"price", "-1"},
             {"price", "1.5"},
             {"price", "9007199254740992"},
             {"stock", "-1"},
             {"starts_at", "\"tomorrow\""},
             {"starts_at", "null"},
             {"ends_at", in_ms(-hour_ms)},
             {"per_user_limit", "0"},
             {"metadata", "[]"},
             {"payment", "{\"ledger\":\"x\"}"},
             {"payment", "{\"ledger\":\"x\",\"seller\":\"@world\"}"},
             {"more", "1"}}) {
        auto const answer = shop.post("/v1/products", body(name, value));
        check_refused(answer, 400, "invalid_request");
        BOOST_TEST(pointer_of(answer).starts_with('/' + name), answer.body);
    }
    auto const ledger = ledger_of_ann(shop, 0);
    auto const product = [&](std::string const& payment) {
        return shop.post("/v1/products", R"({"name":"n","price":1,"stock":1,"starts_at":)" +
                                             in_ms(0) + payment + "}");
    };
    auto const no_ledger = product(paid_into("/v1/ledgers/none-such", "seller"));
    check_refused(no_ledger, 404, "ledger_not_found");
    BOOST_TEST(pointer_of(no_ledger) == "/payment/ledger");
    auto const no_seller = product(paid_into(ledger, "nobody"));
    check_refused(no_seller, 404, "account_not_found");
    BOOST_TEST(pointer_of(no_seller) == "/payment/seller");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_order_is_made_read_and_listed, On, Everywhere) {
    Shop shop(On::server());
    auto const product = shop.new_product(10, ",\"per_user_limit\":5");
    auto const made = shop.order(product, "ann", R"(,"quantity":2,"metadata":{"gift":true})");
    BOOST_TEST_REQUIRE(made.status == 201U, made.body);
    auto const order = made.document();
    BOOST_TEST(text_of(order, "product_id") == product);
    BOOST_TEST(text_of(order, "user") == "ann");
    BOOST_TEST(order.at("quantity").as_int64() == 2);
    BOOST_TEST(order.at("unit_price").as_int64() == 2490);
    BOOST_TEST(order.at("total").as_int64() == 4980);
    BOOST_TEST(text_of(order, "status") == "completed");
    BOOST_TEST(json::serialize(order.at("metadata")) == R"({"gift":true})");
    auto const read = shop.get(Shop::sale(product) + "/orders/" + text_of(order, "id"));
    BOOST_TEST(read.body == made.body);
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(shop.order(product, "bob " + std::to_string(i)).status == 201U);
    BOOST_TEST(walk(shop, Shop::sale(product) + "/orders", 2).size() == 4U);
    auto const anns = walk(shop, Shop::sale(product) + "/orders?user=ann", 1);
    BOOST_TEST_REQUIRE(anns.size() == 1U);
    BOOST_TEST(anns[0].at("id").as_string() == order.at("id").as_string());
    auto const bought = shop.bought_by(product, "ann");
    BOOST_TEST(bought.at("purchased").as_bool());
    BOOST_TEST(bought.at("quantity").as_int64() == 2);
    BOOST_TEST(bought.at("orders").as_array().size() == 1U);
    BOOST_TEST(!shop.bought_by(product, "nobody").at("purchased").as_bool());
    BOOST_TEST(shop.bought_by(product, "bob%201").at("purchased").as_bool());
    BOOST_TEST(shop.product(product).at("sold").as_int64() == 5);
    BOOST_TEST(shop.sale_of(product).at("remaining").as_int64() == 5);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_cannot_be_had_is_refused_in_this_order, On, Everywhere) {
    Shop shop(On::server());
    // The window comes first, whatever is left.
    auto const starts_at = in_ms(hour_ms);
    auto const upcoming = shop.new_product(0, "", starts_at);
    auto const early = shop.order(upcoming, "ann");
    check_refused(early, 403, "sale_not_started");
    BOOST_TEST('"' + text_of(early.document(), "starts_at") + '"' == starts_at);
    auto const past = shop.new_product(0, ",\"ends_at\":" + in_ms(-1000));
    check_refused(shop.order(past, "ann"), 403, "sale_ended");
    // Nothing left at all comes before the user's limit, and that before not enough.
    auto const product = shop.new_product(2, ",\"per_user_limit\":1");
    BOOST_TEST(shop.order(product, "ann").status == 201U);
    check_refused(shop.order(product, "ann"), 409, "purchase_limit_reached");
    check_refused(shop.order(product, "bob", ",\"quantity\":2"), 409, "purchase_limit_reached");
    BOOST_TEST(shop.order(product, "bob").status == 201U);
    check_refused(shop.order(product, "ann"), 409, "sold_out");
    auto const few = shop.new_product(2, ",\"per_user_limit\":9");
    check_refused(shop.order(few, "ann", ",\"quantity\":3"), 409, "sold_out");
    BOOST_TEST(shop.order(few, "ann", ",\"quantity\":2").status == 201U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_not_there_is_404, On, Everywhere) {
    Shop shop(On::server());
    auto const product = shop.new_product(1);
    for (std::string const nothing : {"0192f3a0-1111-7abc-8def-0123456789ab", "x"}) {
        check_refused(shop.get("/v1/products/" + nothing), 404, "product_not_found");
        check_refused(shop.get(Shop::sale(nothing)), 404, "product_not_found");
        check_refused(shop.get(Shop::sale(nothing) + "/events"), 404, "product_not_found");
        check_refused(shop.get(Shop::sale(nothing) + "/orders"), 404, "product_not_found");
        check_refused(shop.get(Shop::sale(nothing) + "/users/a"), 404, "product_not_found");
        check_refused(shop.order(nothing, "ann"), 404, "product_not_found");
        check_refused(shop.restock(nothing, 1), 404, "product_not_found");
        auto const orders = Shop::sale(product) + "/orders/" + nothing;
        check_refused(shop.get(orders), 404, "order_not_found");
        check_refused(shop.post(orders + "/cancel", "{}"), 404, "order_not_found");
    }
    // The body is judged before the product is looked for.
    for (std::string const body : {"{}", R"({"user":""})", R"({"user":"a","quantity":0})",
                                   R"({"user":"a\u0001"})", R"({"user":"a","more":1})"})
        check_refused(shop.post(Shop::sale("x") + "/orders", body), 400, "invalid_request");
    auto const long_user = std::string(129, 'u');
    check_refused(shop.order(product, long_user), 400, "invalid_request");
    check_refused(shop.get(Shop::sale(product) + "/users/" + long_user), 400, "invalid_request");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_repeated_order_has_its_first_answer_whatever_came_since, On,
                              Everywhere) {
    Shop shop(On::server());
    auto const product = shop.new_product(1);
    auto const key = fresh("key");
    auto const first = shop.order(product, "ann", "", key);
    BOOST_TEST_REQUIRE(first.status == 201U, first.body);
    auto const check_replay = [&] {
        auto const again = shop.order(product, "ann", "", key);
        BOOST_TEST(again.status == 201U, again.body);
        BOOST_TEST(again.body == first.body);
        BOOST_TEST(again.header("idempotent-replayed") == "true");
    };
    // Sold out by now, also in the memory of the server.
    for (int i = 0; i < 3; ++i) check_refused(shop.order(product, "bob"), 409, "sold_out");
    check_replay();
    check_refused(shop.order(product, "bob", "", key), 422, "idempotency_key_reused");
    BOOST_TEST(shop.cancel(product, first).status == 200U);
    check_replay();
    BOOST_TEST(shop.product(product).at("sold").as_int64() == 0);
    check_refused(shop.post(Shop::sale(product) + "/orders", Shop::order_body("ann"), ""), 400,
                  "idempotency_key_missing");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_refused_key_may_succeed_later, On, Everywhere) {
    Shop shop(On::server());
    auto const product = shop.new_product(0);
    auto const key = fresh("key");
    check_refused(shop.order(product, "ann", "", key), 409, "sold_out");
    BOOST_TEST(shop.restock(product, 1).status == 200U);
    auto const made = shop.order(product, "ann", "", key);
    BOOST_TEST(made.status == 201U, made.body);
    BOOST_TEST(made.header("idempotent-replayed") == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(cancelling_gives_back_stock_and_limit_once, On, Everywhere) {
    Shop shop(On::server());
    auto const product = shop.new_product(1);
    auto const made = shop.order(product, "ann");
    BOOST_TEST_REQUIRE(made.status == 201U, made.body);
    check_refused(shop.order(product, "bob"), 409, "sold_out");
    auto const key = fresh("key");
    auto const cancelled = shop.cancel(product, made, key);
    BOOST_TEST_REQUIRE(cancelled.status == 200U, cancelled.body);
    BOOST_TEST(text_of(cancelled.document(), "status") == "cancelled");
    BOOST_TEST(text_of(cancelled.document(), "id") == text_of(made.document(), "id"));
    check_refused(shop.cancel(product, made), 409, "illegal_transition");
    auto const again = shop.cancel(product, made, key);
    BOOST_TEST(again.body == cancelled.body);
    BOOST_TEST(again.header("idempotent-replayed") == "true");
    BOOST_TEST(shop.product(product).at("remaining").as_int64() == 1);
    auto const bought = shop.bought_by(product, "ann");
    BOOST_TEST(!bought.at("purchased").as_bool());
    BOOST_TEST(bought.at("orders").as_array().size() == 1U);
    // At once: for him, and for somebody else.
    auto const second = shop.order(product, "ann");
    BOOST_TEST_REQUIRE(second.status == 201U, second.body);
    BOOST_TEST(shop.cancel(product, second).status == 200U);
    BOOST_TEST(shop.order(product, "bob").status == 201U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_order_is_cancelled_also_after_the_end, On, Everywhere) {
    Shop shop(On::server());
    in_time(1'500, [&](std::int64_t ms) {
        auto const product = shop.new_product(1, ",\"ends_at\":" + in_ms(ms));
        auto const made = shop.order(product, "ann");
        if (made.code() == "sale_ended") return false;
        BOOST_TEST_REQUIRE(made.status == 201U, made.body);
        await_that([&] { return shop.status(product) == "ended"; }, "the end");
        BOOST_TEST(shop.cancel(product, made).status == 200U);
        BOOST_TEST(shop.product(product).at("sold").as_int64() == 0);
        check_refused(shop.order(product, "bob"), 403, "sale_ended");
        return true;
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(restock_raises_the_stock_at_once, On, Everywhere) {
    Shop shop(On::server());
    auto const product = shop.new_product(1);
    BOOST_TEST(shop.order(product, "ann").status == 201U);
    for (int i = 0; i < 3; ++i) check_refused(shop.order(product, "bob"), 409, "sold_out");
    auto const restocked = shop.restock(product, 2);
    BOOST_TEST_REQUIRE(restocked.status == 200U, restocked.body);
    BOOST_TEST(restocked.document().at("stock").as_int64() == 3);
    BOOST_TEST(restocked.document().at("remaining").as_int64() == 2);
    BOOST_TEST(shop.order(product, "bob").status == 201U);
    BOOST_TEST(shop.order(product, "cid").status == 201U);
    check_refused(shop.order(product, "dan"), 409, "sold_out");
    check_refused(shop.restock(product, 0), 400, "invalid_request");
    check_refused(shop.restock(product, 9007199254740991), 422, "amount_overflow");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_paid_order_buys_in_the_ledger_and_its_cancellation_refunds, On,
                              Everywhere) {
    Shop shop(On::server());
    auto const ledger = ledger_of_ann(shop, 5'000);
    auto const product = shop.new_product(9, ",\"per_user_limit\":9" + paid_into(ledger, "seller"));
    BOOST_TEST(text_of(shop.product(product).at("payment"), "seller") == "seller");
    auto const made = shop.order(product, "ann", ",\"quantity\":2");
    BOOST_TEST_REQUIRE(made.status == 201U, made.body);
    BOOST_TEST(shop.balance(ledger, "ann") == 20);
    BOOST_TEST(shop.balance(ledger, "seller") == 3'486);
    BOOST_TEST(shop.balance(ledger, "@platform") == 1'494);
    check_refused(shop.order(product, "ann"), 402, "insufficient_funds");
    check_refused(shop.order(product, "seller"), 400, "self_purchase");
    check_refused(shop.order(product, "nobody"), 404, "account_not_found");
    check_refused(shop.order(product, "@world"), 400, "invalid_request");
    // What was refused for money took nothing.
    BOOST_TEST(shop.product(product).at("sold").as_int64() == 2);
    BOOST_TEST(shop.cancel(product, made).status == 200U);
    BOOST_TEST(shop.balance(ledger, "ann") == 5'000);
    BOOST_TEST(shop.balance(ledger, "seller") == 0);
    check_refused(shop.cancel(product, made), 409, "illegal_transition");
    check_verified(shop, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_refund_that_the_seller_cannot_pay_leaves_the_order, On,
                              Everywhere) {
    Shop shop(On::server());
    auto const ledger = ledger_of_ann(shop, 5'000);
    auto const product = shop.new_product(1, paid_into(ledger, "seller"));
    auto const made = shop.order(product, "ann");
    BOOST_TEST_REQUIRE(made.status == 201U, made.body);
    BOOST_TEST(shop.withdraw(ledger, "seller", 1'000).status == 201U);
    check_refused(shop.cancel(product, made), 402, "insufficient_funds");
    BOOST_TEST(shop.product(product).at("sold").as_int64() == 1);
    BOOST_TEST(shop.bought_by(product, "ann").at("purchased").as_bool());
    check_verified(shop, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_change_of_a_sale_is_in_the_activity_feed, On, Everywhere) {
    Shop shop(On::server());
    auto const product = shop.new_product(1);
    auto const made = shop.order(product, "ann");
    shop.cancel(product, made);
    shop.restock(product, 4);
    auto const order = text_of(made.document(), "id");
    auto const types = [&](std::string const& subject) {
        std::string text;
        for (auto const& item : walk(shop, "/v1/activity?subject=" + subject, 200))
            text += std::string(item.at("type").as_string()) + ' ';
        return text;
    };
    BOOST_TEST(types(product) == "product.restocked product.created ");
    BOOST_TEST(types(order) == "order.cancelled order.completed ");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_5000_users_at_once_exactly_as_many_buy_as_there_is_stock, On,
                              Everywhere) {
    Shop shop(On::server());
    auto const product = shop.new_product(200);
    auto crowd = Crowd::of_distinct_users(5'000);
    crowd.buy(product, {On::server().port()});
    crowd.insist(product, On::server().port());
    BOOST_TEST(crowd.count(201) == 200U);
    BOOST_TEST(crowd.count("sold_out") == 4'800U);
    BOOST_TEST(shop.status(product) == "sold_out");
    check_sale(shop, product, crowd);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_user_who_asks_50_times_at_once_has_exactly_one, On, Everywhere) {
    Shop shop(On::server());
    auto const product = shop.new_product(200);
    Crowd crowd(50, [](std::size_t) { return "ann"; });
    crowd.buy(product, {On::server().port()});
    BOOST_TEST(crowd.count(201) == 1U);
    BOOST_TEST(crowd.count("purchase_limit_reached") == 49U);
    BOOST_TEST(shop.product(product).at("sold").as_int64() == 1);
    check_sale(shop, product, crowd);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_crowd_that_pays_leaves_the_books_in_balance, On, Everywhere) {
    Shop shop(On::server());
    auto const ledger = shop.new_ledger(R"(,"accounts":"implicit")");
    shop.new_account(ledger, "seller");
    // Every second one has the money.
    for (int i = 0; i < 60; i += 2)
        BOOST_TEST(shop.deposit(ledger, "user-" + std::to_string(i), 2'490).status == 201U);
    auto const product = shop.new_product(20, paid_into(ledger, "seller"));
    auto crowd = Crowd::of_distinct_users(60);
    crowd.buy(product, {On::server().port()});
    crowd.insist(product, On::server().port());
    // A unit that was held for somebody without money may have been refused to another one.
    BOOST_TEST(crowd.count(201) <= 20U);
    BOOST_TEST(crowd.count(201) > 0U);
    BOOST_TEST(crowd.count("insufficient_funds") + crowd.count("sold_out") + crowd.count(201) ==
               60U);
    check_sale(shop, product, crowd);
    check_verified(shop, ledger);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(sales_access)

constexpr char const* admin_key = "operator-key-0123456789";

std::string new_key(Api& admin, std::string const& organization, std::string const& scope) {
    auto const key = admin.post("/v1/organizations/" + organization + "/keys",
                                R"({"name":"test","scopes":[")" + scope + R"("]})");
    BOOST_REQUIRE_MESSAGE(key.status == 201, key.body);
    return text_of(key.document(), "secret");
}

std::string new_organization(Api& admin) {
    auto const made =
        admin.post("/v1/organizations", R"({"name":")" + fresh("organization") + R"("})");
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    return text_of(made.document(), "id");
}

BOOST_AUTO_TEST_CASE(products_are_the_admins_and_orders_the_writers) {
    ServerProcess server({"--admin-key", admin_key});
    Shop admin(server, admin_key);
    auto const organization = new_organization(admin);
    Shop owner(server, new_key(admin, organization, "admin"));
    Shop writer(server, new_key(admin, organization, "write"));
    Shop reader(server, new_key(admin, organization, "read"));
    auto const product = owner.new_product(5);
    auto const body = R"({"name":"n","price":1,"stock":1,"starts_at":)" + in_ms(0) + "}";
    BOOST_TEST(writer.post("/v1/products", body).code() == "forbidden");
    BOOST_TEST(writer.restock(product, 1).code() == "forbidden");
    BOOST_TEST(writer.order(product, "ann").status == 201U);
    BOOST_TEST(reader.order(product, "bob").code() == "forbidden");
    BOOST_TEST(reader.product(product).at("sold").as_int64() == 1);
    // Another organization sees nothing of it, whatever its key may do.
    Shop stranger(server, new_key(admin, new_organization(admin), "admin"));
    for (auto const& answer :
         {stranger.get("/v1/products/" + product), stranger.get(Shop::sale(product)),
          stranger.get(Shop::sale(product) + "/orders"), stranger.order(product, "ann"),
          stranger.restock(product, 1), stranger.get(Shop::sale(product) + "/events"),
          stranger.get("/v1/sales/first")})
        BOOST_TEST(answer.code() == "product_not_found", answer.body);
    // The page is for everybody; what it shows is not.
    Api anybody(server);
    BOOST_TEST(anybody.get("/sale/" + product).status == 200U);
    BOOST_TEST(anybody.get(Shop::sale(product)).status == 401U);
}

BOOST_AUTO_TEST_CASE(orders_are_limited_by_user_and_by_address_before_any_work) {
    ServerProcess server({"--admin-key", admin_key, "--rate-limit-user", "1/h,burst=2",
                          "--rate-limit-address", "1/h,burst=5"});
    Shop admin(server, admin_key);
    auto const organization = new_organization(admin);
    auto const product = Shop(server, new_key(admin, organization, "admin")).new_product(100);
    Shop one(server, new_key(admin, organization, "write"));
    Shop other(server, new_key(admin, organization, "write"));
    BOOST_TEST(one.order(product, "ann").status == 201U);
    BOOST_TEST(other.order(product, "ann").code() == "purchase_limit_reached");
    auto const refused = one.order(product, "ann");
    BOOST_TEST(refused.status == 429U);
    BOOST_TEST(refused.code() == "rate_limited");
    BOOST_TEST(!refused.header("retry-after").empty());
    BOOST_TEST(refused.header("ratelimit").find("\"user\";r=0") != std::string::npos);
    BOOST_TEST(one.order(product, "bob").status == 201U);
    BOOST_TEST(other.order(product, "cid").status == 201U);
    // Five came from here: also a new user has to wait.
    auto const crowded = one.order(product, "dan");
    BOOST_TEST(crowded.status == 429U);
    BOOST_TEST(crowded.header("ratelimit").find("\"address\";r=0") != std::string::npos);
    // Reading is not ordering, and the admin is trusted.
    BOOST_TEST(one.product(product).at("sold").as_int64() == 3);
    Shop owner(server, new_key(admin, organization, "admin"));
    for (int i = 0; i < 4; ++i) BOOST_TEST(owner.order(product, "eve").status != 429U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
