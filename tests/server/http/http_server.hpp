// A real listener on a free port with a small program behind it, and clients on raw sockets.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "reactor/pulse.hpp"
#include "reactor/task_group.hpp"
#include "server/http/listener.hpp"
#include "server/http/router.hpp"

namespace penstock::tests {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// How long a client waits for anything: a hang is a failure.
inline constexpr timeval patience{20, 0};

inline asio::awaitable<server::Response> never_called(server::RequestContext&) {
    co_return server::Response();
}

using server::Method;
inline constexpr server::Route http_test_routes[] = {
    {Method::post, "/echo", server::Scope::open, server::Idempotency::none, never_called, "echo"},
    {Method::get,
     "/name/{name}",
     server::Scope::open,
     server::Idempotency::none,
     never_called,
     "name",
     {"x"}},
    {Method::get, "/boom", server::Scope::open, server::Idempotency::none, never_called, "boom"},
    {Method::get, "/gate", server::Scope::open, server::Idempotency::none, never_called, "gate"},
    {Method::get, "/stream", server::Scope::open, server::Idempotency::none, never_called,
     "stream"},
    {Method::get, "/torn", server::Scope::open, server::Idempotency::none, never_called, "torn"},
    {Method::get, "/sized", server::Scope::open, server::Idempotency::none, never_called, "sized"},
    {Method::get, "/short", server::Scope::open, server::Idempotency::none, never_called, "short"},
    {Method::get, "/long", server::Scope::open, server::Idempotency::none, never_called, "long"},
    {Method::get, "/throws", server::Scope::open, server::Idempotency::none, never_called,
     "throws"},
    {Method::get, "/feed", server::Scope::open, server::Idempotency::none, never_called, "feed"},
    {Method::get, "/flood", server::Scope::open, server::Idempotency::none, never_called, "flood"},
    {Method::get, "/large", server::Scope::open, server::Idempotency::none, never_called, "large"},
    {Method::get, "/empty", server::Scope::open, server::Idempotency::none, never_called, "empty"},
};

/// Three pieces, then the end, or an error instead of it.
class Pieces final : public server::BodySource {
public:
    explicit Pieces(bool torn) : torn_(torn) {}
    asio::awaitable<Result<std::string>> next() override {
        if (++count_ <= 3) co_return "piece " + std::to_string(count_) + "\n";
        if (torn_) co_return asio::error::broken_pipe;
        co_return std::string();
    }

private:
    bool torn_;
    int count_ = 0;
};

class ThrowingSource final : public server::BodySource {
public:
    asio::awaitable<Result<std::string>> next() override {
        throw std::runtime_error("the secret of the source");
        co_return std::string();
    }
};

/// What the test sees of the sources that do not end by themselves.
struct Feeds {
    explicit Feeds(asio::any_io_executor executor) : pushed(std::move(executor)) {}
    void end() {
        ended = true;
        pushed.notify();
    }
    reactor::Pulse pushed;  ///< one piece for whoever waits
    bool ended = false;
    std::atomic<int> open = 0;
    std::atomic<int> pulled = 0;
    std::atomic<int> cancelled = 0;
};

/// A piece whenever the test pushes one.
class FeedSource final : public server::BodySource {
public:
    explicit FeedSource(Feeds& feeds) : feeds_(feeds) { ++feeds_.open; }
    ~FeedSource() override { --feeds_.open; }
    bool is_endless() const override { return true; }
    void finish() override { feeds_.end(); }
    asio::awaitable<Result<std::string>> next() override {
        ++feeds_.pulled;
        if (feeds_.ended) co_return std::string();
        bool const awake = co_await feeds_.pushed.wait(steady_now() + 20s);
        if (!awake) ++feeds_.cancelled;
        if (feeds_.ended || !awake) co_return std::string();
        co_return "news\n";
    }

private:
    Feeds& feeds_;
};

/// Always has more.
class FloodSource final : public server::BodySource {
public:
    static constexpr std::size_t piece_bytes = 64 * 1024;
    explicit FloodSource(Feeds& feeds) : feeds_(feeds) {}
    asio::awaitable<Result<std::string>> next() override {
        ++feeds_.pulled;
        co_return std::string(piece_bytes, 'x');
    }

private:
    Feeds& feeds_;
};

/// Answers by the name of the route. /gate waits until the test opens it.
class TestApp final : public server::App {
public:
    explicit TestApp(asio::any_io_executor executor) : gate(executor), feeds(executor) {}

