#include "db/pg/connection.hpp"

#include <libpq-fe.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <optional>
#include <utility>

#include "db/pg/result_failure.hpp"
#include "domain/assert.hpp"

namespace penstock::db::pg {
namespace {

constexpr std::size_t params_max = 65'535;  // the protocol counts them in 16 bits

enum class Purpose { work, prepare, rollback };

std::vector<Oid> types_of(Params const& params) {
    std::vector<Oid> types;
    for (std::size_t i = 0; i < params.size(); ++i) types.push_back(params[i].type);
    return types;
}

/// libpq's parallel arrays for one set of parameters.
struct ParamArrays {
    explicit ParamArrays(Params const& params) {
        PENSTOCK_ASSERT(params.size() <= params_max);
        for (std::size_t i = 0; i < params.size(); ++i) {
            auto const item = params[i];
            values.push_back(item.data);
            lengths.push_back(static_cast<int>(item.length));
        }
        formats.assign(params.size(), 1);
    }
    std::vector<char const*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
};

}  // namespace

class Connection::Pending {
public:
    Pending(asio::any_io_executor executor, Purpose for_what, std::vector<Statement const*> what)
        : purpose(for_what),
          statements(std::move(what)),
          since(steady_now()),
          answer(std::move(executor)) {}

    Statement const& current() const { return *statements.at(position); }

