// WHICH part of a download a request asks for.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::server {

struct ByteRange {
    enum class What : std::uint8_t { whole, part, none };

    What what = What::whole;  ///< none: it lies behind the end, 416
    std::uint64_t first = 0;
    std::uint64_t size = 0;

    bool operator==(ByteRange const&) const = default;
};

/// Of `size` bytes. One range is served: a header that asks for several, or that cannot be
/// understood, is as if it were not there (RFC 9110 §14.2).
ByteRange parse_range(std::string_view header, std::uint64_t size);

}  // namespace penstock::server
