// Does any text make the Redis URL parser misbehave, or accept what it cannot mean?
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cache/redis/address.hpp"
#include "domain/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text(static_cast<char const*>(static_cast<void const*>(data)), size);
    auto const address = penstock::cache::parse_redis_url(text);
    if (!address) return 0;
    PENSTOCK_ASSERT(!address->socket_path.empty() || !address->host.empty());
    PENSTOCK_ASSERT(address->socket_path.size() <= 107);
    PENSTOCK_ASSERT(address->port != 0);
    PENSTOCK_ASSERT(!address->describe().empty());
    return 0;
}
