// Does any request target break its decoder?
#include <cstdint>
#include <cstdlib>
#include <string>

#include "server/http/request.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace penstock::server;
    std::string_view const raw(reinterpret_cast<char const*>(data), size);
    Target target;
    if (parse_target(raw, target)) return 0;
    if (target.segments.empty() || target.segments.size() > target_segments_max) std::abort();
    for (auto const& segment : target.segments)
        if (!is_utf8(segment)) std::abort();
    for (auto const& parameter : target.query)
        if (!is_utf8(parameter.name) || !is_utf8(parameter.value)) std::abort();
    return 0;
}
