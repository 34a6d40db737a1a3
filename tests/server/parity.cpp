// Are the lists of two stores compared, each of them, page by page and cursor by cursor?
#include "server/parity.hpp"

#include <algorithm>
#include <boost/describe/enum_to_string.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <regex>
#include <set>

#include "db/memory_store.hpp"
#include "server/context.hpp"
#include "server/operations.hpp"
#include "tests/support/run.hpp"

using namespace penstock;
using namespace penstock::domain;
using server::ListReport;
using server::ParityLimits;

namespace {

constexpr Instant now{10'000'000};

/// Where an item of a list stands, and which of those that could stand there it is.
struct Slot {
    int at = 0;
    int which = 1;
};
using Slots = std::vector<Slot>;

constexpr Slot passed_over{40};

template <class Id>
Id id_at(Slot slot) {
    return Id{make_uuid7(Instant{slot.at}, 0, static_cast<std::uint64_t>(slot.which))};
}

/// Ascending, as the slots descend.
std::string name_at(Slot slot) {
    return std::string(1, static_cast<char>('a' + (30 - slot.at) / 10)) +
           std::to_string(slot.which);
}

enum class Damage { first_missing, last_missing, all_missing, another, surplus, order, cursor };

/// False: it cannot be done to this list.
bool damage(Slots& slots, Damage how) {
    switch (how) {
        case Damage::first_missing:
            slots.erase(slots.begin());
            return true;
        case Damage::last_missing:
            slots.pop_back();
            return true;
        case Damage::all_missing:
            slots.clear();
            return true;
        case Damage::another:
            slots.back().which = 2;
            return true;
        case Damage::surplus:
            slots.push_back({0});
            return true;
        case Damage::order:
            if (slots.size() < 2) return false;
            std::swap(slots[0], slots[1]);
            return true;
        case Damage::cursor:
            return false;
    }
    return false;
}

std::string text_of(std::string const& value) { return value; }
std::string text_of(Amount value) { return std::to_string(value); }
std::string text_of(Instant value) { return std::to_string(value.ms); }
template <class Tag>
std::string text_of(Id<Tag> const& value) {
    return value.to_string();
}
template <class Enum>
requires std::is_enum_v<Enum> std::string text_of(Enum value) {
    return boost::describe::enum_to_string(value, "?");
}

template <class T>
void filter_by(std::string& query, char const* name, std::optional<T> const& value) {
    if (!value) return;
    query += (query.find('?') == query.npos ? '?' : '&') + std::string(name) + '=';
    query += text_of(*value);
}

LedgerId const cash = id_at<LedgerId>({1});
LedgerId const points = id_at<LedgerId>({2});

/// An organization with a ledger of money and one of credits. Every list has the same three items,
/// whatever it is asked for; one that passes over rows begins with a page of nothing. It remembers
/// what it was asked for, and damages what a test wants to be damaged.
class Shelf : public db::MemoryStore {
    class Streams;
    class Credits;
    class Exports;
    class Jobs;

public:
    /// What becomes of a list when it is looked at; nullopt: nothing.
    using Damages = std::function<std::optional<Damage>(std::string const& list, int look)>;

    explicit Shelf(Damages damages = nullptr);
    ~Shelf() override;

    std::map<std::string, int> const& asked() const { return asked_; }
    std::set<std::string> const& damaged() const { return damaged_; }

