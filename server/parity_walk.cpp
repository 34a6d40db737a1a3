// Do two databases answer the same lists? A walk over all of them, page by page.
#include <algorithm>
#include <array>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <functional>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>

#include "db/export_store.hpp"
#include "domain/report.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"
#include "reactor/turnstile.hpp"
#include "server/parity.hpp"
#include "server/parity_lists.hpp"

// g++ 12 inlines a coroutine's operator new but not its delete, and calls the pair mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace penstock::server {
namespace {

using namespace domain;
using lists::items_of;
using lists::List;
using lists::Lists;
using lists::PageSeen;
using lists::Reading;
using Names = std::vector<std::string>;

constexpr milliseconds look_again{50};

template <class T>
T must(Result<T> result, std::string const& what) {
    if (!result) throw std::runtime_error(what + ": " + result.error().message());
    return std::move(*result);
}

Names those_in(Names const& names, std::set<std::string> const& wanted) {
    Names some;
    for (auto const& name : names)
        if (wanted.contains(name)) some.push_back(name);
    return some;
}

/// In what two looks at one page differ.
struct Disagreement {
    std::set<std::string> items = {};  ///< that only one of them has
    bool order = false;                ///< what both have stands in another order
    bool rest = false;                 ///< the same items, and the list goes on elsewhere

    bool any() const { return !items.empty() || order || rest; }
};

Disagreement disagreement(PageSeen const& ours, PageSeen const& theirs) {
    std::set<std::string> const here(ours.names.begin(), ours.names.end());
    std::set<std::string> const there(theirs.names.begin(), theirs.names.end());
    Disagreement found;
    std::ranges::set_symmetric_difference(here, there,
                                          std::inserter(found.items, found.items.end()));
    found.order = those_in(ours.names, there) != those_in(theirs.names, here);
    found.rest = found.items.empty() && ours.rest != theirs.rest;
    return found;
}

/// What differed then and differs now.
Disagreement lasting(Disagreement const& before, Disagreement const& now) {
    Disagreement both;
    std::ranges::set_intersection(before.items, now.items,
                                  std::inserter(both.items, both.items.end()));
    both.order = before.order && now.order;
    both.rest = before.rest && now.rest;
    return both;
}

std::string described(Disagreement const& found, PageSeen const& ours, PageSeen const& theirs) {
    auto const count = std::max(ours.names.size(), theirs.names.size());
    for (std::size_t i = 0; i < count; ++i) {
        if (i < ours.names.size() && found.items.contains(ours.names[i]))
            return ours.names[i] + " is not in the shadow's";
        if (i < theirs.names.size() && found.items.contains(theirs.names[i]))
            return theirs.names[i] + " is in the shadow's only";
    }
    if (found.order) return "the same items in another order";
    auto const shown = [](PageSeen const& page) { return page.rest.value_or("nowhere"); };
    return "goes on behind " + shown(ours) + ", in the shadow behind " + shown(theirs);
}

/// At most so many of them, each once, in their order.
template <class Items, class TextOf>
Names some_of(Items const& items, std::size_t count, TextOf text_of) {
    Names some;
    for (auto const& item : items) {
        std::optional<std::string> const text = text_of(item);
        if (some.size() >= count) break;
        if (text && std::ranges::find(some, *text) == some.end()) some.push_back(*text);
    }
    return some;
}

void append(Lists& all, Lists more) { std::ranges::move(more, std::back_inserter(all)); }

/// Some of a period in which something happened: what is newer than the oldest of them, and older
/// than the newest.
template <class Page, class Item>
void set_period(Page& page, std::vector<Item> const& newest_first) {
    if (newest_first.empty()) return;
    page.from = newest_first.back().created_at();
    page.to = std::max(newest_first.front().created_at(), Instant{page.from->ms + 1});
}

/// Awaits `work(item)` for every item, so many of them side by side. After a failure nothing is
/// begun any more, and the first one is thrown.
template <class Item, class Work>
asio::awaitable<void> for_each_at_once(std::vector<Item> items, std::size_t at_once, Work work) {
    auto const executor = co_await asio::this_coro::executor;
    std::size_t next = 0;
    std::exception_ptr failure;
    auto const take_turns = [&]() -> asio::awaitable<void> {
        while (next < items.size() && !failure) {
            auto const& item = items[next++];
            try {
                co_await work(item);
            } catch (std::exception const&) {
                if (!failure) failure = std::current_exception();
            }
        }
    };
    reactor::TaskGroup tasks(executor);
    for (std::size_t i = 0; i < std::min(at_once, items.size()); ++i) tasks.spawn(take_turns());
    bool const ended = co_await tasks.join();
    if (!ended) {
        tasks.cancel();
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await tasks.join();
    }
    if (failure) std::rethrow_exception(failure);
}

class Walk {
public:
    Walk(asio::any_io_executor executor, db::Store& primary, db::Store& shadow, Instant now,
         ParityLimits limits)
        : primary_(primary),
          shadow_(shadow),
          limits_(limits),
          looks_(executor, std::numeric_limits<std::size_t>::max()) {
        looks_.open_to(limits.at_once);
        how_.limit = limits.page_items;
        how_.begin = Instant{now.ms - limits.margin.count()};
        how_.step_max = limits.step_max;
    }

