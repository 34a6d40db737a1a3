#include "cache/journal_text.hpp"

#include <algorithm>
#include <boost/describe/enum_from_string.hpp>
#include <charconv>
#include <vector>

#include "cache/hex.hpp"

namespace penstock::cache {
namespace {

using domain::Amount;
using domain::amount_max;

/// 2⁵³ − 1: beyond it Lua does not count exactly, and no line of ours has such a number.
constexpr std::int64_t number_max = amount_max;

std::string net(std::string_view text) {
    std::string said = std::to_string(text.size());
    said.append(1, ':').append(text);
    return said;
}

template <class Number>
bool read_number(std::string_view text, Number& number, Number least, Number most, int base = 10) {
    auto const* const end = text.data() + text.size();
    auto const [stop, error] = std::from_chars(text.data(), end, number, base);
    return error == std::errc() && stop == end && number >= least && number <= most;
}

bool read_count(std::string_view text, std::int64_t& number) {
    return read_number<std::int64_t>(text, number, 0, number_max);
}

bool read_balance(std::string_view text, Amount& balance) {
    return read_number<Amount>(text, balance, -number_max, number_max);
}

bool read_amount(std::string_view text, Amount& amount) {
    return read_number<Amount>(text, amount, 1, number_max);
}

template <class SomeId>
bool read_id(std::string_view text, SomeId& id) {
    auto const uuid = domain::Uuid::parse(text);
    if (uuid) id = {*uuid};
    return uuid.has_value();
}

/// "-" where there is none.
bool read_instant(std::string_view text, std::optional<domain::Instant>& at) {
    return text == "-" || read_count(text, at.emplace().ms);
}

std::string text_of(std::optional<domain::Instant> const& at) {
    return at ? std::to_string(at->ms) : "-";
}

using Words = std::vector<std::string_view>;

Words words_of(std::string_view line) {
    Words words;
    for (;;) {
        auto const end = line.find(' ');
        words.push_back(line.substr(0, end));
        if (end == line.npos) return words;
        line.remove_prefix(end + 1);
    }
}

/// Lines and length-prefixed texts, one after the other. A text that is cut off fails for good.
class Scanner {
public:
    explicit Scanner(std::string_view rest) : rest_(rest) {}

    bool ok() const { return ok_; }
    bool at_end() const { return rest_.empty(); }

    std::string_view line() {
        auto const end = rest_.find('\n');
        if (end == rest_.npos) return fail();
        return take(end, 1);
    }
    std::string_view net() {
        auto const colon = rest_.find(':');
        std::size_t size = 0;
        if (colon == rest_.npos ||
            !read_number<std::size_t>(rest_.substr(0, colon), size, 0, rest_.size()))
            return fail();
        rest_.remove_prefix(colon + 1);
        return size <= rest_.size() ? take(size, 0) : fail();
    }

private:
    std::string_view take(std::size_t size, std::size_t behind) {
        auto const taken = rest_.substr(0, size);
        rest_.remove_prefix(size + behind);
        return taken;
    }
    std::string_view fail() {
        ok_ = false;
        rest_ = {};
        return {};
    }

