// What the user asked for on the command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace penstock::bench {

enum class Pattern { uniform, zipf, hot, author, platform };
/// What a sale is made of.
enum class As { purchases, transfers };
/// How the ledgers of a load are made: decided in PostgreSQL, or in Redis.
enum class Posted { durable, hot };

/// `--chaos`: what is killed under load, and started again.
struct ChaosOptions {
    bool on = false;
    unsigned rounds = 10;
    std::vector<std::string> servers;  ///< commands; `{listen}` becomes an address of ours
    std::string redis;                 ///< command; empty: Redis is left alone
    std::string postgres;              ///< command; empty: PostgreSQL is left alone
    std::vector<std::string> faults;   ///< further commands, each run to its end
};

/// What a sale is put under: the crowd of its first second, or as many orders as the server takes,
/// all of them accepted, or all of them refused because there is nothing left.
enum class SaleLoad { spike, accepted, refused };

/// `sale`: what is sold, and who comes.
struct SaleOptions {
    SaleLoad load = SaleLoad::spike;
    std::int64_t stock = 200;
    std::int64_t per_user_limit = 1;
    std::int64_t price = 1000;
    bool paid = false;      ///< into a ledger, by funded buyers
    unsigned products = 1;  ///< accepted: on sale at the same time
    unsigned users = 5000;
    unsigned quantity_max = 1;   ///< units in an order: 1 to so many
    double spread_ms = 500;      ///< so long after the start the last of them has come
    double early = 0.1;          ///< the share of users that come too early and once more
    double repeat_buyers = 0.1;  ///< of users that want another order, under another key
    double repetitions = 0.1;    ///< of users that send their order twice, under one key
    unsigned bots = 4;           ///< users that try again and again
    unsigned bot_attempts = 50;
};

/// In which order the lots of an address pay.
enum class Drain { emission, expiration };

/// `credits` and its kin.
struct CreditOptions {
    double spend = 0.9;         ///< the share of requests that are expenses
    double short_lived = 0.02;  ///< the share of grants that expire soon
    double lifetime_s = 5;      ///< after so long, or up to twice as long
    Drain drain = Drain::emission;
    unsigned width = 30'000;  ///< credits-wide: entries in a request
};

struct Options {
    std::string scenario;
    std::string target = "http://127.0.0.1:8080";
    std::vector<std::string> against;  ///< empty: no comparison
    std::string api_key;
    unsigned connections = 64;
    double duration_s = 10;
    double warmup_s = 2;
    double slice_s = 2;
    std::uint64_t requests = 0;  ///< 0: until the duration has passed
    double rate = 0;             ///< requests per second; 0: closed loop
    std::chrono::milliseconds timeout{10'000};
    Pattern pattern = Pattern::uniform;
    double zipf_exponent = 0.99;
    unsigned accounts = 1000;
    unsigned ledgers = 1;
    unsigned batch = 500;
    unsigned history = 20'000;  ///< reads: transfers that exist beforehand
    std::uint64_t seed = 1;
    std::string input;
    std::string ledger;
    std::uint64_t lines = 0;  ///< retail: only the first ones; 0: all
    As as = As::purchases;
    Posted posted = Posted::durable;       ///< the scenario says it, not the command line
    double settle_s = 60;                  ///< hot: so long without progress is a standstill
    double repeat = 0.5;                   ///< replays: the share of keys that were used before
    std::optional<double> repeat_against;  ///< the same on the other servers
    SaleOptions sale;
    CreditOptions credits;
    ChaosOptions chaos;
    std::string json_file;
    std::string html_file;
};

/// Unusable options: exit code 2.
class BadOptions : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// nullopt: help was asked for. Throws BadOptions.
std::optional<Options> parse_options(std::vector<std::string> const& arguments);

std::string help_text();
char const* name_of(Pattern pattern);
char const* name_of(As as);
char const* name_of(SaleLoad load);
char const* name_of(Drain drain);

}  // namespace penstock::bench