    asio::awaitable<ListReport> run() {
        auto const all = lists::organizations(how_);
        co_await walk(all);
        std::optional<OrganizationId> after;
        for (;;) {
            auto page =
                co_await primary_.list_organizations(after, limits_.page_items, how_.deadline());
            auto const some = must(std::move(page), "organizations");
            auto const visit = [&](Organization const& one) { return walk_organization(one); };
            co_await for_each_at_once(some, limits_.at_once, visit);
            if (some.size() < limits_.page_items || enough()) co_return std::move(report_);
            after = some.back().id;
        }
    }

private:
    bool enough() const { return report_.differences.size() >= limits_.differences_max; }

    /// The page of both, once nothing differs any more that differed all the time.
    struct Compared {
        PageSeen ours;
        std::optional<std::string> difference = {};
    };

    struct Look {
        Result<PageSeen> there, here;
    };
    struct Inside {
        reactor::Turnstile& turnstile;
        ~Inside() { turnstile.leave(); }
    };

    /// At one page of both.
    asio::awaitable<Look> look_at(List list, std::optional<std::string> after) {
        auto const refused = co_await looks_.enter(never);
        if (refused) co_return Look{refused, refused};
        Inside const inside{looks_};
        auto there = co_await list.read(shadow_, after);
        auto here = co_await list.read(primary_, after);
        co_return Look{std::move(there), std::move(here)};
    }

    asio::awaitable<Compared> compare(List list, std::optional<std::string> after) {
        auto const settled_by = steady_now() + limits_.settle;
        std::optional<Disagreement> all_the_time;
        for (;;) {
            auto look = co_await look_at(list, after);
            auto const theirs = must(std::move(look.there), list.name + " in the shadow");
            Compared compared{must(std::move(look.here), list.name)};
            auto const now = disagreement(compared.ours, theirs);
            all_the_time = all_the_time ? lasting(*all_the_time, now) : now;
            if (!all_the_time->any()) co_return compared;
            if (steady_now() >= settled_by) {
                compared.difference = described(*all_the_time, compared.ours, theirs);
                co_return compared;
            }
            bool const awake = co_await reactor::sleep_until(steady_now() + look_again);
            if (!awake) throw std::runtime_error(list.name + ": interrupted");
        }
    }

    /// Until the list or the pages end, or a page is not the same in both. May anything be in it?
    asio::awaitable<bool> walk(List list) {
        ++report_.lists;
        bool any = false;
        std::optional<std::string> after;
        for (std::size_t page = 1; page <= limits_.pages && !enough(); ++page) {
            auto compared = co_await compare(list, after);
            ++report_.pages;
            report_.items += compared.ours.names.size();
            if (compared.difference) {
                auto what = "page " + std::to_string(page) + ": " + *compared.difference;
                if (!enough()) report_.differences.push_back({"list", list.name, std::move(what)});
                co_return true;
            }
            any = any || !compared.ours.names.empty();
            if (!compared.ours.rest) co_return any;
            after = std::move(compared.ours.rest);
        }
        co_return true;
    }

    asio::awaitable<void> walk_each(Lists some) {
        for (auto const& list : some) {
            if (enough()) co_return;
            co_await walk(list);
        }
    }

    /// In which of some lists may anything be?
    using Inhabited = std::vector<bool>;

