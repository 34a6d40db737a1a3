#include "bench/retail_plan.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "domain/assert.hpp"

namespace penstock::bench {
namespace {

constexpr std::size_t columns = 7;  // invoice, stock code, quantity, price, time, customer, country
constexpr unsigned decimals_max = 9;

/// digits / 10^decimals.
struct Decimal {
    Amount digits = 0;
    unsigned decimals = 0;
    bool negative = false;
};

std::optional<Decimal> parse_decimal(std::string_view text) {
    Decimal value;
    if (text.starts_with('-')) {
        value.negative = true;
        text.remove_prefix(1);
    }
    bool after_point = false;
    bool any = false;
    for (char const c : text) {
        if (c == '.' && !after_point) {
            after_point = true;
            continue;
        }
        if (c < '0' || c > '9') return std::nullopt;
        if (after_point && ++value.decimals > decimals_max) return std::nullopt;
        if (__builtin_mul_overflow(value.digits, Amount{10}, &value.digits)) return std::nullopt;
        if (__builtin_add_overflow(value.digits, Amount{c - '0'}, &value.digits)) {
            return std::nullopt;
        }
        any = true;
    }
    if (!any) return std::nullopt;
    return value;
}

std::string address(std::string_view kind, std::string_view name) {
    std::string result(kind);
    for (char const c : name) {
        bool const plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == ':' || c == '-';
        result += plain ? c : '_';
    }
    return result;
}

std::optional<std::array<std::string_view, columns>> split(std::string_view line) {
    std::array<std::string_view, columns> fields;
    for (std::size_t i = 0; i + 1 < columns; ++i) {
        auto const tab = line.find('\t');
        if (tab == line.npos) return std::nullopt;
        fields[i] = line.substr(0, tab);
        line.remove_prefix(tab + 1);
    }
    if (line.find('\t') != line.npos) return std::nullopt;
    fields[columns - 1] = line;
    return fields;
}

std::string match_key(std::string_view customer, std::string_view product, Amount amount) {
    std::string key(customer);
    key += '\t';
    key += product;
    key += '\t';
    key += std::to_string(amount);
    return key;
}

}  // namespace

std::optional<Amount> line_amount(std::string_view quantity, std::string_view unit_price_gbp) {
    auto const count = parse_decimal(quantity);
    auto const price = parse_decimal(unit_price_gbp);
    if (!count || !price || count->decimals != 0) return std::nullopt;
    domain::Sum scale = 1;
    for (unsigned i = 0; i < price->decimals; ++i) scale *= 10;
    domain::Sum pence;
    if (__builtin_mul_overflow(domain::Sum{count->digits}, price->digits, &pence) ||
        __builtin_mul_overflow(pence, domain::Sum{100}, &pence)) {
        return std::nullopt;
    }
    domain::Sum const rounded = (pence + scale / 2) / scale;
    if (rounded > domain::amount_max) return std::nullopt;
    auto const amount = static_cast<Amount>(rounded);
    return price->negative ? -amount : amount;
}

bool RetailPlan::add_line(std::string_view line) {
    auto const fields = split(line);
    if (!fields) return false;
    auto const& [invoice, stock_code, quantity, price, at, customer_id, country] = *fields;
    (void)at;
    (void)country;
    counts_.lines += 1;
    auto const amount = line_amount(quantity, price);
    bool const sold = !quantity.starts_with('-') && amount && *amount >= 1;
    bool const returned =
        invoice.starts_with('C') && quantity.starts_with('-') && amount && *amount >= 1;
    auto customer = address("customer:", customer_id.empty() ? "guest" : customer_id);
    auto product = address("product:", stock_code);
    if (sold) {
        add_purchase(std::move(customer), std::move(product), *amount);
    } else if (!returned) {
        counts_.skipped += 1;
    } else if (!add_refund(customer, product, *amount)) {
        counts_.unmatched += 1;
    }
    return true;
}

void RetailPlan::add_purchase(std::string customer, std::string product, Amount amount) {
    auto const index = static_cast<std::uint32_t>(commands_.size());
    open_purchases_[match_key(customer, product, amount)].push_back(index);
    auto const [buyer, new_buyer] = customer_indexes_.try_emplace(
        std::move(customer), static_cast<std::uint32_t>(customers_.size()));
    if (new_buyer) {
        customers_.push_back(buyer->first);
        deposits_.push_back(0);
    }
    auto const [seller, new_seller] = product_indexes_.try_emplace(
        std::move(product), static_cast<std::uint32_t>(products_.size()));
    if (new_seller) products_.push_back(seller->first);
    commands_.push_back({RetailKind::purchase, buyer->second, seller->second, amount});
    deposits_[buyer->second] += amount;
    PENSTOCK_ASSERT(deposits_[buyer->second] <= domain::amount_max);
    counts_.purchases += 1;
    counts_.purchased += amount;
}

bool RetailPlan::add_refund(std::string const& customer, std::string const& product,
                            Amount amount) {
    auto const open = open_purchases_.find(match_key(customer, product, amount));
    if (open == open_purchases_.end() || open->second.empty()) return false;
    auto const purchase = open->second.back();
    open->second.pop_back();
    auto const& bought = commands_[purchase];
    RetailCommand const refund{RetailKind::refund, bought.customer, bought.product, amount,
                               purchase};
    commands_.push_back(refund);
    counts_.refunds += 1;
    counts_.refunded += amount;
    return true;
}

RetailOrder::RetailOrder(std::vector<RetailCommand> const& commands)
    : waits_for_(commands.size()),
      next_of_customer_(commands.size(), none),
      next_of_product_(commands.size(), none) {
    std::vector<std::uint32_t> last_of_customer;
    std::vector<std::uint32_t> last_of_product;
    std::vector<std::uint32_t> chain(commands.size());
    auto const follow = [&](std::vector<std::uint32_t>& last, std::uint32_t owner,
                            std::vector<std::uint32_t>& next, std::uint32_t command) {
        if (owner >= last.size()) last.resize(owner + 1, none);
        auto const previous = std::exchange(last[owner], command);
        if (previous == none) return;
        next[previous] = command;
        waits_for_[command] += 1;
        chain[command] = std::max(chain[command], chain[previous]);
    };
    for (std::uint32_t i = 0; i < commands.size(); ++i) {
        follow(last_of_customer, commands[i].customer, next_of_customer_, i);
        follow(last_of_product, commands[i].product, next_of_product_, i);
        chain[i] += 1;
        longest_chain_ = std::max(longest_chain_, chain[i]);
        if (waits_for_[i] == 0) make_ready(i);
    }
}

void RetailOrder::make_ready(std::uint32_t command) {
    ready_.push_back(command);
    std::push_heap(ready_.begin(), ready_.end(), std::greater{});
}

std::optional<std::uint32_t> RetailOrder::start() {
    if (ready_.empty()) return std::nullopt;
    std::pop_heap(ready_.begin(), ready_.end(), std::greater{});
    auto const command = ready_.back();
    ready_.pop_back();
    started_ += 1;
    return command;
}

void RetailOrder::answered(std::uint32_t command) {
    answered_ += 1;
    PENSTOCK_ASSERT(answered_ <= started_);
    release(next_of_customer_[command]);
    release(next_of_product_[command]);
}

void RetailOrder::release(std::uint32_t command) {
    if (command == none) return;
    PENSTOCK_ASSERT(waits_for_[command] > 0);
    if (--waits_for_[command] == 0) make_ready(command);
}

}  // namespace penstock::bench
