// What happens to a client when the network misbehaves: a proxy that cuts, stalls and corrupts.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <future>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "reactor/result.hpp"
#include "reactor/task_group.hpp"

namespace penstock::tests {

enum class Way { to_server, to_client };

/// What befalls the bytes of one way once `after` more of them (over all connections) have passed.
struct Fault {
    enum class Kind {
        cut,      ///< both sockets close (FIN). Once: later connections pass.
        reset,    ///< both sockets close with RST (TCP). Once.
        replace,  ///< the next bytes.size() bytes become `bytes`. Once.
        insert,   ///< `bytes` are put between. Once.
        stall,    ///< nothing passes, nothing is read, until heal() or another fault.
        swallow,  ///< bytes are read and thrown away, until heal() or another fault.
        trickle,  ///< every byte is a write of its own, until heal() or another fault.
    };
    Kind kind = Kind::cut;
    std::size_t after = 0;
    std::string bytes = {};
};

/// A TCP or unix-socket proxy on a thread of its own, so that blocking and non-blocking clients
/// can stand behind it. Members may be called from any thread and are in force on return.
class FaultProxy {
    using Protocol = asio::generic::stream_protocol;
    using Socket = asio::basic_stream_socket<Protocol>;

public:
    /// A place to listen on or to connect to. Loopback TCP (port 0: any) or a unix socket.
    class Place {
    public:
        static Place tcp(std::uint16_t port = 0) {
            return Place(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port));
        }
        static Place unix_socket(std::string const& path) {
            return Place(asio::local::stream_protocol::endpoint(path));
        }

    private:
        friend class FaultProxy;
        explicit Place(Protocol::endpoint where) : where_(std::move(where)) {}
        Protocol::endpoint where_;
    };

    FaultProxy(Place listen, Place upstream) : upstream_(std::move(upstream.where_)) {
        acceptor_.open(listen.where_.protocol());
        acceptor_.bind(listen.where_);
        acceptor_.listen();
        tasks_.spawn(accept_loop());
        thread_ = std::jthread([this] { context_.run(); });
    }
    FaultProxy(FaultProxy&&) = delete;

    ~FaultProxy() {
        apply([this] {
            closing_ = true;
            error_code ignored;
            acceptor_.close(ignored);
            for (auto& session : sessions_) session->close();
            tasks_.cancel();
            changed_.cancel();
        });
        thread_.join();
    }

    /// The port this proxy listens on, when it listens on TCP.
    std::uint16_t port() const {
        auto const where = acceptor_.local_endpoint();
        asio::ip::tcp::endpoint tcp;
        std::copy_n(static_cast<char const*>(static_cast<void const*>(where.data())), where.size(),
                    static_cast<char*>(static_cast<void*>(tcp.data())));
        return tcp.port();
    }

    /// Replaces the fault of one way; `after` counts from now.
    void set(Way way, Fault fault) {
        apply([&] {
            fault_of(way) = std::move(fault);
            changed_.cancel();
        });
    }
    void set(Way way, Fault::Kind kind, std::size_t after = 0, std::string bytes = {}) {
        set(way, Fault{kind, after, std::move(bytes)});
    }
    /// Both ways pass again, and new connections are accepted again.
    void heal() {
        apply([this] {
            faults_ = {};
            refusing_ = false;
            changed_.cancel();
        });
    }
    /// Closes every connection now; new ones pass.
    void cut_all() {
        apply([this] {
            for (auto& session : sessions_) session->close();
            changed_.cancel();
        });
    }
    /// New connections are closed as soon as they are accepted, until heal().
    void refuse() {
        apply([this] { refusing_ = true; });
    }

    std::size_t accepted() const { return accepted_.load(); }
    std::size_t passed(Way way) const { return passed_[index(way)].load(); }

private:
    struct Session {
        explicit Session(Socket accepted)
            : client(std::move(accepted)), server(client.get_executor()) {}
        Socket client;
        Socket server;
        bool open = true;

        void close() {
            open = false;
            error_code ignored;
            client.close(ignored);
            server.close(ignored);
        }
        void reset() {
            error_code ignored;
            client.set_option(asio::socket_base::linger(true, 0), ignored);
            server.set_option(asio::socket_base::linger(true, 0), ignored);
            close();
        }
    };
    using SessionPtr = std::shared_ptr<Session>;

    static constexpr std::size_t index(Way way) { return way == Way::to_server ? 0 : 1; }
    std::optional<Fault>& fault_of(Way way) { return faults_[index(way)]; }

    template <class Fn>
    void apply(Fn fn) {
        std::promise<void> applied;
        asio::post(context_, [&] {
            fn();
            applied.set_value();
        });
        applied.get_future().wait();
    }

    asio::awaitable<void> accept_loop() {
        for (;;) {
            auto [error, socket] = co_await acceptor_.async_accept(as_result);
            if (closing_) co_return;
            if (error) continue;
            ++accepted_;
            if (refusing_) continue;
            tasks_.spawn(serve(std::make_shared<Session>(std::move(socket))));
        }
    }