    /// When nothing is in the first, nothing is in the others.
    asio::awaitable<Inhabited> walk_family(Lists some) {
        Inhabited inhabited(some.size(), false);
        for (std::size_t i = 0; i < some.size() && !enough(); ++i) {
            inhabited[i] = co_await walk(some[i]);
            if (!inhabited.front()) break;
        }
        co_return inhabited;
    }

    /// Of lists that ask for less than others did, those where that leaves anything.
    static Lists within(Inhabited const& wider, Lists narrower) {
        Lists some;
        for (std::size_t i = 0; i < narrower.size(); ++i)
            if (wider.at(i)) some.push_back(std::move(narrower[i]));
        return some;
    }

    /// The feed of a large organization takes long: it is walked beside the ledgers.
    asio::awaitable<void> walk_organization(Organization organization) {
        auto const id = organization.id;
        auto const how = how_.in(organization.name + ": ");
        using Part = std::function<asio::awaitable<void>()>;
        std::vector<Part> parts;
        parts.push_back([&] { return walk_feed(how, id); });
        parts.push_back([&] { return walk_ledgers(how, organization); });
        parts.push_back([&] {
            return walk_each(Lists{lists::api_keys(how, id), lists::ledgers(how, id)});
        });
        parts.push_back([&] { return walk_jobs(how, id); });
        parts.push_back([&] { return walk_products(how, id); });
        parts.push_back([&] { return walk_exports(how, id); });
        auto const visit = [](Part const& part) { return part(); };
        co_await for_each_at_once(parts, limits_.at_once, visit);
    }

    asio::awaitable<void> walk_feed(Reading how, OrganizationId organization) {
        co_await walk_activity(how, organization, std::nullopt);
    }

    asio::awaitable<void> walk_ledgers(Reading how, Organization organization) {
        std::optional<std::string> after;
        for (;;) {
            auto page = co_await primary_.list_ledgers(organization.id, after, limits_.page_items,
                                                       how.deadline());
            auto const ledgers = must(std::move(page), how.where + "ledgers");
            auto const visit = [&](Ledger const& ledger) {
                return walk_ledger(how_.in(organization.name + '/' + ledger.name + ": "), ledger);
            };
            co_await for_each_at_once(ledgers, limits_.at_once, visit);
            if (ledgers.size() < limits_.page_items || enough()) co_return;
            after = ledgers.back().name;
        }
    }

    asio::awaitable<void> walk_jobs(Reading how, OrganizationId organization) {
        db::JobPage wanted;
        wanted.organization = organization;
        wanted.limit = limits_.page_items;
        auto page = co_await primary_.jobs().list(wanted, how.deadline());
        auto const newest = must(std::move(page), how.where + "jobs");
        auto some = lists::jobs_of_each_status(how, wanted);
        auto const kinds = some_of(newest, limits_.sample, [](Job const& job) { return job.kind; });
        for (auto const& kind : kinds) {
            wanted.kind = kind;
            append(some, lists::jobs_of_each_status(how, wanted));
        }
        co_await walk_family(std::move(some));
    }

    /// Of each type, and about what happened last of it.
    asio::awaitable<bool> walk_activity(Reading how, OrganizationId organization,
                                        std::optional<LedgerId> ledger) {
        db::ActivityPage wanted;
        wanted.ledger = ledger;
        auto const all = lists::activity(how, organization, wanted);
        bool const any = co_await walk(all);
        if (!any) co_return false;
        std::set<std::string> known;
        for (auto const& [type, name] : db::activity_names()) {
            if (enough()) co_return true;
            wanted.type = type;
            auto const of_type = lists::activity(how, organization, wanted);
            bool const happened = co_await walk(of_type);
            if (!happened) continue;
            auto last = wanted;
            last.before = how.youngest<EventId>();
            last.limit = 1;
            auto page = co_await primary_.list_activity(organization, last, how.deadline());
            auto const newest = must(std::move(page), of_type.name);
            if (newest.empty()) continue;
            auto about = lists_about(how, organization, wanted, newest.front());
            std::erase_if(about, [&](List const& one) { return !known.insert(one.name).second; });
            co_await walk_each(std::move(about));
        }
        co_return true;
    }

