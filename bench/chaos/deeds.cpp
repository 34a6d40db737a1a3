#include "bench/chaos/deeds.hpp"

#include "bench/ledger_view.hpp"
#include "bench/target.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench::chaos {
namespace {

/// Of a hundred requests; the rest are purchases, or transfers where nothing is sold. What has
/// nothing to refund or to end becomes one of the rest.
constexpr std::uint64_t too_much_share = 8;
constexpr std::uint64_t refunds_share = too_much_share + 12;
constexpr std::uint64_t transfers_share = refunds_share + 16;
constexpr std::uint64_t deposits_share = transfers_share + 8;
constexpr std::uint64_t holds_share = deposits_share + 16;
constexpr std::uint64_t ends_share = holds_share + 12;
/// Of a hundred holds. A round lasts longer than they do.
constexpr std::uint64_t expiring_share = 60;
constexpr std::uint64_t expires_in_max_s = 3;

/// `body` is an object that goes on.
void close_with_reference(std::string& body, std::size_t number) {
    body += R"(,"reference":")" + Log::reference_of(number) + "\"}";
}

}  // namespace

Wish Deeds::next() {
    auto const dice = random_.below(100);
    if (dice < too_much_share) return pay(Deed::too_much);
    if (trade_ == Trade::transfers) return pay(Deed::transfer);
    std::optional<Wish> wish;
    if (dice < refunds_share) {
        wish = refund();
    } else if (dice < transfers_share) {
        wish = pay(Deed::transfer);
    } else if (dice < deposits_share) {
        wish = pay(Deed::deposit);
    } else if (dice < holds_share) {
        wish = hold();
    } else if (dice < ends_share) {
        wish = end_hold();
    }
    if (wish) return *std::move(wish);
    return trade_ == Trade::shop ? buy() : pay(Deed::transfer);
}

Wish Deeds::pay(Deed deed) {
    Wish wish;
    wish.route = "/transfers";
    auto& posting = wish.entry.posting;
    posting = ledgers_.choose();
    wish.entry.deed = deed;
    auto const& books = ledgers_.books(posting.book);
    if (deed == Deed::deposit) {
        posting.from = Books::world;
        posting.kind = Kind::deposit;
        wish.route = "/deposits";
        wish.body = R"({"account":")" + books.address(posting.to) + R"(","amount":)";
        append_number(wish.body, posting.amount);
    } else if (deed == Deed::too_much) {
        wish.body = R"({"from":"pauper","to":")" + books.address(posting.to) + R"(","amount":1)";
    } else {
        append_transfer(wish.body, books, posting);
        wish.body.pop_back();
    }
    close_with_reference(wish.body, log_.size());
    return wish;
}

Wish Deeds::buy() {
    Wish wish;
    wish.route = "/purchases";
    wish.entry.deed = Deed::purchase;
    wish.entry.posting = ledgers_.choose();
    wish.entry.posting.kind = Kind::purchase;
    append_purchase(wish.body, ledgers_.books(wish.entry.posting.book), wish.entry.posting);
    wish.body.pop_back();
    close_with_reference(wish.body, log_.size());
    return wish;
}

std::optional<Wish> Deeds::refund() {
    auto const refunded = log_.take_refundable(random_);
    if (!refunded) return std::nullopt;
    auto const& sold = log_.at(*refunded);
    Wish wish;
    wish.route = "/purchases/" + std::string(text_member(sold.answer, "id")) + "/refund";
    wish.body = "{}";
    wish.entry.deed = Deed::refund;
    wish.entry.original = *refunded;
    wish.entry.posting = sold.posting;
    std::swap(wish.entry.posting.from, wish.entry.posting.to);
    wish.entry.posting.kind = Kind::refund;
    wish.entry.expected_status = 200;
    return wish;
}

/// A hold has no reference; whom it is for tells which one it is.
Wish Deeds::hold() {
    Wish wish;
    wish.route = "/holds";
    wish.entry.deed = Deed::hold;
    auto& posting = wish.entry.posting;
    posting = ledgers_.choose();
    posting.kind = Kind::capture;
    auto& books = ledgers_.books(posting.book);
    posting.to = books.open(Log::payee_of(log_.size()));
    append_transfer(wish.body, books, posting);
    wish.entry.expires = random_.below(100) < expiring_share;
    if (wish.entry.expires) {
        wish.body.pop_back();
        wish.body +=
            R"(,"expires_in_s":)" + std::to_string(1 + random_.below(expires_in_max_s)) + "}";
    }
    return wish;
}

/// Capture, of all or of a part, or void: of a hold that may be expiring right now.
std::optional<Wish> Deeds::end_hold() {
    auto const taken = log_.take_open_hold(random_);
    if (!taken) return std::nullopt;
    auto const& placed = log_.at(*taken);
    Wish wish;
    wish.route = "/holds/" + std::string(text_member(placed.answer, "id"));
    wish.body = "{}";
    wish.entry.original = *taken;
    wish.entry.posting = placed.posting;
    wish.entry.expires = placed.expires;
    wish.entry.expected_status = 200;
    auto const choice = random_.below(3);
    wish.entry.deed = choice == 0 ? Deed::void_hold : Deed::capture;
    wish.route += choice == 0 ? "/void" : "/capture";
    if (choice == 1) {
        auto const whole = static_cast<std::uint64_t>(placed.posting.amount);
        wish.entry.posting.amount = 1 + static_cast<Amount>(random_.below(whole));
        wish.body = R"({"amount":)" + std::to_string(wish.entry.posting.amount) + "}";
    }
    return wish;
}

}  // namespace penstock::bench::chaos
