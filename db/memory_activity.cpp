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

Activity activity_of_transfer(Transfer const& transfer) {
    Activity item;
    item.id = {transfer.id.value};
    item.type = activity_of(transfer.kind);
    item.subject = transfer.id.to_string();
    item.account = transfer.from.address;
    item.counterparty = transfer.to.address;
    item.amount = transfer.amount;
    item.transfer = transfer.id;
    return item;
}

Activity activity_of_purchase(Purchase const& purchase) {
    Activity item;
    item.id = {purchase.id.value};
    item.type = purchase_completed;
    item.subject = purchase.id.to_string();
    item.account = purchase.buyer.address;
    item.counterparty = purchase.author.address;
    item.amount = purchase.price;
    return item;
}

Activity activity_of_hold(Hold const& hold) {
    Activity item;
    item.id = {hold.id.value};
    item.type = hold_created;
    item.subject = hold.id.to_string();
    item.account = hold.from.address;
    item.counterparty = hold.to.address;
    item.amount = hold.amount;
    return item;
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
