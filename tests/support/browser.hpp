// A real headless Chromium that the test drives through its DevTools protocol, over two pipes.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace penstock::tests {

namespace json = boost::json;

/// One browser with one page. It keeps nothing: its profile is a directory that ends with it.
/// Whatever does not happen in time throws.
class Browser {
public:
    Browser() {
        std::string pattern = std::filesystem::temp_directory_path() / "browser-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        directory_ = pattern;
        launch();
        auto const target = call("Target.createTarget", {{"url", "about:blank"}}, "");
        auto const attached = call("Target.attachToTarget",
                                   {{"targetId", target.at("targetId")}, {"flatten", true}}, "");
        session_ = std::string(attached.at("sessionId").as_string());
        call("Page.enable", {});
        call("Runtime.enable", {});
        call("Log.enable", {});
    }
    Browser(Browser&&) = delete;
    ~Browser() {
        ::close(to_);
        ::close(from_);
        // Its helpers belong to its group.
        ::kill(-pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    /// Returns when the page has begun to load: what it shows is awaited by what it shows.
    void open(std::string const& url) { call("Page.navigate", {{"url", url}}); }

    /// The value of an expression; a promise is awaited.
    json::value evaluate(std::string const& expression) {
        auto const answer =
            call("Runtime.evaluate",
                 {{"expression", expression}, {"returnByValue", true}, {"awaitPromise", true}});
        auto const& object = answer.as_object();
        if (auto const* failure = object.if_contains("exceptionDetails"))
            throw std::runtime_error(expression + ": " + json::serialize(*failure));
        auto const* value = object.at("result").as_object().if_contains("value");
        return value ? *value : json::value();
    }
    std::string text(std::string const& expression) {
        return std::string(json::value_to<std::string>(evaluate("String(" + expression + ")")));
    }

    /// Asks again until the expression holds. False: it did not in time.
    bool shows(std::string const& expression,
               std::chrono::seconds limit = std::chrono::seconds(20)) {
        auto const deadline = std::chrono::steady_clock::now() + limit;
        while (std::chrono::steady_clock::now() < deadline) {
            // The page itself waits a moment, so that asking costs little; a page that is being
            // replaced has no answer.
            try {
                auto const held = evaluate(
                    "new Promise(done => { const ask = left => { let held = false; "
                    "try { held = Boolean(" +
                    expression +
                    ") } catch {} "
                    "held || left === 0 ? done(held) : setTimeout(ask, 10, left - 1) }; "
                    "ask(50) })");
                if (held == json::value(true)) return true;
            } catch (std::runtime_error const&) {
            }
        }
        return false;
    }

    /// What the page or the browser complained of: errors of scripts, violations of the policy.
    std::vector<std::string> const& complaints() const { return complaints_; }

    /// A picture of the page, as a PNG in base64.
    std::string picture() {
        auto const answer = call("Page.captureScreenshot", {{"format", "png"}});
        return std::string(answer.at("data").as_string());
    }

private:
    static constexpr int browser_reads = 3;
    static constexpr int browser_writes = 4;

    void launch() {
        int down[2];
        int up[2];
        if (::pipe2(down, O_CLOEXEC) != 0 || ::pipe2(up, O_CLOEXEC) != 0)
            throw std::runtime_error("pipe");
        auto const profile = "--user-data-dir=" + directory_.string();
        pid_ = ::fork();
        if (pid_ == 0) {
            ::setpgid(0, 0);
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            // Out of the way of 3 and 4 first.
            int const reads = ::fcntl(down[0], F_DUPFD, 10);
            int const writes = ::fcntl(up[1], F_DUPFD, 10);
            int const nothing = ::open("/dev/null", O_RDWR);
            ::dup2(nothing, STDIN_FILENO);
            ::dup2(nothing, STDOUT_FILENO);
            ::dup2(nothing, STDERR_FILENO);
            ::dup2(reads, browser_reads);
            ::dup2(writes, browser_writes);
            // Root has no sandbox; containers have a small /dev/shm.
            ::execlp("chromium", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
                     "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
                     "--disable-background-networking", "--disable-component-update",
                     "--password-store=basic", "--window-size=700,860", "--lang=en-GB",
                     "--remote-debugging-pipe", profile.c_str(), nullptr);
            ::_exit(127);
        }
        ::setpgid(pid_, pid_);
        ::close(down[0]);
        ::close(up[1]);
        to_ = down[1];
        from_ = up[0];
    }

    json::value call(std::string const& method, json::object parameters) {
        return call(method, std::move(parameters), session_);
    }

    json::value call(std::string const& method, json::object parameters,
                     std::string const& session) {
        json::object message{{"id", ++last_id_}, {"method", method}};
        message["params"] = std::move(parameters);
        if (!session.empty()) message["sessionId"] = session;
        auto text = json::serialize(message);
        text += '\0';
        for (std::size_t sent = 0; sent < text.size();) {
            auto const n = ::write(to_, text.data() + sent, text.size() - sent);
            if (n <= 0) throw std::runtime_error("the browser is gone: is chromium installed?");
            sent += static_cast<std::size_t>(n);
        }
        auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        for (;;) {
            auto const answer = receive(deadline);
            auto const& object = answer.as_object();
            auto const* id = object.if_contains("id");
            if (id == nullptr) note(object);
            if (id == nullptr || id->to_number<std::int64_t>() != last_id_) continue;
            if (auto const* error = object.if_contains("error"))
                throw std::runtime_error(method + ": " + json::serialize(*error));
            return object.at("result");
        }
    }

    void note(json::object const& event) {
        auto const& method = event.at("method").as_string();
        bool const thrown = method == "Runtime.exceptionThrown";
        if (thrown || method == "Log.entryAdded")
            complaints_.push_back(json::serialize(event.at("params")));
    }

    json::value receive(std::chrono::steady_clock::time_point deadline) {
        auto end = buffer_.find('\0');
        for (; end == std::string::npos; end = buffer_.find('\0')) {
            auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now());
            pollfd wait{from_, POLLIN, 0};
            if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0)
                throw std::runtime_error("the browser does not answer");
            char block[16384];
            auto const n = ::read(from_, block, sizeof block);
            if (n <= 0) throw std::runtime_error("the browser has ended: is chromium installed?");
            buffer_.append(block, static_cast<std::size_t>(n));
        }
        auto message = json::parse(buffer_.substr(0, end));
        buffer_.erase(0, end + 1);
        return message;
    }

    std::filesystem::path directory_;
    pid_t pid_ = -1;
    int to_ = -1;
    int from_ = -1;
    std::string session_;
    std::string buffer_;
    std::int64_t last_id_ = 0;
    std::vector<std::string> complaints_;
};

}  // namespace penstock::tests
