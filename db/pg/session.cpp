#include "db/pg/session.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "reactor/cancellation.hpp"
#include "reactor/deadline.hpp"

namespace penstock::db::pg {

Session::Session(asio::any_io_executor executor, ConnectionOptions options,
                 reactor::BackoffLimits backoff, Observer observer)
    : executor_(executor),
      options_(std::move(options)),
      backoff_(backoff),
      observer_(std::move(observer)),
      random_(std::random_device{}()),
      last_failure_(failure_of(Errc::connection_lost, "not connected yet")),
      came_up_(executor) {}

Session::~Session() = default;

asio::awaitable<void> Session::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    for (;;) {
        auto dialled = co_await dial(options_, steady_now() + options_.connect_max);
        if (reactor::is_cancelled(cancellation)) co_return;
        if (dialled) {
            co_await live(std::move(*dialled));
        } else {
            metrics_.connect_failures.add();
            last_failure_ = std::move(dialled.error());
        }
        if (reactor::is_cancelled(cancellation)) co_return;
        bool const rested = co_await pause();
        if (!rested) co_return;
    }
}

asio::awaitable<SegmentAnswer> Session::execute(Segment segment, SteadyTime deadline) {
    if (!up()) {
        Failure failure = last_failure_;
        failure.code = Errc::connection_lost;
        co_return failure;
    }
    auto sent = connection_->send(segment);
    if (!sent) co_return sent.error();
    // From here on the answer is all that is needed: the connection may go.
    co_return co_await Connection::receive(std::move(*sent), deadline);
}

asio::awaitable<bool> Session::ready(SteadyTime deadline) {
    for (;;) {
        if (up()) co_return true;
        bool const woken = co_await came_up_.wait(deadline);
        if (!woken) co_return up();
    }
}

bool Session::up() const { return connection_ != nullptr && connection_->alive(); }

std::size_t Session::depth() const { return connection_ ? connection_->depth() : 0; }

void Session::drop(std::string reason) {
    if (connection_) connection_->drop(std::move(reason));
}

asio::awaitable<void> Session::live(ConnectionHandle dialled) {
    auto const since = steady_now();
    connection_ = std::make_unique<Connection>(executor_, std::move(dialled), options_, metrics_);
    ++life_;
    metrics_.connects.add();
    metrics_.up.set(1);
    if (observer_) observer_(SessionEvent{true, nullptr, milliseconds{0}});
    came_up_.notify_all();
    co_await connection_->run();
    metrics_.up.set(0);
    last_failure_ = connection_->reason();
    connection_.reset();
    backoff_.succeeded(std::chrono::duration_cast<milliseconds>(steady_now() - since));
}

/// False: cancelled.
asio::awaitable<bool> Session::pause() {
    auto const rest = backoff_.next(static_cast<std::uint32_t>(random_()));
    if (observer_) observer_(SessionEvent{false, &last_failure_, rest});
    co_return co_await reactor::sleep_until(steady_now() + rest);
}

asio::awaitable<SegmentAnswer> Lease::execute(Segment segment, SteadyTime deadline) {
    if (session_->life_ != life_) {
        Failure failure = session_->last_failure_;
        failure.code = Errc::connection_lost;
        co_return failure;
    }
    co_return co_await session_->execute(std::move(segment), deadline);
}

void Lease::drop(std::string reason) {
    if (session_->life_ == life_) session_->drop(std::move(reason));
}

}  // namespace penstock::db::pg
