// Which lists clients can ask for, and how a page of each is read.
#include "server/parity_lists.hpp"

#include <algorithm>
#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>
#include <cstdint>
#include <utility>

#include "db/export_store.hpp"

// g++ 12 inlines a coroutine's operator new but not its delete, and calls the pair mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace penstock::server::lists {
namespace {

using namespace domain;
using Behind = std::optional<std::string>;

/// What a list is called: its path and its filters, as a client writes them.
class Query {
public:
    Query(Reading const& how, std::string_view list) : text_(how.where + std::string(list)) {}

    template <class T>
    Query& with(char const* name, std::optional<T> const& value) {
        if (!value) return *this;
        (text_ += std::exchange(separator_, '&')) += name;
        (text_ += '=') += text_of(*value);
        return *this;
    }
    operator std::string() const { return text_; }

private:
    static std::string text_of(std::string const& value) { return value; }
    static std::string text_of(Amount value) { return std::to_string(value); }
    static std::string text_of(Instant value) { return std::to_string(value.ms); }
    template <class Tag>
    static std::string text_of(Id<Tag> const& value) {
        return value.to_string();
    }
    template <class Enum>
    requires std::is_enum_v<Enum>
    static std::string text_of(Enum value) { return boost::describe::enum_to_string(value, "?"); }

    std::string text_;
    char separator_ = '?';
};

/// Awaits a page and names its items. Where a list says so itself, it goes on behind the last row
/// that it looked at, shown or not.
template <class Page, class Name>
asio::awaitable<Result<PageSeen>> seen(asio::awaitable<Result<Page>> reading, std::size_t limit,
                                       Name name) {
    auto const page = co_await std::move(reading);
    if (!page) co_return page.error();
    PageSeen shown;
    for (auto const& item : items_of(*page)) shown.names.push_back(name(item));
    if (shown.names.size() >= limit) shown.rest = shown.names.back();
    if constexpr (requires { page->scanned_to; })
        if (page->scanned_to) shown.rest = name(*page->scanned_to);
    co_return shown;
}

struct ById {
    template <class Tag>
    std::string operator()(Id<Tag> const& id) const {
        return id.to_string();
    }
    template <class Item>
    std::string operator()(Item const& item) const {
        return item.id.to_string();
    }
};

struct ByName {
    std::string operator()(Ledger const& one) const { return one.name; }
    std::string operator()(Account const& one) const { return one.address; }
    std::string operator()(db::CreditBalance const& one) const { return one.address; }
    std::string operator()(std::string const& address) const { return address; }
};

template <class Id>
Id id_of(std::string const& text) {
    return Id{Uuid::parse(text).value()};
}

/// Behind an item; at first, behind what may be on its way.
template <class Id>
Id before(Reading const& how, Behind const& after) {
    return after ? id_of<Id>(*after) : how.youngest<Id>();
}

/// A list that goes on behind an id, newest first. `ask` asks a store for a page.
template <class Page, class Ask>
List by_id(std::string name, Reading const& how, Page page, Ask ask) {
    page.limit = how.limit;
    auto const read = [how, page, ask](db::Store& store, Behind after) {
        using PlaceId = typename decltype(page.before)::value_type;
        auto wanted = page;
        wanted.before = before<PlaceId>(how, after);
        return seen(ask(store, std::move(wanted), how.deadline()), how.limit, ById());
    };
    return {std::move(name), read};
}

/// Where a transfer stands in an account's history: two stores may have different ones there.
struct ByBooking {
    std::string address;

    std::string operator()(Transfer const& one) const {
        auto const place = db::booking_of(one, address);
        return one.id.to_string() + '@' + std::to_string(place.at.ms) + '/' +
               std::to_string(place.version);
    }
    static db::Booking place(Reading const& how, Behind const& name) {
        if (!name) return db::Booking{how.begin, INT64_MIN};
        auto const at = name->find('@') + 1;
        auto const slash = name->find('/', at);
        return {Instant{std::stoll(name->substr(at, slash - at))},
                std::stoll(name->substr(slash + 1))};
    }
};

/// Where an entry of a credits history stands: its operation, and its place within that.
struct ByPlace {
    std::string operator()(LotPlace const& place) const {
        return place.operation.to_string() + '/' + std::to_string(place.index);
    }
    std::string operator()(CreditEntry const& one) const {
        return (*this)(LotPlace{one.operation, one.index});
    }
    static LotPlace place(std::string const& name) {
        auto const slash = name.find('/');
        return {id_of<CreditOperationId>(name.substr(0, slash)), std::stoi(name.substr(slash + 1))};
    }
};

asio::awaitable<Result<PageSeen>> counted(asio::awaitable<Result<std::int64_t>> counting) {
    auto const count = co_await std::move(counting);
    if (!count) co_return count.error();
    PageSeen shown;
    shown.names.push_back(std::to_string(*count));
    co_return shown;
}

/// The page's own list first, then one for each value of the filter but those left out.
template <class Enum, class Page, class Make>
Lists of_each(Page page, std::optional<Enum> Page::*filter, Make make) {
    Lists all{make(page)};
    auto const add = [&](auto each) {
        page.*filter = each.value;
        all.push_back(make(page));
    };
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<Enum>>(add);
    return all;
}

}  // namespace

