// A ledger server in memory that can misbehave on purpose: what the bench is tried against.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace penstock::tests {

/// What is wrong with its sales.
struct SaleMischief {
    bool sell_without_end = false;      ///< whatever the stock
    bool no_limit = false;              ///< for a user
    bool open_early = false;            ///< sells before the start
    std::int64_t hidden_units = 0;      ///< sold out although so many are left
    std::int64_t gate_ahead = 0;        ///< the gate has so many units that are not there
    bool keep_cancelled_units = false;  ///< cancelled orders give nothing back to the stock
};

/// What is wrong with its credits.
struct CreditMischief {
    bool newest_first = false;  ///< the lot granted last pays first
    bool keep_expired = false;  ///< what has expired still counts
};

/// What its one export holds, and what is wrong with it.
struct ExportMischief {
    std::uint64_t rows = 0;
    std::uint64_t row_bytes = 100;
    bool drop_a_row = false;     ///< the file has one less than the server says
    bool cut_pieces = false;     ///< the last byte of every range is missing
    bool ignore_ranges = false;  ///< the whole file, whatever was asked for
    bool fail = false;           ///< it never becomes ready
};

/// What is wrong with its streams.
struct StreamMischief {
    bool pay_from_sender = false;  ///< withdrawals leave the escrow alone
    bool keep_back = false;        ///< one unit less is given back than is said
    bool refund_all = false;       ///< a settlement gives back what has vested, too
};

/// What is wrong with its hot ledgers.
struct HotMischief {
    bool never_home = false;    ///< the last transfer stays where it is
    bool lose_one = false;      ///< one less comes home than was acknowledged
    bool forget_posts = false;  ///< an account is shown without what was posted
    bool silent = false;        ///< it does not say how far it has come
    std::int64_t dead_letters = 0;
};

/// Every so many write requests something goes wrong; 0: never.
struct Mischief {
    unsigned lose_answer_every = 0;   ///< applied, then the connection is closed
    unsigned drop_request_every = 0;  ///< not applied, and the connection is closed
    unsigned overload_every = 0;      ///< 503 overloaded
    unsigned unavailable_every = 0;   ///< applied, but answered with 503 unavailable
    unsigned forget_every = 0;        ///< acknowledged, but not applied: the books are off
    unsigned refuse_every = 0;        ///< 402
    unsigned wrong_amount_every = 0;  ///< applied, but the answer names another amount
    unsigned silent_every = 0;        ///< applied, but never answered
    unsigned double_every = 0;        ///< applied twice
    bool garble_replays = false;      ///< a repeated key gets other bytes
    bool unlimited_credit = false;    ///< nobody is ever without funds
    SaleMischief sales{};
    CreditMischief credits{};
    ExportMischief exports{};
    StreamMischief streams{};
    HotMischief hot{};
};

/// Listens on a free loopback port with a thread of its own; ends with the object. Money routes
/// of the API on implicit ledgers, durable and hot, flash sales, credits, streams and an export,
/// keyed exactly once. Chunks every other answer.
class MockServer {
public:
    explicit MockServer(Mischief mischief = {});
    MockServer(MockServer&&) = delete;
    ~MockServer();

    std::string url() const;

private:
    struct State;
    std::unique_ptr<State> state_;
    std::thread thread_;
};

}  // namespace penstock::tests
