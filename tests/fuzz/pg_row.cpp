// Which bytes does the decoder of PostgreSQL's binary values accept: whatever they are, it must
// answer, stay inside them, and write back what it read.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "db/pg/binary.hpp"

using namespace penstock::db::pg;

namespace {

void require(bool belief) {
    if (!belief) std::abort();
}

/// A value that was read is written as the bytes it was read from.
template <class Kind>
void scalar(Bytes bytes) {
    auto const value = decode(Kind{}, bytes);
    if (!value) return;
    std::string wire;
    encode(Kind{}, *value, wire);
    require(wire.size() == bytes.size());
    require(std::equal(bytes.begin(), bytes.end(), bytes_of(wire).begin()));
}

template <class Kind>
void array(Bytes bytes) {
    auto const elements = decode_array(Kind::element, bytes);
    if (!elements) return;
    Array<Kind> copy;
    for (auto const& element : *elements) {
        if (!element) {
            copy.push_null();
            continue;
        }
        require(element->data() >= bytes.data());
        require(element->data() + element->size() <= bytes.data() + bytes.size());
        auto const value = decode(Kind{}, *element);
        if (!value) return;
        copy.push(*value);
    }
    std::string wire;
    copy.encode_to(wire);
    auto const again = decode_array(Kind::element, bytes_of(wire));
    require(again.has_value() && again->size() == elements->size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    Bytes const bytes(data, size);
    scalar<kind::Boolean>(bytes);
    scalar<kind::Int2>(bytes);
    scalar<kind::Int4>(bytes);
    scalar<kind::Int8>(bytes);
    scalar<kind::Text>(bytes);
    scalar<kind::Bytea>(bytes);
    scalar<kind::Uuid>(bytes);
    static_cast<void>(decode(kind::InstantMs{}, bytes));  // microseconds are floored
    array<kind::Boolean>(bytes);
    array<kind::Int2>(bytes);
    array<kind::Int4>(bytes);
    array<kind::Int8>(bytes);
    array<kind::Text>(bytes);
    array<kind::Bytea>(bytes);
    array<kind::Uuid>(bytes);
    return 0;
}
