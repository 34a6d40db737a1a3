// How a shop's invoice lines become transfers, and which of them must wait for which. Pure:
// exact decimal arithmetic, no input or output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "domain/amount.hpp"

namespace penstock::bench {

using domain::Amount;

/// |quantity| × unit price in pence, rounded half up, where the price is a decimal in pounds.
/// Negative for a negative price; nullopt when a text is not a number or the product too large.
std::optional<Amount> line_amount(std::string_view quantity, std::string_view unit_price_gbp);

enum class RetailKind : std::uint8_t { purchase, refund };

/// One command of the replay. `customer` and `product` index the plan's address lists.
struct RetailCommand {
    RetailKind kind;
    std::uint32_t customer;
    std::uint32_t product;
    Amount amount;
    std::uint32_t refunded = 0;  ///< refund: which command it takes back
};

struct RetailCounts {
    std::uint64_t lines = 0;
    std::uint64_t purchases = 0;
    Amount purchased = 0;
    std::uint64_t refunds = 0;
    Amount refunded = 0;
    std::uint64_t unmatched = 0;
    std::uint64_t skipped = 0;

    bool operator==(RetailCounts const&) const = default;
};

/// Built line by line, in the order of the file.
class RetailPlan {
public:
    /// False: the line does not have seven columns. The header line is the caller's to drop.
    bool add_line(std::string_view line);

    std::vector<RetailCommand> const& commands() const { return commands_; }
    std::vector<std::string> const& customers() const { return customers_; }
    std::vector<std::string> const& products() const { return products_; }
    /// By customer: the sum of its purchases, which it gets as one deposit beforehand.
    std::vector<Amount> const& deposits() const { return deposits_; }
    RetailCounts const& counts() const { return counts_; }

private:
    using Indexes = std::unordered_map<std::string, std::uint32_t>;

    void add_purchase(std::string customer, std::string product, Amount amount);
    bool add_refund(std::string const& customer, std::string const& product, Amount amount);

    std::vector<RetailCommand> commands_;
    std::vector<std::string> customers_;
    std::vector<std::string> products_;
    std::vector<Amount> deposits_;
    Indexes customer_indexes_;
    Indexes product_indexes_;
    /// Purchases that are not refunded yet, the latest last, by customer, product and amount.
    std::unordered_map<std::string, std::vector<std::uint32_t>> open_purchases_;
    RetailCounts counts_;
};

/// Which command may start: each waits for the one before it of its customer and of its product.
/// Among those that may start, the earliest in the file goes first.
class RetailOrder {
public:
    explicit RetailOrder(std::vector<RetailCommand> const& commands);

    /// nullopt: none may start now.
    std::optional<std::uint32_t> start();
    void answered(std::uint32_t command);

    std::size_t available() const { return ready_.size(); }
    bool finished() const { return answered_ == waits_for_.size(); }
    bool all_started() const { return started_ == waits_for_.size(); }
    /// The longest chain of commands of which each waits for the one before.
    std::uint32_t longest_chain() const { return longest_chain_; }

private:
    static constexpr std::uint32_t none = UINT32_MAX;

    void make_ready(std::uint32_t command);
    void release(std::uint32_t command);

    std::vector<std::uint8_t> waits_for_;
    std::vector<std::uint32_t> next_of_customer_;
    std::vector<std::uint32_t> next_of_product_;
    std::vector<std::uint32_t> ready_;  ///< a heap, the smallest index on top
    std::size_t started_ = 0;
    std::size_t answered_ = 0;
    std::uint32_t longest_chain_ = 0;
};

}  // namespace penstock::bench