    static Lists lists_about(Reading const& how, OrganizationId organization,
                             db::ActivityPage const& of_type, db::Activity const& item) {
        Lists some;
        auto const add = [&](bool with_type, bool with_subject, bool with_account) {
            auto page = of_type;
            if (!with_type) page.type.reset();
            if (with_subject) page.subject = item.subject;
            if (with_account) page.account = item.account;
            some.push_back(lists::activity(how, organization, page));
        };
        add(false, true, false);
        add(true, true, false);
        if (!item.account) return some;
        add(false, false, true);
        add(true, false, true);
        add(false, true, true);
        return some;
    }

    asio::awaitable<void> walk_products(Reading how, OrganizationId organization) {
        auto const all = lists::products(how, organization);
        co_await walk(all);
        std::optional<ProductId> before;
        while (!enough()) {
            auto page = co_await primary_.list_products(organization, before, limits_.page_items,
                                                        how.deadline());
            auto const products = must(std::move(page), all.name);
            for (auto const& product : products) co_await walk_orders(how, product.id);
            if (products.size() < limits_.page_items) co_return;
            before = products.back().id;
        }
    }

    asio::awaitable<void> walk_orders(Reading how, ProductId product) {
        db::OrderPage wanted;
        wanted.limit = limits_.page_items;
        Lists some{lists::orders(how, product, wanted)};
        auto page = co_await primary_.list_orders(product, wanted, how.deadline());
        auto const newest = must(std::move(page), some.front().name);
        auto const users =
            some_of(newest, limits_.sample, [](Order const& order) { return order.user; });
        for (auto const& user : users) {
            wanted.user = user;
            some.push_back(lists::orders(how, product, wanted));
        }
        co_await walk_family(std::move(some));
    }

    asio::awaitable<void> walk_exports(Reading how, OrganizationId organization) {
        auto const all = lists::exports(how, organization);
        co_await walk(all);
        db::ExportPage wanted;
        wanted.organization = organization;
        wanted.limit = limits_.page_items;
        while (!enough()) {
            auto page = co_await primary_.exports().list(wanted, how.deadline());
            auto const exports = must(std::move(page), all.name);
            Lists audits;
            for (auto const& one : exports) audits.push_back(lists::export_audit(how, one.id));
            co_await walk_each(std::move(audits));
            if (exports.size() < limits_.page_items) co_return;
            wanted.before = exports.back().id;
        }
    }

    asio::awaitable<void> walk_ledger(Reading how, Ledger ledger) {
        if (enough()) co_return;
        db::JobPage reports;
        reports.organization = ledger.organization;
        reports.ledger = ledger.id;
        reports.kind = report_job;
        auto const addresses = co_await some_addresses(how, ledger.id);
        Lists own{lists::jobs(how, reports), lists::accounts(how, ledger.id, ""),
                  lists::accounts(how, ledger.id, "@")};
        for (auto const& address : addresses) {
            if (address.starts_with('@')) continue;
            own.push_back(lists::accounts(how, ledger.id, address.substr(0, 1)));
            break;
        }
        co_await walk_each(std::move(own));
        bool const eventful = co_await walk_activity(how, ledger.organization, ledger.id);
        bool const is_money = ledger.kind == LedgerKind::money;
        if (is_money)
            co_await walk_money(how, ledger.id, addresses);
        else
            co_await walk_credits(how, ledger.id, addresses);
        if (!eventful) co_return;
        for (auto const& address : addresses) {
            db::ActivityPage wanted;
            wanted.ledger = ledger.id;
            wanted.account = address;
            auto const of_account = lists::activity(how, ledger.organization, wanted);
            co_await walk(of_account);
            if (enough()) co_return;
        }
    }

    /// The system's two, then those that come first of its others and of the clients'.
    asio::awaitable<Names> some_addresses(Reading how, LedgerId ledger) {
        Names addresses{world_address, platform_address};
        static std::vector<std::string> const prefixes{"", "@"};
        for (auto const& prefix : prefixes) {
            db::AccountPage wanted;
            wanted.prefix = prefix;
            wanted.limit = limits_.sample;
            auto page = co_await primary_.list_accounts(ledger, wanted, how.deadline());
            auto const accounts = must(std::move(page), how.where + "accounts");
            for (auto const& account : accounts)
                if (std::ranges::find(addresses, account.address) == addresses.end())
                    addresses.push_back(account.address);
        }
        co_return addresses;
    }

