// What a buyer sees in a real browser: every state of a sale's page, and a purchase on it.
#include <fstream>

#include "server/http/cursor.hpp"
#include "tests/e2e/shop.hpp"
#include "tests/support/browser.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

/// A page of one sale in a browser of its own.
class Page {
public:
    /// Only the browser: it takes seconds to start, which a sale with a short window has not.
    Page() = default;
    Page(ServerProcess const& server, std::string const& product,
         std::string const& fragment = "") {
        open(server, product, fragment);
    }

    void open(ServerProcess const& server, std::string const& product,
              std::string const& fragment = "") {
        browser_.open("http://127.0.0.1:" + std::to_string(server.port()) + "/sale/" + product +
                      fragment);
    }

    /// Waits until the page is in that state.
    void await_state(std::string const& state) {
        bool const reached = browser_.shows("document.body.dataset.state === '" + state + "'");
        BOOST_TEST_REQUIRE(
            reached, "not " << state << " but: " << browser_.text("document.body.dataset.state")
                            << ": " << shown());
        BOOST_TEST(browser_.text("document.querySelector('#badge').checkVisibility()") == "true");
        keep_picture(state);
    }
    /// What the page of that product shows first.
    std::string first_state(std::string const& product) {
        browser_.shows("location.pathname.endsWith('" + product +
                       "') && document.body.dataset.state !== 'loading'");
        return browser_.text("document.body.dataset.state");
    }
    void await_text(std::string const& text) {
        BOOST_TEST_REQUIRE(browser_.shows(words_ + ".includes('" + text + "')"),
                           text << " is not in: " << shown());
    }
    std::string shown() { return browser_.text(words_); }
    bool can_buy() {
        return browser_.text(
                   "!document.querySelector('#buy').disabled && "
                   "document.querySelector('#buy').checkVisibility()") == "true";
    }
    void type_user(std::string const& user) {
        browser_.evaluate("{ const field = document.querySelector('#user'); field.value = '" +
                          user + "'; field.dispatchEvent(new Event('change')); }");
    }
    void press_buy() { browser_.evaluate("document.querySelector('#buy').click()"); }

    /// Nothing was refused by the page's own policy and no script failed. `but`: what a test
    /// brought about itself.
    void check_no_complaint(std::string const& but = "no such complaint") {
        for (auto const& complaint : browser_.complaints())
            BOOST_TEST(complaint.find(but) != std::string::npos, complaint);
    }
    Browser& browser() { return browser_; }

private:
    /// For whoever wants to look: PENSTOCK_PICTURES names a directory.
    void keep_picture(std::string const& name) {
        char const* const directory = std::getenv("PENSTOCK_PICTURES");
        if (directory == nullptr) return;
        auto text = browser_.picture();
        std::replace(text.begin(), text.end(), '+', '-');
        std::replace(text.begin(), text.end(), '/', '_');
        auto const png = server::from_base64url(text.substr(0, text.find('=')));
        std::ofstream(directory + ('/' + name + ".png"), std::ios::binary) << png.value_or("");
    }

    std::string const words_ = "document.body.innerText.replace(/\\s+/g, ' ')";
    Browser browser_;
};

BOOST_AUTO_TEST_SUITE(storefront)

BOOST_AUTO_TEST_CASE(the_page_trusts_only_itself) {
    ServerProcess server({});
    Api api(server);
    auto const page = api.get("/sale/anything");
    BOOST_TEST(page.status == 200U);
    BOOST_TEST(page.header("content-type") == "text/html; charset=utf-8");
    auto const policy = page.header("content-security-policy");
    BOOST_TEST(policy.starts_with("default-src 'none'; script-src 'sha256-"));
    for (auto const* loose : {"unsafe", "*", "http:", "https:"})
        BOOST_TEST(policy.find(loose) == std::string::npos, loose);
    BOOST_TEST(policy.find("frame-ancestors 'none'") != std::string::npos);
    BOOST_TEST(page.header("referrer-policy") == "no-referrer");
    BOOST_TEST(page.body.find("src=\"http") == std::string::npos);
    BOOST_TEST(api.http().request("HEAD", "/sale/anything").status == 200U);
}