    std::size_t body_max(server::Request const& head) const override {
        return router.body_max(head);
    }

    asio::awaitable<server::Response> handle(server::Request request) override {
        auto routing = router.route(request);
        if (routing.answer) co_return std::move(*routing.answer);
        auto const name = routing.match.route->name;
        server::Response response(200U, "{}");
        if (name == "echo") response.body = request.body;
        if (name == "name") response.body = routing.match.parameter(request.target, "name");
        if (name == "boom") throw std::runtime_error("the secret reason");
        if (name == "empty") response.status = 204;
        if (name == "large") response.body.assign(large_bytes, 'x');
        if (name == "stream") response.source = std::make_unique<Pieces>(false);
        if (name == "torn") response.source = std::make_unique<Pieces>(true);
        if (name == "throws") response.source = std::make_unique<ThrowingSource>();
        if (name == "feed") response.source = std::make_unique<FeedSource>(feeds);
        if (name == "flood") response.source = std::make_unique<FloodSource>(feeds);
        bool const sized = name == "sized" || name == "short" || name == "long";
        if (sized) response.source = std::make_unique<Pieces>(false);
        if (sized) response.source_bytes = name == "sized" ? 24 : name == "short" ? 25 : 23;
        if (name == "gate") co_await wait_at_gate();
        response.route = name;
        co_return response;
    }

    static constexpr std::size_t large_bytes = 20 << 20;
    server::Router router{http_test_routes};
    reactor::Pulse gate;
    Feeds feeds;
    std::promise<void> at_gate;  ///< fulfilled when the first request stands there

private:
    asio::awaitable<void> wait_at_gate() {
        at_gate.set_value();
        co_await gate.wait(steady_now() + 20s);
    }
};

/// Remembers what it was told; asked from the test's thread.
class TestObserver final : public server::Observer {
public:
    void answered(server::Access const& access) override {
        std::scoped_lock const lock(mutex_);
        lines_.push_back(std::string(to_string(access.method)) + " " + std::string(access.path) +
                         " " + std::string(access.route) + " " + std::to_string(access.status) +
                         " " + std::to_string(access.bytes_in) + " " +
                         std::to_string(access.bytes_out));
    }
    void handler_failed(std::string_view, std::string_view what) override {
        std::scoped_lock const lock(mutex_);
        lines_.push_back("failed " + std::string(what));
    }
    void accept_failed(std::string_view) override {}

    std::vector<std::string> lines() {
        std::scoped_lock const lock(mutex_);
        return lines_;
    }

private:
    std::mutex mutex_;
    std::vector<std::string> lines_;
};

inline server::ListenerOptions quick_options() {
    server::ListenerOptions options;
    options.port = 0;
    options.limits.sweep_period = 5ms;
    options.limits.linger_timeout = 500ms;
    options.unix_seconds = [] { return std::int64_t{1795251600}; };
    options.make_request_id = [] { return std::string("made-here"); };
    return options;
}

/// A listener on a thread of its own, stopped and joined at the end.
class TestServer {
public:
    explicit TestServer(server::ListenerOptions options = quick_options())
        : app(context.get_executor()),
          listener(context.get_executor(), std::move(options), app, observer),
          group_(context.get_executor()) {
        group_.spawn(listener.run());
        thread_ = std::jthread([this] { context.run(); });
    }
    ~TestServer() {
        asio::post(context, [this] { group_.cancel(); });
        thread_.join();
    }

    std::uint16_t port() const { return listener.port(); }

    /// Runs on the server's thread and waits for it.
    template <class Fn>
    void on_loop(Fn fn) {
        asio::post(context, asio::use_future(std::move(fn))).get();
    }

    std::future<bool> drain(std::chrono::milliseconds limit) {
        return asio::co_spawn(context, listener.drain(steady_now() + limit), asio::use_future);
    }

