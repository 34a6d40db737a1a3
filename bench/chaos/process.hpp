// A program that the bench starts, breaks and starts again.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "reactor/result.hpp"

namespace penstock::bench::chaos {

/// Runs a shell command in a session of its own. It ends with this object, and with this program
/// however that ends.
class Process {
public:
    Process(std::string name, std::string command);
    Process(Process&&) = delete;
    ~Process();

    std::string const& name() const { return name_; }

    void start();  ///< asserts that it does not run
    void signal(int number);
    bool running();
    int outcome() const { return outcome_; }  ///< of the last run that has ended
    /// It ended though no signal of ours, SIGSTOP and SIGCONT apart, had been sent.
    bool ended_by_itself();

    /// How it ended: the exit code, or 128 and the signal. Nothing: it still runs at the deadline.
    asio::awaitable<std::optional<int>> ended(SteadyTime deadline);

private:
    std::string name_;
    std::string command_;
    pid_t pid_ = 0;  ///< 0: it does not run
    int outcome_ = 0;
    enum class Wish { none, run, end } wish_ = Wish::none;
};

}  // namespace penstock::bench::chaos
