#include "domain/purchase.hpp"

#include <rapidcheck.h>

#include <map>

#include "tests/domain/scene.hpp"

namespace penstock::tests {
namespace {

MakePurchase purchase(std::string buyer, std::string author, Amount price) {
    return {Scene::ledger_id(), std::move(buyer), std::move(author), price};
}

RefundPurchase refund(Purchase const& original) { return {Scene::ledger_id(), original}; }

/// "buyer" with money, "author" and "other" without, on a ledger with that percentage.
Scene market(std::int16_t percent = 70, Amount money = 1'000'000, std::int16_t fraction = 0) {
    auto rows = Scene::loaded();
    rows.ledgers.front().royalty_percent = percent;
    Scene::add(rows, "buyer", money);
    Scene::add(rows, "author", 0);
    rows.accounts.back().standing.fraction = fraction;
    Scene::add(rows, "other", 0);
    return Scene{std::move(rows)};
}

std::int16_t fraction(Scene& scene, std::string const& author) {
    return scene.set().find_account(Scene::ledger_id(), author)->standing.fraction;
}

struct Vector {
    Amount price;
    std::int16_t before;
    Shares shares;
};

constexpr Vector vectors[] = {
    {99, 0, {69, 30, 30}}, {99, 80, {70, 29, 10}},   {1, 0, {0, 1, 70}},
    {1, 30, {1, 0, 0}},    {333, 0, {233, 100, 10}}, {10'000, 99, {7'000, 3'000, 99}},
};

std::int64_t total_of(Changes const& changes, TotalKind kind, bool amount = true) {
    for (auto const& total : changes.totals)
        if (total.kind == kind)
            return amount ? static_cast<std::int64_t>(total.amount) : total.count;
    return 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(purchases)

BOOST_AUTO_TEST_CASE(a_price_is_shared_to_the_hundredth_of_a_cent) {
    for (auto const& [price, before, shares] : vectors) {
        BOOST_TEST_CONTEXT("price " << price << ", fraction " << before) {
            BOOST_TEST((share_price(price, 70, before) == shares));
            auto scene = market(70, 1'000'000, before);
            auto const made_one = made<Purchase>(scene.decide(purchase("buyer", "author", price)));
            BOOST_TEST(made_one.author_amount == shares.author);
            BOOST_TEST(made_one.platform_amount == shares.platform);
            BOOST_TEST(scene.balance("author") == shares.author);
            BOOST_TEST(scene.balance("@platform") == shares.platform);
            BOOST_TEST(scene.balance("buyer") == 1'000'000 - price);
            BOOST_TEST(fraction(scene, "author") == shares.fraction);
            std::size_t const legs = (shares.author > 0) + (shares.platform > 0);
            BOOST_TEST(scene.set().changes().transfers.size() == legs);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_largest_price_is_shared_exactly) {
    auto const shares = share_price(amount_max, 100, 99);
    BOOST_TEST(shares.author == amount_max);
    BOOST_TEST(shares.platform == 0);
    BOOST_TEST(shares.fraction == 99);
    BOOST_TEST((share_refund(amount_max, 100, 99) == shares));
}

BOOST_AUTO_TEST_CASE(of_ten_purchases_of_1_the_author_gets_7) {
    auto scene = market();
    for (int i = 0; i < 10; ++i) made<Purchase>(scene.decide(purchase("buyer", "author", 1)));
    BOOST_TEST(scene.balance("author") == 7);
    BOOST_TEST(scene.balance("@platform") == 3);
    BOOST_TEST(fraction(scene, "author") == 0);
}

BOOST_AUTO_TEST_CASE(of_prices_1_to_1000_the_author_gets_350350) {
    auto scene = market();
    for (Amount price = 1; price <= 1000; ++price)
        made<Purchase>(scene.decide(purchase("buyer", "author", price)));
    BOOST_TEST(scene.balance("author") == 350'350);
    BOOST_TEST(scene.balance("@platform") == 150'150);
    BOOST_TEST(fraction(scene, "author") == 0);
    auto const changes = scene.set().changes();
    BOOST_TEST(total_of(changes, TotalKind::purchase) == 500'500);
    BOOST_TEST(total_of(changes, TotalKind::purchase, false) == 1'000);
    BOOST_TEST(total_of(changes, TotalKind::royalty_author) == 350'350);
    BOOST_TEST(total_of(changes, TotalKind::royalty_platform) == 150'150);
}

BOOST_AUTO_TEST_CASE(legs_name_the_purchase_that_made_them) {
    auto scene = market();
    auto const one = made<Purchase>(scene.decide(purchase("buyer", "author", 99)));
    auto const changes = scene.set().changes();
    BOOST_TEST_REQUIRE(changes.transfers.size() == 2U);
    BOOST_TEST((changes.transfers[0].kind == TransferKind::royalty_author));
    BOOST_TEST((changes.transfers[1].kind == TransferKind::royalty_platform));
    for (auto const& leg : changes.transfers) {
        BOOST_TEST((leg.cause == one.id.value));
        BOOST_TEST(leg.from.address == "buyer");
        BOOST_TEST(!leg.key_use);
    }
}

BOOST_AUTO_TEST_CASE(checks_come_in_the_documented_order) {
    auto scene = market(70, 100);
    auto const refused = [&](std::string buyer, std::string author, Amount price) {
        return refusal_of(scene.decide(purchase(std::move(buyer), std::move(author), price)));
    };
    BOOST_TEST(refused("nobody", "nobody", 101) == "self_purchase /author");
    BOOST_TEST(refused("@platform", "author", 1) == "self_purchase /buyer");
    BOOST_TEST(refused("nobody", "no one", 101) == "account_not_found /buyer");
    BOOST_TEST(refused("buyer", "nobody", 101) == "account_not_found /author");
    BOOST_TEST(refused("buyer", "author", 101) == "insufficient_funds");
    BOOST_TEST(refused("buyer", "author", 100) == "");
    BOOST_TEST(refused("buyer", "author", 1) == "insufficient_funds");
}

BOOST_AUTO_TEST_CASE(a_refused_purchase_leaves_nothing_behind) {
    auto scene = Scene(AccountPolicy::implicit);
    BOOST_TEST(refusal_of(scene.decide(purchase("buyer", "author", 5))) == "insufficient_funds");
    BOOST_TEST(scene.set().changes().empty());
    made<Transfer>(scene.deposit("buyer", 4));
    BOOST_TEST(refusal_of(scene.decide(purchase("buyer", "author", 5))) == "insufficient_funds");
    BOOST_TEST(!scene.set().find_account(Scene::ledger_id(), "author"));
}

BOOST_AUTO_TEST_CASE(money_does_not_buy_on_a_ledger_of_credits) {
    auto scene = Scene(AccountPolicy::explicit_, LedgerKind::credits);
    BOOST_TEST(refusal_of(scene.decide(purchase("a", "b", 5))) == "unsupported_on_ledger");
}

BOOST_AUTO_TEST_CASE(a_repeated_key_shows_the_purchase_as_it_was_made) {
    auto scene = market();
    auto const first = scene.decide(purchase("buyer", "author", 99), use_of(1));
    auto const again = scene.decide(purchase("buyer", "author", 99), use_of(1));
    BOOST_TEST(is_replayed(again));
    BOOST_TEST((made<Purchase>(again) == made<Purchase>(first)));
    BOOST_TEST(scene.balance("buyer") == 1'000'000 - 99);
    made<Purchase>(scene.decide(refund(made<Purchase>(first)), use_of(2)));
    auto const later = scene.decide(purchase("buyer", "author", 99), use_of(1));
    BOOST_TEST((made<Purchase>(later) == made<Purchase>(first)));
    BOOST_TEST(refusal_of(scene.decide(purchase("buyer", "author", 98), use_of(1, 7))) ==
               "idempotency_key_reused");
}

BOOST_AUTO_TEST_CASE(a_replay_from_the_store_shows_a_refunded_purchase_as_it_was_made) {
    auto rows = Scene::loaded();
    Purchase stored;
    stored.id = {make_uuid7(noon, 1, 1)};
    stored.ledger = Scene::ledger_id();
    stored.price = 5;
    stored.refunded_at = noon;
    stored.author_refund = 3;
    stored.key_use = use_of(1);
    rows.keys.emplace_back(key_named(1), KeyRecord{use_of(1).fingerprint, noon, stored});
    auto scene = Scene{std::move(rows)};
    auto const again = scene.decide(purchase("buyer", "author", 5), use_of(1));
    BOOST_TEST(is_replayed(again));
    BOOST_TEST(!made<Purchase>(again).refunded_at);
    BOOST_TEST(made<Purchase>(again).author_refund == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(refunds)

BOOST_AUTO_TEST_CASE(a_refund_gives_the_price_back_once) {
    auto scene = market();
    auto const one = made<Purchase>(scene.decide(purchase("buyer", "author", 99)));
    auto const back = made<Purchase>(scene.decide(refund(one)));
    BOOST_TEST((back.refunded_at == noon));
    BOOST_TEST(back.author_refund == 69);
    BOOST_TEST(scene.balance("buyer") == 1'000'000);
    BOOST_TEST(scene.balance("author") == 0);
    BOOST_TEST(scene.balance("@platform") == 0);
    BOOST_TEST(fraction(scene, "author") == 0);
    BOOST_TEST(refusal_of(scene.decide(refund(one))) == "already_refunded");
    auto const changes = scene.set().changes();
    BOOST_TEST_REQUIRE(changes.events.size() == 1U);
    BOOST_TEST((changes.events.front().subject == one.id.value));
    BOOST_TEST((changes.events.front().type == EventType::purchase_refunded));
    BOOST_TEST(total_of(changes, TotalKind::refund) == 99);
    BOOST_TEST(total_of(changes, TotalKind::purchase) == 99);
}

BOOST_AUTO_TEST_CASE(a_refund_borrows_a_cent_when_the_fraction_falls_below_zero) {
    BOOST_TEST((share_refund(1, 70, 0) == Shares{1, 0, 30}));
    BOOST_TEST((share_refund(1, 70, 70) == Shares{0, 1, 0}));
    BOOST_TEST((share_refund(99, 70, 10) == Shares{70, 29, 80}));
}

BOOST_AUTO_TEST_CASE(the_percentage_is_the_one_of_the_purchase) {
    auto scene = market(70);
    auto const one = made<Purchase>(scene.decide(purchase("buyer", "author", 1'000)));
    ChangeLedger change{Scene::ledger_id(), {}, {}, std::int16_t{10}};
    made<Ledger>(scene.decide(change));
    made<Purchase>(scene.decide(refund(one)));
    BOOST_TEST(scene.balance("author") == 0);
    BOOST_TEST(scene.balance("@platform") == 0);
}

BOOST_AUTO_TEST_CASE(who_has_spent_the_money_cannot_refund_it) {
    auto scene = market();
    auto const one = made<Purchase>(scene.decide(purchase("buyer", "author", 100)));
    made<Transfer>(scene.withdraw("author", 1));
    auto const before = scene.set().changes();
    BOOST_TEST(refusal_of(scene.decide(refund(one))) == "insufficient_funds");
    BOOST_TEST((scene.set().changes() == before));
    made<Transfer>(scene.deposit("author", 1));
    made<Transfer>(scene.withdraw("@platform", 30));
    BOOST_TEST(refusal_of(scene.decide(refund(one))) == "insufficient_funds");
    BOOST_TEST(fraction(scene, "author") == 0);
    BOOST_TEST(scene.balance("author") == 70);
}

BOOST_AUTO_TEST_CASE(an_unknown_purchase_is_not_found) {
    auto scene = market();
    BOOST_TEST(refusal_of(scene.decide(RefundPurchase{Scene::ledger_id(), std::nullopt})) ==
               "purchase_not_found");
    Purchase foreign;
    foreign.ledger = LedgerId{make_uuid7(noon, 5, 5)};
    BOOST_TEST(refusal_of(scene.decide(refund(foreign))) == "purchase_not_found");
}

BOOST_AUTO_TEST_CASE(a_leg_of_a_purchase_cannot_be_reverted) {
    auto scene = market();
    made<Purchase>(scene.decide(purchase("buyer", "author", 100)));
    auto const leg = scene.set().changes().transfers.front();
    BOOST_TEST(refusal_of(scene.decide(RevertTransfer{Scene::ledger_id(), leg})) ==
               "illegal_transition");
}

namespace {

/// What the purchases say each author has earned, kept apart from the rules under test.
struct Market {
    Scene scene;
    std::vector<Purchase> open;
    std::map<std::string, Sum> due;   ///< Σ price·percent of what is not refunded, centi-cents
    std::map<std::string, Sum> paid;  ///< royalties less what refunds took back
    Sum platform = 0;
    Sum bought = 0;

    static Scene everyone() {
        auto rows = Scene::loaded();
        for (auto const* name : {"a", "b", "c"}) Scene::add(rows, name, 2'000);
        return Scene{std::move(rows)};
    }

    void buy(std::string const& buyer, std::string const& author, Amount price) {
        auto const outcome = scene.decide(purchase(buyer, author, price));
        auto const* receipt = std::get_if<Receipt>(&outcome);
        if (!receipt) return;
        auto const one = std::get<Purchase>(receipt->what);
        open.push_back(one);
        due[author] += Sum{price} * one.royalty_percent;
        paid[author] += one.author_amount;
        platform += one.platform_amount;
        bought += price;
        RC_ASSERT(one.author_amount + one.platform_amount == price);
    }

    void give_back(std::size_t which) {
        if (open.empty()) return;
        which %= open.size();
        auto const one = open[which];
        auto const outcome = scene.decide(refund(one));
        auto const* receipt = std::get_if<Receipt>(&outcome);
        if (!receipt) {
            RC_ASSERT(std::get<Refusal>(outcome).code == Rejection::insufficient_funds);
            return;
        }
        auto const back = std::get<Purchase>(receipt->what);
        due[one.author.address] -= Sum{one.price} * one.royalty_percent;
        paid[one.author.address] -= back.author_refund;
        platform -= one.price - back.author_refund;
        bought -= one.price;
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
    }

    void check() {
        Sum royalties = 0;
        for (auto const& [author, centicents] : due) {
            RC_ASSERT(paid[author] * 100 + fraction(scene, author) == centicents);
            royalties += paid[author];
        }
        RC_ASSERT(bought == royalties + platform);
        Amount sum = 0;
        for (auto const* name : {"a", "b", "c", "@platform"}) {
            RC_ASSERT(scene.balance(name) >= 0);
            sum += scene.balance(name);
        }
        RC_ASSERT(sum == 6'000);
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(in_any_order_of_purchases_and_refunds_royalties_are_exact) {
    bool const holds = rc::check([] {
        Market market;
        market.scene = Market::everyone();
        std::vector<std::string> const names{"a", "b", "c", "@platform"};
        auto const steps = *rc::gen::inRange(1, 60);
        for (int step = 0; step < steps; ++step) {
            auto const action = *rc::gen::inRange(0, 8);
            if (action == 0) {
                auto const percent = static_cast<std::int16_t>(*rc::gen::inRange(0, 101));
                ChangeLedger change{Scene::ledger_id(), {}, {}, percent};
                market.scene.decide(change);
            } else if (action < 4) {
                market.give_back(*rc::gen::inRange<std::size_t>(0, 60));
            } else {
                auto const buyer = *rc::gen::elementOf(names);
                auto const author = *rc::gen::elementOf(names);
                market.buy(buyer, author, *rc::gen::inRange<Amount>(1, 700));
            }
            market.check();
        }
    });
    BOOST_TEST(holds);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
