#include "bench/chaos/round.hpp"

#include "bench/ledger_view.hpp"
#include "bench/pages.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench::chaos {
namespace {

constexpr unsigned ledgers_count = 2;
constexpr unsigned accounts_count = 40;
/// Of a hundred requests on a ledger with purchases, and on one without.
constexpr std::uint64_t refunds_share = 12;
constexpr std::uint64_t transfers_share = 20;
constexpr std::uint64_t too_much_share = 8;

constexpr std::size_t entries_max = 100'000;  ///< then the load waits for the end of the round
constexpr std::size_t differences_max = 10;

Options funded(Options options) {
    options.ledgers = ledgers_count;
    options.accounts = accounts_count;
    options.pattern = Pattern::uniform;
    return options;
}

}  // namespace

Round::Round(asio::any_io_executor executor, Sweeper& sweeper, Stage& stage, Options const& options,
             std::string name, std::uint64_t seed)
    : stage_(stage),
      options_(options),
      random_(seed),
      keys_(entropy()),
      ledgers_(std::move(name), funded(options)),
      client_(executor, sweeper, stage.servers().front().endpoint, stage.servers().front().target,
              entropy()),
      crew_(executor, sweeper, stage, options, *this) {}

asio::awaitable<RoundResult> Round::play() {
    co_await ledgers_.setup(client_);
    co_await crew_.load(stage_, steady_now());
    co_await crew_.resolve(log_.with_fate(Fate::unanswered));
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
    auto const dice = random_.below(100);
    bool const purchases = options_.scenario == "purchases";
    Entry entry;
    std::optional<std::uint32_t> refunded;
    bool const wants_refund = dice >= too_much_share && dice < too_much_share + refunds_share;
    if (purchases && wants_refund) refunded = log_.take_refundable(random_);
    auto const number = static_cast<std::uint32_t>(log_.size());
    entry.posting = ledgers_.choose();
    auto const& books = ledgers_.books(entry.posting.book);
    std::string body;
    std::string route = "/transfers";
    if (refunded) {
        auto const& sold = log_.at(*refunded);
        entry.deed = Deed::refund;
        entry.refunds = *refunded;
        entry.posting = sold.posting;
        std::swap(entry.posting.from, entry.posting.to);
        entry.posting.kind = Kind::refund;
        entry.expected_status = 200;
        route = "/purchases/" + std::string(text_member(sold.answer, "id")) + "/refund";
        body = "{}";
    } else if (!purchases || dice < too_much_share + refunds_share + transfers_share) {
        append_transfer(body, books, entry.posting);
    } else {
        entry.deed = Deed::purchase;
        entry.posting.kind = Kind::purchase;
        append_purchase(body, books, entry.posting);
        route = "/purchases";
    }
    if (dice < too_much_share) {
        entry.deed = Deed::too_much;
        body = R"({"from":"pauper","to":")" + books.address(entry.posting.to) + R"(","amount":1})";
    }
    write(entry, number, route, std::move(body));
    return log_.begin(std::move(entry));
}

void Round::write(Entry& entry, std::uint32_t number, std::string const& route, std::string body) {
    body.pop_back();
    if (entry.deed != Deed::refund) body += R"(,"reference":")" + Log::reference_of(number) + '"';
    body += '}';
    auto const path = ledger_path(ledgers_.books(entry.posting.book).ledger()) + route;
    PostRoute const post(stage_.servers().front().target, path);
    post.write(entry.request, body, keys_);
}

Round::Word Round::take_answer(std::uint32_t number, Response const& response) {
    auto& entry = log_.at(number);
    auto const verdict = judge(response, entry.expected_status);
    bool const no_funds =
        response.status == 402 && problem_code(response.body) == "insufficient_funds";
    bool const deserved = entry.deed == Deed::too_much ? no_funds : verdict == Verdict::accepted;
    if (deserved && no_funds) {
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

asio::awaitable<Traces> Round::read_traces(std::uint32_t book) {
    auto const path = ledger_path(ledgers_.books(book).ledger());
    Traces traces;
    co_await read_list(path + "/transfers?kind=transfer&limit=200", traces);
    if (options_.scenario == "purchases") {
        co_await read_list(path + "/purchases?limit=200", traces);
    }
    co_return traces;
}

asio::awaitable<void> Round::read_list(std::string path, Traces& traces) {
    VisitRow const add = [&traces](boost::json::value const& row) {
        auto const& object = row.as_object();
        auto const* const reference = object.if_contains("reference");
        if (!reference || !reference->is_string()) return;
        auto& trace = traces[std::string(reference->get_string())];
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
