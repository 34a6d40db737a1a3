#include "bench/sale/books.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <unordered_map>
#include <unordered_set>

#include "bench/target.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench::sale {
namespace {

std::string text(std::int64_t value) { return std::to_string(value); }

std::unordered_map<std::string, std::int64_t> quantities_by_user(SeenSale const& seen) {
    std::unordered_map<std::string, std::int64_t> held;
    for (auto const& order : seen.orders) {
        if (order.completed) held[order.user] += order.quantity;
    }
    return held;
}

/// The same but for what a cancellation changes.
bool same_content(std::string const& answer, SeenOrder const& seen) {
    boost::system::error_code error;
    auto told = boost::json::parse(answer, error);
    if (error || !told.is_object() || !seen.row.is_object()) return false;
    if (!seen.completed) told.as_object()["status"] = seen.row.as_object().at("status");
    return told == seen.row;
}

}  // namespace

std::string user_name(std::uint32_t user) { return "user:" + std::to_string(user); }

std::optional<Refusal> refusal_of(Response const& response) {
    auto const code = text_member(response.body, "code");
    if (response.status == 403 && code == "sale_not_started") return Refusal::not_started;
    if (response.status == 409 && code == "sold_out") return Refusal::sold_out;
    if (response.status == 409 && code == "purchase_limit_reached") return Refusal::limit_reached;
    return std::nullopt;
}

void SaleJudgement::add(SaleJudgement const& other) {
    requests.add(other.requests);
    stock += other.stock;
    sold += other.sold;
    over_sold += other.over_sold;
    over_limit += other.over_limit;
    for (auto const& difference : other.off) note(difference);
}

void SaleJudgement::note(std::string difference) {
    if (off.size() < Judgement::details_max) off.push_back(std::move(difference));
}

std::uint32_t SaleBooks::begin(std::uint32_t user, std::uint32_t quantity) {
    auto& attempt = attempts_.emplace_back();
    attempt.user = user;
    attempt.quantity = quantity;
    return static_cast<std::uint32_t>(attempts_.size() - 1);
}

std::vector<std::uint32_t> SaleBooks::with_fate(Fate fate) const {
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < attempts_.size(); ++i) {
        if (attempts_[i].fate == fate) found.push_back(i);
    }
    return found;
}

void SaleBooks::write_body(std::string& out, std::uint32_t number) const {
    auto const& attempt = attempts_[number];
    out += R"({"user":")";
    out += user_name(attempt.user);
    out += R"(","quantity":)";
    append_number(out, attempt.quantity);
    out += R"(,"metadata":{"attempt":)";
    append_number(out, number);
    out += "}}";
}

std::optional<std::string> SaleBooks::acknowledge(std::uint32_t number, std::string_view body) {
    auto& attempt = attempts_[number];
    if (attempt.fate == Fate::acknowledged) {
        if (attempt.answer == body) return std::nullopt;
        return "a repetition of " + describe(number) + " was answered with " + std::string(body);
    }
    attempt.fate = Fate::acknowledged;
    attempt.answer = body;
    bool const same = has_text(body, "product_id", terms_.product) &&
                      has_text(body, "user", user_name(attempt.user)) &&
                      has_integer(body, "quantity", attempt.quantity) &&
                      has_integer(body, "unit_price", terms_.price) &&
                      has_integer(body, "total", terms_.price * Amount{attempt.quantity}) &&
                      has_integer(body, "attempt", number) && has_text(body, "status", "completed");
    if (!same) return "an order other than the one asked for: " + std::string(body);
    // Both have the same form, so they compare as texts.
    if (text_member(body, "created_at") >= terms_.starts_at) return std::nullopt;
    return "an order from before the start: " + std::string(body);
}

std::optional<std::string> SaleBooks::refuse(std::uint32_t number, Refusal refusal, Told before) {
    auto& attempt = attempts_[number];
    if (before == Told::acknowledged) {
        return "refused after it was acknowledged: " + describe(number);
    }
    // The other request under this key was faster.
    if (attempt.fate == Fate::acknowledged) return std::nullopt;
    attempt.fate = Fate::refused;
    attempt.refusal = refusal;
    return std::nullopt;
}

void SaleBooks::lost(std::uint32_t number) {
    attempts_[number].ever_unanswered = true;
    turned_away(number);
}

void SaleBooks::turned_away(std::uint32_t number) {
    auto& attempt = attempts_[number];
    if (attempt.fate != Fate::acknowledged) attempt.fate = Fate::unanswered;
}

void SaleBooks::wrong(std::uint32_t number, std::string_view answer) {
    attempts_[number].fate = Fate::wrong;
    attempts_[number].answer = answer;
}

std::string SaleBooks::describe(std::size_t number) const {
    auto const& attempt = attempts_[number];
    return "attempt " + std::to_string(number) + " of " + user_name(attempt.user) + " for " +
           std::to_string(attempt.quantity) + "; " + attempt.answer.substr(0, 200);
}

std::int64_t SaleBooks::demand() const {
    std::unordered_map<std::uint32_t, std::int64_t> wanted;
    for (auto const& attempt : attempts_) {
        bool const in_time =
            attempt.fate == Fate::acknowledged ||
            (attempt.fate == Fate::refused && attempt.refusal != Refusal::not_started);
        if (in_time) wanted[attempt.user] += attempt.quantity;
    }
    std::int64_t sum = 0;
    for (auto const& [user, quantity] : wanted) sum += std::min(quantity, terms_.per_user_limit);
    return sum;
}

