// WHERE connections come from: accept, sweep, drain.
#include "server/http/listener.hpp"

#include <sys/socket.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <stdexcept>

#include "domain/assert.hpp"
#include "reactor/deadline.hpp"
#include "reactor/pulse.hpp"
#include "reactor/task_group.hpp"
#include "server/http/problem.hpp"
#include "server/http/response_text.hpp"
#include "server/http/session.hpp"

namespace penstock::server {
namespace {

using asio::ip::tcp;
using reactor::as_result;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr milliseconds accept_backoff{100};
constexpr int collisions_max = 1'000;
constexpr int backlog_max = 4'096;

/// How it ended, and whether only at the last step: two who are bound and begin to listen at the
/// same moment see each other there, and both may be refused.
struct Opening {
    error_code error;
    bool met_another = false;
};

Opening try_open(tcp::acceptor& acceptor, ListenerOptions const& options) {
    Opening opening;
    auto& error = opening.error;
    tcp::endpoint const endpoint(asio::ip::make_address(options.address), options.port);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && options.joins) acceptor.set_option(ReusePort(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (error) return opening;
    // Bound alone, without SO_REUSEPORT: nobody else listens here once this is done.
    acceptor.listen(backlog_max, error);
    opening.met_another = error == asio::error::address_in_use;
    // Now that nobody else can have it, others of this process may.
    if (!error && !options.joins) acceptor.set_option(ReusePort(true), error);
    return opening;
}

void open(tcp::acceptor& acceptor, ListenerOptions const& options) {
    auto opening = try_open(acceptor, options);
    // Whoever is refused at bind() has lost and gives way, so this ends, and one of them wins.
    for (int again = 0; opening.met_another && again < collisions_max; ++again) {
        error_code ignored;
        acceptor.close(ignored);
        opening = try_open(acceptor, options);
    }
    auto const& error = opening.error;
    if (!error) return;
    bool const taken = error == asio::error::address_in_use;
    throw std::runtime_error("Cannot listen on " + options.address + " port " +
                             std::to_string(options.port) + ": " +
                             (taken ? "another program listens there" : error.message()));
}

bool is_shortage(error_code const& error) {
    return error == asio::error::no_descriptors || error == asio::error::no_memory ||
           error == asio::error::no_buffer_space || error.value() == ENFILE;
}

/// Above the connection limit a client gets one sentence, if its socket takes it at once.
void turn_away(tcp::socket socket, SessionShard const& shard) {
    Problem problem(Code::overloaded, "The server has too many connections");
    problem.retry_after_s = 1;
    Framing framing;
    auto const request_id = shard.options.make_request_id();
    framing.request_id = request_id;
    framing.date = shard.date;
    framing.keep_alive = false;
    std::string words;
    append_response(words, render(problem, request_id), framing);
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(words), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

struct Listener::State {
    State(asio::any_io_executor executor, ListenerOptions o, App& app, Observer& observer)
        : options(std::move(o)),
          shard(options, app, observer),
          acceptor(executor),
          sessions(executor),
          background(executor),
          drained(executor) {
        PENSTOCK_ASSERT(options.make_request_id);
        open(acceptor, options);
        port = acceptor.local_endpoint().port();
        refresh_date();
    }

    void admit(tcp::socket socket);
    void admit_waiting();
    asio::awaitable<void> accept_loop();
    asio::awaitable<void> sweep_loop();
    void sweep();
    void refresh_date() {
        if (options.unix_seconds) shard.date = http_date(options.unix_seconds());
    }

    ListenerOptions options;
    SessionShard shard;
    tcp::acceptor acceptor;
    reactor::TaskGroup sessions;
    reactor::TaskGroup background;
    reactor::Pulse drained;
    std::uint16_t port = 0;
};

Listener::Listener(asio::any_io_executor executor, ListenerOptions options, App& app,
                   Observer& observer)
    : state_(std::make_unique<State>(std::move(executor), std::move(options), app, observer)) {}

Listener::~Listener() = default;

std::uint16_t Listener::port() const { return state_->port; }
std::size_t Listener::sessions() const { return state_->sessions.size(); }
HttpMetrics const& Listener::metrics() const { return state_->shard.metrics; }

asio::awaitable<void> Listener::run() {
    auto& state = *state_;
    co_await asio::this_coro::throw_if_cancelled(false);
    state.background.spawn(state.sweep_loop());
    co_await state.accept_loop();
    // Ended by drain(): it says when the last session is gone. Ended by cancellation: at once.
    if (state.shard.draining) co_await state.drained.wait();
    co_await asio::this_coro::reset_cancellation_state();
    error_code ignored;
    state.acceptor.close(ignored);
    state.sessions.cancel();
    co_await state.sessions.join();
    state.background.cancel();
    co_await state.background.join();
}

asio::awaitable<bool> Listener::drain(SteadyTime deadline) {
    auto& state = *state_;
    state.shard.draining = true;
    state.admit_waiting();
    error_code ignored;
    state.acceptor.close(ignored);
    for (auto* session : state.shard.sessions) session->drain();
    bool const in_time = co_await state.sessions.join(deadline);
    if (!in_time) {
        state.sessions.cancel();
        co_await state.sessions.join();
    }
    state.drained.notify();
    co_return in_time;
}

asio::awaitable<void> Listener::State::accept_loop() {
    while (!shard.draining) {
        auto [error, socket] = co_await acceptor.async_accept(as_result);
        if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
        if (!error) {
            admit(std::move(socket));
            continue;
        }
        if (!is_shortage(error)) continue;  // a client that was gone before we looked
        shard.observer.accept_failed(error.message());
        bool const awake = co_await reactor::sleep_until(steady_now() + accept_backoff);
        if (!awake) co_return;
    }
}

void Listener::State::admit(tcp::socket socket) {
    if (sessions.size() >= options.limits.connections_max) {
        shard.metrics.connections_refused.add();
        // Under TLS there is no sentence that the client could read.
        if (!options.tls) turn_away(std::move(socket), shard);
        return;
    }
    shard.metrics.connections.add();
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    sessions.spawn(options.tls ? serve_tls(shard, std::move(socket))
                               : serve_plain(shard, std::move(socket)));
}

/// Clients whom the kernel has let in already, perhaps with a request sent: with the acceptor they
/// would be reset. What they have asked by now is answered.
void Listener::State::admit_waiting() {
    error_code error;
    acceptor.non_blocking(true, error);
    for (int i = 0; !error && i < backlog_max; ++i) {
        tcp::socket socket(acceptor.get_executor());
        acceptor.accept(socket, error);
        if (!error) admit(std::move(socket));
    }
}

asio::awaitable<void> Listener::State::sweep_loop() {
    for (;;) {
        bool const awake =
            co_await reactor::sleep_until(steady_now() + options.limits.sweep_period);
        if (!awake) co_return;
        sweep();
    }
}

void Listener::State::sweep() {
    auto const now = steady_now();
    refresh_date();
    for (auto* session : shard.sessions)
        if (now >= session->deadline()) session->expire();
}

std::shared_ptr<asio::ssl::context> make_tls(std::string const& certificate_chain_file,
                                             std::string const& private_key_file) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1 | asio::ssl::context::single_dh_use);
    auto check = [](error_code const& error, std::string const& file) {
        if (error) throw boost::system::system_error(error, file);
    };
    error_code error;
    context->use_certificate_chain_file(certificate_chain_file, error);
    check(error, certificate_chain_file);
    context->use_private_key_file(private_key_file, asio::ssl::context::pem, error);
    check(error, private_key_file);
    return context;
}

}  // namespace penstock::server
