// Which replies are in a stream of foreign bytes: hiredis' parser, with bounds.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cache/redis/reply.hpp"
#include "reactor/result.hpp"

struct redisReader;

namespace penstock::cache {

struct ReplyLimits {
    std::size_t bytes_max = 64 << 20;      ///< of one reply as it arrives
    std::size_t elements_max = 1'000'000;  ///< of one reply, over all its nested arrays
};

/// Takes any bytes without falling over; after an error it is of no further use.
class ReplyReader {
public:
    explicit ReplyReader(ReplyLimits limits);
    ReplyReader(ReplyReader&&) = delete;

    void feed(std::string_view bytes);

    /// The next whole reply. Nothing: more bytes are needed. protocol_error: these are no replies,
    /// or one is beyond the limits.
    Result<std::optional<Reply>> next();

    /// Why next() failed.
    std::string const& complaint() const { return complaint_; }

private:
    struct Free {
        void operator()(redisReader* reader) const;
    };

    error_code fail(std::string complaint);

    ReplyLimits limits_;
    std::size_t elements_left_;
    std::unique_ptr<redisReader, Free> reader_;
    std::string complaint_;
};

}  // namespace penstock::cache
