// Single JSON requests, for what happens before and after the load.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <stdexcept>
#include <string>

#include "bench/connection.hpp"
#include "bench/random.hpp"
#include "bench/target.hpp"

namespace penstock::bench {

/// The server cannot be used as asked: the run ends with this message.
class Unusable : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct Reply {
    int status = 0;
    boost::json::value body;

    std::string code() const;  ///< of a problem; empty without one
};

/// Patient: no answer, 503, 504 and a key in flight are tried again under the same key, with
/// backoff, until `patience` has passed; then it throws Unusable.
class Client {
public:
    Client(asio::any_io_executor executor, Sweeper& sweeper, asio::ip::tcp::endpoint endpoint,
           Target target, std::uint64_t seed);
    Client(Client&&) = delete;

    Target const& target() const { return target_; }

    asio::awaitable<Reply> get(std::string path);
    asio::awaitable<Reply> post(std::string path, std::string body);

    /// The same, and anything but `status` is Unusable.
    asio::awaitable<boost::json::value> get_ok(std::string path);
    asio::awaitable<boost::json::value> post_ok(std::string path, std::string body, int status);

    std::chrono::seconds attempt_limit{60};
    std::chrono::seconds patience{180};

private:
    asio::awaitable<Reply> send(std::string request, std::string what);
    bool worth_another_try(End end) const;

    Connection connection_;
    Target target_;
    Random random_;
};

}  // namespace penstock::bench