    Listed<Organization> list_organizations(std::optional<OrganizationId> after, std::size_t limit,
                                            SteadyTime) override {
        auto const make = [](Slot slot) {
            Organization one;
            one.id = id_at<OrganizationId>(slot);
            one.name = "acme";
            return one;
        };
        auto const behind = [&](Organization const& one) { return !after || one.id > *after; };
        co_return page<Organization>("organizations", limit, Slots{{30}}, make, behind);
    }
    Listed<ApiKey> list_api_keys(OrganizationId, std::optional<ApiKeyId> after, std::size_t limit,
                                 SteadyTime) override {
        // Oldest first.
        auto const make = [](Slot slot) {
            ApiKey one;
            one.id = id_at<ApiKeyId>({100 - slot.at, slot.which});
            return one;
        };
        auto const behind = [&](ApiKey const& one) { return !after || one.id > *after; };
        co_return page<ApiKey>("acme: keys", limit, three(), make, behind);
    }
    Listed<Ledger> list_ledgers(OrganizationId, std::optional<std::string> after, std::size_t limit,
                                SteadyTime) override {
        auto const make = [](Slot slot) {
            bool const is_money = slot.at == 30;
            Ledger one;
            one.id = is_money ? cash : points;
            one.name = is_money ? "cash" : "points";
            if (slot.which == 2) one.name += '!';
            if (slot.at == 0) one.name = "zero";
            one.kind = is_money ? LedgerKind::money : LedgerKind::credits;
            return one;
        };
        auto const behind = [&](Ledger const& one) { return !after || one.name > *after; };
        co_return page<Ledger>("acme: ledgers", limit, Slots{{30}, {20}}, make, behind);
    }
    Listed<Account> list_accounts(LedgerId ledger, db::AccountPage wanted, SteadyTime) override {
        auto list = in(ledger) + "accounts";
        if (!wanted.prefix.empty()) list += "?prefix=" + wanted.prefix;
        auto const make = [&](Slot slot) {
            Account one;
            one.address = wanted.prefix + name_at(slot);
            return one;
        };
        auto const behind = [&](Account const& one) {
            return !wanted.after || one.address > *wanted.after;
        };
        co_return page<Account>(list, wanted.limit, three(), make, behind);
    }
    Listed<Transfer> list_entries(AccountName account, db::EntryPage wanted, SteadyTime) override {
        auto const list = in(account.ledger) + "accounts/" + account.address + "/entries";
        db::TransferPage page_of;
        page_of.account = account.address;
        page_of.before = wanted.before;
        auto const behind = [&](Transfer const& one) {
            return db::booking_of(one, account.address) < *wanted.before;
        };
        auto const make = [&](Slot slot) { return transfer(slot, page_of); };
        co_return page<Transfer>(list, wanted.limit, three(), make, behind);
    }
    asio::awaitable<Result<db::TransferList>> list_transfers(LedgerId ledger,
                                                             db::TransferPage wanted,
                                                             SteadyTime) override {
        auto list = in(ledger) + "transfers";
        filter_by(list, "account", wanted.account);
        filter_by(list, "kind", wanted.kind);
        filter_by(list, "reference", wanted.reference);
        filter_by(list, "from", wanted.from);
        filter_by(list, "to", wanted.to);
        auto const behind = [&](Transfer const& one) {
            if (wanted.is_by_booking())
                return db::booking_of(one, *wanted.account) < *wanted.before;
            return one.id < *wanted.before_id;
        };
        auto const make = [&](Slot slot) { return transfer(slot, wanted); };
        db::TransferList answer;
        if (wanted.passes_over_rows() && behind(make(passed_over)))
            answer.scanned_to = make(passed_over_in(list));
        else
            answer.items = page<Transfer>(list, wanted.limit, three(), make, behind);
        co_return answer;
    }
    Listed<Purchase> list_purchases(LedgerId ledger, db::PurchasePage wanted, SteadyTime) override {
        auto list = in(ledger) + "purchases";
        filter_by(list, "buyer", wanted.buyer);
        filter_by(list, "author", wanted.author);
        auto const make = [](Slot slot) {
            Purchase one;
            one.id = id_at<PurchaseId>(slot);
            one.buyer.address = "ann";
            one.author.address = "bob";
            return one;
        };
        co_return by_id<Purchase>(list, wanted, make);
    }
    Listed<Hold> list_holds(LedgerId ledger, db::HoldPage wanted, SteadyTime) override {
        auto list = in(ledger) + "holds";
        filter_by(list, "account", wanted.account);
        filter_by(list, "status", wanted.status);
        co_return by_id<Hold>(list, wanted, only_id<Hold, HoldId>);
    }
    Listed<Product> list_products(OrganizationId, std::optional<ProductId> before,
                                  std::size_t limit, SteadyTime) override {
        auto const behind = [&](Product const& one) { return !before || one.id < *before; };
        co_return page<Product>("acme: products", limit, three(), only_id<Product, ProductId>,
                                behind);
    }
    Listed<Order> list_orders(ProductId product, db::OrderPage wanted, SteadyTime) override {
        auto list = "acme: sales/" + product.to_string() + "/orders";
        filter_by(list, "user", wanted.user);
        auto const make = [](Slot slot) {
            Order one;
            one.id = id_at<OrderId>(slot);
            one.user = "eve";
            return one;
        };
        co_return by_id<Order>(list, wanted, make);
    }
    Listed<db::Activity> list_activity(OrganizationId, db::ActivityPage wanted,
                                       SteadyTime) override {
        auto list = (wanted.ledger ? in(*wanted.ledger) : std::string("acme: ")) + "activity";
        filter_by(list, "ledger", wanted.ledger);
        filter_by(list, "account", wanted.account);
        filter_by(list, "subject", wanted.subject);
        if (wanted.type)
            filter_by(list, "type", std::optional(std::string(db::activity_name(*wanted.type))));
        auto const make = [](Slot slot) {
            db::Activity one;
            one.id = id_at<EventId>(slot);
            one.subject = "what it is about";
            one.account = "ann";
            return one;
        };
        co_return by_id<db::Activity>(list, wanted, make);
    }

