#include "db/verify.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>

namespace penstock::tests {
namespace {

using namespace domain;

/// A sound ledger: a deposit, a transfer, two purchases of 99 with 70 percent for the author, one
/// of them refunded, and three holds: one open, one captured, one voided. Each test breaks one
/// thing.
struct Rows {
    Rows() {
        for (auto const* address : {world_address, "alice", "bob", platform_address}) {
            Account account;
            account.id = {next_id()};
            account.address = address;
            accounts.push_back(account);
        }
        book(TransferKind::deposit, world, alice, 1000);
        book(TransferKind::transfer, alice, bob, 30);
        buy();
        buy();
        refund(purchases[1]);
        hold(5, HoldStatus::pending);
        hold(7, HoldStatus::voided);
        hold(9, HoldStatus::captured);
        capture(holds[2], 8);
        for (auto const& transfer : transfers) total(total_kind_of(transfer.kind), transfer.amount);
        for (auto const& purchase : purchases) total(TotalKind::purchase, purchase.price);
    }

    Uuid next_id() { return make_uuid7({1}, ++ids, 1); }

    TransferId book(TransferKind kind, std::size_t from, std::size_t to, Amount amount,
                    std::optional<Uuid> cause = {}) {
        Transfer transfer;
        transfer.id = {next_id()};
        transfer.kind = kind;
        transfer.amount = amount;
        transfer.cause = cause;
        transfer.from = leg(accounts[from], -amount);
        transfer.to = leg(accounts[to], amount);
        transfers.push_back(transfer);
        return transfer.id;
    }

    static Leg leg(Account& account, Amount change) {
        account.standing.balance += change;
        account.standing.version += 1;
        return {account.id, account.address, account.standing.balance, account.standing.version};
    }

    Party party(std::size_t account) const {
        return {accounts[account].id, accounts[account].address};
    }

    /// 69 and 30 hundredths each time, so that the second one leaves 60 hundredths.
    void buy() {
        Purchase purchase;
        purchase.id = {next_id()};
        purchase.buyer = party(alice);
        purchase.author = party(bob);
        purchase.price = 99;
        purchase.royalty_percent = 70;
        purchase.author_amount = 69;
        purchase.platform_amount = 30;
        accounts[bob].standing.fraction += 30;
        book(TransferKind::royalty_author, alice, bob, 69, purchase.id.value);
        book(TransferKind::royalty_platform, alice, platform, 30, purchase.id.value);
        purchases.push_back(purchase);
    }

    void refund(Purchase& purchase) {
        purchase.refunded_at = Instant{2};
        purchase.author_refund = 69;
        accounts[bob].standing.fraction -= 30;
        book(TransferKind::refund, bob, alice, 69, purchase.id.value);
        book(TransferKind::refund, platform, alice, 30, purchase.id.value);
    }

    void hold(Amount amount, HoldStatus status) {
        Hold hold;
        hold.id = {next_id()};
        hold.from = party(alice);
        hold.to = party(bob);
        hold.amount = amount;
        hold.status = status;
        if (status == HoldStatus::pending)
            accounts[alice].standing.held += amount;
        else
            hold.ended_at = Instant{3};
        if (status == HoldStatus::voided) tell(EventType::hold_voided, hold);
        if (status == HoldStatus::captured) tell(EventType::hold_captured, hold);
        holds.push_back(hold);
    }

    void tell(EventType type, Hold const& hold) {
        Event event;
        event.id = {next_id()};
        event.type = type;
        event.subject = hold.id.value;
        events.push_back(event);
    }

    void capture(Hold& hold, Amount amount) {
        hold.captured_amount = amount;
        hold.transfer = book(TransferKind::capture, alice, bob, amount, hold.id.value);
    }

    void total(TotalKind kind, Amount amount) {
        auto const is_it = [&](Total const& total) { return total.kind == kind; };
        auto at = std::ranges::find_if(totals, is_it);
        if (at == totals.end()) at = totals.insert(at, Total{{}, kind, 0, 0});
        at->count += 1;
        at->amount += amount;
    }

    /// The names of the checks that fail.
    std::string failing() const {
        db::LedgerRows rows;
        for (auto const& account : accounts) rows.accounts.push_back(&account);
        for (auto const& transfer : transfers) rows.transfers.push_back(&transfer);
        for (auto const& purchase : purchases) rows.purchases.push_back(&purchase);
        for (auto const& hold : holds) rows.holds.push_back(&hold);
        for (auto const& event : events) rows.events.push_back(&event);
        rows.totals = totals;
        std::string names;
        for (auto const& check : db::verify_ledger(rows))
            if (!check.ok) names += check.name + ' ';
        return names;
    }

