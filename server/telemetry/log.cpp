// What happened: spdlog behind one door.
#include "server/telemetry/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <vector>

#include "server/http/json_writer.hpp"
#include "server/http/request.hpp"

namespace penstock::server {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
        case LogLevel::off:
            return spdlog::level::off;
    }
    return spdlog::level::info;
}

/// Messages of libraries may hold anything; a line of the log is always JSON.
std::string printable(std::string_view text) {
    std::string kept(text);
    if (!is_utf8(kept)) std::erase_if(kept, [](char c) { return (c & 0x80) != 0; });
    return kept;
}

}  // namespace

struct Log::Sink {
    Sink() : logger("penstock", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
        // The clock of the library stamps the lines: nothing of ours depends on it.
        logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
            R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})", spdlog::pattern_time_type::utc,
            "\n"));
    }
    spdlog::logger logger;
};

Log::Log(LogLevel level) : level_(level), sink_(std::make_unique<Sink>()) {
    sink_->logger.set_level(level_of(level));
}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view event, std::span<LogField const> fields) {
    if (!enabled(level) || level == LogLevel::off) return;
    auto const members = log_members(event, fields);
    sink_->logger.log(level_of(level), spdlog::string_view_t(members.data(), members.size()));
}

void Log::limited(LogLimit& limit, LogLevel level, std::string_view event, Fields fields) {
    auto const now = steady_now();
    if (now < limit.next) {
        ++limit.suppressed;
        return;
    }
    std::vector<LogField> all(fields);
    if (limit.suppressed > 0) all.emplace_back("suppressed", limit.suppressed);
    limit.next = now + limit.period;
    limit.suppressed = 0;
    write(level, event, all);
}

std::string log_members(std::string_view event, std::span<LogField const> fields) {
    std::string line;
    JsonWriter json(line);
    json.begin_object();
    json.member("event", event);
    for (auto const& field : fields) {
        auto const* const text = std::get_if<std::string_view>(&field.value);
        if (text != nullptr) {
            json.member(field.name, printable(*text));
            continue;
        }
        std::visit([&](auto value) { json.member(field.name, value); }, field.value);
    }
    json.end_object();
    return line.substr(1, line.size() - 2);
}

}  // namespace penstock::server
