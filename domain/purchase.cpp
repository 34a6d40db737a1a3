// What a purchase pays to whom, and what its refund takes back from whom.
#include "domain/purchase.hpp"

#include "domain/assert.hpp"
#include "domain/event.hpp"
#include "domain/movement.hpp"
#include "domain/organization.hpp"

namespace penstock::domain {
namespace {

constexpr std::int64_t centicents_per_cent = 100;

void set_fraction(WorkingSet& set, LedgerId ledger, std::string const& author,
                  std::int16_t fraction) {
    auto const* account = set.find_account(ledger, author);
    if (account->standing.fraction == fraction) return;
    Standing standing = account->standing;
    standing.fraction = fraction;
    set_standing_now(set, *account, standing);
}

/// One share of a purchase on its way; a share of nothing is no transfer.
std::optional<Refusal> pay_share(WorkingSet& set, Ledger const& ledger, std::string const& from,
                                 std::string const& to, Amount amount, Origin const& origin) {
    if (amount == 0) return std::nullopt;
    auto const moved = move(set, ledger, Movement{from, to, amount}, origin);
    if (auto const* refusal = std::get_if<Refusal>(&moved)) return Refusal{refusal->code};
    return std::nullopt;
}

/// The purchase as it stands, if it is one of the ledger.
Purchase const* find_original(WorkingSet const& set, RefundPurchase const& command) {
    if (!command.original || command.original->ledger != command.ledger) return nullptr;
    return set.find_purchase(command.original->id);
}

}  // namespace

Shares share_price(Amount price, std::int16_t percent, std::int16_t fraction) {
    PENSTOCK_ASSERT(price >= 1 && price <= amount_max);
    PENSTOCK_ASSERT(percent >= 0 && percent <= 100);
    PENSTOCK_ASSERT(fraction >= 0 && fraction < centicents_per_cent);
    std::int64_t const n = price * percent;
    std::int64_t const accrued = fraction + n % centicents_per_cent;
    Shares shares;
    shares.author = n / centicents_per_cent + accrued / centicents_per_cent;
    shares.platform = price - shares.author;
    shares.fraction = static_cast<std::int16_t>(accrued % centicents_per_cent);
    PENSTOCK_ASSERT(shares.platform >= 0);
    return shares;
}

Shares share_refund(Amount price, std::int16_t percent, std::int16_t fraction) {
    PENSTOCK_ASSERT(price >= 1 && price <= amount_max);
    PENSTOCK_ASSERT(percent >= 0 && percent <= 100);
    PENSTOCK_ASSERT(fraction >= 0 && fraction < centicents_per_cent);
    std::int64_t const n = price * percent;
    std::int64_t left = fraction - n % centicents_per_cent;
    Shares shares;
    shares.author = n / centicents_per_cent;
    if (left < 0) {
        left += centicents_per_cent;
        shares.author += 1;
    }
    shares.platform = price - shares.author;
    shares.fraction = static_cast<std::int16_t>(left);
    PENSTOCK_ASSERT(shares.platform >= 0);
    return shares;
}

void add_purchase_keys(LedgerId ledger, std::string const& buyer, std::string const& author,
                       KeySet& keys) {
    keys.ledgers.insert(ledger);
    add_movement_keys(ledger, buyer, author, keys);
    keys.accounts.insert({ledger, platform_address});
}

void add_keys(MakePurchase const& command, Envelope const&, KeySet& keys) {
    add_purchase_keys(command.ledger, command.buyer, command.author, keys);
}

std::variant<Purchase, Refusal> buy(WorkingSet& set, Ledger const& ledger,
                                    MakePurchase const& command, std::uint64_t nonce,
                                    std::optional<KeyUse> const& key_use) {
    if (command.buyer == command.author) return Refusal{Rejection::self_purchase, "/author"};
    // The platform has a share in every purchase: buying, it would pay itself.
    if (command.buyer == platform_address) return Refusal{Rejection::self_purchase, "/buyer"};
    auto const found = find_payer(set, ledger, command.buyer, "/buyer");
    if (auto const* refusal = std::get_if<Refusal>(&found)) return *refusal;
    auto const* buyer = std::get<Account const*>(found);
    auto const* author = find_payee(set, ledger, command.author, nonce);
    if (!author) return Refusal{Rejection::account_not_found, "/author"};
    if (!has_funds(*buyer, command.price)) return Refusal{Rejection::insufficient_funds};

    auto const percent = ledger.royalty_percent;
    auto const shares = share_price(command.price, percent, author->standing.fraction);
    Purchase purchase;
    purchase.id = {set.next_id(nonce)};
    purchase.ledger = ledger.id;
    purchase.buyer = {buyer->id, buyer->address};
    purchase.author = {author->id, author->address};
    purchase.price = command.price;
    purchase.royalty_percent = percent;
    purchase.author_amount = shares.author;
    purchase.platform_amount = shares.platform;
    purchase.reference = command.reference;
    purchase.metadata = command.metadata;
    purchase.key_use = key_use;
    Origin origin{TransferKind::royalty_author, nonce};
    origin.cause = purchase.id.value;
    if (auto refusal = pay_share(set, ledger, command.buyer, command.author, shares.author, origin))
        return *std::move(refusal);
    origin.kind = TransferKind::royalty_platform;
    if (auto refusal =
            pay_share(set, ledger, command.buyer, platform_address, shares.platform, origin))
        return *std::move(refusal);
    set_fraction(set, ledger.id, command.author, shares.fraction);
    set.add_purchase(purchase);
    return purchase;
}

Outcome apply(WorkingSet& set, Envelope const& envelope, MakePurchase const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (auto refusal = refuse_ledger(ledger)) return *std::move(refusal);
    auto bought = buy(set, *ledger, command, envelope.nonce, envelope.key_use);
    if (auto* refusal = std::get_if<Refusal>(&bought)) return *std::move(refusal);
    return Receipt{std::get<Purchase>(std::move(bought))};
}

void add_keys(RefundPurchase const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    if (!command.original || command.original->ledger != command.ledger) return;
    auto const& original = *command.original;
    add_purchase_keys(command.ledger, original.buyer.address, original.author.address, keys);
    keys.purchases.insert({command.ledger, original.id});
}

std::variant<Purchase, Refusal> give_back(WorkingSet& set, Ledger const& ledger, Purchase purchase,
                                          std::uint64_t nonce) {
    PENSTOCK_ASSERT(!purchase.refunded_at);
    auto const& author = purchase.author.address;
    auto const& buyer = purchase.buyer.address;
    // Accounts live as long as their ledger.
    auto const* account = set.find_account(ledger.id, author);
    PENSTOCK_ASSERT(account);
    auto const shares =
        share_refund(purchase.price, purchase.royalty_percent, account->standing.fraction);
    Origin origin{TransferKind::refund, nonce};
    origin.cause = purchase.id.value;
    if (auto refusal = pay_share(set, ledger, author, buyer, shares.author, origin))
        return *std::move(refusal);
    if (auto refusal = pay_share(set, ledger, platform_address, buyer, shares.platform, origin))
        return *std::move(refusal);
    set_fraction(set, ledger.id, author, shares.fraction);
    purchase.refunded_at = set.now();
    purchase.author_refund = shares.author;
    set.refund_purchase(purchase);

    auto event = make_event(set, ledger, EventType::purchase_refunded, purchase.id.value,
                            purchase.buyer, purchase.author, nonce);
    event.amount = purchase.price;
    set.add_event(std::move(event));
    return purchase;
}

Outcome apply(WorkingSet& set, Envelope const& envelope, RefundPurchase const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (auto refusal = refuse_ledger(ledger)) return *std::move(refusal);
    auto const* original = find_original(set, command);
    if (!original) return Refusal{Rejection::purchase_not_found};
    if (original->refunded_at) return Refusal{Rejection::already_refunded};
    auto refunded = give_back(set, *ledger, *original, envelope.nonce);
    if (auto* refusal = std::get_if<Refusal>(&refunded)) return *std::move(refusal);
    return Receipt{std::get<Purchase>(std::move(refunded))};
}

}  // namespace penstock::domain