    static constexpr std::size_t world = 0, alice = 1, bob = 2, platform = 3;
    std::uint32_t ids = 0;
    std::vector<Account> accounts;
    std::vector<Transfer> transfers;
    std::vector<Purchase> purchases;
    std::vector<Hold> holds;
    std::vector<Event> events;
    std::vector<Total> totals;
};

/// What verify says when one thing is broken.
template <class Break>
std::string failing_after(Break break_one_thing) {
    Rows rows;
    break_one_thing(rows);
    return rows.failing();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(verify)

BOOST_AUTO_TEST_CASE(a_sound_ledger_passes_every_check) { BOOST_TEST(Rows{}.failing() == ""); }

BOOST_AUTO_TEST_CASE(money_out_of_nothing_is_seen) {
    Rows rows;
    rows.accounts[2].standing.balance += 1;
    BOOST_TEST(rows.failing() == "balances_sum_to_zero balance_equals_transfers ");
}

BOOST_AUTO_TEST_CASE(money_that_changed_hands_without_a_transfer_is_seen) {
    Rows rows;
    rows.accounts[1].standing.balance += 1;
    rows.accounts[2].standing.balance -= 1;
    BOOST_TEST(rows.failing() == "balance_equals_transfers ");
}

BOOST_AUTO_TEST_CASE(a_running_balance_that_does_not_follow_is_seen) {
    Rows rows;
    rows.transfers[0].to.balance_after += 1;
    BOOST_TEST(rows.failing() == "balance_equals_transfers ");
}

BOOST_AUTO_TEST_CASE(an_account_beyond_its_overdraft_is_seen) {
    Rows rows;
    auto& bob = rows.accounts[Rows::bob];
    rows.holds[0].from = rows.party(Rows::bob);
    rows.accounts[Rows::alice].standing.held = 0;
    rows.holds[0].amount = bob.standing.held = bob.standing.balance + 1;
    BOOST_TEST(rows.failing() == "available_within_overdraft ");
    bob.overdraft_limit = 1;
    BOOST_TEST(rows.failing() == "");
}

BOOST_AUTO_TEST_CASE(a_gap_in_the_versions_is_seen) {
    Rows rows;
    rows.transfers[1].to.version = 9;
    BOOST_TEST(rows.failing() == "versions_without_gap ");
    rows = {};
    rows.accounts[Rows::world].standing.version = 2;
    BOOST_TEST(rows.failing() == "versions_without_gap ");
}

BOOST_AUTO_TEST_CASE(a_total_that_missed_a_transfer_is_seen) {
    Rows rows;
    rows.totals[1].count = 0;
    BOOST_TEST(rows.failing() == "totals_equal_transfers ");
    rows.totals.pop_back();
    BOOST_TEST(rows.failing() == "totals_equal_transfers ");
}

BOOST_AUTO_TEST_CASE(a_total_that_missed_a_purchase_is_seen) {
    Rows rows;
    BOOST_TEST_REQUIRE((rows.totals.back().kind == TotalKind::purchase));
    rows.totals.back().amount -= 1;
    BOOST_TEST(rows.failing() == "totals_equal_transfers ");
    rows.totals.pop_back();
    BOOST_TEST(rows.failing() == "totals_equal_transfers ");
}

BOOST_AUTO_TEST_CASE(a_transfer_of_an_unknown_account_is_seen) {
    Rows rows;
    rows.accounts.erase(rows.accounts.begin() + Rows::world);
    BOOST_TEST(rows.failing() == "balances_sum_to_zero balance_equals_transfers ");
}

BOOST_AUTO_TEST_CASE(money_held_for_no_hold_is_seen) {
    std::string const expected = "held_equals_open_holds ";
    auto more = [](Rows& rows) { rows.accounts[Rows::alice].standing.held += 1; };
    auto none = [](Rows& rows) { rows.accounts[Rows::alice].standing.held = 0; };
    auto other = [](Rows& rows) { rows.holds[0].from = rows.party(Rows::bob); };
    BOOST_TEST(failing_after(more) == expected);
    BOOST_TEST(failing_after(none) == expected);
    BOOST_TEST(failing_after(other) == expected);
}

BOOST_AUTO_TEST_CASE(a_hold_that_ended_twice_or_not_as_it_says_is_seen) {
    std::string const expected = "holds_end_once ";
    auto another_amount = [](Rows& rows) { rows.holds[2].captured_amount = 9; };
    auto no_cause = [](Rows& rows) { rows.transfers.back().cause.reset(); };
    auto of_a_voided_hold = [](Rows& rows) {
        rows.transfers.back().cause = rows.holds[1].id.value;
    };
    auto never_captured = [](Rows& rows) {
        rows.holds[2].status = HoldStatus::expired;
        rows.holds[2].transfer.reset();
    };
    auto another_transfer = [](Rows& rows) { rows.holds[2].transfer = rows.transfers[0].id; };
    auto never_ended = [](Rows& rows) { rows.holds[1].ended_at.reset(); };
    auto told_twice = [](Rows& rows) { rows.events.push_back(rows.events.front()); };
    auto never_told = [](Rows& rows) { rows.events.pop_back(); };
    auto told_of_another_end = [](Rows& rows) { rows.events[0].type = EventType::hold_expired; };
    BOOST_TEST(failing_after(another_amount) == expected);
    BOOST_TEST(failing_after(no_cause) == expected);
    BOOST_TEST(failing_after(of_a_voided_hold) == expected);
    BOOST_TEST(failing_after(never_captured) == expected);
    BOOST_TEST(failing_after(another_transfer) == expected);
    BOOST_TEST(failing_after(never_ended) == expected);
    BOOST_TEST(failing_after(told_twice) == expected);
    BOOST_TEST(failing_after(never_told) == expected);
    BOOST_TEST(failing_after(told_of_another_end) == expected);
    auto twice = [](Rows& rows) {
        rows.book(TransferKind::capture, Rows::alice, Rows::bob, 8, rows.holds[2].id.value);
        rows.total(TotalKind::capture, 8);
    };
    BOOST_TEST(failing_after(twice) == expected);
}

BOOST_AUTO_TEST_CASE(a_purchase_that_its_transfers_do_not_pay_is_seen) {
    std::string const expected = "purchases_equal_royalties ";
    auto no_cause = [](Rows& rows) { rows.transfers[2].cause.reset(); };
    auto of_another = [](Rows& rows) { rows.transfers[2].cause = rows.purchases[1].id.value; };
    auto other_author = [](Rows& rows) { rows.purchases[0].author = rows.party(Rows::world); };
    auto forgotten = [](Rows& rows) {
        rows.total(TotalKind::purchase, -99);
        rows.totals.back().count -= 2;
        rows.purchases.erase(rows.purchases.begin());
    };
    auto refund_forgotten = [](Rows& rows) {
        rows.purchases[1].refunded_at.reset();
        rows.purchases[1].author_refund = 0;
    };
    auto never_refunded = [](Rows& rows) { rows.purchases[0].refunded_at = Instant{9}; };
    auto shared_otherwise = [](Rows& rows) { rows.purchases[1].author_refund = 70; };
    BOOST_TEST(failing_after(no_cause) == expected);
    BOOST_TEST(failing_after(of_another) == expected);
    BOOST_TEST(failing_after(other_author) == expected);
    BOOST_TEST(failing_after(forgotten) == expected);
    BOOST_TEST(failing_after(refund_forgotten) == expected);
    BOOST_TEST(failing_after(never_refunded) == expected);
    BOOST_TEST(failing_after(shared_otherwise) == expected);
}

BOOST_AUTO_TEST_CASE(an_author_who_is_not_paid_to_the_hundredth_is_seen) {
    std::string const expected = "purchases_equal_royalties ";
    auto lost = [](Rows& rows) { rows.accounts[Rows::bob].standing.fraction = 29; };
    auto given = [](Rows& rows) { rows.accounts[Rows::alice].standing.fraction = 1; };
    auto percent = [](Rows& rows) { rows.purchases[0].royalty_percent = 71; };
    BOOST_TEST(failing_after(lost) == expected);
    BOOST_TEST(failing_after(given) == expected);
    BOOST_TEST(failing_after(percent) == expected);
}

/// A sound sale: a paid product with an order of three and one of one, cancelled and refunded; and
/// a free one. Each test breaks one thing.
struct Sales {
    Sales() {
        product.id = {make_uuid7({1}, 1, 1)};
        product.price = 100;
        product.stock = 10;
        product.sold = 3;
        product.per_user_limit = 5;
        product.payment = SalePayment{ledger, "main", seller};
        add(3, OrderStatus::completed);
        add(1, OrderStatus::cancelled);
        purchases[1].refunded_at = Instant{3};
    }

    void add(std::int64_t quantity, OrderStatus status) {
        Purchase purchase;
        purchase.id = {make_uuid7({2}, static_cast<std::uint32_t>(purchases.size()), 1)};
        purchase.ledger = ledger;
        purchase.buyer.address = "alice";
        purchase.author = seller;
        purchase.price = 100 * quantity;
        purchases.push_back(purchase);
        Order order;
        order.id = {make_uuid7({3}, static_cast<std::uint32_t>(orders.size()), 1)};
        order.product = product.id;
        order.user = "alice";
        order.quantity = quantity;
        order.unit_price = 100;
        order.total = 100 * quantity;
        order.status = status;
        order.purchase = purchase.id;
        orders.push_back(order);
    }

    std::string failing() const {
        db::SaleRows rows;
        rows.products = {&product};
        for (auto const& order : orders) rows.orders.push_back(&order);
        for (auto const& purchase : purchases) rows.purchases.push_back(&purchase);
        if (ledger_lives) rows.ledgers = {ledger};
        std::string names;
        for (auto const& check : db::verify_sales(rows))
            if (!check.ok) names += check.name + ' ';
        return names;
    }

    LedgerId ledger{make_uuid7({1}, 2, 1)};
    Party seller{{make_uuid7({1}, 3, 1)}, "bob"};
    Product product;
    std::vector<Order> orders;
    std::vector<Purchase> purchases;
    bool ledger_lives = true;
};

std::string failing_sales_after(void (*breaking)(Sales&)) {
    Sales sales;
    breaking(sales);
    return sales.failing();
}

BOOST_AUTO_TEST_CASE(a_sound_sale_keeps_every_promise) {
    BOOST_TEST(Sales().failing() == "");
    auto free = [](Sales& sales) {
        sales.product.payment.reset();
        for (auto& order : sales.orders) order.purchase.reset();
    };
    BOOST_TEST(failing_sales_after(free) == "");
}

BOOST_AUTO_TEST_CASE(sold_that_is_not_what_was_ordered_is_seen) {
    auto more = [](Sales& sales) { sales.product.sold = 4; };
    auto beyond = [](Sales& sales) { sales.product.stock = 2; };
    auto lost = [](Sales& sales) { sales.orders.erase(sales.orders.begin()); };
    for (auto* breaking : {+more, +beyond, +lost})
        BOOST_TEST(failing_sales_after(breaking) == "sold_equals_orders ");
}

BOOST_AUTO_TEST_CASE(a_user_beyond_the_limit_is_seen) {
    auto beyond = [](Sales& sales) { sales.product.per_user_limit = 2; };
    BOOST_TEST(failing_sales_after(beyond) == "users_within_limit ");
}

BOOST_AUTO_TEST_CASE(an_order_that_was_not_paid_as_it_should_is_seen) {
    auto price = [](Sales& sales) { sales.orders[0].unit_price = 99; };
    auto total = [](Sales& sales) { sales.orders[0].total = 299; };
    auto unpaid = [](Sales& sales) { sales.orders[0].purchase.reset(); };
    auto unknown = [](Sales& sales) { sales.purchases.erase(sales.purchases.begin()); };
    auto paid_less = [](Sales& sales) { sales.purchases[0].price = 200; };
    auto other_buyer = [](Sales& sales) { sales.purchases[0].buyer.address = "bob"; };
    auto other_seller = [](Sales& sales) { sales.purchases[0].author.address = "zoe"; };
    auto kept = [](Sales& sales) { sales.purchases[1].refunded_at.reset(); };
    auto for_nothing = [](Sales& sales) { sales.product.payment.reset(); };
    for (auto* breaking : {+price, +total, +unpaid, +unknown, +paid_less, +other_buyer,
                           +other_seller, +kept, +for_nothing})
        BOOST_TEST(failing_sales_after(breaking) == "orders_equal_purchases ");
}

BOOST_AUTO_TEST_CASE(what_a_deleted_ledger_held_is_not_asked_for) {
    auto deleted = [](Sales& sales) {
        sales.ledger_lives = false;
        sales.purchases.clear();
    };
    BOOST_TEST(failing_sales_after(deleted) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
