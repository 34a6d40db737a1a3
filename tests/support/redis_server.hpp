// A real redis-server of the test's own, which it may stop, kill, restart and fill.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace penstock::tests {

/// Listens on a unix socket in a temporary directory and on a TCP port of 127.0.0.1. Keeps
/// nothing on disk. Ends with the test, even when the test crashes.
class RedisServer {
public:
    /// `options` as on the command line: {"--requirepass", "secret"}.
    explicit RedisServer(std::vector<std::string> options = {}) : options_(std::move(options)) {
        std::string pattern = std::filesystem::temp_directory_path() / "redis-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        directory_ = pattern;
        start();
    }
    RedisServer(RedisServer&&) = delete;
    ~RedisServer() {
        kill();
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    std::string socket_path() const { return directory_ / "redis.sock"; }
    std::uint16_t port() const { return port_; }

    /// Returns when it accepts connections: with the same addresses as before.
    void start() {
        // A port that is free now may be taken a moment later: then another one, but only as long
        // as nobody has been told the first.
        for (int attempt = 0; attempt < 5; ++attempt) {
            if (!started_once_) port_ = free_port();
            if (launch()) {
                started_once_ = true;
                return;
            }
            kill();
        }
        throw std::runtime_error("redis-server does not start");
    }

    /// SIGKILL, and returns when it has ended.
    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
        ::close(output_);
    }

    /// Returns when it has stopped: it answers nothing, and its sockets stay open.
    void freeze() {
        ::kill(pid_, SIGSTOP);
        ::waitpid(pid_, nullptr, WUNTRACED);
    }
    void thaw() { ::kill(pid_, SIGCONT); }

private:
    static std::uint16_t free_port() {
        boost::asio::io_context context;
        boost::asio::ip::tcp::endpoint const any(boost::asio::ip::address_v4::loopback(), 0);
        boost::asio::ip::tcp::acceptor const probe(context, any);
        return probe.local_endpoint().port();
    }

    std::vector<std::string> command_line() const {
        std::vector<std::string> words{"redis-server",
                                       "--bind",
                                       "127.0.0.1",
                                       "--port",
                                       std::to_string(port_),
                                       "--unixsocket",
                                       socket_path(),
                                       "--dir",
                                       directory_,
                                       "--save",
                                       "",
                                       "--appendonly",
                                       "no",
                                       "--daemonize",
                                       "no"};
        words.insert(words.end(), options_.begin(), options_.end());
        return words;
    }

    bool launch() {
        auto words = command_line();
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        int pipe[2];
        if (::pipe2(pipe, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
        // Redis must not block once nobody reads its log any more.
        ::fcntl(pipe[1], F_SETFL, O_NONBLOCK);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::dup2(pipe[1], STDOUT_FILENO);
            ::dup2(pipe[1], STDERR_FILENO);
            ::execvp(arguments[0], arguments.data());
            ::_exit(127);
        }
        ::close(pipe[1]);
        output_ = pipe[0];
        return says("Ready to accept connections");
    }

    /// Reads the log until it says so. False: it ended, or half a minute passed.
    bool says(std::string const& text) {
        std::string log;
        auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (log.find(text) == std::string::npos) {
            auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now());
            pollfd wait{output_, POLLIN, 0};
            if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0)
                return false;
            char block[4096];
            auto const n = ::read(output_, block, sizeof block);
            if (n <= 0) return false;
            log.append(block, static_cast<std::size_t>(n));
        }
        return true;
    }

    std::vector<std::string> options_;
    std::filesystem::path directory_;
    std::uint16_t port_ = 0;
    bool started_once_ = false;
    pid_t pid_ = -1;
    int output_ = -1;
};

}  // namespace penstock::tests
