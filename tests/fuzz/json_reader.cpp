// Does any body break the strict reader, and is the canonical form its own canonical form?
#include "server/http/json_reader.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace penstock::server;
    std::string_view const body(reinterpret_cast<char const*>(data), size);
    JsonReader in(body);
    in.optional_integer("n", -5, 1'000'000);
    in.optional_text("t", 0, 64);
    in.optional_instant("at");
    in.object_text("metadata");
    in.optional_texts("texts", 0, 10, 0, 10);
    in.nullable_text("nullable", 0, 10);
    for (auto& item : in.array("items", 0, 100)) {
        item.integer("amount", 1, 100);
        item.choice("kind", {"a", "b"});
    }
    in.finish();
    if (in.faults().size() > json_faults_max) std::abort();
    auto const once = canonical(body);
    if (!once) return 0;
    auto const twice = canonical(*once);
    if (!twice || *twice != *once) std::abort();
    return 0;
}
