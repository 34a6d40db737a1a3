// What a client sees: a small blocking HTTP/1.1 client with keep-alive, one connection each.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace penstock::tests {

namespace json = boost::json;

struct HttpAnswer {
    unsigned status = 0;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;

    std::string header(std::string const& name) const {
        auto const found = headers.find(name);
        return found == headers.end() ? "" : found->second;
    }
    json::value document() const { return json::parse(body); }
    /// The stable code of a problem; "" of anything else.
    std::string code() const {
        json::error_code error;
        auto const value = json::parse(body, error);
        if (error || !value.is_object()) return "";
        auto const* member = value.as_object().if_contains("code");
        return member && member->is_string() ? std::string(member->as_string()) : "";
    }
};

/// Why there was no answer.
struct ConnectionEnded : std::runtime_error {
    explicit ConnectionEnded(std::string const& what, int number = 0)
        : std::runtime_error(what), error_number(number) {}
    int error_number;  ///< 0: closed in order
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

class HttpClient {
public:
    explicit HttpClient(std::uint16_t port) : port_(port) {}
    HttpClient(HttpClient&&) = delete;
    ~HttpClient() { close(); }

    /// Throws ConnectionEnded when no whole answer came within the limit.
    HttpAnswer request(std::string const& method, std::string const& target,
                       std::optional<std::string> const& body = std::nullopt,
                       HttpHeaders const& headers = {}) {
        std::string text = method + ' ' + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
        for (auto const& [name, value] : headers) text += name + ": " + value + "\r\n";
        if (body) text += "Content-Length: " + std::to_string(body->size()) + "\r\n";
        text += "\r\n";
        if (body) text += *body;
        send(text);
        return receive(method == "HEAD");
    }

    /// Bytes as they are, for what no client should send.
    void send(std::string const& bytes) {
        open();
        std::size_t sent = 0;
        while (sent < bytes.size()) {
            auto const n = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
            // An answer may be there although the server took no more: 413, for one.
            if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) return;
            if (n < 0) fail("send", errno);
            sent += static_cast<std::size_t>(n);
        }
    }

    HttpAnswer receive(bool head_only = false) {
        HttpAnswer answer;
        auto end = buffer_.find("\r\n\r\n");
        for (; end == std::string::npos; end = buffer_.find("\r\n\r\n")) read_some();
        parse_head(buffer_.substr(0, end), answer);
        buffer_.erase(0, end + 4);
        if (!head_only) {
            auto const length = std::strtoul(answer.header("content-length").c_str(), nullptr, 10);
            while (buffer_.size() < length) read_some();
            answer.body = buffer_.substr(0, length);
            buffer_.erase(0, length);
        }
        if (answer.header("connection") == "close") close();
        return answer;
    }

    /// The connected socket, for whoever speaks something else over it.
    int fd() {
        open();
        return socket_;
    }

    void close() {
        if (socket_ >= 0) ::close(std::exchange(socket_, -1));
        buffer_.clear();
    }

private:
    void open() {
        if (socket_ >= 0) return;
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        timeval const limit{60, 0};
        int const on = 1;
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto const* const place = reinterpret_cast<sockaddr const*>(&address);
        if (::connect(socket_, place, sizeof address) != 0) fail("connect", errno);
    }

    void read_some() {
        if (socket_ < 0) fail("not connected", 0);
        char block[16384];
        auto n = ::recv(socket_, block, sizeof block, 0);
        // Who was stopped for a moment asks again.
        while (n < 0 && errno == EINTR) n = ::recv(socket_, block, sizeof block, 0);
        if (n < 0) fail("receive", errno);
        if (n == 0) fail("closed", 0);
        buffer_.append(block, static_cast<std::size_t>(n));
    }

    static void parse_head(std::string const& head, HttpAnswer& answer) {
        answer.status = static_cast<unsigned>(std::stoul(head.substr(head.find(' ') + 1)));
        auto line = head.find("\r\n");
        while (line != std::string::npos) {
            auto const start = line + 2;
            line = head.find("\r\n", start);
            auto const text = head.substr(start, line == std::string::npos ? line : line - start);
            auto const colon = text.find(':');
            auto name = text.substr(0, colon);
            std::transform(name.begin(), name.end(), name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
            auto const value = text.find_first_not_of(' ', colon + 1);
            answer.headers[name] = value == std::string::npos ? "" : text.substr(value);
        }
    }

    [[noreturn]] void fail(std::string const& what, int number) {
        close();
        throw ConnectionEnded(what, number);
    }

    std::uint16_t port_;
    int socket_ = -1;
    std::string buffer_;
};

}  // namespace penstock::tests
