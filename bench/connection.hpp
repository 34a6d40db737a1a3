// One keep-alive connection to the server: a request goes out, an answer comes back, in time.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <list>
#include <string>
#include <vector>

#include "bench/response_parser.hpp"
#include "reactor/result.hpp"

namespace penstock::bench {

/// How an exchange ended.
enum class End {
    answered,
    timed_out,  ///< no complete answer at the deadline: it may have been applied
    cut,        ///< refused, reset or closed before the answer was complete: likewise
    malformed,  ///< the answer is not HTTP
};

class Connection;

/// Holds every connection to its deadline with one timer: a timer per request would cost the
/// generator more than the request. Deadlines are late by at most one tick.
class Sweeper {
public:
    static constexpr milliseconds tick{20};

    Sweeper() = default;
    Sweeper(Sweeper&&) = delete;

    /// Ends on cancellation.
    asio::awaitable<void> run();

private:
    friend class Connection;
    std::list<Connection*> watched_;
};

/// Connects when it must and reconnects by itself. One exchange at a time.
class Connection {
public:
    Connection(asio::any_io_executor executor, Sweeper& sweeper, asio::ip::tcp::endpoint endpoint);
    Connection(Connection&&) = delete;
    ~Connection();

    /// `request` must outlive the wait.
    asio::awaitable<End> exchange(std::string const& request, SteadyTime deadline);

    /// Of the last exchange that was answered, until the next one.
    Response const& response() const { return parser_.response(); }

private:
    friend class Sweeper;

    asio::awaitable<error_code> connect();
    asio::awaitable<error_code> write(std::string const& request);
    asio::awaitable<End> read();
    End failed();
    void sweep(SteadyTime now);
    void close();

    asio::ip::tcp::socket socket_;
    asio::ip::tcp::endpoint endpoint_;
    Sweeper& sweeper_;
    std::list<Connection*>::iterator watched_;
    SteadyTime deadline_ = never;  ///< `never` while idle
    bool late_ = false;            ///< the sweeper has closed the socket
    ResponseParser parser_;
    std::vector<char> buffer_;
};

}  // namespace penstock::bench