Reading Reading::in(std::string place) const {
    auto copy = *this;
    copy.where = std::move(place);
    return copy;
}

List organizations(Reading const& how) {
    auto const read = [how](db::Store& store, Behind after) {
        std::optional<OrganizationId> place;
        if (after) place = id_of<OrganizationId>(*after);
        return seen(store.list_organizations(place, how.limit, how.deadline()), how.limit, ById());
    };
    return {how.where + "organizations", read};
}

List api_keys(Reading const& how, OrganizationId organization) {
    auto const read = [how, organization](db::Store& store, Behind after) {
        std::optional<ApiKeyId> place;
        if (after) place = id_of<ApiKeyId>(*after);
        return seen(store.list_api_keys(organization, place, how.limit, how.deadline()), how.limit,
                    ById());
    };
    return {how.where + "keys", read};
}

List ledgers(Reading const& how, OrganizationId organization) {
    auto const read = [how, organization](db::Store& store, Behind after) {
        return seen(store.list_ledgers(organization, std::move(after), how.limit, how.deadline()),
                    how.limit, ByName());
    };
    return {how.where + "ledgers", read};
}

List products(Reading const& how, OrganizationId organization) {
    auto const read = [how, organization](db::Store& store, Behind after) {
        return seen(store.list_products(organization, before<ProductId>(how, after), how.limit,
                                        how.deadline()),
                    how.limit, ById());
    };
    return {how.where + "products", read};
}

List exports(Reading const& how, OrganizationId organization) {
    db::ExportPage page;
    page.organization = organization;
    auto const ask = [](db::Store& store, db::ExportPage wanted, SteadyTime deadline) {
        return store.exports().list(std::move(wanted), deadline);
    };
    return by_id(how.where + "exports", how, page, ask);
}

List export_audit(Reading const& how, ExportId subject) {
    db::ExportAuditPage page;
    page.subject = subject;
    auto const ask = [](db::Store& store, db::ExportAuditPage wanted, SteadyTime deadline) {
        return store.exports().list_audit(std::move(wanted), deadline);
    };
    return by_id(how.where + "exports/" + subject.to_string() + "/audit", how, page, ask);
}

List orders(Reading const& how, ProductId product, db::OrderPage page) {
    auto const ask = [product](db::Store& store, db::OrderPage wanted, SteadyTime deadline) {
        return store.list_orders(product, std::move(wanted), deadline);
    };
    auto const path = "sales/" + product.to_string() + "/orders";
    return by_id(Query(how, path).with("user", page.user), how, page, ask);
}

List jobs(Reading const& how, db::JobPage page) {
    auto const ask = [](db::Store& store, db::JobPage wanted, SteadyTime deadline) {
        return store.jobs().list(std::move(wanted), deadline);
    };
    Query name(how, "jobs");
    name.with("ledger", page.ledger).with("status", page.status).with("kind", page.kind);
    return by_id(name, how, page, ask);
}

List activity(Reading const& how, OrganizationId organization, db::ActivityPage page) {
    auto const ask = [organization](db::Store& store, db::ActivityPage wanted,
                                    SteadyTime deadline) {
        return store.list_activity(organization, std::move(wanted), deadline);
    };
    std::optional<std::string> type;
    if (page.type) type = db::activity_name(*page.type);
    Query name(how, "activity");
    name.with("ledger", page.ledger).with("account", page.account);
    name.with("subject", page.subject).with("type", type);
    return by_id(name, how, page, ask);
}

List accounts(Reading const& how, LedgerId ledger, std::string prefix) {
    db::AccountPage page;
    page.prefix = prefix;
    page.limit = how.limit;
    auto const read = [how, ledger, page](db::Store& store, Behind after) {
        auto wanted = page;
        wanted.after = std::move(after);
        return seen(store.list_accounts(ledger, std::move(wanted), how.deadline()), how.limit,
                    ByName());
    };
    std::optional<std::string> given;
    if (!prefix.empty()) given = prefix;
    return {Query(how, "accounts").with("prefix", given), read};
}

List entries(Reading const& how, AccountName account) {
    auto const read = [how, account](db::Store& store, Behind after) {
        db::EntryPage page;
        page.before = ByBooking::place(how, after);
        page.limit = how.limit;
        ByBooking const name{account.address};
        return seen(store.list_entries(account, page, how.deadline()), how.limit, name);
    };
    return {how.where + "accounts/" + account.address + "/entries", read};
}