SaleJudgement SaleBooks::judge(SeenSale const& seen, Returns returns) const {
    SaleJudgement result;
    result.stock = seen.stock;
    result.sold = seen.sold;
    auto const orders = judge_orders(seen, result);
    judge_attempts(orders, result);
    judge_figures(seen, result);
    // A request without an answer may have kept a unit for a while and given it back.
    if (returns == Returns::none && result.requests.unanswered == 0) judge_demand(seen, result);
    return result;
}

/// How many orders each attempt has. An order that belongs to nobody is noted at once.
std::vector<std::uint32_t> SaleBooks::judge_orders(SeenSale const& seen,
                                                   SaleJudgement& result) const {
    std::vector<std::uint32_t> orders(attempts_.size());
    std::unordered_set<std::string_view> ids;
    for (auto const& order : seen.orders) {
        if (!ids.insert(order.id).second) result.note("the list shows twice: " + order.id);
        bool const ours = order.attempt && *order.attempt < attempts_.size();
        if (!ours) {
            result.requests.phantom += 1;
            result.requests.note("an order that nobody asked for: " +
                                 boost::json::serialize(order.row));
            continue;
        }
        auto const& attempt = attempts_[*order.attempt];
        orders[*order.attempt] += 1;
        if (order.completed == attempt.cancelled)
            result.note((attempt.cancelled ? "cancelled, and still completed: "
                                           : "cancelled, and nobody asked for it: ") +
                        describe(*order.attempt));
        bool const same =
            order.user == user_name(attempt.user) && order.quantity == attempt.quantity;
        bool const told = attempt.fate != Fate::acknowledged || same_content(attempt.answer, order);
        if (same && told) continue;
        result.note("an order of another content: " + boost::json::serialize(order.row) +
                    ", acknowledged was " + describe(*order.attempt));
    }
    return orders;
}

void SaleBooks::judge_attempts(std::vector<std::uint32_t> const& orders,
                               SaleJudgement& result) const {
    auto& requests = result.requests;
    for (std::size_t i = 0; i < attempts_.size(); ++i) {
        auto const& attempt = attempts_[i];
        char const* fault = nullptr;
        if (attempt.ever_unanswered) requests.unanswered += 1;
        if (orders[i] > 1) fault = (requests.doubled += 1, "doubled");
        switch (attempt.fate) {
            case Fate::unsent:
                if (orders[i] > 0) fault = (requests.phantom += 1, "there, and nobody was told");
                break;
            case Fate::acknowledged:
                requests.acknowledged += 1;
                if (orders[i] == 0) fault = (requests.lost += 1, "lost");
                break;
            case Fate::refused:
                requests.refused += 1;
                if (orders[i] > 0) fault = (requests.phantom += 1, "refused, and there");
                break;
            case Fate::unanswered:
                requests.unresolved += 1;
                fault = "without an answer to the end";
                break;
            case Fate::wrong:
                requests.wrong += 1;
                fault = "answered as it does not deserve";
                break;
        }
        if (fault) requests.note(std::string(fault) + ": " + describe(i));
    }
}

void SaleBooks::judge_figures(SeenSale const& seen, SaleJudgement& result) const {
    std::int64_t ordered = 0;
    for (auto const& [user, quantity] : quantities_by_user(seen)) {
        ordered += quantity;
        if (quantity <= terms_.per_user_limit) continue;
        result.over_limit += 1;
        result.note(user + " has " + text(quantity) + ", the limit is " +
                    text(terms_.per_user_limit));
    }
    result.over_sold = std::max<std::int64_t>(0, std::max(ordered, seen.sold) - seen.stock);
    auto const stock = terms_.stock + restocked_;
    if (seen.stock != stock)
        result.note("the stock is " + text(seen.stock) + ", not " + text(stock));
    if (ordered != seen.sold)
        result.note("completed orders are for " + text(ordered) + ", sold are " + text(seen.sold));
    if (seen.sold + seen.remaining != seen.stock)
        result.note("sold and remaining, " + text(seen.sold) + " and " + text(seen.remaining) +
                    ", are not the stock, " + text(seen.stock));
    auto const& gate = seen.gate;
    auto const left = seen.stock - seen.sold;
    bool const agrees = gate.sold == seen.sold && gate.reserved == 0 && gate.drift == 0 &&
                        gate.remaining.value_or(left) == left;
    if (agrees) return;
    result.note("the gate says sold " + text(gate.sold) + ", reserved " + text(gate.reserved) +
                ", remaining " + text(gate.remaining.value_or(-1)) + ", drift " + text(gate.drift) +
                "; the database: sold " + text(seen.sold) + ", remaining " + text(left));
}

void SaleBooks::judge_demand(SeenSale const& seen, SaleJudgement& result) const {
    auto const single = [](Attempt const& attempt) { return attempt.quantity == 1; };
    bool const single_units = std::all_of(attempts_.begin(), attempts_.end(), single);
    auto const due = std::min(terms_.stock, demand());
    if (single_units && seen.sold != due)
        result.note("sold are " + text(seen.sold) + ", but stock and demand make " + text(due));
    auto const held = quantities_by_user(seen);
    for (std::size_t i = 0; i < attempts_.size(); ++i) {
        auto const& attempt = attempts_[i];
        if (attempt.fate != Fate::refused) continue;
        auto const owner = held.find(user_name(attempt.user));
        auto const has = owner == held.end() ? 0 : owner->second;
        // What was sold never comes back here, so what holds at the end held when it was refused.
        bool const fits = has + attempt.quantity <= terms_.per_user_limit;
        if (attempt.refusal == Refusal::limit_reached && fits)
            result.note("refused for a limit that is not reached: " + describe(i));
        bool const there = seen.remaining >= attempt.quantity;
        if (attempt.refusal == Refusal::sold_out && there)
            result.note("refused as sold out, with " + text(seen.remaining) +
                        " left: " + describe(i));
    }
}

}  // namespace penstock::bench::sale
