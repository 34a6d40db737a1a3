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

bool is_told_of_stream(TransferKind kind) {
    return kind == TransferKind::stream_funding || kind == TransferKind::stream_withdrawal;
}

Activity activity_of_transfer(Transfer const& transfer) {
    auto item = activity_of_row(transfer.id, activity_of(transfer.kind), transfer.from.address,
                                transfer.to.address, transfer.amount);
    item.transfer = transfer.id;
    if (is_told_of_stream(transfer.kind)) item.subject = transfer.cause->to_string();
    return item;
}

Activity activity_of_stream(Stream const& stream) {
    return activity_of_row(stream.id, stream_created, stream.sender.address,
                           stream.recipient.address, stream.total);
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

Activity activity_of_product(Product const& product) {
    Activity item;
    item.id = {product.id.value};
    item.type = product_created;
    item.subject = product.id.to_string();
    item.amount = product.price;
    item.product = product.id;
    return item;
}

Activity activity_of_order(Order const& order) {
    Activity item;
    item.id = {order.id.value};
    item.type = order_completed;
    item.subject = order.id.to_string();
    item.amount = order.total;
    item.product = order.product;
    item.quantity = order.quantity;
    return item;
}

/// Where a sale is paid into, and who pays whom. Without an order: nobody paid yet.
void add_payment(SalePayment const& payment, Order const* order, Activity& item) {
    item.ledger = payment.ledger_name;
    if (order && !order->purchase) return;
    if (order) item.account = order->user;
    item.counterparty = payment.seller.address;
}

Activity activity_of_event(Event const& event, Addresses const& addresses) {
    Activity item;
    item.id = event.id;
    item.type = activity_of(event.type);
    item.subject = event.subject.to_string();
    if (!event.product) {
        item.account = address_of(addresses, event.account);
        item.counterparty = address_of(addresses, event.counterparty);
    }
    item.amount = event.amount;
    item.transfer = event.transfer;
    item.product = event.product;
    item.quantity = event.quantity;
    return item;
}

using Entries = std::vector<CreditEntry const*>;

/// Whom it served, if that is one alone: the sender's own row follows the others.
CreditEntry const* only_one(CreditOperation const& operation, Entries const& entries) {
    bool const is_one =
        entries.size() == 1 || (entries.size() == 2 && operation.sender == entries[1]->party);
    return is_one ? entries.front() : nullptr;
}

Activity activity_of_credits(CreditOperation const& operation, Entries const& entries) {
    Activity item;
    item.id = {operation.id.value};
    item.type = activity_of(operation.kind);
    item.subject = operation.id.to_string();
    item.reference = operation.reference;
    if (operation.sender) item.account = operation.sender->address;
    auto const* only = only_one(operation, entries);
    if (!only) return item;
    (operation.sender ? item.counterparty : item.account) = only->party.address;
    item.amount = only->amount < 0 ? -only->amount : only->amount;
    return item;
}

bool has_part(CreditOperation const& operation, Entries const& entries,
              std::string const& address) {
    return (operation.sender && operation.sender->address == address) ||
           std::ranges::any_of(entries,
                               [&](auto const* entry) { return entry->party.address == address; });
}

bool has_part(Activity const& item, std::string const& address) {
    return item.account == address || item.counterparty == address;
}

/// Whatever its parties are.
bool matches(Activity const& item, ActivityPage const& page) {
    if (page.type && item.type != *page.type) return false;
    if (page.subject && item.subject != *page.subject) return false;
    return !page.before || item.id < *page.before;
}

}  // namespace

Store::Listed<Activity> MemoryStore::list_activity(OrganizationId organization, ActivityPage page,
                                                   SteadyTime) {
    std::vector<Activity> list;
    Addresses addresses;
    for (auto const& [name, account] : accounts_) addresses.emplace(account.id, account.address);
    auto const put = [&](std::optional<LedgerId> const& ledger, Activity item) {
        if (page.ledger && ledger != page.ledger) return;
        if (ledger) {
            auto const known = ledgers_.find(*ledger);
            if (known == ledgers_.end() || known->second.organization != organization) return;
            item.ledger = known->second.name;
        }
        if (matches(item, page)) list.push_back(std::move(item));
    };
    auto const is_asked_for = [&](Activity const& item) {
        return !page.account || has_part(item, *page.account);
    };
    auto const add = [&](std::optional<LedgerId> const& ledger, Activity item) {
        if (is_asked_for(item)) put(ledger, std::move(item));
    };
    auto const add_sale = [&](Product const& product, Order const* order, Activity item) {
        bool const is_paid = product.payment && ledgers_.contains(product.payment->ledger);
        if (page.ledger && (!is_paid || product.payment->ledger != *page.ledger)) return;
        if (is_paid) add_payment(*product.payment, order, item);
        if (order) item.user = order->user;
        if (is_asked_for(item) && matches(item, page)) list.push_back(std::move(item));
    };
    for (auto const& [index, one] : transfers_) add(one.ledger, activity_of_transfer(one));
    for (auto const& [name, one] : purchases_) add(one.ledger, activity_of_purchase(one));
    for (auto const& [name, one] : holds_) add(one.ledger, activity_of_hold(one));
    for (auto const* one : streams_.all()) add(one->ledger, activity_of_stream(*one));
    for (auto const& [name, account] : accounts_)
        if (!account.address.starts_with('@')) add(account.ledger, activity_of_account(account));
    for (auto const& [id, operation] : credits_.operations()) {
        auto const entries = credits_.entries_of(id);
        if (page.account && !has_part(operation, entries, *page.account)) continue;
        put(operation.ledger, activity_of_credits(operation, entries));
    }
    for (auto const& [id, product] : products_) {
        if (product.organization != organization) continue;
        add_sale(product, nullptr, activity_of_product(product));
        for (auto const* order : orders_of(id)) add_sale(product, order, activity_of_order(*order));
    }
    for (auto const& event : events_) {
        if (event.organization != organization) continue;
        auto item = activity_of_event(event, addresses);
        if (!event.product) {
            auto const granted = credits_.operations().find({event.subject});
            if (granted != credits_.operations().end()) item.reference = granted->second.reference;
            add(event.ledger, std::move(item));
            continue;
        }
        auto const order = orders_.find({*event.product, {event.subject}});
        add_sale(products_.at(*event.product), order == orders_.end() ? nullptr : &order->second,
                 std::move(item));
    }
    std::ranges::sort(list, std::greater(), &Activity::id);
    if (list.size() > page.limit) list.resize(page.limit);
    co_return list;
}

}  // namespace penstock::db