BOOST_AUTO_TEST_CASE(a_sale_from_its_countdown_to_sold_out_as_two_buyers_see_it) {
    Database database;
    ServerProcess server({"--database-url", url_of(database)});
    Shop shop(server);
    auto const ledger = shop.new_ledger();
    for (auto const* address : {"ann", "bob", "seller"}) shop.new_account(ledger, address);
    shop.deposit(ledger, "ann", 10'000);
    auto const payment =
        R"(,"payment":{"ledger":")" + ledger.substr(12) + R"(","seller":"seller"})";
    Page ann;
    ann.open(server, shop.new_product(2, payment, in_ms(hour_ms)), "#user=ann");
    ann.await_state("upcoming");
    ann.await_text("A synthesiser");
    ann.await_text("24.90 EUR");
    ann.await_text("Starts in");
    ann.await_text("2 of 2 left");
    BOOST_TEST(!ann.can_buy());
    BOOST_TEST(ann.browser().text("location.hash") == "");
    // Nobody reloads: the page's clock opens the sale.
    std::string product;
    in_time(2'000, [&](std::int64_t ms) {
        product = shop.new_product(2, payment, in_ms(ms));
        ann.open(server, product, "#user=ann");
        bool const seen = ann.first_state(product) == "upcoming";
        ann.await_state("active");
        return seen;
    });
    BOOST_TEST(shop.status(product) == "active");
    BOOST_TEST(ann.can_buy());

    // Somebody without money is told so, and nothing is lost.
    ann.type_user("bob");
    ann.press_buy();
    ann.await_text("not enough money");
    ann.type_user("");
    ann.press_buy();
    ann.await_text("Say who is buying first");
    ann.type_user("ann");
    ann.press_buy();
    ann.await_state("bought");
    ann.await_text("You have it");
    auto const bought = shop.bought_by(product, "ann");
    BOOST_TEST(bought.at("quantity").as_int64() == 1);
    ann.await_text(text_of(bought.at("orders").at(0), "id"));
    BOOST_TEST(shop.balance(ledger, "ann") == 7'510);
    BOOST_TEST(!ann.can_buy());

    // Another visitor sees the stock fall as it happens.
    Page watcher(server, product);
    watcher.await_state("active");
    watcher.await_text("1 of 2 left");
    shop.deposit(ledger, "bob", 10'000);
    auto const last = shop.order(product, "bob");
    BOOST_TEST(last.status == 201U);
    watcher.await_state("sold_out");
    watcher.await_text("0 of 2 left");
    BOOST_TEST(!watcher.can_buy());
    // Who has one is not told that he has none.
    watcher.type_user("bob");
    watcher.await_state("bought");
    watcher.type_user("cid");
    watcher.await_state("sold_out");
    // One comes back.
    shop.cancel(product, last);
    watcher.await_state("active");
    ann.check_no_complaint("402");
    watcher.check_no_complaint();
}

BOOST_AUTO_TEST_CASE(a_sale_that_ends_says_so) {
    ServerProcess server({});
    Shop shop(server);
    Page page;
    in_time(2'000, [&](std::int64_t ms) {
        auto const product = shop.new_product(5, ",\"ends_at\":" + in_ms(ms));
        page.open(server, product);
        bool const active = page.first_state(product) == "active";
        bool const counts = page.shown().find("Ends in") != std::string::npos;
        page.await_state("ended");
        return active && counts;
    });
    page.await_text("The sale is over");
    BOOST_TEST(!page.can_buy());
    page.check_no_complaint();
}

BOOST_AUTO_TEST_CASE(an_unknown_sale_and_a_missing_key_are_told_in_words) {
    ServerProcess server({"--admin-key", "operator-key-0123456789"});
    Shop shop(server, "operator-key-0123456789");
    auto const product = shop.new_product(5);
    Page closed(server, product);
    closed.await_state("error");
    closed.await_text("A key is needed");
    Page unknown(server, "0192f3a0-1111-7abc-8def-0123456789ab", "#key=operator-key-0123456789");
    unknown.await_state("error");
    unknown.await_text("No such sale");
    Page open(server, product, "#key=operator-key-0123456789&user=ann");
    open.await_state("active");
    open.await_text("live");
    open.press_buy();
    open.await_state("bought");
    // The key stays out of the address bar, and of whatever reads it.
    BOOST_TEST(open.browser().text("location.href").find("key") == std::string::npos);
    Page newest(server, "first", "#key=operator-key-0123456789");
    newest.await_state("active");
    newest.await_text("A synthesiser");
}

BOOST_AUTO_TEST_CASE(an_attempt_without_an_answer_is_asked_again_and_made_once) {
    ServerProcess server({});
    Shop shop(server);
    auto const product = shop.new_product(5, ",\"per_user_limit\":5");
    Page page(server, product, "#user=ann");
    page.await_state("active");
    page.await_text("live");
    // The answer to the first attempt is lost on its way, after the order was made.
    page.browser().evaluate(
        "{ const real = window.fetch; window.lost = 0; window.fetch = async (path, options) => {"
        " const answer = await real(path, options);"
        " if (options.method === 'POST' && window.lost++ === 0) throw new TypeError('lost');"
        " return answer; }; }");
    page.press_buy();
    page.await_text("Total");
    BOOST_TEST(page.browser().text("window.lost") == "2");
    BOOST_TEST(shop.bought_by(product, "ann").at("quantity").as_int64() == 1);
    // He may have more: the next purchase is another one.
    page.await_text("Buy another");
    page.press_buy();
    BOOST_TEST(page.browser().shows("window.lost === 3"));
    await_that([&] { return shop.bought_by(product, "ann").at("quantity").as_int64() == 2; },
               "the second purchase");
}

BOOST_AUTO_TEST_CASE(a_page_that_loses_its_server_goes_on_with_the_next_one) {
    Database database;
    auto server = std::make_unique<ServerProcess>(
        std::vector<std::string>{"--database-url", url_of(database)});
    auto const address = "127.0.0.1:" + std::to_string(server->port());
    auto const product = Shop(*server).new_product(5);
    Page page(*server, product, "#user=ann");
    page.await_state("active");
    page.await_text("live");
    server->kill();
    page.await_text("reconnecting");
    // An attempt meanwhile is neither lost nor doubled.
    page.press_buy();
    page.await_text("Asking again");
    server = std::make_unique<ServerProcess>(
        std::vector<std::string>{"--database-url", url_of(database)}, address);
    page.await_state("bought");
    page.await_text("live");
    page.await_text("4 of 5 left");
    BOOST_TEST(Shop(*server).bought_by(product, "ann").at("quantity").as_int64() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
