// How PostgreSQL writes values in its binary format. Pure: bytes in, values out, no libpq.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::db::pg {

using Oid = std::uint32_t;
using UuidBytes = std::array<std::uint8_t, 16>;
using Bytes = std::span<std::uint8_t const>;

/// The bytes of a text, for the functions that take bytea.
inline Bytes bytes_of(std::string_view text) {
    return {reinterpret_cast<std::uint8_t const*>(text.data()), text.size()};
}

// Object ids of the built-in types; they never change (catalog/pg_type.dat).
namespace oid {
inline constexpr Oid boolean = 16, bytea = 17, name = 19, int8 = 20, int2 = 21, int4 = 23;
inline constexpr Oid text = 25, json = 114, bpchar = 1042, varchar = 1043, timestamptz = 1184;
inline constexpr Oid uuid = 2950, jsonb = 3802, xid8 = 5069, unknown = 705;
inline constexpr Oid boolean_array = 1000, bytea_array = 1001, int2_array = 1005;
inline constexpr Oid int4_array = 1007, text_array = 1009, varchar_array = 1015;
inline constexpr Oid int8_array = 1016, timestamptz_array = 1185, uuid_array = 2951;
}  // namespace oid

// One struct per type that this program sends: its object ids, what a caller gives, and how it
// is written. `View` is what push() takes.
namespace kind {
struct Boolean {
    using View = bool;
    static constexpr Oid element = oid::boolean, array = oid::boolean_array;
};
struct Int2 {
    using View = std::int16_t;
    static constexpr Oid element = oid::int2, array = oid::int2_array;
};
struct Int4 {
    using View = std::int32_t;
    static constexpr Oid element = oid::int4, array = oid::int4_array;
};
struct Int8 {
    using View = std::int64_t;
    static constexpr Oid element = oid::int8, array = oid::int8_array;
};
struct Text {
    using View = std::string_view;
    static constexpr Oid element = oid::text, array = oid::text_array;
};
struct Bytea {
    using View = Bytes;
    static constexpr Oid element = oid::bytea, array = oid::bytea_array;
};
struct Uuid {
    using View = UuidBytes const&;
    static constexpr Oid element = oid::uuid, array = oid::uuid_array;
};
struct InstantMs {  ///< milliseconds since 1970, as timestamptz
    using View = std::int64_t;
    static constexpr Oid element = oid::timestamptz, array = oid::timestamptz_array;
};
}  // namespace kind

// Encoders append the value's bytes, without its length.
void encode(kind::Boolean, bool value, std::string& out);
void encode(kind::Int2, std::int16_t value, std::string& out);
void encode(kind::Int4, std::int32_t value, std::string& out);
void encode(kind::Int8, std::int64_t value, std::string& out);
void encode(kind::Text, std::string_view value, std::string& out);
void encode(kind::Bytea, Bytes value, std::string& out);
void encode(kind::Uuid, UuidBytes const& value, std::string& out);
void encode(kind::InstantMs, std::int64_t ms, std::string& out);

/// Appends a big-endian 32-bit length or count; asserts that it fits.
void encode_length(std::size_t length, std::string& out);

// Decoders of one value: nothing when the bytes are not exactly such a value.
std::optional<bool> decode(kind::Boolean, Bytes bytes);
std::optional<std::int16_t> decode(kind::Int2, Bytes bytes);
std::optional<std::int32_t> decode(kind::Int4, Bytes bytes);
std::optional<std::int64_t> decode(kind::Int8, Bytes bytes);
std::optional<std::string> decode(kind::Text, Bytes bytes);
std::optional<std::vector<std::uint8_t>> decode(kind::Bytea, Bytes bytes);
std::optional<UuidBytes> decode(kind::Uuid, Bytes bytes);
/// Microseconds are floored to milliseconds; the two infinities are refused.
std::optional<std::int64_t> decode(kind::InstantMs, Bytes bytes);

/// The elements of a one-dimensional array (or an empty one) whose elements have the type
/// `element`; a NULL element is nothing. Refuses every other shape and any byte too many.
std::optional<std::vector<std::optional<Bytes>>> decode_array(Oid element, Bytes bytes);

/// A one-dimensional array being built, element by element, in the format of the wire:
///     Int8Array amounts;  for (…) amounts.push(row.amount);  params.add(std::move(amounts));
template <class Kind>
class Array {
public:
    using View = typename Kind::View;

    Array() = default;

    void push(View value) {
        std::size_t const at = elements_.size();
        elements_.append(4, '\0');
        encode(Kind{}, value, elements_);
        set_length(at, elements_.size() - at - 4);
        ++size_;
    }
    void push_null() {
        elements_.append(4, '\xff');
        has_null_ = true;
        ++size_;
    }
    template <class T>
    void push_optional(std::optional<T> const& value) {
        if (value)
            push(*value);
        else
            push_null();
    }

    std::size_t size() const { return size_; }
    void reserve(std::size_t elements, std::size_t bytes_each = 16) {
        elements_.reserve(elements * (bytes_each + 4));
    }

    /// Appends the whole array value to `out`.
    void encode_to(std::string& out) const;

private:
    void set_length(std::size_t at, std::size_t length);

    std::string elements_;
    std::size_t size_ = 0;
    bool has_null_ = false;
};

using BooleanArray = Array<kind::Boolean>;
using Int2Array = Array<kind::Int2>;
using Int4Array = Array<kind::Int4>;
using Int8Array = Array<kind::Int8>;
using TextArray = Array<kind::Text>;
using ByteaArray = Array<kind::Bytea>;
using UuidArray = Array<kind::Uuid>;
using InstantMsArray = Array<kind::InstantMs>;

}  // namespace penstock::db::pg
