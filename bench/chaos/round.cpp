#include "bench/chaos/round.hpp"

#include "bench/ledger_view.hpp"
#include "bench/pages.hpp"
#include "bench/verdict.hpp"
#include "reactor/deadline.hpp"

namespace penstock::bench::chaos {
namespace {

constexpr unsigned ledgers_count = 2;
constexpr unsigned accounts_count = 40;
constexpr std::size_t entries_max = 100'000;  ///< then the load waits for the end of the round
constexpr std::size_t differences_max = 10;
constexpr std::chrono::seconds expiry_max{30};  ///< a hold that is open for so long stays open
constexpr milliseconds expiry_pause{50};

Options funded(Options options) {
    options.ledgers = ledgers_count;
    options.accounts = accounts_count;
    options.pattern = Pattern::uniform;
    if (options.scenario == "hot") options.posted = Posted::hot;
    return options;
}

Trade trade_of(std::string const& scenario) {
    if (scenario == "purchases") return Trade::shop;
    return scenario == "hot" ? Trade::money : Trade::transfers;
}

}  // namespace

Round::Round(asio::any_io_executor executor, Sweeper& sweeper, Stage& stage, Options const& options,
             std::string name, std::uint64_t seed)
    : stage_(stage),
      options_(options),
      trade_(trade_of(options.scenario)),
      random_(seed),
      keys_(entropy()),
      ledgers_(std::move(name), funded(options)),
      client_(executor, sweeper, stage.servers().front().endpoint, stage.servers().front().target,
              entropy()),
      deeds_(ledgers_, log_, trade_, random_.next()),
      crew_(executor, sweeper, stage, options, *this) {}

asio::awaitable<RoundResult> Round::play() {
    co_await ledgers_.setup(client_);
    co_await crew_.load(stage_, steady_now());
    co_await crew_.resolve(log_.with_fate(Fate::unanswered));
    co_await come_home();
    for (std::uint32_t book = 0; book < ledgers_count; ++book) co_await await_expiry(book);
    co_await come_home();
    for (std::uint32_t book = 0; book < ledgers_count; ++book) {
        auto const traces = co_await read_traces(book);
        result_.judgement.add(log_.judge(traces, book));
    }
    co_await crew_.replay(log_.with_fate(Fate::acknowledged), random_);
    co_await compare_books();
    result_.crew = crew_.result();
    result_.crew.replays_different += changed_answers_;
    co_return std::move(result_);
}

// ---------------------------------------------------------------------------------------- load

asio::awaitable<std::optional<std::uint32_t>> Round::next() {
    if (stopping_ || log_.size() >= entries_max) co_return std::nullopt;
    co_return think_of_one();
}

std::string const& Round::request(std::uint32_t number) const { return log_.at(number).request; }

std::uint32_t Round::think_of_one() {
    auto wish = deeds_.next();
    auto const path = ledger_path(ledgers_.books(wish.entry.posting.book).ledger()) + wish.route;
    PostRoute const post(stage_.servers().front().target, path);
    post.write(wish.entry.request, wish.body, keys_);
    return log_.begin(std::move(wish.entry));
}

Round::Word Round::take_answer(std::uint32_t number, Response const& response) {
    auto& entry = log_.at(number);
    auto const verdict = judge(response, entry.expected_status);
    bool const no_funds =
        response.status == 402 && problem_code(response.body) == "insufficient_funds";
    // Had this key ended the hold before, it would say so again.
    bool const too_late = entry.expires && entry.deed != Deed::hold && response.status == 409 &&
                          problem_code(response.body) == "illegal_transition";
    bool const deserved = entry.deed == Deed::too_much ? no_funds : verdict == Verdict::accepted;
    if ((deserved && no_funds) || too_late) {
        entry.fate = Fate::refused;
        return Word::final;
    }
    if (deserved) {
        bool const same = log_.acknowledge(number, response.body);
        if (!same) changed_answers_ += 1;
        return Word::final;
    }
    if (verdict == Verdict::unclear) return Word::unknown;
    if (verdict == Verdict::refused) {
        // This attempt was not applied; whether an earlier one was, it does not say.
        if (entry.ever_unanswered) return Word::unknown;
        entry.fate = Fate::refused;
        return Word::final;
    }
    entry.fate = Fate::wrong;
    entry.answer = response.body;
    return Word::final;
}

// --------------------------------------------------------------------------------------- check

/// What a hot ledger has acknowledged is in no list before it is in PostgreSQL.
asio::awaitable<void> Round::come_home() {
    if (options_.scenario != "hot") co_return;
    auto const off = co_await ledgers_.come_home(client_);
    for (auto const& difference : off) note_difference(difference);
}

/// Until no hold is open that ends by itself, or for so long that one which is has been forgotten.
asio::awaitable<void> Round::await_expiry(std::uint32_t book) {
    if (trade_ == Trade::transfers) co_return;
    auto const give_up = steady_now() + expiry_max;
    auto const path =
        ledger_path(ledgers_.books(book).ledger()) + "/holds?status=pending&limit=200";
    std::string cursor;
    while (steady_now() < give_up) {
        auto const page = co_await client_.get_ok(path + cursor);
        bool open = false;
        for (auto const& hold : page.at("data").as_array())
            open = open || !hold.at("expires_at").is_null();
        auto const& next = page.at("next_cursor");
        if (!open && next.is_null()) co_return;
        if (open) {
            co_await reactor::sleep_until(steady_now() + expiry_pause);
        } else {
            cursor = "&cursor=" + std::string(next.as_string());
        }
    }
}

asio::awaitable<Traces> Round::read_traces(std::uint32_t book) {
    auto const path = ledger_path(ledgers_.books(book).ledger());
    Traces traces;
    co_await read_list(path + "/transfers?kind=transfer&limit=200", By::reference, traces);
    if (trade_ == Trade::shop)
        co_await read_list(path + "/purchases?limit=200", By::reference, traces);
    if (trade_ != Trade::transfers) {
        co_await read_list(path + "/transfers?kind=deposit&limit=200", By::reference, traces);
        co_await read_list(path + "/transfers?kind=capture&limit=200", By::captured_payee, traces);
        co_await read_list(path + "/holds?limit=200", By::payee, traces);
    }
    co_return traces;
}

asio::awaitable<void> Round::read_list(std::string path, By by, Traces& traces) {
    VisitRow const add = [&traces, by](boost::json::value const& row) {
        auto const& object = row.as_object();
        auto const* const name = object.if_contains(by == By::reference ? "reference" : "to");
        if (!name || !name->is_string()) return;
        std::string const known(name->get_string());
        auto& trace = traces[by == By::captured_payee ? Log::captures_of(known) : known];
        trace.effects += 1;
        trace.id = object.at("id").as_string();
        auto const* const status = object.if_contains("status");
        if (status && status->is_string()) trace.status = status->get_string();
    };
    co_await each_row(client_, path, add);
}

Round::Replay Round::compare(std::uint32_t number, Response const& response) {
    auto const& entry = log_.at(number);
    if (judge(response, entry.expected_status) == Verdict::unclear) return Replay::unclear;
    bool const same = response.status == entry.expected_status && response.replayed &&
                      response.body == entry.answer;
    if (same) return Replay::same;
    note_difference("replay of " + entry.answer + " is " + std::string(response.body));
    return Replay::different;
}

void Round::note_difference(std::string difference) {
    if (result_.off.size() < differences_max) result_.off.push_back(std::move(difference));
}

asio::awaitable<void> Round::compare_books() {
    for (std::uint32_t i = 0; i < log_.size(); ++i) {
        auto const& entry = log_.at(i);
        if (entry.fate != Fate::acknowledged) continue;
        // What is only held moves nothing.
        if (entry.deed == Deed::hold || entry.deed == Deed::void_hold) continue;
        auto& books = ledgers_.books(entry.posting.book);
        books.acknowledge(entry.posting);
        if (entry.deed != Deed::purchase) continue;
        books.acknowledge_legs(integer_member(entry.answer, "author_amount").value_or(0),
                               integer_member(entry.answer, "platform_amount").value_or(0));
    }
    auto const differences = co_await ledgers_.check(client_);
    for (auto const& difference : differences) note_difference(difference);
}

}  // namespace penstock::bench::chaos
