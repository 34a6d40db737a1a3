// Do any bytes under an idempotency key make a record that says something else when written again?
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cache/edge_record.hpp"
#include "domain/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace penstock::cache;
    std::string_view const bytes(static_cast<char const*>(static_cast<void const*>(data)), size);
    auto const record = read_edge_record(bytes);
    if (auto const* mark = std::get_if<EdgeMark>(&record)) PENSTOCK_ASSERT(encode(*mark) == bytes);
    if (auto const* answer = std::get_if<EdgeAnswer>(&record))
        PENSTOCK_ASSERT(encode_answer(answer->fingerprint, answer->status, answer->body) == bytes);
    return 0;
}