    db::CreditStore& credits() override;
    db::StreamStore& streams() override;
    db::ExportStore& exports() override;
    db::JobQueue& jobs() override;

private:
    static Slots three() { return {{30}, {20}, {10}}; }
    static std::string in(LedgerId ledger) {
        return ledger == cash ? "acme/cash: " : "acme/points: ";
    }

    template <class Item, class Id>
    static Item only_id(Slot slot) {
        Item one{};
        one.id = id_at<Id>(slot);
        return one;
    }

    static Transfer transfer(Slot slot, db::TransferPage const& wanted) {
        Transfer one;
        one.id = id_at<TransferId>(slot);
        one.kind = wanted.kind.value_or(TransferKind::transfer);
        one.from.address = wanted.account.value_or("ann");
        one.from.version = slot.at;
        one.reference = "invoice";
        return one;
    }

    std::optional<Damage> damage_of(std::string const& list, bool is_new_look = true) {
        int& looks = asked_[list];
        auto const look = is_new_look ? looks++ : looks;
        return damages_ ? damages_(list, look) : std::nullopt;
    }

    template <class Item, class Make, class Behind>
    std::vector<Item> page(std::string const& list, std::size_t limit, Slots slots, Make make,
                           Behind is_behind) {
        auto const wanted = damage_of(list);
        if (wanted && damage(slots, *wanted)) damaged_.insert(list);
        std::vector<Item> items;
        for (auto const slot : slots) {
            auto item = make(slot);
            if (items.size() < limit && is_behind(item)) items.push_back(std::move(item));
        }
        return items;
    }

    template <class Item, class Page, class Make>
    std::vector<Item> by_id(std::string const& list, Page const& wanted, Make make) {
        auto const behind = [&](Item const& one) {
            return !wanted.before || one.id < *wanted.before;
        };
        return page<Item>(list, wanted.limit, three(), make, behind);
    }

    /// The row at which a page of nothing ended.
    Slot passed_over_in(std::string const& list) {
        auto row = passed_over;
        if (damage_of(list, false) == Damage::cursor) {
            row.which = 2;
            damaged_.insert(list);
        }
        return row;
    }

    Damages damages_;
    std::map<std::string, int> asked_;
    std::set<std::string> damaged_;
    std::unique_ptr<Streams> streams_;
    std::unique_ptr<Credits> credits_;
    std::unique_ptr<Exports> exports_;
    std::unique_ptr<Jobs> jobs_;
};

class Shelf::Streams : public db::MemoryStreams {
public:
    explicit Streams(Shelf& shelf) : shelf_(shelf) {}

    asio::awaitable<Result<db::StreamList>> list_streams(LedgerId ledger, db::StreamPage wanted,
                                                         SteadyTime) override {
        auto list = in(ledger) + "streams";
        filter_by(list, "status", wanted.status);
        filter_by(list, "sender", wanted.sender);
        filter_by(list, "recipient", wanted.recipient);
        auto const make = [](Slot slot) {
            auto one = only_id<Stream, StreamId>(slot);
            one.sender.address = "ann";
            one.recipient.address = "bob";
            return one;
        };
        db::StreamList answer;
        if (wanted.status && id_at<StreamId>(passed_over) < *wanted.before)
            answer.scanned_to = id_at<StreamId>(shelf_.passed_over_in(list));
        else
            answer.items = shelf_.by_id<Stream>(list, wanted, make);
        co_return answer;
    }

private:
    Shelf& shelf_;
};

class Shelf::Credits : public db::MemoryCredits {
public:
    explicit Credits(Shelf& shelf) : MemoryCredits(no_ledgers, nobody, nothing), shelf_(shelf) {}