    Purpose purpose;
    std::vector<Statement const*> statements;
    bool commits = false;
    bool abandoned = false;
    SteadyTime since;
    std::size_t position = 0;  ///< the statement whose result comes next
    bool answered = false;     ///< that statement's result is in, its NULL is not
    std::vector<Rows> rows;
    std::optional<Failure> failure;  ///< the first one
    reactor::Promise<SegmentAnswer> answer;
};

/// What this connection knows of a statement. `name` is a copy for libpq's C strings; the map's
/// key views the Statement's literal.
struct Connection::Prepared {
    enum class State { asked, ready, failed };
    std::string name;
    std::vector<Oid> types;
    State state = State::asked;
    Failure failure;  ///< of the last attempt that failed
};

Connection::Connection(asio::any_io_executor executor, ConnectionHandle dialled,
                       ConnectionOptions const& options, SessionMetrics& metrics)
    : options_(options),
      metrics_(metrics),
      connection_(std::move(dialled)),
      socket_(executor),
      written_(executor),
      executor_(executor) {
    PENSTOCK_ASSERT(connection_ != nullptr);
    PENSTOCK_ASSERT(PQsetnonblocking(connection_.get(), 1) == 0);
    PENSTOCK_ASSERT(PQenterPipelineMode(connection_.get()) == 1);
    PQsetNoticeReceiver(connection_.get(), on_notice, this);
    socket_.track(PQsocket(connection_.get()));
}

Connection::~Connection() {
    lose(failure_of(Errc::connection_lost, "closed"));
    fail_all();
}

asio::awaitable<void> Connection::run() {
    using namespace asio::experimental::awaitable_operators;
    co_await (read_loop() || write_loop() || watch_loop());
    lose(failure_of(Errc::connection_lost, "closed"));
    fail_all();
}

Answer<std::shared_ptr<Connection::Pending>> Connection::send(Segment const& segment) {
    PENSTOCK_ASSERT(!segment.empty());
    if (lost_) {
        Failure failure = reason_;
        failure.code = Errc::connection_lost;
        return failure;
    }
    if (in_flight_.size() >= options_.segments_max) {
        metrics_.refused.add();
        return failure_of(reactor::Errc::overloaded, "too many segments in flight");
    }
    bool sent = true;
    for (auto const& step : segment.steps()) sent = sent && prepare(step);
    std::vector<Statement const*> statements;
    for (auto const& step : segment.steps()) statements.push_back(step.statement);
    auto const pending =
        enqueue(std::make_shared<Pending>(executor_, Purpose::work, std::move(statements)));
    pending->commits = segment.commits();
    for (auto const& step : segment.steps()) sent = sent && send_step(step);
    sent = sent && send_sync();
    if (!sent) lose(failure_of(Errc::connection_lost, last_words(connection_.get())));
    metrics_.segments.add();
    metrics_.statements.add(segment.size());
    push();
    return pending;
}

asio::awaitable<SegmentAnswer> Connection::receive(std::shared_ptr<Pending> pending,
                                                   SteadyTime deadline) {
    auto answer = co_await pending->answer.wait(deadline);
    if (answer) co_return std::move(*answer);
    pending->abandoned = true;
    if (pending->commits)
        co_return failure_of(Errc::commit_unknown, "COMMIT was not answered in time");
    co_return failure_of(answer.error(), "the answer was abandoned");
}

void Connection::drop(std::string reason) {
    lose(failure_of(Errc::connection_lost, std::move(reason)));
}

asio::awaitable<void> Connection::read_loop() {
    for (;;) {
        // What libpq has already read wakes nobody: deliver first, then wait.
        deliver_results();
        if (lost_) co_return;
        auto const error = co_await socket_.readable();
        if (error || lost_) co_return;  // cancelled, or the descriptor was forgotten
        bool const alive = PQconsumeInput(connection_.get()) == 1;
        if (alive) continue;
        // libpq closes its socket when the server is gone: forget it in the same breath.
        socket_.track(PQsocket(connection_.get()));
        deliver_results();  // the server's last words
        lose(failure_of(Errc::connection_lost, last_words(connection_.get())));
    }
}

asio::awaitable<void> Connection::write_loop() {
    for (;;) {
        bool const awake = co_await written_.wait();
        if (!awake || lost_) co_return;
        for (;;) {
            int const left = PQflush(connection_.get());
            // A full socket makes libpq read while it writes, and what it has read wakes nobody.
            deliver_results();
            if (left < 0) lose(failure_of(Errc::connection_lost, last_words(connection_.get())));
            if (lost_) co_return;
            if (left == 0) break;
            auto const error = co_await socket_.writable();
            if (error || lost_) co_return;
        }
    }
}

/// Looks a few times per response_max, so that a segment costs no timer.
asio::awaitable<void> Connection::watch_loop() {
    reactor::Pulse tick(executor_);
    for (;;) {
        bool const awake = co_await tick.wait(steady_now() + options_.response_max / 4);
        if (!awake || lost_) co_return;
        if (in_flight_.empty() || steady_now() < head_since_ + options_.response_max) continue;
        metrics_.stuck.add();
        lose(failure_of(Errc::connection_lost, "no answer within response_max"));
    }
}

/// Makes the server know the statement, under a Sync of its own.
bool Connection::prepare(Segment::Step const& step) {
    auto const& statement = *step.statement;
    auto types = types_of(step.params);
    auto [entry, is_new] = prepared_.try_emplace(statement.name);
    auto& prepared = entry->second;
    if (is_new) {
        prepared.name = statement.name;
        prepared.types = std::move(types);
    } else {
        PENSTOCK_ASSERT(prepared.types == types);
        if (prepared.state != Prepared::State::failed) return true;
        prepared.state = Prepared::State::asked;
    }
    std::vector<Statement const*> what{&statement};
    enqueue(std::make_shared<Pending>(executor_, Purpose::prepare, std::move(what)));
    metrics_.prepared.add();
    std::string const text(statement.text);
    auto const count = static_cast<int>(prepared.types.size());
    return PQsendPrepare(connection_.get(), prepared.name.c_str(), text.c_str(), count,
                         prepared.types.data()) == 1 &&
           send_sync();
}

bool Connection::send_step(Segment::Step const& step) {
    ParamArrays const arrays(step.params);
    auto const& prepared = prepared_.at(step.statement->name);
    int const binary = 1;
    return PQsendQueryPrepared(connection_.get(), prepared.name.c_str(),
                               static_cast<int>(arrays.values.size()), arrays.values.data(),
                               arrays.lengths.data(), arrays.formats.data(), binary) == 1;
}

bool Connection::send_sync() { return PQpipelineSync(connection_.get()) == 1; }

/// Writes what the socket takes now; the write loop does the rest.
void Connection::push() {
    if (lost_) return;
    if (PQflush(connection_.get()) != 0) written_.notify();
}

std::shared_ptr<Connection::Pending> Connection::enqueue(std::shared_ptr<Pending> pending) {
    if (in_flight_.empty()) head_since_ = steady_now();
    in_flight_.push_back(pending);
    metrics_.depth.set(in_flight_.size());
    return pending;
}

void Connection::send_rollback() {
    std::vector<Statement const*> what{&pg::rollback};
    enqueue(std::make_shared<Pending>(executor_, Purpose::rollback, std::move(what)));
    bool const sent = PQsendQueryParams(connection_.get(), "ROLLBACK", 0, nullptr, nullptr, nullptr,
                                        nullptr, 1) == 1 &&
                      send_sync();
    if (!sent) lose(failure_of(Errc::connection_lost, last_words(connection_.get())));
    push();
}

void Connection::deliver_results() {
    while (!lost_ && PQisBusy(connection_.get()) == 0) {
        PGresult* const result = PQgetResult(connection_.get());
        if (result != nullptr) {
            nulls_ = 0;
            on_result(Rows(result), result);
            continue;
        }
        if (in_flight_.empty()) break;
        // A dead server's connection answers NULL for ever and never a Sync.
        if (++nulls_ == 2) lose(failure_of(Errc::connection_lost, last_words(connection_.get())));
        on_end_of_statement();
    }
    if (PQstatus(connection_.get()) == CONNECTION_BAD)
        lose(failure_of(Errc::connection_lost, last_words(connection_.get())));
}

/// To an idle client the server's farewell comes as a notice. Runs inside libpq: only stores.
void Connection::on_notice(void* self, PGresult const* notice) {
    auto failure = failure_of(notice);
    if (failure.code != Errc::connection_lost || failure.sqlstate.empty()) return;
    auto& farewell = static_cast<Connection*>(self)->farewell_;
    if (!farewell) farewell = std::move(failure);
}

void Connection::on_result(Rows rows, PGresult const* result) {
    auto const status = PQresultStatus(result);
    bool const good =
        status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
    std::optional<Failure> failure;
    if (!good && status != PGRES_PIPELINE_SYNC && status != PGRES_PIPELINE_ABORTED)
        failure = failure_of(result);
    // The server's last words before it ends the session say more than the broken pipe after it.
    if (failure && failure->code == Errc::connection_lost && !farewell_) farewell_ = failure;
    if (in_flight_.empty()) return;
    if (status == PGRES_PIPELINE_SYNC) return on_sync();
    auto& pending = *in_flight_.front();
    if (pending.position == pending.statements.size() || pending.answered)
        return lose(failure_of(Errc::connection_lost, "an answer that nobody asked for"));
    pending.answered = true;
    // COMMIT of a transaction that had failed rolls back, and the server calls that a success.
    if (good && pending.current().name == commit.name && rows.tag() == "ROLLBACK")
        failure = failure_of(Errc::retry_transaction, "COMMIT rolled back");
    if (good && !failure) pending.rows.push_back(std::move(rows));
    if (!failure || pending.failure) return;
    failure->statement_index = pending.position;
    failure->statement = pending.current().name;
    pending.failure = std::move(failure);
}

void Connection::on_end_of_statement() {
    auto& pending = *in_flight_.front();
    if (!pending.answered) return;  // a stray NULL; a second one ends the connection
    pending.answered = false;
    ++pending.position;
}

void Connection::on_sync() {
    auto const pending = in_flight_.front();
    if (pending->position != pending->statements.size())
        return lose(failure_of(Errc::connection_lost, "a Sync before the last answer"));
    in_flight_.pop_front();
    auto const now = steady_now();
    head_since_ = now;
    metrics_.depth.set(in_flight_.size());
    metrics_.round_trip.record(now - pending->since);
    if (pending->purpose == Purpose::prepare) return note_prepared(*pending);
    leave_no_transaction(*pending);
    if (pending->purpose == Purpose::work) settle(*pending);
}

void Connection::settle(Pending& pending) {
    if (pending.abandoned) metrics_.abandoned.add();
    if (!pending.failure) return pending.answer.set(SegmentAnswer(std::move(pending.rows)));
    metrics_.failed.add();
    auto& failure = *pending.failure;
    explain(failure);
    bool const useless = wants_new_connection(failure.sqlstate);
    if (useless) lose(failure);
    pending.answer.set(SegmentAnswer(std::move(failure)));
}

void Connection::note_prepared(Pending const& pending) {
    auto& prepared = prepared_.at(pending.statements.front()->name);
    if (pending.failure) {
        prepared.state = Prepared::State::failed;
        prepared.failure = *pending.failure;
    } else {
        prepared.state = Prepared::State::ready;
    }
}

/// "The prepared statement does not exist" says nothing when preparing it has failed a moment
/// ago: then that is the failure.
void Connection::explain(Failure& failure) const {
    if (failure.sqlstate != "26000") return;
    auto const found = prepared_.find(failure.statement);
    if (found == prepared_.end() || found->second.state != Prepared::State::failed) return;
    auto const index = failure.statement_index;
    failure = found->second.failure;
    failure.statement_index = index;
}

/// A failed or abandoned segment of an explicit transaction leaves it open, and nobody else will
/// close it. Whether one is open is only known when nothing is in flight; if something is, its
/// sender is still there.
void Connection::leave_no_transaction(Pending const& pending) {
    if (lost_ || !in_flight_.empty()) return;
    auto const status = PQtransactionStatus(connection_.get());
    bool const failed = status == PQTRANS_INERROR;
    bool const orphaned = status == PQTRANS_INTRANS && pending.abandoned;
    if (failed || orphaned) send_rollback();
}

void Connection::lose(Failure reason) {
    if (lost_) return;
    lost_ = true;
    if (farewell_) reason = *farewell_;
    reason.message = options_.address.scrubbed(std::move(reason.message));
    reason_ = std::move(reason);
    socket_.forget();  // ends the loops that wait on it
    written_.notify();
}

void Connection::fail_all() {
    PENSTOCK_ASSERT(lost_);
    for (auto const& pending : std::exchange(in_flight_, {})) {
        if (pending->purpose != Purpose::work) continue;
        Failure failure = reason_;
        failure.code = pending->commits ? Errc::commit_unknown : Errc::connection_lost;
        metrics_.lost.add();
        pending->answer.set(SegmentAnswer(std::move(failure)));
    }
    metrics_.depth.set(0);
}

}  // namespace penstock::db::pg
