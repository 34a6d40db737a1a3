#include "bench/chaos/process.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "bench/client.hpp"
#include "domain/assert.hpp"
#include "reactor/deadline.hpp"

namespace penstock::bench::chaos {
namespace {

constexpr milliseconds look_again{5};

int outcome_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Process::Process(std::string name, std::string command)
    : name_(std::move(name)), command_("exec " + std::move(command)) {}

Process::~Process() {
    if (!running()) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void Process::start() {
    PENSTOCK_ASSERT(pid_ == 0);
    // Made before the fork: the child may do little more than call the kernel.
    char const* const arguments[] = {"/bin/sh", "-c", command_.c_str(), nullptr};
    auto const parent = ::getpid();
    pid_t const child = ::fork();
    if (child < 0) throw Unusable("cannot start " + name_);
    if (child == 0) {
        ::setsid();
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(127);
        // Our connections are not its business: a copy of one would keep it open.
        ::close_range(3, ~0U, 0);
        ::execv(arguments[0], const_cast<char* const*>(arguments));
        ::_exit(127);
    }
    pid_ = child;
    wish_ = Wish::run;
}

void Process::signal(int number) {
    if (number != SIGSTOP && number != SIGCONT) wish_ = Wish::end;
    if (running()) ::kill(pid_, number);
}

bool Process::ended_by_itself() { return wish_ == Wish::run && !running(); }

bool Process::running() {
    if (pid_ == 0) return false;
    int status = 0;
    auto const got = ::waitpid(pid_, &status, WNOHANG);
    if (got == 0) return true;
    outcome_ = got == pid_ ? outcome_of(status) : 127;
    pid_ = 0;
    return false;
}

asio::awaitable<std::optional<int>> Process::ended(SteadyTime deadline) {
    for (;;) {
        if (!running()) co_return outcome_;
        if (steady_now() >= deadline) co_return std::nullopt;
        co_await reactor::sleep_until(steady_now() + look_again);
    }
}

}  // namespace penstock::bench::chaos
