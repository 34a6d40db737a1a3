// Does the activity feed show every change once, newest first, under every filter?
#include <algorithm>
#include <array>
#include <mutex>
#include <set>

#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

using Types = std::vector<std::string>;

std::string text(json::object const& object, char const* name) {
    return std::string(object.at(name).as_string());
}

std::string name_of(std::string const& ledger) { return ledger.substr(ledger.rfind('/') + 1); }

/// What a ledger with one of everything has behind it, oldest first.
struct Story {
    std::string ledger;
    std::string purchase;
    std::string captured;
    std::string voided;
};

std::string id_of(HttpAnswer const& answer) {
    BOOST_REQUIRE_MESSAGE(answer.status / 100 == 2, answer.body);
    return text(answer.document().as_object(), "id");
}

Story tell(Api& api) {
    Story story;
    story.ledger = api.new_ledger();
    auto const& ledger = story.ledger;
    for (auto const* name : {"ann", "bob"}) api.new_account(ledger, name);
    id_of(api.deposit(ledger, "ann", 1'000));
    id_of(api.transfer(ledger, "ann", "bob", 10));
    story.purchase =
        id_of(api.post(ledger + "/purchases", R"({"buyer":"ann","author":"bob","price":100})"));
    auto const hold = [&](char const* amount) {
        return id_of(api.post(ledger + "/holds",
                              R"({"from":"ann","to":"bob","amount":)" + std::string(amount) + "}"));
    };
    story.captured = hold("20");
    story.voided = hold("30");
    id_of(api.post(ledger + "/holds/" + story.captured + "/capture", R"({"amount":15})"));
    id_of(api.post(ledger + "/holds/" + story.voided + "/void", "{}"));
    id_of(api.post(ledger + "/purchases/" + story.purchase + "/refund", "{}"));
    return story;
}

std::vector<json::object> feed(Api& api, std::string const& query, std::size_t limit = 200) {
    return walk(api, "/v1/activity?" + query, limit);
}

/// A row of the feed that a client was told of: it is committed.
struct Told {
    std::string id;
    std::string type;
    std::string ledger;
};

/// Several who write to two ledgers at the same moment, the most of it in bulks: the rows of one
/// bulk have one instant. What they were told is kept.
class Writers {
public:
    static constexpr std::size_t at_once = 4;
    static constexpr int rows_of_a_bulk = 5;

    explicit Writers(ServerProcess const& server) : server_(server) {
        Api api(server);
        for (auto& ledger : ledgers_) {
            ledger = api.new_ledger();
            for (auto const* name : {"ann", "bob"}) api.new_account(ledger, name);
            BOOST_TEST_REQUIRE(api.deposit(ledger, "ann", 1'000'000).status == 201U);
        }
    }

    std::string const& ledger() const { return ledgers_.front(); }

    void start() {
        for (std::size_t i = 0; i < at_once; ++i) threads_.emplace_back([this, i] { write(i); });
    }
    void join() { threads_.clear(); }

    std::vector<Told> told() const {
        std::lock_guard const lock(mutex_);
        return told_;
    }
    std::size_t failures() const { return failures_; }

private:
    void write(std::size_t number) {
        Api api(server_);
        auto const& ledger = ledgers_[number % 2];
        std::string bulk;
        for (int i = 0; i < rows_of_a_bulk; ++i)
            bulk += (i > 0 ? "," : "") + Api::movement("ann", "bob", 1);
        try {
            note(ledger, api.post(ledger + "/transfers/bulk", R"({"transfers":[)" + bulk + "]}"));
            note(ledger, api.post(ledger + "/holds", Api::movement("ann", "bob", 1)));
        } catch (std::exception const&) {
            ++failures_;
        }
    }
    void note(std::string const& ledger, HttpAnswer const& answer) {
        auto const body = answer.document();
        std::lock_guard const lock(mutex_);
        auto const name = name_of(ledger);
        if (answer.status == 201)
            return told_.push_back({text(body.as_object(), "id"), "hold.created", name});
        for (auto const& result : body.at("results").as_array())
            told_.push_back(
                {text(result.at("transfer").as_object(), "id"), "transfer.transfer", name});
    }

    ServerProcess const& server_;
    std::array<std::string, 2> ledgers_;
    mutable std::mutex mutex_;
    std::vector<Told> told_;
    std::atomic<std::size_t> failures_ = 0;
    std::vector<std::jthread> threads_;  // last: they use everything above
};

Types types_of(std::vector<json::object> const& items) {
    Types types;
    for (auto const& item : items) types.push_back(text(item, "type"));
    return types;
}

/// Newest first. Rows of one commit follow each other in the order of their ids.
Types const whole{
    "purchase.refunded",
    "transfer.refund",
    "transfer.refund",
    "hold.voided",
    "hold.captured",
    "transfer.capture",
    "hold.created",
    "hold.created",
    "transfer.royalty_platform",
    "transfer.royalty_author",
    "purchase.completed",
    "transfer.transfer",
    "transfer.deposit",
    "account.created",
    "account.created",
};

BOOST_AUTO_TEST_SUITE(activity, *boost::unit_test::fixture<Servers>())

BOOST_AUTO_TEST_CASE_TEMPLATE(every_change_is_there_once_and_newest_first, Store, Stores) {
    Api api(Store::server());
    auto const story = tell(api);
    auto const items = feed(api, "ledger=" + name_of(story.ledger));
    BOOST_TEST(types_of(items) == whole, boost::test_tools::per_element());
    std::set<std::string> ids;
    for (auto const& item : items) {
        ids.insert(text(item, "id"));
        BOOST_TEST(text(item, "ledger") == name_of(story.ledger));
    }
    BOOST_TEST(ids.size() == items.size());
    BOOST_TEST(std::is_sorted(items.rbegin(), items.rend(), [](auto const& a, auto const& b) {
        return text(a, "id") < text(b, "id");
    }));
    auto const& refunded = items.front();
    BOOST_TEST(text(refunded, "subject") == story.purchase);
    BOOST_TEST(json::serialize(refunded.at("data")) ==
               R"({"buyer":"ann","author":"bob","price":100})");
    BOOST_TEST(text(items.back(), "subject") == "ann");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(pages_of_any_size_give_the_same_feed, Store, Stores) {
    Api api(Store::server());
    auto const story = tell(api);
    auto const query = "ledger=" + name_of(story.ledger);
    auto const all = feed(api, query);
    for (std::size_t const limit : {1U, 2U, 7U}) BOOST_TEST((feed(api, query, limit) == all));
    // What happens meanwhile neither repeats nor hides anything older.
    auto const during =
        walk(api, "/v1/activity?" + query, 4, [&] { id_of(api.deposit(story.ledger, "ann", 1)); });
    BOOST_TEST((during == all));
}

/// A filter, and whether a row of the writers passes it.
struct Filter {
    std::string query;
    std::function<bool(Told const&)> passes;
};

std::vector<Filter> filters_on(std::string const& ledger) {
    auto const name = name_of(ledger);
    auto const here = [name](Told const& row) { return row.ledger == name; };
    auto const all = [](Told const&) { return true; };
    auto const is_hold = [](Told const& row) { return row.type == "hold.created"; };
    auto const is_transfer = [](Told const& row) { return row.type == "transfer.transfer"; };
    return {
        {"", all},
        {"ledger=" + name, here},
        {"account=bob", all},
        {"type=transfer.transfer", is_transfer},
        {"ledger=" + name + "&account=ann", here},
        {"ledger=" + name + "&type=hold.created",
         [=](Told const& row) { return here(row) && is_hold(row); }},
        {"account=bob&type=transfer.transfer", is_transfer},
    };
}

/// One walk beside writers: the second page is asked for when something new is committed.
void walk_beside(Writers& writers, Api& api, Filter const& filter, std::size_t limit) {
    auto const before = writers.told();
    writers.start();
    auto const something_new = [&] {
        await_that([&] { return writers.told().size() > before.size(); }, "a write");
    };
    auto const items = walk(api, "/v1/activity?" + filter.query, limit, something_new);
    writers.join();
    BOOST_TEST_REQUIRE(writers.failures() == 0U);
    std::set<std::string> met;
    for (auto const& item : items) met.insert(text(item, "id"));
    BOOST_TEST(met.size() == items.size(), "something was met twice");
    for (auto const& row : before)
        BOOST_TEST(met.contains(row.id) == filter.passes(row), row.type << ' ' << row.id);
    for (auto const& row : writers.told())
        if (!filter.passes(row)) BOOST_TEST(!met.contains(row.id), row.type << ' ' << row.id);
}

/// What was committed before a walk began is met once, whatever is committed meanwhile, and
/// although an instant is shared by more rows than there are on a page.
void walk_beside_writers(std::vector<std::string> const& options) {
    ServerProcess server(options);
    Writers writers(server);
    Api api(server);
    writers.start();
    writers.join();
    std::set<std::string> instants;
    for (auto const& item : feed(api, "type=transfer.transfer")) instants.insert(text(item, "at"));
    BOOST_TEST(instants.size() <= Writers::at_once, "a bulk has more than one instant");
    auto const filters = filters_on(writers.ledger());
    for (std::size_t round = 0; round < 2; ++round) {
        for (std::size_t i = 0; i < filters.size(); ++i) {
            auto const limit = 1 + (i + 3 * round) % 7;
            BOOST_TEST_CONTEXT("?" << filters[i].query << " by " << limit) {
                walk_beside(writers, api, filters[i], limit);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_walk_beside_writers_meets_once_what_was_there_before) {
    walk_beside_writers({});
    Database database;
    walk_beside_writers({"--database-url", url_of(database)});
}

BOOST_AUTO_TEST_CASE(a_walk_beside_writers_that_commit_alone_meets_once_what_was_there_before) {
    Database database;
    walk_beside_writers({"--database-url", url_of(database), "--commit-mode", "single"});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_type_shows_itself_only, Store, Stores) {
    Api api(Store::server());
    auto const story = tell(api);
    auto const query = "ledger=" + name_of(story.ledger) + "&type=";
    for (auto const& type : std::set<std::string>(whole.begin(), whole.end())) {
        auto const items = feed(api, query + type, 1);
        BOOST_TEST(static_cast<std::ptrdiff_t>(items.size()) == std::ranges::count(whole, type));
        for (auto const& item : items) BOOST_TEST(text(item, "type") == type);
    }
    BOOST_TEST(feed(api, query + "hold.expired").empty());
    BOOST_TEST(api.get("/v1/activity?type=hold.gone").code() == "invalid_request");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_subject_shows_its_own_life, Store, Stores) {
    Api api(Store::server());
    auto const story = tell(api);
    Types const purchase{"purchase.refunded", "purchase.completed"};
    Types const captured{"hold.captured", "hold.created"};
    Types const voided{"hold.voided", "hold.created"};
    Types const account{"account.created"};
    auto const of = [&](std::string const& query) { return types_of(feed(api, query, 1)); };
    BOOST_TEST(of("subject=" + story.purchase) == purchase, boost::test_tools::per_element());
    BOOST_TEST(of("subject=" + story.captured) == captured, boost::test_tools::per_element());
    BOOST_TEST(of("subject=" + story.voided) == voided, boost::test_tools::per_element());
    auto const here = "&ledger=" + name_of(story.ledger);
    BOOST_TEST(of("subject=ann" + here) == account, boost::test_tools::per_element());
    BOOST_TEST(of("account=bob&subject=" + story.purchase) == purchase,
               boost::test_tools::per_element());
    BOOST_TEST(of("account=carl&subject=" + story.purchase).empty());
    BOOST_TEST(of("subject=nothing" + here).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_account_shows_what_it_had_a_part_in, Store, Stores) {
    Api api(Store::server());
    auto const story = tell(api);
    auto const here = "&ledger=" + name_of(story.ledger);
    auto const all = feed(api, here.substr(1));
    for (auto const* name : {"ann", "bob", "@platform"}) {
        Types wanted;
        for (auto const& item : all) {
            auto const& data = item.at("data").as_object();
            bool const has_part = std::ranges::any_of(data, [&](auto const& member) {
                return member.value().is_string() && member.value().as_string() == name;
            });
            if (has_part) wanted.push_back(text(item, "type"));
        }
        BOOST_TEST(wanted.size() > 1U);
        for (std::size_t const limit : {1U, 3U, 200U})
            BOOST_TEST(types_of(feed(api, "account=" + std::string(name) + here, limit)) == wanted,
                       boost::test_tools::per_element());
    }
    BOOST_TEST(feed(api, "account=carl" + here).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_feed_of_all_ledgers_merges_them, Store, Stores) {
    Api api(Store::server());
    auto const one = tell(api);
    // Two ledgers have no common order within a millisecond.
    auto const end = std::chrono::system_clock::now() + std::chrono::milliseconds(2);
    await_that([&] { return std::chrono::system_clock::now() > end; }, "a later time");
    auto const two = tell(api);
    auto const answer = api.get("/v1/activity?limit=30");
    Types twice = whole;
    twice.insert(twice.end(), whole.begin(), whole.end());
    std::vector<json::object> items;
    auto const document = answer.document();
    for (auto const& item : document.at("data").as_array()) items.push_back(item.as_object());
    BOOST_TEST(types_of(items) == twice, boost::test_tools::per_element());
    BOOST_TEST(text(items.front(), "ledger") == name_of(two.ledger));
    BOOST_TEST(text(items.back(), "ledger") == name_of(one.ledger));
    BOOST_TEST(api.get("/v1/activity?ledger=nowhere").code() == "ledger_not_found");
    BOOST_TEST(api.get("/v1/activity?cursor=zz").code() == "invalid_cursor");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
