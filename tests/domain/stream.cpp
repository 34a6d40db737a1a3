#include "domain/stream.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/describe/enum_to_string.hpp>
#include <chrono>

#include "tests/domain/streaming.hpp"

namespace penstock::tests {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using enum StreamAction;

/// A running stream of 1000 over 1000 s, at the instant of its start.
StreamBooks running(Amount total = 1'000, seconds duration = seconds{1'000}) {
    StreamBooks books{total};
    books.create(total, duration);
    made<Streamed>(books.act(start));
    return books;
}

/// "stream_refund 600 @stream -> ann", for each transfer.
std::vector<std::string> moves_of(Changes const& changes) {
    auto const name = [](Leg const& leg) {
        return leg.address.starts_with("@stream:") ? std::string("@stream") : leg.address;
    };
    std::vector<std::string> moves;
    for (auto const& one : changes.transfers)
        moves.push_back(std::string(boost::describe::enum_to_string(one.kind, "")) + " " +
                        std::to_string(one.amount) + " " + name(one.from) + " -> " + name(one.to));
    return moves;
}

using Moves = std::vector<std::string>;

std::string name_of_state(Stream const& stream) {
    bool const is_settled = stream.status == StreamStatus::ended && stream.settled_at;
    return is_settled ? "settled" : boost::describe::enum_to_string(stream.status, "");
}

struct Cell {
    StreamAction action;
    std::string to;  ///< a state, "same", or a refusal
};

struct TableRow {
    std::string from;
    std::vector<Cell> cells;
};

constexpr char const* illegal = "illegal_transition";
constexpr char const* gone = "stream_not_found";

std::vector<TableRow> const& table() {
    static std::vector<TableRow> const rows{{"draft",
                                             {{start, "active"},
                                              {pause, illegal},
                                              {stop, "ended"},
                                              {settle, illegal},
                                              {withdraw, illegal},
                                              {cancel, illegal},
                                              {remove, "deleted"}}},
                                            {"active",
                                             {{start, "same"},
                                              {pause, "paused"},
                                              {stop, "ended"},
                                              {settle, "settled"},
                                              {withdraw, "active"},
                                              {cancel, "cancelled"},
                                              {remove, illegal}}},
                                            {"paused",
                                             {{start, "active"},
                                              {pause, "same"},
                                              {stop, "ended"},
                                              {settle, "settled"},
                                              {withdraw, "paused"},
                                              {cancel, "cancelled"},
                                              {remove, illegal}}},
                                            {"ended",
                                             {{start, illegal},
                                              {pause, illegal},
                                              {stop, "same"},
                                              {settle, "settled"},
                                              {withdraw, "ended"},
                                              {cancel, illegal},
                                              {remove, illegal}}},
                                            {"settled",
                                             {{start, illegal},
                                              {pause, illegal},
                                              {stop, "same"},
                                              {settle, "same"},
                                              {withdraw, "withdrawn"},
                                              {cancel, illegal},
                                              {remove, illegal}}},
                                            {"withdrawn",
                                             {{start, illegal},
                                              {pause, illegal},
                                              {stop, illegal},
                                              {settle, illegal},
                                              {withdraw, "same"},
                                              {cancel, illegal},
                                              {remove, illegal}}},
                                            {"cancelled",
                                             {{start, illegal},
                                              {pause, illegal},
                                              {stop, illegal},
                                              {settle, illegal},
                                              {withdraw, illegal},
                                              {cancel, "same"},
                                              {remove, illegal}}},
                                            {"deleted",
                                             {{start, gone},
                                              {pause, gone},
                                              {stop, gone},
                                              {settle, gone},
                                              {withdraw, gone},
                                              {cancel, gone},
                                              {remove, gone}}}};
    return rows;
}

/// What the test itself makes of time: how long the stream has run.
struct Model {
    milliseconds run{};
    bool runs = false;

    void pass(milliseconds time) {
        if (runs) run += time;
    }
    Amount vested(Amount total, seconds duration) const {
        milliseconds const whole = duration;
        auto const counted = std::min(run, whole).count();
        return static_cast<Amount>(Sum{total} * counted / whole.count());
    }
};

