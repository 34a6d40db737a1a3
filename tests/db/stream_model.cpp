#include "tests/db/stream_model.hpp"

#include <algorithm>
#include <boost/describe/enum_to_string.hpp>

#include "tests/db/streaming.hpp"

namespace penstock::tests {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using enum StreamAction;

constexpr StreamAction actions[]{start, pause, stop, settle, withdraw, cancel, remove};

/// What a rate may be per.
constexpr seconds intervals[]{seconds{1},      seconds{60},      seconds{3'600},
                              seconds{86'400}, seconds{604'800}, seconds{2'592'000}};

constexpr char const* rate_is_whole = "a rate that comes out whole";
constexpr char const* rate_is_not_whole = "a rate that does not come out whole";
constexpr char const* nothing_there = "a withdrawal where nothing is there";
constexpr char const* more_than_there = "a withdrawal of more than there is";
constexpr char const* a_part = "a withdrawal of a part";
constexpr char const* past_the_end = "a withdrawal after the end that nobody has noticed";
constexpr char const* without_money = "a start without the money";
constexpr char const* refunds_nothing = "a settlement with nothing to refund";
constexpr char const* elsewhere = "an action under another ledger";

std::string case_of(char const* state, StreamAction action) {
    return std::string(state) + ", " + boost::describe::enum_to_string(action, "");
}

std::size_t index_of(StreamAction action) { return static_cast<std::size_t>(action); }

bool moves_money(StreamAction action) {
    return action == start || action == withdraw || action == settle || action == cancel;
}

}  // namespace

/// In the order of `actions`.
StreamModel::Row const StreamModel::table[]{
    {"draft", "c-c---c"},     {"active", "=ccccc-"},  {"paused", "c=cccc-"},
    {"ended", "--=cc--"},     {"settled", "--==c--"}, {"withdrawn", "----=--"},
    {"cancelled", "-----=-"}, {"deleted", "-------"},
};

std::set<std::string> const& StreamModel::all_cases() {
    static std::set<std::string> const all = [] {
        std::set<std::string> names{
            rate_is_whole, rate_is_not_whole, nothing_there,   more_than_there, a_part,
            past_the_end,  without_money,     refunds_nothing, elsewhere};
        for (auto const& row : table)
            for (auto const action : actions) names.insert(case_of(row.name, action));
        return names;
    }();
    return all;
}

Amount StreamModel::Life::vested(Instant at) const {
    auto run = ran;
    if (runs_from) run += milliseconds{at.ms - runs_from->ms};
    milliseconds const whole = made.duration;
    return static_cast<Amount>(Sum{made.total} * std::min(run, whole).count() / whole.count());
}

void StreamModel::Life::stop_vesting(Instant at) {
    if (runs_from) ran += milliseconds{at.ms - runs_from->ms};
    runs_from.reset();
}

/// Between seconds and days, so that clocks which creep and clocks which jump both meet the end.
Command StreamModel::some_draft(LedgerId ledger, std::string sender, std::string recipient,
                                Amount total) {
    CreateStream create{ledger, {}};
    auto& stream = create.draft;
    stream.sender.address = std::move(sender);
    stream.recipient.address = std::move(recipient);
    stream.duration = seconds{1 + (below_(2) == 0 ? below_(10) : below_(200'000))};
    stream.total = total;
    if (below_(2) == 0) stream.label = "rent";
    if (below_(3) == 0) {
        auto const interval = intervals[below_(std::ssize(intervals))];
        auto const amount = 1 + below_(500);
        Sum const product = Sum{amount} * stream.duration.count();
        bool const is_whole = product % interval.count() == 0;
        auto const outcome = total_of_rate(amount, interval, stream.duration);
        auto const* whole = std::get_if<Amount>(&outcome);
        BOOST_TEST(is_whole == (whole != nullptr));
        if (whole) BOOST_TEST((*whole == product / interval.count()));
        if (whole) stream.total = *whole;
        seen_.insert(is_whole ? rate_is_whole : rate_is_not_whole);
    }
    return create;
}

/// Mostly one of the newest, which are rarely over.
StreamModel::Life const& StreamModel::some_life() {
    auto const count = std::ssize(lives_);
    auto const back = below_(4) == 0 ? below_(count) : below_(std::min<std::int64_t>(count, 12));
    return lives_[static_cast<std::size_t>(count - 1 - back)];
}

Command StreamModel::command(LedgerId ledger, std::string sender, std::string recipient,
                             Amount total) {
    if (lives_.empty() || below_(6) == 0)
        return some_draft(ledger, std::move(sender), std::move(recipient), total);
    auto const& life = some_life();
    bool const is_at_home = below_(20) != 0;
    ActOnStream act{is_at_home ? life.made.ledger : ledger, life.made};
    act.action = actions[below_(std::ssize(actions))];
    // A draft that never starts, and a stream that ends at once, would tell little.
    bool const is_an_end = act.action != start && act.action != pause && act.action != withdraw;
    if (is_an_end && below_(2) == 0) act.action = life.state == draft ? start : withdraw;
    if (act.action != withdraw || below_(3) == 0) return act;
    auto const there = std::max<Amount>(life.made.total - life.released, 1);
    act.amount = 1 + below_(below_(2) == 0 ? there : std::min<Amount>(there, 20));
    return act;
}

void StreamModel::learn(Command const& command, Outcome const& outcome, Instant at) {
    if (auto const* create = std::get_if<CreateStream>(&command)) learn_draft(*create, outcome);
    if (auto const* act = std::get_if<ActOnStream>(&command)) learn_act(*act, outcome, at);
}

void StreamModel::learn_draft(CreateStream const& command, Outcome const& outcome) {
    auto const& wish = command.draft;
    bool const to_itself = wish.sender.address == wish.recipient.address;
    if (auto const refusal = refusal_of(outcome); !refusal.empty()) {
        bool const is_missing = refusal.starts_with("account_not_found ");
        BOOST_TEST((to_itself ? refusal == "self_transfer /recipient" : is_missing), refusal);
        return;
    }
    BOOST_TEST(!to_itself);
    auto const [stream, at, paid] = made<Streamed>(outcome);
    BOOST_TEST((stream.ledger == command.ledger));
    BOOST_TEST(stream.sender.address == wish.sender.address);
    BOOST_TEST(stream.recipient.address == wish.recipient.address);
    BOOST_TEST(stream.total == wish.total);
    BOOST_TEST((stream.duration == wish.duration));
    BOOST_TEST((stream.label == wish.label));
    BOOST_TEST(places_.emplace(stream.id, lives_.size()).second);
    Life life;
    life.made = life.now = stream;
    life.feed.push_back({stream.created_at(), db::stream_created});
    compare(life, {stream, at, paid});
    lives_.push_back(std::move(life));
}

void StreamModel::learn_act(ActOnStream const& command, Outcome const& outcome, Instant at) {
    auto& life = lives_.at(places_.at(command.original->id));
    auto const refusal = refusal_of(outcome);
    if (command.ledger != life.made.ledger) {
        BOOST_TEST(refusal == "stream_not_found");
        seen_.insert(elsewhere);
        return;
    }
    auto const action = command.action;
    auto const& row = table[life.state];
    auto const cell = row.cells[index_of(action)];
    BOOST_TEST_CONTEXT(case_of(row.name, action) << " of " << life.made.id.to_string()) {
        BOOST_TEST((at >= life.now.updated_at));
        if (!refusal.empty()) {
            check_refusal(life, command, refusal, at);
            if (cell == '-') seen_.insert(case_of(row.name, action));
            return;
        }
        BOOST_TEST_REQUIRE(cell != '-');
        seen_.insert(case_of(row.name, action));
        if (cell == '=') {
            auto const same = made<Streamed>(outcome);
            std::optional<Amount> const nothing =
                action == withdraw ? std::optional<Amount>{0} : std::nullopt;
            BOOST_TEST((same.stream == life.now));
            BOOST_TEST((same.paid == nothing));
            return;
        }
        auto const released = life.released;
        apply(life, command, at);
        if (life.state == deleted) {
            BOOST_TEST(std::holds_alternative<Done>(std::get<Receipt>(outcome).what));
            return;
        }
        auto const streamed = made<Streamed>(outcome);
        BOOST_TEST((streamed.at == at));
        std::optional<Amount> paid;
        if (action == withdraw) paid = life.released - released;
        BOOST_TEST((streamed.paid == paid));
        life.now = streamed.stream;
        compare(life, streamed);
    }
}

/// Only for what the table forbids, for what is not there, and for what a transfer may meet.
void StreamModel::check_refusal(Life const& life, ActOnStream const& command,
                                std::string const& refusal, Instant at) {
    auto const action = command.action;
    auto const there = life.vested(at) - life.released;
    auto const cell = table[life.state].cells[index_of(action)];
    BOOST_TEST(cell != '=');
    if (life.state == deleted) {
        BOOST_TEST(refusal == "stream_not_found");
    } else if (cell == '-') {
        BOOST_TEST(refusal == "illegal_transition");
    } else if (action == withdraw && there == 0) {
        BOOST_TEST(refusal == "nothing_to_withdraw");
        seen_.insert(nothing_there);
    } else if (action == withdraw && command.amount.value_or(there) > there) {
        BOOST_TEST(refusal == "over_withdraw /amount");
        seen_.insert(more_than_there);
    } else if (action == start && refusal == "insufficient_funds") {
        BOOST_TEST((life.state == draft));
        seen_.insert(without_money);
    } else {
        // Whoever is paid may be as rich as an account can be.
        BOOST_TEST(refusal == "amount_overflow");
        BOOST_TEST(moves_money(action));
    }
}

void StreamModel::apply(Life& life, ActOnStream const& command, Instant at) {
    using enum EventType;
    auto const tell = [&](db::ActivityType type) { life.feed.push_back({at, type}); };
    switch (command.action) {
        case start:
            tell(life.was_started ? db::activity_of(stream_resumed)
                                  : db::activity_of(TransferKind::stream_funding));
            life.was_started = true;
            life.runs_from = at;
            life.state = active;
            break;
        case pause:
            life.stop_vesting(at);
            life.state = paused;
            tell(db::activity_of(stream_paused));
            break;
        case stop:
            life.stop_vesting(at);
            life.state = ended;
            tell(db::activity_of(stream_stopped));
            break;
        case settle:
            end(life, life.vested(at) == life.released ? withdrawn : settled, at);
            tell(db::activity_of(stream_settled));
            if (life.was_started && life.refunded == 0) seen_.insert(refunds_nothing);
            break;
        case withdraw:
            pay_out(life, command.amount, at);
            tell(db::activity_of(TransferKind::stream_withdrawal));
            break;
        case cancel:
            end(life, cancelled, at);
            life.released = life.vested(at);
            tell(db::activity_of(stream_cancelled));
            break;
        case remove:
            life.state = deleted;
            tell(db::activity_of(stream_deleted));
            break;
    }
}

void StreamModel::pay_out(Life& life, std::optional<Amount> wanted, Instant at) {
    auto const there = life.vested(at) - life.released;
    auto const amount = wanted.value_or(there);
    BOOST_TEST(amount > 0);
    BOOST_TEST(amount <= there);
    life.released += amount;
    bool const is_all = life.released == life.vested(at);
    if (!is_all) seen_.insert(a_part);
    if (life.state == active && life.vested(at) == life.made.total) seen_.insert(past_the_end);
    if (life.state == settled && is_all) life.state = withdrawn;
}

/// Vesting stands still for good, and what has not vested goes back.
void StreamModel::end(Life& life, State to, Instant at) {
    life.stop_vesting(at);
    if (life.was_started) life.refunded = life.made.total - life.vested(at);
    life.state = to;
}

void StreamModel::compare(Life const& life, Streamed const& streamed) {
    constexpr StreamStatus statuses[]{StreamStatus::draft,     StreamStatus::active,
                                      StreamStatus::paused,    StreamStatus::ended,
                                      StreamStatus::ended,     StreamStatus::withdrawn,
                                      StreamStatus::cancelled, StreamStatus::deleted};
    auto const& stream = streamed.stream;
    auto const there = vested(stream, streamed.at);
    BOOST_TEST((stream.status == statuses[life.state]));
    BOOST_TEST((stream.settled_at.has_value() || life.state != settled));
    BOOST_TEST((stream.id == life.made.id));
    BOOST_TEST((stream.sender == life.made.sender));
    BOOST_TEST((stream.recipient == life.made.recipient));
    BOOST_TEST(stream.total == life.made.total);
    BOOST_TEST(there == life.vested(streamed.at));
    BOOST_TEST(stream.released == life.released);
    BOOST_TEST(stream.refunded == life.refunded);
    BOOST_TEST((0 <= stream.released && stream.released <= there && there <= stream.total));
}

std::vector<Command> StreamModel::ends() const {
    std::vector<Command> commands;
    for (auto const& life : lives_) {
        bool const has_run = life.state == active || life.state == paused || life.state == ended;
        if (life.state != draft && life.state != settled && !has_run) continue;
        auto const action = life.state == draft ? stop : has_run ? settle : withdraw;
        commands.push_back(act_on(life.made, action));
    }
    return commands;
}

asio::awaitable<void> StreamModel::check_store(db::Store& store,
                                               OrganizationId organization) const {
    std::map<LedgerId, std::vector<Stream>> shown;
    for (auto const& life : lives_) {
        auto const& [ledger, id] = std::pair{life.made.ledger, life.made.id};
        auto const row = value_of(co_await store.streams().find_stream(ledger, id, in_time()));
        bool const is_gone = life.state == deleted;
        BOOST_TEST((is_gone ? !row : row == life.now), id.to_string());
        if (!is_gone) shown[ledger].push_back(life.now);
        db::ActivityPage page;
        page.subject = id.to_string();
        page.limit = 10'000;
        std::vector<Happened> told;
        for (auto const& item :
             value_of(co_await store.list_activity(organization, page, in_time())))
            told.push_back({item.at(), item.type});
        // Of what was done in one millisecond by two servers either may come first.
        std::ranges::sort(told);
        auto expected = life.feed;
        std::ranges::sort(expected);
        BOOST_TEST((told == expected), "the feed of " << id.to_string());
    }
    for (auto& [ledger, streams] : shown) {
        std::ranges::sort(streams, std::greater<>{}, &Stream::id);
        db::StreamPage all;
        all.limit = all.scan_max = 1'000'000;
        auto const listed = value_of(co_await store.streams().list_streams(ledger, all, in_time()));
        BOOST_TEST((listed.items == streams), "the list of streams");
    }
}

}  // namespace penstock::tests
