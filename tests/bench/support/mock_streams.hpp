// The mock's payment streams: what vests, what has left the escrow; and how they can be off.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "mock_answer.hpp"
#include "mock_server.hpp"

namespace penstock::tests {

/// Its clock is its own: it ticks with every request.
class MockStreams {
public:
    struct Movement {
        std::string kind;
        std::string from;
        std::string to;
        std::int64_t amount = 0;
    };
    /// False: the payer has not so much.
    using Move = std::function<bool(std::string const& ledger, Movement const& movement)>;

    MockStreams(StreamMischief mischief, Move move) : mischief_(mischief), move_(std::move(move)) {}

    static bool is_route(std::string const& route) { return route.starts_with("/streams"); }
    /// From the first withdrawal or settlement on every request is one of a load.
    bool is_load(std::string const& path);

    /// A route of a ledger that is there.
    MockAnswer post(std::string const& ledger, std::string const& route,
                    boost::json::object const& body, bool apply);

private:
    struct MockStream {
        std::string sender;
        std::string recipient;
        std::int64_t total = 0;
        std::int64_t duration_ms = 0;
        std::int64_t released = 0;
        std::int64_t refunded = 0;
        std::int64_t started_ms = 0;
        std::int64_t ended_ms = 0;  ///< 0: it runs
        std::string status = "draft";
    };

    MockAnswer make(std::vector<MockStream>& streams, boost::json::object const& body, bool apply);
    MockAnswer start(std::string const& ledger, std::size_t number, bool apply);
    MockAnswer withdraw(std::string const& ledger, std::size_t number,
                        boost::json::object const& body, bool apply);
    MockAnswer settle(std::string const& ledger, std::size_t number, bool apply);
    std::int64_t vested(MockStream const& stream) const;
    boost::json::object show(MockStream const& stream, std::size_t number) const;

    StreamMischief mischief_;
    Move move_;
    std::map<std::string, std::vector<MockStream>> ledgers_;
    std::int64_t now_ms_ = 1'795'000'000'000;
    bool has_load_ = false;
};

}  // namespace penstock::tests