    asio::awaitable<void> walk_money(Reading how, LedgerId ledger, Names addresses) {
        db::TransferPage newest_of;
        newest_of.before_id = how.youngest<TransferId>();
        newest_of.limit = limits_.page_items;
        auto page = co_await primary_.list_transfers(ledger, newest_of, how.deadline());
        auto const newest = must(std::move(page), how.where + "transfers");
        db::TransferPage wanted;
        Uses uses;
        auto transfers = lists::transfers_of_each_kind(how, ledger, wanted);
        set_period(wanted, items_of(newest));
        transfers.push_back(lists::transfers(how, ledger, wanted));
        append(transfers, lists_by_reference(how, ledger, items_of(newest)));
        uses.transfers = co_await walk_family(std::move(transfers));
        db::HoldPage const all_holds;
        auto holds = lists::holds_of_each_status(how, ledger, all_holds);
        uses.holds = co_await walk_family(std::move(holds));
        uses.purchases = co_await walk_purchases(how, ledger);
        uses.streams = co_await walk_streams(how, ledger);
        for (auto const& address : addresses) {
            if (enough()) co_return;
            co_await walk_account(how, ledger, address, wanted, uses);
        }
    }

    /// What a ledger of money has of anything, kind by kind and status by status.
    struct Uses {
        Inhabited transfers = {};
        Inhabited holds = {};
        bool purchases = false;
        Inhabited streams = {};
    };

    /// Some references, each alone and with every filter that goes with it; `set_party(page, row)`
    /// and `list_of(page)` are what differs between money and credits.
    template <class Page, class Row, class SetParty, class ListOf>
    Lists lists_by_reference(std::vector<Row> const& newest, SetParty set_party,
                             ListOf list_of) const {
        Lists some;
        auto const references =
            some_of(newest, limits_.sample, [](Row const& one) { return one.reference; });
        for (auto const& reference : references) {
            auto const one = *std::ranges::find(newest, reference, &Row::reference);
            Page all;
            all.reference = reference;
            auto of_kind = all, of_party = all, of_period = all;
            of_kind.kind = one.kind;
            set_party(of_party, one);
            set_period(of_period, newest);
            for (auto const& page : {all, of_kind, of_party, of_period})
                some.push_back(list_of(page));
        }
        return some;
    }

    Lists lists_by_reference(Reading const& how, LedgerId ledger,
                             std::vector<Transfer> const& newest) const {
        return lists_by_reference<db::TransferPage>(
            newest, [](auto& page, Transfer const& one) { page.account = one.from.address; },
            [&](auto const& page) { return lists::transfers(how, ledger, page); });
    }

    Lists lists_by_reference(Reading const& how, LedgerId ledger,
                             std::vector<CreditEntry> const& newest) const {
        return lists_by_reference<db::CreditHistoryPage>(
            newest, [](auto& page, CreditEntry const& one) { page.address = one.party.address; },
            [&](auto const& page) { return lists::credit_history(how, ledger, page); });
    }

    asio::awaitable<bool> walk_purchases(Reading how, LedgerId ledger) {
        db::PurchasePage wanted;
        wanted.before = how.youngest<PurchaseId>();
        wanted.limit = limits_.page_items;
        Lists some{lists::purchases(how, ledger, wanted)};
        auto page = co_await primary_.list_purchases(ledger, wanted, how.deadline());
        auto const newest = must(std::move(page), some.front().name);
        std::set<std::pair<std::string, std::string>> pairs;
        for (auto const& one : newest)
            if (pairs.size() < limits_.sample) pairs.emplace(one.buyer.address, one.author.address);
        for (auto const& [buyer, author] : pairs) {
            wanted.buyer = buyer;
            wanted.author = author;
            some.push_back(lists::purchases(how, ledger, wanted));
        }
        auto const inhabited = co_await walk_family(std::move(some));
        co_return inhabited.front();
    }

    asio::awaitable<Inhabited> walk_streams(Reading how, LedgerId ledger) {
        db::StreamPage wanted;
        wanted.before = how.youngest<StreamId>();
        wanted.limit = limits_.page_items;
        auto some = lists::streams_of_each_status(how, ledger, wanted);
        auto page = co_await primary_.streams().list_streams(ledger, wanted, how.deadline());
        auto const newest = must(std::move(page), some.front().name);
        std::set<std::pair<std::string, std::string>> pairs;
        for (auto const& one : items_of(newest))
            if (pairs.size() < limits_.sample)
                pairs.emplace(one.sender.address, one.recipient.address);
        for (auto const& [sender, recipient] : pairs) {
            wanted.sender = sender;
            wanted.recipient = recipient;
            append(some, lists::streams_of_each_status(how, ledger, wanted));
        }
        co_return co_await walk_family(std::move(some));
    }

