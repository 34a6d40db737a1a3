#include "cache/journal_text.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::tests {
namespace {

using namespace penstock::cache;
using namespace penstock::domain;

LedgerId const ledger{{{7}}};
std::string const one = "01900000-0000-7000-8000-000000000001";
std::string const two = "01900000-0000-7000-8000-000000000002";

RequestWords request(bool is_bulk = false) {
    RequestWords words;
    words.key_use.emplace();
    words.key_use->key.value.bytes.fill(0xab);
    words.key_use->fingerprint.fill(0xcd);
    words.request_id = "request 7:\n";
    words.is_bulk = is_bulk;
    return words;
}

ItemWords words_with(std::string reference, std::string metadata) {
    return {TransferKind::deposit, std::move(reference), std::move(metadata)};
}

std::string move_line() { return "move @world alice 30 " + one + " -30 1 " + two + " 130 5\n"; }

std::string entry_of(RequestWords const& words, std::string const& items) {
    return "4 1700000000000 6 00112233445566\n" + said_of(words) + items;
}

/// As it is once item 0 of an entry, or a later one, has ended it.
std::string hold_line(char state, std::uint32_t ordinal = 6) {
    auto const line =
        std::string(1, state) + " 30 1700000000500 " + one + " " + two + " alice bob ";
    if (state == 'p') return line + "- - -";
    if (state != 'c') return line + "1700000000000 - -";
    auto const transfer = make_uuid7({1'700'000'000'000}, ordinal, 0x00112233445566);
    return line + "1700000000000 30 " + transfer.to_string();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(journal_text)

BOOST_AUTO_TEST_CASE(an_entry_says_again_what_was_said_of_it_whatever_bytes_that_was) {
    auto const text =
        entry_of(request(), move_line() + said_of(words_with("5:a\nmove ", R"({"a":"\n0:"})")));
    auto const entry = read_entry(ledger, "5", text);
    BOOST_REQUIRE(entry);
    BOOST_TEST(entry->after == 4);
    BOOST_TEST(entry->position == 5);
    BOOST_TEST(entry->request_id == "request 7:\n");
    BOOST_TEST((entry->key_use == request().key_use));
    BOOST_REQUIRE(entry->items.size() == 1);
    auto const& transfer = std::get<Transfer>(entry->items.front());
    BOOST_TEST((transfer.kind == TransferKind::deposit));
    BOOST_TEST(transfer.reference.value() == "5:a\nmove ");
    BOOST_TEST(transfer.metadata == R"({"a":"\n0:"})");
    BOOST_TEST(transfer.from.balance_after == -30);
    BOOST_TEST(transfer.to.version == 5);
    BOOST_TEST((transfer.key_use == request().key_use));
    BOOST_TEST((transfer.id.value == make_uuid7({1'700'000'000'000}, 6, 0x00112233445566)));
}

BOOST_AUTO_TEST_CASE(items_of_a_bulk_carry_no_key_and_have_two_ids_each) {
    auto const moved = move_line() + said_of(ItemWords());
    auto const text = entry_of(request(true), moved + "refused insufficient_funds\n" + moved);
    auto const entry = read_entry(ledger, "7", text);
    BOOST_REQUIRE(entry);
    BOOST_TEST(entry->is_bulk);
    BOOST_TEST(!std::get<Transfer>(entry->items[0]).key_use);
    BOOST_TEST((std::get<Refusal>(entry->items[1]).code == Rejection::insufficient_funds));
    BOOST_TEST(ordinal_of(std::get<Transfer>(entry->items[2]).id.value) == 10U);
    BOOST_TEST(ordinal_of(entry->event_id(2).value) == 11U);
}

BOOST_AUTO_TEST_CASE(a_hold_is_read_as_it_was_placed_and_as_it_ended) {
    auto const placed = "hold " + one + " " + hold_line('p') + "\n0:";
    auto const taken = "capture " + one + " " + hold_line('c', 8) + "\n" + move_line() + "0:";
    auto const given_up = "void " + one + " " + hold_line('v') + "\n0:";
    auto const entry = read_entry(ledger, "7", entry_of(request(), placed + taken + given_up));
    BOOST_REQUIRE(entry);
    auto const& hold = std::get<Hold>(entry->items[0]);
    BOOST_TEST((hold.status == HoldStatus::pending));
    BOOST_TEST(!hold.ended_at);
    BOOST_TEST(hold.expires_at.value().ms == 1'700'000'000'500);
    auto const& captured = std::get<Captured>(entry->items[1]);
    BOOST_TEST((captured.hold.status == HoldStatus::captured));
    BOOST_TEST(captured.hold.captured_amount == 30);
    BOOST_TEST((captured.hold.transfer == captured.transfer.id));
    BOOST_TEST((captured.transfer.cause == hold.id.value));
    BOOST_TEST((captured.transfer.kind == TransferKind::capture));
    BOOST_TEST((std::get<Hold>(entry->items[2]).ended_at == entry->at));
}

BOOST_AUTO_TEST_CASE(what_is_cut_off_anywhere_is_no_entry) {
    auto const whole =
        entry_of(request(), "capture " + one + " " + hold_line('c') + "\n" + move_line() +
                                "0:" + move_line() + said_of(words_with("r", "{}")));
    BOOST_REQUIRE(read_entry(ledger, "6", whole));
    for (std::size_t size = 0; size < whole.size(); ++size)
        BOOST_TEST(!read_entry(ledger, "6", whole.substr(0, size)));
    BOOST_TEST(!read_entry(ledger, "6", whole + "x"));
}

BOOST_AUTO_TEST_CASE(an_entry_covers_as_many_positions_as_it_has_items) {
    auto const text = entry_of(request(), move_line() + said_of(ItemWords()));
    BOOST_TEST(read_entry(ledger, "5", text).has_value());
    BOOST_TEST(!read_entry(ledger, "6", text));
    BOOST_TEST(!read_entry(ledger, "4", text));
    BOOST_TEST(!read_entry(ledger, "", text));
    BOOST_TEST(!read_entry(ledger, "4", entry_of(request(), "")));
}

BOOST_AUTO_TEST_CASE(numbers_that_lua_does_not_count_exactly_are_in_no_line) {
    auto const with_balance = [](std::string const& balance) {
        return read_account("c " + balance + " 0 1 0 5 9 " + one);
    };
    BOOST_TEST(with_balance("-9007199254740991").has_value());
    BOOST_TEST(!with_balance("-9007199254740992"));
    BOOST_TEST(!with_balance("9007199254740992"));
    BOOST_TEST(!with_balance("1e3"));
    BOOST_TEST(!with_balance("1.0"));
    BOOST_TEST(!with_balance(""));
}

BOOST_AUTO_TEST_CASE(lines_of_accounts_and_holds_say_what_they_were_made_of) {
    HotAccount account;
    account.id = {*Uuid::parse(one)};
    account.balance = -5;
    account.held = 3;
    account.version = 9;
    account.overdraft_limit = 100;
    account.updated_at = {1'700'000'000'000};
    account.position = 44;
    account.is_dirty = true;
    BOOST_TEST((read_account(line_of(account)) == account));
    for (char const state : {'p', 'c', 'v', 'x'}) {
        auto const hold = read_hold(ledger, one, hold_line(state));
        BOOST_REQUIRE(hold);
        BOOST_TEST(line_of(*hold) == hold_line(state));
    }
    BOOST_TEST(!read_hold(ledger, one, hold_line('y')));
    BOOST_TEST(!read_hold(ledger, one, hold_line('p') + " more"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