    std::string_view rest_;
    bool ok_ = true;
};

bool read_request(std::string_view said, domain::JournalEntry& entry) {
    Scanner in(said);
    auto const request_id = in.net();
    auto const key = in.net();
    auto const print = in.net();
    auto const shape = in.net();
    if (!in.ok() || !in.at_end() || (shape != "bulk" && shape != "one")) return false;
    entry.request_id = request_id;
    entry.is_bulk = shape == "bulk";
    if (key.empty() && print.empty()) return true;
    auto& use = entry.key_use.emplace();
    return read_hex(key, use.key.value.bytes) && read_hex(print, use.fingerprint);
}

/// "after at ordinal nonce", and what is said of the request.
bool read_head(Scanner& in, domain::JournalEntry& entry) {
    auto const words = words_of(in.line());
    constexpr std::uint64_t nonce_max = (1ULL << 56) - 1;
    constexpr std::uint32_t ordinal_max = (1U << 18) - 1;
    return words.size() == 4 && read_count(words[0], entry.after) &&
           read_count(words[1], entry.at.ms) &&
           read_number<std::uint32_t>(words[2], entry.ordinal, 0, ordinal_max) &&
           words[3].size() == 14 &&
           read_number<std::uint64_t>(words[3], entry.nonce, 0, nonce_max, 16) &&
           read_request(in.net(), entry) && in.ok();
}

bool read_leg(Words const& words, std::size_t at, std::string_view address, domain::Leg& leg) {
    leg.address = address;
    return !address.empty() && read_id(words[at], leg.account) &&
           read_balance(words[at + 1], leg.balance_after) && read_count(words[at + 2], leg.version);
}

/// "move from to amount id balance version id balance version".
std::optional<domain::Transfer> read_move(domain::JournalEntry const& entry, std::string_view line,
                                          domain::TransferKind kind) {
    auto const words = words_of(line);
    domain::Transfer transfer;
    if (words.size() != 10 || words[0] != "move" || !read_amount(words[3], transfer.amount) ||
        !read_leg(words, 4, words[1], transfer.from) || !read_leg(words, 7, words[2], transfer.to))
        return std::nullopt;
    transfer.id = {entry.row_id(entry.items.size())};
    transfer.ledger = entry.ledger;
    transfer.kind = kind;
    return transfer;
}

bool read_kind(std::string_view text, domain::TransferKind& kind) {
    using Kind = domain::TransferKind;
    for (auto const known : {Kind::deposit, Kind::withdrawal, Kind::transfer, Kind::capture}) {
        if (text != std::to_string(static_cast<int>(known))) continue;
        kind = known;
        return true;
    }
    return false;
}

std::optional<domain::JournalItem> read_moved(domain::JournalEntry const& entry,
                                              std::string_view line, std::string_view said) {
    Scanner in(said);
    auto const kind_text = in.net();
    auto const reference = in.net();
    auto const metadata = in.net();
    domain::TransferKind kind{};
    if (!in.ok() || !in.at_end() || !read_kind(kind_text, kind)) return std::nullopt;
    auto transfer = read_move(entry, line, kind);
    if (!transfer) return std::nullopt;
    if (!reference.empty()) transfer->reference = reference;
    transfer->metadata = metadata;
    if (!entry.is_bulk) transfer->key_use = entry.key_use;
    return std::move(*transfer);
}

std::optional<domain::JournalItem> read_refused(std::string_view code) {
    domain::Refusal refusal;
    if (!boost::describe::enum_from_string(std::string(code).c_str(), refusal.code))
        return std::nullopt;
    return refusal;
}

bool read_status(std::string_view letter, domain::HoldStatus& status) {
    constexpr std::string_view letters = "pcvx";
    auto const at = letters.find(letter);
    status = static_cast<domain::HoldStatus>(at);
    return letter.size() == 1 && at != letters.npos;
}

/// "verb id line", of a capture followed by the line of what it moved.
std::optional<domain::JournalItem> read_held(domain::JournalEntry const& entry,
                                             std::string_view line, Scanner& in) {
    auto const verb = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), verb.size() + 1));
    auto const id = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), id.size() + 1));
    auto hold = read_hold(entry.ledger, id, line);
    if (!hold) return std::nullopt;
    if (verb == "hold") {
        if (hold->status != domain::HoldStatus::pending) return std::nullopt;
        return std::move(*hold);
    }
    if (hold->status == domain::HoldStatus::pending || hold->ended_at != entry.at)
        return std::nullopt;
    bool const is_captured = hold->status == domain::HoldStatus::captured;
    if (is_captured != (verb == "capture")) return std::nullopt;
    if (!is_captured) return std::move(*hold);
    auto transfer = read_move(entry, in.line(), domain::TransferKind::capture);
    if (!transfer || hold->captured_amount != transfer->amount || hold->transfer != transfer->id)
        return std::nullopt;
    transfer->cause = hold->id.value;
    return domain::Captured{std::move(*hold), std::move(*transfer)};
}

std::optional<domain::JournalItem> read_item(domain::JournalEntry const& entry, Scanner& in) {
    auto const line = in.line();
    if (line.starts_with("move ")) return read_moved(entry, line, in.net());
    constexpr std::string_view refused = "refused ";
    if (line.starts_with(refused)) return read_refused(line.substr(refused.size()));
    for (std::string_view const verb : {"hold ", "capture ", "void ", "expire "}) {
        if (!line.starts_with(verb)) continue;
        auto item = read_held(entry, line, in);
        in.net();
        return item;
    }
    return std::nullopt;
}

}  // namespace

