// A real `penstock serve` of the test's own, which it may stop, kill and start again.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace penstock::tests {

/// Listens on a free port of 127.0.0.1, unless the test names one. Ends with the test, even when
/// the test crashes.
class ServerProcess {
public:
    /// `options` as on the command line: {"--database-url", url}. Returns when it is ready.
    explicit ServerProcess(std::vector<std::string> options,
                           std::string const& listen = "127.0.0.1:0") {
        launch(serving(std::move(options), listen, "error"));
        port_ = read_port();
    }
    /// One whose log is read: said_until() tells what it says.
    struct Logging {
        std::string level;
    };
    ServerProcess(Logging logging, std::vector<std::string> options) {
        launch(serving(std::move(options), "127.0.0.1:0", logging.level), STDERR_FILENO);
        port_ = read_port();
    }
    ServerProcess(ServerProcess&&) = delete;
    ~ServerProcess() { kill(); }

    /// Any command of the program, to its end: what it prints, stderr included, and its code.
    struct Ended {
        std::string output;
        int code = -1;
    };
    static Ended run(std::vector<std::string> const& words) {
        ServerProcess process(words, STDERR_FILENO);
        Ended ended;
        auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (process.read_some(ended.output, deadline)) {
        }
        ended.code = process.exit_code().value_or(-1);
        return ended;
    }

    /// The same, while it runs: for who wants to kill it.
    static ServerProcess started(std::vector<std::string> const& words) {
        return ServerProcess(words, STDERR_FILENO);
    }

    std::uint16_t port() const { return port_; }

    /// All that it has said since its start, once `text` is part of it; throws where that takes
    /// too long.
    std::string const& said_until(std::string const& text) {
        auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (said_.find(text) == std::string::npos)
            if (!read_some(said_, deadline))
                throw std::runtime_error("never said " + text + ", but: " + said_);
        return said_;
    }

    /// SIGKILL, and returns when it has ended.
    void kill() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
            pid_ = -1;
        }
        if (output_ >= 0) ::close(std::exchange(output_, -1));
    }

    void terminate() { ::kill(pid_, SIGTERM); }

    /// The exit code, 128 + the signal that ended it, or nothing when it did not end in time.
    std::optional<int> exit_code(std::chrono::seconds limit = std::chrono::seconds(30)) {
        // Its end closes the pipe; only then is there a status to fetch.
        auto const deadline = std::chrono::steady_clock::now() + limit;
        std::string ignored;
        while (read_some(ignored, deadline)) {
        }
        if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
        int status = 0;
        if (::waitpid(pid_, &status, 0) != pid_) return std::nullopt;
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

private:
    using Deadline = std::chrono::steady_clock::time_point;

    ServerProcess(std::vector<std::string> words, int also_shown) {
        words.insert(words.begin(), PENSTOCK_BINARY_DIR "/penstock");
        launch(std::move(words), also_shown);
    }

    static std::vector<std::string> serving(std::vector<std::string> options,
                                            std::string const& listen, std::string const& level) {
        std::vector<std::string> words{PENSTOCK_BINARY_DIR "/penstock",
                                       "serve",
                                       "--listen",
                                       listen,
                                       "--log-level",
                                       level,
                                       "--threads",
                                       "2"};
        words.insert(words.end(), options.begin(), options.end());
        return words;
    }

    /// `also_shown`: another descriptor of the process whose output we read.
    void launch(std::vector<std::string> words, int also_shown = STDOUT_FILENO) {
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        int pipe[2];
        if (::pipe2(pipe, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::dup2(pipe[1], STDOUT_FILENO);
            ::dup2(pipe[1], also_shown);
            ::execv(arguments[0], arguments.data());
            ::_exit(127);
        }
        ::close(pipe[1]);
        output_ = pipe[0];
    }

    /// Reads stdout until it says where it listens.
    std::uint16_t read_port() {
        auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        for (;;) {
            auto const ready = said_.find("ready on ");
            auto const end = said_.find(" (store", ready);
            if (ready != std::string::npos && end != std::string::npos) {
                auto const colon = said_.rfind(':', end);
                return static_cast<std::uint16_t>(std::stoul(said_.substr(colon + 1)));
            }
            if (read_some(said_, deadline)) continue;
            kill();
            throw std::runtime_error("penstock serve does not get ready: " + said_);
        }
    }

    /// False: it closed its stdout, or the deadline passed.
    bool read_some(std::string& output, Deadline deadline) const {
        auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd wait{output_, POLLIN, 0};
        if (left.count() <= 0) return false;
        auto const ready = ::poll(&wait, 1, static_cast<int>(left.count()));
        // Who was stopped for a moment asks again.
        if (ready < 0 && errno == EINTR) return true;
        if (ready <= 0) return false;
        char block[4096];
        auto const n = ::read(output_, block, sizeof block);
        if (n <= 0) return false;
        output.append(block, static_cast<std::size_t>(n));
        return true;
    }

    pid_t pid_ = -1;
    int output_ = -1;
    std::string said_;
    std::uint16_t port_ = 0;
};

}  // namespace penstock::tests
