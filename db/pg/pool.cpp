#include "db/pg/pool.hpp"

#include <algorithm>
#include <utility>

#include "domain/assert.hpp"
#include "reactor/until_cancelled.hpp"

namespace penstock::db::pg {

Pool::Pool(asio::any_io_executor executor, ConnectionOptions options, std::size_t size,
           reactor::BackoffLimits backoff, Session::Observer observer)
    : executor_(executor),
      ready_max_(options.ready_max),
      segments_max_(options.segments_max),
      came_up_(executor),
      line_(executor, reads_waiting_max) {
    PENSTOCK_ASSERT(size > 0);
    auto relay = [this, observer](SessionEvent const& event) {
        if (event.up) came_up_.notify_all();
        line_.open_to(capacity());
        if (observer) observer(event);
    };
    // The line lets segments_max in. On the connection there are besides what prepares statements,
    // and what was given up at its deadline.
    options.segments_max *= 2;
    for (std::size_t i = 0; i < size; ++i)
        sessions_.push_back(std::make_unique<Session>(executor, options, backoff, relay));
}

Pool::~Pool() = default;

asio::awaitable<void> Pool::run() {
    reactor::TaskGroup lives(executor_);
    for (auto const& session : sessions_) lives.spawn(session->run());
    co_await reactor::until_cancelled(lives);
}

asio::awaitable<Result<Rows>> Pool::query(Statement const& statement, Params params,
                                          SteadyTime deadline) {
    Segment segment;
    segment.add(statement, std::move(params));
    auto answer = co_await read(std::move(segment), deadline);
    if (!answer) co_return answer.error().code;
    co_return std::move(answer->front());
}

asio::awaitable<SegmentAnswer> Pool::read(Segment segment, SteadyTime deadline) {
    for (int attempt = 1;; ++attempt) {
        error_code error;
        // The common case needs neither a coroutine nor a look at the clock.
        bool const at_once = up() && line_.enter_at_once();
        if (!at_once) error = co_await enter(std::min(deadline, steady_now() + ready_max_));
        if (error) co_return failure_of(error, "no connection was free for reading");
        auto answer = co_await least_loaded()->execute(segment, deadline);
        line_.leave();
        bool const lost = !answer && answer.error().code == Errc::connection_lost;
        if (!lost || attempt == 2) co_return answer;
    }
}

asio::awaitable<error_code> Pool::enter(SteadyTime deadline) {
    for (;;) {
        bool const connected = co_await ready(deadline);
        if (!connected) co_return Errc::unavailable;
        auto error = co_await line_.enter(deadline);
        bool const is_late = error == reactor::Errc::deadline_exceeded;
        if (is_late && up()) co_return reactor::Errc::overloaded;
        if (is_late) co_return Errc::unavailable;
        if (error || up()) co_return error;
        // The last connection went down in the turn that let this read in.
        line_.leave();
    }
}

asio::awaitable<bool> Pool::ready(SteadyTime deadline) {
    for (;;) {
        if (up()) co_return true;
        bool const woken = co_await came_up_.wait(deadline);
        if (!woken) co_return up();
    }
}

bool Pool::up() const { return least_loaded() != nullptr; }

std::size_t Pool::capacity() const {
    std::size_t capacity = 0;
    for (auto const& session : sessions_)
        if (session->up()) capacity += segments_max_;
    return capacity;
}

Session* Pool::least_loaded() const {
    Session* best = nullptr;
    for (auto const& session : sessions_) {
        if (!session->up()) continue;
        if (best == nullptr || session->depth() < best->depth()) best = session.get();
    }
    return best;
}

}  // namespace penstock::db::pg
