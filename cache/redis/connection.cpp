#include "cache/redis/connection.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "domain/assert.hpp"
#include "reactor/cancellation.hpp"
#include "reactor/deadline.hpp"
#include "reactor/turn.hpp"

namespace penstock::cache {
namespace {

using asio::ip::tcp;
using reactor::as_result;
using reactor::Promise;

constexpr std::size_t read_block = 64 << 10;

/// After a cancellation the next co_await would throw. The coroutines below run side by side, and
/// if all of them left by exception the group would throw something that nobody expects: so each
/// of them turns that off and looks at this instead.
asio::awaitable<asio::cancellation_state> own_cancellation() {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_return co_await asio::this_coro::cancellation_state;
}

}  // namespace

Connection::Connection(asio::any_io_executor executor, RedisAddress address,
                       ConnectionLimits limits, RandomSource random, RedisMetrics& metrics)
    : executor_(executor),
      address_(std::move(address)),
      limits_(limits),
      random_(std::move(random)),
      metrics_(metrics),
      socket_(executor),
      outbox_filled_(executor) {}

Connection::~Connection() { fail_all(); }

asio::awaitable<void> Connection::run() {
    auto const cancellation = co_await own_cancellation();
    reactor::Backoff backoff(limits_.backoff);
    while (!reactor::is_cancelled(cancellation)) {
        auto const connect_until = steady_now() + limits_.connect_max;
        auto const connected = co_await reactor::with_deadline(connect(), connect_until);
        auto const since = steady_now();
        // A cancellation that came with the last byte of the greeting: what is begun from here on
        // would never hear of it.
        bool const cancelled = reactor::is_cancelled(cancellation);
        if (connected && !cancelled) {
            went_up();
            co_await exchange();
            backoff.succeeded(std::chrono::duration_cast<milliseconds>(steady_now() - since));
        } else if (!connected) {
            metrics_.connect_failures.add();
            if (connected.error() == reactor::Errc::deadline_exceeded)
                complain("connect: no answer in time", connected.error());
        }
        went_down();
        if (reactor::is_cancelled(cancellation)) break;
        co_await reactor::sleep_until(steady_now() + backoff.next(random_()));
    }
}

asio::awaitable<Result<Reply>> Connection::execute(Command command, SteadyTime deadline,
                                                   milliseconds reply_max) {
    if (!up_) co_return Errc::unavailable;
    if (!takes(command)) co_return reactor::Errc::overloaded;
    auto const pending = std::make_shared<Pending>(executor_);
    send(command, pending);
    // From here on nothing of `this`: it may be gone when the reply comes.
    auto late_at = steady_now() + reply_max;
    for (;;) {
        auto reply = co_await pending->reply.wait(std::min(late_at, deadline));
        if (reply || reply.error() != reactor::Errc::deadline_exceeded) co_return reply;
        if (late_at >= deadline) co_return reply;
        co_await reactor::whole_turn();
        if (pending->reply.is_set()) continue;
        // Not even written by now: the socket takes nothing, which is Redis' doing.
        if (pending->written_at == never) co_return reply;
        late_at = pending->written_at + reply_max;
        if (late_at <= steady_now()) co_return reply;
    }
}

bool Connection::post(Command const& command) {
    if (!up_ || !takes(command)) return false;
    send(command, nullptr);
    metrics_.posted.add();
    return true;
}

bool Connection::takes(Command const& command) const {
    return in_flight_.size() < limits_.commands_max &&
           outbox_.size() + command.size() <= limits_.outbox_bytes_max;
}

void Connection::send(Command const& command, std::shared_ptr<Pending> pending) {
    PENSTOCK_ASSERT(command.gets_one_reply());
    if (outbox_.empty()) outbox_filled_.notify();
    command.encode(outbox_);
    ++unsent_;
    in_flight_.push_back({std::move(pending), steady_now()});
    metrics_.commands.add();
    metrics_.in_flight.set(in_flight_.size());
}

asio::awaitable<bool> Connection::up_before(SteadyTime deadline) {
    if (up_) co_return true;
    // Those who gave up are forgotten here, or a Redis that is away would collect them.
    std::erase_if(wait_for_up_, [](auto const& waiter) { return waiter.use_count() == 1; });
    auto const promise = std::make_shared<Promise<Done>>(executor_);
    wait_for_up_.push_back(promise);
    auto const result = co_await promise->wait(deadline);
    co_return result.has_value();
}

void Connection::reopen() {
    error_code ignored;
    socket_.close(ignored);  // the loops see operation_aborted and end the session
}

// ---- becoming connected ------------------------------------------------------------------------

asio::awaitable<Result<Connection::Done>> Connection::connect() {
    auto const cancellation = co_await own_cancellation();
    auto const where = co_await endpoints();
    if (!where) co_return complain("resolve: " + where.error().message(), where.error());
    error_code error = asio::error::host_not_found;
    for (auto const& endpoint : *where) {
        error_code ignored;
        socket_.close(ignored);
        auto const [failure] = co_await socket_.async_connect(endpoint, as_result);
        if (reactor::is_cancelled(cancellation)) co_return asio::error::operation_aborted;
        error = failure;
        if (!error) break;
    }
    if (error) co_return complain("connect: " + error.message(), error);
    error_code ignored;
    tcp::no_delay const at_once(true);
    if (address_.socket_path.empty()) socket_.set_option(at_once, ignored);
    error = co_await greet();
    if (error) co_return error;
    co_return Done();
}

asio::awaitable<Result<Connection::Endpoints>> Connection::endpoints() {
    if (!address_.socket_path.empty()) {
        asio::local::stream_protocol::endpoint const local(address_.socket_path);
        co_return Endpoints(1, local);
    }
    error_code not_numeric;
    auto const numeric = asio::ip::make_address(address_.host, not_numeric);
    if (!not_numeric) co_return Endpoints(1, tcp::endpoint(numeric, address_.port));
    co_return co_await look_up();
}

/// Asio's resolver does not end on cancellation, so its answer comes by way of a promise.
asio::awaitable<Result<Connection::Endpoints>> Connection::look_up() {
    auto const found = std::make_shared<Promise<Endpoints>>(executor_);
    tcp::resolver resolver(executor_);
    resolver.async_resolve(address_.host, std::to_string(address_.port),
                           [found](error_code error, tcp::resolver::results_type const& results) {
                               Endpoints all;
                               for (auto const& result : results) all.push_back(result.endpoint());
                               if (error) found->set(error);
                               found->set(std::move(all));
                           });
    co_return co_await found->wait(never);  // the deadline is that of connect()
}

/// Logs in, selects, and asks for one sign of life: a server that is still loading its data, or
/// that has too many clients, says so now.
asio::awaitable<error_code> Connection::greet() {
    auto const cancellation = co_await own_cancellation();
    reader_ = std::make_unique<ReplyReader>(limits_.reply);
    std::string greeting;
    auto awaited = encode_greeting(greeting);
    auto const [unsent, sent] =
        co_await asio::async_write(socket_, asio::buffer(greeting), as_result);
    if (unsent) co_return complain("login: " + unsent.message(), unsent);
    std::vector<char> block(read_block);
    while (awaited > 0) {
        if (reactor::is_cancelled(cancellation)) co_return asio::error::operation_aborted;
        auto const [error, n] = co_await socket_.async_read_some(asio::buffer(block), as_result);
        if (error) co_return complain("login: " + error.message(), error);
        reader_->feed({block.data(), n});
        for (; awaited > 0; --awaited) {
            auto const reply = reader_->next();
            if (!reply) co_return complain("login: " + reader_->complaint(), reply.error());
            if (!*reply) break;
            // Not being allowed to PING is an answer, too.
            bool const restricted = awaited == 1 && (*reply)->text.starts_with("NOPERM");
            if ((*reply)->is_error() && !restricted)
                co_return complain("login: " + (*reply)->text, Errc::refused_by_redis);
        }
    }
    co_return error_code();
}

/// How many replies it will get.
std::size_t Connection::encode_greeting(std::string& out) const {
    std::size_t commands = 1;
    if (!address_.password.empty()) {
        Command login("AUTH");
        if (!address_.user.empty()) login.add(address_.user);
        login.add(address_.password).encode(out);
        ++commands;
    }
    if (address_.database != 0) {
        Command("SELECT", address_.database).encode(out);
        ++commands;
    }
    Command("PING").encode(out);
    return commands;
}

// ---- while connected ---------------------------------------------------------------------------

asio::awaitable<void> Connection::exchange() {
    using namespace asio::experimental::awaitable_operators;
    co_await (read_loop() || write_loop() || watch_silence());
}

asio::awaitable<void> Connection::read_loop() {
    auto const cancellation = co_await own_cancellation();
    std::vector<char> block(read_block);
    for (;;) {
        // First what came with the last bytes of the greeting.
        if (!settle_replies()) co_return;
        auto const [error, n] = co_await socket_.async_read_some(asio::buffer(block), as_result);
        if (reactor::is_cancelled(cancellation)) co_return;
        if (error) {
            complain("read: " + error.message(), error);
            co_return;
        }
        reader_->feed({block.data(), n});
    }
}

/// False: what came is not what was asked for.
bool Connection::settle_replies() {
    for (;;) {
        auto reply = reader_->next();
        if (reply && !*reply) return true;
        if (!reply || in_flight_.empty()) {
            metrics_.drops_protocol.add();
            complain(reply ? "protocol: a reply that nobody asked for"
                           : "protocol: " + reader_->complaint(),
                     Errc::connection_lost);
            return false;
        }
        auto const waiting = std::move(in_flight_.front());
        in_flight_.pop_front();
        last_reply_at_ = steady_now();
        metrics_.round_trip.record(last_reply_at_ - waiting.since);
        metrics_.in_flight.set(in_flight_.size());
        if (!waiting.pending) {
            if ((*reply)->is_error()) metrics_.posted_refused.add();
            continue;
        }
        if (waiting.pending.use_count() == 1) metrics_.abandoned.add();
        waiting.pending->reply.set(std::move(**reply));
    }
}

/// Whatever was asked within one turn of the loop leaves in one write.
asio::awaitable<void> Connection::write_loop() {
    auto const cancellation = co_await own_cancellation();
    for (;;) {
        while (outbox_.empty()) {
            bool const awake = co_await outbox_filled_.wait();
            if (!awake) co_return;
        }
        sending_.clear();
        sending_.swap(outbox_);
        note_write();
        auto const [error, n] =
            co_await asio::async_write(socket_, asio::buffer(sending_), as_result);
        if (error || reactor::is_cancelled(cancellation)) co_return;
    }
}

/// What was in the outbox is being written.
void Connection::note_write() {
    auto const now = steady_now();
    for (auto one = in_flight_.rbegin(); unsent_ > 0; ++one, --unsent_) {
        // Redis owes nothing for what a busy event loop had not got round to sending.
        one->since = now;
        if (one->pending) one->pending->written_at = now;
    }
}

/// Ends when a reply has been owed for response_max and none came, of whatever command.
asio::awaitable<void> Connection::watch_silence() {
    auto const cancellation = co_await own_cancellation();
    for (;;) {
        auto const until = silent_at();
        if (until <= steady_now()) {
            metrics_.drops_silent.add();
            complain("no reply in time", Errc::connection_lost);
            co_return;
        }
        co_await reactor::sleep_until(until);
        if (reactor::is_cancelled(cancellation)) co_return;
    }
}

SteadyTime Connection::silent_at() const {
    if (in_flight_.empty()) return steady_now() + limits_.response_max;
    return std::max(in_flight_.front().since, last_reply_at_) + limits_.response_max;
}

// ---- going up and down -------------------------------------------------------------------------

void Connection::went_up() {
    PENSTOCK_ASSERT(in_flight_.empty() && outbox_.empty());
    up_ = true;
    metrics_.up.set(1);
    if (metrics_.connects.get() > 0) metrics_.reconnects.add();
    metrics_.connects.add();
    for (auto const& promise : std::exchange(wait_for_up_, {})) promise->set(Done());
}

void Connection::went_down() {
    if (up_) metrics_.drops.add();
    up_ = false;
    metrics_.up.set(0);
    error_code ignored;
    socket_.close(ignored);
    fail_all();
}

/// The commands that never reached the socket did not happen; the others may have.
void Connection::fail_all() {
    while (!in_flight_.empty()) {
        bool const sent = in_flight_.size() > unsent_;
        auto const waiting = std::move(in_flight_.front());
        in_flight_.pop_front();
        if (!waiting.pending) continue;
        waiting.pending->reply.set(
            make_error_code(sent ? Errc::connection_lost : Errc::unavailable));
    }
    unsent_ = 0;
    outbox_.clear();
    sending_.clear();
    metrics_.in_flight.set(0);
}

error_code Connection::complain(std::string complaint, error_code code) {
    complaint_ = std::move(complaint);
    return code;
}

}  // namespace penstock::cache