std::string said_of(RequestWords const& words) {
    std::string said = net(words.request_id);
    std::string key;
    std::string print;
    if (words.key_use) {
        key = hex_of(words.key_use->key.value.bytes);
        print = hex_of(words.key_use->fingerprint);
    }
    said.append(net(key)).append(net(print)).append(net(words.is_bulk ? "bulk" : "one"));
    return net(said);
}

std::string said_of(ItemWords const& words) {
    std::string said = net(std::to_string(static_cast<int>(words.kind)));
    said.append(net(words.reference.value_or(""))).append(net(words.metadata));
    return net(said);
}

std::optional<domain::JournalEntry> read_entry(domain::LedgerId ledger, std::string_view position,
                                               std::string_view text) {
    domain::JournalEntry entry;
    entry.ledger = ledger;
    Scanner in(text);
    if (!read_count(position, entry.position) || !read_head(in, entry)) return std::nullopt;
    while (!in.at_end()) {
        auto item = read_item(entry, in);
        if (!item || !in.ok()) return std::nullopt;
        entry.items.push_back(std::move(*item));
    }
    auto const items = static_cast<std::int64_t>(entry.items.size());
    if (!in.ok() || items == 0 || entry.position - entry.after != items) return std::nullopt;
    return entry;
}

std::optional<domain::Hold> read_hold(domain::LedgerId ledger, std::string_view id,
                                      std::string_view line) {
    auto const words = words_of(line);
    domain::Hold hold;
    hold.ledger = ledger;
    if (words.size() != 10 || !read_id(id, hold.id) || !read_status(words[0], hold.status) ||
        !read_amount(words[1], hold.amount) || !read_id(words[3], hold.from.account) ||
        !read_id(words[4], hold.to.account))
        return std::nullopt;
    hold.from.address = words[5];
    hold.to.address = words[6];
    if (hold.from.address.empty() || hold.to.address.empty()) return std::nullopt;
    if (!read_instant(words[2], hold.expires_at) || !read_instant(words[7], hold.ended_at))
        return std::nullopt;
    if (words[8] != "-" && !read_amount(words[8], hold.captured_amount)) return std::nullopt;
    if (words[9] != "-" && !read_id(words[9], hold.transfer.emplace())) return std::nullopt;
    bool const is_captured = hold.status == domain::HoldStatus::captured;
    bool const is_open = hold.status == domain::HoldStatus::pending;
    bool const fits = is_open != hold.ended_at.has_value() &&
                      is_captured == (hold.captured_amount > 0) &&
                      is_captured == hold.transfer.has_value();
    if (!fits) return std::nullopt;
    return hold;
}

std::string line_of(domain::Hold const& hold) {
    constexpr std::string_view letters = "pcvx";
    std::string line(1, letters[static_cast<std::size_t>(hold.status)]);
    line.append(1, ' ').append(std::to_string(hold.amount));
    line.append(1, ' ').append(text_of(hold.expires_at));
    line.append(1, ' ').append(hold.from.account.to_string());
    line.append(1, ' ').append(hold.to.account.to_string());
    line.append(1, ' ').append(hold.from.address).append(1, ' ').append(hold.to.address);
    line.append(1, ' ').append(text_of(hold.ended_at));
    line.append(1, ' ').append(hold.transfer ? std::to_string(hold.captured_amount) : "-");
    line.append(1, ' ').append(hold.transfer ? hold.transfer->to_string() : "-");
    return line;
}

std::optional<HotAccount> read_account(std::string_view line) {
    auto const words = words_of(line);
    HotAccount account;
    if (words.size() != 8 || (words[0] != "c" && words[0] != "d") ||
        !read_balance(words[1], account.balance) || !read_count(words[2], account.held) ||
        !read_count(words[3], account.version) || !read_count(words[4], account.overdraft_limit) ||
        !read_count(words[5], account.updated_at.ms) || !read_count(words[6], account.position) ||
        !read_id(words[7], account.id))
        return std::nullopt;
    account.is_dirty = words[0] == "d";
    return account;
}

std::string line_of(HotAccount const& account) {
    std::string line(account.is_dirty ? "d" : "c");
    for (auto const number : {account.balance, account.held, account.version,
                              account.overdraft_limit, account.updated_at.ms, account.position})
        line.append(1, ' ').append(std::to_string(number));
    return line.append(1, ' ').append(account.id.to_string());
}

}  // namespace penstock::cache
