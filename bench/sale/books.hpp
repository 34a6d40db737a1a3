// Who was told what about an order, and does the sale agree: the oracle of a flash sale. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/judgement.hpp"
#include "bench/response_parser.hpp"
#include "domain/amount.hpp"

namespace penstock::bench::sale {

using domain::Amount;

/// What a product was made with; none of it ever changes.
struct Terms {
    std::string product;  ///< its id
    Amount price = 0;
    std::int64_t stock = 0;
    std::int64_t per_user_limit = 1;
    std::string starts_at;
};

std::string user_name(std::uint32_t user);

enum class Fate : std::uint8_t { unsent, unanswered, acknowledged, refused, wrong };

/// The refusals that an order may deserve.
enum class Refusal : std::uint8_t { not_started, sold_out, limit_reached };
std::optional<Refusal> refusal_of(Response const& response);

/// One order under one key.
struct Attempt {
    std::uint32_t user = 0;
    std::uint32_t quantity = 1;
    Fate fate = Fate::unsent;
    bool ever_unanswered = false;
    bool cancelled = false;                  ///< its order was, and somebody was told so
    Refusal refusal = Refusal::not_started;  ///< the last one, if it was refused
    std::string answer;                      ///< the body of the first 201
};

/// An order as the list shows it.
struct SeenOrder {
    std::string id;
    std::string user;
    std::int64_t quantity = 0;
    Amount total = 0;
    bool completed = true;
    std::optional<std::uint64_t> attempt;  ///< its metadata say whose it is
    boost::json::value row;
};

/// What reconciliation says of one sale.
struct SeenGate {
    std::int64_t sold = 0;
    std::int64_t reserved = 0;
    std::optional<std::int64_t> remaining;  ///< nothing: there is no Redis
    std::int64_t drift = 0;
    bool repaired = false;
};

struct SeenSale {
    std::int64_t stock = 0;
    std::int64_t sold = 0;
    std::int64_t remaining = 0;
    std::vector<SeenOrder> orders;
    SeenGate gate;
};

struct SaleJudgement {
    Judgement requests;
    std::int64_t stock = 0;
    std::int64_t sold = 0;
    std::int64_t over_sold = 0;    ///< units
    std::uint64_t over_limit = 0;  ///< users
    std::vector<std::string> off;  ///< what does not add up, the first few

    bool sound() const {
        return requests.sound() && over_sold == 0 && over_limit == 0 && off.empty();
    }
    void add(SaleJudgement const& other);
    void note(std::string difference);
};

/// Whether units may have come back to the stock after somebody was told that there were none:
/// then nobody can say how many orders there must be.
enum class Returns { none, some };

class SaleBooks {
public:
    explicit SaleBooks(Terms terms) : terms_(std::move(terms)) {}

    Terms const& terms() const { return terms_; }

    std::uint32_t begin(std::uint32_t user, std::uint32_t quantity);
    Attempt const& at(std::uint32_t number) const { return attempts_[number]; }
    std::size_t size() const { return attempts_.size(); }
    std::vector<std::uint32_t> with_fate(Fate fate) const;

    /// The body of the order's request.
    void write_body(std::string& out, std::uint32_t number) const;

    /// A 201. Returns what contradicts the request, or the first 201 under that key.
    std::optional<std::string> acknowledge(std::uint32_t number, std::string_view body);

    /// Returns what contradicts what its owner was told before this request was sent.
    enum class Told { nothing, acknowledged };
    std::optional<std::string> refuse(std::uint32_t number, Refusal refusal, Told before);

    /// What a request's owner has been told so far: asked before it is sent again.
    Told told(std::uint32_t number) const {
        return attempts_[number].fate == Fate::acknowledged ? Told::acknowledged : Told::nothing;
    }

    /// Nobody knows what became of a request; or it was not let in, which says nothing of an
    /// earlier one.
    void lost(std::uint32_t number);
    void turned_away(std::uint32_t number);
    void wrong(std::uint32_t number, std::string_view answer);

    /// Somebody was told that it is so.
    void cancelled(std::uint32_t number) { attempts_[number].cancelled = true; }
    void restocked(std::int64_t quantity) { restocked_ += quantity; }

    /// What could be sold if nobody took anything away from anybody: for each user as much as he
    /// asked for, but not above his limit. Exact while every order is for one unit.
    std::int64_t demand() const;

    /// Compares every attempt with the orders there are, and the figures with each other.
    SaleJudgement judge(SeenSale const& seen, Returns returns) const;

private:
    void judge_attempts(std::vector<std::uint32_t> const& orders, SaleJudgement& result) const;
    std::vector<std::uint32_t> judge_orders(SeenSale const& seen, SaleJudgement& result) const;
    void judge_figures(SeenSale const& seen, SaleJudgement& result) const;
    void judge_demand(SeenSale const& seen, SaleJudgement& result) const;
    std::string describe(std::size_t number) const;

    Terms terms_;
    std::int64_t restocked_ = 0;
    std::vector<Attempt> attempts_;
};

}  // namespace penstock::bench::sale