    asio::io_context context{1};
    TestObserver observer;
    TestApp app;
    server::Listener listener;

private:
    reactor::TaskGroup group_;
    std::jthread thread_;
};

struct Reply {
    unsigned status = 0;
    std::string head;
    std::string body;

    bool has(std::string_view line) const {
        return head.find(std::string(line) + "\r\n") != std::string::npos;
    }
};

/// A blocking client that says exactly what the test wants.
class Client {
public:
    explicit Client(std::uint16_t port, int receive_buffer = 0)
        : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        if (receive_buffer > 0)
            ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        BOOST_REQUIRE_EQUAL(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address),
                            0);
    }
    Client(Client&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}
    ~Client() {
        if (fd_ >= 0) ::close(fd_);
    }

    int fd() const { return fd_; }

    void send(std::string_view text) { BOOST_REQUIRE(is_sent(text)); }
    /// For threads of their own: Boost.Test is not to be told anything by two at once.
    bool is_sent(std::string_view text) {
        while (!text.empty()) {
            auto const sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    /// Everything until the server ends the connection in order; a reset fails the test.
    std::string read_to_end() {
        while (receive()) {
        }
        return std::exchange(buffer_, {});
    }

    /// Waits for bytes or the end of the connection; true when there is something.
    bool readable(std::chrono::milliseconds limit) const {
        pollfd waiting{fd_, POLLIN, 0};
        return ::poll(&waiting, 1, static_cast<int>(limit.count())) > 0;
    }

    /// True when the server has ended the connection, in order or by a reset.
    bool is_ended() {
        char c = 0;
        auto got = ::recv(fd_, &c, 1, 0);
        while (got < 0 && errno == EINTR) got = ::recv(fd_, &c, 1, 0);
        return got == 0 || (got < 0 && errno == ECONNRESET);
    }

    Reply read(bool head_only = false) {
        std::size_t end = 0;
        while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
            bool const more = receive();
            BOOST_REQUIRE_MESSAGE(more, "the connection ended before an answer");
        }
        Reply reply;
        reply.head = buffer_.substr(0, end + 2);
        buffer_.erase(0, end + 4);
        reply.status = static_cast<unsigned>(std::stoi(reply.head.substr(9, 3)));
        auto const length = reply.head.find("Content-Length: ");
        if (head_only || length == std::string::npos) return reply;
        auto const size = std::stoul(reply.head.substr(length + 16));
        while (buffer_.size() < size) {
            bool const more = receive();
            BOOST_REQUIRE_MESSAGE(more, "the connection ended inside a body");
        }
        reply.body = buffer_.substr(0, size);
        buffer_.erase(0, size);
        return reply;
    }

    /// So many bytes of a body that says nothing of its length.
    std::string read_bytes(std::size_t size) {
        while (buffer_.size() < size) {
            bool const more = receive();
            BOOST_REQUIRE_MESSAGE(more, "the connection ended inside a body");
        }
        auto bytes = buffer_.substr(0, size);
        buffer_.erase(0, size);
        return bytes;
    }

    Reply get(std::string_view target, std::string_view headers = {}) {
        send("GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) +
             "\r\n");
        return read();
    }

private:
    bool receive() {
        char piece[16 * 1024];
        auto got = ::recv(fd_, piece, sizeof piece, 0);
        // Who was stopped for a moment asks again.
        while (got < 0 && errno == EINTR) got = ::recv(fd_, piece, sizeof piece, 0);
        BOOST_REQUIRE_MESSAGE(got >= 0, "receive failed: " << std::strerror(errno));
        buffer_.append(piece, static_cast<std::size_t>(got));
        return got > 0;
    }

    int fd_;
    std::string buffer_;
};

/// Waits until a condition holds that another thread brings about; false: it never did.
template <class Condition>
bool eventually(Condition condition) {
    auto const deadline = steady_now() + 15s;
    while (!condition()) {
        if (steady_now() >= deadline) return false;
        std::this_thread::yield();
    }
    return true;
}

inline std::string get_request(std::string_view target, std::string_view headers = {}) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) +
           "\r\n";
}

inline std::string post_request(std::string_view body, std::string_view headers = {}) {
    return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

}  // namespace penstock::tests