    /// What one account is a party to.
    asio::awaitable<void> walk_account(Reading how, LedgerId ledger, std::string address,
                                       db::TransferPage period, Uses uses) {
        db::TransferPage booked;
        booked.account = address;
        auto of_kinds = lists::transfers_of_each_kind(how, ledger, booked);
        auto transfers = within(uses.transfers, std::move(of_kinds));
        AccountName const account{ledger, address};
        transfers.push_back(lists::entries(how, account));
        period.account = address;
        transfers.push_back(lists::transfers(how, ledger, period));
        co_await walk_family(std::move(transfers));
        db::HoldPage held;
        held.account = address;
        auto holds = lists::holds_of_each_status(how, ledger, held);
        co_await walk_within(uses.holds, std::move(holds));
        db::PurchasePage bought, sold;
        bought.buyer = address;
        sold.author = address;
        Lists purchases{lists::purchases(how, ledger, bought), lists::purchases(how, ledger, sold)};
        if (uses.purchases) co_await walk_each(std::move(purchases));
        db::StreamPage sent, received;
        sent.sender = address;
        received.recipient = address;
        std::array const parts{sent, received};
        for (auto const& page : parts) {
            auto streams = lists::streams_of_each_status(how, ledger, page);
            co_await walk_within(uses.streams, std::move(streams));
        }
    }

    asio::awaitable<void> walk_within(Inhabited wider, Lists narrower) {
        auto some = within(wider, std::move(narrower));
        if (!some.empty()) co_await walk_family(std::move(some));
    }

    asio::awaitable<void> walk_credits(Reading how, LedgerId ledger, Names addresses) {
        co_await walk_balances(how, ledger);
        db::CreditHistoryPage wanted;
        wanted.to = how.begin;
        wanted.limit = limits_.page_items;
        auto page = co_await primary_.credits().list_history(ledger, wanted, how.deadline());
        auto const newest = must(std::move(page), how.where + "credits/history");
        wanted.to.reset();
        auto some = lists::credit_history_of_each_kind(how, ledger, wanted);
        auto period = wanted;
        set_period(period, items_of(newest));
        some.push_back(lists::credit_history(how, ledger, period));
        append(some, lists_by_reference(how, ledger, items_of(newest)));
        auto const kinds = co_await walk_family(std::move(some));
        if (!kinds.front()) co_return;
        for (auto const& address : addresses) {
            if (enough()) co_return;
            wanted.address = address;
            period.address = address;
            auto of_kinds = lists::credit_history_of_each_kind(how, ledger, wanted);
            auto own = within(kinds, std::move(of_kinds));
            own.push_back(lists::credit_history(how, ledger, period));
            co_await walk_family(std::move(own));
        }
    }

    /// All, those that have anything, and those that have more than some others.
    asio::awaitable<void> walk_balances(Reading how, LedgerId ledger) {
        db::CreditBalancePage wanted;
        wanted.at = how.begin;
        wanted.limit = limits_.page_items;
        auto page = co_await primary_.credits().list_balances(ledger, wanted, how.deadline());
        auto const first = must(std::move(page), how.where + "credits/balances");
        std::vector<Amount> amounts;
        for (auto const& one : items_of(first)) amounts.push_back(one.balance);
        std::ranges::sort(amounts);
        std::set<Amount> least{0, 1};
        if (!amounts.empty()) least.insert(amounts[amounts.size() / 2]);
        Lists some;
        for (auto const amount : least) {
            some.push_back(lists::credit_balances(how, ledger, amount));
            some.push_back(lists::credit_balances_count(how, ledger, amount));
        }
        co_await walk_each(std::move(some));
    }

    db::Store& primary_;
    db::Store& shadow_;
    ParityLimits limits_;
    Reading how_;
    reactor::Turnstile looks_;
    ListReport report_;
};

}  // namespace

asio::awaitable<ListReport> compare_lists(db::Store& primary, db::Store& shadow, Instant now,
                                          ParityLimits limits) {
    auto const executor = co_await asio::this_coro::executor;
    Walk walk(executor, primary, shadow, now, limits);
    co_return co_await walk.run();
}

}  // namespace penstock::server
