// What a test says to a Redis behind the back of the program: blocking, one connection.
#pragma once

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <string>

#include "cache/redis/command.hpp"
#include "cache/redis/reply.hpp"
#include "cache/redis/reply_reader.hpp"

namespace penstock::tests {

class RedisTalk {
public:
    explicit RedisTalk(std::string const& socket_path) {
        socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        timeval const limit{20, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, socket_path.c_str(), sizeof address.sun_path - 1);
        auto const* const place = reinterpret_cast<sockaddr const*>(&address);
        if (::connect(socket_, place, sizeof address) != 0) throw std::runtime_error("connect");
    }
    RedisTalk(RedisTalk&&) = delete;
    ~RedisTalk() { ::close(socket_); }

    /// `talk("SET", key, value)`. Error replies are replies.
    template <class... Words>
    cache::Reply operator()(Words const&... words) {
        std::string bytes;
        cache::Command(words...).encode(bytes);
        if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(bytes.size()))
            throw std::runtime_error("send");
        for (;;) {
            auto reply = reader_.next();
            if (!reply) throw std::runtime_error(reader_.complaint());
            if (*reply) return std::move(**reply);
            char block[16384];
            auto const n = ::recv(socket_, block, sizeof block, 0);
            if (n <= 0) throw std::runtime_error("receive");
            reader_.feed({block, static_cast<std::size_t>(n)});
        }
    }

private:
    int socket_ = -1;
    cache::ReplyReader reader_{cache::ReplyLimits()};
};

}  // namespace penstock::tests
