// How the mock keeps credits, and how it breaks their rules on purpose.
#include "mock_credits.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <limits>

#include "bench/instant.hpp"

namespace penstock::tests {
namespace {

namespace json = boost::json;

constexpr std::string_view prefix = "/v1/ledgers/";
constexpr std::int64_t tick_ms = 5;
constexpr std::int64_t look_ms = 500;

json::value instant_or_null(std::optional<std::int64_t> ms) {
    if (!ms) return nullptr;
    return json::value(bench::text_of_instant(*ms));
}

std::optional<std::int64_t> expiry_of(json::object const& entry) {
    auto const* const at = entry.if_contains("expires_at");
    if (!at) return std::nullopt;
    return bench::instant_of(at->as_string()).value();
}

}  // namespace

std::optional<MockAnswer> MockCredits::post(std::string const& path, json::object const& body,
                                            bool apply) {
    auto const* const kind = body.if_contains("kind");
    if (path == "/v1/ledgers" && kind && *kind == "credits") {
        auto& points = ledgers_[text(body, "name")];
        points.soonest_first = text(body, "drain") == "expiration";
        json::object const made{{"created_at", bench::text_of_instant(now_ms_)}};
        return MockAnswer{201, json::serialize(made)};
    }
    auto const route = path.find("/credits/");
    if (route == path.npos) return std::nullopt;
    auto const found = ledgers_.find(path.substr(prefix.size(), route - prefix.size()));
    if (found == ledgers_.end()) return problem(404, "ledger_not_found");
    bool const grants = path.ends_with("/grants");
    return act(found->second, grants ? "grant" : "expense", body, apply);
}

MockAnswer MockCredits::act(MockPoints& points, std::string const& kind, json::object const& body,
                            bool apply) {
    bool const grant = kind == "grant";
    now_ms_ += tick_ms;
    auto const number = std::to_string(operations_++);
    auto const id = "o" + std::string(10 - std::min<std::size_t>(10, number.size()), '0') + number;
    auto const reference = text(body, "reference");
    auto const created_at = bench::text_of_instant(now_ms_);
    json::array lines;
    std::int64_t index = 0;
    for (auto const& item : body.at("entries").as_array()) {
        auto const& entry = item.as_object();
        auto const address = text(entry, "address");
        auto const amount = integer(entry, "amount");
        auto const expires = expiry_of(entry);
        if (expires && *expires <= now_ms_) return problem(400, "invalid_request");
        if (!grant && balance(points, address) < amount) return problem(402, "insufficient_funds");
        json::object line{{"address", address}, {"amount", amount}};
        if (grant) line["index"] = index;
        if (grant) line["expires_at"] = instant_or_null(expires);
        if (!grant) line["shortfall"] = 0;
        lines.push_back(std::move(line));
        if (apply) {
            if (grant)
                points.lots[address].push_back(
                    {reference, index, amount, amount, now_ms_, expires});
            else
                drain(points, address, amount);
            json::object row{{"id", id},
                             {"kind", kind},
                             {"reference", reference},
                             {"index", index},
                             {"address", address},
                             {"amount", grant ? amount : -amount},
                             {"expires_at", instant_or_null(expires)},
                             {"created_at", created_at}};
            points.history.push_back(std::move(row));
            auto& total = points.totals[grant ? "credits_granted" : "credits_spent"];
            total.first += 1;
            total.second += amount;
        }
        ++index;
    }
    json::object const made{{"id", id},
                            {"kind", kind},
                            {"reference", reference},
                            {"entries", std::move(lines)},
                            {"created_at", created_at}};
    return {201, json::serialize(made)};
}

/// The lots that count, in the order in which they pay.
std::vector<MockCredits::MockLot*> MockCredits::payers(MockPoints& points,
                                                       std::string const& address) const {
    std::vector<MockLot*> found;
    auto const known = points.lots.find(address);
    if (known == points.lots.end()) return found;
    for (auto& lot : known->second) {
        bool const over = lot.expires_ms && *lot.expires_ms <= now_ms_ && !mischief_.keep_expired;
        if (lot.remaining > 0 && !over) found.push_back(&lot);
    }
    if (points.soonest_first)
        std::ranges::stable_sort(found, {}, [](MockLot const* lot) {
            return lot->expires_ms.value_or(std::numeric_limits<std::int64_t>::max());
        });
    return found;
}

std::int64_t MockCredits::balance(MockPoints& points, std::string const& address) const {
    std::int64_t sum = 0;
    for (auto const* const lot : payers(points, address)) sum += lot->remaining;
    return sum;
}

void MockCredits::drain(MockPoints& points, std::string const& address, std::int64_t amount) const {
    auto lots = payers(points, address);
    if (mischief_.newest_first) std::ranges::reverse(lots);
    for (auto* const lot : lots) {
        auto const part = std::min(lot->remaining, amount);
        lot->remaining -= part;
        amount -= part;
    }
}

void MockCredits::record_expiries(MockPoints& points) const {
    for (auto& [address, lots] : points.lots) {
        for (auto& lot : lots) {
            bool const over = lot.expires_ms && *lot.expires_ms <= now_ms_;
            if (!over || lot.remaining == 0 || lot.is_recorded) continue;
            lot.is_recorded = true;
            points.totals["credits_expired"].first += 1;
            points.totals["credits_expired"].second += lot.remaining;
        }
    }
}

std::optional<MockAnswer> MockCredits::get(MockRequest const& request) {
    if (!request.path.starts_with(prefix)) return std::nullopt;
    auto const name_end = request.path.find('/', prefix.size());
    if (name_end == std::string::npos) return std::nullopt;
    auto const found = ledgers_.find(request.path.substr(prefix.size(), name_end - prefix.size()));
    if (found == ledgers_.end()) return std::nullopt;
    auto& points = found->second;
    auto const route = request.path.substr(name_end);
    if (route == "/verify") return MockAnswer{200, R"({"ok":true,"checks":[]})"};
    if (route == "/totals") {
        now_ms_ += look_ms;
        record_expiries(points);
        json::object totals;
        for (auto const& [kind, total] : points.totals)
            totals[kind] = {{"count", total.first}, {"amount", total.second}};
        return MockAnswer{200, json::serialize(totals)};
    }
    if (route == "/credits/balances/count") {
        auto const least = parameter(request.query, "min_balance");
        std::int64_t count = 0;
        for (auto const& [address, lots] : points.lots)
            count += balance(points, address) >= (least.empty() ? 0 : std::stol(least));
        return MockAnswer{200, json::serialize(json::object{{"count", count}})};
    }
    if (route.starts_with("/credits/balances/"))
        return purse(points, route.substr(std::string_view("/credits/balances/").size()));
    return page(points, request);
}

MockAnswer MockCredits::purse(MockPoints& points, std::string const& address) const {
    json::array lots;
    std::map<std::int64_t, std::int64_t> by_expiry;
    for (auto const* const lot : payers(points, address)) {
        lots.push_back({{"reference", lot->reference},
                        {"index", lot->index},
                        {"amount", lot->amount},
                        {"amount_remaining", lot->remaining},
                        {"granted_at", bench::text_of_instant(lot->granted_ms)},
                        {"expires_at", instant_or_null(lot->expires_ms)}});
        auto const at = lot->expires_ms.value_or(std::numeric_limits<std::int64_t>::max());
        by_expiry[at] += lot->remaining;
    }
    json::array expiring;
    for (auto const& [at, amount] : by_expiry) {
        bool const never = at == std::numeric_limits<std::int64_t>::max();
        auto const expires = never ? std::nullopt : std::optional(at);
        expiring.push_back({{"expires_at", instant_or_null(expires)}, {"amount", amount}});
    }
    return {200, json::serialize(json::object{{"address", address},
                                              {"balance", balance(points, address)},
                                              {"lots", std::move(lots)},
                                              {"expiring", std::move(expiring)}})};
}

MockAnswer MockCredits::page(MockPoints& points, MockRequest const& request) const {
    auto const cursor = parameter(request.query, "cursor");
    auto const limit = std::stoul(parameter(request.query, "limit"));
    json::array data;
    json::value next;
    if (request.path.ends_with("/history")) {
        auto const wanted = parameter(request.query, "address");
        std::size_t left = cursor.empty() ? points.history.size() : std::stoul(cursor);
        for (; left > 0 && data.size() < limit; --left)
            if (wanted.empty() || text(points.history[left - 1], "address") == wanted)
                data.push_back(points.history[left - 1]);
        if (left > 0) next = std::to_string(left);
    } else {
        for (auto const& [address, lots] : points.lots) {
            if (address <= cursor) continue;
            if (data.size() == limit) next = data.back().at("address");
            if (data.size() == limit) break;
            data.push_back({{"address", address}, {"balance", balance(points, address)}});
        }
    }
    return {200, json::serialize(json::object{{"data", std::move(data)}, {"next_cursor", next}})};
}

}  // namespace penstock::tests
