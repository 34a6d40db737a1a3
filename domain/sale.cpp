// What products, orders and their cancellations come to.
#include "domain/sale.hpp"

#include "domain/assert.hpp"
#include "domain/movement.hpp"
#include "domain/organization.hpp"
#include "domain/purchase.hpp"

namespace penstock::domain {
namespace {

/// The envelope's organization's product; nullptr for everybody else's.
Product const* find_own_product(WorkingSet const& set, Envelope const& envelope, ProductId id) {
    auto const* product = set.find_product(id);
    return product && product->organization == envelope.organization ? product : nullptr;
}

/// An event of a product: it lies with its product, and outlives the ledger of its payments.
Event make_event(WorkingSet& set, Product const& product, EventType type, Uuid subject,
                 std::uint64_t nonce) {
    Event event;
    event.id = {set.next_id(nonce)};
    event.organization = product.organization;
    event.type = type;
    event.subject = subject;
    event.product = product.id;
    return event;
}

/// A purchase's refusal in the words of an order: its buyer is the order's user.
Refusal reworded(Refusal refusal) {
    if (!refusal.pointer.empty()) refusal.pointer = "/user";
    return refusal;
}

/// The order's purchase, its reference the order's id.
std::variant<Purchase, Refusal> pay(WorkingSet& set, Envelope const& envelope,
                                    SalePayment const& payment, Order const& order) {
    auto const* ledger = find_own_ledger(set, envelope, payment.ledger);
    if (auto refusal = refuse_ledger(ledger)) return *std::move(refusal);
    // Outside money and escrow buy nothing: to clients they are nobody.
    if (order.user.starts_with('@') && order.user != platform_address)
        return Refusal{Rejection::account_not_found, "/user"};
    MakePurchase purchase;
    purchase.ledger = ledger->id;
    purchase.buyer = order.user;
    purchase.author = payment.seller.address;
    purchase.price = order.total;
    purchase.reference = order.id.to_string();
    auto paid = buy(set, *ledger, purchase, envelope.nonce, std::nullopt);
    if (auto* refusal = std::get_if<Refusal>(&paid)) return reworded(std::move(*refusal));
    return paid;
}

/// What was paid for an order goes back, unless it went back before.
std::optional<Refusal> refund(WorkingSet& set, Envelope const& envelope, SalePayment const& payment,
                              PurchaseId id) {
    auto const* ledger = find_own_ledger(set, envelope, payment.ledger);
    if (auto refusal = refuse_ledger(ledger)) return refusal;
    // Purchases live as long as their ledger.
    auto const* purchase = set.find_purchase(id);
    PENSTOCK_ASSERT(purchase);
    if (purchase->refunded_at) return std::nullopt;
    auto given = give_back(set, *ledger, *purchase, envelope.nonce);
    if (auto* refusal = std::get_if<Refusal>(&given)) return std::move(*refusal);
    return std::nullopt;
}

/// The order as it stands, if it is one of the product.
Order const* find_original(WorkingSet const& set, CancelOrder const& command) {
    if (!command.original || command.original->product != command.product) return nullptr;
    return set.find_order(command.original->id);
}

}  // namespace

SaleStatus sale_status(Product const& product, Instant at) {
    if (product.ends_at && at >= *product.ends_at) return SaleStatus::ended;
    if (at < product.starts_at) return SaleStatus::upcoming;
    return product.remaining() == 0 ? SaleStatus::sold_out : SaleStatus::active;
}

std::optional<Refusal> refuse_by_window(Product const& product, Instant at) {
    auto const status = sale_status(product, at);
    if (status == SaleStatus::ended) return Refusal{Rejection::sale_ended};
    if (status != SaleStatus::upcoming) return std::nullopt;
    Refusal refusal{Rejection::sale_not_started};
    refusal.starts_at = product.starts_at;
    return refusal;
}

std::optional<Refusal> refuse_order(Product const& product, std::int64_t bought,
                                    std::int64_t quantity, Instant at) {
    PENSTOCK_ASSERT(quantity >= 1 && bought >= 0);
    if (auto refusal = refuse_by_window(product, at)) return refusal;
    if (product.remaining() == 0) return Refusal{Rejection::sold_out};
    if (quantity > product.per_user_limit - bought)
        return Refusal{Rejection::purchase_limit_reached};
    if (quantity > product.remaining()) return Refusal{Rejection::sold_out};
    return std::nullopt;
}

void add_keys(CreateProduct const& command, Envelope const&, KeySet& keys) {
    if (!command.payment) return;
    keys.ledgers.insert(command.payment->ledger);
    keys.accounts.insert({command.payment->ledger, command.payment->seller});
}

Outcome apply(WorkingSet& set, Envelope const& envelope, CreateProduct const& command) {
    Product product = command.draft;
    PENSTOCK_ASSERT(product.price >= 0 && product.stock >= 0 && product.per_user_limit >= 1);
    product.payment.reset();
    if (command.payment) {
        auto const& [id, name, seller] = *command.payment;
        auto const* ledger = find_own_ledger(set, envelope, id);
        if (auto refusal = refuse_ledger(ledger)) {
            refusal->pointer = "/payment/ledger";
            return *std::move(refusal);
        }
        auto const* account = find_payee(set, *ledger, seller, envelope.nonce);
        if (!account) return Refusal{Rejection::account_not_found, "/payment/seller"};
        product.payment = SalePayment{id, ledger->name, {account->id, account->address}};
    }
    product.id = {set.next_id(envelope.nonce)};
    product.organization = envelope.organization;
    product.sold = 0;
    product.version = 0;
    set.add_product(product);
    return Receipt{Offered{std::move(product), set.now()}};
}

void add_keys(RestockProduct const& command, Envelope const&, KeySet& keys) {
    keys.products.insert(command.product);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, RestockProduct const& command) {
    auto const* product = find_own_product(set, envelope, command.product);
    if (!product) return Refusal{Rejection::product_not_found};
    PENSTOCK_ASSERT(command.quantity >= 1);
    auto const stock = add(product->stock, command.quantity);
    if (!stock || *stock > amount_max) return Refusal{Rejection::amount_overflow, "/quantity"};
    set.set_stock(product->id, *stock, product->sold);
    auto event =
        make_event(set, *product, EventType::product_restocked, product->id.value, envelope.nonce);
    if (product->payment) event.counterparty = product->payment->seller.account;
    event.quantity = command.quantity;
    set.add_event(std::move(event));
    return Receipt{Offered{*product, set.now()}};
}

void add_keys(PlaceOrder const& command, Envelope const&, KeySet& keys) {
    keys.products.insert(command.product);
    keys.sale_users.insert({command.product, command.user});
    if (!command.payment) return;
    auto const& [ledger, name, seller] = *command.payment;
    add_purchase_keys(ledger, command.user, seller.address, keys);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, PlaceOrder const& command) {
    auto const* product = find_own_product(set, envelope, command.product);
    if (!product) return Refusal{Rejection::product_not_found};
    PENSTOCK_ASSERT(command.payment == product->payment);
    auto const at = command.admitted_at.value_or(set.now());
    auto const bought = set.bought_by(product->id, command.user);
    if (auto refusal = refuse_order(*product, bought, command.quantity, at))
        return *std::move(refusal);
    Sum const total = Sum{product->price} * command.quantity;
    if (total > amount_max) return Refusal{Rejection::amount_overflow, "/quantity"};

    Order order;
    order.id = {set.next_id(envelope.nonce)};
    order.product = product->id;
    order.user = command.user;
    order.quantity = command.quantity;
    order.unit_price = product->price;
    order.total = static_cast<Amount>(total);
    order.metadata = command.metadata;
    order.key_use = envelope.key_use;
    if (product->payment && order.total > 0) {
        auto const paid = pay(set, envelope, *product->payment, order);
        if (auto const* refusal = std::get_if<Refusal>(&paid)) return *refusal;
        order.purchase = std::get<Purchase>(paid).id;
    }
    set.set_stock(product->id, product->stock, product->sold + order.quantity);
    set.add_order(order);
    return Receipt{std::move(order)};
}

void add_keys(CancelOrder const& command, Envelope const&, KeySet& keys) {
    keys.products.insert(command.product);
    if (!command.original || command.original->product != command.product) return;
    auto const& original = *command.original;
    keys.orders.insert({command.product, original.id});
    keys.sale_users.insert({command.product, original.user});
    if (!original.purchase || !command.payment) return;
    auto const& [ledger, name, seller] = *command.payment;
    add_purchase_keys(ledger, original.user, seller.address, keys);
    keys.purchases.insert({ledger, *original.purchase});
}

Outcome apply(WorkingSet& set, Envelope const& envelope, CancelOrder const& command) {
    auto const* product = find_own_product(set, envelope, command.product);
    if (!product) return Refusal{Rejection::product_not_found};
    PENSTOCK_ASSERT(command.payment == product->payment);
    auto const* order = find_original(set, command);
    if (!order) return Refusal{Rejection::order_not_found};
    if (order->status != OrderStatus::completed)
        return Refusal{Rejection::illegal_transition, "",
                       "An order that is cancelled cannot be cancelled."};
    auto event =
        make_event(set, *product, EventType::order_cancelled, order->id.value, envelope.nonce);
    event.amount = order->total;
    event.quantity = order->quantity;
    if (order->purchase) {
        auto const& payment = *product->payment;
        if (auto refusal = refund(set, envelope, payment, *order->purchase))
            return *std::move(refusal);
        event.account = set.find_account(payment.ledger, order->user)->id;
        event.counterparty = payment.seller.account;
    }
    set.set_stock(product->id, product->stock, product->sold - order->quantity);
    set.cancel_order(order->id);
    set.add_event(std::move(event));
    return Receipt{*order};
}

}  // namespace penstock::domain
