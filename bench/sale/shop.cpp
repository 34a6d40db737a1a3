#include "bench/sale/shop.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "bench/ledger_view.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench::sale {
namespace {

constexpr char const* seller = "seller";
constexpr char const* long_ago = "2020-01-01T00:00:00.000Z";
/// Nobody runs out of money: what is measured is the sale.
constexpr Amount orders_per_buyer = 100'000;
constexpr std::size_t users_asked_max = 50;

}  // namespace

Shop::Shop(std::string name, SaleOptions const& options, Target target, std::uint64_t key_seed)
    : name_(std::move(name)), options_(options), target_(std::move(target)), keys_(key_seed) {}

asio::awaitable<void> Shop::prepare(Client& client, std::uint32_t buyers) {
    if (!options_.paid) co_return;
    ledger_ = std::make_unique<Books>(name_);
    bool const made = co_await create_ledger(client, name_);
    if (!made) throw Unusable("the ledger " + name_ + " exists already");
    auto const account = ledger_->open(seller);
    co_await create_account(client, *ledger_, account);
    auto const treasury = ledger_->open("treasury");
    Amount const most = domain::amount_max / std::max<Amount>(buyers, 1);
    Amount const each = std::clamp<Amount>(options_.price * orders_per_buyer, 1, most);
    Posting const funds{0, Books::world, treasury, Kind::deposit, each * Amount{buyers}};
    co_await deposit(client, *ledger_, funds);
    std::vector<Posting> shares;
    shares.reserve(buyers);
    for (std::uint32_t user = 0; user < buyers; ++user) {
        shares.push_back({0, treasury, ledger_->open(user_name(user)), Kind::transfer, each});
    }
    co_await transfer_all(client, *ledger_, std::move(shares));
}

asio::awaitable<ServerClock> Shop::read_clock(Client& client) {
    if (clock_.empty()) {
        Terms terms;
        terms.starts_at = long_ago;
        std::optional<PaidInto> const for_free;
        clock_ = co_await make_product(client, name_ + "-clock", terms, for_free);
    }
    co_return co_await sale::read_clock(client, clock_);
}

asio::awaitable<void> Shop::open(Client& client, std::int64_t stock, std::int64_t per_user_limit,
                                 std::string starts_at) {
    Terms terms;
    terms.price = options_.price;
    terms.stock = stock;
    terms.per_user_limit = per_user_limit;
    terms.starts_at = starts_at.empty() ? long_ago : std::move(starts_at);
    std::optional<PaidInto> payment;
    if (ledger_) payment.emplace(PaidInto{name_, seller});
    std::string const name = name_ + "-" + std::to_string(sales_.size());
    terms.product = co_await make_product(client, name, terms, payment);
    PostRoute const route(target_, sale_path(terms.product) + "/orders");
    sales_.push_back({SaleBooks(std::move(terms)), route});
}

void Shop::write(std::string& out, std::size_t product, std::uint32_t attempt) {
    body_.clear();
    sales_[product].books.write_body(body_, attempt);
    sales_[product].route.write(out, body_, keys_);
}

void Shop::write_cancel(std::string& out, std::size_t product, std::uint32_t attempt) {
    auto const& books = sales_[product].books;
    auto const id = text_member(books.at(attempt).answer, "id");
    auto const path = sale_path(books.terms().product) + "/orders/" + std::string(id) + "/cancel";
    PostRoute(target_, path).write(out, "{}", keys_);
}

void Shop::write_restock(std::string& out, std::size_t product, std::uint32_t quantity) {
    auto const path = "/v1/products/" + sales_[product].books.terms().product + "/restock";
    body_ = R"({"quantity":)";
    append_number(body_, quantity);
    body_ += '}';
    PostRoute(target_, path).write(out, body_, keys_);
}

asio::awaitable<SaleJudgement> Shop::check(Client& client, Returns returns) {
    SaleJudgement all;
    std::vector<SeenOrder> orders;
    for (std::size_t product = 0; product < sales_.size(); ++product) {
        auto const& books = sales_[product].books;
        auto seen = co_await observe_sale(client, books.terms().product);
        auto judgement = books.judge(seen, returns);
        co_await check_users(client, product, seen, judgement);
        all.add(judgement);
        std::move(seen.orders.begin(), seen.orders.end(), std::back_inserter(orders));
    }
    if (ledger_) co_await check_payments(client, std::move(orders), all);
    co_return all;
}

/// What a user sees of himself says the same as the list: of the first few buyers.
asio::awaitable<void> Shop::check_users(Client& client, std::size_t product, SeenSale const& seen,
                                        SaleJudgement& judgement) {
    std::unordered_map<std::string, std::int64_t> held;
    for (auto const& order : seen.orders) {
        bool const asked = held.contains(order.user) || held.size() < users_asked_max;
        if (asked) held[order.user] += order.completed ? order.quantity : 0;
    }
    held.try_emplace("nobody", 0);
    for (auto const& [user, quantity] : held) {
        auto const& id = sales_[product].books.terms().product;
        auto const shown = co_await observe_user(client, id, user);
        if (shown.quantity == quantity && shown.purchased == (quantity > 0)) continue;
        judgement.note(user + " is shown " + std::to_string(shown.quantity) + ", has " +
                       std::to_string(quantity));
    }
}

asio::awaitable<void> Shop::check_payments(Client& client, std::vector<SeenOrder> orders,
                                           SaleJudgement& judgement) {
    auto const purchases = co_await list_purchases(client, name_);
    for (auto& difference : compare_payments(orders, purchases, seller)) {
        judgement.note(std::move(difference));
    }
    auto const author = ledger_->open(seller);
    for (auto const& purchase : purchases) {
        auto const buyer = ledger_->open(purchase.buyer);
        ledger_->acknowledge({0, buyer, author, Kind::purchase, purchase.price});
        ledger_->acknowledge_legs(purchase.author_amount, purchase.platform_amount);
        if (purchase.completed) continue;
        ledger_->acknowledge({0, author, buyer, Kind::refund, purchase.price});
    }
    auto const observed = co_await observe(client, name_);
    for (auto& difference : ledger_->differences(observed)) judgement.note(std::move(difference));
}

}  // namespace penstock::bench::sale