void check_invariants(StreamBooks& books, Amount vested_before) {
    auto const& stream = books.stream();
    auto const vested = books.vested();
    RC_ASSERT(stream.released >= 0);
    RC_ASSERT(stream.released <= vested);
    RC_ASSERT(vested <= stream.total);
    RC_ASSERT(vested >= vested_before);
    RC_ASSERT(stream.refunded >= 0);
    auto const owed = stream.started_at ? stream.total - stream.released - stream.refunded : 0;
    RC_ASSERT(books.escrow() == owed);
    bool const is_over =
        stream.status == StreamStatus::withdrawn || stream.status == StreamStatus::cancelled;
    if (is_over) RC_ASSERT(books.escrow() == 0);
    Sum sum = 0;
    for (auto const& account : books.rows.accounts) sum += account.standing.balance;
    RC_ASSERT(sum == 0);
    RC_ASSERT(books.balance("bob") == stream.released);
}

/// One action, as likely legal as not; what it refuses it leaves alone.
void act_at_random(StreamBooks& books, Model& model) {
    auto const action = *rc::gen::element(start, pause, stop, settle, withdraw, cancel, remove);
    std::optional<Amount> amount;
    bool const is_partial = action == withdraw && *rc::gen::arbitrary<bool>();
    if (is_partial) amount = *rc::gen::inRange<Amount>(1, books.stream().total + 1);
    auto const before = books.stream();
    auto const actions = next_actions(before, books.at);
    auto const outcome = books.act(action, amount);
    auto const& stream = books.stream();
    bool const is_offered = std::ranges::count(actions, action) > 0;
    bool const has_changed = !(stream == before);
    if (std::holds_alternative<Refusal>(outcome)) {
        RC_ASSERT(books.last.empty());
        auto const code = std::get<Refusal>(outcome).code;
        bool const may_be_offered =
            code == Rejection::insufficient_funds || code == Rejection::over_withdraw;
        RC_ASSERT(!is_offered || may_be_offered);
        return;
    }
    RC_ASSERT(has_changed == is_offered);
    RC_ASSERT(books.last.empty() == !is_offered);
    model.runs = stream.status == StreamStatus::active;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(streams)

BOOST_AUTO_TEST_CASE(a_draft_moves_nothing_and_has_an_account_of_its_own) {
    StreamBooks books;
    auto const stream = books.create(1'000, seconds{60});
    BOOST_TEST((stream.status == StreamStatus::draft));
    BOOST_TEST((stream.created_at() == noon));
    BOOST_TEST((stream.updated_at == noon));
    BOOST_TEST((stream.sender.account == books.find("ann")->id));
    BOOST_TEST((stream.recipient.account == books.find("bob")->id));
    BOOST_TEST(!stream.started_at);
    BOOST_TEST(!stream.ends_at);
    BOOST_TEST(books.last.transfers.empty());
    BOOST_TEST(books.last.events.empty());
    BOOST_TEST(books.escrow() == 0);
    BOOST_TEST(books.vested() == 0);
}

BOOST_AUTO_TEST_CASE(checks_of_a_creation_come_in_the_documented_order) {
    StreamBooks books;
    auto const refused = [&](std::string sender, std::string recipient) {
        auto command = StreamBooks::wish(1, seconds{1});
        command.draft.sender.address = std::move(sender);
        command.draft.recipient.address = std::move(recipient);
        return refusal_of(books.decide(std::move(command)));
    };
    BOOST_TEST(refused("no", "no") == "self_transfer /recipient");
    BOOST_TEST(refused("no", "one") == "account_not_found /sender");
    BOOST_TEST(refused("ann", "one") == "account_not_found /recipient");
    auto elsewhere = StreamBooks::wish(1, seconds{1});
    elsewhere.ledger = {make_uuid7(noon, 0, 77)};
    BOOST_TEST(refusal_of(books.decide(elsewhere)) == "ledger_not_found");
    StreamBooks credits(0, Scene::loaded(AccountPolicy::implicit, LedgerKind::credits));
    BOOST_TEST(refusal_of(credits.decide(StreamBooks::wish(1, seconds{1}))) ==
               "unsupported_on_ledger");
}

BOOST_AUTO_TEST_CASE(an_implicit_ledger_opens_both_parties) {
    auto scene = Scene{Scene::loaded(AccountPolicy::implicit)};
    auto const made_stream = made<Streamed>(scene.decide(StreamBooks::wish(5, seconds{1}))).stream;
    auto const id_of = [&](std::string const& address) {
        return scene.set().find_account(Scene::ledger_id(), address)->id;
    };
    BOOST_TEST((made_stream.sender.account == id_of("ann")));
    BOOST_TEST((made_stream.recipient.account == id_of("bob")));
}

BOOST_AUTO_TEST_CASE(every_cell_of_the_table_does_what_it_says) {
    std::size_t cells = 0;
    for (auto const& [from, row] : table()) {
        for (auto const& [action, to] : row) {
            BOOST_TEST_INFO(from << ", " << boost::describe::enum_to_string(action, ""));
            auto books = in_state(from);
            BOOST_TEST(name_of_state(books.stream()) == from);
            auto const before = books.stream();
            auto const outcome = books.act(action);
            bool const is_refused = to == illegal || to == gone;
            bool const changes = !is_refused && to != "same";
            BOOST_TEST(refusal_of(outcome) == (is_refused ? to : ""));
            BOOST_TEST(books.last.empty() == !changes);
            BOOST_TEST((books.stream() == before) == !changes);
            if (changes) BOOST_TEST(name_of_state(books.stream()) == to);
            if (to == "same") BOOST_TEST((made<Streamed>(outcome).stream == before));
            ++cells;
        }
    }
    BOOST_TEST(cells == 56u);
}

BOOST_AUTO_TEST_CASE(an_illegal_transition_names_action_and_state) {
    auto books = in_state("cancelled");
    auto const refusal = std::get<Refusal>(books.act(pause));
    BOOST_TEST(refusal.detail == "Cannot pause a stream that is cancelled.");
    auto active = in_state("active");
    auto const removal = std::get<Refusal>(active.act(remove));
    BOOST_TEST(removal.detail == "Cannot delete a stream that is active.");
}

BOOST_AUTO_TEST_CASE(a_stream_of_somewhere_else_is_not_found) {
    auto books = in_state("active");
    auto unknown = books.command(pause);
    unknown.original.reset();
    BOOST_TEST(refusal_of(books.decide(unknown)) == "stream_not_found");
    auto foreign = books.command(pause);
    foreign.original->ledger = {make_uuid7(noon, 0, 77)};
    BOOST_TEST(refusal_of(books.decide(foreign)) == "stream_not_found");
}

BOOST_AUTO_TEST_CASE(starting_moves_the_total_to_the_streams_account) {
    StreamBooks books{1'500};
    books.create(1'000, seconds{90});
    books.at = after(noon, seconds{5});
    auto const stream = made<Streamed>(books.act(start)).stream;
    BOOST_TEST(moves_of(books.last) == Moves{"stream_funding 1000 ann -> @stream"},
               boost::test_tools::per_element());
    BOOST_TEST((books.last.transfers.front().cause == stream.id.value));
    BOOST_TEST(books.last.events.empty());  // the transfer itself is the record of it
    BOOST_TEST((stream.started_at == after(noon, seconds{5})));
    BOOST_TEST((stream.ends_at == after(noon, seconds{95})));
    BOOST_TEST(books.balance("ann") == 500);
    BOOST_TEST(books.escrow() == 1'000);
}

BOOST_AUTO_TEST_CASE(a_sender_without_the_money_does_not_start) {
    StreamBooks books{999};
    books.create(1'000, seconds{90});
    BOOST_TEST(refusal_of(books.act(start)) == "insufficient_funds");
    BOOST_TEST(books.last.empty());
    BOOST_TEST((books.stream().status == StreamStatus::draft));
    BOOST_TEST(
        refusal_of(books.decide(Scene::movement(TransferKind::deposit, "@world", "ann", 1))) == "");
    BOOST_TEST(refusal_of(books.act(start)) == "");
}

BOOST_AUTO_TEST_CASE(a_pause_stops_vesting_and_moves_the_end) {
    auto books = running();
    auto const vested_at = [&](std::int64_t second) {
        books.at = after(noon, seconds{second});
        return books.vested();
    };
    BOOST_TEST(vested_at(400) == 400);
    books.act(pause);
    BOOST_TEST((books.stream().paused_at == after(noon, seconds{400})));
    BOOST_TEST((types_of(books.last) == std::vector{EventType::stream_paused}));
    BOOST_TEST(vested_at(500) == 400);
    BOOST_TEST(vested_at(600) == 400);
    BOOST_TEST((books.stream().ends_at == after(noon, seconds{1'000})));
    books.act(start);
    BOOST_TEST((types_of(books.last) == std::vector{EventType::stream_resumed}));
    BOOST_TEST(!books.stream().paused_at);
    BOOST_TEST((books.stream().ends_at == after(noon, seconds{1'200})));
    BOOST_TEST((books.stream().started_at == noon));
    BOOST_TEST(vested_at(700) == 500);
    BOOST_TEST(vested_at(1'199) == 999);
    BOOST_TEST(vested_at(1'200) == 1'000);
    BOOST_TEST(vested_at(99'999) == 1'000);
}

BOOST_AUTO_TEST_CASE(vesting_counts_milliseconds_in_128_bits) {
    auto books = running(1'200'000'000, seconds{2'592'000});
    books.at = after(noon, seconds{1});
    BOOST_TEST(books.vested() == 462);
    books.at = after(noon, milliseconds{1'999});
    BOOST_TEST(books.vested() == 925);
    auto large = running(amount_max, days{36'500});
    large.at = after(noon, days{1});
    BOOST_TEST(large.vested() == 246'772'582'321);
    large.at = after(noon, days{36'500} - milliseconds{1});
    BOOST_TEST(large.vested() == 9'007'199'254'738'134);
    large.at = after(noon, days{36'500});
    BOOST_TEST(large.vested() == amount_max);
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_behind_reads_as_the_one_that_wrote) {
    auto books = running();
    books.at = after(noon, seconds{400});
    made<Streamed>(books.act(withdraw));
    auto const early = after(noon, seconds{100});
    BOOST_TEST(vested(books.stream(), early) == 400);
    BOOST_TEST(withdrawable(books.stream(), early) == 0);
    books.at = early;
    BOOST_TEST(refusal_of(books.act(withdraw)) == "nothing_to_withdraw");
    auto const paused = made<Streamed>(books.act(pause));
    BOOST_TEST((paused.at == after(noon, seconds{400})));
    BOOST_TEST((paused.stream.paused_at == after(noon, seconds{400})));
}

BOOST_AUTO_TEST_CASE(a_withdrawal_pays_what_is_there_or_a_part_of_it) {
    auto books = running();
    books.at = after(noon, seconds{400});
    BOOST_TEST(refusal_of(books.act(withdraw, 401)) == "over_withdraw /amount");
    auto const part = made<Streamed>(books.act(withdraw, 150));
    BOOST_TEST((part.paid == 150));
    BOOST_TEST(part.stream.released == 150);
    BOOST_TEST(books.last.events.empty());
    BOOST_TEST(moves_of(books.last) == Moves{"stream_withdrawal 150 @stream -> bob"},
               boost::test_tools::per_element());
    BOOST_TEST(refusal_of(books.act(withdraw, 251)) == "over_withdraw /amount");
    BOOST_TEST((made<Streamed>(books.act(withdraw)).paid == 250));
    BOOST_TEST(refusal_of(books.act(withdraw)) == "nothing_to_withdraw");
    BOOST_TEST(refusal_of(books.act(withdraw, 1)) == "nothing_to_withdraw");
    BOOST_TEST(books.balance("bob") == 400);
    BOOST_TEST(books.escrow() == 600);
}

BOOST_AUTO_TEST_CASE(nothing_is_there_at_the_instant_of_the_start) {
    auto books = running();
    BOOST_TEST(refusal_of(books.act(withdraw)) == "nothing_to_withdraw");
    BOOST_TEST(refusal_of(books.act(withdraw, 1)) == "nothing_to_withdraw");
}

BOOST_AUTO_TEST_CASE(settling_gives_back_what_has_not_vested) {
    auto books = running();
    books.at = after(noon, seconds{400});
    auto const settled = made<Streamed>(books.act(settle)).stream;
    BOOST_TEST(moves_of(books.last) == Moves{"stream_refund 600 @stream -> ann"},
               boost::test_tools::per_element());
    BOOST_TEST_REQUIRE(books.last.events.size() == 1u);
    auto const& event = books.last.events.front();
    BOOST_TEST((event.type == EventType::stream_settled));
    BOOST_TEST((event.amount == 600));
    BOOST_TEST((event.transfer == books.last.transfers.front().id));
    BOOST_TEST((settled.status == StreamStatus::ended));
    BOOST_TEST((settled.ended_at == books.at));
    BOOST_TEST((settled.settled_at == books.at));
    BOOST_TEST(settled.refunded == 600);
    books.at = after(noon, seconds{900});
    BOOST_TEST(books.vested() == 400);
    made<Streamed>(books.act(withdraw, 399));
    BOOST_TEST((books.stream().status == StreamStatus::ended));
    made<Streamed>(books.act(withdraw));
    BOOST_TEST((books.stream().status == StreamStatus::withdrawn));
    BOOST_TEST(books.escrow() == 0);
    BOOST_TEST(books.balance("ann") == 600);
}

BOOST_AUTO_TEST_CASE(settling_with_nothing_left_to_claim_is_the_end) {
    auto books = running();
    books.at = after(noon, seconds{400});
    made<Streamed>(books.act(withdraw));
    auto const settled = made<Streamed>(books.act(settle)).stream;
    BOOST_TEST((settled.status == StreamStatus::withdrawn));
    BOOST_TEST(books.escrow() == 0);
    auto again = made<Streamed>(books.act(withdraw));
    BOOST_TEST((again.paid == 0));
    BOOST_TEST(books.last.empty());
}

BOOST_AUTO_TEST_CASE(all_that_vested_is_nothing_to_refund) {
    auto books = running();
    books.at = after(noon, seconds{5'000});
    BOOST_TEST((books.stream().status == StreamStatus::active));
    made<Streamed>(books.act(settle));
    BOOST_TEST(books.last.transfers.empty());
    BOOST_TEST(!books.last.events.front().amount);
    BOOST_TEST(!books.last.events.front().transfer);
    BOOST_TEST(books.escrow() == 1'000);
    made<Streamed>(books.act(withdraw));
    BOOST_TEST((books.stream().status == StreamStatus::withdrawn));
}

BOOST_AUTO_TEST_CASE(a_stop_freezes_and_a_settlement_still_refunds) {
    auto books = running();
    books.at = after(noon, seconds{400});
    made<Streamed>(books.act(stop));
    BOOST_TEST((types_of(books.last) == std::vector{EventType::stream_stopped}));
    BOOST_TEST(books.last.transfers.empty());
    books.at = after(noon, seconds{700});
    BOOST_TEST(books.vested() == 400);
    made<Streamed>(books.act(withdraw));
    BOOST_TEST((books.stream().status == StreamStatus::ended));
    BOOST_TEST(books.escrow() == 600);
    auto const settled = made<Streamed>(books.act(settle)).stream;
    BOOST_TEST((settled.ended_at == after(noon, seconds{400})));
    BOOST_TEST((settled.settled_at == after(noon, seconds{700})));
    BOOST_TEST((settled.status == StreamStatus::withdrawn));
    BOOST_TEST(books.balance("ann") == 600);
}

BOOST_AUTO_TEST_CASE(a_stop_while_paused_freezes_what_had_vested_before) {
    auto books = running();
    books.at = after(noon, seconds{400});
    books.act(pause);
    books.at = after(noon, seconds{700});
    books.act(stop);
    BOOST_TEST(books.vested() == 400);
    BOOST_TEST(!books.stream().paused_at);
    BOOST_TEST((books.stream().ended_at == books.at));
    BOOST_TEST((books.stream().ends_at == after(noon, seconds{1'300})));
}

BOOST_AUTO_TEST_CASE(a_draft_that_is_stopped_never_had_anything) {
    auto books = in_state("draft");
    books.at = after(noon, seconds{400});
    made<Streamed>(books.act(stop));
    BOOST_TEST(books.vested() == 0);
    BOOST_TEST(refusal_of(books.act(withdraw)) == "nothing_to_withdraw");
    auto const settled = made<Streamed>(books.act(settle)).stream;
    BOOST_TEST(books.last.transfers.empty());
    BOOST_TEST((settled.status == StreamStatus::withdrawn));
    BOOST_TEST(settled.refunded == 0);
    BOOST_TEST(!settled.started_at);
    BOOST_TEST(books.balance("ann") == 1'000);
}

BOOST_AUTO_TEST_CASE(cancelling_shares_what_is_left_in_one_commit) {
    auto books = running(3'600, seconds{3'600});
    books.at = after(noon, seconds{1'200});
    made<Streamed>(books.act(withdraw));
    books.at = after(noon, seconds{1'800});
    auto const cancelled = made<Streamed>(books.act(cancel)).stream;
    auto const both =
        Moves{"stream_payout 600 @stream -> bob", "stream_refund 1800 @stream -> ann"};
    BOOST_TEST(moves_of(books.last) == both, boost::test_tools::per_element());
    BOOST_TEST((books.last.events.front().type == EventType::stream_cancelled));
    BOOST_TEST((books.last.events.front().amount == 1'800));
    BOOST_TEST(cancelled.released == 1'800);
    BOOST_TEST(cancelled.refunded == 1'800);
    BOOST_TEST((cancelled.ended_at == books.at));
    BOOST_TEST(!cancelled.settled_at);
    BOOST_TEST(books.escrow() == 0);
}

BOOST_AUTO_TEST_CASE(a_cancellation_moves_no_share_of_nothing) {
    auto early = running();
    made<Streamed>(early.act(cancel));
    BOOST_TEST(moves_of(early.last) == Moves{"stream_refund 1000 @stream -> ann"},
               boost::test_tools::per_element());
    auto late = running();
    late.at = after(noon, seconds{1'000});
    made<Streamed>(late.act(cancel));
    BOOST_TEST(moves_of(late.last) == Moves{"stream_payout 1000 @stream -> bob"},
               boost::test_tools::per_element());
    BOOST_TEST(!late.last.events.front().amount);
}

BOOST_AUTO_TEST_CASE(what_a_party_cannot_take_changes_nothing) {
    auto books = running();
    books.find("bob")->standing.balance = INT64_MAX - 10;
    books.at = after(noon, seconds{400});
    BOOST_TEST(refusal_of(books.act(withdraw)) == "amount_overflow");
    BOOST_TEST(refusal_of(books.act(cancel)) == "amount_overflow");
    BOOST_TEST(books.last.empty());
    BOOST_TEST((made<Streamed>(books.act(withdraw, 10)).paid == 10));
}

BOOST_AUTO_TEST_CASE(a_removed_draft_is_gone_and_told_of) {
    auto books = in_state("draft");
    made<Done>(books.act(remove));
    BOOST_TEST((types_of(books.last) == std::vector{EventType::stream_deleted}));
    BOOST_TEST(books.last.changed_streams.size() == 1u);
    BOOST_TEST((next_actions(books.stream(), books.at).empty()));
}

BOOST_AUTO_TEST_CASE(next_actions_are_those_that_would_change_something) {
    using Actions = std::vector<StreamAction>;
    auto const of = [](std::string const& state) {
        auto const books = in_state(state);
        return next_actions(books.stream(), books.at);
    };
    BOOST_TEST((of("draft") == Actions{start, stop, remove}));
    BOOST_TEST((of("active") == Actions{pause, stop, settle, withdraw, cancel}));
    BOOST_TEST((of("paused") == Actions{start, stop, settle, withdraw, cancel}));
    BOOST_TEST((of("ended") == Actions{settle, withdraw}));
    BOOST_TEST((of("settled") == Actions{withdraw}));
    BOOST_TEST(of("withdrawn").empty());
    BOOST_TEST(of("cancelled").empty());
    auto const fresh = running();
    BOOST_TEST((next_actions(fresh.stream(), fresh.at) == Actions{pause, stop, settle, cancel}));
}

BOOST_AUTO_TEST_CASE(a_rate_must_come_out_whole) {
    auto const total = [](Amount amount, seconds interval, seconds duration) {
        auto const result = total_of_rate(amount, interval, duration);
        auto const* refusal = std::get_if<Refusal>(&result);
        return refusal ? refusal_of(*refusal) : std::to_string(std::get<Amount>(result));
    };
    BOOST_TEST(total(10, days{1}, hours{12}) == "5");
    BOOST_TEST(total(7, minutes{1}, seconds{60}) == "7");
    BOOST_TEST(total(1, minutes{1}, seconds{30}) == "precision /rate");
    BOOST_TEST(total(2, minutes{1}, seconds{30}) == "1");
    BOOST_TEST(total(1'200'000'000, days{30}, days{30}) == "1200000000");
    BOOST_TEST(total(1, days{30}, seconds{1}) == "precision /rate");
    BOOST_TEST(total(amount_max, seconds{1}, seconds{1}) == std::to_string(amount_max));
    BOOST_TEST(total(amount_max, seconds{1}, seconds{2}) == "amount_overflow /rate");
    BOOST_TEST(total(amount_max, days{30}, days{36'500}) == "precision /rate");
    BOOST_TEST(total(3'000'000'000'000'000, days{30}, days{36'500}) == "amount_overflow /rate");
}

BOOST_AUTO_TEST_CASE(a_ledger_with_money_in_a_stream_is_not_empty) {
    auto books = running();
    WorkingSet set{books.rows, Stamp{books.at}, day_before};
    BOOST_TEST(set.ledger_not_empty(Scene::ledger_id()));
}

BOOST_AUTO_TEST_CASE(a_repeated_key_acts_once_also_where_there_was_no_effect) {
    auto rows = running().rows;
    auto const stream = rows.streams.front();
    Scene scene{std::move(rows)};
    ActOnStream const command{Scene::ledger_id(), stream, pause, {}};
    auto const first = made<Streamed>(scene.decide(command, use_of(1)));
    auto const again = scene.decide(command, use_of(1));
    BOOST_TEST(is_replayed(again));
    BOOST_TEST((made<Streamed>(again) == first));
    made<Streamed>(scene.decide(command, use_of(2)));
    BOOST_TEST(scene.set().changes().events.size() == 1u);
    BOOST_TEST(scene.set().changes().answers.size() == 2u);
}

BOOST_AUTO_TEST_CASE(of_two_starts_in_a_batch_one_has_an_effect) {
    StreamBooks books{2'000};
    books.create(1'000, seconds{60});
    Scene scene{books.rows};
    made<Streamed>(scene.decide(books.command(start)));
    made<Streamed>(scene.decide(books.command(start)));
    BOOST_TEST(scene.set().changes().transfers.size() == 1u);
    BOOST_TEST(scene.balance("ann") == 1'000);
}

BOOST_AUTO_TEST_CASE(random_actions_at_random_times_keep_every_invariant) {
    bool const holds = rc::check("0 ≤ released ≤ vested ≤ total, and the escrow is the rest", [] {
        auto const total = *rc::gen::element<Amount>(1, 7, 1'000, 86'401, amount_max);
        auto const duration = seconds{*rc::gen::inRange<std::int64_t>(1, 2'000)};
        Amount const money = *rc::gen::arbitrary<bool>() ? total : total - 1;
        StreamBooks books{money};
        // So that all of the ledger is 0.
        books.find(world_address)->standing.balance = -money;
        books.create(total, duration);
        Model model;
        auto const steps = *rc::gen::inRange<std::size_t>(1, 40);
        Amount vested_before = 0;
        for (std::size_t i = 0; i < steps; ++i) {
            auto const longest = milliseconds{duration}.count() / 4 + 2;
            milliseconds const time{*rc::gen::inRange<std::int64_t>(0, longest)};
            books.at = after(books.at, time);
            model.pass(time);
            act_at_random(books, model);
            check_invariants(books, vested_before);
            vested_before = books.vested();
            RC_ASSERT(vested_before == model.vested(total, duration));
            bool const needs_money = money < total && books.stream().status == StreamStatus::draft;
            if (needs_money)
                made<Transfer>(
                    books.decide(Scene::movement(TransferKind::deposit, world_address, "ann", 1)));
        }
    });
    BOOST_TEST(holds);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