List transfers(Reading const& how, LedgerId ledger, db::TransferPage page) {
    page.limit = how.limit;
    auto const read = [how, ledger, page](db::Store& store, Behind after) {
        auto wanted = page;
        if (!page.is_by_booking()) {
            wanted.before_id = before<TransferId>(how, after);
            return seen(store.list_transfers(ledger, std::move(wanted), how.deadline()), how.limit,
                        ById());
        }
        wanted.before = ByBooking::place(how, after);
        ByBooking const name{*page.account};
        return seen(store.list_transfers(ledger, std::move(wanted), how.deadline()), how.limit,
                    name);
    };
    Query name(how, "transfers");
    name.with("account", page.account).with("kind", page.kind).with("reference", page.reference);
    return {name.with("from", page.from).with("to", page.to), read};
}

List purchases(Reading const& how, LedgerId ledger, db::PurchasePage page) {
    auto const ask = [ledger](db::Store& store, db::PurchasePage wanted, SteadyTime deadline) {
        return store.list_purchases(ledger, std::move(wanted), deadline);
    };
    Query name(how, "purchases");
    return by_id(name.with("buyer", page.buyer).with("author", page.author), how, page, ask);
}

List holds(Reading const& how, LedgerId ledger, db::HoldPage page) {
    auto const ask = [ledger](db::Store& store, db::HoldPage wanted, SteadyTime deadline) {
        return store.list_holds(ledger, std::move(wanted), deadline);
    };
    Query name(how, "holds");
    return by_id(name.with("account", page.account).with("status", page.status), how, page, ask);
}

List streams(Reading const& how, LedgerId ledger, db::StreamPage page) {
    auto const ask = [ledger](db::Store& store, db::StreamPage wanted, SteadyTime deadline) {
        return store.streams().list_streams(ledger, std::move(wanted), deadline);
    };
    Query name(how, "streams");
    name.with("status", page.status).with("sender", page.sender);
    return by_id(name.with("recipient", page.recipient), how, page, ask);
}

List credit_balances(Reading const& how, LedgerId ledger, Amount min_balance) {
    auto const read = [how, ledger, min_balance](db::Store& store, Behind after) {
        db::CreditBalancePage page;
        page.at = how.begin;
        page.min_balance = min_balance;
        page.after = std::move(after);
        page.limit = how.limit;
        return seen(store.credits().list_balances(ledger, std::move(page), how.deadline()),
                    how.limit, ByName());
    };
    return {Query(how, "credits/balances").with("min_balance", std::optional(min_balance)), read};
}

List credit_balances_count(Reading const& how, LedgerId ledger, Amount min_balance) {
    auto const read = [how, ledger, min_balance](db::Store& store, Behind) {
        return counted(
            store.credits().count_balances(ledger, how.begin, min_balance, how.deadline()));
    };
    Query name(how, "credits/balances/count");
    return {name.with("min_balance", std::optional(min_balance)), read};
}

List credit_history(Reading const& how, LedgerId ledger, db::CreditHistoryPage page) {
    page.limit = how.limit;
    auto const read = [how, ledger, page](db::Store& store, Behind after) {
        auto wanted = page;
        wanted.to = std::min(page.to.value_or(how.begin), how.begin);
        if (after) wanted.before = ByPlace::place(*after);
        return seen(store.credits().list_history(ledger, std::move(wanted), how.deadline()),
                    how.limit, ByPlace());
    };
    Query name(how, "credits/history");
    name.with("address", page.address).with("kind", page.kind).with("reference", page.reference);
    return {name.with("from", page.from).with("to", page.to), read};
}

Lists jobs_of_each_status(Reading const& how, db::JobPage page) {
    auto const make = [&](db::JobPage const& wanted) { return jobs(how, wanted); };
    return of_each(std::move(page), &db::JobPage::status, make);
}

Lists transfers_of_each_kind(Reading const& how, LedgerId ledger, db::TransferPage page) {
    auto const make = [&](db::TransferPage const& wanted) {
        return transfers(how, ledger, wanted);
    };
    return of_each(std::move(page), &db::TransferPage::kind, make);
}

Lists holds_of_each_status(Reading const& how, LedgerId ledger, db::HoldPage page) {
    auto const make = [&](db::HoldPage const& wanted) { return holds(how, ledger, wanted); };
    return of_each(std::move(page), &db::HoldPage::status, make);
}

Lists streams_of_each_status(Reading const& how, LedgerId ledger, db::StreamPage page) {
    auto const make = [&](db::StreamPage const& wanted) { return streams(how, ledger, wanted); };
    auto all = of_each(std::move(page), &db::StreamPage::status, make);
    // Nobody can ask for those.
    std::erase_if(
        all, [](List const& one) { return one.name.find("status=deleted") != std::string::npos; });
    return all;
}

Lists credit_history_of_each_kind(Reading const& how, LedgerId ledger, db::CreditHistoryPage page) {
    auto const make = [&](db::CreditHistoryPage const& wanted) {
        return credit_history(how, ledger, wanted);
    };
    return of_each(std::move(page), &db::CreditHistoryPage::kind, make);
}

}  // namespace penstock::server::lists