    asio::awaitable<void> serve(SessionPtr session) {
        sessions_.push_back(session);
        auto const position = std::prev(sessions_.end());
        auto const [error] = co_await session->server.async_connect(upstream_, as_result);
        if (error || closing_) {
            session->close();
        } else {
            error_code ignored;
            asio::ip::tcp::no_delay const at_once(true);
            session->client.set_option(at_once, ignored);
            session->server.set_option(at_once, ignored);
            tasks_.spawn(pump(session, Way::to_server));
            tasks_.spawn(pump(session, Way::to_client));
        }
        sessions_.erase(position);
    }

    /// Keeps the session listed while it lives, so that cut_all() finds it.
    struct Listed {
        Listed(std::list<SessionPtr>& sessions, SessionPtr const& session)
            : sessions_(sessions), position_(sessions.insert(sessions.end(), session)) {}
        Listed(Listed&&) = delete;
        ~Listed() { sessions_.erase(position_); }
        std::list<SessionPtr>& sessions_;
        std::list<SessionPtr>::iterator position_;
    };

    asio::awaitable<void> pump(SessionPtr session, Way way) {
        Listed const listed(sessions_, session);
        auto& source = way == Way::to_server ? session->client : session->server;
        // Not an array: g++ 12 mistakes the deletion of frames beyond 1 KiB for a mismatch.
        std::vector<char> block(16384);
        while (session->open) {
            bool const ready = co_await not_stalled(session, way);
            if (!ready) break;
            auto const [error, n] = co_await source.async_read_some(asio::buffer(block), as_result);
            if (error) break;
            bool const passed = co_await pass(session, way, std::string_view(block.data(), n));
            if (!passed) break;
        }
        session->close();
        changed_.cancel();
    }

    bool stalled(Way way) {
        auto const& fault = fault_of(way);
        return fault && fault->kind == Fault::Kind::stall && fault->after == 0;
    }

    asio::awaitable<bool> not_stalled(SessionPtr session, Way way) {
        while (session->open && !closing_ && stalled(way)) co_await changed_.async_wait(as_result);
        co_return session->open && !closing_;
    }

    /// Brings `bytes` to the other side, faults applied. False: the session has ended.
    asio::awaitable<bool> pass(SessionPtr session, Way way, std::string_view bytes) {
        while (!bytes.empty()) {
            bool const ready = co_await not_stalled(session, way);
            if (!ready) co_return false;
            auto& fault = fault_of(way);
            auto const intact = fault ? std::min(fault->after, bytes.size()) : bytes.size();
            if (intact > 0) {
                if (fault) fault->after -= intact;
                bool const sent = co_await send(session, way, bytes.substr(0, intact));
                if (!sent) co_return false;
                bytes.remove_prefix(intact);
                continue;
            }
            bool const lives = co_await strike(session, way, bytes);
            if (!lives) co_return false;
        }
        co_return true;
    }

    /// The fault strikes at the first of `bytes`; takes away what it dealt with.
    asio::awaitable<bool> strike(SessionPtr session, Way way, std::string_view& bytes) {
        auto& fault = fault_of(way);
        std::string changed;
        switch (fault->kind) {
            case Fault::Kind::cut:
                fault.reset();
                session->close();
                co_return false;
            case Fault::Kind::reset:
                fault.reset();
                session->reset();
                co_return false;
            case Fault::Kind::replace: {
                auto const n = std::min(fault->bytes.size(), bytes.size());
                changed = fault->bytes.substr(0, n);
                fault->bytes.erase(0, n);
                if (fault->bytes.empty()) fault.reset();
                bytes.remove_prefix(n);
                break;
            }
            case Fault::Kind::insert:
                changed = std::move(fault->bytes);
                fault.reset();
                break;
            case Fault::Kind::stall:
                co_return true;
            case Fault::Kind::swallow:
                bytes = {};
                co_return true;
            case Fault::Kind::trickle:
                changed = bytes.substr(0, 1);
                bytes.remove_prefix(1);
                break;
        }
        co_return co_await send(session, way, changed);
    }

    asio::awaitable<bool> send(SessionPtr session, Way way, std::string_view bytes) {
        auto& target = way == Way::to_server ? session->server : session->client;
        auto const buffer = asio::buffer(bytes.data(), bytes.size());
        auto const [error, n] = co_await asio::async_write(target, buffer, as_result);
        passed_[index(way)] += n;
        co_return !error;
    }

    static constexpr auto as_result = reactor::as_result;

    asio::io_context context_{1};
    asio::basic_socket_acceptor<Protocol> acceptor_{context_};
    Protocol::endpoint upstream_;
    reactor::TaskGroup tasks_{context_.get_executor()};
    asio::steady_timer changed_{context_, never};  // cancel() wakes everyone who waits
    std::list<SessionPtr> sessions_;
    std::array<std::optional<Fault>, 2> faults_;
    std::array<std::atomic<std::size_t>, 2> passed_{};
    std::atomic<std::size_t> accepted_{0};
    bool refusing_ = false;
    bool closing_ = false;
    std::jthread thread_;  // last: it uses everything above
};

}  // namespace penstock::tests
