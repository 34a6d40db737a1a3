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

/// `--chaos`: what is killed under load, and started again.
struct ChaosOptions {
    bool on = false;
    unsigned rounds = 10;
    std::vector<std::string> servers;  ///< commands; `{listen}` becomes an address of ours
    std::string redis;                 ///< command; empty: Redis is left alone
    std::string postgres;              ///< command; empty: PostgreSQL is left alone
    std::vector<std::string> faults;   ///< further commands, each run to its end
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
    double repeat = 0.5;                   ///< replays: the share of keys that were used before
    std::optional<double> repeat_against;  ///< the same on the other servers
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

}  // namespace penstock::bench
