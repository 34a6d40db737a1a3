// What a round of faults plays on: the servers, Redis and PostgreSQL, and how each is broken.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/chaos/process.hpp"
#include "bench/connection.hpp"
#include "bench/options.hpp"
#include "bench/random.hpp"
#include "bench/target.hpp"

namespace penstock::bench::chaos {

/// A server that is attacked. Without a process it is somebody else's.
struct Server {
    Target target;
    asio::ip::tcp::endpoint endpoint;
    std::unique_ptr<Process> process;
    std::unique_ptr<Connection> probe;
};

class Stage {
public:
    Stage(asio::any_io_executor executor, Sweeper& sweeper, Options const& options,
          std::uint64_t seed);
    Stage(Stage&&) = delete;

    /// Starts what is not running, and returns when every server is ready. Throws Unusable.
    asio::awaitable<void> open();

    /// Breaks something and puts it right again; servers are ready when it returns.
    asio::awaitable<void> strike();

    /// One or two blows with a calm before, between and after them.
    asio::awaitable<void> attack();

    /// In the order in which they need each other. Returns what did not end as it should.
    asio::awaitable<void> close();

    std::vector<Server> const& servers() const { return servers_; }
    std::map<std::string, std::uint64_t> const& faults() const { return faults_; }
    /// What went wrong that nobody had asked for: a server that ended by itself.
    std::vector<std::string> const& surprises() const { return surprises_; }

private:
    enum class Blow {
        kill_server,
        stop_server,
        freeze_server,
        kill_redis,
        freeze_redis,
        kill_server_and_redis,
        stop_postgres,
        run_command,
    };

    void add_server(asio::any_io_executor executor, Sweeper& sweeper, std::string const& command);
    asio::awaitable<void> find(Server& server);
    void plan_blows();
    asio::awaitable<void> deal(Blow blow);
    asio::awaitable<void> kill(Process& process, int signal_number);
    asio::awaitable<void> stop(Process& process);
    asio::awaitable<void> freeze(Process& process);
    asio::awaitable<void> run_command();
    asio::awaitable<void> pause(milliseconds most);
    asio::awaitable<bool> ready(Server& server);
    void keep_running();
    void note_surprise(Process& process);
    Process& any_server();

    asio::any_io_executor executor_;
    Options options_;
    Random random_;
    std::vector<Server> servers_;
    std::unique_ptr<Process> redis_;
    std::unique_ptr<Process> postgres_;
    std::vector<Blow> kinds_;
    std::vector<Blow> bag_;  ///< each kind once, shuffled: none is left out for long
    std::size_t commands_run_ = 0;
    std::map<std::string, std::uint64_t> faults_;
    std::vector<std::string> surprises_;
    bool database_away_ = true;  ///< a server that ends now has a reason
};

}  // namespace penstock::bench::chaos
