// Does every list refuse the cursors of every other list?
#include <map>

#include "tests/e2e/shop.hpp"

namespace penstock::tests {
namespace {

/// Lists of two items and more, each with its path and what is already behind the question mark.
class Lists {
public:
    explicit Lists(ServerProcess const& server) : shop_(server) {
        make("/v1/organizations", R"({"name":")" + fresh("organization") + R"("})");
        paths_ = {"/v1/organizations?", "/v1/ledgers?", "/v1/activity?", "/v1/admin/jobs?"};
        make_wallets();
        make_credits();
        make_sale();
        make_exports();
    }

    std::vector<std::string> const& paths() const { return paths_; }

    /// Where the list goes on after its first item.
    std::string cursor_of(std::string const& path) {
        auto const answer = shop_.get(path + "limit=1");
        BOOST_REQUIRE_MESSAGE(answer.status == 200, path << answer.body);
        auto const document = answer.document();
        auto const& cursor = document.at("next_cursor");
        BOOST_REQUIRE_MESSAGE(cursor.is_string(), path << " has one page");
        return std::string(cursor.as_string());
    }
    HttpAnswer go_on(std::string const& path, std::string const& cursor) {
        return shop_.get(path + "limit=1&cursor=" + cursor);
    }

private:
    void make(std::string const& path, std::string const& body) {
        auto const answer = shop_.post(path, body);
        BOOST_REQUIRE_MESSAGE(answer.status / 100 == 2, path << answer.body);
    }

    void make_wallets() {
        auto const ledger = shop_.new_ledger();
        shop_.new_account(ledger, "ann");
        shop_.new_account(ledger, "bob");
        for (int i = 0; i < 2; ++i) {
            BOOST_TEST(shop_.deposit(ledger, "ann", 100).status == 201U);
            make(ledger + "/holds", Shop::movement("ann", "bob", 1));
            make(ledger + "/purchases", R"({"buyer":"ann","author":"bob","price":1})");
            make(ledger + "/reports", R"({"type":"financial"})");
            make(ledger + "/streams",
                 R"({"sender":"ann","recipient":"bob","total":1,"duration_s":1})");
        }
        for (auto const* list :
             {"/accounts?", "/accounts/ann/entries?", "/transfers?", "/transfers?account=ann&",
              "/holds?", "/purchases?", "/reports?", "/streams?"})
            paths_.push_back(ledger + list);
    }

    void make_exports() {
        std::string const list = "/v1/exports";
        for (int i = 0; i < 2; ++i) make(list, R"({"source":"transfers","format":"csv"})");
        paths_.push_back(list + '?');
        auto const made = shop_.get(list + "?limit=1").document();
        auto const path = list + '/' + std::string(made.at("data").at(0).at("id").as_string());
        auto const is_ready = [&] {
            return shop_.get(path).document().at("status").as_string() == "ready";
        };
        await_that(is_ready, "an export");
        paths_.push_back(path + "/audit?");
    }

    void make_credits() {
        auto const ledger = shop_.new_ledger(R"(,"kind":"credits")");
        for (auto const* address : {"ann", "bob"})
            make(ledger + "/credits/grants", R"({"reference":")" + fresh("grant") +
                                                 R"(","entries":[{"address":")" + address +
                                                 R"(","amount":1}]})");
        paths_.push_back(ledger + "/credits/balances?");
        paths_.push_back(ledger + "/credits/history?");
    }

    void make_sale() {
        shop_.new_product(1);
        auto const product = shop_.new_product(2);
        for (auto const* user : {"ann", "bob"})
            BOOST_TEST(shop_.order(product, user).status == 201U);
        paths_.push_back("/v1/products?");
        paths_.push_back(Shop::sale(product) + "/orders?");
    }

    Shop shop_;
    std::vector<std::string> paths_;
};

/// What a list shows page by page, an item each, and with which cursor it goes on.
std::vector<std::string> pages_of(ServerProcess const& server, std::string const& path) {
    Api api(server);
    std::vector<std::string> pages;
    std::string cursor;
    for (int page = 0; page < 20; ++page) {
        auto const answer = api.get(path + "limit=1" + cursor);
        BOOST_REQUIRE_MESSAGE(answer.status == 200, path << answer.body);
        auto const document = answer.document();
        auto const& data = document.at("data").as_array();
        // What a stream has vested is another amount in every moment.
        bool const moves = path.find("/streams?") != path.npos;
        pages.push_back(json::serialize(moves ? data.at(0).at("id") : document));
        auto const& next = document.at("next_cursor");
        if (!next.is_string()) break;
        cursor = "&cursor=" + std::string(next.as_string());
        pages.push_back(cursor);
    }
    return pages;
}

BOOST_AUTO_TEST_SUITE(cursors, *boost::unit_test::fixture<Servers>())

BOOST_AUTO_TEST_CASE_TEMPLATE(every_list_goes_on_with_its_own_cursor_only, Store, Stores) {
    Lists lists(Store::server());
    std::map<std::string, std::string> cursors;
    for (auto const& path : lists.paths()) cursors[path] = lists.cursor_of(path);
    for (auto const& path : lists.paths()) {
        for (auto const& [owner, cursor] : cursors) {
            auto const answer = lists.go_on(path, cursor);
            BOOST_TEST_CONTEXT(path << " goes on with a cursor of " << owner) {
                if (owner == path) {
                    BOOST_TEST(answer.status == 200U);
                } else {
                    BOOST_TEST(answer.status == 400U);
                    BOOST_TEST(answer.code() == "invalid_cursor");
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_copy_of_a_database_has_the_same_pages_with_the_same_cursors) {
    Database here, there;
    ServerProcess original({"--database-url", url_of(here)});
    Lists lists(original);
    Operator(url_of(here)).await("SELECT count(*) FROM jobs WHERE finished_at IS NULL", "0");
    auto const copied =
        ServerProcess::run({"backfill", "--from", url_of(here), "--to", url_of(there)});
    BOOST_REQUIRE_MESSAGE(copied.code == 0, copied.output);
    ServerProcess copy({"--database-url", url_of(there)});
    for (auto const& path : lists.paths())
        BOOST_TEST(pages_of(copy, path) == pages_of(original, path),
                   boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
