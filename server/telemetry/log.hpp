// What happened, for whoever operates the program: one JSON object per line on stderr.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "reactor/result.hpp"
#include "server/options.hpp"

namespace penstock::server {

/// One member of a line. It looks at its text: use it within one expression.
struct LogField {
    using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, bool>;

    LogField(std::string_view n, std::string_view text) : name(n), value(text) {}
    LogField(std::string_view n, std::string const& text)
        : name(n), value(std::string_view(text)) {}
    LogField(std::string_view n, char const* text) : name(n), value(std::string_view(text)) {}
    LogField(std::string_view n, bool flag) : name(n), value(flag) {}
    template <std::signed_integral T>
    LogField(std::string_view n, T number) : name(n), value(std::int64_t{number}) {}
    template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>) LogField(std::string_view n, T number)
        : name(n), value(std::uint64_t{number}) {}

    std::string_view name;
    Value value;
};

/// Lets one line through per period and counts the others. Owned by one event loop.
struct LogLimit {
    milliseconds period{1'000};
    SteadyTime next{};
    std::uint64_t suppressed = 0;
};

/// Any thread. Event names are snake_case literals.
class Log {
public:
    explicit Log(LogLevel level);
    Log(Log&&) = delete;
    ~Log();

    using Fields = std::initializer_list<LogField>;
    void debug(std::string_view event, Fields fields = {}) {
        write(LogLevel::debug, event, {fields.begin(), fields.size()});
    }
    void info(std::string_view event, Fields fields = {}) {
        write(LogLevel::info, event, {fields.begin(), fields.size()});
    }
    void warning(std::string_view event, Fields fields = {}) {
        write(LogLevel::warning, event, {fields.begin(), fields.size()});
    }
    void error(std::string_view event, Fields fields = {}) {
        write(LogLevel::error, event, {fields.begin(), fields.size()});
    }
    /// At most one per period of `limit`; it says how many were left out before it.
    void limited(LogLimit& limit, LogLevel level, std::string_view event, Fields fields = {});

    void write(LogLevel level, std::string_view event, std::span<LogField const> fields);
    bool enabled(LogLevel level) const { return level >= level_; }

private:
    struct Sink;
    LogLevel level_;
    std::unique_ptr<Sink> sink_;
};

/// The members of a line after time and level, without the braces. Text that is no UTF-8 loses
/// the bytes that make it so.
std::string log_members(std::string_view event, std::span<LogField const> fields);

}  // namespace penstock::server
