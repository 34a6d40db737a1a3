#include "bench/credits/books.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <charconv>

#include "bench/instant.hpp"
#include "bench/target.hpp"

namespace penstock::bench::credits {
namespace {

namespace json = boost::json;

constexpr std::string_view reference_prefix = "op-";
constexpr std::size_t quoted_max = 300;
bool is_expiry(json::value const& value, std::int64_t expires_ms) {
    if (expires_ms == never_ms) return value.is_null();
    return value.is_string() && value.as_string() == text_of_instant(expires_ms);
}

bool is_text(json::value const& value, std::string_view text) {
    return value.is_string() && value.as_string() == text;
}

/// Whether an answer's entry says what was asked for.
bool is_lot(json::value const& line, std::string const& address, Entry const& asked,
            std::size_t index) {
    auto const& object = line.as_object();
    return is_text(object.at("address"), address) && object.at("amount") == asked.amount &&
           object.at("index") == index && is_expiry(object.at("expires_at"), asked.expires_ms);
}

bool is_payment(json::value const& line, std::string const& address, Entry const& asked) {
    auto const& object = line.as_object();
    return is_text(object.at("address"), address) && object.at("amount") == asked.amount &&
           object.at("shortfall") == 0;
}

}  // namespace

char const* name_of(Deed deed) { return deed == Deed::grant ? "grant" : "expense"; }

Address CreditBooks::open(std::string address) {
    auto const next = static_cast<Address>(addresses_.size());
    auto const [found, added] = numbers_.try_emplace(address, next);
    if (added) addresses_.push_back(std::move(address));
    return found->second;
}

std::optional<Address> CreditBooks::find(std::string const& address) const {
    auto const known = numbers_.find(address);
    if (known == numbers_.end()) return std::nullopt;
    return known->second;
}

std::uint32_t CreditBooks::begin(Deed deed, std::vector<Entry> entries) {
    auto& operation = operations_.emplace_back();
    operation.deed = deed;
    operation.entries = std::move(entries);
    return static_cast<std::uint32_t>(operations_.size() - 1);
}

void CreditBooks::write_body(std::string& out, std::uint32_t number) const {
    out += R"({"reference":")";
    out += reference_of(number);
    out += R"(","entries":[)";
    for (auto const& entry : operations_[number].entries) {
        if (out.back() == '}') out += ',';
        out += R"({"address":")";
        out += addresses_[entry.address];
        out += R"(","amount":)";
        append_number(out, entry.amount);
        if (entry.expires_ms != never_ms) {
            out += R"(,"expires_at":")";
            out += text_of_instant(entry.expires_ms);
            out += '"';
        }
        out += '}';
    }
    out += "]}";
}

std::optional<std::string> CreditBooks::acknowledge(std::uint32_t number, std::string_view body) {
    auto& operation = operations_[number];
    operation.fate = Fate::acknowledged;
    std::optional<std::string> fault;
    try {
        fault = read_answer(operation, number, body);
    } catch (std::exception const&) {
        fault = "not of the documented form";
    }
    if (!fault) return std::nullopt;
    return "the answer to " + reference_of(number) + " is " + *fault + ": " +
           std::string(body.substr(0, quoted_max));
}

std::optional<std::string> CreditBooks::read_answer(Operation& operation, std::uint32_t number,
                                                    std::string_view body) const {
    auto const parsed = json::parse(body);
    auto const& answer = parsed.as_object();
    operation.id = std::string(answer.at("id").as_string());
    auto const created = instant_of(answer.at("created_at").as_string());
    if (!created) return "without an instant";
    operation.created_ms = *created;
    bool const same = is_text(answer.at("kind"), name_of(operation.deed)) &&
                      is_text(answer.at("reference"), reference_of(number));
    if (!same) return "about another request";
    auto const& lines = answer.at("entries").as_array();
    if (lines.size() != operation.entries.size()) return "of other entries";
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto const& asked = operation.entries[i];
        auto const& owner = addresses_[asked.address];
        bool const right = operation.deed == Deed::grant ? is_lot(lines[i], owner, asked, i)
                                                         : is_payment(lines[i], owner, asked);
        if (!right) return "wrong in entry " + std::to_string(i);
    }
    return std::nullopt;
}

std::optional<std::uint32_t> CreditBooks::number_of(std::string_view reference) const {
    if (!reference.starts_with(reference_prefix)) return std::nullopt;
    reference.remove_prefix(reference_prefix.size());
    std::uint32_t number = 0;
    auto const* const last = reference.data() + reference.size();
    auto const [end, error] = std::from_chars(reference.data(), last, number);
    bool const read = error == std::errc{} && end == last && number < operations_.size();
    return read ? std::optional(number) : std::nullopt;
}

std::uint64_t CreditBooks::rows() const {
    std::uint64_t sum = 0;
    for (auto const& operation : operations_)
        if (operation.fate == Fate::acknowledged) sum += operation.entries.size();
    return sum;
}

std::int64_t CreditBooks::last_expiry_before(std::int64_t horizon_ms) const {
    std::int64_t last = 0;
    for (auto const& operation : operations_)
        for (auto const& entry : operation.entries)
            if (entry.expires_ms < horizon_ms) last = std::max(last, entry.expires_ms);
    return last;
}

}  // namespace penstock::bench::credits
