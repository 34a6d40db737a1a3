// Do any bytes make the reply reader misbehave, or read differently when they arrive in pieces?
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/redis/reply_reader.hpp"
#include "domain/assert.hpp"

namespace {

using namespace penstock::cache;

std::vector<Reply> replies_in(std::string_view bytes, std::size_t piece) {
    ReplyLimits limits;
    limits.elements_max = 1'000;
    limits.bytes_max = 1 << 20;
    ReplyReader reader(limits);
    std::vector<Reply> replies;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        reader.feed(bytes.substr(0, piece));
        for (;;) {
            auto reply = reader.next();
            if (!reply) return replies;
            if (!*reply) break;
            replies.push_back(std::move(**reply));
        }
    }
    return replies;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const bytes(static_cast<char const*>(static_cast<void const*>(data)), size);
    PENSTOCK_ASSERT(replies_in(bytes, size + 1) == replies_in(bytes, 3));
    return 0;
}