    Balances list_balances(LedgerId ledger, db::CreditBalancePage wanted, SteadyTime) override {
        auto list = in(ledger) + "credits/balances";
        filter_by(list, "min_balance", std::optional(wanted.min_balance));
        auto const make = [](Slot slot) { return db::CreditBalance{name_at(slot), slot.at}; };
        auto const behind = [&](db::CreditBalance const& one) {
            return !wanted.after || one.address > *wanted.after;
        };
        db::CreditBalanceList answer;
        if (wanted.passes_over_rows() && !wanted.after)
            answer.scanned_to = name_at(shelf_.passed_over_in(list));
        else
            answer.items =
                shelf_.page<db::CreditBalance>(list, wanted.limit, three(), make, behind);
        co_return answer;
    }
    asio::awaitable<Result<std::int64_t>> count_balances(LedgerId ledger, Instant, Amount least,
                                                         SteadyTime) override {
        auto list = in(ledger) + "credits/balances/count";
        filter_by(list, "min_balance", std::optional(least));
        auto const counted = [](Slot slot) { return slot; };
        auto const any = [](Slot) { return true; };
        auto const slots = shelf_.page<Slot>(list, 4, three(), counted, any);
        std::int64_t sum = 0;
        for (auto const slot : slots) sum += slot.at + slot.which;
        co_return sum;
    }
    History list_history(LedgerId ledger, db::CreditHistoryPage wanted, SteadyTime) override {
        auto list = in(ledger) + "credits/history";
        filter_by(list, "address", wanted.address);
        filter_by(list, "kind", wanted.kind);
        filter_by(list, "reference", wanted.reference);
        filter_by(list, "from", wanted.from);
        // Where no end is asked for it is where everything ends.
        if (wanted.to < begin()) filter_by(list, "to", wanted.to);
        auto const make = [&](Slot slot) {
            CreditEntry one;
            one.operation = id_at<CreditOperationId>({slot.at});
            one.index = slot.which;
            one.reference = "order";
            one.party.address = "ann";
            return one;
        };
        auto const behind = [&](CreditEntry const& one) {
            return !wanted.before || LotPlace{one.operation, one.index} < *wanted.before;
        };
        auto const at = [](Slot slot) {
            return LotPlace{id_at<CreditOperationId>({slot.at}), slot.which};
        };
        db::CreditHistoryList answer;
        if (wanted.passes_over_rows() && !wanted.before)
            answer.scanned_to = at(shelf_.passed_over_in(list));
        else
            answer.items = shelf_.page<CreditEntry>(list, wanted.limit, three(), make, behind);
        co_return answer;
    }

private:
    static Instant begin() { return {now.ms - ParityLimits().margin.count()}; }

    inline static Ledgers const no_ledgers;
    inline static Accounts const nobody;
    inline static Events const nothing;
    Shelf& shelf_;
};

class Shelf::Jobs : public db::MemoryJobQueue {
public:
    explicit Jobs(Shelf& shelf) : shelf_(shelf) {}

    asio::awaitable<Result<std::vector<Job>>> list(db::JobPage wanted, SteadyTime) override {
        auto list = (wanted.ledger ? in(*wanted.ledger) : std::string("acme: ")) + "jobs";
        filter_by(list, "ledger", wanted.ledger);
        filter_by(list, "status", wanted.status);
        filter_by(list, "kind", wanted.kind);
        auto const make = [](Slot slot) {
            auto one = only_id<Job, JobId>(slot);
            one.kind = "report";
            return one;
        };
        co_return shelf_.by_id<Job>(list, wanted, make);
    }

private:
    Shelf& shelf_;
};

class Shelf::Exports : public db::MemoryExports {
public:
    explicit Exports(Shelf& shelf)
        : MemoryExports(no_jobs, {rows, by_id, by_account}), shelf_(shelf) {}

