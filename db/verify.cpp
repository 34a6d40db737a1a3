// What must hold for every money ledger and every sale at every moment.
#include "db/verify.hpp"

#include <map>
#include <set>
#include <string_view>

namespace penstock::db {

using namespace domain;

namespace {

/// An account's transfers, summed up again from nothing.
struct Replayed {
    Sum balance = 0;
    std::int64_t version = 0;
    bool versions_ascend = true;
    bool balances_follow = true;
};

using ReplayedAccounts = std::map<std::string_view, Replayed>;

void replay_leg(Replayed& account, Leg const& leg, Sum amount) {
    account.balance += amount;
    account.version += 1;
    if (leg.version != account.version) account.versions_ascend = false;
    if (leg.balance_after != account.balance) account.balances_follow = false;
}

ReplayedAccounts replay(std::vector<Transfer const*> const& transfers) {
    ReplayedAccounts accounts;
    for (auto const* transfer : transfers) {
        replay_leg(accounts[transfer->from.address], transfer->from, -Sum{transfer->amount});
        replay_leg(accounts[transfer->to.address], transfer->to, transfer->amount);
    }
    return accounts;
}

/// `wrong` names a row at fault; empty when there is none.
Check make_check(std::string name, std::string const& wrong, std::size_t counted,
                 char const* what) {
    return {std::move(name), wrong.empty(),
            wrong.empty() ? std::to_string(counted) + " " + what : wrong};
}

Check check_sum(std::vector<Account const*> const& accounts) {
    Sum sum = 0;
    for (auto const* account : accounts) sum += account->standing.balance;
    return make_check("balances_sum_to_zero", sum == 0 ? "" : "the sum is not 0", accounts.size(),
                      "accounts");
}

Check check_balances(std::vector<Account const*> const& accounts, ReplayedAccounts replayed) {
    std::string wrong;
    for (auto const* account : accounts) {
        auto const& found = replayed[account->address];
        if (found.balance != account->standing.balance || !found.balances_follow)
            wrong = account->address;
    }
    if (replayed.size() != accounts.size()) wrong = "a transfer of an unknown account";
    return make_check("balance_equals_transfers", wrong, accounts.size(), "accounts");
}

Check check_overdrafts(std::vector<Account const*> const& accounts) {
    std::string wrong;
    for (auto const* account : accounts) {
        auto const& standing = account->standing;
        Sum const available = Sum{standing.balance} - standing.held;
        if (account->address != world_address && available + account->overdraft_limit < 0)
            wrong = account->address;
    }
    return make_check("available_within_overdraft", wrong, accounts.size(), "accounts");
}

Check check_versions(std::vector<Account const*> const& accounts, ReplayedAccounts replayed) {
    std::string wrong;
    for (auto const* account : accounts) {
        auto const& found = replayed[account->address];
        if (found.version != account->standing.version || !found.versions_ascend)
            wrong = account->address;
    }
    return make_check("versions_without_gap", wrong, accounts.size(), "accounts");
}

Check check_held(LedgerRows const& rows) {
    std::map<std::string_view, Sum> open;
    std::size_t count = 0;
    for (auto const* hold : rows.holds) {
        if (hold->status != HoldStatus::pending) continue;
        open[hold->from.address] += hold->amount;
        ++count;
    }
    for (auto const* account : rows.accounts) open[account->address] -= account->standing.held;
    std::string wrong;
    for (auto const& [address, rest] : open)
        if (rest != 0) wrong = address;
    return make_check("held_equals_open_holds", wrong, count, "open holds");
}

/// A transfer as far as what caused it says what it must be.
struct Booked {
    Uuid cause;
    TransferKind kind{};
    std::string_view from;
    std::string_view to;
    Amount amount = 0;

