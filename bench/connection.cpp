#include "bench/connection.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "domain/assert.hpp"

namespace penstock::bench {
namespace {

constexpr std::size_t buffer_initial = 16 * 1024;
constexpr std::size_t answer_max = ResponseParser::head_max + ResponseParser::body_max;

}  // namespace

asio::awaitable<void> Sweeper::run() {
    auto const executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    for (;;) {
        timer.expires_after(tick);
        auto const [error] = co_await timer.async_wait(reactor::as_result);
        if (error) co_return;
        auto const now = steady_now();
        for (auto* const connection : watched_) connection->sweep(now);
    }
}

Connection::Connection(asio::any_io_executor executor, Sweeper& sweeper,
                       asio::ip::tcp::endpoint endpoint)
    : socket_(std::move(executor)),
      endpoint_(std::move(endpoint)),
      sweeper_(sweeper),
      watched_(sweeper.watched_.insert(sweeper.watched_.end(), this)),
      buffer_(buffer_initial) {}

Connection::~Connection() { sweeper_.watched_.erase(watched_); }

asio::awaitable<End> Connection::exchange(std::string const& request, SteadyTime deadline) {
    PENSTOCK_ASSERT(deadline_ == never);
    deadline_ = deadline;
    late_ = false;
    parser_.reset();
    if (!socket_.is_open()) {
        auto const refused = co_await connect();
        if (refused) co_return failed();
    }
    auto const lost = co_await write(request);
    if (lost) co_return failed();
    auto const end = co_await read();
    if (end == End::cut) co_return failed();
    deadline_ = never;
    if (end == End::malformed || !parser_.response().keep_alive) close();
    co_return end;
}

asio::awaitable<error_code> Connection::connect() {
    auto const [error] = co_await socket_.async_connect(endpoint_, reactor::as_result);
    if (error) co_return error;
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
    co_return ignored;
}

asio::awaitable<error_code> Connection::write(std::string const& request) {
    std::size_t written = 0;
    for (;;) {
        // Straight to the kernel: almost every request fits, and a trip through the event loop
        // for each would double the generator's cost.
        error_code error;
        written += socket_.write_some(asio::buffer(request) + written, error);
        if (written == request.size()) co_return error_code{};
        if (error && error != asio::error::would_block) co_return error;
        auto const [unready] = co_await socket_.async_wait(socket_.wait_write, reactor::as_result);
        if (unready) co_return unready;
    }
}

asio::awaitable<End> Connection::read() {
    std::size_t received = 0;
    for (;;) {
        if (received == buffer_.size()) {
            if (received >= answer_max) co_return End::malformed;
            buffer_.resize(received * 2);
        }
        auto const space = asio::buffer(buffer_) + received;
        auto const [error, got] = co_await socket_.async_read_some(space, reactor::as_result);
        if (error) co_return End::cut;
        received += got;
        auto const state = parser_.parse({buffer_.data(), received});
        if (state == ParseState::incomplete) continue;
        // Bytes beyond the answer belong to no request of ours.
        bool const clean = state == ParseState::complete && parser_.size() == received;
        co_return clean ? End::answered : End::malformed;
    }
}

End Connection::failed() {
    close();
    deadline_ = never;
    return late_ ? End::timed_out : End::cut;
}

void Connection::sweep(SteadyTime now) {
    if (now < deadline_) return;
    late_ = true;
    close();
}

void Connection::close() {
    error_code ignored;
    socket_.close(ignored);
}

}  // namespace penstock::bench
