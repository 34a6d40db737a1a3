// What a watcher sees: one request for server-sent events, and the events as they come.
#pragma once

#include <poll.h>

#include <chrono>
#include <optional>
#include <string>

#include "tests/support/http_client.hpp"

namespace penstock::tests {

/// Blocks, but never longer than it is told.
class EventStream {
public:
    struct Event {
        std::string id;
        std::string name;
        std::string data;
        json::value document() const { return json::parse(data); }
    };

    EventStream(std::uint16_t port, std::string const& path, HttpHeaders const& headers = {})
        : client_(port) {
        std::string text = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
        for (auto const& [name, value] : headers) text += name + ": " + value + "\r\n";
        client_.send(text + "\r\n");
        auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        auto end = wire_.find("\r\n\r\n");
        for (; end == std::string::npos; end = wire_.find("\r\n\r\n"))
            if (!read_some(deadline)) throw ConnectionEnded("no answer");
        head_ = wire_.substr(0, end + 2);
        wire_.erase(0, end + 4);
    }

    /// The status line and the header.
    std::string const& head() const { return head_; }

    /// The next event; comments and `retry` are passed over. Nothing: none came within the limit,
    /// or the stream has ended.
    std::optional<Event> next(std::chrono::milliseconds limit = std::chrono::seconds(20)) {
        auto const deadline = std::chrono::steady_clock::now() + limit;
        for (;;) {
            auto block = next_block(deadline);
            if (!block) return std::nullopt;
            auto event = parse(*block);
            if (!event.data.empty()) return event;
        }
    }

    /// The next block of lines as it came, comments included.
    std::optional<std::string> next_block(
        std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::now() +
                                                         std::chrono::seconds(20)) {
        for (;;) {
            auto const end = text_.find("\n\n");
            if (end != std::string::npos) {
                auto block = text_.substr(0, end + 1);
                text_.erase(0, end + 2);
                return block;
            }
            if (ended_ || !receive(deadline)) return std::nullopt;
        }
    }

    /// True once the server has said that this was all.
    bool is_ended_in_order() const { return ended_; }

private:
    static Event parse(std::string const& block) {
        Event event;
        for (std::size_t from = 0; from < block.size();) {
            auto const end = block.find('\n', from);
            auto const line = block.substr(from, end - from);
            from = end + 1;
            if (line.starts_with("id: ")) event.id = line.substr(4);
            if (line.starts_with("event: ")) event.name = line.substr(7);
            if (line.starts_with("data: ")) event.data = line.substr(6);
        }
        return event;
    }

    /// False: nothing came in time, or the connection has ended.
    bool receive(std::chrono::steady_clock::time_point deadline) {
        if (decode()) return true;
        if (!read_some(deadline)) return false;
        decode();
        return true;
    }

    bool read_some(std::chrono::steady_clock::time_point deadline) {
        auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd wait{client_.fd(), POLLIN, 0};
        if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0)
            return false;
        char block[16384];
        auto const n = ::recv(client_.fd(), block, sizeof block, 0);
        if (n <= 0) return false;
        wire_.append(block, static_cast<std::size_t>(n));
        return true;
    }

    /// Takes the whole chunks that have arrived.
    bool decode() {
        bool any = false;
        for (;;) {
            auto const line = wire_.find("\r\n");
            if (line == std::string::npos) return any;
            auto const size = std::strtoul(wire_.c_str(), nullptr, 16);
            if (wire_.size() < line + 2 + size + 2) return any;
            text_ += wire_.substr(line + 2, size);
            wire_.erase(0, line + 2 + size + 2);
            any = true;
            if (size == 0) ended_ = true;
        }
    }

    HttpClient client_;
    std::string head_;
    std::string wire_;
    std::string text_;
    bool ended_ = false;
};

}  // namespace penstock::tests
