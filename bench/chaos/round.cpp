#include "bench/chaos/round.hpp"

#include <algorithm>

#include "bench/ledger_view.hpp"
#include "bench/verdict.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"

namespace penstock::bench::chaos {
namespace {

constexpr unsigned ledgers_count = 2;
constexpr unsigned accounts_count = 40;
/// Of a hundred requests on a ledger with purchases, and on one without.
constexpr std::uint64_t refunds_share = 12;
constexpr std::uint64_t transfers_share = 20;
constexpr std::uint64_t too_much_share = 8;

constexpr std::size_t entries_max = 100'000;  ///< then the load waits for the end of the round
constexpr std::size_t replays_max = 1000;
constexpr std::size_t list_pages_max = 2000;
constexpr std::size_t differences_max = 10;
constexpr milliseconds between_attempts{10};
constexpr milliseconds after_loss{50};
constexpr std::chrono::seconds verdict_max{60};  ///< a key without one for so long is a fault
constexpr std::uint64_t calm_ms = 900;           ///< before a blow and after the last, at most
constexpr milliseconds calm_least{200};

Options funded(Options options) {
    options.ledgers = ledgers_count;
    options.accounts = accounts_count;
    options.pattern = Pattern::uniform;
    return options;
}

}  // namespace

struct Round::Worker {
    std::vector<std::unique_ptr<Connection>> connections;  ///< one to each server
    std::size_t home = 0;
    bool patient = false;  ///< its next lost request is asked about at once
};

Round::Round(asio::any_io_executor executor, Sweeper& sweeper, Stage& stage, Options const& options,
             std::string name, std::uint64_t seed)
    : executor_(executor),
      stage_(stage),
      options_(options),
      random_(seed),
      keys_(entropy()),
      ledgers_(std::move(name), funded(options)),
      client_(executor, sweeper, stage.servers().front().endpoint, stage.servers().front().target,
              entropy()) {
    for (unsigned i = 0; i < options.connections; ++i) {
        auto worker = std::make_unique<Worker>();
        worker->home = i;
        worker->patient = i % 2 == 0;
        for (auto const& server : stage.servers()) {
            worker->connections.push_back(
                std::make_unique<Connection>(executor, sweeper, server.endpoint));
        }
        workers_.push_back(std::move(worker));
    }
}

Round::~Round() = default;

asio::awaitable<RoundResult> Round::play() {
    co_await ledgers_.setup(client_);
    co_await load();
    co_await resolve();
    for (std::uint32_t book = 0; book < ledgers_count; ++book) {
        auto const traces = co_await read_traces(book);
        result_.judgement.add(log_.judge(traces, book));
    }
    co_await replay();
    co_await compare_books();
    co_return std::move(result_);
}

// ---------------------------------------------------------------------------------------- load

asio::awaitable<void> Round::load() {
    reactor::TaskGroup group(executor_);
    for (auto const& worker : workers_) group.spawn(drive(*worker));
    std::exception_ptr failure;
    try {
        co_await attack();
    } catch (Unusable const&) {
        failure = std::current_exception();
    }
    stopping_ = true;
    co_await group.join();
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> Round::attack() {
    auto const blows = 1 + random_.below(2);
    for (std::uint64_t i = 0; i <= blows; ++i) {
        auto const calm = calm_least + milliseconds(random_.below(calm_ms));
        co_await reactor::sleep_until(steady_now() + calm);
        if (i < blows) co_await stage_.strike();
    }
}

asio::awaitable<void> Round::drive(Worker& worker) {
    auto const persistence = worker.patient ? Persistence::until_known : Persistence::may_leave;
    while (!stopping_ && log_.size() < entries_max) {
        auto const number = think_of_one();
        co_await carry(worker, number, persistence);
        if (log_.at(number).fate == Fate::unanswered) {
            co_await reactor::sleep_until(steady_now() + after_loss);
        }
    }
}

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

asio::awaitable<void> Round::carry(Worker& worker, std::uint32_t number, Persistence persistence) {
    auto const started = steady_now();
    std::optional<SteadyTime> lost;
    std::optional<SteadyTime> answered;
    for (std::size_t attempt = 0; steady_now() < started + verdict_max; ++attempt) {
        auto& connection = *worker.connections[(worker.home + attempt) % worker.connections.size()];
        // Not the entry's own bytes: the log grows, and moves, while the answer is on its way.
        std::string const request = log_.at(number).request;
        auto const deadline = steady_now() + options_.timeout;
        auto const end = co_await connection.exchange(request, deadline);
        result_.sent += 1;
        auto const word = take_answer(connection, number, end);
        auto const now = steady_now();
        if (lost && end == End::answered && !answered) answered = now;
        if (word == Word::final) {
            if (lost) result_.unusable = std::max(result_.unusable, now - *lost);
            if (answered) {
                result_.unusable_while_answered =
                    std::max(result_.unusable_while_answered, now - *answered);
            }
            co_return;
        }
        log_.at(number).ever_unanswered = true;
        if (persistence == Persistence::may_leave) co_return;
        if (!lost) lost = now;
        co_await reactor::sleep_until(now + between_attempts);
    }
}

Round::Word Round::take_answer(Connection const& connection, std::uint32_t number, End end) {
    if (end != End::answered) return Word::unknown;
    auto& entry = log_.at(number);
    auto const& response = connection.response();
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
        if (!same) result_.replays_different += 1;
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

asio::awaitable<void> Round::resolve() {
    queue_ = log_.with_fate(Fate::unanswered);
    reactor::TaskGroup group(executor_);
    for (auto const& worker : workers_) group.spawn(resolve_some(*worker));
    co_await group.join();
}

asio::awaitable<void> Round::resolve_some(Worker& worker) {
    while (!queue_.empty()) {
        auto const number = queue_.back();
        queue_.pop_back();
        co_await carry(worker, number, Persistence::until_known);
    }
}

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
    std::string cursor;
    for (std::size_t page = 0; page < list_pages_max; ++page) {
        std::string const page_path = cursor.empty() ? path : path + "&cursor=" + cursor;
        auto const rows = co_await client_.get_ok(page_path);
        for (auto const& row : rows.at("data").as_array()) {
            auto const& object = row.as_object();
            auto const* const reference = object.if_contains("reference");
            if (!reference || !reference->is_string()) continue;
            auto& trace = traces[std::string(reference->get_string())];
            trace.effects += 1;
            trace.id = object.at("id").as_string();
            auto const* const status = object.if_contains("status");
            if (status && status->is_string()) trace.status = status->get_string();
        }
        auto const& next = rows.at("next_cursor");
        if (next.is_null()) co_return;
        cursor = std::string(next.as_string());
    }
    throw Unusable(path + " has more pages than were written");
}

asio::awaitable<void> Round::replay() {
    queue_ = log_.with_fate(Fate::acknowledged);
    while (queue_.size() > replays_max) {
        std::swap(queue_[random_.below(queue_.size())], queue_.back());
        queue_.pop_back();
    }
    reactor::TaskGroup group(executor_);
    for (auto const& worker : workers_) group.spawn(replay_some(*worker));
    co_await group.join();
}

asio::awaitable<void> Round::replay_some(Worker& worker) {
    while (!queue_.empty()) {
        auto const number = queue_.back();
        queue_.pop_back();
        auto& connection = *worker.connections[worker.home % worker.connections.size()];
        auto const& entry = log_.at(number);
        auto const deadline = steady_now() + options_.timeout;
        auto const end = co_await connection.exchange(entry.request, deadline);
        if (end != End::answered) continue;
        auto const& response = connection.response();
        if (judge(response, entry.expected_status) == Verdict::unclear) continue;
        result_.replays_compared += 1;
        bool const same = response.status == entry.expected_status && response.replayed &&
                          response.body == entry.answer;
        if (same) continue;
        result_.replays_different += 1;
        if (result_.off.size() >= differences_max) continue;
        result_.off.push_back("replay of " + entry.answer + " is " + std::string(response.body));
    }
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
    for (auto const& difference : differences) {
        if (result_.off.size() < differences_max) result_.off.push_back(difference);
    }
}

}  // namespace penstock::bench::chaos