    auto operator<=>(Booked const&) const = default;
};

/// How many transfers of these kinds there are, each as it stands in the books.
std::map<Booked, int> movements_of(LedgerRows const& rows, std::set<TransferKind> const& kinds) {
    std::map<Booked, int> movements;
    for (auto const* transfer : rows.transfers) {
        if (!kinds.contains(transfer->kind)) continue;
        auto const cause = transfer->cause.value_or(Uuid());
        ++movements[{cause, transfer->kind, transfer->from.address, transfer->to.address,
                     transfer->amount}];
    }
    return movements;
}

/// The cause of a movement that there is too often or not often enough; empty when there is none.
std::string difference_of(std::map<Booked, int> const& movements) {
    std::string wrong;
    for (auto const& [movement, count] : movements)
        if (count != 0) wrong = movement.cause.to_string();
    return wrong;
}

/// An ended hold without exactly one event of its end, or an event of another end; empty when
/// there is none.
std::string end_told_wrongly(LedgerRows const& rows) {
    std::map<std::pair<Uuid, HoldStatus>, int> ends;
    for (auto const* hold : rows.holds)
        if (hold->status != HoldStatus::pending) ++ends[{hold->id.value, hold->status}];
    for (auto const* event : rows.events) {
        if (event->type == EventType::hold_captured) --ends[{event->subject, HoldStatus::captured}];
        if (event->type == EventType::hold_voided) --ends[{event->subject, HoldStatus::voided}];
        if (event->type == EventType::hold_expired) --ends[{event->subject, HoldStatus::expired}];
    }
    for (auto const& [end, count] : ends)
        if (count != 0) return end.first.to_string();
    return {};
}

Check check_hold_ends(LedgerRows const& rows) {
    auto movements = movements_of(rows, {TransferKind::capture});
    std::map<TransferId, Uuid> causes;
    for (auto const* transfer : rows.transfers)
        if (transfer->kind == TransferKind::capture)
            causes[transfer->id] = transfer->cause.value_or(Uuid());
    std::string wrong;
    for (auto const* hold : rows.holds) {
        bool const is_captured = hold->status == HoldStatus::captured;
        bool const is_ended = hold->status != HoldStatus::pending;
        if (is_ended != hold->ended_at.has_value() || is_captured != hold->transfer.has_value() ||
            hold->captured_amount > hold->amount)
            wrong = hold->id.to_string();
        if (!is_captured) continue;
        --movements[{hold->id.value, TransferKind::capture, hold->from.address, hold->to.address,
                     hold->captured_amount}];
        auto const cause = causes.find(hold->transfer.value_or(TransferId()));
        if (cause == causes.end() || cause->second != hold->id.value) wrong = hold->id.to_string();
    }
    if (auto const difference = difference_of(movements); !difference.empty()) wrong = difference;
    if (auto const told = end_told_wrongly(rows); !told.empty()) wrong = told;
    return make_check("holds_end_once", wrong, causes.size(), "captures");
}

/// Takes away what a purchase must have booked. A share of nothing is no transfer.
void take_away(Purchase const& purchase, std::map<Booked, int>& movements) {
    auto take = [&](TransferKind kind, std::string_view from, std::string_view to, Amount amount) {
        if (amount != 0) --movements[{purchase.id.value, kind, from, to, amount}];
    };
    std::string_view const buyer = purchase.buyer.address;
    std::string_view const author = purchase.author.address;
    take(TransferKind::royalty_author, buyer, author, purchase.author_amount);
    take(TransferKind::royalty_platform, buyer, platform_address, purchase.platform_amount);
    if (!purchase.refunded_at) return;
    take(TransferKind::refund, author, buyer, purchase.author_refund);
    take(TransferKind::refund, platform_address, buyer, purchase.price - purchase.author_refund);
}

/// Who has not been paid what is due: the percentage of each purchase that was not refunded, but
/// for a fraction of a cent. Empty when there is nobody.
std::string underpaid(LedgerRows const& rows) {
    std::map<std::string_view, Sum> due;  // in hundredths of a cent
    for (auto const* purchase : rows.purchases) {
        auto& rest = due[purchase->author.address];
        if (!purchase->refunded_at) rest += Sum{purchase->price} * purchase->royalty_percent;
        rest -= Sum{100} * (purchase->author_amount - purchase->author_refund);
    }
    std::string wrong;
    for (auto const* account : rows.accounts) {
        auto const fraction = account->standing.fraction;
        if (fraction < 0 || fraction > 99 || due[account->address] != fraction)
            wrong = account->address;
    }
    return wrong;
}

Check check_purchases(LedgerRows const& rows) {
    auto movements = movements_of(
        rows, {TransferKind::royalty_author, TransferKind::royalty_platform, TransferKind::refund});
    std::string wrong = underpaid(rows);
    for (auto const* purchase : rows.purchases) {
        bool const adds_up =
            Sum{purchase->author_amount} + purchase->platform_amount == purchase->price &&
            purchase->author_refund >= 0 && purchase->author_refund <= purchase->price &&
            (purchase->refunded_at || purchase->author_refund == 0);
        if (!adds_up) wrong = purchase->id.to_string();
        take_away(*purchase, movements);
    }
    if (auto const difference = difference_of(movements); !difference.empty()) wrong = difference;
    return make_check("purchases_equal_royalties", wrong, rows.purchases.size(), "purchases");
}

Check check_totals(LedgerRows const& rows) {
    std::map<TotalKind, std::pair<std::int64_t, Sum>> left;
    auto count = [&](TotalKind kind, Amount amount) {
        left[kind].first += 1;
        left[kind].second += amount;
    };
    for (auto const* transfer : rows.transfers)
        count(total_kind_of(transfer->kind), transfer->amount);
    for (auto const* purchase : rows.purchases) count(TotalKind::purchase, purchase->price);
    for (auto const& total : rows.totals) {
        left[total.kind].first -= total.count;
        left[total.kind].second -= total.amount;
    }
    std::string wrong;
    for (auto const& [kind, rest] : left)
        if (rest.first != 0 || rest.second != 0)
            wrong = "kind " + std::to_string(static_cast<int>(kind));
    return make_check("totals_equal_transfers", wrong, rows.transfers.size(), "transfers");
}

Check check_sold(SaleRows const& rows) {
    std::map<ProductId, Sum> sold;
    for (auto const* order : rows.orders)
        if (order->status == OrderStatus::completed) sold[order->product] += order->quantity;
    std::string wrong;
    for (auto const* product : rows.products)
        if (sold[product->id] != product->sold || product->sold > product->stock)
            wrong = product->id.to_string();
    return make_check("sold_equals_orders", wrong, rows.products.size(), "products");
}

Check check_users(SaleRows const& rows) {
    std::map<ProductId, std::int64_t> limits;
    for (auto const* product : rows.products) limits[product->id] = product->per_user_limit;
    std::map<std::pair<ProductId, std::string_view>, Sum> bought;
    for (auto const* order : rows.orders)
        if (order->status == OrderStatus::completed)
            bought[{order->product, order->user}] += order->quantity;
    std::string wrong;
    for (auto const& [user, quantity] : bought)
        if (quantity > limits.at(user.first)) wrong = user.first.to_string();
    return make_check("users_within_limit", wrong, bought.size(), "users");
}

/// Whether the order cost what it should have, and what was paid is back if it was cancelled.
bool is_paid_right(Order const& order, Product const& product, Purchase const* purchase) {
    if (Sum{order.unit_price} * order.quantity != order.total) return false;
    if (order.unit_price != product.price) return false;
    if (!product.payment || order.total == 0) return !order.purchase;
    if (!purchase || purchase->price != order.total) return false;
    bool const is_its = purchase->ledger == product.payment->ledger &&
                        purchase->buyer.address == order.user &&
                        purchase->author == product.payment->seller;
    return is_its && (order.status == OrderStatus::completed || purchase->refunded_at);
}

Check check_payments(SaleRows const& rows) {
    std::map<PurchaseId, Purchase const*> purchases;
    for (auto const* purchase : rows.purchases) purchases[purchase->id] = purchase;
    std::map<ProductId, Product const*> products;
    for (auto const* product : rows.products) products[product->id] = product;
    std::string wrong;
    for (auto const* order : rows.orders) {
        auto const& product = *products.at(order->product);
        if (product.payment && !rows.ledgers.contains(product.payment->ledger)) continue;
        auto const paid = order->purchase ? purchases.find(*order->purchase) : purchases.end();
        if (!is_paid_right(*order, product, paid == purchases.end() ? nullptr : paid->second))
            wrong = order->id.to_string();
    }
    return make_check("orders_equal_purchases", wrong, rows.orders.size(), "orders");
}

}  // namespace

std::vector<Check> verify_sales(SaleRows const& rows) {
    return {check_sold(rows), check_users(rows), check_payments(rows)};
}

std::vector<Check> verify_ledger(LedgerRows const& rows) {
    auto const replayed = replay(rows.transfers);
    std::vector<Check> checks{check_sum(rows.accounts),
                              check_balances(rows.accounts, replayed),
                              check_overdrafts(rows.accounts),
                              check_versions(rows.accounts, replayed),
                              check_held(rows),
                              check_hold_ends(rows),
                              check_purchases(rows),
                              check_totals(rows)};
    for (auto& check : verify_streams(rows)) checks.push_back(std::move(check));
    return checks;
}

}  // namespace penstock::db
