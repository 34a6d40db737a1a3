// Does any cursor break its reader, and has every one exactly one spelling?
#include "server/http/cursor.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace penstock::server;
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const bytes = from_base64url(text);
    if (bytes && to_base64url(*bytes) != text) std::abort();
    CursorReader reader(CursorKind::transfers, text);
    auto const at = reader.integer();
    auto const id = reader.id();
    auto const name = reader.string();
    if (!reader.complete()) return 0;
    CursorWriter writer(CursorKind::transfers);
    if (writer.integer(at).id(id).string(name).text() != text) std::abort();
    return 0;
}