    Listed<Export> list(db::ExportPage wanted, SteadyTime) override {
        co_return shelf_.by_id<Export>("acme: exports", wanted, only_id<Export, ExportId>);
    }
    Listed<ExportAudit> list_audit(db::ExportAuditPage wanted, SteadyTime) override {
        auto const list = "acme: exports/" + wanted.subject.to_string() + "/audit";
        co_return shelf_.by_id<ExportAudit>(list, wanted, only_id<ExportAudit, EventId>);
    }

private:
    inline static db::MemoryJobQueue no_jobs;
    inline static std::map<std::uint64_t, Transfer> const rows;
    inline static std::map<TransferId, std::uint64_t> const by_id;
    inline static std::map<AccountName, std::vector<std::uint64_t>> const by_account;
    Shelf& shelf_;
};

Shelf::Shelf(Damages damages)
    : damages_(std::move(damages)),
      streams_(std::make_unique<Streams>(*this)),
      credits_(std::make_unique<Credits>(*this)),
      exports_(std::make_unique<Exports>(*this)),
      jobs_(std::make_unique<Jobs>(*this)) {}
Shelf::~Shelf() = default;

db::CreditStore& Shelf::credits() { return *credits_; }
db::StreamStore& Shelf::streams() { return *streams_; }
db::ExportStore& Shelf::exports() { return *exports_; }
db::JobQueue& Shelf::jobs() { return *jobs_; }

ParityLimits limits(std::size_t page_items = 2, milliseconds settle = {}) {
    ParityLimits few;
    few.page_items = page_items;
    few.sample = 1;
    few.settle = settle;
    few.differences_max = 10'000;
    return few;
}

ListReport compared(db::Store& primary, db::Store& shadow, ParityLimits how) {
    ListReport report;
    auto body = [&]() -> asio::awaitable<void> {
        report = co_await server::compare_lists(primary, shadow, now, how);
    };
    tests::run(body);
    return report;
}

std::set<std::string> lists_of(ListReport const& report) {
    std::set<std::string> lists;
    for (auto const& one : report.differences) {
        BOOST_TEST(one.where == "list");
        lists.insert(one.which);
    }
    return lists;
}

/// All lists that two stores were asked for.
std::set<std::string> all_lists() {
    Shelf primary, shadow;
    auto const report = compared(primary, shadow, limits());
    BOOST_TEST(lists_of(report) == std::set<std::string>(), boost::test_tools::per_element());
    std::set<std::string> lists;
    for (auto const& [list, looks] : primary.asked()) lists.insert(list);
    return lists;
}

/// A list without what it was asked for: what is left is asked of one statement.
std::string shape_of(std::string const& list) {
    static std::regex const id("[0-9a-f]{8}-[0-9a-f-]{27}");
    static std::regex const value("=[^&]*");
    return std::regex_replace(std::regex_replace(list, id, "*"), value, "");
}

/// What parity calls the list of a route, and a filter of it.
std::string list_of(std::string_view route) {
    static std::map<std::string_view, std::string> const others{
        {"list_api_keys", "keys"},
        {"list_entries", "/entries"},
        {"list_orders", "/orders"},
        {"list_export_audit", "/audit"},
        {"list_reports", "jobs?ledger&kind"},
        {"list_dead_letters", "jobs?status"},
        {"list_credit_balances", "credits/balances"},
        {"count_credit_balances", "credits/balances/count"},
        {"list_credit_history", "credits/history"}};
    auto const other = others.find(route);
    if (other != others.end()) return other->second;
    constexpr std::string_view list = "list_";
    return route.starts_with(list) ? std::string(route.substr(list.size())) : std::string();
}

std::string filter_of(std::string_view name) {
    // A stream is the subject of what happens to it.
    return name == "stream" ? "subject" : std::string(name);
}

bool has_filter(std::string const& shape, std::string const& filter) {
    static std::regex const separator("[?&]");
    std::sregex_token_iterator parts(shape.begin(), shape.end(), separator, -1);
    return std::find(++parts, std::sregex_token_iterator(), filter) != std::sregex_token_iterator();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(parity)

BOOST_AUTO_TEST_CASE(every_list_of_the_api_is_walked_under_each_of_its_filters) {
    std::set<std::string> shapes;
    for (auto const& list : all_lists()) shapes.insert(shape_of(list));
    for (auto const& route : server::route_table()) {
        auto const list = list_of(route.name);
        bool const counts = route.name == "count_credit_balances";
        if (!server::is_list(route) && !counts) continue;
        BOOST_TEST_CONTEXT(route.name) {
            std::vector<std::string> walked;
            for (auto const& shape : shapes)
                if (shape.find(list) != shape.npos) walked.push_back(shape);
            BOOST_TEST(!walked.empty());
            for (auto const name : route.query.view()) {
                if (name == "limit" || name == "cursor") continue;
                auto const filter = filter_of(name);
                auto const is_asked = [&](auto const& shape) { return has_filter(shape, filter); };
                BOOST_TEST(std::ranges::any_of(walked, is_asked), filter);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(filters_that_no_index_knows_together_are_walked_together) {
    std::set<std::string> shapes;
    for (auto const& list : all_lists()) shapes.insert(shape_of(list));
    for (auto const* shape : {"acme/cash: transfers?account&kind",
                              "acme/cash: transfers?kind&reference",
                              "acme/cash: transfers?account&reference",
                              "acme/cash: transfers?account&from&to",
                              "acme/cash: transfers?reference&from&to",
                              "acme/cash: purchases?buyer&author",
                              "acme/cash: holds?account&status",
                              "acme/cash: streams?status&sender",
                              "acme/cash: streams?status&recipient",
                              "acme/cash: streams?status&sender&recipient",
                              "acme/cash: activity?ledger&account&type",
                              "acme/cash: activity?ledger&subject&type",
                              "acme/cash: activity?ledger&account&subject",
                              "acme: activity?account&type",
                              "acme: jobs?status&kind",
                              "acme/points: credits/history?address&kind",
                              "acme/points: credits/history?address&reference",
                              "acme/points: credits/history?kind&reference",
                              "acme/points: credits/history?address&from&to",
                              "acme/points: credits/history?reference&from&to"})
        BOOST_TEST(shapes.contains(shape), shape);
}

BOOST_AUTO_TEST_CASE(every_product_and_every_export_has_its_lists_walked_on_whatever_page_it_is) {
    std::map<std::string, int> count;
    for (auto const& list : all_lists()) ++count[shape_of(list)];
    BOOST_TEST(count["acme: sales/*/orders"] == 3);
    BOOST_TEST(count["acme: sales/*/orders?user"] == 3);
    BOOST_TEST(count["acme: exports/*/audit"] == 3);
}

BOOST_AUTO_TEST_CASE(no_list_can_be_damaged_in_any_way_that_is_not_seen) {
    auto const lists = all_lists();
    for (auto const how : {Damage::first_missing, Damage::last_missing, Damage::another,
                           Damage::surplus, Damage::order, Damage::cursor}) {
        BOOST_TEST_CONTEXT("damage " << static_cast<int>(how)) {
            Shelf primary;
            Shelf shadow([how](std::string const&, int) { return how; });
            auto const found = lists_of(compared(primary, shadow, limits()));
            // A count has no order, and of most lists the cursors are those of their items.
            auto const& expected =
                how == Damage::order || how == Damage::cursor ? shadow.damaged() : lists;
            BOOST_TEST(!expected.empty());
            std::vector<std::string> unseen;
            std::ranges::set_difference(expected, found, std::back_inserter(unseen));
            std::erase_if(unseen, [how](auto const& list) {
                return how == Damage::order && list.find("/count") != list.npos;
            });
            BOOST_TEST(unseen == std::vector<std::string>(), boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_CASE(what_differs_in_one_list_only_is_found_there_and_nowhere_else) {
    std::map<std::string, std::string> one_of_each;
    for (auto const& list : all_lists()) one_of_each.emplace(shape_of(list), list);
    constexpr Damage ways[] = {Damage::first_missing, Damage::last_missing, Damage::another,
                               Damage::surplus};
    std::size_t number = 0;
    for (auto const& [shape, damaged] : one_of_each) {
        auto const how = ways[number++ % std::size(ways)];
        auto const only = [how, damaged = damaged](std::string const& list, int) {
            return list == damaged ? std::optional(how) : std::nullopt;
        };
        Shelf primary, shadow(only);
        auto const found = lists_of(compared(primary, shadow, limits()));
        BOOST_TEST(found == std::set<std::string>{damaged}, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(accounts_are_not_asked_for_what_their_ledger_has_nothing_of) {
    std::string const holds = "acme/cash: holds", deposits = "acme/cash: transfers?kind=deposit";
    auto const none = [&](std::string const& list, int) {
        bool const empty = list == holds || list == deposits;
        return empty ? std::optional(Damage::all_missing) : std::nullopt;
    };
    Shelf primary(none), shadow(none);
    BOOST_TEST(lists_of(compared(primary, shadow, limits())).empty());
    std::size_t of_accounts = 0;
    for (auto const& [list, looks] : primary.asked()) {
        bool const of_account = list.find("account=") != list.npos;
        bool const of_kind = list.find("kind=") != list.npos;
        BOOST_TEST(!(of_account && list.starts_with(holds)), list);
        BOOST_TEST(!(of_account && list.find("kind=deposit") != list.npos), list);
        if (of_account && of_kind) ++of_accounts;
    }
    BOOST_TEST(of_accounts > 0);
    BOOST_TEST(primary.asked().contains(holds));
    BOOST_TEST(primary.asked().contains(deposits));
}

BOOST_AUTO_TEST_CASE(no_more_differences_are_named_than_wanted_however_many_are_looked_at_at_once) {
    Shelf primary, shadow([](std::string const&, int) { return Damage::last_missing; });
    auto few = limits();
    few.differences_max = 3;
    few.at_once = 8;
    BOOST_TEST(compared(primary, shadow, few).differences.size() == 3);
}

BOOST_AUTO_TEST_CASE(behind_a_page_of_nothing_the_lists_are_compared_as_well) {
    auto const damaged = "acme/cash: streams?status=draft";
    auto const only = [&](std::string const& list, int) {
        return list == damaged ? std::optional(Damage::last_missing) : std::nullopt;
    };
    Shelf primary, shadow(only);
    auto const report = compared(primary, shadow, limits());
    BOOST_REQUIRE(report.differences.size() == 1);
    BOOST_TEST(report.differences.front().which == damaged);
    BOOST_TEST(report.differences.front().what.find("page 3: ") == 0,
               report.differences.front().what);
}

BOOST_AUTO_TEST_CASE(what_is_on_its_way_is_waited_for) {
    auto const late = [](std::string const& list, int look) {
        bool const is_missing = list == "acme/cash: holds" && look == 0;
        return is_missing ? std::optional(Damage::first_missing) : std::nullopt;
    };
    Shelf primary, shadow(late);
    auto const report = compared(primary, shadow, limits(2, std::chrono::seconds(20)));
    BOOST_TEST(report.differences.empty());
}

BOOST_AUTO_TEST_CASE(items_that_differ_in_turn_are_on_their_way_and_one_that_always_does_is_not) {
    // The whole list on one page: nothing moves in from behind.
    constexpr std::size_t all = 10;
    auto const in_turn = [](std::string const& list, int look) {
        if (list != "acme/cash: holds?status=pending") return std::optional<Damage>();
        return std::optional(look % 2 == 0 ? Damage::first_missing : Damage::last_missing);
    };
    Shelf primary, moving(in_turn);
    auto const followed = compared(primary, moving, limits(all, std::chrono::seconds(20)));
    BOOST_TEST(followed.differences.empty());
    auto const always = [](std::string const& list, int look) {
        if (list != "acme/cash: holds?status=pending") return std::optional<Damage>();
        return std::optional(look % 2 == 0 ? Damage::first_missing : Damage::order);
    };
    // Missing at every second look, and in the wrong order at the others: nothing is so always.
    Shelf restless(always);
    auto const settled = compared(primary, restless, limits(all, std::chrono::seconds(20)));
    BOOST_TEST(settled.differences.empty());
    auto const for_good = [](std::string const& list, int) {
        bool const is_it = list == "acme/cash: holds?status=pending";
        return is_it ? std::optional(Damage::last_missing) : std::nullopt;
    };
    Shelf stale(for_good);
    auto const behind = compared(primary, stale, limits(all, milliseconds(200)));
    BOOST_REQUIRE(behind.differences.size() == 1);
    BOOST_TEST(behind.differences.front().which == "acme/cash: holds?status=pending");
}

BOOST_AUTO_TEST_SUITE_END()
