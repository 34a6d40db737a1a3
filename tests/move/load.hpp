// Clients of two servers who insist on an answer to every request, wherever they find one, and the
// sum of what they were told.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/http_client.hpp"

namespace penstock::tests {

inline constexpr int payers = 6;

inline std::string payer(int number) { return "a" + std::to_string(number % payers); }

/// Where two servers listen; 0 while one is away.
class Ports {
public:
    void set(std::size_t server, std::uint16_t port);
    /// Of that server, or of the other one; 0: nobody came within a moment.
    std::uint16_t find(std::size_t server);

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::array<std::uint16_t, 2> ports_{};
};

/// What the clients use: paths, each of its own kind.
struct Places {
    std::string money;    ///< a ledger of the payers
    std::string streams;  ///< another, in which ann pays bob
    std::string credits;
    std::string sale;
};

/// A request that was accepted, and the answer that its key must get for ever.
struct Accepted {
    std::string path, body, key, answer;
    unsigned status = 0;
};

/// What follows from the answers.
struct Tally {
    std::map<std::string, long> balances;  ///< of the payers, against what they began with
    std::map<std::string, long> credits;
    long transfers = 0;
    long sold = 0;
    long streamed = 0;  ///< that ann put into streams
    long withdrawn = 0;
    std::vector<Accepted> accepted;
};

class Load {
public:
    Load(Places places, Ports& ports);
    Load(Load&&) = delete;
    ~Load() { stop(); }

    struct Passed {
        std::size_t answers = 0;
        std::chrono::milliseconds slowest{0};
    };
    /// Goes on until so many more were answered, or something went wrong. What was answered since
    /// the last call.
    Passed let_pass(std::size_t more);
    void stop();

    /// What must not be: answers that no client should get. After stop(), as is the tally.
    std::vector<std::string> const& complaints() const { return complaints_; }
    Tally const& tally() const { return tally_; }

private:
    using Document = std::optional<json::object>;
    /// Whom a client asks next: the two in turn.
    struct Client {
        int number;
        std::size_t server = 0;
        int round = 0;
    };
    using Business = void (Load::*)(Client&);

    void live(Client client, Business business);
    void pay(Client& client);
    void hold(Client& client);
    void order(Client& client);
    void grant_or_spend(Client& client);
    void stream(Client& client);

    Document ask(Client& client, std::string path, std::string body, bool may_be_refused = false);
    Document insist(Client& client, Accepted request, bool may_be_refused);
    void must_show(Client& client, std::string const& path);
    std::optional<HttpAnswer> send(Client& client, std::string const& method,
                                   Accepted const& request);
    void complain(std::string what);
    void note(Accepted request, std::chrono::steady_clock::duration took);

    template <class Change>
    void book(Change change) {
        std::lock_guard const lock(mutex_);
        change(tally_);
    }

    Places places_;
    Ports& ports_;
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    std::condition_variable answered_;
    std::size_t answers_ = 0;
    Passed passed_;
    Tally tally_;
    std::vector<std::string> complaints_;
    std::vector<std::jthread> clients_;
};

}  // namespace penstock::tests
