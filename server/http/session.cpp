// HOW one connection is served: read, answer in order, write what is ready in one go, leave
// without cutting anybody off.
#include "server/http/session.hpp"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <memory>
#include <optional>
#include <type_traits>

#include "reactor/cancellation.hpp"
#include "reactor/deadline.hpp"
#include "server/http/request_parser.hpp"
#include "server/http/response_text.hpp"

// g++ 12 takes the frame allocator of a coroutine with a try block for a mismatched pair.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace penstock::server {
namespace {

using asio::ip::tcp;
using TlsStream = asio::ssl::stream<tcp::socket>;
using reactor::as_result;

/// Bytes that have arrived and are not understood yet. Small while a connection idles.
class InputBuffer {
public:
    static constexpr std::size_t idle_capacity = 4 * 1024;
    static constexpr std::size_t capacity_max = 64 * 1024;

    std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
    bool empty() const { return begin_ == end_; }
    bool full() const { return end_ - begin_ == capacity_max; }
    void consume(std::size_t bytes) { begin_ += bytes; }
    void commit(std::size_t bytes) { end_ += bytes; }

    /// Room behind the unread bytes: at least one byte unless full().
    asio::mutable_buffer prepare() {
        if (begin_ > 0) compact();
        if (capacity_ == 0) resize(idle_capacity);
        if (end_ == capacity_) resize(std::min(capacity_max, capacity_ * 2));
        return {data_.get() + end_, capacity_ - end_};
    }
    /// A body is coming: worth fewer and larger reads.
    void grow() {
        if (capacity_ < capacity_max) resize(capacity_max);
    }
    void shrink() {
        if (empty() && capacity_ > idle_capacity) resize(idle_capacity);
    }

private:
    void compact() {
        std::copy(data_.get() + begin_, data_.get() + end_, data_.get());
        end_ -= begin_;
        begin_ = 0;
    }
    void resize(std::size_t capacity) {
        std::unique_ptr<char[]> larger(new char[capacity]);
        if (end_ > begin_) std::copy(data_.get() + begin_, data_.get() + end_, larger.get());
        end_ -= begin_;
        begin_ = 0;
        data_ = std::move(larger);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> data_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

enum class Phase { handshake, idle, header, body, handling, write, linger };

/// What outlives the Request, which the handler owns: for the answer's frame and the observer.
struct Exchange {
    void begin(Request const& request, bool is_http10) {
        method = request.method;
        path = request.target.path();
        request_id = request.request_id;
        trace_id = request.traceparent ? request.traceparent->trace_id : std::string();
        origin = request.headers.get("Origin");
        preflight = method == Method::options ? request.headers.get("Access-Control-Request-Method")
                                              : std::string_view();
        received_at = request.received_at;
        bytes_in = request.body.size();
        bytes_out = 0;
        http10 = is_http10;
    }

    Method method = Method::other;
    std::string path;
    std::string request_id;
    std::string trace_id;
    std::string origin;
    std::string preflight;
    SteadyTime received_at{};
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    bool http10 = false;
};

std::string ip_of(tcp::socket const& socket) {
    error_code error;
    auto const endpoint = socket.remote_endpoint(error);
    if (error) return {};
    auto address = endpoint.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    return address.to_string();
}

template <class Stream>
class Session final : public SessionBase {
public:
    static constexpr bool is_tls = std::is_same_v<Stream, TlsStream>;

    template <class... Arguments>
    Session(SessionShard& shard, std::string peer_ip, Arguments&&... arguments)
        : shard_(shard),
          limits_(shard.options.limits),
          peer_ip_(std::move(peer_ip)),
          stream_(std::forward<Arguments>(arguments)...),
          parser_(limits_.header_bytes_max, limits_.header_fields_max),
          place_(shard.sessions.insert(shard.sessions.end(), this)) {
        shard_.metrics.connections_open.set(shard_.sessions.size());
    }
    Session(Session&&) = delete;
    ~Session() override {
        shard_.sessions.erase(place_);
        shard_.metrics.connections_open.set(shard_.sessions.size());
    }

    asio::awaitable<void> run();
    void expire() override;
    void drain() override;

private:
    asio::awaitable<bool> handshake();
    asio::awaitable<bool> converse();
    asio::awaitable<void> farewell();

    Progress parse();
    Progress judge_head();
    asio::awaitable<bool> fill();
    bool leaving();
    void announce_close();
    void enter_reading_phase();

    asio::awaitable<bool> answer();
    void refuse();
    void complete(Response& response);
    bool keeps_alive(Response const& response) const;
    Framing framing(bool keep_alive) const;
    asio::awaitable<bool> stream_body(Response& response, bool keep_alive);
    asio::awaitable<void> pump(Response const& response);
    asio::awaitable<void> watch();
    asio::awaitable<Result<std::string>> next_piece();
    void observe(Response const& response);
    void identify(Request& request);

    asio::awaitable<bool> flush();

    tcp::socket& socket() {
        if constexpr (is_tls) {
            return stream_.next_layer();
        } else {
            return stream_;
        }
    }
    void enter(Phase phase, SteadyTime deadline) {
        phase_ = phase;
        deadline_ = deadline;
    }
    /// The time that so many bytes may take at the slowest rate we put up with.
    milliseconds allowance(std::size_t bytes) const {
        return milliseconds{bytes * 1000 / limits_.rate_min};
    }

    SessionShard& shard_;
    HttpLimits const& limits_;
    std::string peer_ip_;
    Stream stream_;
    RequestParser parser_;
    InputBuffer in_;
    std::string out_;
    BodySource* source_ = nullptr;              ///< of the answer that is being streamed
    std::optional<std::size_t> close_line_at_;  ///< where the last answer in out_ may say close
    Exchange exchange_;
    SteadyTime body_deadline_ = never;
    SteadyTime header_deadline_ = never;
    std::uint64_t requests_ = 0;
    Phase phase_ = Phase::idle;
    bool continue_wanted_ = false;
    bool expired_ = false;
    bool broken_ = false;  ///< nothing more can be written
    /// Met while a body was streamed. Asio hangs in a read behind the end that it has told of.
    bool input_ended_ = false;
    std::list<SessionBase*>::iterator place_;
};

template <class Stream>
asio::awaitable<void> Session<Stream>::run() {
    bool const ready = co_await handshake();
    if (!ready) co_return;
    bool const polite = co_await converse();
    if (polite) co_await farewell();
}

template <class Stream>
asio::awaitable<bool> Session<Stream>::handshake() {
    if constexpr (is_tls) {
        enter(Phase::handshake, steady_now() + limits_.handshake_timeout);
        auto const [error] =
            co_await stream_.async_handshake(asio::ssl::stream_base::server, as_result);
        enter(Phase::idle, never);
        if (error) shard_.metrics.handshakes_failed.add();
        if (error || expired_) co_return false;
    }
    co_return true;
}

/// True: all that was answered is written and the connection deserves a farewell.
template <class Stream>
asio::awaitable<bool> Session<Stream>::converse() {
    for (;;) {
        bool stay = false;
        switch (parse()) {
            case Progress::need_more:
                stay = co_await fill();
                break;
            case Progress::complete:
                stay = co_await answer();
                break;
            case Progress::refused:
                refuse();
                break;
            case Progress::head:
                break;
        }
        if (stay) continue;
        bool const written = co_await flush();
        co_return written;
    }
}

template <class Stream>
Progress Session<Stream>::parse() {
    for (;;) {
        std::size_t consumed = 0;
        auto const progress = parser_.advance(in_.view(), consumed);
        in_.consume(consumed);
        if (progress == Progress::head) {
            auto const verdict = judge_head();
            if (verdict == Progress::refused) return verdict;
            continue;
        }
        // Only an endless chunk header or trailer can fill the buffer without being consumed.
        if (progress == Progress::need_more && in_.full())
            return parser_.refuse(Code::invalid_request, "the message is not valid HTTP/1.1");
        return progress;
    }
}

template <class Stream>
Progress Session<Stream>::judge_head() {
    auto& request = parser_.request();
    request.received_at = steady_now();
    request.peer_ip = peer_ip_;
    request.secure = is_tls;
    identify(request);
    if (!parser_.body_max(shard_.app.body_max(request)))
        return parser_.refuse(Code::payload_too_large, "");
    auto const expected = parser_.body_expected();
    body_deadline_ = request.received_at + limits_.body_timeout + allowance(expected);
    continue_wanted_ = parser_.expects_continue();
    return Progress::head;
}

template <class Stream>
void Session<Stream>::identify(Request& request) {
    auto const wish = request.headers.get("X-Request-Id");
    request.request_id = is_request_id(wish) ? std::string(wish) : shard_.options.make_request_id();
    auto const trace = request.headers.find("traceparent");
    if (trace) request.traceparent = parse_traceparent(*trace);
}

/// Nothing more can be done with what has arrived: writes the answers that are ready, and reads.
template <class Stream>
asio::awaitable<bool> Session<Stream>::fill() {
    bool const last_words = leaving();
    if (last_words) announce_close();
    if (continue_wanted_) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    continue_wanted_ = false;
    bool const written = co_await flush();
    // Asked again: the drain may have begun while we were writing, when nobody waited to be woken.
    if (!written || last_words || leaving()) co_return false;
    broken_ = input_ended_;
    if (broken_) co_return false;
    enter_reading_phase();
    auto const room = in_.prepare();
    auto const [error, bytes] = co_await stream_.async_read_some(room, as_result);
    bool const woken = error == asio::error::operation_aborted && shard_.draining && !expired_;
    enter(Phase::handling, never);
    if (woken) co_return true;
    broken_ = error || expired_;
    if (broken_) co_return false;
    in_.commit(bytes);
    shard_.metrics.bytes_read.add(bytes);
    co_return true;
}

/// Draining, and no request is underway that could still be answered: what is buffered is at
/// most the beginning of a header.
template <class Stream>
bool Session<Stream>::leaving() {
    if (!shard_.draining || parser_.head_complete()) return false;
    if (!out_.empty()) return true;
    if (parser_.started() || !in_.empty()) return false;
    error_code ignored;
    return socket().available(ignored) == 0;
}

template <class Stream>
void Session<Stream>::announce_close() {
    if (close_line_at_) out_.insert(*close_line_at_, connection_close_line);
    close_line_at_.reset();
}

template <class Stream>
void Session<Stream>::enter_reading_phase() {
    if (parser_.head_complete()) {
        if (parser_.body_expected() > InputBuffer::idle_capacity) in_.grow();
        enter(Phase::body, body_deadline_);
        return;
    }
    auto const now = steady_now();
    if (parser_.started() || !in_.empty()) {
        if (header_deadline_ == never) header_deadline_ = now + limits_.header_timeout;
        enter(Phase::header, header_deadline_);
        return;
    }
    in_.shrink();
    header_deadline_ = never;
    enter(Phase::idle, now + limits_.idle_timeout);
}

template <class Stream>
asio::awaitable<bool> Session<Stream>::answer() {
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    bool const http10 = parser_.http10();
    Request request = parser_.take();
    header_deadline_ = never;
    continue_wanted_ = false;
    exchange_.begin(request, http10);
    bool const wants_more = request.keep_alive;
    ++requests_;
    shard_.metrics.requests.add();
    enter(Phase::handling, never);

    Response response;
    std::optional<std::string> failure;
    try {
        response = co_await shard_.app.handle(std::move(request));
    } catch (std::exception const& error) {
        // Our own end is not the handler's failure.
        if (reactor::is_cancelled(cancellation)) throw;
        failure = error.what();
    }
    if (failure) {
        shard_.observer.handler_failed(exchange_.request_id, *failure);
        response = render(Problem(Code::internal), exchange_.request_id);
    }
    complete(response);
    bool const keep_alive = wants_more && keeps_alive(response);
    bool const head_only = exchange_.method == Method::head;
    if (response.source && !head_only) {
        bool const stay = co_await stream_body(response, keep_alive);
        co_return stay;
    }
    close_line_at_ = append_response(out_, response, framing(keep_alive));
    if (!keep_alive) close_line_at_.reset();
    exchange_.bytes_out = head_only ? 0 : body_size(response);
    observe(response);
    if (!keep_alive || out_.size() < limits_.write_coalesce_bytes) co_return keep_alive;
    bool const written = co_await flush();
    co_return written;
}

/// Answers what the parser refused; nothing behind it can be understood.
template <class Stream>
void Session<Stream>::refuse() {
    shard_.metrics.bad_requests.add();
    bool const http10 = parser_.http10();
    auto& request = parser_.request();
    if (!parser_.head_complete()) request.received_at = steady_now();
    if (request.request_id.empty()) identify(request);
    exchange_.begin(request, http10);
    Response response = render(parser_.refusal(), exchange_.request_id);
    complete(response);
    append_response(out_, response, framing(false));
    close_line_at_.reset();
    exchange_.bytes_out = exchange_.method == Method::head ? 0 : body_size(response);
    observe(response);
}

template <class Stream>
void Session<Stream>::complete(Response& response) {
    auto const& cors = shard_.options.cors;
    if (cors.enabled()) cors.decorate(exchange_.origin, exchange_.preflight, response);
}

template <class Stream>
bool Session<Stream>::keeps_alive(Response const& response) const {
    auto const most = limits_.requests_per_connection_max;
    bool const worn_out = most > 0 && requests_ >= most;
    bool const nothing_follows = shard_.draining && in_.empty();
    bool const ends_by_close =
        response.source && !response.source_bytes && !is_chunked(response, exchange_.http10);
    return !response.close && !worn_out && !nothing_follows && !ends_by_close;
}

template <class Stream>
Framing Session<Stream>::framing(bool keep_alive) const {
    Framing framing;
    framing.head_only = exchange_.method == Method::head;
    framing.keep_alive = keep_alive;
    framing.http10 = exchange_.http10;
    framing.date = shard_.date;
    framing.request_id = exchange_.request_id;
    return framing;
}

/// Pulls the body and writes it piece by piece, while somebody looks after the client.
template <class Stream>
asio::awaitable<bool> Session<Stream>::stream_body(Response& response, bool keep_alive) {
    using namespace asio::experimental::awaitable_operators;
    append_response(out_, response, framing(keep_alive));
    close_line_at_.reset();
    source_ = response.source.get();
    if (shard_.draining) source_->finish();
    shard_.metrics.streams.set(shard_.metrics.streams.get() + 1);
    auto const first = co_await (pump(response) || watch());
    shard_.metrics.streams.set(shard_.metrics.streams.get() - 1);
    source_ = nullptr;
    bool const client_gone = first.index() == 1;
    broken_ = broken_ || client_gone;
    observe(response);
    co_return keep_alive && !broken_;
}

template <class Stream>
asio::awaitable<void> Session<Stream>::pump(Response const& response) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    bool const chunked = is_chunked(response, exchange_.http10);
    for (;;) {
        bool const written = co_await flush();
        // What begins after a cancellation would never hear of it.
        if (!written || reactor::is_cancelled(cancellation)) break;
        auto const piece = co_await next_piece();
        if (!piece || reactor::is_cancelled(cancellation)) {
            broken_ = true;
            break;
        }
        auto const total = exchange_.bytes_out + piece->size();
        bool const ended = piece->empty();
        // Sized bodies are as long as was said, or visibly broken.
        auto const promised = response.source_bytes.value_or(total);
        broken_ = total > promised || (ended && total < promised);
        if (broken_) break;
        exchange_.bytes_out = total;
        if (chunked && !ended) append_chunk(out_, *piece);
        if (chunked && ended) out_ += last_chunk;
        if (!chunked) out_ += *piece;
        if (ended) break;
    }
}

/// Reads on while a body is pulled: what is asked behind it waits in the buffer, as much as fits.
/// Ends when the client is gone.
template <class Stream>
asio::awaitable<void> Session<Stream>::watch() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    while (!input_ended_ && !in_.full()) {
        auto const room = in_.prepare();
        auto const [error, bytes] = co_await stream_.async_read_some(room, as_result);
        in_.commit(bytes);
        shard_.metrics.bytes_read.add(bytes);
        input_ended_ = error == asio::error::eof;
        if (error && (!input_ended_ || source_->is_endless())) co_return;
        if (reactor::is_cancelled(cancellation)) co_return;
    }
    co_await reactor::sleep_until(never);
}

template <class Stream>
asio::awaitable<Result<std::string>> Session<Stream>::next_piece() {
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    std::string failure;
    try {
        co_return co_await source_->next();
    } catch (std::exception const& error) {
        failure = error.what();
    }
    bool const cancelled = reactor::is_cancelled(cancellation);
    if (!cancelled) shard_.observer.handler_failed(exchange_.request_id, failure);
    co_return asio::error::broken_pipe;
}

template <class Stream>
void Session<Stream>::observe(Response const& response) {
    Access access;
    access.method = exchange_.method;
    access.path = exchange_.path;
    access.route = response.route;
    access.request_id = exchange_.request_id;
    access.trace_id = exchange_.trace_id;
    access.peer_ip = peer_ip_;
    access.status = response.status;
    access.duration = steady_now() - exchange_.received_at;
    access.bytes_in = exchange_.bytes_in;
    access.bytes_out = exchange_.bytes_out;
    shard_.observer.answered(access);
}

template <class Stream>
asio::awaitable<bool> Session<Stream>::flush() {
    constexpr std::size_t kept_capacity = 16 * 1024;
    if (broken_) co_return false;
    if (out_.empty()) co_return true;
    enter(Phase::write, steady_now() + limits_.write_timeout + allowance(out_.size()));
    auto const [error, bytes] = co_await asio::async_write(stream_, asio::buffer(out_), as_result);
    enter(Phase::handling, never);
    shard_.metrics.writes.add();
    shard_.metrics.bytes_written.add(bytes);
    broken_ = error || expired_;
    out_.clear();
    close_line_at_.reset();
    if (out_.capacity() > kept_capacity) std::string().swap(out_);
    co_return !broken_;
}

/// Closing a socket with unread bytes resets the connection, and a reset may overtake the last
/// answer. So: send the end, then read and drop until the client ends too, within bounds.
template <class Stream>
asio::awaitable<void> Session<Stream>::farewell() {
    enter(Phase::linger, steady_now() + limits_.linger_timeout);
    if constexpr (is_tls) {
        auto const [ignored] = co_await stream_.async_shutdown(as_result);
        if (expired_) co_return;
    }
    error_code error;
    socket().shutdown(tcp::socket::shutdown_send, error);
    char dropped[2048];
    std::size_t total = 0;
    while (!error && !expired_ && total < limits_.linger_bytes_max) {
        auto const [read_error, bytes] =
            co_await socket().async_read_some(asio::buffer(dropped), as_result);
        error = read_error;
        total += bytes;
    }
}

template <class Stream>
void Session<Stream>::expire() {
    auto& metrics = shard_.metrics;
    switch (phase_) {
        case Phase::idle:
            metrics.timeouts_idle.add();
            break;
        case Phase::header:
            metrics.timeouts_header.add();
            break;
        case Phase::body:
            metrics.timeouts_body.add();
            break;
        case Phase::write:
            metrics.timeouts_write.add();
            break;
        case Phase::handshake:
        case Phase::handling:
        case Phase::linger:
            break;
    }
    expired_ = true;
    deadline_ = never;
    error_code ignored;
    socket().cancel(ignored);
}

template <class Stream>
void Session<Stream>::drain() {
    if (source_) source_->finish();
    if (phase_ != Phase::idle) return;
    error_code ignored;
    socket().cancel(ignored);
}

template <class S>
asio::awaitable<void> run_guarded(SessionShard& shard, S& session) {
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    std::string failure;
    try {
        co_await session.run();
        co_return;
    } catch (std::exception const& error) {
        if (reactor::is_cancelled(cancellation)) co_return;
        failure = error.what();
    }
    shard.observer.handler_failed("", failure);
}

}  // namespace

asio::awaitable<void> serve_plain(SessionShard& shard, tcp::socket socket) {
    auto peer = ip_of(socket);
    Session<tcp::socket> session(shard, std::move(peer), std::move(socket));
    co_await run_guarded(shard, session);
}

asio::awaitable<void> serve_tls(SessionShard& shard, tcp::socket socket) {
    auto peer = ip_of(socket);
    Session<TlsStream> session(shard, std::move(peer), std::move(socket), *shard.options.tls);
    co_await run_guarded(shard, session);
}

}  // namespace penstock::server
