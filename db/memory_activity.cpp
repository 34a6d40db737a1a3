// How the activity feed is read from rows in memory: all of them, filtered and sorted.
#include <algorithm>
#include <map>

#include "db/memory_store.hpp"

namespace penstock::db {

using namespace domain;

namespace {

using Addresses = std::map<AccountId, std::string>;

std::optional<std::string> address_of(Addresses const& addresses,
                                      std::optional<AccountId> const& account) {
    if (!account) return std::nullopt;
    auto const found = addresses.find(*account);
    if (found == addresses.end()) return std::nullopt;
    return found->second;
}

/// What a row with an id and two parties tells, whatever it is.
template <class Id>
Activity activity_of_row(Id id, ActivityType type, std::string const& account,
                         std::string const& counterparty, Amount amount) {
    Activity item;
    item.id = {id.value};
    item.type = type;
    item.subject = id.to_string();
    item.account = account;
    item.counterparty = counterparty;
    item.amount = amount;
    return item;
}

Activity activity_of_transfer(Transfer const& transfer) {
    auto item = activity_of_row(transfer.id, activity_of(transfer.kind), transfer.from.address,
                                transfer.to.address, transfer.amount);
    item.transfer = transfer.id;
    return item;
}

Activity activity_of_purchase(Purchase const& purchase) {
    return activity_of_row(purchase.id, purchase_completed, purchase.buyer.address,
                           purchase.author.address, purchase.price);
}

Activity activity_of_hold(Hold const& hold) {
    return activity_of_row(hold.id, hold_created, hold.from.address, hold.to.address, hold.amount);
}

Activity activity_of_account(Account const& account) {
    Activity item;
    item.id = {account.id.value};
    item.type = account_created;
    item.subject = account.address;
    item.account = account.address;
    return item;
}

Activity activity_of_event(Event const& event, Addresses const& addresses) {
    Activity item;
    item.id = event.id;
    item.type = activity_of(event.type);
    item.subject = event.subject.to_string();
    item.account = address_of(addresses, event.account);
    item.counterparty = address_of(addresses, event.counterparty);
    item.amount = event.amount;
    item.transfer = event.transfer;
    return item;
}

bool matches(Activity const& item, ActivityPage const& page) {
    if (page.type && item.type != *page.type) return false;
    if (page.subject && item.subject != *page.subject) return false;
    if (page.account && item.account != page.account && item.counterparty != page.account)
        return false;
    return !page.before || item.id < *page.before;
}

}  // namespace

Store::Listed<Activity> MemoryStore::list_activity(OrganizationId organization, ActivityPage page,
                                                   SteadyTime) {
    std::vector<Activity> list;
    Addresses addresses;
    for (auto const& [name, account] : accounts_) addresses.emplace(account.id, account.address);
    auto const add = [&](std::optional<LedgerId> const& ledger, Activity item) {
        if (page.ledger && ledger != page.ledger) return;
        if (ledger) {
            auto const known = ledgers_.find(*ledger);
            if (known == ledgers_.end() || known->second.organization != organization) return;
            item.ledger = known->second.name;
        }
        if (matches(item, page)) list.push_back(std::move(item));
    };
    for (auto const& [index, one] : transfers_) add(one.ledger, activity_of_transfer(one));
    for (auto const& [name, one] : purchases_) add(one.ledger, activity_of_purchase(one));
    for (auto const& [name, one] : holds_) add(one.ledger, activity_of_hold(one));
    for (auto const& [name, account] : accounts_)
        if (!account.address.starts_with('@')) add(account.ledger, activity_of_account(account));
    for (auto const& event : events_)
        if (event.organization == organization)
            add(event.ledger, activity_of_event(event, addresses));
    std::ranges::sort(list, std::greater(), &Activity::id);
    if (list.size() > page.limit) list.resize(page.limit);
    co_return list;
}

}  // namespace penstock::db
